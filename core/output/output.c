#include "output/output.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/host.h"
#include "output/output_batch.h"
#include "output/output_files.h"
#include "output/plugin_config.h"
#include "output/plugin_path.h"

#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MOST  (30 * NS_PER_S)

#define RETRY_LEAST_MS 10U
#define RETRY_MOST_MS  3600000U

#define NONSENSE "it does not speak the protocol"

/* What a host gets to close its plugin. */
#define CLOSE_TIME (2 * NS_PER_S)

/* How long the kernel may take to end a killed host before somebody is told. */
#define DEATH_TIME (2 * NS_PER_S)

static void diagnose(struct output *output, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void diagnose(struct output *output, const char *code, const char *format, ...)
{
    CLEANUP(buffer_deinit) struct buffer said = {0};
    va_list args;

    va_start(args, format);
    buffer_vprintf(&said, format, args);
    va_end(args);
    diag_error(output->group->diags, output->config->mark, code, "output '%s': %s", output->name,
               buffer_string(&said));
}

static void end(struct output *output)
{
    output->phase = OUTPUT_ENDED;
    output_lock(output);
    output->counters.pid = 0;
    output->counters.state = DELIVERY_DOWN;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
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
                   diag_hint(output->group->diags, nearest));
    return 0;
}

int output_init(struct output *output, const char *plugin_dir)
{
    size_t errors = output->group->diags->errors;
    int r = settings_read(output->config, &output->arena, output->group->diags, &output->settings);

    if (r < 0)
        return r;
    output->name = output->settings.name.ptr;
    output->voice.name = output->name;
    output->rested = true;
    output->counters = (struct delivery_counters){.output = output->name};
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
    closep(&output->module);
    alert_queue_deinit(&output->queue);
    buffer_deinit(&output->hello);
    buffer_deinit(&output->loss_reason);
    buffer_deinit(&output->rejection);
    arena_deinit(&output->arena);
}

static void expect(struct output *output, enum output_phase phase, int64_t within)
{
    output->phase = phase;
    output->due = clock_monotonic() + within;
}

static void come_to_state(struct output *output, enum delivery_state state)
{
    output_lock(output);
    output->counters.state = state;
    output->counters.pid = output->host.pid;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
}

/* What a host's death means is settled when it has been reaped. */
__attribute__((format(printf, 3, 4))) static void lose(struct output *output, enum output_loss loss,
                                                       const char *format, ...)
{
    va_list args;

    if (output->phase == OUTPUT_DYING || output->phase == OUTPUT_ENDED)
        return;
    buffer_clear(&output->loss_reason);
    va_start(args, format);
    buffer_vprintf(&output->loss_reason, format, args);
    va_end(args);
    output->loss = loss;
    if (output->phase != OUTPUT_DELIVERING)
        output->sent = 0;
    expect(output, OUTPUT_DYING, DEATH_TIME);
    come_to_state(output, DELIVERY_DOWN);
    host_process_kill(&output->host);
}

/* How the socket is watched: for room only while something waits to be sent. */
static void watch(struct output *output)
{
    uint32_t writing = host_process_has_to_send(&output->host) ? EPOLLOUT : 0;
    struct epoll_event event = {.events = EPOLLIN | writing,
                                .data.u64 = output->index * SOURCE_COUNT + SOURCE_SOCKET};

    epoll_ctl(output->group->epoll, EPOLL_CTL_MOD, output->host.socket, &event);
}

static void transmit(struct output *output)
{
    bool had_to = host_process_has_to_send(&output->host);
    int r = host_process_send(&output->host);

    /* A peer that is gone shows as the end of its stream, with what it said before. */
    if (r == -ENOMEM)
        lose(output, LOSS_OURS, "out of memory");
    if (had_to || host_process_has_to_send(&output->host))
        watch(output);
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
    int r = host_process_start(
        &output->host, launcher_set_of(&output->group->launchers, output->index), output->index);

    if (r == 0) {
        r = watch_host(output);
        if (r < 0)
            host_process_deinit(&output->host);
    }
    if (r < 0 && !output->was_ready) {
        diagnose(output, "output-failed", "its host cannot be started: %s", strerror(-r));
        end(output);
        return;
    }
    if (r < 0) {
        output->failures++;
        output->due = clock_monotonic() + backoff(output);
        log_error("output %s: its host cannot be started: %s", output->name, strerror(-r));
        return;
    }
    expect(output, OUTPUT_LOADING, output->settings.deadline);
    output->cpu.share = output->settings.cpu;
    cpu_limit_watch(&output->cpu, output->host.pid, clock_monotonic());
    output_lock(output);
    output->counters.restarts += output->was_ready;
    output_unlock(output);
    come_to_state(output, DELIVERY_STARTING);
}

void output_move(struct output *output)
{
    /* Its plugin has been loaded, and no more than that. */
    host_process_deinit(&output->host);
    start(output);
}

