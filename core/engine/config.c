#include "engine/config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "journal/journal.h"
#include "sensor/sensor_bpf.h"

#define CONFIG_SIZE_MAX     (1 << 20)
#define CONFIG_VARIABLE_MAX 256 /* bytes of a variable's name */

struct reader {
    struct config *config;
    struct diag_list *diags;
    const char *path;
};

/* Variables that change what a program does, or say who is behind it. */
static const char *const environment_default[] = {
    "BASH_ENV",      "HISTFILE",     "LD_AUDIT",       "LD_LIBRARY_PATH",
    "LD_PRELOAD",    "NODE_OPTIONS", "PERL5OPT",       "PYTHONPATH",
    "PYTHONSTARTUP", "RUBYOPT",      "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND",
    "SUDO_USER",
};

void config_init(struct config *config)
{
    *config = (struct config){
        .failures = SENSOR_FAILURES_NATIVE,
        .journal = {true, false, JOURNAL_PATH, JOURNAL_SIZE, JOURNAL_AGE, {0}},
        .environment = environment_default,
        .environment_count = sizeof environment_default / sizeof *environment_default,
    };
}

void config_deinit(struct config *config)
{
    arena_deinit(&config->arena);
}

static void wrong_kind(struct reader *reader, const struct yaml_node *node, const char *key,
                       const char *wanted)
{
    diag_error(reader->diags, node->mark, "wrong-type", "'%s' wants %s", key, wanted);
}

static void unknown_key(struct reader *reader, const struct yaml_node *key,
                        const char *const *known, size_t count)
{
    const char *nearest = text_nearest(key->text, known, count);

    diag_error(reader->diags, key->mark, "unknown-key", "unknown key '%.*s'%s", TEXT_ARG(key->text),
               diag_hint(reader->diags, nearest));
}

static int read_rules(struct reader *reader, const struct yaml_node *node)
{
    struct config *config = reader->config;
    const char *slash = strrchr(reader->path, '/');
    int folder = slash ? (int)(slash - reader->path) + 1 : 0;

    if (node->kind != YAML_LIST) {
        wrong_kind(reader, node, "rules", "a list of files and folders");
        return 0;
    }
    config->rules = arena_array(&config->arena, node->count + 1, sizeof *config->rules);
    if (!config->rules)
        return -ENOMEM;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];

        if (item->kind != YAML_SCALAR || item->text.len == 0) {
            wrong_kind(reader, item, "rules", "paths");
            continue;
        }
        bool absolute = item->text.ptr[0] == '/';
        char *path = arena_printf(&config->arena, "%.*s%.*s", absolute ? 0 : folder, reader->path,
                                  TEXT_ARG(item->text));

        if (!path)
            return -ENOMEM;
        config->rules[config->rule_count++] = path;
    }
    return 0;
}

/* Where a secret is to be had: {file: PATH}, {credential: NAME}. */
static void read_secret_place(struct reader *reader, const struct yaml_node *key,
                              const struct yaml_node *value, struct output_setting *setting)
{
    const struct yaml_node *place = value->count == 1 ? value->items[0] : NULL;
    bool file = place && text_is(value->keys[0]->text, "file");

    if (!place || place->kind != YAML_SCALAR ||
        !(file || text_is(value->keys[0]->text, "credential"))) {
        diag_error(reader->diags, value->mark, "wrong-type",
                   "'%.*s' wants a value, or for a secret {file: PATH} or {credential: NAME}",
                   TEXT_ARG(key->text));
        return;
    }
    setting->source = file ? SETTING_FILE : SETTING_CREDENTIAL;
    setting->value = arena_text(&reader->config->arena, place->text);
    setting->value_mark = place->mark;
}

static void add_setting(struct reader *reader, struct output_config *output,
                        const struct yaml_node *key, const struct yaml_node *value, bool in_list)
{
    struct output_setting *setting = &output->settings[output->setting_count++];

    *setting = (struct output_setting){.key = arena_text(&reader->config->arena, key->text),
                                       .in_list = in_list,
                                       .key_mark = key->mark,
                                       .value_mark = value->mark};
    if (value->kind == YAML_MAP)
        read_secret_place(reader, key, value, setting);
    else if (value->kind == YAML_SCALAR)
        setting->value = arena_text(&reader->config->arena, value->text);
    else if (value->count)
        diag_error(reader->diags, value->mark, "wrong-type", "'%.*s' wants a list of values",
                   TEXT_ARG(key->text));
}

