#include <errno.h>
#include <malloc.h>

#include "base/log.h"
#include "engine/delivery_alert.h"
#include "engine/engine_state.h"

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
        .patient = engine->config.source != NULL,
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
int engine_start(struct engine *engine, const struct engine_options *options,
                 struct diag_list *diags)
{
    int config = load_config(engine, options, diags);

    if (config < 0 && config != -EINVAL)
        return config;
    /* Of a configuration that cannot be read nobody knows which rules it names. */
    bool unnamed = config < 0 && !options->rule_count && !engine->config.rule_count;
    int rules = unnamed ? 0 : load_rules(engine, options, diags);
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
        .many_machines = engine->config.source != NULL,
        .engine = {&engine->machine, engine->exclusions.texts, engine->exclusions.count},
    };

    r = detector_new(&detector, &engine->detector);
    if (r == 0)
        engine->book = NULL;
    return r;
}
