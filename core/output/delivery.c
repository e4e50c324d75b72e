#include "output/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/output.h"

/* What hosts get to end before they are left to the kernel. */
#define END_TIME (4 * NS_PER_S)

#define WAKE_EVENT     UINT64_MAX
#define LAUNCHER_EVENT (UINT64_MAX - 1)

/* How far the outputs have come on their own, before there is a thread. */
enum start { START_RUNNING, START_DONE, START_FAILED };

struct delivery {
    struct output_group group;
    struct output *outputs;
    size_t count;
    pthread_t thread;
    bool started;  /* the thread is */
    int wake;      /* eventfd */
    size_t errors; /* of the caller's diagnostics, before ours */
    enum start start;
    int64_t end; /* when to end at the latest, once asked to */
    /* Under the group's lock. */
    bool drain_asked, end_asked;
};

static void wake(const struct delivery *delivery)
{
    const uint64_t one = 1;
    ssize_t written = write(delivery->wake, &one, sizeof one);

    (void)written; /* full means awake */
}

/* Whether every output has come as far as it can without the others: to where it may open its
 * plugin, or to where it has; or to its end. */
static bool all_settled(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        if (output->phase != OUTPUT_ENDED && !output->was_ready &&
            !(delivery->group.hold && output->phase == OUTPUT_CHECKED))
            return false;
    }
    return true;
}

/* All plugins are asked for their tables before any is opened, so that a mistake in the last
 * output's options leaves no trace of the first. */
static void step_start(struct delivery *delivery)
{
    struct diag_list *diags = delivery->group.diags;

    if (!diags || !all_settled(delivery))
        return;
    if (diags->errors != delivery->errors) {
        delivery->start = START_FAILED;
    } else if (delivery->group.hold) {
        delivery->group.hold = false;
        wake(delivery);
    } else {
        delivery->group.diags = NULL;
        delivery->start = START_DONE;
    }
}

static void step_outputs(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    delivery->group.draining = delivery->drain_asked;
    delivery->group.ending = delivery->end_asked;
    pthread_mutex_unlock(&delivery->group.lock);
    for (size_t i = 0; i < delivery->count; i++)
        output_step(&delivery->outputs[i], clock_monotonic());
    step_start(delivery);
}

/* Milliseconds until something is due, for epoll. */
static int time_left(const struct delivery *delivery)
{
    int64_t due = delivery->end;

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

    log_error("the process that starts outputs is gone: no alert can be delivered any more");
    epoll_ctl(group->epoll, EPOLL_CTL_DEL, group->launcher.broker.pidfd, NULL);
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

        if (what == LAUNCHER_EVENT)
            on_launcher_death(delivery);
        else if (what != WAKE_EVENT)
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

static void *run(void *argument)
{
    struct delivery *delivery = argument;

    for (step_outputs(delivery); !has_ended(delivery); step_outputs(delivery))
        await_events(delivery);
    return NULL;
}

static int init_group(struct delivery *delivery, const struct delivery_options *options,
                      struct diag_list *diags)
{
    struct output_group *group = &delivery->group;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_EVENT};
    pthread_condattr_t attributes;

    pthread_mutex_init(&group->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&group->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    group->diags = diags;
    group->hold = true;
    group->launcher = LAUNCHER_NONE;
    delivery->end = INT64_MAX;
    group->epoll = epoll_create1(EPOLL_CLOEXEC);
    delivery->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (group->epoll < 0 || delivery->wake < 0 ||
        epoll_ctl(group->epoll, EPOLL_CTL_ADD, delivery->wake, &event) < 0)
        return -errno;
    return 0;
}

static void check_names(const struct delivery_options *options, struct diag_list *diags)
{
    for (size_t i = 0; i < options->output_count; i++)
        for (size_t k = 0; k < i; k++) {
            struct text name = output_config_name(&options->outputs[i]);

            if (!text_equal(name, output_config_name(&options->outputs[k])))
                continue;
            diag_error(diags, options->outputs[i].mark, "duplicate-output",
                       "there is an output '%.*s' already: give one another name, as in name=%.*s2",
                       TEXT_ARG(name), TEXT_ARG(name));
            break;
        }
}

static int init_outputs(struct delivery *delivery, const struct delivery_options *options,
                        struct diag_list *diags)
{
    size_t count = options->output_count;

    if (count > DELIVERY_OUTPUTS_MAX) {
        diag_error(diags, options->outputs[DELIVERY_OUTPUTS_MAX].mark, "too-many-outputs",
                   "there can be %d outputs", DELIVERY_OUTPUTS_MAX);
        return -EINVAL;
    }
    check_names(options, diags);
    delivery->outputs = calloc(count ? count : 1, sizeof *delivery->outputs);
    if (!delivery->outputs)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct output *output = &delivery->outputs[i];

        *output = (struct output){.group = &delivery->group,
                                  .index = i,
                                  .config = &options->outputs[i],
                                  .module = -1,
                                  .host = HOST_PROCESS_NONE};
        delivery->count++;
        int r = output_init(output, options->plugin_dir);

        if (r < 0)
            return r;
    }
    return 0;
}