/* Each item of a list is a setting; a list without any is one without a value. */
static void add_settings(struct reader *reader, struct output_config *output,
                         const struct yaml_node *key, const struct yaml_node *value)
{
    if (value->kind != YAML_LIST || value->count == 0) {
        add_setting(reader, output, key, value, value->kind == YAML_LIST);
        return;
    }
    for (size_t i = 0; i < value->count; i++)
        add_setting(reader, output, key, value->items[i], true);
}

static size_t count_settings(const struct yaml_node *node)
{
    size_t count = 0;

    for (size_t i = 0; i < node->count; i++)
        count += node->items[i]->kind == YAML_LIST ? node->items[i]->count + 1 : 1;
    return count;
}

static int read_output(struct reader *reader, const struct yaml_node *node,
                       struct output_config *output)
{
    struct arena *arena = &reader->config->arena;

    *output = (struct output_config){.mark = node->mark};
    if (node->kind == YAML_SCALAR) {
        output->plugin = arena_text(arena, node->text);
        return output->plugin.ptr ? 0 : -ENOMEM;
    }
    output->settings = arena_array(arena, count_settings(node) + 1, sizeof *output->settings);
    if (!output->settings)
        return -ENOMEM;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->keys[i], *value = node->items[i];

        if (!text_is(key->text, "plugin"))
            add_settings(reader, output, key, value);
        else if (value->kind == YAML_SCALAR)
            output->plugin = arena_text(arena, value->text);
        else
            wrong_kind(reader, value, "plugin", "one value");
    }
    if (!output->plugin.len)
        diag_error(reader->diags, node->mark, "missing-key", "an output needs a 'plugin'");
    return 0;
}

static int read_outputs(struct reader *reader, const struct yaml_node *node)
{
    struct config *config = reader->config;

    if (node->kind != YAML_LIST) {
        wrong_kind(reader, node, "outputs", "a list of plugin names or of maps with a 'plugin'");
        return 0;
    }
    config->outputs = arena_array(&config->arena, node->count + 1, sizeof *config->outputs);
    if (!config->outputs)
        return -ENOMEM;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];

        if (item->kind == YAML_LIST) {
            wrong_kind(reader, item, "outputs", "plugin names or maps with a 'plugin'");
            continue;
        }
        int r = read_output(reader, item, &config->outputs[config->output_count++]);

        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_variable_name(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->text.len > 0 &&
           !memchr(node->text.ptr, '=', node->text.len) && node->text.len < CONFIG_VARIABLE_MAX;
}

static int read_environment(struct reader *reader, const struct yaml_node *node)
{
    struct config *config = reader->config;
    const char **names = arena_array(&config->arena, node->count + 1, sizeof *names);

    if (!names)
        return -ENOMEM;
    config->environment = names;
    config->environment_count = 0;
    if (node->kind != YAML_LIST)
        wrong_kind(reader, node, "environment", "a list of names of variables");
    for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
        const struct yaml_node *item = node->items[i];

        if (!is_variable_name(item)) {
            wrong_kind(reader, item, "environment", "names of variables, as in LD_PRELOAD");
            continue;
        }
        names[config->environment_count] = arena_text(&config->arena, item->text).ptr;
        if (!names[config->environment_count++])
            return -ENOMEM;
    }
    return 0;
}

static void read_watch(struct reader *reader, const struct yaml_node *node)
{
    if (!yaml_is_bool(node, &reader->config->watch))
        wrong_kind(reader, node, "watch", "true or false");
}

static const char *const exclusion_kinds[] = {
    [EXCLUDE_CGROUP] = "cgroup",
    [EXCLUDE_USER] = "user",
    [EXCLUDE_EXE] = "exe",
};

#define EXCLUSION_KINDS (sizeof exclusion_kinds / sizeof *exclusion_kinds)

static int read_exclusion(struct reader *reader, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    struct config *config = reader->config;
    size_t kind = 0;

    while (kind < EXCLUSION_KINDS && !text_is(key->text, exclusion_kinds[kind]))
        kind++;
    if (kind == EXCLUSION_KINDS) {
        unknown_key(reader, key, exclusion_kinds, EXCLUSION_KINDS);
        return 0;
    }
    if (value->kind != YAML_SCALAR || value->text.len == 0) {
        wrong_kind(reader, value, exclusion_kinds[kind], "one value");
        return 0;
    }
    struct config_exclusion *exclusion = &config->exclusions[config->exclusion_count++];

    *exclusion = (struct config_exclusion){
        .kind = (enum config_exclusion_kind)kind,
        .value = arena_text(&config->arena, value->text),
        .mark = value->mark,
    };
    return exclusion->value.ptr ? 0 : -ENOMEM;
}

