#include "output/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/backlog.h"
#include "output/news.h"
#include "output/output.h"

/* What hosts get to end before they are left to the kernel. */
#define END_TIME (4 * NS_PER_S)

/* Between two takings from the intake: in a crowd many share a commit, and one that comes alone
 * does not wait. For each alert of the last, and at most. */
#define TAKING_PAUSE      (NS_PER_MS / 5)
#define TAKING_PAUSE_MOST (5 * NS_PER_MS)

/* The most alerts that are taken at once: no more than a host takes in the meantime. */
#define TAKING_MAX 512

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
    int failure;        /* other than a mistake of the user's, -errno */
    uid_t launcher_uid; /* whom launchers become */
    gid_t launcher_gid;
    const struct host_tool *tool;
    int64_t end; /* when to end at the latest, once asked to */
    struct journal *journal;
    struct backlog backlog;
    struct news news;
    int64_t next_taking; /* monotonic */
    /* Under the group's lock. */
    struct alert_queue intake; /* with a journal: pushed, not taken yet */
    uint64_t overrun;
    bool asleep; /* the thread is, and is to be woken by an alert in the intake */
    bool taking; /* what it took is not offered yet */
    bool drain_asked, end_asked, reopen_asked;
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

/* Its launches, as of now. */
static void put_launches(const struct delivery *delivery, struct host_launch *out)
{
    for (size_t i = 0; i < delivery->count; i++) {
        const struct output *output = &delivery->outputs[i];

        out[i] = (struct host_launch){.name = output->name,
                                      .path = output->path,
                                      .module = output->module,
                                      .memory = output->settings.memory,
                                      .deadline = output->settings.deadline,
                                      .tool = delivery->tool,
                                      .uid = delivery->group.host_user.uid,
                                      .gid = delivery->group.host_user.gid};
    }
}

/* They may not be watched twice: the first that goes is the end of all. */
static int watch_launchers(struct delivery *delivery, size_t first)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = LAUNCHER_EVENT};
    const struct launcher_set *set = &delivery->group.launchers;

    for (size_t i = first; i < set->count; i++)
        if (epoll_ctl(delivery->group.epoll, EPOLL_CTL_ADD, set->launchers[i].broker.pidfd,
                      &event) < 0)
            return -errno;
    return 0;
}

static void tell_of_isolation(const struct launcher_set *set)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (!set->lacking)
        return;
    buffer_put_string(&line, "outputs get no view of their own of: ");
    isolation_put(set->lacking, &line);
    buffer_put_string(&line, " (this kernel or container, or the lack of root, forbids it)");
    if (geteuid() == 0)
        log_warning("%s", buffer_string(&line));
    else
        log_debug("%s", buffer_string(&line));
}

/* Now that their needs are known: hosts that have any are started anew, where they get that. */
static int divide_hosts(struct delivery *delivery)
{
    struct launcher_set *set = &delivery->group.launchers;
    struct host_launch launches[DELIVERY_OUTPUTS_MAX];
    uint32_t needs[DELIVERY_OUTPUTS_MAX] = {0};
    size_t before = set->count;
    const struct launcher_options options = {.launches = launches,
                                             .count = delivery->count,
                                             .uid = delivery->launcher_uid,
                                             .gid = delivery->launcher_gid};

    put_launches(delivery, launches);
    for (size_t i = 0; i < delivery->count; i++)
        needs[i] = delivery->outputs[i].info.needs;
    int r = launcher_set_divide(set, &options, needs);

    if (r == 0)
        r = watch_launchers(delivery, before);
    for (size_t i = 0; r == 0 && i < delivery->count; i++)
        if (needs[i])
            output_move(&delivery->outputs[i]);
    tell_of_isolation(set);
    if (r == 0)
        r = file_keeper_start(&delivery->group.keeper, delivery->outputs, delivery->count,
                              delivery->launcher_uid, delivery->launcher_gid);
    return r;
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
        delivery->failure = divide_hosts(delivery);
        if (delivery->failure < 0)
            delivery->start = START_FAILED;
        wake(delivery);
    } else {
        delivery->group.diags = NULL;
        delivery->start = START_DONE;
    }
}

