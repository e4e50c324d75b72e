#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/event_argument.h"
#include "cli/verb.h"
#include "rule/matcher.h"
#include "rule/selftest.h"
#include "rule/skeleton.h"

/* What a person is handed must hold what it promises: it loads and its tests pass (or else -EINVAL,
 * after telling why), and it matches (-ENOMSG). */
static int check(struct text yaml, const struct event *event)
{
    CLEANUP(ruleset_freep) struct ruleset *rules = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    struct rule_source source = {.path = "new rule", .content = yaml};
    struct selftest_counts tests;
    const struct rule *const *hits;
    int r = ruleset_load(&source, 1, &diags, &rules);

    if (r == 0)
        r = selftest_run(rules, &diags, &tests);
    if (r == -EINVAL || diags.errors) {
        print_errors(&diags, stderr);
        return -EINVAL;
    }
    if (r == 0)
        r = matcher_new(rules, &matcher);
    if (r == 0 && matcher_match(matcher, event, &hits) != 1)
        r = -ENOMSG;
    return r;
}

static int new_rule(const struct event *event, const char *id)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    int r = skeleton_put(event, id ? text_from(id) : (struct text){NULL, 0}, &out);

    if (r == -ENODATA) {
        log_error("new: the event has neither 'exe' nor 'comm' to make a rule of");
        return EXIT_FAILED;
    }
    r = buffer_failed(&out) ? -ENOMEM : check(buffer_text(&out), event);
    if (r == -ENOMSG)
        log_error("new: no rule can be made of this event: it would not match it");
    else if (r < 0 && r != -EINVAL)
        log_error("new: no rule can be made of this event: %s", strerror(-r));
    if (r < 0)
        return EXIT_FAILED;
    fwrite(out.data, 1, out.len, stdout);
    return EXIT_FINE;
}

int verb_new(int argc, char **argv)
{
    static const struct option options[] = {
        {"event", required_argument, NULL, 'e'}, {"id", required_argument, NULL, 'i'}, {0}};
    CLEANUP(event_argument_deinit) struct event_argument event = {0};
    const char *text = NULL, *id = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        *(option == 'e' ? &text : &id) = optarg;
    }
    if (argc - optind != 1 || strcmp(argv[optind], "rule") != 0 || !text)
        return misused("new: wants 'rule' and --event, as in: new rule --event events.jsonl:12");
    int status = event_argument_read("new", text, &event);

    return status ? status : new_rule(&event.event, id);
}
