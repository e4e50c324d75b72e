#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "engine/config.h"
#include "engine/privileges.h"
#include "engine/signals.h"
#include "engine/status.h"
#include "event/event_json.h"

struct recorder {
    FILE *file;
    struct buffer line;
    uint64_t lines, unwritten; /* the latter for lack of memory */
};

static void on_event(void *context, const struct event *event)
{
    struct recorder *recorder = context;
    struct json_writer json = {.buffer = &recorder->line};

    buffer_clear(&recorder->line);
    event_put_line(&json, event);
    buffer_put_char(&recorder->line, '\n');
    fputs(buffer_string(&recorder->line), recorder->file); /* errors stick: on_batch() looks */
    *(buffer_failed(&recorder->line) ? &recorder->unwritten : &recorder->lines) += 1;
}

static int on_batch(void *context)
{
    struct recorder *recorder = context;

    if (fflush(recorder->file) == 0 && !ferror(recorder->file))
        return 0;
    int r = errno ? -errno : -EIO;

    log_error("record: %s: ended, the last events are not in the file", strerror(-r));
    return r;
}

static void on_status(void *context, const struct live_counters *counters)
{
    const struct recorder *recorder = context;

    status_print(&(struct status){.live = counters});
    log_info("record: %llu events written, %llu not", (unsigned long long)recorder->lines,
             (unsigned long long)recorder->unwritten);
}

/* A recording holds command lines, and with them secrets: it is its owner's alone, and no file of
 * that name is touched before it is known that there will be a recording. */
static FILE *open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return NULL;
    struct stat status;
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);

    if (regular && (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)) {
        close(fd);
        return NULL;
    }
    FILE *file = fdopen(fd, "w");

    if (!file)
        close(fd);
    return file;
}

static int record(struct recorder *recorder, const char *path, int signals)
{
    CLEANUP(live_freep) struct live *live = NULL;
    CLEANUP(config_deinit) struct config usual;
    struct machine machine;

    config_init(&usual);
    int r = machine_read(&usual.arena, &machine);

    if (r < 0)
        return r;
    struct live_options options = {
        .failures = usual.failures,
        .environment = usual.environment,
        .environment_count = usual.environment_count,
        .machine = &machine,
        .signals = signals,
        .bell = -1,
        .on_event = on_event,
        .on_batch = on_batch,
        .on_status = on_status,
        .context = recorder,
    };
    struct live_counters counters;
    struct privileges privileges = privileges_default();

    r = live_new(&options, &live);
    if (r < 0)
        return r;
    recorder->file = open_file(path);
    if (!recorder->file) {
        r = -errno;
        log_error("%s: %s", path, strerror(-r));
        return r;
    }
    r = privileges_drop(&privileges);
    if (r < 0)
        return r;
    log_info("recording; Ctrl-C ends it");
    r = live_run(live);
    live_count(live, &counters);
    on_status(recorder, &counters);
    return r;
}

int verb_record(int argc, char **argv)
{
    struct recorder recorder = {0};

    if (argc != 2 || (argv[1][0] == '-' && argv[1][1]))
        return misused("record: wants one file to write to, or - for standard output");
    CLEANUP(closep) int signals = signals_open(false);

    if (signals < 0) {
        log_error("signals: %s", strerror(-signals));
        return EXIT_FAILED;
    }
    int r = record(&recorder, argv[1], signals);

    if (recorder.file && recorder.file != stdout && fclose(recorder.file) != 0 && r == 0) {
        r = -errno;
        log_error("%s: %s", argv[1], strerror(-r));
    }
    buffer_deinit(&recorder.line);
    return r < 0 ? EXIT_FAILED : EXIT_FINE;
}