/* Takes what was pushed, at most so many; they are the caller's. */
static size_t take(struct delivery *delivery, struct queued_alert **out, size_t most)
{
    size_t count = 0;

    pthread_mutex_lock(&delivery->group.lock);
    delivery->asleep = false;
    while (count < most && delivery->intake.count)
        out[count++] = alert_queue_pop(&delivery->intake);
    delivery->taking = true;
    pthread_mutex_unlock(&delivery->group.lock);
    return count;
}

static void end_taking(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    delivery->taking = false;
    if (delivery->drain_asked)
        pthread_cond_broadcast(&delivery->group.changed);
    pthread_mutex_unlock(&delivery->group.lock);
}

static int64_t taking_pause(size_t count)
{
    int64_t pause = (int64_t)count * TAKING_PAUSE;

    return pause < TAKING_PAUSE_MOST ? pause : TAKING_PAUSE_MOST;
}

/* With a journal: from the intake through it to the queues. */
static void step_backlog(struct delivery *delivery)
{
    struct queued_alert *alerts[TAKING_MAX];
    bool hurried = delivery->group.draining || delivery->group.ending;
    int64_t now = clock_monotonic();
    size_t count = 0;

    if (!delivery->journal)
        return;
    if (now >= delivery->next_taking || hurried)
        count = take(delivery, alerts, TAKING_MAX);
    for (size_t i = 0; i < count; i++)
        backlog_take(&delivery->backlog, alerts[i]);
    backlog_step(&delivery->backlog, now);
    if (count)
        delivery->next_taking = clock_monotonic() + taking_pause(count);
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
    if (delivery->start == START_DONE)
        step_backlog(delivery);
    for (size_t i = 0; reopen && i < delivery->count; i++)
        output_reopen(&delivery->outputs[i]);
    for (size_t i = 0; i < delivery->count; i++)
        output_step(&delivery->outputs[i], clock_monotonic());
    step_start(delivery);
}

/* When the intake is to be looked at again. Goes to sleep when there is nothing in it: the next
 * push then wakes. */
static int64_t taking_due(struct delivery *delivery)
{
    bool pausing = clock_monotonic() < delivery->next_taking;
    int64_t due = INT64_MAX;

    if (!delivery->journal || delivery->start != START_DONE)
        return due;
    pthread_mutex_lock(&delivery->group.lock);
    delivery->asleep = !pausing && delivery->intake.count == 0;
    if (!delivery->asleep)
        due = delivery->next_taking;
    pthread_mutex_unlock(&delivery->group.lock);
    return due < backlog_due(&delivery->backlog) ? due : backlog_due(&delivery->backlog);
}

/* Milliseconds until something is due, for epoll. */
static int time_left(struct delivery *delivery)
{
    int64_t taking = taking_due(delivery);
    int64_t due = taking < delivery->end ? taking : delivery->end;

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
    backlog_finish(&delivery->backlog);
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
    struct host_launch launches[DELIVERY_OUTPUTS_MAX];

    delivery->group.host_user.uid = somebody(options->uid);
    delivery->group.host_user.gid = somebody(options->gid);
    delivery->launcher_uid = somebody(options->launcher_uid);
    delivery->launcher_gid = somebody(options->launcher_gid);
    delivery->tool = options->tool;
    put_launches(delivery, launches);
    const struct launcher_options launcher = {.launches = launches,
                                              .count = delivery->count,
                                              .uid = delivery->launcher_uid,
                                              .gid = delivery->launcher_gid};
    int r = delivery->count ? launcher_set_start(&delivery->group.launchers, &launcher) : 0;

    return r < 0 ? r : watch_launchers(delivery, 0);
}

static void *run_thread(void *argument)
{
    pthread_setname_np(pthread_self(), "picket-deliver");
    return run(argument);
}

/* The journal has become the delivery's own. */
static int init_backlog(struct delivery *delivery, struct journal *journal)
{
    delivery->journal = journal;
    delivery->backlog = (struct backlog){
        .journal = journal,
        .outputs = delivery->outputs,
        .count = delivery->count,
        .group = &delivery->group,
        .news = &delivery->news,
    };
    if (!journal)
        return 0;
    delivery->group.letters = &delivery->backlog.letters;
    int r = alert_queue_init(&delivery->intake, BACKLOG_ALERTS_MAX, BACKLOG_BYTES_MAX);

    return r < 0 ? r : backlog_init(&delivery->backlog);
}

