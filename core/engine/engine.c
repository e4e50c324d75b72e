#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/centre.h"
#include "engine/config.h"
#include "engine/delivery_alert.h"
#include "engine/detector.h"
#include "engine/exclusions.h"
#include "engine/hashes.h"
#include "engine/live.h"
#include "engine/privileges.h"
#include "engine/reload.h"
#include "engine/rule_stats.h"
#include "engine/signals.h"
#include "engine/status.h"
#include "sensor/replay.h"

/* How long the end may take: alerts that no output took by then are said. */
#define DRAIN_NS (10 * NS_PER_S)

struct engine {
    struct machine machine; /* in the configuration's arena */
    struct config config;
    bool has_config; /* there was a file */
    struct privileges privileges;
    struct exclusions exclusions;
    struct rule_paths paths; /* of the rules; the options' outlive the engine */
    struct rulebook *book;   /* until the detector has it */
    struct journal *journal; /* until the delivery has it; NULL: alerts wait in memory alone */
    struct delivery *delivery;
    struct detector *detector;
    struct rule_watch *watch; /* NULL: rules are read anew on request alone */
    struct reload *reload;    /* NULL in a replay */
    struct live *live;        /* likewise; and where events come from a stream: */
    struct stream *stream;
    struct centre *centre;
    struct exe_hash *hash;     /* NULL: nobody asks for one */
    struct exe_opener *opener; /* the hash's */
    size_t stats;              /* as the options have it */
    int64_t next_look;         /* whether the opener is there, monotonic */
};

static int load_config(struct engine *engine, const struct engine_options *options,
                       struct diag_list *diags)
{
    engine->has_config =
        options->config || (!options->replay && access(ENGINE_CONFIG_PATH, F_OK) == 0);
    if (options->config)
        return config_read(&engine->config, options->config, diags);
    if (engine->has_config)
        return config_read(&engine->config, ENGINE_CONFIG_PATH, diags);
    return 0;
}

/* The options' rules, else the configuration's, else the installed ones and the site's. */
static void choose_rules(struct engine *engine, const struct engine_options *options)
{
    static const char *const installed[] = {PICKET_RULES_DIR, ENGINE_SITE_RULES};
    const struct config *config = &engine->config;

    if (options->rule_count)
        engine->paths = (struct rule_paths){.paths = options->rules, .count = options->rule_count};
    else if (config->rule_count)
        engine->paths = (struct rule_paths){.paths = config->rules, .count = config->rule_count};
    else
        engine->paths = (struct rule_paths){
            .paths = installed,
            .count = sizeof installed / sizeof *installed,
            .where_there = true,
        };
    engine->paths.options = options->rule_options;
    if (engine->paths.options.min_level == SEVERITY_INFORMATIONAL)
        engine->paths.options.min_level = config->min_level;
}

/* What changes after the first look is noticed once the engine runs. */
static int watch_rules(struct engine *engine)
{
    bool changed;
    int r = rule_watch_new(&engine->paths, &engine->watch);

    if (r < 0)
        return r;
    rule_watch_look(engine->watch, &changed);
    return 0;
}

static int load_rules(struct engine *engine, const struct engine_options *options,
                      struct diag_list *diags)
{
    bool watched = !options->replay && (options->watch || engine->config.watch);
    int r;

    choose_rules(engine, options);
    r = watched ? watch_rules(engine) : 0;
    if (r == 0)
        r = rulebook_load(&engine->paths, diags, &engine->book);
    malloc_trim(0); /* compiling takes more memory than what is compiled */
    return r;
}

static int find_user(struct engine *engine, struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    if (!engine->config.user) {
        engine->privileges = privileges_default();
        return 0;
    }
    int r = privileges_find(engine->config.user, &engine->privileges, &why);

    if (r < 0)
        diag_error(diags, engine->config.user_mark, "wrong-user", "%s", buffer_string(&why));
    return r;
}

/* What `-o` says, or the configuration, or else the console. */
static int choose_outputs(struct engine *engine, const struct engine_options *options,
                          struct diag_list *diags)
{
    static const char *const console[] = {"console"};
    struct config *config = &engine->config;
    bool given = options->output_count > 0;
    size_t errors = diags->errors;

    if (!given && config->output_count)
        return 0;
    int r =
        output_config_parse(given ? options->outputs : console, given ? options->output_count : 1,
                            &config->arena, diags, &config->outputs, &config->output_count);

    return r == 0 && diags->errors > errors ? -EINVAL : r;
}

/* What `--sensor` says, or the configuration: config.source. */
static int choose_source(struct engine *engine, const struct engine_options *options,
                         struct diag_list *diags)
{
    struct config *config = &engine->config;

    if (options->replay)
        config->source = NULL;
    if (!options->sensor || options->replay)
        return 0;
    config->source = arena_alloc(&config->arena, sizeof *config->source);
    return config->source
               ? output_config_parse_source(options->sensor, &config->arena, diags, config->source)
               : -ENOMEM;
}

