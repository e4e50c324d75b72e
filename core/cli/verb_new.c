#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "alert/correlator.h"
#include "alert/selftest.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/event_argument.h"
#include "cli/verb.h"
#include "rule/matcher.h"
#include "rule/skeleton.h"

struct request {
    struct event_argument arguments[SKELETON_EVENTS_MAX];
    struct event events[SKELETON_EVENTS_MAX];
    size_t count;
    bool correlation;
    const char *id; /* NULL: it is made of the events' names */
};

static void request_deinit(struct request *request)
{
    for (size_t i = 0; i < request->count; i++)
        event_argument_deinit(&request->arguments[i]);
}

/* How many correlations the events complete. */
static void on_match(void *context, const struct correlation_match *match)
{
    (void)match;
    ++*(size_t *)context;
}

/* What a person is handed must hold what it promises: each event hits one rule, and together they
 * are what the correlation, if there is one, is about. Else -ENOMSG. */
static int try_events(const struct request *request, const struct ruleset *rules)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(correlator_freep) struct correlator *correlator = NULL;
    size_t matches = 0, hit = 0;
    int r = matcher_new(rules, &matcher);

    if (r == 0)
        r = correlator_new(rules, &correlator);
    for (size_t i = 0; r == 0 && i < request->count; i++) {
        const struct event *event = &request->events[i];
        const struct rule *const *hits;
        bool has_time = field_set_has(&event->has, FIELD_TIME);
        size_t count = matcher_match(matcher, event, &hits);

        correlator_begin(correlator, event, has_time ? event->time : (int64_t)i * NS_PER_S);
        for (size_t k = 0; k < count; k++)
            correlator_feed(correlator, hits[k]);
        correlator_judge(correlator, on_match, &matches);
        hit += count > 0;
    }
    return r < 0 ? r : hit == request->count && (matches > 0) == request->correlation ? 0 : -ENOMSG;
}

/* It also loads and its tests pass; or else -EINVAL, after telling why. */
static int check(struct text yaml, const struct request *request)
{
    CLEANUP(ruleset_freep) struct ruleset *rules = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct rule_source source = {.path = "new rule", .content = yaml};
    struct selftest_counts tests;
    int r = ruleset_load(&source, 1, &diags, &rules);

    if (r == 0)
        r = selftest_run(rules, &diags, &tests);
    if (r == -EINVAL || diags.errors) {
        print_errors(&diags, stderr);
        return -EINVAL;
    }
    return r < 0 ? r : try_events(request, rules);
}

static int put(const struct request *request, struct buffer *out)
{
    struct text id = request->id ? text_from(request->id) : (struct text){NULL, 0};

    return request->correlation ? skeleton_put_sequence(request->events, request->count, id, out)
                                : skeleton_put(request->events, id, out);
}

static int new_rule(const struct request *request)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    const char *these = request->correlation ? "these events" : "this event";
    int r = put(request, &out);

    if (r == -ENODATA) {
        log_error("new: the event has neither 'exe' nor 'comm' to make a rule of");
        return EXIT_FAILED;
    }
    r = buffer_failed(&out) ? -ENOMEM : r < 0 ? r : check(buffer_text(&out), request);
    if (r == -ENOMSG)
        log_error("new: no rule can be made of %s: %s", these,
                  request->correlation
                      ? "they would not match; are they in the order of their times?"
                      : "it would not match it");
    else if (r < 0 && r != -EINVAL)
        log_error("new: no rule can be made of %s: %s", these, strerror(-r));
    if (r < 0)
        return EXIT_FAILED;
    fwrite(out.data, 1, out.len, stdout);
    return EXIT_FINE;
}

static int add_event(struct request *request, const char *text)
{
    if (request->count == SKELETON_EVENTS_MAX)
        return misused("new: takes %d events at most", SKELETON_EVENTS_MAX);
    struct event_argument *argument = &request->arguments[request->count++];
    int status = event_argument_read("new", text, argument);

    request->events[request->count - 1] = argument->event;
    return status;
}

static int read_what(struct request *request, int argc, char **argv)
{
    bool one = argc - optind == 1;

    request->correlation = one && strcmp(argv[optind], "correlation") == 0;
    bool rule = one && strcmp(argv[optind], "rule") == 0;

    if (!request->correlation && (!rule || request->count == 0))
        return misused("new: wants 'rule' and --event, as in: new rule --event events.jsonl:12");
    if (request->correlation && request->count < 2)
        return misused("new: a correlation wants --event twice or more, in their order");
    if (rule && request->count > 1)
        return misused("new: a rule is made of one event, a correlation of more");
    return EXIT_FINE;
}

int verb_new(int argc, char **argv)
{
    static const struct option options[] = {
        {"event", required_argument, NULL, 'e'}, {"id", required_argument, NULL, 'i'}, {0}};
    CLEANUP(request_deinit) struct request request = {0};
    int option, status = EXIT_FINE;

    while (!status && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'e')
            status = add_event(&request, optarg);
        else if (option == 'i')
            request.id = optarg;
        else
            status = EXIT_MISUSED;
    }
    if (!status)
        status = read_what(&request, argc, argv);
    return status ? status : new_rule(&request);
}