static void check_settings(struct output *output)
{
    struct diag_list *diags = output->group->diags;
    size_t errors = diags->errors;
    int r = settings_read_options(output->config, &output->info, &output->arena, diags,
                                  &output->settings);

    if (r < 0)
        diagnose(output, "output-failed", "%s", strerror(-r));
    if (diags->errors == errors)
        return;
    host_process_kill(&output->host);
    end(output);
}

static void send_open(struct output *output)
{
    struct buffer *out = &output->host.sending;
    size_t begin = frame_begin(out, FRAME_OPEN);

    plugin_config_put(&output->settings, out);
    frame_end(out, begin);
    memcpy(output->host.files, output->files, output->file_count * sizeof *output->files);
    output->host.file_count = output->file_count;
    expect(output, OUTPUT_OPENING, output->settings.deadline);
    transmit(output);
}

static void open_plugin(struct output *output)
{
    if (!output->was_ready) {
        size_t errors = output->group->diags->errors;

        output_files_open(output, &output->group->host_user);
        if (output->group->diags->errors != errors) {
            host_process_kill(&output->host);
            end(output);
            return;
        }
    }
    send_open(output);
}

static void on_hello(struct output *output, struct text payload)
{
    if (output->checked) {
        if (!text_equal(payload, buffer_text(&output->hello)))
            lose(output, LOSS_GARBAGE, "its plugin has another table than before");
        else
            open_plugin(output);
        return;
    }
    int r = plugin_info_read(payload, &output->arena, &output->info);

    buffer_put_text(&output->hello, payload);
    if (r < 0) {
        lose(output, LOSS_GARBAGE, "its table cannot be read");
        return;
    }
    output->phase = OUTPUT_CHECKED;
    output->checked = true;
    check_settings(output);
    come_to_state(output, DELIVERY_STARTING);
}

static void on_opened(struct output *output)
{
    output->was_ready = true;
    output->phase = OUTPUT_READY;
    come_to_state(output, DELIVERY_READY);
}

static bool send_batch(struct output *output)
{
    if (!output_batch_put(output, &output->host.sending))
        return false;
    expect(output, OUTPUT_DELIVERING, output->settings.deadline);
    transmit(output);
    return true;
}

static void on_verdict(struct output *output, struct text payload)
{
    struct verdict verdict;

    if (verdict_read(payload, &verdict) < 0 || output_batch_settle(output, &verdict) < 0) {
        lose(output, LOSS_GARBAGE, "its plugin gave an impossible verdict");
        return;
    }
    if (verdict.delivered)
        output->failures = 0;
    output->phase = OUTPUT_READY;
    if (verdict.action == PICKET_RETRY) {
        uint32_t pause = verdict.retry_ms < RETRY_LEAST_MS  ? RETRY_LEAST_MS
                         : verdict.retry_ms > RETRY_MOST_MS ? RETRY_MOST_MS
                                                            : verdict.retry_ms;

        expect(output, OUTPUT_RETRYING, pause * NS_PER_MS);
        come_to_state(output, DELIVERY_WAITING);
    }
}

static void on_flushed(struct output *output, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0) {
        lose(output, LOSS_GARBAGE, NONSENSE);
        return;
    }
    if (line.level < PICKET_LOG_INFO)
        plugin_voice_say(&output->voice, line.level, TEXT("its plugin could not flush"));
    output->phase = OUTPUT_READY;
    output_lock(output);
    output->rested = output->queue.count == 0 && output->waiting == 0;
    output->counters.suppressed = output->voice.suppressed;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
}

static void on_log(struct output *output, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0) {
        lose(output, LOSS_GARBAGE, NONSENSE);
        return;
    }
    plugin_voice_say(&output->voice, line.level, line.text);
}

static void on_failed(struct output *output, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0)
        lose(output, LOSS_GARBAGE, NONSENSE);
    else
        lose(output, LOSS_FAILED, "%.*s", TEXT_ARG(line.text));
}

static void on_rotate(struct output *output, struct text payload)
{
    if (output_files_rotate(output, payload) < 0)
        lose(output, LOSS_GARBAGE, NONSENSE);
    else
        transmit(output);
}

static void on_frame(struct output *output, const struct frame *frame)
{
    enum output_phase phase = output->phase;

    if (frame->type == FRAME_LOG)
        on_log(output, frame->payload);
    else if (frame->type == FRAME_HELLO && phase == OUTPUT_LOADING)
        on_hello(output, frame->payload);
    else if (frame->type == FRAME_OPENED && phase == OUTPUT_OPENING)
        on_opened(output);
    else if (frame->type == FRAME_FAILED && (phase == OUTPUT_LOADING || phase == OUTPUT_OPENING))
        on_failed(output, frame->payload);
    else if (frame->type == FRAME_VERDICT && phase == OUTPUT_DELIVERING)
        on_verdict(output, frame->payload);
    else if (frame->type == FRAME_ROTATE &&
             (phase == OUTPUT_DELIVERING || phase == OUTPUT_FLUSHING))
        on_rotate(output, frame->payload);
    else if (frame->type == FRAME_FLUSHED && phase == OUTPUT_FLUSHING)
        on_flushed(output, frame->payload);
    else
        lose(output, LOSS_GARBAGE, NONSENSE);
}

