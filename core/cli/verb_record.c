#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/verb.h"
#include "engine/signals.h"
#include "engine/status.h"
#include "event/event_json.h"

struct recorder {
    FILE *file;
    struct buffer line;
    uint64_t written, unwritten;
    int error; /* of the first line that could not be written */
};

static void on_event(void *context, const struct event *event)
{
    struct recorder *recorder = context;
    struct json_writer json = {.buffer = &recorder->line};

    buffer_clear(&recorder->line);
    event_put_json(&json, event);
    buffer_put_char(&recorder->line, '\n');
    size_t len = buffer_failed(&recorder->line) ? 0 : recorder->line.len;

    if (len && fwrite(recorder->line.data, 1, len, recorder->file) == len) {
        recorder->written++;
        return;
    }
    recorder->error = recorder->error ? recorder->error : len ? errno : ENOMEM;
    recorder->unwritten++;
}

static void on_batch(void *context)
{
    struct recorder *recorder = context;

    if (fflush(recorder->file) != 0 && !recorder->error)
        recorder->error = errno;
}

static void on_status(void *context, const struct live_counters *counters)
{
    const struct recorder *recorder = context;

    status_print(&(struct status){.live = counters});
    log_info("record: %llu events written, %llu not", (unsigned long long)recorder->written,
             (unsigned long long)recorder->unwritten);
}

static int record(struct recorder *recorder, int signals)
{
    CLEANUP(live_freep) struct live *live = NULL;
    struct live_options options = {
        .failures = true,
        .signals = signals,
        .on_event = on_event,
        .on_batch = on_batch,
        .on_status = on_status,
        .context = recorder,
    };
    struct live_counters counters;
    int r = live_new(&options, &live);

    if (r < 0)
        return r;
    log_info("recording; Ctrl-C ends it");
    r = live_run(live);
    on_batch(recorder);
    live_count(live, &counters);
    on_status(recorder, &counters);
    if (recorder->error)
        log_error("record: %s: the file is not whole", strerror(recorder->error));
    return r < 0 ? r : -recorder->error;
}

/* A recording holds command lines, and with them secrets: it is its owner's alone. */
static FILE *open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (fd >= 0 && !file)
        close(fd);
    return file;
}

int verb_record(int argc, char **argv)
{
    struct recorder recorder = {0};

    if (argc != 2) {
        fprintf(stderr, "picket record: wants one file to write to, or - for standard output\n");
        return EXIT_MISUSED;
    }
    CLEANUP(closep) int signals = signals_open();

    if (signals < 0) {
        log_error("signals: %s", strerror(-signals));
        return EXIT_FAILED;
    }
    recorder.file = open_file(argv[1]);
    if (!recorder.file) {
        log_error("%s: %s", argv[1], strerror(errno));
        return EXIT_FAILED;
    }
    int r = record(&recorder, signals);

    if (recorder.file != stdout && fclose(recorder.file) != 0 && r == 0) {
        log_error("%s: %s", argv[1], strerror(errno));
        r = -errno;
    }
    buffer_deinit(&recorder.line);
    return r < 0 ? EXIT_FAILED : EXIT_FINE;
}
