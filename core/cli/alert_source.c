#include "cli/alert_source.h"

#include <errno.h>

#include "base/log.h"
#include "cli/verb.h"
#include "engine/engine.h"

/* A failure that does not go by. */
#define FAILURES_SAID 10

void alert_source_deinit(struct alert_source *source)
{
    journal_reader_free(source->reader);
    config_deinit(&source->config);
}

/* A configuration that cannot be read, or has mistakes, is the engine's matter. */
static void read_config(struct alert_source *source)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};

    source->path = JOURNAL_PATH;
    if (config_read(&source->config, ENGINE_CONFIG_PATH, &diags) < 0)
        return;
    source->path = source->config.journal.path;
    source->off = !source->config.journal.wanted;
}

static int say_missing(const struct alert_source *source, bool named)
{
    if (named)
        log_error("alerts: there is no journal at %s", source->path);
    else if (source->off)
        log_error("alerts: there is no journal: %s says 'journal: false', so alerts are kept in "
                  "memory alone; --journal names one",
                  ENGINE_CONFIG_PATH);
    else
        log_error("alerts: there is no journal at %s; a picket that runs by hand, without a "
                  "configuration or with -o, keeps alerts in memory alone; --journal names one",
                  source->path);
    return EXIT_FAILED;
}

int alert_source_open(const char *path, struct alert_source *out)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    *out = (struct alert_source){.path = path};
    config_init(&out->config);
    if (!path)
        read_config(out);
    int r = journal_reader_open(out->path, &why, &out->reader);

    if (r == -ENOENT || r == -ENOTDIR)
        return say_missing(out, path != NULL);
    if (r < 0) {
        log_error("alerts: %s %s", out->path, buffer_string(&why));
        return EXIT_FAILED;
    }
    return 0;
}

int alert_source_fail(const struct alert_source *source, int r)
{
    log_error("alerts: %s %s", source->path,
              r == -ENOMEM ? "cannot be shown: out of memory" : journal_reader_why(source->reader));
    return EXIT_FAILED;
}

void alert_source_renew(struct alert_source *source, int r, int64_t *next)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct journal_reader *reader = NULL;

    if (r < 0)
        buffer_put_string(&why, journal_reader_why(source->reader));
    if (journal_reader_open(source->path, &why, &reader) == 0) {
        if (journal_reader_number(reader) != journal_reader_number(source->reader))
            *next = INT64_MIN;
        journal_reader_free(source->reader);
        source->reader = reader;
    }
    source->failures += r < 0 || !reader;
    if (source->failures == FAILURES_SAID)
        log_warning("alerts: %s %s; it is tried again", source->path, buffer_string(&why));
}
