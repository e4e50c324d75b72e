/* Messages of a stream that were taken and are not acknowledged yet, since what came of them is not
 * in the journal; and which of the last ones were taken, so that one that comes again counts once.
 * One thread's. */
#ifndef PICKET_ENGINE_UNSETTLED_H
#define PICKET_ENGINE_UNSETTLED_H

#include "output/delivery.h"
#include "stream/stream.h"

/* More than a source has out at once, several times. */
#define UNSETTLED_MAX 32768

struct unsettled;

int unsettled_new(struct unsettled **out); /* -ENOMEM */
void unsettled_free(struct unsettled *unsettled);
DEFINE_FREEP(struct unsettled, unsettled)

/* Whether this process has taken the message before: of the last UNSETTLED_MAX of a stream. What
 * came of it may not be kept yet, or is; when it was lost, it is new again. */
enum unsettled_state { UNSETTLED_NEW, UNSETTLED_WAITING, UNSETTLED_KEPT };
enum unsettled_state unsettled_find(const struct unsettled *unsettled,
                                    const struct stream_message *message);

/* MESSAGE was taken; all that came of it was pushed before MARK. -ENOMEM; -ENOBUFS: they are
 * UNSETTLED_MAX. */
int unsettled_add(struct unsettled *unsettled, const struct stream_message *message, uint64_t mark);

/* Settles those of which it is known by now whether what came of them is kept. How many they were.
 */
size_t unsettled_settle(struct unsettled *unsettled, struct delivery *delivery,
                        struct stream *stream);

size_t unsettled_count(const struct unsettled *unsettled);

#endif
