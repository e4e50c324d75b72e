#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "alert/selftest.h"
#include "base/diag_code.h"
#include "base/diag_report.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/rule_arguments.h"
#include "cli/verb.h"
#include "rule/lint.h"
#include "rule/plan.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

struct check {
    struct arena arena;
    enum format format;
    const char **allowed; /* codes */
    size_t allowed_count;
    bool strict, summary;
    struct ruleset_options options; /* of the load */
    const char *explained;          /* the id of a rule whose plan is wanted, or NULL */
    struct rule_source *sources;
    size_t source_count;
    /* What came of it. */
    struct ruleset *rules; /* NULL: there were mistakes */
    struct selftest_counts tests;
    size_t silenced; /* warnings that are allowed */
};

static void check_deinit(struct check *check)
{
    ruleset_free(check->rules);
    arena_deinit(&check->arena);
}

static int set_format(struct check *check, const char *value)
{
    static const char *const names[] = {"text", "json", "sarif"};

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        check->format = (enum format)i;
        return EXIT_FINE;
    }
    return misused("check: there is no format '%s'; there are text, json and sarif", value);
}

static int add_allowed(struct check *check, const char *value)
{
    const struct diag_code *code = diag_code_find(text_from(value));
    const char *nearest = code ? NULL : diag_code_suggest(text_from(value));

    if (!code)
        return misused("check: there is no code '%s'%s%s%s", value,
                       nearest ? "; did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?" : "");
    if (code->level == DIAG_CODE_ERROR)
        return misused("check: '%s' is an error: it cannot be allowed", value);
    check->allowed[check->allowed_count++] = code->name;
    return EXIT_FINE;
}

static int read_options(struct check *check, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"allow", required_argument, NULL, 'a'},
        {"strict", no_argument, NULL, 's'},
        {"summary", no_argument, NULL, 'n'},
        {"explain-plan", required_argument, NULL, 'e'},
        {"any-logsource", no_argument, NULL, 'l'},
        {"min-level", required_argument, NULL, 'm'},
        {0},
    };
    int option, status = EXIT_FINE;

    while (!status && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            status = set_format(check, optarg);
            break;
        case 'a':
            status = add_allowed(check, optarg);
            break;
        case 's':
            check->strict = true;
            break;
        case 'n':
            check->summary = true;
            break;
        case 'e':
            check->explained = optarg;
            break;
        case 'l':
            check->options.any_logsource = true;
            break;
        case 'm':
            status = read_min_level("check", optarg, &check->options.min_level);
            break;
        default:
            status = EXIT_MISUSED;
            break;
        }
    }
    return status;
}

static int read_arguments(struct check *check, int argc, char **argv)
{
    int status = read_options(check, argc, argv);

    if (status)
        return status;
    for (int i = optind; i < argc; i++)
        check->sources[check->source_count++].path = argv[i];
    if (check->explained && check->format != FORMAT_TEXT)
        return misused("check: a plan is text: --explain-plan and --format do not go together");
    return check->source_count ? EXIT_FINE : misused("check: wants files or folders of rules");
}

static size_t count_enabled(const struct ruleset *rules)
{
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++)
        count += rules->rules[i]->enabled;
    return count;
}

static size_t count_correlations(const struct ruleset *rules)
{
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++)
        count += rules->rules[i]->correlation != NULL;
    return count;
}

static size_t count_silent(const struct ruleset *rules)
{
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++)
        count += rules->rules[i]->silent;
    return count;
}

static size_t count_always(const struct ruleset *rules)
{
    size_t count = 0;

    for (int type = 0; type < EVENT_TYPES; type++)
        count += ruleset_always(rules, (enum event_type)type);
    return count;
}

/* What --summary says. */
static const struct fact {
    const char *key, *name;
} facts[] = {
    {"files", "files"},
    {"rules", "rules"},
    {"enabled", "enabled rules"},
    {"correlations", "correlations"},
    {"silent", "without own alerts"},
    {"tests", "tests"},
    {"failed_tests", "failed tests"},
    {"skipped_documents", "skipped documents"},
    {"unsupported_documents", "unsupported documents"},
    {"other_logsources", "of other log sources"},
    {"always_evaluated", "always evaluated"},
};
#define FACTS (sizeof facts / sizeof *facts)

static void count_facts(const struct check *check, size_t counts[static FACTS])
{
    counts[0] = check->rules->files;
    counts[1] = check->rules->count;
    counts[2] = count_enabled(check->rules);
    counts[3] = count_correlations(check->rules);
    counts[4] = count_silent(check->rules);
    counts[5] = check->tests.tests;
    counts[6] = check->tests.failed;
    counts[7] = check->rules->skipped;
    counts[8] = check->rules->unsupported;
    counts[9] = check->rules->foreign;
    counts[10] = count_always(check->rules);
}

