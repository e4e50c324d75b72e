#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "alert/correlator.h"
#include "alert/selftest.h"
#include "alert/suppression.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/rule_arguments.h"
#include "cli/verb.h"
#include "sensor/replay.h"

struct test_options {
    struct ruleset_options rules; /* of the load */
    const char **events;
    size_t event_count;
    int64_t max_alerts; /* -1: no budget */
    int64_t min_coverage;
    bool coverage;
};

/* Alerts of a rule over all recorded events. */
struct tally {
    uint64_t alerts; /* as an output would get them, summaries included */
    uint64_t folded;
};

struct test {
    const struct test_options *options;
    const struct ruleset *rules;
    struct matcher *matcher;
    struct correlator *correlator;
    struct suppression *suppression;
    struct coverage *coverage;
    struct tally *tallies; /* by index of rule */
    uint64_t events, alerts, refused;
    bool unread; /* a file of events, from some place on */
};

static void test_deinit(struct test *test)
{
    matcher_free(test->matcher);
    correlator_free(test->correlator);
    suppression_free(test->suppression);
    coverage_free(test->coverage);
    free(test->tallies);
}

static int test_init(struct test *test, const struct test_options *options,
                     const struct ruleset *rules)
{
    int r;

    *test = (struct test){.options = options, .rules = rules};
    test->tallies = calloc(rules->count + 1, sizeof *test->tallies);
    r = test->tallies ? matcher_new(rules, &test->matcher) : -ENOMEM;
    if (r == 0)
        r = correlator_new(rules, &test->correlator);
    if (r == 0)
        r = suppression_new(rules, &test->suppression);
    if (r == 0)
        r = coverage_new(rules, &test->coverage);
    return r;
}

static void count_alert(struct test *test, const struct rule *rule)
{
    test->tallies[rule->index].alerts++;
    test->alerts++;
}

static void on_summary(void *context, const struct suppression_summary *summary)
{
    count_alert(context, summary->rule);
}

/* What is under way: an event, and its time. */
struct step {
    struct test *test;
    const struct event *event;
    int64_t time;
};

static void raise(const struct step *step, const struct rule *rule)
{
    struct test *test = step->test;

    if (rule->silent)
        return;
    if (rule->suppress.window &&
        suppression_admit(test->suppression, rule, step->event, step->time) != SUPPRESSION_ADMIT)
        test->tallies[rule->index].folded++;
    else
        count_alert(test, rule);
}

static void on_match(void *context, const struct correlation_match *match)
{
    const struct step *step = context;

    coverage_fire(step->test->coverage, correlation_match_rule(match));
    raise(step, correlation_match_rule(match));
}

static void on_event(struct test *test, const struct event *event)
{
    const struct rule *const *hits;
    int64_t time = field_set_has(&event->has, FIELD_TIME) ? event->time : 0;
    size_t count = matcher_match(test->matcher, event, &hits);

    test->events++;
    suppression_close(test->suppression, time, on_summary, test);
    struct step step = {test, event, time};

    correlator_begin(test->correlator, event, time);
    for (size_t i = 0; i < count; i++) {
        raise(&step, hits[i]);
        correlator_feed(test->correlator, hits[i]);
    }
    correlator_judge(test->correlator, on_match, &step);
    coverage_see_all(test->coverage, test->matcher, event);
}

static void report_line(const struct replay *replay, const char *path,
                        const struct event_failure *failure)
{
    log_error("%s:%llu: %s", path, (unsigned long long)replay_line(replay), failure->reason);
}

static int read_events(struct test *test, const char *path)
{
    CLEANUP(replay_freep) struct replay *replay = NULL;
    struct event_failure failure;
    struct event event;
    int r = replay_open(path, &replay);

    if (r < 0) {
        log_error("%s: %s", path, strerror(-r));
        return r;
    }
    for (;;) {
        switch (replay_next(replay, &event, &failure)) {
        case REPLAY_END:
            return 0;
        case REPLAY_BROKEN:
            report_line(replay, path, &failure);
            return -EIO;
        case REPLAY_PASSED:
            break;
        case REPLAY_REFUSED:
            report_line(replay, path, &failure);
            test->refused++;
            break;
        case REPLAY_EVENT:
            on_event(test, &event);
            break;
        }
    }
}

/* Whether all of it could be read. */
static bool run_events(struct test *test)
{
    for (size_t i = 0; i < test->options->event_count; i++)
        if (read_events(test, test->options->events[i]) < 0)
            test->unread = true;
    suppression_close(test->suppression, INT64_MAX, on_summary, test);
    return test->refused == 0 && !test->unread;
}