static int read_exclusions(struct reader *reader, const struct yaml_node *node)
{
    struct config *config = reader->config;
    int r = 0;

    if (node->kind != YAML_LIST) {
        wrong_kind(reader, node, "exclude",
                   "a list of 'cgroup: ', 'user: ' or 'exe: ' and a value");
        return 0;
    }
    config->exclusions = arena_array(&config->arena, node->count + 1, sizeof *config->exclusions);
    if (!config->exclusions)
        return -ENOMEM;
    for (size_t i = 0; i < node->count && r == 0; i++) {
        const struct yaml_node *item = node->items[i];

        if (item->kind == YAML_MAP && item->count == 1)
            r = read_exclusion(reader, item->keys[0], item->items[0]);
        else
            wrong_kind(reader, item, "exclude", "'cgroup: ', 'user: ' or 'exe: ' and a value");
    }
    return r;
}

static void read_failures(struct reader *reader, const struct yaml_node *node)
{
    enum sensor_failures *failures = &reader->config->failures;
    bool wanted;

    if (yaml_is_bool(node, &wanted))
        *failures = wanted ? SENSOR_FAILURES_NATIVE : SENSOR_FAILURES_NONE;
    else if (node->kind == YAML_SCALAR && text_is(node->text, "all"))
        *failures = SENSOR_FAILURES_ALL;
    else
        wrong_kind(reader, node, "failures", "true, false or all");
}

/* Where events of other machines come from: its settings, or its address alone. */
static int read_source(struct reader *reader, const struct yaml_node *key,
                       const struct yaml_node *node)
{
    struct arena *arena = &reader->config->arena;
    struct output_config *source = arena_alloc(arena, sizeof *source);

    if (node->kind == YAML_LIST) {
        wrong_kind(reader, node, "nats", "an address, or a map of options");
        return 0;
    }
    if (source) {
        *source = (struct output_config){.mark = key->mark, .plugin = arena_text(arena, key->text)};
        source->settings = arena_array(arena, count_settings(node) + 1, sizeof *source->settings);
    }
    if (!source || !source->plugin.ptr || !source->settings)
        return -ENOMEM;
    reader->config->source = source;
    if (node->kind == YAML_SCALAR && node->text.len) {
        const struct yaml_node address = {.text = TEXT("servers"), .mark = node->mark};

        add_settings(reader, source, &address, node);
    }
    for (size_t i = 0; i < node->count; i++)
        add_settings(reader, source, node->keys[i], node->items[i]);
    return 0;
}

/* What is for events of this machine says nothing of those of others. */
static void check_sensor(struct reader *reader, const struct yaml_node *node)
{
    for (size_t i = 0; reader->config->source && i < node->count; i++)
        if (!text_equal(node->keys[i]->text, reader->config->source->plugin))
            diag_error(reader->diags, node->keys[i]->mark, "conflicting-keys",
                       "'%.*s' is for events of this machine, and this sensor reads '%.*s'",
                       TEXT_ARG(node->keys[i]->text), TEXT_ARG(reader->config->source->plugin));
}

static int read_sensor(struct reader *reader, const struct yaml_node *node)
{
    static const char *const known[] = {"ring", "failures", "environment", "exclude", "nats"};
    int r = 0;

    if (node->kind != YAML_MAP) {
        wrong_kind(reader, node, "sensor", "a map");
        return 0;
    }
    for (size_t i = 0; i < node->count && r == 0; i++) {
        const struct yaml_node *key = node->keys[i], *value = node->items[i];

        if (text_is(key->text, "ring")) {
            if (value->kind != YAML_SCALAR ||
                text_to_size(value->text, &reader->config->ring) < 0 ||
                reader->config->ring > (int64_t)SENSOR_RING_MOST)
                wrong_kind(reader, value, "ring", "a size as in 16MiB, at most 1GiB");
        } else if (text_is(key->text, "failures")) {
            read_failures(reader, value);
        } else if (text_is(key->text, "environment")) {
            r = read_environment(reader, value);
        } else if (text_is(key->text, "exclude")) {
            r = read_exclusions(reader, value);
        } else if (text_is(key->text, "nats")) {
            r = read_source(reader, key, value);
        } else {
            unknown_key(reader, key, known, sizeof known / sizeof *known);
        }
    }
    check_sensor(reader, node);
    return r;
}

static int read_user(struct reader *reader, const struct yaml_node *node)
{
    struct config *config = reader->config;

    if (node->kind != YAML_SCALAR || node->text.len == 0) {
        wrong_kind(reader, node, "user", "a user's name or number");
        return 0;
    }
    config->user = arena_text(&config->arena, node->text).ptr;
    config->user_mark = node->mark;
    return config->user ? 0 : -ENOMEM;
}