static uint32_t somebody(uint32_t id)
{
    return id ? id : LAUNCHER_NOBODY;
}

/* It is forked with the outputs as they are now: nobody tells it of others. */
static int init_launcher(struct delivery *delivery, const struct delivery_options *options)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = LAUNCHER_EVENT};
    struct output_group *group = &delivery->group;
    struct host_launch launches[DELIVERY_OUTPUTS_MAX];

    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        launches[i] = (struct host_launch){.name = output->name,
                                           .path = output->path,
                                           .module = output->module,
                                           .memory = output->settings.memory,
                                           .uid = somebody(options->uid),
                                           .gid = somebody(options->gid)};
    }
    const struct launcher_options launcher = {.launches = launches,
                                              .count = delivery->count,
                                              .uid = somebody(options->launcher_uid),
                                              .gid = somebody(options->launcher_gid)};
    int r = delivery->count ? launcher_start(&group->launcher, &launcher) : 0;

    if (r == 0 && delivery->count &&
        epoll_ctl(group->epoll, EPOLL_CTL_ADD, group->launcher.broker.pidfd, &event) < 0)
        r = -errno;
    return r;
}

static void discard(struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        output_deinit(&delivery->outputs[i]);
    free(delivery->outputs);
    launcher_deinit(&delivery->group.launcher);
    closep(&delivery->wake);
    closep(&delivery->group.epoll);
    pthread_cond_destroy(&delivery->group.changed);
    pthread_mutex_destroy(&delivery->group.lock);
    free(delivery);
}

int delivery_new(const struct delivery_options *options, struct diag_list *diags,
                 struct delivery **out)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);

    if (!delivery)
        return -ENOMEM;
    delivery->errors = diags->errors;
    int r = init_group(delivery, options, diags);

    if (r == 0)
        r = init_outputs(delivery, options, diags);
    if (r == 0)
        r = init_launcher(delivery, options);
    if (r < 0) {
        discard(delivery);
        return r;
    }
    for (step_outputs(delivery); delivery->start == START_RUNNING; step_outputs(delivery))
        await_events(delivery);
    if (delivery->start == START_FAILED) {
        delivery_free(delivery);
        return -EINVAL;
    }
    *out = delivery;
    return 0;
}