static void discard(struct delivery *delivery)
{
    alert_queue_deinit(&delivery->intake);
    backlog_deinit(&delivery->backlog);
    news_deinit(&delivery->news);
    for (size_t i = 0; i < delivery->count; i++)
        output_deinit(&delivery->outputs[i]);
    free(delivery->outputs);
    launcher_set_deinit(&delivery->group.launchers);
    file_keeper_deinit(&delivery->group.keeper);
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
    news_init(&delivery->news);
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
    r = delivery->start == START_FAILED ? -EINVAL : init_backlog(delivery, options->journal);
    if (r < 0) {
        r = delivery->failure < 0 ? delivery->failure : r;
        delivery->journal = delivery->backlog.journal = NULL; /* the caller's still */
        delivery_free(delivery);
        return r;
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
    int r = pthread_create(&delivery->thread, NULL, run_thread, delivery);

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

static void drop(struct delivery *delivery, struct output *output, bool is_news)
{
    output->counters.dropped++;
    if (!is_news)
        news_add_dropped(&delivery->news, output->index, 1);
}

/* Whether the output's thread is to be woken. */
static bool offer(struct delivery *delivery, struct output *output, struct queued_alert *alert)
{
    bool idle = output->idle;

    output->counters.offered++;
    if (!alert_queue_has_room(&output->queue, alert)) {
        drop(delivery, output, queued_alert_place(alert)->is_news);
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

/* Into the queues of its outputs. Whether to wake the thread. */
static bool push_to_queues(struct delivery *delivery, struct queued_alert *alert, bool wait)
{
    uint64_t route = queued_alert_place(alert)->route;
    bool idle = false;

    if (wait)
        await_room(delivery, route, alert);
    for (size_t i = 0; i < delivery->count; i++)
        if (is_routed(delivery, route, i))
            idle |= offer(delivery, &delivery->outputs[i], alert);
    return idle;
}

/* Into the intake, on its way to the journal. 1: wake the thread; -ENOBUFS. */
static int push_to_intake(struct delivery *delivery, struct queued_alert *alert)
{
    const struct alert_place *place = queued_alert_place(alert);
    bool asleep = delivery->asleep;

    journal_raise(delivery->journal);
    if (alert_queue_has_room(&delivery->intake, alert)) {
        alert_queue_push(&delivery->intake, alert);
        delivery->asleep = false;
        return asleep;
    }
    count_refusal(delivery, place->route, REFUSAL_DROPPED);
    delivery->overrun++;
    /* Whoever tells of it tells of what this one would have told, too. */
    news_add_overrun(&delivery->news, 1 + place->accounts);
    return -ENOBUFS;
}

int delivery_push(struct delivery *delivery, const struct delivery_alert *alert, uint64_t route,
                  bool wait)
{
    struct queued_alert *queued = NULL;
    int r = queued_alert_new(alert, &queued);

    pthread_mutex_lock(&delivery->group.lock);
    if (r < 0) {
        count_refusal(delivery, route, r == -EMSGSIZE ? REFUSAL_REJECTED : REFUSAL_DROPPED);
    } else {
        queued_alert_place(queued)->route = route;
        r = delivery->journal ? push_to_intake(delivery, queued)
                              : push_to_queues(delivery, queued, wait);
    }
    pthread_mutex_unlock(&delivery->group.lock);
    queued_alert_drop(queued);
    if (r > 0)
        wake(delivery);
    return r < 0 ? r : 0;
}

static bool all_rest(const struct delivery *delivery)
{
    if (delivery->journal && (delivery->intake.count || delivery->taking))
        return false;
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

void delivery_reopen(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    delivery->reopen_asked = true;
    pthread_mutex_unlock(&delivery->group.lock);
    wake(delivery);
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
    out->queued = output->queue.count + output->waiting;
    pthread_mutex_unlock(&delivery->group.lock);
}

bool delivery_take_news(struct delivery *delivery, int64_t now, struct delivery_news *out)
{
    return news_take(&delivery->news, now, out);
}

void delivery_journal(struct delivery *delivery, struct delivery_journal *out)
{
    const struct backlog *backlog = &delivery->backlog;

    pthread_mutex_lock(&delivery->group.lock);
    *out = (struct delivery_journal){
        .there = delivery->journal != NULL,
        .fails = backlog->shows_failing,
        .journalled = backlog->journalled,
        .unjournalled = backlog->unjournalled,
        .overrun = delivery->overrun,
        .waiting = delivery->intake.count + backlog->shown_tail,
    };
    pthread_mutex_unlock(&delivery->group.lock);
}