static int read_journal_key(struct reader *reader, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    static const char *const known[] = {"path", "size", "age"};
    struct config_journal *journal = &reader->config->journal;
    bool scalar = value->kind == YAML_SCALAR;

    if (text_is(key->text, "path")) {
        if (!scalar || value->text.len == 0 || *value->text.ptr != '/') {
            wrong_kind(reader, value, "path", "the path of a file, from '/' on");
            return 0;
        }
        journal->path = arena_text(&reader->config->arena, value->text).ptr;
        journal->mark = value->mark;
        return journal->path ? 0 : -ENOMEM;
    }
    if (text_is(key->text, "size")) {
        if (!scalar || text_to_size(value->text, &journal->size) < 0 ||
            journal->size < JOURNAL_SIZE_MIN)
            wrong_kind(reader, value, "size", "a size as in 1GiB, at least 1MiB");
    } else if (text_is(key->text, "age")) {
        if (!scalar || text_to_duration(value->text, &journal->age) < 0 || journal->age <= 0)
            wrong_kind(reader, value, "age", "a duration as in 30d");
    } else {
        unknown_key(reader, key, known, sizeof known / sizeof *known);
    }
    return 0;
}

static int read_journal(struct reader *reader, const struct yaml_node *node)
{
    struct config_journal *journal = &reader->config->journal;
    int r = 0;

    journal->mark = node->mark;
    journal->given = true;
    if (yaml_is_bool(node, &journal->wanted))
        return 0;
    if (node->kind != YAML_MAP) {
        wrong_kind(reader, node, "journal", "true, false or a map of path, size and age");
        return 0;
    }
    for (size_t i = 0; i < node->count && r == 0; i++)
        r = read_journal_key(reader, node->keys[i], node->items[i]);
    return r;
}

static void read_level(struct reader *reader, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR || severity_parse(node->text, &reader->config->min_level) < 0)
        wrong_kind(reader, node, "min_level",
                   "one of informational, low, medium, high and critical");
}

static int read_root(struct reader *reader, const struct yaml_node *root)
{
    static const char *const known[] = {"rules", "min_level", "watch", "outputs",
                                        "user",  "journal",   "sensor"};
    int r = 0;

    if (root->kind != YAML_MAP) {
        diag_error(
            reader->diags, root->mark, "wrong-type",
            "a configuration is a map with 'rules', 'min_level', 'watch', 'outputs', 'user', "
            "'journal' and 'sensor'");
        return 0;
    }
    for (size_t i = 0; i < root->count && r == 0; i++) {
        const struct yaml_node *key = root->keys[i], *value = root->items[i];

        if (text_is(key->text, "rules"))
            r = read_rules(reader, value);
        else if (text_is(key->text, "min_level"))
            read_level(reader, value);
        else if (text_is(key->text, "watch"))
            read_watch(reader, value);
        else if (text_is(key->text, "outputs"))
            r = read_outputs(reader, value);
        else if (text_is(key->text, "user"))
            r = read_user(reader, value);
        else if (text_is(key->text, "journal"))
            r = read_journal(reader, value);
        else if (text_is(key->text, "sensor"))
            r = read_sensor(reader, value);
        else
            unknown_key(reader, key, known, sizeof known / sizeof *known);
    }
    return r;
}

static int read_file(const char *path, struct buffer *out)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : buffer_read_fd(out, fd, CONFIG_SIZE_MAX);
}

int config_read(struct config *config, const char *path, struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    struct reader reader = {config, diags, arena_string(&config->arena, path)};
    struct yaml_documents documents = {0};
    size_t errors = diags->errors;
    int r;

    if (!reader.path)
        return -ENOMEM;
    r = read_file(path, &content);
    if (r < 0) {
        /* The diagnostics outlive the configuration. */
        diag_error(diags, (struct mark){.file = arena_string(&diags->arena, path)},
                   "unreadable-file", "cannot be read: %s", strerror(-r));
        return -EINVAL;
    }
    r = yaml_read(buffer_text(&content), path, &config->arena, diags, &documents);
    if (r == 0 && documents.count > 1 && documents.roots[1])
        diag_error(diags, documents.roots[1]->mark, "many-documents",
                   "a configuration is one document");
    if (r == 0 && documents.count > 0 && documents.roots[0])
        r = read_root(&reader, documents.roots[0]);
    if (r < 0)
        return r;
    return diags->errors > errors ? -EINVAL : 0;
}
