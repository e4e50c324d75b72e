#include <errno.h>

#include "base/log.h"
#include "engine/engine_state.h"
#include "engine/rule_stats.h"
#include "engine/status.h"
#include "sensor/replay.h"

/* One line of the file. Unknown keys are said once in a run. */
static void report_line(const char *path, uint64_t line, const struct event_failure *failure)
{
    if (failure->column)
        log_error("%s:%llu:%u: %s", path, (unsigned long long)line, failure->column,
                  failure->reason);
    else
        log_error("%s:%llu: %s", path, (unsigned long long)line, failure->reason);
}

static int replay_lines(struct engine *engine, struct replay *replay, const char *path,
                        uint64_t *refused)
{
    bool told_unknown = false;
    struct event_failure failure;
    struct event event;

    for (;;) {
        switch (replay_next(replay, &event, &failure)) {
        case REPLAY_END:
            return 0;
        case REPLAY_BROKEN:
            log_error("%s: cannot be read on behind line %llu: %s", path,
                      (unsigned long long)replay_line(replay), failure.reason);
            return -EIO;
        case REPLAY_PASSED:
            break;
        case REPLAY_REFUSED:
            report_line(path, replay_line(replay), &failure);
            ++*refused;
            break;
        case REPLAY_EVENT:
            if (failure.unknown[0] && !told_unknown)
                log_warning("%s:%llu: '%s' is no field and is passed over, as others may be", path,
                            (unsigned long long)replay_line(replay), failure.unknown);
            told_unknown |= failure.unknown[0] != '\0';
            event.host = machine_or_here(event.host, &engine->machine);
            detector_on_event(engine->detector, &event);
            break;
        }
    }
}

int engine_replay(struct engine *engine, const char *path)
{
    CLEANUP(replay_freep) struct replay *replay = NULL;
    uint64_t refused = 0;
    int r = replay_open(path, &replay);

    if (r < 0) {
        log_error("%s: %s", path, strerror(-r));
        return r;
    }
    const struct rulebook *book = detector_rulebook(engine->detector);

    r = engine->stats ? matcher_measure(book->matcher) : 0;
    if (r == 0)
        r = engine_start_delivery(engine);
    if (r < 0)
        return r;
    r = replay_lines(engine, replay, path, &refused);
    engine_finish(engine);
    bool whole = status_print_replay(engine->detector, engine->delivery, refused);

    if (engine->stats)
        rule_stats_print(book->rules, book->matcher, engine->stats);
    if (r < 0)
        return r;
    return refused ? -EINVAL : whole ? 0 : -EIO;
}
