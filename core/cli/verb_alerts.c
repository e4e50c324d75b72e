#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/alert_filter.h"
#include "cli/alert_listing.h"
#include "cli/alert_show.h"
#include "cli/alert_source.h"
#include "cli/arguments.h"
#include "cli/moment.h"
#include "cli/verb.h"

/* How many alerts --follow begins with when nobody says. */
#define FOLLOW_USUAL 10

#define FOLLOW_PAUSE 200 /* ms between looks */

/* What is written at once: nothing is read meanwhile. */
#define OUTPUT_MAX (1 << 20)

#define WIDTH_DEFAULT 80

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

struct wishes {
    const char *journal;
    struct alert_filter filter;
    enum alert_format format;
    int64_t limit; /* negative: none */
    bool reverse, follow;
    int64_t now;
};

/* A listing on its way. */
struct search {
    const struct wishes *wishes;
    struct alert_source source;
    struct alert_listing listing;
    struct buffer out;
    int64_t shown; /* in all */
    int64_t found; /* in a span; most: where that ends */
    int64_t most;
    int64_t last; /* seq of the one that was found last */
    bool output_failed;
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

static int set_severity(struct wishes *wishes, const char *value)
{
    if (severity_parse(text_from(value), &wishes->filter.severity) == 0)
        return 0;
    return misused("alerts: --severity wants informational, low, medium, high or critical, not "
                   "'%s'",
                   value);
}

static int set_format(struct wishes *wishes, const char *value)
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

static int set_limit(struct wishes *wishes, const char *value)
{
    if (text_to_int(text_from(value), &wishes->limit) == 0 && wishes->limit >= 0)
        return 0;
    return misused("alerts: --limit wants a number of alerts, not '%s'", value);
}

static int set_option(struct wishes *wishes, int option, const char *value)
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

static int check_wishes(const struct wishes *wishes)
{
    if (wishes->filter.since > wishes->filter.until)
        return misused("alerts: --since is later than --until");
    if (wishes->follow && wishes->filter.until != INT64_MAX)
        return misused("alerts: --follow does not go with --until");
    if (wishes->follow && wishes->reverse)
        return misused("alerts: --follow does not go with --reverse");
    return 0;
}

static int read_wishes(struct wishes *wishes, int argc, char **argv)
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

static size_t terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : WIDTH_DEFAULT;
}

/* 0, or -errno, which is said unless nobody reads any more. */
static int flush(struct search *search)
{
    int r = buffer_failed(&search->out) ? -ENOMEM : 0;

    fwrite(search->out.data ? search->out.data : "", 1, search->out.len, stdout);
    if (fflush(stdout) != 0)
        r = -errno;
    buffer_clear(&search->out);
    search->output_failed = r < 0;
    if (r < 0 && r != -EPIPE)
        log_error("alerts: standard output: %s", strerror(-r));
    search->listing.width = terminal_width();
    return r;
}

static bool count_alert(void *context, const struct journal_alert *alert)
{
    struct search *search = context;

    if (alert_filter_passes(&search->wishes->filter, alert)) {
        search->found++;
        search->last = alert->seq;
    }
    return search->found < search->most;
}

static bool show_alert(void *context, const struct journal_alert *alert)
{
    struct search *search = context;

    if (alert_filter_passes(&search->wishes->filter, alert)) {
        if (search->shown++ == 0)
            alert_listing_put_header(&search->listing, &search->out);
        alert_listing_put(&search->listing, alert, &search->out);
        search->found++;
    }
    return search->found < search->most && search->out.len < OUTPUT_MAX;
}

/* All of SPAN, at most so many; what is left of it is in SPAN. */
static int show_span(struct search *search, struct journal_span *span, bool down)
{
    int r = 1;

    search->found = 0;
    while (r > 0 && search->found < search->most) {
        r = journal_reader_step(search->source.reader, span, down, show_alert, search);
        int written = flush(search);

        if (written < 0)
            return written;
    }
    return r < 0 ? r : 0;
}

