#include "cli/event_argument.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "sensor/replay.h"

void event_argument_deinit(struct event_argument *argument)
{
    json_decref(argument->root);
    arena_deinit(&argument->arena);
}

static int read_json(const char *place, struct text json, struct event_argument *out)
{
    struct event_failure failure;
    int r = event_read_json(json, &out->arena, &out->event, &out->root, &failure);

    if (r == -EINVAL)
        log_error("%s: no event: %s", place, failure.reason);
    else if (r == -ENODATA)
        log_error("%s: no event: an alert about none", place);
    else if (r < 0)
        log_error("%s: %s", place, strerror(-r));
    return r < 0 ? EXIT_FAILED : 0;
}

/* Line NUMBER of the file at PATH; 0: the first that is not empty. */
static int read_line(const char *place, const char *path, uint64_t number,
                     struct event_argument *out)
{
    CLEANUP(replay_freep) struct replay *replay = NULL;
    struct event_failure failure;
    struct event event;
    int r = replay_open(path, &replay);

    if (r < 0) {
        log_error("%s: %s", path, strerror(-r));
        return EXIT_FAILED;
    }
    for (;;) {
        enum replay_result result = replay_next(replay, &event, &failure);

        if (result == REPLAY_END || result == REPLAY_BROKEN) {
            log_error("%s: there is no such line: %s", place,
                      result == REPLAY_END ? "the file ends before it" : failure.reason);
            return EXIT_FAILED;
        }
        if (number == 0 || replay_line(replay) == number)
            return read_json(place, replay_text(replay), out);
        if (replay_line(replay) > number) {
            log_error("%s: the line is empty", place);
            return EXIT_FAILED;
        }
    }
}

int event_argument_read(const char *verb, const char *text, struct event_argument *out)
{
    const char *colon = strrchr(text, ':');
    struct text digits = colon ? text_from(colon + 1) : TEXT("");
    CLEANUP(buffer_deinit) struct buffer path = {0};
    int64_t number;

    *out = (struct event_argument){0};
    if (strcmp(text, "-") == 0)
        return read_line("standard input", "-", 0, out);
    if (*text == '{')
        return read_json("the event", text_from(text), out);
    if (!colon || text_to_int(digits, &number) < 0 || number < 1)
        return misused("%s: '%s' names no event: FILE:LINE, or - for standard input, or the JSON "
                       "of one",
                       verb, text);
    buffer_put(&path, text, (size_t)(colon - text));
    return read_line(text, buffer_string(&path), (uint64_t)number, out);
}
