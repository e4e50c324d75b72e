/* Moments as people write and read them: in local time, unless they say otherwise. */
#ifndef PICKET_CLI_MOMENT_H
#define PICKET_CLI_MOMENT_H

#include "base/buffer.h"

/* For messages: what moment_parse() takes. */
#define MOMENT_FORMS                                                                  \
    "a time as in 2026-01-01T12:00:00Z, '2026-01-01 12:00', 12:00, today, yesterday " \
    "or 10m (ago)"

/* RFC 3339, and what moment_put_exact() writes; "2026-01-01" (its beginning), "2026-01-01 12:00",
 * "12:00:05.5" (today); "now", "today", "yesterday", "tomorrow"; "10m", "1h30m", "2 days ago",
 * "-10m": that long before NOW; "@1767225600": seconds since 1970. In ns since 1970. -EINVAL;
 * -ERANGE: not between 1970 and 2261. */
int moment_parse(struct text t, int64_t now, int64_t *out);

/* "2026-01-01 12:00:05". */
void moment_put(struct buffer *out, int64_t time);

/* "2026-01-01 12:00:05.123456789 +0100". */
void moment_put_exact(struct buffer *out, int64_t time);

#endif