/* Leaves the last so many that are wanted in SPAN. */
static int keep_latest(struct search *search, struct journal_span *span)
{
    struct journal_span rest = *span;
    int r = 1;

    search->found = 0;
    while (r > 0 && search->found < search->most)
        r = journal_reader_step(search->source.reader, &rest, true, count_alert, search);
    if (search->found == search->most)
        span->first = search->last;
    return r < 0 ? r : 0;
}

/* What is there by now, up to the seq LAST. */
static int show_found(struct search *search, int64_t last)
{
    const struct wishes *wishes = search->wishes;
    struct journal_span span;
    int r = journal_reader_span(search->source.reader, wishes->filter.since, wishes->filter.until,
                                &span);

    if (r < 0 || wishes->limit == 0)
        return r;
    span.last = span.last < last ? span.last : last;
    search->most = wishes->limit > 0 ? wishes->limit : INT64_MAX;
    if (wishes->limit > 0 && !wishes->reverse)
        r = keep_latest(search, &span);
    return r < 0 ? r : show_span(search, &span, wishes->reverse);
}

/* False: nobody reads any more. */
static bool await_next_look(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, FOLLOW_PAUSE) <= 0;
}

/* The file may be another one by now, or damaged until the engine has set it aside. What was still
 * written to the one before is shown first. */
static int look(struct search *search, int64_t *next)
{
    struct alert_source *source = &search->source;
    struct journal_span span = {*next, INT64_MAX};
    bool current = journal_reader_is_current(source->reader);
    int r = show_span(search, &span, false);

    if (search->output_failed)
        return r;
    *next = span.first;
    if (r < 0 || !current)
        alert_source_renew(source, r, next);
    else
        source->failures = 0;
    return 0;
}

static int follow(struct search *search, int64_t next)
{
    int r = 0;

    search->most = INT64_MAX;
    while (r == 0 && await_next_look())
        r = look(search, &next);
    return r;
}

/* CSV without an alert is its header; people are told. */
static int show_none(struct search *search, bool empty)
{
    if (search->wishes->format == ALERT_TABLE)
        log_info("alerts: %s has none%s", search->source.path, empty ? "" : " like that");
    else
        alert_listing_put_header(&search->listing, &search->out);
    return flush(search);
}

static int run(struct search *search)
{
    struct journal_span whole;
    int r = journal_reader_span(search->source.reader, 0, INT64_MAX, &whole);

    if (r == 0)
        r = show_found(search, whole.last);
    if (r == 0 && search->wishes->follow)
        return follow(search, whole.last < INT64_MAX ? whole.last + 1 : INT64_MAX);
    return r == 0 && search->shown == 0 ? show_none(search, whole.first > whole.last) : r;
}

static int list(const struct wishes *wishes)
{
    struct search search = {.wishes = wishes,
                            .listing = {.format = wishes->format,
                                        .colour = wants_colour(stdout),
                                        .width = terminal_width()}};
    int status = alert_source_open(wishes->journal, &search.source);
    int r = status ? 0 : run(&search);

    if (r < 0 && !search.output_failed)
        status = alert_source_fail(&search.source, r);
    else if (r < 0 && r != -EPIPE) /* who stops reading has seen enough */
        status = EXIT_FAILED;
    buffer_deinit(&search.out);
    buffer_deinit(&search.listing.scratch);
    alert_source_deinit(&search.source);
    return status;
}

static int prepare(struct wishes *wishes, int argc, char **argv)
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
    struct wishes wishes = {
        .filter = {.until = INT64_MAX, .rules = arena_array(&arena, (size_t)argc, sizeof(char *))},
        .limit = -1,
        .now = clock_realtime()};

    setlocale(LC_CTYPE, "C.UTF-8"); /* how wide characters are */
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return alert_show(argc - 1, argv + 1);
    int status = prepare(&wishes, argc, argv);

    if (status == 0)
        status = list(&wishes);
    alert_filter_deinit(&wishes.filter);
    return status;
}
