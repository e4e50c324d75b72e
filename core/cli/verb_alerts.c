#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/alert_search.h"
#include "cli/alert_show.h"
#include "cli/arguments.h"
#include "cli/moment.h"
#include "cli/verb.h"

/* How many alerts --follow begins with when nobody says. */
#define FOLLOW_USUAL 10

enum {
    OPTION_JOURNAL = 256,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_RULE,
    OPTION_SEVERITY,
    OPTION_SEARCH,
    OPTION_FORMAT,
    OPTION_REVERSE,
};

static const struct option long_options[] = {
    {"journal", required_argument, NULL, OPTION_JOURNAL},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"rule", required_argument, NULL, OPTION_RULE},
    {"severity", required_argument, NULL, OPTION_SEVERITY},
    {"search", required_argument, NULL, OPTION_SEARCH},
    {"limit", required_argument, NULL, 'n'},
    {"reverse", no_argument, NULL, OPTION_REVERSE},
    {"follow", no_argument, NULL, 'f'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {0},
};

static int set_moment(const char *option, const char *value, int64_t now, int64_t *out)
{
    int r = moment_parse(text_from(value), now, out);

    if (r == 0)
        return 0;
    if (r == -ERANGE)
        return misused("alerts: --%s: '%s' is not between 1970 and 2261", option, value);
    return misused("alerts: --%s wants " MOMENT_FORMS ", not '%s'", option, value);
}

static int set_severity(struct alert_wishes *wishes, const char *value)
{
    if (severity_parse(text_from(value), &wishes->filter.severity) == 0)
        return 0;
    return misused("alerts: --severity wants informational, low, medium, high or critical, not "
                   "'%s'",
                   value);
}

static int set_format(struct alert_wishes *wishes, const char *value)
{
    static const char *const names[] = {"table", "json", "csv"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            wishes->format = (enum alert_format)i;
            return 0;
        }
    }
    return misused("alerts: there is no format '%s'; there are table, json and csv", value);
}

static int set_limit(struct alert_wishes *wishes, const char *value)
{
    if (text_to_int(text_from(value), &wishes->limit) == 0 && wishes->limit >= 0)
        return 0;
    return misused("alerts: --limit wants a number of alerts, not '%s'", value);
}

static int set_option(struct alert_wishes *wishes, int option, const char *value)
{
    struct alert_filter *filter = &wishes->filter;

    switch (option) {
    case OPTION_JOURNAL:
        wishes->journal = value;
        return 0;
    case OPTION_SINCE:
        return set_moment("since", value, wishes->now, &filter->since);
    case OPTION_UNTIL:
        return set_moment("until", value, wishes->now, &filter->until);
    case OPTION_RULE:
        filter->rules[filter->rule_count++] = value;
        return 0;
    case OPTION_SEVERITY:
        return set_severity(wishes, value);
    case OPTION_SEARCH:
        filter->search = text_from(value);
        return 0;
    case OPTION_FORMAT:
        return set_format(wishes, value);
    case OPTION_REVERSE:
        wishes->reverse = true;
        return 0;
    case 'n':
        return set_limit(wishes, value);
    case 'f':
        wishes->follow = true;
        return 0;
    default:
        return EXIT_MISUSED;
    }
}

static int check_wishes(const struct alert_wishes *wishes)
{
    if (wishes->filter.since > wishes->filter.until)
        return misused("alerts: --since is later than --until");
    if (wishes->follow && wishes->filter.until != INT64_MAX)
        return misused("alerts: --follow does not go with --until");
    if (wishes->follow && wishes->reverse)
        return misused("alerts: --follow does not go with --reverse");
    return 0;
}

static int read_wishes(struct alert_wishes *wishes, int argc, char **argv)
{
    int option, status;

    while ((option = getopt_long(argc, argv, "n:f", long_options, NULL)) != -1) {
        status = set_option(wishes, option, optarg);
        if (status)
            return status;
    }
    if (optind < argc)
        return misused("alerts: '%s' is one too many; there is 'alerts show ID'", argv[optind]);
    if (wishes->follow && wishes->limit < 0 && wishes->filter.since == 0)
        wishes->limit = FOLLOW_USUAL;
    return check_wishes(wishes);
}

static int prepare(struct alert_wishes *wishes, int argc, char **argv)
{
    int status = wishes->filter.rules ? read_wishes(wishes, argc, argv) : 0;

    if (status == 0 && (!wishes->filter.rules || alert_filter_prepare(&wishes->filter) < 0)) {
        log_error("out of memory");
        status = EXIT_FAILED;
    }
    return status;
}

int verb_alerts(int argc, char **argv)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct alert_wishes wishes = {
        .filter = {.until = INT64_MAX, .rules = arena_array(&arena, (size_t)argc, sizeof(char *))},
        .limit = -1,
        .now = clock_realtime()};

    setlocale(LC_CTYPE, "C.UTF-8"); /* how wide characters are */
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return alert_show(argc - 1, argv + 1);
    int status = prepare(&wishes, argc, argv);

    if (status == 0)
        status = alert_search_run(&wishes);
    alert_filter_deinit(&wishes.filter);
    return status;
}
