#include "cli/alert_show.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "alert/alert_id.h"
#include "base/log.h"
#include "cli/alert_drawing.h"
#include "cli/alert_source.h"
#include "cli/arguments.h"
#include "cli/json_layout.h"
#include "cli/moment.h"
#include "cli/verb.h"

/* How many are named when an id may be that of several. */
#define CANDIDATES_MAX 8

struct wanted {
    const char *journal;
    char prefix[ALERT_ID_LEN + 1];
    size_t len;
    bool json;
};

/* The alert that was found, and others that it might be. */
struct found {
    size_t count; /* of ids */
    int64_t seq;
    struct buffer id, json, candidates;
};

static void found_deinit(struct found *found)
{
    buffer_deinit(&found->id);
    buffer_deinit(&found->json);
    buffer_deinit(&found->candidates);
}

/* Ids are in capitals; who types one need not be. */
static int set_prefix(struct wanted *wanted, const char *text)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    for (; *text && wanted->len < ALERT_ID_LEN; text++) {
        int c = toupper((unsigned char)*text);
        const char *digit = strchr(digits, c);

        if (!digit)
            break;
        wanted->prefix[wanted->len++] = *digit;
    }
    return *text || wanted->len == 0 ? -EINVAL : 0;
}

static bool take(void *context, const struct journal_alert *alert)
{
    struct found *found = context;

    if (found->count && text_equal(buffer_text(&found->id), alert->id))
        return true; /* the same, journalled before */
    if (++found->count == 1) {
        found->seq = alert->seq;
        buffer_put_text(&found->json, alert->json);
    }
    buffer_clear(&found->id);
    buffer_put_text(&found->id, alert->id);
    if (found->count > CANDIDATES_MAX)
        return false;
    buffer_put_string(&found->candidates, "  ");
    buffer_put_printable(&found->candidates, alert->id);
    buffer_put_string(&found->candidates, "  ");
    moment_put(&found->candidates, alert->time);
    buffer_put_string(&found->candidates, "  ");
    buffer_put_printable(&found->candidates, alert->rule);
    buffer_put_char(&found->candidates, '\n');
    return true;
}

static int say_not_found(const struct wanted *wanted, const struct alert_source *source,
                         struct found *found)
{
    if (found->count == 0) {
        log_error("alerts show: %s has no alert whose id begins with %s: it may be too old to be "
                  "kept",
                  source->path, wanted->prefix);
        return EXIT_FAILED;
    }
    log_error("alerts show: %s begins the ids of %s alerts:", wanted->prefix,
              found->count > CANDIDATES_MAX ? "many" : "several");
    log_lines(buffer_text(&found->candidates));
    return EXIT_FAILED;
}

struct receipts {
    struct drawing drawing;
    size_t count;
};

static void put_receipt(void *context, const struct journal_receipt *receipt)
{
    struct receipts *receipts = context;
    CLEANUP(buffer_deinit) struct buffer value = {0};

    if (receipts->count++ == 0)
        drawing_heading(&receipts->drawing, "Outputs");
    if (receipt->rejected.ptr) {
        buffer_put_string(&value, "rejected: ");
        buffer_put_text(&value, receipt->rejected);
    } else {
        buffer_put_string(&value, receipt->settled ? "delivered" : "not settled yet");
    }
    drawing_row(&receipts->drawing, receipt->output, buffer_text(&value));
}

static int draw(struct alert_source *source, const struct found *found, const json_t *alert,
                struct buffer *out)
{
    struct receipts receipts = {.drawing = {.out = out, .colour = wants_colour(stdout)}};

    alert_drawing_put(&receipts.drawing, alert);
    return journal_reader_receipts(source->reader, found->seq, put_receipt, &receipts);
}

/* A terminal gets what could move its cursor escaped. */
static void lay_out(struct text json, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct text rest;

    json_layout_put(&lines, json);
    rest = buffer_text(&lines);
    while (rest.ptr) {
        struct text line = text_split(&rest, '\n');

        if (isatty(STDOUT_FILENO))
            buffer_put_printable(out, line);
        else
            buffer_put_text(out, line);
        buffer_put_char(out, '\n');
    }
    out->failed |= buffer_failed(&lines);
}

static int show_found(const struct wanted *wanted, struct alert_source *source,
                      const struct found *found)
{
    CLEANUP(json_freep) json_t *alert = NULL;
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_failure failure;
    int r = json_parse(buffer_text(&found->json), &alert, &failure);

    if (r == -EINVAL) {
        log_error("alerts show: %s: the alert is no JSON: %s", source->path, failure.reason);
        return EXIT_FAILED;
    }
    if (r == 0 && wanted->json)
        lay_out(buffer_text(&found->json), &out);
    else if (r == 0)
        r = draw(source, found, alert, &out);
    if (r == 0 && (buffer_failed(&out) || buffer_failed(&found->json)))
        r = -ENOMEM;
    if (r < 0)
        return alert_source_fail(source, r);
    fwrite(out.data, 1, out.len, stdout);
    return EXIT_FINE;
}

static int show(const struct wanted *wanted)
{
    CLEANUP(alert_source_deinit) struct alert_source source;
    CLEANUP(found_deinit) struct found found = {0};
    int status = alert_source_open(wanted->journal, &source);

    if (status)
        return status;
    int r = journal_reader_find(source.reader, (struct text){wanted->prefix, wanted->len}, take,
                                &found);

    if (r < 0)
        return alert_source_fail(&source, r);
    return found.count == 1 ? show_found(wanted, &source, &found)
                            : say_not_found(wanted, &source, &found);
}

static int set_format(struct wanted *wanted, const char *name)
{
    wanted->json = strcmp(name, "json") == 0;
    if (wanted->json || strcmp(name, "text") == 0)
        return 0;
    return misused("alerts show: there is no format '%s'; there are text and json", name);
}

int alert_show(int argc, char **argv)
{
    static const struct option options[] = {
        {"journal", required_argument, NULL, 'j'}, {"format", required_argument, NULL, 'f'}, {0}};
    struct wanted wanted = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        if (option == 'j')
            wanted.journal = optarg;
        else if (set_format(&wanted, optarg))
            return EXIT_MISUSED;
    }
    if (argc - optind != 1)
        return misused("alerts show: wants the id of an alert, or how it begins");
    if (set_prefix(&wanted, argv[optind]) < 0)
        return misused("alerts show: '%s' is no id of an alert, nor the beginning of one",
                       argv[optind]);
    return show(&wanted);
}
