#include "output/delivery_thread.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* What the journal may take without outputs getting that time as well. */
#define LATE_TIME (100 * NS_PER_MS)

/* What hosts get to end before they are left to the kernel. */
#define END_TIME (4 * NS_PER_S)

void delivery_thread_wake(const struct delivery *delivery)
{
    const uint64_t one = 1;
    ssize_t written = write(delivery->wake, &one, sizeof one);

    (void)written; /* full means awake */
}

static size_t take(struct delivery *delivery, struct queued_alert **out)
{
    pthread_mutex_lock(&delivery->group.lock);
    size_t count = intake_take(&delivery->intake, out);

    if (delivery->group.waiting)
        pthread_cond_broadcast(&delivery->group.changed);
    pthread_mutex_unlock(&delivery->group.lock);
    return count;
}

static void end_taking(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    intake_end_taking(&delivery->intake);
    if (delivery->drain_asked)
        pthread_cond_broadcast(&delivery->group.changed);
    pthread_mutex_unlock(&delivery->group.lock);
}

/* A disk that kept us is none of the hosts' doing. */
static void excuse_outputs(struct delivery *delivery, int64_t lost)
{
    for (size_t i = 0; lost > LATE_TIME && i < delivery->count; i++)
        output_excuse(&delivery->outputs[i], lost);
}

/* With a journal: from the intake through it to the queues. */
static void step_backlog(struct delivery *delivery)
{
    struct queued_alert *alerts[INTAKE_TAKING_MAX];
    bool hurried = delivery->group.draining || delivery->group.ending;
    int64_t now = clock_monotonic();
    size_t count = 0;

    if (!delivery->journal)
        return;
    if (now >= delivery->intake.next || hurried)
        count = take(delivery, alerts);
    for (size_t i = 0; i < count; i++)
        backlog_take(&delivery->backlog, alerts[i]);
    backlog_step(&delivery->backlog, now);
    excuse_outputs(delivery, clock_monotonic() - now);
    intake_pause(&delivery->intake, count);
    end_taking(delivery);
}

static void step_outputs(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    delivery->group.draining = delivery->drain_asked;
    delivery->group.ending = delivery->end_asked;
    bool reopen = delivery->reopen_asked;

    delivery->reopen_asked = false;
    pthread_mutex_unlock(&delivery->group.lock);
    if (delivery->startup.state == START_DONE)
        step_backlog(delivery);
    for (size_t i = 0; reopen && i < delivery->count; i++)
        output_reopen(&delivery->outputs[i]);
    for (size_t i = 0; i < delivery->count; i++)
        output_step(&delivery->outputs[i], clock_monotonic());
    delivery_startup_step(delivery);
}

/* When there is something to do for the journal. */
static int64_t backlog_left(struct delivery *delivery)
{
    if (!delivery->journal || delivery->startup.state != START_DONE)
        return INT64_MAX;
    pthread_mutex_lock(&delivery->group.lock);
    int64_t due = intake_due(&delivery->intake, clock_monotonic());

    pthread_mutex_unlock(&delivery->group.lock);
    return due < backlog_due(&delivery->backlog) ? due : backlog_due(&delivery->backlog);
}

/* Milliseconds until something is due, for epoll. */
static int time_left(struct delivery *delivery)
{
    int64_t backlog = backlog_left(delivery);
    int64_t due = backlog < delivery->end ? backlog : delivery->end;

    for (size_t i = 0; i < delivery->count; i++)
        if (output_due(&delivery->outputs[i]) < due)
            due = output_due(&delivery->outputs[i]);
    if (due == INT64_MAX)
        return -1;
    int64_t left = (due - clock_monotonic() + NS_PER_MS - 1) / NS_PER_MS;

    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* Hosts have died with it, and there will be no others. */
static void on_launcher_death(struct delivery *delivery)
{
    struct output_group *group = &delivery->group;

    if (!group->broken)
        log_error("the process that starts outputs is gone: no alert can be delivered any more");
    pthread_mutex_lock(&group->lock);
    group->broken = true;
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->lock);
}

static void on_events(struct delivery *delivery, const struct epoll_event *events, int count)
{
    uint64_t wakes;

    for (int i = 0; i < count; i++) {
        uint64_t what = events[i].data.u64;

        if (what == DELIVERY_LAUNCHER_EVENT)
            on_launcher_death(delivery);
        else if (what != DELIVERY_WAKE_EVENT)
            output_on_event(&delivery->outputs[what / SOURCE_COUNT],
                            (enum output_source)(what % SOURCE_COUNT), events[i].events);
        else if (read(delivery->wake, &wakes, sizeof wakes) < 0)
            continue; /* somebody's earlier wake was read with this one */
    }
}

static bool all_gone(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outputs[i].host.pid || delivery->outputs[i].phase != OUTPUT_ENDED)
            return false;
    return true;
}

static void await_events(struct delivery *delivery)
{
    struct epoll_event events[64];
    int count = epoll_wait(delivery->group.epoll, events, 64, time_left(delivery));

    on_events(delivery, events, count);
}

static bool has_ended(struct delivery *delivery)
{
    if (delivery->group.ending && delivery->end == INT64_MAX)
        delivery->end = clock_monotonic() + END_TIME;
    return delivery->group.ending && (all_gone(delivery) || clock_monotonic() >= delivery->end);
}

void delivery_thread_settle(struct delivery *delivery)
{
    for (step_outputs(delivery); delivery->startup.state == START_RUNNING; step_outputs(delivery))
        await_events(delivery);
}

void delivery_thread_run(struct delivery *delivery)
{
    for (step_outputs(delivery); !has_ended(delivery); step_outputs(delivery))
        await_events(delivery);
    backlog_finish(&delivery->backlog);
}
