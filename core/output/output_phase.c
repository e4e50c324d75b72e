#include "output/output_phase.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"

/* How long the kernel may take to end a killed host before somebody is told. */
#define DEATH_TIME (2 * NS_PER_S)

void output_diagnose(struct output *output, const char *code, const char *format, ...)
{
    CLEANUP(buffer_deinit) struct buffer said = {0};
    va_list args;

    va_start(args, format);
    buffer_vprintf(&said, format, args);
    va_end(args);
    diag_error(output->group->diags, output->config->mark, code, "output '%s': %s", output->name,
               buffer_string(&said));
}

void output_end(struct output *output)
{
    output->phase = OUTPUT_ENDED;
    output_lock(output);
    output->counters.pid = 0;
    output->counters.state = DELIVERY_DOWN;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
}

void output_expect(struct output *output, enum output_phase phase, int64_t within)
{
    output->phase = phase;
    output->due = clock_monotonic() + within;
}

void output_come_to(struct output *output, enum delivery_state state)
{
    output_lock(output);
    output->counters.state = state;
    output->counters.pid = output->host.pid;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
}

/* What a host's death means is settled when it has been reaped. */
void output_lose(struct output *output, enum output_loss loss, const char *format, ...)
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
    output_expect(output, OUTPUT_DYING, DEATH_TIME);
    output_come_to(output, DELIVERY_DOWN);
    host_process_kill(&output->host);
}

/* How the socket is watched: for room only while something waits to be sent. */
static void watch(struct output *output)
{
    uint32_t writing = host_process_has_to_send(&output->host) ? EPOLLOUT : 0;
    uint32_t reading = output->deaf_until ? 0 : EPOLLIN;
    struct epoll_event event = {.events = reading | writing,
                                .data.u64 = output->index * SOURCE_COUNT + SOURCE_SOCKET};

    epoll_ctl(output->group->epoll, EPOLL_CTL_MOD, output->host.socket, &event);
}

void output_watch_all(struct output *output)
{
    struct epoll_event event = {.events = output->deaf_until ? 0 : EPOLLIN,
                                .data.u64 = output->index * SOURCE_COUNT + SOURCE_ERRORS};

    watch(output);
    epoll_ctl(output->group->epoll, EPOLL_CTL_MOD, output->host.errors, &event);
}

void output_transmit(struct output *output)
{
    bool had_to = host_process_has_to_send(&output->host);
    int r = host_process_send(&output->host);

    /* A peer that is gone shows as the end of its stream, with what it said before. */
    if (r == -ENOMEM)
        output_lose(output, LOSS_OURS, "out of memory");
    if (had_to || host_process_has_to_send(&output->host))
        watch(output);
}
