#include "output/output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/rights.h"
#include "host/host.h"
#include "output/output_batch.h"
#include "output/output_files.h"
#include "output/output_frames.h"
#include "output/output_phase.h"
#include "plugin/plugin_path.h"

#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MOST  (30 * NS_PER_S)

/* What a host gets to close its plugin. */
#define CLOSE_TIME (2 * NS_PER_S)

/* Lines that were not written, and how long there is rest after so many of them. */
#define UNHEARD_MAX 100
#define DEAF_TIME   (2 * NS_PER_MS)

/* Reads of 4 KiB that get what a socket or a pipe holds of one who has died. */
#define LAST_WORDS 128

static bool is_path(struct text plugin)
{
    return memchr(plugin.ptr, '/', plugin.len) != NULL;
}

static int find_plugin(struct output *output, const char *plugin_dir)
{
    const struct output_config *config = output->config;
    const char *nearest = NULL;
    int r = plugin_path_find(plugin_dir, config->plugin, &output->arena, &output->path, &nearest);

    if (r == -ENOMEM)
        return r;
    if (r == 0) {
        output->module = host_process_open_module(output->path);
        r = output->module < 0 ? output->module : 0;
    }
    if (r < 0)
        diag_error(output->group->diags, config->mark, "unknown-plugin",
                   "there is no plugin '%.*s': %s%s", TEXT_ARG(config->plugin), strerror(-r),
                   nearest || is_path(config->plugin)
                       ? diag_hint(output->group->diags, nearest)
                       : "; 'picket plugin list' shows those there are");
    return 0;
}

static void choose_user(struct output *output)
{
    const struct settings *settings = &output->settings;

    if (settings->user.uid == 0)
        return;
    output->user = (struct host_user){settings->user.uid, settings->user.gid};
    if (!rights_include_choice())
        diag_error(output->group->diags, settings->user_mark, "wrong-user",
                   "option 'run_as': only root can choose whom an output runs as, and picket was "
                   "not started by root");
}

int output_init(struct output *output, const char *plugin_dir)
{
    size_t errors = output->group->diags->errors;
    int r = settings_read(output->config, &output->arena, output->group->diags, &output->settings);

    if (r < 0)
        return r;
    choose_user(output);
    output->name = output->settings.name.ptr;
    output->voice.name = output->name;
    output->voice.mask = &output->mask;
    output->rested = true;
    output->counters =
        (struct delivery_counters){.output = output->name, .forwards = output->settings.forwards};
    r = find_plugin(output, plugin_dir);
    if (r < 0)
        return r;
    output->counters.plugin = output->path;
    if (output->group->diags->errors != errors) {
        output->phase = OUTPUT_ENDED;
        return 0;
    }
    return alert_queue_init(&output->queue, (size_t)output->settings.queue,
                            (size_t)output->settings.queue_size);
}

void output_deinit(struct output *output)
{
    host_process_deinit(&output->host);
    plugin_voice_deinit(&output->voice);
    output_files_close(output);
    response_deinit(&output->response);
    closep(&output->module);
    alert_queue_deinit(&output->queue);
    buffer_deinit(&output->hello);
    buffer_deinit(&output->loss_reason);
    buffer_deinit(&output->rejection);
    arena_deinit(&output->arena);
}

static int watch_host(struct output *output)
{
    const int fds[] = {[SOURCE_SOCKET] = output->host.socket,
                       [SOURCE_ERRORS] = output->host.errors,
                       [SOURCE_PIDFD] = output->host.pidfd};

    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        struct epoll_event event = {.events = EPOLLIN,
                                    .data.u64 = output->index * SOURCE_COUNT + i};

        if (epoll_ctl(output->group->epoll, EPOLL_CTL_ADD, fds[i], &event) < 0)
            return -errno;
    }
    return 0;
}

static int64_t backoff(const struct output *output)
{
    unsigned doublings = output->failures < 16 ? output->failures : 16;
    int64_t delay = BACKOFF_FIRST << (doublings ? doublings - 1 : 0);
    uint32_t dice = 0;

    /* Jitter, so that many outputs broken by one cause do not come back as one crowd. */
    if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) < 0)
        dice = 0;
    delay = delay < BACKOFF_MOST ? delay : BACKOFF_MOST;
    return delay * 3 / 4 + delay / 2 * (dice % 1024) / 1024;
}