int delivery_start(struct delivery *delivery)
{
    sigset_t all, before;

    /* Signals are for the threads that wait for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&delivery->thread, NULL, run, delivery);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    delivery->started = r == 0;
    return -r;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    pthread_mutex_lock(&delivery->group.lock);
    delivery->end_asked = true;
    pthread_mutex_unlock(&delivery->group.lock);
    wake(delivery);
    if (delivery->started)
        pthread_join(delivery->thread, NULL);
    else
        run(delivery);
    discard(delivery);
}

static bool is_routed(const struct delivery *delivery, uint64_t route, size_t index)
{
    return index < delivery->count && route >> index & 1;
}

static bool has_room(const struct delivery *delivery, uint64_t route,
                     const struct queued_alert *alert)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (is_routed(delivery, route, i) &&
            !alert_queue_has_room(&delivery->outputs[i].queue, alert))
            return false;
    return true;
}

/* Waits until DEADLINE on the monotonic clock, or for a change. */
static int await_change(struct delivery *delivery, int64_t deadline)
{
    const struct timespec until = {.tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};

    return -pthread_cond_timedwait(&delivery->group.changed, &delivery->group.lock, &until);
}

static void await_room(struct delivery *delivery, uint64_t route, const struct queued_alert *alert)
{
    delivery->group.waiting++;
    while (!has_room(delivery, route, alert) && !delivery->group.broken)
        pthread_cond_wait(&delivery->group.changed, &delivery->group.lock);
    delivery->group.waiting--;
}

/* Whether the output's thread is to be woken. */
static bool offer(struct output *output, struct queued_alert *alert)
{
    bool idle = output->idle;

    output->counters.offered++;
    if (!alert_queue_has_room(&output->queue, alert)) {
        output->counters.dropped++;
        return false;
    }
    alert_queue_push(&output->queue, alert);
    output->rested = false;
    output->idle = false;
    return idle;
}

enum refusal { REFUSAL_DROPPED, REFUSAL_REJECTED };

static void count_refusal(struct delivery *delivery, uint64_t route, enum refusal refusal)
{
    for (size_t i = 0; i < delivery->count; i++) {
        struct delivery_counters *counters = &delivery->outputs[i].counters;

        if (!is_routed(delivery, route, i))
            continue;
        counters->offered++;
        counters->dropped += refusal == REFUSAL_DROPPED;
        counters->rejected += refusal == REFUSAL_REJECTED;
    }
}

int delivery_push(struct delivery *delivery, const struct delivery_alert *alert, uint64_t route,
                  bool wait)
{
    struct queued_alert *queued = NULL;
    bool idle = false;
    int r = queued_alert_new(alert, &queued);

    pthread_mutex_lock(&delivery->group.lock);
    if (r == 0 && wait)
        await_room(delivery, route, queued);
    if (r < 0)
        count_refusal(delivery, route, r == -EMSGSIZE ? REFUSAL_REJECTED : REFUSAL_DROPPED);
    for (size_t i = 0; r == 0 && i < delivery->count; i++)
        if (is_routed(delivery, route, i))
            idle |= offer(&delivery->outputs[i], queued);
    pthread_mutex_unlock(&delivery->group.lock);
    queued_alert_drop(queued);
    if (idle)
        wake(delivery);
    return r;
}

static bool all_rest(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (!delivery->outputs[i].rested)
            return false;
    return true;
}

int delivery_drain(struct delivery *delivery, int64_t timeout)
{
    int64_t deadline = clock_monotonic() + timeout;
    int r = 0;

    pthread_mutex_lock(&delivery->group.lock);
    delivery->drain_asked = true;
    wake(delivery);
    while (r == 0 && !all_rest(delivery))
        r = delivery->group.broken ? -EPIPE : await_change(delivery, deadline);
    if (all_rest(delivery))
        r = 0;
    delivery->drain_asked = false;
    pthread_mutex_unlock(&delivery->group.lock);
    return r;
}

bool delivery_asks_sha256(const struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (delivery->outputs[i].settings.sha256)
            return true;
    return false;
}

bool delivery_is_broken(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    bool broken = delivery->group.broken;

    pthread_mutex_unlock(&delivery->group.lock);
    return broken;
}

size_t delivery_output_count(const struct delivery *delivery)
{
    return delivery->count;
}

void delivery_counters(struct delivery *delivery, size_t index, struct delivery_counters *out)
{
    const struct output *output = &delivery->outputs[index];

    pthread_mutex_lock(&delivery->group.lock);
    *out = output->counters;
    out->queued = output->queue.count;
    pthread_mutex_unlock(&delivery->group.lock);
}
