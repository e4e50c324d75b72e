#include "alert/suppression.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/digest.h"

#define BUCKETS 16384

/* Events of several CPUs come out of order, but never by as much; a clock set back is. */
#define DISORDER_NS NS_PER_S

/* Open from an alert until its rule's time is over. */
struct window {
    struct window *collision; /* in its bucket */
    struct window *younger;   /* of the same rule */
    const struct rule *rule;
    uint64_t key;
    int64_t opened, closes, last;
    uint64_t count;
    uint64_t origin[3];
    struct suppression_words words; /* all of the one block at message.ptr */
};

/* A rule's windows all last as long, so they close in the order they opened. */
struct queue {
    struct window *oldest, *youngest;
};

struct suppression_queues {
    size_t count;
    struct queue of[];
};

struct suppression {
    uint64_t seed; /* an attacker who knew it could make two different alerts look the same */
    struct suppression_queues *queues;
    struct window *buckets[BUCKETS];
    struct window *fold; /* which the next suppression_keep() is for */
    int64_t next_close;
    int64_t latest;      /* time of an alert admitted: no window opened later */
    bool disorder;       /* times are of many clocks */
    struct buffer value; /* of a field, as text */
    size_t bytes;        /* of words and events kept */
    struct suppression_counters counters;
};

struct suppression_queues *suppression_queues_new(const struct ruleset *rules)
{
    struct suppression_queues *queues =
        calloc(1, sizeof *queues + rules->count * sizeof(struct queue));

    if (queues)
        queues->count = rules->count;
    return queues;
}

void suppression_queues_free(struct suppression_queues *queues)
{
    free(queues);
}

int suppression_new(const struct ruleset *rules, struct suppression **out)
{
    struct suppression *suppression = calloc(1, sizeof *suppression);

    if (!suppression)
        return -ENOMEM;
    suppression->queues = suppression_queues_new(rules);
    suppression->next_close = INT64_MAX;
    if (!suppression->queues || getrandom(&suppression->seed, sizeof suppression->seed, 0) < 0) {
        suppression_free(suppression);
        return -ENOMEM;
    }
    *out = suppression;
    return 0;
}

static size_t words_size(const struct suppression_words *words)
{
    return words->message.len + words->matched.len + words->event.len + words->place.name.len +
           words->place.json.len + 1;
}

static void free_window(struct suppression *suppression, struct window *window)
{
    if (window->words.message.ptr)
        suppression->bytes -= words_size(&window->words);
    free((char *)window->words.message.ptr);
    free(window);
}

void suppression_free(struct suppression *suppression)
{
    if (!suppression)
        return;
    for (size_t i = 0; suppression->queues && i < suppression->queues->count; i++) {
        for (struct window *window = suppression->queues->of[i].oldest, *next; window;
             window = next) {
            next = window->younger;
            free_window(suppression, window);
        }
    }
    buffer_deinit(&suppression->value);
    suppression_queues_free(suppression->queues);
    free(suppression);
}

static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * 0xbf58476d1ce4e5b9U;
    return state ^ state >> 29;
}

static uint64_t mix_text(uint64_t key, struct text t, uint64_t seed)
{
    key = mix(key, t.len);
    for (size_t i = 0; i < t.len; i++)
        key = mix(key, (unsigned char)t.ptr[i] + seed);
    return key;
}

/* What makes alerts of a rule the same: the machine and the values of its `by` fields. A field that
 * is not there is told from one that is empty. The rule's id is the same in every load, its index
 * is not. */
static uint64_t key_of(struct suppression *suppression, const struct rule *rule,
                       const struct event *event)
{
    struct buffer *text = &suppression->value;
    uint64_t key = digest_text(suppression->seed, rule->id);

    if (event->host && !event->host->is_here) {
        key = mix_text(key, event->host->name, suppression->seed);
        key = mix_text(key, event->host->id, suppression->seed);
    }
    for (size_t i = 0; i < rule->suppress.by_count; i++) {
        struct value value;

        buffer_clear(text);
        if (!event_value(event, &rule->suppress.by[i], &value)) {
            key = mix(key, UINT64_MAX);
            continue;
        }
        value_put(text, &value);
        key = mix_text(key, buffer_text(text), suppression->seed);
    }
    return key;
}

static struct window **find(struct suppression *suppression, const struct rule *rule, uint64_t key)
{
    struct window **at = &suppression->buckets[key % BUCKETS];

    while (*at && ((*at)->key != key || (*at)->rule != rule))
        at = &(*at)->collision;
    return at;
}