static bool is_listened_to(const struct output *output)
{
    return output->phase != OUTPUT_DYING && output->phase != OUTPUT_ENDED;
}

/* Reads once, so that one that never stops talking does not keep others waiting. */
static bool listen(struct output *output)
{
    ssize_t got = host_process_receive(&output->host);
    struct frame frame;
    int r = 0;

    if (got == -EAGAIN)
        return false;
    while (got > 0 && is_listened_to(output) &&
           (r = frame_decoder_next(&output->host.decoder, &frame)) > 0)
        on_frame(output, &frame);
    if (r < 0)
        lose(output, LOSS_GARBAGE, NONSENSE);
    if (got == -ENOMEM)
        lose(output, LOSS_OURS, "out of memory");
    if (got <= 0 && output->phase != OUTPUT_CLOSING)
        lose(output, LOSS_CRASH, "its host ended");
    if (got <= 0)
        epoll_ctl(output->group->epoll, EPOLL_CTL_DEL, output->host.socket, NULL);
    return got > 0 && is_listened_to(output);
}

static bool hear(struct output *output)
{
    char bytes[4096];
    ssize_t got = read(output->host.errors, bytes, sizeof bytes);

    if (got > 0)
        plugin_voice_hear(&output->voice, (struct text){bytes, (size_t)got});
    else if (got == 0)
        epoll_ctl(output->group->epoll, EPOLL_CTL_DEL, output->host.errors, NULL);
    return got > 0;
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
        diagnose(output, "output-failed", "%s%s", buffer_string(&output->loss_reason),
                 how.len ? buffer_string(&how) : "");
        end(output);
        return;
    }
    come_to_state(output, DELIVERY_DOWN); /* before it is counted: who sees the count sees no pid */
    count_loss(output);
    output->failures++;
    int64_t pause = backoff(output);

    expect(output, OUTPUT_DOWN, pause);
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

static void on_death(struct output *output)
{
    int status;

    /* What it said before it died counts. */
    while (is_listened_to(output) && listen(output))
        continue;
    while (hear(output))
        continue;
    plugin_voice_end(&output->voice);
    if (!host_process_reap(&output->host, &status))
        return;
    if (output->phase == OUTPUT_CLOSING && status != 0)
        tell_of_end(output, status);
    if (output->phase == OUTPUT_CLOSING || output->phase == OUTPUT_ENDED || output->group->ending) {
        host_process_deinit(&output->host);
        end(output);
        return;
    }
    lose(output, LOSS_CRASH, "its host ended");
    bury(output, status);
}

void output_on_event(struct output *output, enum output_source source, uint32_t events)
{
    if (output->host.pid == 0)
        return; /* an event of a host that has been buried in this very round */
    switch (source) {
    case SOURCE_SOCKET:
        if (events & EPOLLOUT)
            transmit(output);
        if (events & ~(uint32_t)EPOLLOUT)
            listen(output);
        break;
    case SOURCE_ERRORS:
        hear(output);
        break;
    case SOURCE_PIDFD:
        on_death(output);
        break;
    case SOURCE_COUNT:
        break;
    }
}

static void send_word(struct output *output, enum frame_type type, enum output_phase phase,
                      int64_t within)
{
    frame_end(&output->host.sending, frame_begin(&output->host.sending, type));
    expect(output, phase, within);
    transmit(output);
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
        end(output);
    else if (output->phase == OUTPUT_RETRYING)
        output->phase = OUTPUT_READY;
    else if (output->phase != OUTPUT_READY && output->phase != OUTPUT_CLOSING)
        lose(output, LOSS_CRASH, "picket ends");
}

static void step_overdue(struct output *output)
{
    if (output->phase == OUTPUT_DOWN) {
        start(output);
    } else if (output->phase == OUTPUT_RETRYING) {
        output->phase = OUTPUT_READY;
        come_to_state(output, DELIVERY_READY);
    } else if (output->phase == OUTPUT_DYING) {
        log_warning("output %s: its host, process %d, was killed and does not die", output->name,
                    output->host.pid);
        output->due = INT64_MAX;
    } else {
        lose(output, LOSS_HANG, "it did not answer within %lld ms",
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
        transmit(output);
}

/* Time that it was held is not its own. */
static void step_cpu(struct output *output, int64_t now)
{
    bool held = output->cpu.held;
    int64_t lost = cpu_limit_step(&output->cpu, now);

    if (output->cpu.held != held)
        launcher_hold_host(output->host.launcher, output->host.index, output->cpu.held);
    if (output->phase != OUTPUT_RETRYING && output->due < INT64_MAX - lost)
        output->due += lost;
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
        open_plugin(output);
    if (output->host.pid && output->phase != OUTPUT_DYING)
        step_cpu(output, now);
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

    return cpu < phase ? cpu : phase;
}