static void start(struct output *output)
{
    output->deaf_until = 0;
    int r = host_process_start(
        &output->host, launcher_set_of(&output->group->launchers, output->index), output->index);

    if (r == 0) {
        r = watch_host(output);
        if (r < 0)
            host_process_deinit(&output->host);
    }
    if (r < 0 && !output->was_ready) {
        output_diagnose(output, "output-failed", "its host cannot be started: %s", strerror(-r));
        output_end(output);
        return;
    }
    if (r < 0) {
        output->failures++;
        output->due = clock_monotonic() + backoff(output);
        log_error("output %s: its host cannot be started: %s", output->name, strerror(-r));
        return;
    }
    output_expect(output, OUTPUT_LOADING, output->settings.deadline);
    output->cpu.share = output->settings.cpu;
    cpu_limit_watch(&output->cpu, output->host.pid, clock_monotonic());
    output->usage.memory_most = output->settings.memory;
    host_usage_watch(&output->usage, output->host.pid);
    output_lock(output);
    output->counters.restarts += output->was_ready;
    output_unlock(output);
    output_come_to(output, DELIVERY_STARTING);
}

void output_move(struct output *output)
{
    /* Its plugin has been loaded, and no more than that. */
    host_process_deinit(&output->host);
    start(output);
}

static bool send_batch(struct output *output)
{
    if (!output_batch_put(output, &output->host.sending))
        return false;
    output_expect(output, OUTPUT_DELIVERING, output->settings.deadline);
    output_transmit(output);
    return true;
}

static void count_loss(struct output *output)
{
    struct delivery_counters *counters = &output->counters;

    output_lock(output);
    counters->crashes += output->loss == LOSS_CRASH;
    counters->hangs += output->loss == LOSS_HANG;
    counters->garbage += output->loss == LOSS_GARBAGE;
    output_unlock(output);
}

static void bury(struct output *output, int status)
{
    CLEANUP(buffer_deinit) struct buffer how = {0};

    if (output->loss == LOSS_CRASH) {
        buffer_put_string(&how, ": ");
        host_process_put_end(&how, status);
    }
    host_process_deinit(&output->host);
    if (!output->was_ready) {
        output_diagnose(output, "output-failed", "%s%s", buffer_string(&output->loss_reason),
                        how.len ? buffer_string(&how) : "");
        output_end(output);
        return;
    }
    output_come_to(output,
                   DELIVERY_DOWN); /* before it is counted: who sees the count sees no pid */
    count_loss(output);
    output->failures++;
    int64_t pause = backoff(output);

    output_expect(output, OUTPUT_DOWN, pause);
    log_warning("output %s: %s%s; restart in %lld ms, %zu unsettled alerts come again",
                output->name, buffer_string(&output->loss_reason),
                how.len ? buffer_string(&how) : "", (long long)(pause / NS_PER_MS), output->sent);
    output_batch_fail(output);
}

static void tell_of_end(const struct output *output, int status)
{
    CLEANUP(buffer_deinit) struct buffer how = {0};

    host_process_put_end(&how, status);
    log_warning("output %s: " OUTPUT_BROKEN_CLOSE ": %s", output->name, buffer_string(&how));
}

/* What it said before it died counts: as much as a socket and a pipe hold. Programs it has started
 * may have both of them still, and go on for ever. */
static void hear_last_words(struct output *output)
{
    size_t reads = LAST_WORDS;

    while (reads-- && output_is_listened_to(output) && output_listen(output))
        continue;
    for (reads = LAST_WORDS; reads-- && output_hear(output);)
        continue;
    plugin_voice_end(&output->voice);
}

static void on_death(struct output *output)
{
    int status;

    hear_last_words(output);
    if (!host_process_reap(&output->host, &status))
        return;
    if (output->phase == OUTPUT_CLOSING && status != 0)
        tell_of_end(output, status);
    if (output->phase == OUTPUT_CLOSING || output->phase == OUTPUT_ENDED || output->group->ending) {
        host_process_deinit(&output->host);
        output_end(output);
        return;
    }
    output_lose(output, LOSS_CRASH, "its host ended");
    bury(output, status);
}

/* Whoever says more than is written is heard out slowly, or it would have all our time. */
static void bear_with(struct output *output)
{
    if (output->host.pid == 0 || output->voice.unheard <= UNHEARD_MAX || output->deaf_until)
        return;
    output->deaf_until = clock_monotonic() + DEAF_TIME;
    output_watch_all(output);
}

static void step_hearing(struct output *output, int64_t now)
{
    if (output->deaf_until == 0 || now < output->deaf_until)
        return;
    output->deaf_until = 0;
    output_watch_all(output);
}

void output_on_event(struct output *output, enum output_source source, uint32_t events)
{
    if (output->host.pid == 0)
        return; /* an event of a host that has been buried in this very round */
    switch (source) {
    case SOURCE_SOCKET:
        if (events & EPOLLOUT)
            output_transmit(output);
        if (events & ~(uint32_t)EPOLLOUT)
            output_listen(output);
        break;
    case SOURCE_ERRORS:
        output_hear(output);
        break;
    case SOURCE_PIDFD:
        on_death(output);
        break;
    case SOURCE_COUNT:
        break;
    }
    bear_with(output);
}

