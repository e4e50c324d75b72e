/* Correlations and filters, by the first byte. Either any texts as documents beside a few rules,
 * one a line, and behind an empty line a series of events: what is accepted must be usable, what is
 * alerted be what was asked for, and a reload of the same rules in the midst of the series change
 * nothing. Or one correlation of a few numbers and a series, of which some comes a bit late: it
 * must fire just when it should, as plainly as that can be said. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "alert/correlator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "rule/lint.h"
#include "rule/matcher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULE(name, field)                                                                        \
    "title: " name "\nname: " name "\nlogsource: {product: linux, category: process_creation}\n" \
    "detection: {s: {" field ": 1}, condition: s}\n---\n"

/* Each by a number of its own: texts take long to load. */
#define RULES        \
    RULE("a", "uid") \
    RULE("b", "gid") RULE("c", "euid") "rules: [{id: n, match: {egid: 1}, tests: []}]\n"

/* An event of a series: it hits the rules of MASK. */
struct subject {
    struct event event;
    struct process self, parent;
};

static void make_subject(unsigned mask, unsigned who, int64_t time, struct subject *out)
{
    struct process *self = &out->self;

    *out = (struct subject){.event = {.type = EVENT_EXEC, .process = self, .time = time},
                            .self = {.parent = &out->parent}};
    field_set_add(&out->event.has, FIELD_TIME);
    process_set_number(self, FIELD_UID, &self->uid, mask & 1);
    process_set_number(self, FIELD_GID, &self->gid, mask >> 1 & 1);
    process_set_number(self, FIELD_EUID, &self->euid, mask >> 2 & 1);
    process_set_number(self, FIELD_EGID, &self->egid, mask >> 3 & 1);
    if (who % 4 < 3)
        process_set_text(self, FIELD_USER, &self->user, (struct text){&"xyz"[who % 4], 1});
    process_set_number(self, FIELD_PID, &self->pid, who / 4 % 4);
    process_set_number(&out->parent, FIELD_PID, &out->parent.pid, who / 8 % 4);
}

/* Whose matches are looked at. */
struct play {
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct correlator *correlator;
    uint64_t matches;
    bool fired; /* a rule that alerts did, at the last event */
};

static void check_json(const struct correlation_match *match)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(json_freep) json_t *read = NULL;
    struct json_writer json = {.buffer = &text};
    struct json_failure failure;

    correlation_match_put_message(&text, match);
    buffer_clear(&text);
    json_begin(&json, '{');
    correlation_match_put_json(&json, match);
    json_end(&json, '}');
    if (json_parse(buffer_text(&text), &read, &failure) < 0)
        abort();
}

static void judge(void *context, const struct correlation_match *match)
{
    struct play *play = context;
    const struct rule *rule = correlation_match_rule(match);
    const struct correlation *correlation = rule->correlation;

    play->matches++;
    play->fired |= !rule->silent;
    if (!correlation || !rule->enabled || match->count == 0 || match->last < match->first ||
        match->last - match->first > correlation->timespan)
        abort();
    if (correlation->bound_count == 0 ? false
        : correlation_is_numeric(correlation->type)
            ? !correlation_accepts(correlation, match->value)
            : match->count < correlation->needed)
        abort();
    if (match->part_count > CORRELATION_SHOWN_MAX || match->part_count > match->count)
        abort();
    check_json(match);
}

static void play_event(struct play *play, const struct event *event)
{
    const struct rule *const *hits;
    size_t count = matcher_match(play->matcher, event, &hits);

    play->fired = false;
    correlator_begin(play->correlator, event, event->time);
    for (size_t i = 0; i < count; i++)
        correlator_feed(play->correlator, hits[i]);
    correlator_judge(play->correlator, judge, play);
}

static void play_deinit(struct play *play)
{
    correlator_free(play->correlator);
    matcher_free(play->matcher);
    ruleset_free(play->ruleset);
}

static struct ruleset *load(struct text text)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer rendered = {0};
    struct rule_source source = {.path = "fuzz.yaml", .content = text};
    struct ruleset *ruleset = NULL;
    int r = ruleset_load(&source, 1, &diags, &ruleset);

    if ((r == -EINVAL) != (diags.errors > 0) || (r == 0) != (ruleset != NULL))
        abort();
    if (ruleset)
        lint_run(ruleset, &diags);
    diag_render_all(&diags, false, &rendered);
    return ruleset;
}