/* A journal is for a service: whoever names outputs by hand, and no configuration, has none. But
 * who reads a stream acknowledges what is journalled. */
static int open_journal(struct engine *engine, const struct engine_options *options,
                        struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    const struct config_journal *config = &engine->config.journal;
    bool is_service = options->output_count ? options->config && config->given : engine->has_config;
    const struct journal_options journal = {
        .path = config->path,
        .size = config->size,
        .age = config->age,
        .uid = engine->privileges.uid,
        .gid = engine->privileges.gid,
    };

    if (engine->config.source && !config->wanted) {
        diag_error(diags, config->mark, "sensor-needs-journal",
                   "a sensor for events of other machines needs a journal");
        return -EINVAL;
    }
    if (options->replay || !config->wanted || !(is_service || engine->config.source))
        return 0;
    int r = journal_new(&journal, &why, &engine->journal);

    if (r < 0 && r != -ENOMEM) {
        diag_error(diags, config->mark, "journal-failed", "the journal '%s' cannot be opened: %s",
                   config->path, buffer_string(&why));
        r = -EINVAL;
    }
    return r;
}

static int start_outputs(struct engine *engine, const struct engine_options *options,
                         struct diag_list *diags)
{
    const struct delivery_options delivery = {
        .outputs = engine->config.outputs,
        .output_count = engine->config.output_count,
        .launcher_uid = engine->privileges.uid,
        .launcher_gid = engine->privileges.gid,
        .journal = engine->journal,
        .live = !options->replay && !engine->config.source,
    };
    int r = delivery_new(&delivery, diags, &engine->delivery);

    if (r == 0)
        engine->journal = NULL;
    return r;
}

/* Before the delivery has its thread: it forks. */
static int start_stream(struct engine *engine, struct diag_list *diags)
{
    const struct stream_options options = {
        .config = engine->config.source,
        .launcher_uid = engine->privileges.uid,
        .launcher_gid = engine->privileges.gid,
    };

    return engine->config.source ? stream_new(&options, diags, &engine->stream) : 0;
}

/* Nothing is excluded from a replay, nor from what others have seen. */
static int find_exclusions(struct engine *engine, const struct engine_options *options,
                           struct diag_list *diags)
{
    size_t errors = diags->errors;
    bool ours = !options->replay && !engine->config.source;
    int r = ours ? exclusions_resolve(&engine->config, diags, &engine->exclusions) : 0;

    return r == 0 && diags->errors > errors ? -EINVAL : r;
}

/* Configuration, rules and outputs are all looked at, so that a user sees all mistakes at once; but
 * no output is started for rules that are not there. */
static int start(struct engine *engine, const struct engine_options *options,
                 struct diag_list *diags)
{
    int config = load_config(engine, options, diags);

    if (config < 0 && config != -EINVAL)
        return config;
    int rules = load_rules(engine, options, diags);
    int outputs = choose_outputs(engine, options, diags);
    int source = choose_source(engine, options, diags);
    int exclusions = find_exclusions(engine, options, diags);
    int user = find_user(engine, diags);
    int r = config < 0       ? config
            : rules < 0      ? rules
            : outputs < 0    ? outputs
            : source < 0     ? source
            : exclusions < 0 ? exclusions
                             : user;

    if (r == 0)
        r = open_journal(engine, options, diags);
    if (r == 0)
        r = start_outputs(engine, options, diags);
    if (r == 0)
        r = start_stream(engine, diags);
    if (r < 0)
        return r;
    rulebook_route(engine->book, engine->delivery);

    struct detector_options detector = {
        .book = engine->book,
        .delivery = engine->delivery,
        .wait = options->replay,
        .engine = {&engine->machine, engine->exclusions.texts, engine->exclusions.count},
    };

    r = detector_new(&detector, &engine->detector);
    if (r == 0)
        engine->book = NULL;
    return r;
}

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
        r = start(engine, options, diags);
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

static void finish(struct engine *engine)
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

static int start_delivery(struct engine *engine)
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
    return start_delivery(engine);
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

    finish(engine);
    live_count(engine->live, &counters);
    on_status(engine, &counters);
    return r;
}

static int run_centre(struct engine *engine)
{
    struct centre_counters counters;
    int r = centre_run(engine->centre);

    finish(engine);
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
        r = start_delivery(engine);
    if (r < 0)
        return r;
    r = replay_lines(engine, replay, path, &refused);
    finish(engine);
    bool whole = status_print_replay(engine->detector, engine->delivery, refused);

    if (engine->stats)
        rule_stats_print(book->rules, book->matcher, engine->stats);
    if (r < 0)
        return r;
    return refused ? -EINVAL : whole ? 0 : -EIO;
}