static void print_alerts(const struct test *test)
{
    int64_t most = test->options->max_alerts;
    unsigned long long alerts = test->alerts, events = test->events;

    if (test->options->event_count == 0 || (test->unread && events == 0))
        return;
    printf("%llu alert%s of %llu event%s", alerts, text_plural(alerts), events,
           text_plural(events));
    if (most >= 0)
        printf(", at most %lld allowed", (long long)most);
    printf("\n");
    for (size_t i = 0; i < test->rules->count; i++) {
        const struct tally *tally = &test->tallies[i];

        if (tally->alerts == 0)
            continue;
        printf("%8llu  %s", (unsigned long long)tally->alerts, test->rules->rules[i]->id.ptr);
        if (tally->folded)
            printf(" (%llu more folded)", (unsigned long long)tally->folded);
        printf("\n");
    }
}

static void print_uncovered(const struct rule *rule, const struct coverage_rule *coverage)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (!coverage->fired) {
        mark_put(&line, rule->mark);
        buffer_printf(&line, ": never fired: rule '%s'\n", rule->id.ptr);
    }
    for (size_t i = 0; i < coverage->count; i++) {
        const struct outline *part = coverage->branches[i].part;

        if (coverage->branches[i].covered)
            continue;
        mark_put(&line, part->mark);
        buffer_printf(&line, ": never true: rule '%s': ", rule->id.ptr);
        outline_put_label(part, &line);
        buffer_put_char(&line, '\n');
    }
    fputs(buffer_string(&line), stdout);
}

/* False when it is less than wanted. */
static bool print_coverage(const struct test *test)
{
    struct coverage_sum sum = coverage_sum(test->coverage);
    unsigned percent = coverage_percent(&sum);
    bool enough = percent >= test->options->min_coverage;

    for (size_t i = 0; test->options->coverage && i < sum.rules; i++)
        print_uncovered(test->rules->rules[i], &test->coverage->rules[i]);
    printf("coverage: %zu of %zu rule%s fired, %zu of %zu branch%s true: %u %%", sum.fired,
           sum.rules, text_plural(sum.rules), sum.covered, sum.branches,
           sum.branches == 1 ? "" : "es", percent);
    if (!enough)
        printf(", less than %lld %%", (long long)test->options->min_coverage);
    printf("\n");
    return enough;
}

static int run(struct test *test, struct diag_list *diags)
{
    struct selftest_counts tests = {0};
    int64_t most = test->options->max_alerts;

    if (selftest_cover(test->rules, test->coverage, diags, &tests) < 0)
        return -ENOMEM;
    print_errors(diags, stdout);
    printf("%zu rule%s, %zu test%s, %zu failed\n", test->rules->count,
           text_plural(test->rules->count), tests.tests, text_plural(tests.tests), tests.failed);
    bool good = tests.failed == 0;

    good &= run_events(test);
    print_alerts(test);
    good &= print_coverage(test);
    return good && (most < 0 || test->alerts <= (uint64_t)most) ? 0 : -EINVAL;
}

static int test_rules(const struct test_options *options, const char *const *paths, size_t count)
{
    CLEANUP(ruleset_freep) struct ruleset *rules = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(test_deinit) struct test test = {0};
    int status = rule_arguments_load(paths, count, &options->rules, &diags, &rules);

    if (status)
        return status;
    int r = test_init(&test, options, rules);

    if (r == 0)
        r = run(&test, &diags);
    if (r < 0 && r != -EINVAL)
        log_error("test: %s", strerror(-r));
    return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

static int read_number(const char *option, const char *text, int64_t most, int64_t *out)
{
    if (text_to_int(text_from(text), out) == 0 && *out >= 0 && *out <= most)
        return 0;
    return misused("test: --%s wants a number from 0 to %lld, not '%s'", option, (long long)most,
                   text);
}

static int read_options(struct test_options *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"events", required_argument, NULL, 'e'},
        {"max-alerts", required_argument, NULL, 'a'},
        {"min-coverage", required_argument, NULL, 'm'},
        {"coverage", no_argument, NULL, 'c'},
        {"any-logsource", no_argument, NULL, 'l'},
        {"min-level", required_argument, NULL, 'n'},
        {0},
    };
    int option, status = 0;

    while (!status && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'e':
            out->events[out->event_count++] = optarg;
            break;
        case 'a':
            status = read_number("max-alerts", optarg, INT64_MAX, &out->max_alerts);
            break;
        case 'm':
            status = read_number("min-coverage", optarg, 100, &out->min_coverage);
            break;
        case 'c':
            out->coverage = true;
            break;
        case 'l':
            out->rules.any_logsource = true;
            break;
        case 'n':
            status = read_min_level("test", optarg, &out->rules.min_level);
            break;
        default:
            status = EXIT_MISUSED;
            break;
        }
    }
    if (!status && out->max_alerts >= 0 && out->event_count == 0)
        status = misused("test: --max-alerts wants --events");
    return status;
}

int verb_test(int argc, char **argv)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct test_options options = {.events = arena_array(&arena, (size_t)argc, sizeof(char *)),
                                   .max_alerts = -1};

    if (!options.events) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    int status = read_options(&options, argc, argv);

    if (status)
        return status;
    return test_rules(&options, (const char *const *)argv + optind, (size_t)(argc - optind));
}