static void send_word(struct output *output, enum frame_type type, enum output_phase phase,
                      int64_t within)
{
    frame_end(&output->host.sending, frame_begin(&output->host.sending, type));
    output_expect(output, phase, within);
    output_transmit(output);
}

static void step_ready(struct output *output)
{
    if (output->group->ending) {
        send_word(output, FRAME_CLOSE, OUTPUT_CLOSING, CLOSE_TIME);
        return;
    }
    if (send_batch(output) || !output->group->draining)
        return;
    output_lock(output);
    bool restless = !output->rested && output->waiting == 0;

    output_unlock(output);
    if (restless)
        send_word(output, FRAME_FLUSH, OUTPUT_FLUSHING, output->settings.deadline);
}

/* What the phases that wait for nobody's answer do when ending. */
static void step_ending(struct output *output)
{
    if (output->phase == OUTPUT_DOWN)
        output_end(output);
    else if (output->phase == OUTPUT_RETRYING)
        output->phase = OUTPUT_READY;
    else if (output->phase != OUTPUT_READY && output->phase != OUTPUT_CLOSING)
        output_lose(output, LOSS_CRASH, "picket ends");
}

static void step_overdue(struct output *output)
{
    if (output->phase == OUTPUT_DOWN) {
        start(output);
    } else if (output->phase == OUTPUT_RETRYING) {
        output->phase = OUTPUT_READY;
        output_come_to(output, DELIVERY_READY);
    } else if (output->phase == OUTPUT_DYING) {
        log_warning("output %s: its host, process %d, was killed and does not die", output->name,
                    output->host.pid);
        output->due = INT64_MAX;
    } else {
        output_lose(output, LOSS_HANG, "it did not answer within %lld ms",
                    (long long)(output->settings.deadline / NS_PER_MS));
    }
}

void output_reopen(struct output *output)
{
    output->reopen = true;
}

/* A host that is being started has been told of the old ones, or is about to be. */
static void step_reopen(struct output *output)
{
    enum output_phase phase = output->phase;
    bool down = phase == OUTPUT_DOWN || phase == OUTPUT_DYING;
    bool up = phase == OUTPUT_READY || phase == OUTPUT_DELIVERING || phase == OUTPUT_RETRYING ||
              phase == OUTPUT_FLUSHING;

    if (!down && (!up || host_process_has_to_send(&output->host)))
        return;
    output->reopen = false;
    output_files_reopen(output, up);
    if (up)
        output_transmit(output);
}

void output_excuse(struct output *output, int64_t lost)
{
    if (output->phase != OUTPUT_RETRYING && output->phase != OUTPUT_DOWN &&
        output->due < INT64_MAX - lost)
        output->due += lost;
}

/* Time that it was held is not its own. */
static void step_limits(struct output *output, int64_t now)
{
    bool held = output->cpu.held, looks = now >= output->cpu.due;
    int64_t lost = cpu_limit_step(&output->cpu, now);

    const char *excess = looks && !output->group->unconfined
                             ? host_usage_excess(&output->usage, output->host.pid)
                             : NULL;

    if (excess) {
        output_lose(output, LOSS_GARBAGE, "it has taken %s", excess);
        return;
    }
    if (output->cpu.held != held)
        launcher_hold_host(output->host.launcher, output->host.index, output->cpu.held);
    output_excuse(output, lost);
}

static bool is_held(const struct output *output)
{
    return output->cpu.held && output->phase != OUTPUT_DYING;
}

static void count_suppressed(struct output *output)
{
    output_lock(output);
    output->counters.suppressed = output->voice.suppressed;
    output_unlock(output);
}

static int64_t phase_due(const struct output *output)
{
    switch (output->phase) {
    case OUTPUT_CHECKED:
    case OUTPUT_READY:
    case OUTPUT_ENDED:
        return INT64_MAX;
    default:
        return output->due;
    }
}

void output_step(struct output *output, int64_t now)
{
    if (output->group->ending)
        step_ending(output);
    if (output->phase == OUTPUT_CHECKED && !output->group->hold)
        output_open_plugin(output);
    if (output->host.pid && output->phase != OUTPUT_DYING)
        step_limits(output, now);
    step_hearing(output, now);
    if (output->reopen)
        step_reopen(output);
    if (!is_held(output) && now >= phase_due(output))
        step_overdue(output);
    if (output->phase == OUTPUT_READY)
        step_ready(output);
    if (output->counters.suppressed != output->voice.suppressed)
        count_suppressed(output);
}

int64_t output_due(const struct output *output)
{
    int64_t cpu = output->host.pid && output->phase != OUTPUT_DYING ? output->cpu.due : INT64_MAX;
    int64_t phase = is_held(output) ? INT64_MAX : phase_due(output);
    int64_t hearing = output->deaf_until ? output->deaf_until : INT64_MAX;
    int64_t first = cpu < phase ? cpu : phase;

    return first < hearing ? first : hearing;
}