static bool begin(struct play *play, struct text text)
{
    *play = (struct play){.ruleset = load(text)};
    if (!play->ruleset)
        return false;
    if (matcher_new(play->ruleset, &play->matcher) < 0 ||
        correlator_new(play->ruleset, &play->correlator) < 0)
        abort();
    return true;
}

/* The same rules, loaded again. */
static void reload(struct play *play, struct text text)
{
    struct ruleset *ruleset = load(text);
    struct correlator_rules *state = NULL;

    matcher_free(play->matcher);
    play->matcher = NULL;
    if (!ruleset || ruleset->count != play->ruleset->count ||
        correlator_rules_new(ruleset, &state) < 0 || matcher_new(ruleset, &play->matcher) < 0)
        abort();
    correlator_rules_free(correlator_carry(play->correlator, state, ruleset->rules));
    ruleset_free(play->ruleset);
    play->ruleset = ruleset;
}

/* Two bytes an event: what it is, and when. */
static void play_series(struct play *play, struct text series, struct text text, size_t reload_at)
{
    for (size_t i = 0; i + 1 < series.len; i += 2) {
        struct subject subject;
        int64_t late = (unsigned char)series.ptr[i + 1] - 128;
        unsigned char what = (unsigned char)series.ptr[i];

        if (i / 2 == reload_at)
            reload(play, text);
        make_subject(what & 15, what >> 4, (int64_t)(i + 1000) * NS_PER_S + late * NS_PER_S / 2,
                     &subject);
        play_event(play, &subject.event);
    }
    struct correlator_counters counters = correlator_counters(play->correlator);

    if (counters.matches != play->matches || counters.bytes > CORRELATOR_BYTES_MAX ||
        counters.evicted || counters.starved)
        abort();
    correlator_clear(play->correlator);
    counters = correlator_counters(play->correlator);
    if (counters.groups)
        abort();
}

/* A line is what makes a document one: `correlation: {...}`, `filter: {...}`. */
static void try_documents(struct text input)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(play_deinit) struct play once = {0};
    CLEANUP(play_deinit) struct play twice = {0};
    struct text line;
    unsigned count = 0;

    buffer_put_string(&text, RULES);
    while ((line = text_split(&input, '\n')).len) {
        buffer_printf(&text, "---\ntitle: d%u\nname: d%u\nlogsource: {product: linux}\n", count,
                      count);
        buffer_put_text(&text, line);
        buffer_put_char(&text, '\n');
        count++;
    }
    if (!begin(&once, buffer_text(&text)) || !input.ptr)
        return;
    play_series(&once, input, buffer_text(&text), SIZE_MAX);
    if (!begin(&twice, buffer_text(&text)))
        abort();
    play_series(&twice, input, buffer_text(&text), input.len / 4);
    if (once.matches != twice.matches)
        abort();
}

/* Hits of one user since the correlation last fired for him. */
#define HITS_MAX 256
struct hits {
    unsigned rule[HITS_MAX], value[HITS_MAX];
    int64_t time[HITS_MAX];
    size_t count;
};

struct asked {
    enum correlation_type type;
    unsigned needed;
    int64_t timespan;
};

/* How many different values, or rules, the hits from FIRST on have. */
static unsigned count_distinct(const unsigned *values, size_t first, size_t count)
{
    unsigned distinct = 0;

    for (size_t i = first; i < count; i++) {
        bool known = false;

        for (size_t k = first; k < i; k++)
            known |= values[k] == values[i];
        distinct += !known;
    }
    return distinct;
}

/* Whether the rules hit one behind the other. */
static bool is_chain(const unsigned *hit, size_t first, size_t count)
{
    unsigned next = 0;

    for (size_t i = first; i < count && next < 3; i++)
        next += hit[i] == next;
    return next == 3;
}

/* Puts one where it belongs; behind those of its time. Returns where. */
static size_t add_hit(struct hits *hits, unsigned rule, unsigned value, int64_t time)
{
    size_t at = hits->count++;

    for (; at > 0 && hits->time[at - 1] > time; at--) {
        hits->rule[at] = hits->rule[at - 1];
        hits->value[at] = hits->value[at - 1];
        hits->time[at] = hits->time[at - 1];
    }
    hits->rule[at] = rule;
    hits->value[at] = value;
    hits->time[at] = time;
    return at;
}