static void open_window(struct suppression *suppression, const struct rule *rule, uint64_t key,
                        int64_t now)
{
    struct window *window = NULL;
    struct queue *queue = &suppression->queues->of[rule->index];

    if (suppression->counters.windows < SUPPRESSION_WINDOWS_MAX)
        window = calloc(1, sizeof *window);
    if (!window) {
        suppression->counters.refused++;
        return;
    }
    *window = (struct window){
        .rule = rule, .key = key, .opened = now, .closes = now + rule->suppress.window};
    window->collision = suppression->buckets[key % BUCKETS];
    suppression->buckets[key % BUCKETS] = window;
    if (queue->youngest)
        queue->youngest->younger = window;
    else
        queue->oldest = window;
    queue->youngest = window;
    if (window->closes < suppression->next_close)
        suppression->next_close = window->closes;
    suppression->counters.windows++;
}

void suppression_allow_disorder(struct suppression *suppression)
{
    suppression->disorder = true;
}

enum suppression_verdict suppression_admit(struct suppression *suppression, const struct rule *rule,
                                           const struct event *event, int64_t now)
{
    uint64_t key = key_of(suppression, rule, event);
    struct window *window = *find(suppression, rule, key);

    if (now > suppression->latest)
        suppression->latest = now;
    if (!window) {
        open_window(suppression, rule, key, now);
        return SUPPRESSION_ADMIT;
    }
    suppression->counters.folded++;
    window->last = now;
    if (window->count++ > 0)
        return SUPPRESSION_FOLD;
    memcpy(window->origin, event->origin, sizeof window->origin);
    suppression->fold = window;
    return SUPPRESSION_FOLD_FIRST;
}

/* Copies T to where *AT is, and moves that behind it. */
static struct text move_in(char **at, struct text t)
{
    struct text kept = {*at, t.len};

    if (t.len)
        memcpy(*at, t.ptr, t.len);
    *at += t.len;
    return kept;
}

void suppression_keep(struct suppression *suppression, const struct suppression_words *words)
{
    struct window *window = suppression->fold;
    size_t size = words_size(words);
    char *block = size < SUPPRESSION_BYTES_MAX - suppression->bytes ? malloc(size) : NULL;

    suppression->fold = NULL;
    if (!block)
        return; /* the summary then has no words, but its count */
    suppression->bytes += size;
    window->words.message = move_in(&block, words->message);
    window->words.matched = move_in(&block, words->matched);
    window->words.event = move_in(&block, words->event);
    window->words.place.name = move_in(&block, words->place.name);
    window->words.place.json = move_in(&block, words->place.json);
}

static void close_oldest(struct suppression *suppression, struct queue *queue, suppression_fn *fn,
                         void *context)
{
    struct window *window = queue->oldest;
    struct window **at = find(suppression, window->rule, window->key);

    *at = window->collision;
    queue->oldest = window->younger;
    if (!queue->oldest)
        queue->youngest = NULL;
    suppression->counters.windows--;
    if (window->count) {
        struct suppression_summary summary = {
            .rule = window->rule,
            .fold = {window->count, window->opened},
            .time = window->last,
            .words = window->words,
        };

        if (summary.words.event.len == 0)
            summary.words.event = TEXT("{}");
        memcpy(summary.origin, window->origin, sizeof summary.origin);
        fn(context, &summary);
    }
    free_window(suppression, window);
}

void suppression_close(struct suppression *suppression, int64_t now, suppression_fn *fn,
                       void *context)
{
    bool set_back = !suppression->disorder && now < suppression->latest - DISORDER_NS;

    if (now < suppression->next_close && !set_back)
        return;
    if (set_back)
        suppression->latest = now;
    suppression->next_close = INT64_MAX;
    for (size_t i = 0; i < suppression->queues->count; i++) {
        struct queue *queue = &suppression->queues->of[i];

        while (queue->oldest && (set_back || queue->oldest->closes <= now))
            close_oldest(suppression, queue, fn, context);
        if (queue->oldest && queue->oldest->closes < suppression->next_close)
            suppression->next_close = queue->oldest->closes;
    }
}

struct suppression_queues *suppression_carry(struct suppression *suppression,
                                             struct suppression_queues *queues,
                                             const struct rule *const *became, suppression_fn *fn,
                                             void *context)
{
    struct suppression_queues *before = suppression->queues;

    for (size_t i = 0; i < before->count; i++) {
        struct queue *queue = &before->of[i];

        while (!became[i] && queue->oldest)
            close_oldest(suppression, queue, fn, context);
        for (struct window *window = queue->oldest; window; window = window->younger)
            window->rule = became[i];
        if (became[i])
            queues->of[became[i]->index] = *queue;
    }
    suppression->queues = queues;
    return before;
}

struct suppression_counters suppression_counters(const struct suppression *suppression)
{
    return suppression->counters;
}
