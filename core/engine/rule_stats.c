#include "engine/rule_stats.h"

#include "base/log.h"

/* As qsort_r() takes it. */
static int compare(const void *left, const void *right, void *context)
{
    const struct matcher_cost *costs = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;

    if (costs[a].time != costs[b].time)
        return costs[a].time > costs[b].time ? -1 : 1;
    return (a > b) - (a < b);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

struct row {
    const char *name;
    struct matcher_cost cost;
};

static void put_row(struct buffer *out, const struct row *row, const struct matcher_counters *all)
{
    const struct matcher_cost *cost = &row->cost;
    double each = cost->evaluated ? (double)cost->time / (double)cost->evaluated : 0;

    buffer_printf(out, "%10llu %10llu %12.3f %9.0f %6.1f%%  ", (unsigned long long)cost->hits,
                  (unsigned long long)cost->evaluated, (double)cost->time / 1e6, each,
                  share(cost->time, all->time));
    buffer_put_printable(out, text_from(row->name));
    buffer_put_char(out, '\n');
}

/* Indexes of rules, the dearest first. */
struct ranking {
    const size_t *order;
    size_t count, top;
};

static void put_table(struct buffer *out, const struct ruleset *rules,
                      const struct matcher *matcher, const struct ranking *ranking)
{
    const struct matcher_cost *costs = matcher_costs(matcher);
    struct matcher_counters all = matcher_counters(matcher);
    struct row others = {.name = "other rules"}, search = {.name = "the search for candidates"};
    uint64_t in_rules = 0;

    buffer_printf(out, "%10s %10s %12s %9s %7s  %s\n", "hits", "evaluated", "ms", "ns each",
                  "share", "rule");
    for (size_t i = 0; i < ranking->count; i++) {
        size_t index = ranking->order[i];
        const struct matcher_cost *cost = &costs[index];

        in_rules += cost->time;
        if (i < ranking->top) {
            put_row(out, &(struct row){rules->rules[index]->id.ptr, *cost}, &all);
            continue;
        }
        others.cost.time += cost->time;
        others.cost.evaluated += cost->evaluated;
        others.cost.hits += cost->hits;
    }
    if (ranking->count > ranking->top)
        put_row(out, &others, &all);
    search.cost.evaluated = all.events;
    search.cost.hits = all.candidates;
    search.cost.time = all.time > in_rules ? all.time - in_rules : 0;
    put_row(out, &search, &all);
}

void rule_stats_print(const struct ruleset *rules, const struct matcher *matcher, size_t top)
{
    CLEANUP(freep) size_t *order = calloc(rules->count + 1, sizeof *order);
    CLEANUP(buffer_deinit) struct buffer out = {0};
    size_t count = 0;

    if (order) {
        for (size_t i = 0; i < rules->count; i++)
            if (!rules->rules[i]->correlation)
                order[count++] = i;
        qsort_r(order, count, sizeof *order, compare, (void *)matcher_costs(matcher));
        put_table(&out, rules, matcher, &(struct ranking){order, count, top});
    }
    if (!order || buffer_failed(&out))
        log_error("out of memory");
    else
        log_lines(buffer_text(&out));
}
