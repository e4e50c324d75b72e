/* Time. Everything inside is nanoseconds in int64_t; people and JSON see RFC 3339 in UTC. */
#ifndef PICKET_BASE_CLOCK_H
#define PICKET_BASE_CLOCK_H

#include "base/buffer.h"

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

int64_t clock_monotonic(void);
int64_t clock_boottime(void); /* what the kernel stamps records with */
int64_t clock_realtime(void); /* since 1970 */

/* What to add to a boot-time stamp to make it a real time; changes when the clock is set. */
int64_t clock_boot_offset(void);

/* "2026-01-01T00:00:00.000000000Z" (TIME_TEXT_LEN bytes, no NUL) for years 1970 to 9999. */
#define TIME_TEXT_LEN 30
void time_put(struct buffer *buffer, int64_t time);

/* RFC 3339 with any number of decimals (beyond nine are cut) and any offset. -EINVAL. */
int time_parse(struct text t, int64_t *out);

#endif
