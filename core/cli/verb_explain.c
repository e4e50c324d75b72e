#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/event_argument.h"
#include "cli/rule_arguments.h"
#include "cli/verb.h"
#include "rule/explain.h"

struct question {
    const char **paths;
    size_t path_count;
    bool json;
    const char *rule, *event;
};

static int explain(const struct question *question, const struct ruleset *rules,
                   const struct rule *rule, const struct event *event)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(buffer_deinit) struct buffer out = {0};
    int r = matcher_new(rules, &matcher);

    if (r < 0) {
        log_error("explain: %s", strerror(-r));
        return EXIT_FAILED;
    }
    struct explanation explanation = {.matcher = matcher,
                                      .event = event,
                                      .rule = rule,
                                      .colour = wants_colour(stdout),
                                      .out = &out};

    if (question->json)
        explain_put_json(&explanation);
    else
        explain_put_text(&explanation);
    bool failed = buffer_failed(&out) || buffer_failed(&explanation.scratch);

    buffer_deinit(&explanation.scratch);
    if (failed) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    fwrite(out.data, 1, out.len, stdout);
    return EXIT_FINE;
}

static int answer(const struct question *question)
{
    CLEANUP(ruleset_freep) struct ruleset *rules = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(event_argument_deinit) struct event_argument event = {0};
    int status = rule_arguments_load(question->paths, question->path_count,
                                     &(struct ruleset_options){0}, &diags, &rules);

    if (status)
        return status;
    const struct rule *rule = rule_arguments_find("explain", rules, question->rule);

    status = rule ? event_argument_read("explain", question->event, &event) : EXIT_MISUSED;
    return status ? status : explain(question, rules, rule, &event.event);
}

static int set_format(struct question *question, const char *name)
{
    question->json = strcmp(name, "json") == 0;
    if (question->json || strcmp(name, "text") == 0)
        return 0;
    return misused("explain: there is no format '%s'; there are text and json", name);
}

static int read_options(struct question *question, int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "r:", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        if (option == 'r')
            question->paths[question->path_count++] = optarg;
        else if (set_format(question, optarg))
            return EXIT_MISUSED;
    }
    if (argc - optind != 2)
        return misused("explain: wants the id of a rule and an event");
    question->rule = argv[optind];
    question->event = argv[optind + 1];
    return 0;
}

int verb_explain(int argc, char **argv)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct question question = {.paths = arena_array(&arena, (size_t)argc, sizeof(char *))};

    if (!question.paths) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    int status = read_options(&question, argc, argv);

    return status ? status : answer(&question);
}