static bool holds(const struct asked *asked, const struct hits *hits, size_t first, size_t end)
{
    switch (asked->type) {
    case CORRELATION_EVENT_COUNT:
        return end - first >= asked->needed;
    case CORRELATION_VALUE_COUNT:
        return count_distinct(hits->value, first, end) >= asked->needed;
    case CORRELATION_TEMPORAL:
        return count_distinct(hits->rule, first, end) == 3;
    default:
        return is_chain(hits->rule, first, end);
    }
}

/* Whether it does in a window that the hit AT, the last to come, is in. */
static bool should_fire(const struct asked *asked, const struct hits *hits, size_t at)
{
    for (size_t first = 0; first <= at; first++) {
        size_t end = first;

        while (end < hits->count && hits->time[end] - hits->time[first] <= asked->timespan)
            end++;
        if (end > at && holds(asked, hits, first, end))
            return true;
    }
    return false;
}

static void put_correlation(struct buffer *out, const struct asked *asked)
{
    buffer_printf(out, RULES "---\ntitle: x\ncorrelation:\n  type: %s\n  rules: [a, b, c]\n",
                  correlation_type_name(asked->type));
    buffer_printf(out, "  group-by: User\n  timespan: %llds\n",
                  (long long)(asked->timespan / NS_PER_S));
    if (asked->type == CORRELATION_VALUE_COUNT)
        buffer_printf(out, "  condition: {field: ProcessId, gte: %u}\n", asked->needed);
    else if (asked->type == CORRELATION_EVENT_COUNT)
        buffer_printf(out, "  condition: {gte: %u}\n", asked->needed);
}

static void complain(const struct asked *asked, const struct hits *hits, bool expected)
{
    fprintf(stderr, "%s of %u within %llds %s fire at hit %zu:", correlation_type_name(asked->type),
            asked->needed, (long long)(asked->timespan / NS_PER_S),
            expected ? "should" : "should not", hits->count);
    for (size_t i = 0; i < hits->count; i++)
        fprintf(stderr, " %c(%u)@%.2f", (int)('a' + hits->rule[i]), hits->value[i],
                (double)hits->time[i] / (double)NS_PER_S);
    fputc('\n', stderr);
    abort();
}

static void try_asked(const struct asked *asked, struct text series)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(play_deinit) struct play play = {0};
    struct hits users[4] = {0};
    int64_t time = 1000 * NS_PER_S;
    bool exact = asked->type != CORRELATION_VALUE_COUNT; /* also for what comes late */

    put_correlation(&text, asked);
    if (!begin(&play, buffer_text(&text)))
        abort();
    for (size_t i = 0; i + 1 < series.len && i / 2 < HITS_MAX; i += 2) {
        unsigned who = (unsigned char)series.ptr[i] >> 4, rule = (unsigned char)series.ptr[i] % 3;
        struct hits *hits = &users[who % 4];
        struct subject subject;

        unsigned when = (unsigned char)series.ptr[i + 1];
        int64_t late = exact ? when / 16 % 5 * CORRELATION_DISORDER / 4 : 0;

        time += when % 16 * NS_PER_S;
        make_subject(1U << rule, who, time - late, &subject);
        size_t at = add_hit(hits, rule, who / 4 % 4, time - late);

        play_event(&play, &subject.event);
        bool expected = should_fire(asked, hits, at);

        if (play.fired != expected)
            complain(asked, hits, expected);
        if (expected)
            hits->count = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum correlation_type types[] = {CORRELATION_EVENT_COUNT, CORRELATION_VALUE_COUNT,
                                                  CORRELATION_TEMPORAL,
                                                  CORRELATION_TEMPORAL_ORDERED};

    if (size < 2)
        return 0;
    if (data[0] % 2 == 0) {
        try_documents((struct text){(const char *)data + 1, size - 1});
        return 0;
    }
    struct asked asked = {.type = types[data[0] / 2 % 4],
                          .needed = data[0] / 8 % 4 + 1U,
                          .timespan = (data[1] % 64 + 1) * NS_PER_S};

    try_asked(&asked, (struct text){(const char *)data + 2, size - 2});
    return 0;
}
