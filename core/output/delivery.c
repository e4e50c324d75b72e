#include "output/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "output/delivery_thread.h"

static int init_group(struct delivery *delivery)
{
    struct output_group *group = &delivery->group;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = DELIVERY_WAKE_EVENT};
    pthread_condattr_t attributes;

    pthread_mutex_init(&group->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&group->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    delivery->end = INT64_MAX;
    group->epoll = epoll_create1(EPOLL_CLOEXEC);
    delivery->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (group->epoll < 0 || delivery->wake < 0 ||
        epoll_ctl(group->epoll, EPOLL_CTL_ADD, delivery->wake, &event) < 0)
        return -errno;
    return 0;
}

static void *run(void *argument)
{
    pthread_setname_np(pthread_self(), "picket-deliver");
    delivery_thread_run(argument);
    return NULL;
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
        .keeping = &delivery->intake.keeping,
    };
    if (!journal)
        return 0;
    delivery->group.letters = &delivery->backlog.letters;
    int r = intake_init(&delivery->intake);

    return r < 0 ? r : backlog_init(&delivery->backlog);
}

static void discard(struct delivery *delivery)
{
    intake_deinit(&delivery->intake);
    backlog_deinit(&delivery->backlog);
    news_deinit(&delivery->news);
    for (size_t i = 0; i < delivery->count; i++)
        output_deinit(&delivery->outputs[i]);
    free(delivery->outputs);
    launcher_set_deinit(&delivery->group.launchers);
    file_keeper_deinit(&delivery->group.keeper);
    responder_free(delivery->group.responder);
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
    news_init(&delivery->news);
    delivery->group.news = &delivery->news;
    delivery->patient = options->patient;
    int r = init_group(delivery);

    if (r == 0)
        r = delivery_startup_init(delivery, options, diags);
    if (r < 0) {
        discard(delivery);
        return r;
    }
    delivery_thread_settle(delivery);
    r = delivery->startup.state == START_FAILED ? -EINVAL
                                                : init_backlog(delivery, options->journal);
    if (r < 0) {
        r = delivery->startup.failure < 0 ? delivery->startup.failure : r;
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
    delivery_thread_wake(delivery);
    if (delivery->started)
        pthread_join(delivery->thread, NULL);
    else
        delivery_thread_run(delivery);
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

/* Into the queues of the outputs of ROUTE. Whether to wake the thread. */
static bool push_to_queues(struct delivery *delivery, struct queued_alert *alert, uint64_t route,
                           bool wait)
{
    bool idle = false;

    if (wait)
        await_room(delivery, route, alert);
    for (size_t i = 0; i < delivery->count; i++)
        if (is_routed(delivery, route, i))
            idle |= offer(delivery, &delivery->outputs[i], alert);
    return idle;
}

static bool keeps_waiting(const struct delivery *delivery, const struct queued_alert *alert)
{
    const struct backlog *backlog = &delivery->backlog;

    return !alert_queue_has_room(&delivery->intake.queue, alert) && !backlog->shows_failing &&
           !backlog->stalls && !delivery->group.broken;
}

/* One disk that does not answer costs the patience for one alert, not for each. */
static void await_journal(struct delivery *delivery, const struct queued_alert *alert)
{
    int64_t deadline = clock_monotonic() + DELIVERY_PATIENCE;
    int r = 0;

    if (alert_queue_has_room(&delivery->intake.queue, alert))
        delivery->tired = false;
    delivery->group.waiting++;
    while (r == 0 && !delivery->tired && keeps_waiting(delivery, alert))
        r = await_change(delivery, deadline);
    delivery->group.waiting--;
    delivery->tired |= r < 0;
}

/* Into the intake, on its way to the journal. 1: wake the thread; -ENOBUFS. */
static int push_to_intake(struct delivery *delivery, struct queued_alert *alert)
{
    const struct alert_place *place = queued_alert_place(alert);

    if (delivery->patient)
        await_journal(delivery, alert);
    journal_raise(delivery->journal);
    int r = intake_push(&delivery->intake, alert);

    if (r < 0) {
        count_refusal(delivery, place->route, REFUSAL_DROPPED);
        /* Whoever tells of it tells of what this one would have told, too. */
        news_add_overrun(&delivery->news, 1 + place->accounts);
    }
    return r;
}

static bool takes(const struct output *output, const struct delivery_alert *alert)
{
    bool is_event = alert->kind == PICKET_KIND_EVENT;

    return response_takes(output, alert->rule) &&
           (output->settings.forwards ? is_event || alert->is_own : !is_event);
}

/* ROUTE without the outputs that do not get such an alert. */
static uint64_t narrow(const struct delivery *delivery, uint64_t route,
                       const struct delivery_alert *alert)
{
    for (size_t i = 0; i < delivery->count; i++)
        if (!takes(&delivery->outputs[i], alert))
            route &= ~(UINT64_C(1) << i);
    return route;
}

/* Each output by its own way; alerts that no output gets are journalled as well. 1: wake the
 * thread; -ENOBUFS. */
static int push(struct delivery *delivery, struct queued_alert *alert, uint64_t route, bool wait)
{
    uint64_t direct = delivery->journal ? route & delivery->forwarding : route;
    int r = 0;

    queued_alert_place(alert)->route = route & ~direct;
    if (delivery->journal && !queued_alert_place(alert)->is_event)
        r = push_to_intake(delivery, alert);
    if (direct && push_to_queues(delivery, alert, direct, wait) && r == 0)
        r = 1;
    return r;
}

int delivery_push(struct delivery *delivery, const struct delivery_alert *alert, uint64_t route,
                  bool wait)
{
    route = narrow(delivery, route, alert);
    struct queued_alert *queued = NULL;
    int r = queued_alert_new(alert, &queued);

    pthread_mutex_lock(&delivery->group.lock);
    if (r < 0) {
        count_refusal(delivery, route, r == -EMSGSIZE ? REFUSAL_REJECTED : REFUSAL_DROPPED);
        if (r != -EMSGSIZE)
            keeping_refuse(&delivery->intake.keeping);
    } else {
        r = push(delivery, queued, route, wait);
    }
    pthread_mutex_unlock(&delivery->group.lock);
    queued_alert_drop(queued);
    if (r > 0)
        delivery_thread_wake(delivery);
    return r < 0 ? r : 0;
}

uint64_t delivery_mark(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->group.lock);
    uint64_t mark = keeping_mark(&delivery->intake.keeping);

    pthread_mutex_unlock(&delivery->group.lock);
    return mark;
}

static bool is_marked(struct delivery *delivery, uint64_t mark, enum keeping_state state)
{
    pthread_mutex_lock(&delivery->group.lock);
    bool is = delivery->journal && keeping_of(&delivery->intake.keeping, mark) == state;

    pthread_mutex_unlock(&delivery->group.lock);
    return is;
}

bool delivery_is_kept(struct delivery *delivery, uint64_t mark)
{
    return is_marked(delivery, mark, KEEPING_KEPT);
}

bool delivery_is_lost(struct delivery *delivery, uint64_t mark)
{
    return is_marked(delivery, mark, KEEPING_LOST);
}

static bool all_rest(const struct delivery *delivery)
{
    if (delivery->journal && !intake_rests(&delivery->intake))
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
    delivery_thread_wake(delivery);
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
    delivery_thread_wake(delivery);
}

uint64_t delivery_forwarding(const struct delivery *delivery)
{
    return delivery->forwarding;
}

const struct text *delivery_respond_to(const struct delivery *delivery, size_t index, size_t *count)
{
    const struct settings *settings = &delivery->outputs[index].settings;

    *count = settings->respond_to_count;
    return settings->respond_to;
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
    if (now != INT64_MAX)
        backlog_watch(&delivery->backlog, now);
    return news_take(&delivery->news, now, out);
}

void delivery_journal(struct delivery *delivery, struct delivery_journal *out)
{
    const struct backlog *backlog = &delivery->backlog;

    pthread_mutex_lock(&delivery->group.lock);
    *out = (struct delivery_journal){
        .there = delivery->journal != NULL,
        .fails = backlog->shows_failing || backlog->stalls,
        .journalled = backlog->journalled,
        .unjournalled = backlog->unjournalled,
        .overrun = delivery->intake.overrun,
        .waiting = delivery->intake.queue.count + backlog->shown_tail,
    };
    pthread_mutex_unlock(&delivery->group.lock);
}
