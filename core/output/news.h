/* What the delivery thread has to say to the engine, which makes alerts of it. Any thread. */
#ifndef PICKET_OUTPUT_NEWS_H
#define PICKET_OUTPUT_NEWS_H

#include <pthread.h>
#include <stdatomic.h>

#include "output/delivery.h"

#define NEWS_MAX 8 /* waiting at once; the last of many failures is the one that counts */

/* At most one piece about the same count within that time, ns; the first at once. */
#define NEWS_PAUSE 10000000000LL

/* A count that is told of as it grows. */
struct news_count {
    uint64_t count; /* not told yet */
    int64_t next;   /* monotonic */
};

struct news_response;

struct news {
    pthread_mutex_t lock;
    atomic_bool any; /* there may be something to take */
    struct delivery_news items[NEWS_MAX];
    size_t count;
    struct news_count overrun;
    struct news_count expired[DELIVERY_OUTPUTS_MAX], dropped[DELIVERY_OUTPUTS_MAX];
    struct news_count refused[DELIVERY_OUTPUTS_MAX];
    struct news_response *responses, **responses_end; /* in their order; the end is NULL's place */
    uint64_t responded;                               /* that were taken */
};

void news_init(struct news *news);
void news_deinit(struct news *news);

/* Something that happened once; WHY is copied, NULL is fine. */
void news_add(struct news *news, enum delivery_news_kind kind, uint64_t count, const char *why);

/* COUNT more alerts that the intake had no room for; and that output INDEX lost. */
void news_add_overrun(struct news *news, uint64_t count);
void news_add_expired(struct news *news, size_t index, uint64_t count);
void news_add_dropped(struct news *news, size_t index, uint64_t count);

/* Output INDEX responded, or did not; and did not COUNT times more. The texts are copied; when
 * there is no memory for that, it is counted with the others. Whoever responds sees to it that
 * there are not too many (response.h). */
void news_add_response(struct news *news, size_t index, const char *message, const char *detail);
void news_add_refused(struct news *news, size_t index, uint64_t count);

/* The next piece that is due at NOW (INT64_MAX: all are). Cheap when there is none. */
bool news_take(struct news *news, int64_t now, struct delivery_news *out);

#endif
