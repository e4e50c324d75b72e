#include "engine/rulebook.h"

#include <errno.h>

#include "base/log.h"
#include "base/map.h"

static int load_rules(const struct rule_paths *paths, struct diag_list *diags, struct ruleset **out)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct rule_source *sources = arena_array(&arena, paths->count, sizeof *sources);
    size_t found = 0;
    int r;

    if (!sources)
        return -ENOMEM;
    for (size_t i = 0; i < paths->count; i++)
        if (!paths->where_there || access(paths->paths[i], F_OK) == 0)
            sources[found++].path = paths->paths[i];
    if (found) {
        r = ruleset_load_with(sources, found, &paths->options, diags, out);
        if (r == 0 && (*out)->foreign)
            log_warning("%zu Sigma rules of other log sources are tried on process executions, "
                        "which they were not written for (--any-logsource)",
                        (*out)->foreign);
        return r;
    }
    if (diags->errors == 0)
        diag_error(diags, (struct mark){0}, "no-rules",
                   "no rules: give a file or a folder with -r, or put some into %s",
                   paths->count ? paths->paths[paths->count - 1] : "the configuration");
    return -EINVAL;
}

static int init(struct rulebook *book, const struct rule_paths *paths, struct diag_list *diags)
{
    int r = load_rules(paths, diags, &book->rules);

    if (r < 0)
        return r;
    book->digests = calloc(book->rules->count + 1, sizeof *book->digests);
    book->routes = calloc(book->rules->count + 1, sizeof *book->routes);
    if (!book->digests || !book->routes)
        return -ENOMEM;
    book->asks_sha256 = ruleset_asks(book->rules, FIELD_EXE_SHA256);
    r = rule_digest_all(book->rules, book->digests);

    if (r == 0)
        r = limit_ledger_new(book->rules, &book->limits);
    return r < 0 ? r : matcher_new(book->rules, &book->matcher);
}

int rulebook_load(const struct rule_paths *paths, struct diag_list *diags, struct rulebook **out)
{
    struct rulebook *book = calloc(1, sizeof *book);
    int r = book ? init(book, paths, diags) : -ENOMEM;

    if (r < 0) {
        rulebook_free(book);
        return r;
    }
    *out = book;
    return 0;
}

void rulebook_free(struct rulebook *book)
{
    if (!book)
        return;
    matcher_free(book->matcher);
    limit_ledger_free(book->limits);
    suppression_queues_free(book->queues);
    correlator_rules_free(book->correlations);
    ruleset_free(book->rules);
    free(book->digests);
    free(book->routes);
    free(book->became);
    free(book->hits_as);
    free(book);
}

static uint64_t find_output(struct delivery *delivery, struct text name)
{
    for (size_t i = 0; i < delivery_output_count(delivery); i++) {
        struct delivery_counters output;

        delivery_counters(delivery, i, &output);
        if (text_is(name, output.output))
            return UINT64_C(1) << i;
    }
    return 0;
}

static uint64_t route_of(const struct rule *rule, struct delivery *delivery)
{
    uint64_t route = 0, forwarding = delivery_forwarding(delivery);

    for (size_t i = 0; i < rule->outputs.count; i++) {
        struct text name = rule->outputs.items[i];
        uint64_t output = find_output(delivery, name);

        route |= output & ~forwarding;
        if (!output)
            log_warning("rule '%.*s': there is no output '%.*s'", TEXT_ARG(rule->id),
                        TEXT_ARG(name));
        else if (output & forwarding)
            log_warning("rule '%.*s': output '%.*s' gets no alerts: it forwards events",
                        TEXT_ARG(rule->id), TEXT_ARG(name));
    }
    return route ? route : DELIVERY_ALL & ~forwarding;
}

/* Whether alerts are made of rule ID that the output gets. */
static bool alerts(const struct rulebook *book, struct text id, size_t output)
{
    for (size_t i = 0; i < book->rules->count; i++) {
        const struct rule *rule = book->rules->rules[i];

        if (text_equal(rule->id, id))
            return rule->enabled && !rule->silent && book->routes[i] >> output & 1;
    }
    return false;
}

/* A name that is mistyped would otherwise be noticed when nothing is done. */
static void check_responses(const struct rulebook *book, struct delivery *delivery, size_t output)
{
    struct delivery_counters counters;
    size_t count;
    const struct text *ids = delivery_respond_to(delivery, output, &count);

    delivery_counters(delivery, output, &counters);
    for (size_t i = 0; i < count; i++)
        if (!alerts(book, ids[i], output))
            log_warning("output '%s' is to respond to rule '%.*s', and gets no alerts of it",
                        counters.output, TEXT_ARG(ids[i]));
}

void rulebook_route(struct rulebook *book, struct delivery *delivery)
{
    for (size_t i = 0; i < book->rules->count; i++)
        book->routes[i] = route_of(book->rules->rules[i], delivery);
    for (size_t i = 0; i < delivery_output_count(delivery); i++)
        check_responses(book, delivery, i);
}

/* Of the rule at INDEX before, which is NOW's by its id. */
static void compare_rule(struct rulebook *book, const struct rulebook *before, size_t index,
                         const struct rule *now)
{
    const struct rule_digest *then = &before->digests[index], *here = &book->digests[now->index];

    if (then->meaning == here->meaning)
        book->became[index] = now;
    if (then->hits == here->hits)
        book->hits_as[index] = now;
    book->changed += then->whole != here->whole;
}

int rulebook_compare(struct rulebook *book, const struct rulebook *before)
{
    CLEANUP(map_deinit) struct map ids = {0};
    const struct ruleset *rules = book->rules;
    size_t kept = 0;

    book->became = calloc(before->rules->count + 1, sizeof(struct rule *));
    book->hits_as = calloc(before->rules->count + 1, sizeof(struct rule *));
    book->queues = suppression_queues_new(rules);
    if (!book->became || !book->hits_as || !book->queues ||
        correlator_rules_new(rules, &book->correlations) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < rules->count; i++)
        if (map_add(&ids, rules->rules[i]->id, (void *)rules->rules[i]) < 0)
            return -ENOMEM;
    for (size_t i = 0; i < before->rules->count; i++) {
        const struct rule *now = map_get(&ids, before->rules->rules[i]->id);

        if (now)
            compare_rule(book, before, i, now);
        kept += now != NULL;
    }
    book->removed = before->rules->count - kept;
    book->added = rules->count - kept;
    return 0;
}
