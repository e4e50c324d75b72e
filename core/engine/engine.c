#include <errno.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/delivery_alert.h"
#include "engine/engine_state.h"
#include "engine/signals.h"
#include "engine/status.h"

/* How long the end may take: alerts that no output took by then are said. */
#define DRAIN_NS (10 * NS_PER_S)

int engine_new(const struct engine_options *options, struct diag_list *diags, struct engine **out)
{
    CLEANUP(engine_freep) struct engine *engine = calloc(1, sizeof *engine);

    if (!engine)
        return -ENOMEM;
    config_init(&engine->config);
    engine->stats = options->stats;
    /* An output host may have our user id; it must not read our memory through /proc. */
    prctl(PR_SET_DUMPABLE, 0);
    int r = machine_read(&engine->config.arena, &engine->machine);

    if (r == 0)
        r = engine_start(engine, options, diags);
    if (r < 0)
        return r;
    *out = engine;
    engine = NULL;
    return 0;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    reload_free(engine->reload);
    rule_watch_free(engine->watch);
    live_free(engine->live);
    centre_free(engine->centre);
    stream_free(engine->stream);
    detector_free(engine->detector);
    rulebook_free(engine->book);
    exe_hash_free(engine->hash);
    delivery_free(engine->delivery);
    journal_free(engine->journal);
    config_deinit(&engine->config);
    free(engine);
}

/* What outputs did with the last alerts may be a reason for others. */
static int drain(struct engine *engine)
{
    int r = delivery_drain(engine->delivery, DRAIN_NS);

    if (r < 0)
        return r;
    delivery_alert_raise(engine->delivery, engine->detector, INT64_MAX);
    return delivery_drain(engine->delivery, DRAIN_NS);
}

void engine_finish(struct engine *engine)
{
    struct delivery_journal journal;

    detector_tick(engine->detector, INT64_MAX);
    delivery_alert_raise(engine->delivery, engine->detector, INT64_MAX);
    if (drain(engine) == 0)
        return;
    delivery_journal(engine->delivery, &journal);
    log_warning("some alerts were not delivered: see 'queued' below%s",
                journal.there && !journal.fails ? "; they wait in the journal for the next start"
                                                : "");
}

static bool wants_hashes(const struct engine *engine)
{
    return detector_rulebook(engine->detector)->asks_sha256 ||
           delivery_asks_sha256(engine->delivery);
}

/* Between two events: other rules, when there are. */
static void take_rules(struct engine *engine)
{
    struct reload_offer *offer = reload_take(engine->reload);

    if (!offer)
        return;
    if (offer->book) {
        offer->book = detector_exchange(engine->detector, offer->book);
        if (engine->live)
            live_set_hash(engine->live, wants_hashes(engine) ? engine->hash : NULL);
    }
    if (offer->alerts)
        detector_raise_internal(engine->detector, &offer->alert);
    reload_return(engine->reload, offer);
}

static void on_message(void *context)
{
    take_rules(context);
}

static void on_event(void *context, const struct event *event)
{
    struct engine *engine = context;

    take_rules(engine);
    detector_on_event(engine->detector, event);
}

static void on_loss(void *context, const struct loss *loss, uint64_t boot)
{
    struct engine *engine = context;

    detector_on_loss(engine->detector, loss, boot);
}

static void on_internal(void *context, const struct internal_alert *alert)
{
    struct engine *engine = context;

    detector_raise_internal(engine->detector, alert);
}

static bool has_lost_opener(struct engine *engine)
{
    int64_t now = clock_monotonic();

    if (!engine->hash || now < engine->next_look)
        return false;
    engine->next_look = now + NS_PER_S;
    if (!exe_opener_is_gone(engine->opener))
        return false;
    log_error("the process that opens executables is gone: no rule sees a hash any more");
    return true;
}

static int on_batch(void *context)
{
    struct engine *engine = context;

    take_rules(engine);
    detector_tick(engine->detector, clock_realtime());
    delivery_alert_raise(engine->delivery, engine->detector, clock_monotonic());
    if (has_lost_opener(engine))
        return -EPIPE;
    /* Who could start another launcher is gone: whoever started the engine must start it again. */
    return delivery_is_broken(engine->delivery) ? -EPIPE : 0;
}

static int on_centre_batch(void *context, int64_t time)
{
    struct engine *engine = context;

    take_rules(engine);
    detector_tick(engine->detector, time);
    delivery_alert_raise(engine->delivery, engine->detector, clock_monotonic());
    return stream_is_broken(engine->stream) || delivery_is_broken(engine->delivery) ? -EPIPE : 0;
}

/* As the source of events knows it, and the rest. */
static void print_status(const struct engine *engine, struct status status)
{
    status.detector = engine->detector;
    status.delivery = engine->delivery;
    status.hash = engine->hash;
    status.reload = engine->reload;
    status_print(&status);
}