static void print_summary(const struct check *check)
{
    size_t counts[FACTS];

    count_facts(check, counts);
    for (size_t i = 0; i < FACTS; i++)
        printf("%-21s %6zu\n", facts[i].name, counts[i]);
    for (const struct ruleset_omission *omission = check->rules->omissions; omission;
         omission = omission->next) {
        CLEANUP(buffer_deinit) struct buffer reason = {0};

        buffer_put_printable(&reason, text_from(omission->reason));
        printf("%6zu %s: %s\n", omission->count, omission->unsupported ? "unsupported" : "skipped",
               buffer_string(&reason));
    }
}

static void print_text(const struct check *check, struct diag_list *diags)
{
    print_diagnostics(diags, stdout);
    if (diags->errors || !check->rules)
        printf("%zu error%s, %zu warning%s", diags->errors, text_plural(diags->errors),
               diags->warnings, text_plural(diags->warnings));
    else
        printf("%zu rule%s, %zu test%s passed, %zu warning%s", check->rules->count,
               text_plural(check->rules->count), check->tests.tests,
               text_plural(check->tests.tests), diags->warnings, text_plural(diags->warnings));
    if (check->silenced)
        printf(" (and %zu allowed)", check->silenced);
    putchar('\n');
    if (check->summary && check->rules)
        print_summary(check);
}

static void put_count(struct json_writer *json, const char *key, size_t value)
{
    json_key(json, text_from(key));
    json_int(json, (int64_t)value);
}

static void put_omissions(struct json_writer *json, const struct ruleset *rules)
{
    json_key(json, TEXT("passed_over"));
    json_begin(json, '[');
    for (const struct ruleset_omission *omission = rules->omissions; omission;
         omission = omission->next) {
        json_begin(json, '{');
        json_key(json, TEXT("reason"));
        json_text(json, text_from(omission->reason));
        json_key(json, TEXT("unsupported"));
        json_bool(json, omission->unsupported);
        put_count(json, "documents", omission->count);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void put_summary(struct json_writer *json, const struct check *check)
{
    size_t counts[FACTS];

    json_key(json, TEXT("summary"));
    if (!check->rules) {
        json_raw(json, TEXT("null"));
        return;
    }
    count_facts(check, counts);
    json_begin(json, '{');
    for (size_t i = 0; i < FACTS; i++)
        put_count(json, facts[i].key, counts[i]);
    put_omissions(json, check->rules);
    json_end(json, '}');
}

static void put_json(struct json_writer *json, const struct check *check, struct diag_list *diags)
{
    json_begin(json, '{');
    json_key(json, TEXT("diagnostics"));
    diag_put_json(json, diags);
    json_key(json, TEXT("counts"));
    json_begin(json, '{');
    put_count(json, "errors", diags->errors);
    put_count(json, "warnings", diags->warnings);
    put_count(json, "allowed", check->silenced);
    json_end(json, '}');
    put_summary(json, check);
    json_end(json, '}');
}

/* 0 or -ENOMEM. */
static int print_for_machines(const struct check *check, struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    if (check->format == FORMAT_JSON)
        put_json(&json, check, diags);
    else
        diag_put_sarif(&json, diags);
    if (buffer_failed(&out) || diags->failed)
        return -ENOMEM;
    puts(buffer_string(&out));
    return 0;
}

static int explain(const struct check *check)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    const struct rule *rule = rule_arguments_find("check", check->rules, check->explained);

    if (!rule)
        return EXIT_MISUSED;
    plan_put(&out, check->rules, rule);
    if (buffer_failed(&out)) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    fwrite(out.data, 1, out.len, stdout);
    return EXIT_FINE;
}

/* Loads the rules and, unless only a plan is wanted, tests and judges them. 0, also after mistakes,
 * or -ENOMEM. */
static int look(struct check *check, struct diag_list *diags)
{
    int r = ruleset_load_with(check->sources, check->source_count, &check->options, diags,
                              &check->rules);

    if (r == 0 && !check->explained)
        r = lint_run(check->rules, diags);
    if (r == 0 && !check->explained)
        r = selftest_run(check->rules, diags, &check->tests);
    for (size_t i = 0; i < check->allowed_count; i++)
        check->silenced += diag_allow(diags, check->allowed[i]);
    return r == -ENOMEM ? r : 0;
}

int verb_check(int argc, char **argv)
{
    CLEANUP(check_deinit) struct check check = {0};
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    int r = -ENOMEM;

    check.allowed = arena_array(&check.arena, (size_t)argc, sizeof *check.allowed);
    check.sources = arena_array(&check.arena, (size_t)argc, sizeof *check.sources);
    if (check.allowed && check.sources) {
        int status = read_arguments(&check, argc, argv);

        if (status)
            return status;
        r = look(&check, &diags);
    }
    if (r == 0 && check.explained && check.rules)
        return explain(&check);
    if (r == 0 && check.format == FORMAT_TEXT)
        print_text(&check, &diags);
    else if (r == 0)
        r = print_for_machines(&check, &diags);
    if (r < 0) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    return diags.errors || (check.strict && diags.warnings) ? EXIT_FAILED : EXIT_FINE;
}
