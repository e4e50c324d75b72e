#include "output/news.h"

#include <stdlib.h>
#include <string.h>

struct news_response {
    struct news_response *next;
    size_t index;
    char *message, *detail;
};

void news_init(struct news *news)
{
    pthread_mutex_init(&news->lock, NULL);
    news->responses_end = &news->responses;
}

/* Takes the first one off; its texts are the caller's. */
static struct news_response next_response(struct news *news)
{
    struct news_response *first = news->responses, response = *first;

    news->responses = first->next;
    if (!first->next)
        news->responses_end = &news->responses;
    free(first);
    return response;
}

void news_deinit(struct news *news)
{
    while (news->responses) {
        struct news_response response = next_response(news);

        free(response.message);
        free(response.detail);
    }
    pthread_mutex_destroy(&news->lock);
}

void news_add(struct news *news, enum delivery_news_kind kind, uint64_t count, const char *why)
{
    struct delivery_news item = {.kind = kind, .count = count};
    struct text clipped = text_clip(text_from(why ? why : ""), sizeof item.why - 1);

    memcpy(item.why, clipped.ptr, clipped.len);
    pthread_mutex_lock(&news->lock);
    if (news->count == NEWS_MAX)
        news->count--;
    news->items[news->count++] = item;
    atomic_store(&news->any, true);
    pthread_mutex_unlock(&news->lock);
}

static void add_count(struct news *news, struct news_count *to, uint64_t count)
{
    if (count == 0)
        return;
    pthread_mutex_lock(&news->lock);
    to->count += count;
    atomic_store(&news->any, true);
    pthread_mutex_unlock(&news->lock);
}

void news_add_overrun(struct news *news, uint64_t count)
{
    add_count(news, &news->overrun, count);
}

void news_add_expired(struct news *news, size_t index, uint64_t count)
{
    add_count(news, &news->expired[index], count);
}

void news_add_dropped(struct news *news, size_t index, uint64_t count)
{
    add_count(news, &news->dropped[index], count);
}

void news_add_refused(struct news *news, size_t index, uint64_t count)
{
    add_count(news, &news->refused[index], count);
}

void news_add_response(struct news *news, size_t index, const char *message, const char *detail)
{
    struct news_response *response = malloc(sizeof *response);
    struct news_response made = {
        .index = index, .message = strdup(message), .detail = strdup(detail)};

    if (!response || !made.message || !made.detail) {
        free(response);
        free(made.message);
        free(made.detail);
        news_add_refused(news, index, 1);
        return;
    }
    *response = made;
    pthread_mutex_lock(&news->lock);
    *news->responses_end = response;
    news->responses_end = &response->next;
    atomic_store(&news->any, true);
    pthread_mutex_unlock(&news->lock);
}

static bool take_count(struct news_count *from, int64_t now, struct delivery_news *out)
{
    if (from->count == 0 || now < from->next)
        return false;
    out->count = from->count;
    from->count = 0;
    from->next = now == INT64_MAX ? now : now + NEWS_PAUSE;
    return true;
}

static bool take_output(struct news *news, int64_t now, struct delivery_news *out)
{
    for (size_t i = 0; i < DELIVERY_OUTPUTS_MAX; i++) {
        out->index = i;
        out->kind = DELIVERY_EXPIRED;
        if (take_count(&news->expired[i], now, out))
            return true;
        out->kind = DELIVERY_DROPPED;
        if (take_count(&news->dropped[i], now, out))
            return true;
        out->kind = DELIVERY_REFUSED;
        if (take_count(&news->refused[i], now, out))
            return true;
    }
    return false;
}

static bool has_counts(const struct news *news)
{
    uint64_t all = news->overrun.count;

    for (size_t i = 0; i < DELIVERY_OUTPUTS_MAX; i++)
        all += news->expired[i].count + news->dropped[i].count + news->refused[i].count;
    return all > 0;
}

static bool take(struct news *news, int64_t now, struct delivery_news *out)
{
    *out = (struct delivery_news){.kind = DELIVERY_OVERRUN};
    if (news->count) {
        *out = news->items[0];
        memmove(news->items, news->items + 1, --news->count * sizeof *news->items);
        return true;
    }
    if (news->responses) {
        struct news_response response = next_response(news);

        out->kind = DELIVERY_RESPONSE;
        out->index = response.index;
        out->count = ++news->responded;
        out->message = response.message;
        out->detail = response.detail;
        return true;
    }
    return take_count(&news->overrun, now, out) || take_output(news, now, out);
}

bool news_take(struct news *news, int64_t now, struct delivery_news *out)
{
    if (!atomic_load_explicit(&news->any, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&news->lock);
    bool taken = take(news, now, out);

    atomic_store(&news->any, news->count || news->responses || has_counts(news));
    pthread_mutex_unlock(&news->lock);
    return taken;
}