static void on_status(void *context, const struct live_counters *live)
{
    print_status(context, (struct status){.live = live});
}

static void on_centre_status(void *context, const struct centre_counters *centre)
{
    print_status(context, (struct status){.centre = centre});
}

static void on_reopen(void *context)
{
    struct engine *engine = context;

    delivery_reopen(engine->delivery);
}

static void on_reload(void *context)
{
    struct engine *engine = context;

    reload_ask(engine->reload);
}

static void announce(const struct engine *engine)
{
    const struct ruleset *rules = detector_rulebook(engine->detector)->rules;
    size_t enabled = 0;

    /* What only feeds correlations is a part of them. */
    for (size_t i = 0; i < rules->count; i++)
        enabled += rules->rules[i]->enabled && !rules->rules[i]->silent;
    size_t outputs = delivery_output_count(engine->delivery);

    log_info("version %s, %s: %zu rule%s, %zu output%s; Ctrl-C ends it", PICKET_VERSION,
             engine->stream ? "reading what other machines send" : "watching", enabled,
             text_plural(enabled), outputs, text_plural(outputs));
    for (size_t i = 0; i < engine->exclusions.count; i++)
        log_info("not watched, as the configuration says: %s", engine->exclusions.texts[i]);
}

int engine_start_delivery(struct engine *engine)
{
    int r = delivery_start(engine->delivery);

    if (r < 0)
        log_error("outputs: %s", strerror(-r));
    return r;
}

static int open_reload(struct engine *engine)
{
    struct reload_options options = {
        .paths = &engine->paths,
        .delivery = engine->delivery,
        .book = detector_rulebook(engine->detector),
        .watch = engine->watch,
        .hashes = engine->hash || engine->stream,
    };

    return reload_new(&options, &engine->reload);
}

/* No thread before this: what it gives up is each thread's own. */
static int drop_privileges(struct engine *engine)
{
    int r = privileges_drop(&engine->privileges);

    if (r == 0 && engine->hash)
        r = exe_hash_start(engine->hash);
    if (r == 0)
        r = reload_start(engine->reload);
    if (r < 0)
        return r;
    if (engine->live)
        live_set_hash(engine->live, engine->hash);
    return engine_start_delivery(engine);
}

/* All that needs root; then nothing of it is left. */
static int prepare(struct engine *engine, int signals)
{
    int r =
        wants_hashes(engine) ? hashes_new(&engine->privileges, &engine->opener, &engine->hash) : 0;

    if (r == 0)
        r = open_reload(engine);
    if (r < 0)
        return r;
    struct live_options options = {
        .ring = engine->config.ring,
        .failures = engine->config.failures,
        .environment = engine->config.environment,
        .environment_count = engine->config.environment_count,
        .filters = engine->exclusions.filters,
        .filter_count = engine->exclusions.count,
        .machine = &engine->machine,
        .signals = signals,
        .bell = reload_bell(engine->reload),
        .on_event = on_event,
        .on_loss = on_loss,
        .on_internal = on_internal,
        .on_batch = on_batch,
        .on_status = on_status,
        .on_reopen = on_reopen,
        .on_reload = on_reload,
        .context = engine,
    };

    r = live_new(&options, &engine->live);
    return r < 0 ? r : drop_privileges(engine);
}

/* Where no root is needed, and none is kept. */
static int prepare_centre(struct engine *engine, int signals)
{
    int r = open_reload(engine);

    if (r < 0)
        return r;
    const struct centre_options options = {
        .stream = engine->stream,
        .machine = &engine->machine,
        .detector = engine->detector,
        .delivery = engine->delivery,
        .signals = signals,
        .bell = reload_bell(engine->reload),
        .on_batch = on_centre_batch,
        .on_event = on_message,
        .on_status = on_centre_status,
        .on_reopen = on_reopen,
        .on_reload = on_reload,
        .context = engine,
    };

    r = centre_new(&options, &engine->centre);
    return r < 0 ? r : drop_privileges(engine);
}

static int run_live(struct engine *engine)
{
    struct live_counters counters;
    int r = live_run(engine->live);

    engine_finish(engine);
    live_count(engine->live, &counters);
    on_status(engine, &counters);
    return r;
}

static int run_centre(struct engine *engine)
{
    struct centre_counters counters;
    int r = centre_run(engine->centre);

    engine_finish(engine);
    centre_count(engine->centre, &counters);
    on_centre_status(engine, &counters);
    return r;
}

int engine_watch(struct engine *engine)
{
    CLEANUP(closep) int signals = signals_open(true);

    if (signals < 0) {
        log_error("signals: %s", strerror(-signals));
        return signals;
    }
    int r = engine->stream ? prepare_centre(engine, signals) : prepare(engine, signals);

    if (r < 0)
        return r;
    announce(engine);
    log_set_waiting(false);
    return engine->stream ? run_centre(engine) : run_live(engine);
}
