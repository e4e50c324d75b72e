#include "cli/alert_search.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/alert_source.h"
#include "cli/arguments.h"
#include "cli/verb.h"

#define FOLLOW_PAUSE 200 /* ms between looks */

/* What is written at once: nothing is read meanwhile. */
#define OUTPUT_MAX (1 << 20)

#define WIDTH_DEFAULT 80

/* A listing on its way. */
struct search {
    const struct alert_wishes *wishes;
    struct alert_source source;
    struct alert_listing listing;
    struct buffer out;
    int64_t shown; /* in all */
    int64_t found; /* in a span; most: where that ends */
    int64_t most;
    int64_t last; /* seq of the one that was found last */
    bool output_failed;
};

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
    const struct alert_wishes *wishes = search->wishes;
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

int alert_search_run(const struct alert_wishes *wishes)
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
