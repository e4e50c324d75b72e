#include "output/settings.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum common {
    COMMON_NAME,
    COMMON_DEADLINE,
    COMMON_QUEUE,
    COMMON_QUEUE_SIZE,
    COMMON_BATCH,
    COMMON_MEMORY,
    COMMON_SHA256,
    COMMON_COUNT
};

/* clang-format off */
#define LITERAL(string) {(string), sizeof(string) - 1}
/* clang-format on */

static const struct plugin_option common[COMMON_COUNT] = {
    [COMMON_NAME] = {.name = LITERAL("name"),
                     .type = PICKET_STRING,
                     .help = LITERAL("what routes and messages call it; else as its plugin")},
    [COMMON_DEADLINE] = {.name = LITERAL("deadline"),
                         .type = PICKET_DURATION,
                         .value = LITERAL("10s"),
                         .min = 10 * NS_PER_MS,
                         .max = 3600 * NS_PER_S,
                         .help = LITERAL("its plugin answers within this time, or is killed")},
    [COMMON_QUEUE] = {.name = LITERAL("queue"),
                      .type = PICKET_INT,
                      .value = LITERAL("8192"),
                      .min = 1,
                      .max = 1 << 24,
                      .help = LITERAL("alerts that may wait for it; more are dropped, counted")},
    [COMMON_QUEUE_SIZE] = {.name = LITERAL("queue_size"),
                           .type = PICKET_SIZE,
                           .value = LITERAL("64MiB"),
                           .min = 1 << 16,
                           .max = 1LL << 40,
                           .help = LITERAL("bytes of alerts that may wait for it")},
    [COMMON_BATCH] = {.name = LITERAL("batch"),
                      .type = PICKET_INT,
                      .min = 1,
                      .max = SETTINGS_BATCH_MAX,
                      .help = LITERAL("the most alerts it is given at once; else its own choice")},
    [COMMON_MEMORY] = {.name = LITERAL("memory"),
                       .type = PICKET_SIZE,
                       .value = LITERAL("512MiB"),
                       .min = 1 << 20,
                       .max = 1LL << 40,
                       .help = LITERAL("that its host may use beyond what it starts with")},
    [COMMON_SHA256] = {.name = LITERAL("sha256"),
                       .type = PICKET_BOOL,
                       .value = LITERAL("false"),
                       .help = LITERAL("alerts have exe.sha256, though no rule asks for it")},
};

const struct plugin_option *settings_common(size_t *count)
{
    *count = COMMON_COUNT;
    return common;
}

bool settings_is_common(struct text name)
{
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if (text_equal(name, common[i].name))
            return true;
    return false;
}

static bool parse_bool(struct text t, int64_t *out)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal_nocase(t, text_from(words[i]))) {
            *out = i >= 3;
            return true;
        }
    return false;
}

static bool parse_choice(struct text t, struct text choices, int64_t *out)
{
    for (int64_t i = 0; choices.ptr; i++)
        if (text_equal(text_split(&choices, '|'), t)) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_number(struct text t, uint32_t type, int64_t *out)
{
    if (type == PICKET_INT)
        return text_to_int(t, out) == 0;
    return (type == PICKET_SIZE ? text_to_size(t, out) : text_to_duration(t, out)) == 0;
}

static bool parse_value(struct text t, const struct plugin_option *option, int64_t *out)
{
    switch ((enum picket_option_type)option->type) {
    case PICKET_INT:
    case PICKET_SIZE:
    case PICKET_DURATION:
        return parse_number(t, option->type, out) && ((option->min == 0 && option->max == 0) ||
                                                      (*out >= option->min && *out <= option->max));
    case PICKET_BOOL:
        return parse_bool(t, out);
    case PICKET_ENUM:
        return parse_choice(t, option->choices, out);
    case PICKET_FILE:
        return t.len != 0;
    case PICKET_STRING:
        break;
    }
    return true;
}

/* "a, b or c" */
static void put_choices(struct buffer *out, struct text choices)
{
    while (choices.ptr) {
        buffer_put_text(out, text_split(&choices, '|'));
        if (choices.ptr)
            buffer_put_string(out, memchr(choices.ptr, '|', choices.len) ? ", " : " or ");
    }
}

static void put_range(struct buffer *out, const struct plugin_option *option)
{
    bool duration = option->type == PICKET_DURATION;
    int64_t unit = duration ? NS_PER_MS : 1;
    const char *name = duration ? "ms" : "";

    if (option->min || option->max)
        buffer_printf(out, ", from %lld%s to %lld%s", (long long)(option->min / unit), name,
                      (long long)(option->max / unit), name);
}

static void put_wanted(struct buffer *out, const struct plugin_option *option)
{
    static const char *const wanted[] = {
        [PICKET_STRING] = "a text",
        [PICKET_INT] = "a whole number",
        [PICKET_BOOL] = "true or false",
        [PICKET_SIZE] = "a size, as in 512 or 10MiB",
        [PICKET_DURATION] = "a duration, as in 250ms or 1h30m",
        [PICKET_FILE] = "a path, or '-' for standard output",
    };

    if (option->type == PICKET_ENUM) {
        put_choices(out, option->choices);
        return;
    }
    buffer_put_string(out, wanted[option->type]);
    put_range(out, option);
}

static void diagnose_value(struct diag_list *diags, const struct output_setting *setting,
                           const struct plugin_option *option)
{
    CLEANUP(buffer_deinit) struct buffer wanted = {0};
    CLEANUP(buffer_deinit) struct buffer given = {0};

    put_wanted(&wanted, option);
    if (!(option->flags & PICKET_SECRET))
        buffer_printf(&given, "; not '%.*s'", TEXT_ARG(setting->value));
    diag_error(diags, setting->value_mark, "bad-option-value", "option '%.*s' takes %s%s",
               TEXT_ARG(setting->key), buffer_string(&wanted), buffer_string(&given));
}

static const struct output_setting *find_setting(const struct output_config *config,
                                                 struct text key)
{
    for (size_t i = 0; i < config->setting_count; i++)
        if (text_equal(config->settings[i].key, key))
            return &config->settings[i];
    return NULL;
}

/* What the user set, or the default, or nothing. */
static void read_value(const struct output_config *config, const struct plugin_option *option,
                       struct diag_list *diags, struct option_value *out)
{
    const struct output_setting *setting = find_setting(config, option->name);
    struct text given = setting ? setting->value : option->value;

    *out = (struct option_value){.mark = setting ? setting->value_mark : config->mark};
    if (!setting && option->flags & PICKET_REQUIRED) {
        diag_error(diags, config->mark, "missing-option", "output '%.*s' needs its option '%.*s'",
                   TEXT_ARG(output_config_name(config)), TEXT_ARG(option->name));
        return;
    }
    if (!given.ptr)
        return;
    out->text = given;
    out->set = parse_value(given, option, &out->number);
    if (!out->set && setting)
        diagnose_value(diags, setting, option);
    else if (!out->set)
        diag_error(diags, config->mark, "plugin-failed",
                   "plugin '%.*s' is broken: the default of its option '%.*s' is none",
                   TEXT_ARG(config->plugin), TEXT_ARG(option->name));
}

static void check_repeats(const struct output_config *config, struct diag_list *diags)
{
    for (size_t i = 0; i < config->setting_count; i++)
        if (find_setting(config, config->settings[i].key) != &config->settings[i])
            diag_error(diags, config->settings[i].key_mark, "duplicate-option",
                       "option '%.*s' is set twice", TEXT_ARG(config->settings[i].key));
}

int settings_read(const struct output_config *config, struct arena *arena, struct diag_list *diags,
                  struct settings *out)
{
    struct option_value values[COMMON_COUNT];

    for (size_t i = 0; i < COMMON_COUNT; i++)
        read_value(config, &common[i], diags, &values[i]);
    check_repeats(config, diags);
    *out = (struct settings){.name = arena_text(arena, output_config_name(config)),
                             .deadline = values[COMMON_DEADLINE].number,
                             .queue = values[COMMON_QUEUE].number,
                             .queue_size = values[COMMON_QUEUE_SIZE].number,
                             .batch = values[COMMON_BATCH].number,
                             .memory = values[COMMON_MEMORY].number,
                             .sha256 = values[COMMON_SHA256].number};
    return out->name.ptr ? 0 : -ENOMEM;
}

static int diagnose_unknown(struct diag_list *diags, const struct output_config *config,
                            const struct output_setting *setting, const struct plugin_info *info)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char **names = arena_array(&arena, info->option_count + COMMON_COUNT, sizeof *names);

    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < info->option_count + COMMON_COUNT; i++) {
        names[i] = arena_text(&arena, i < COMMON_COUNT ? common[i].name
                                                       : info->options[i - COMMON_COUNT].name)
                       .ptr;
        if (!names[i])
            return -ENOMEM;
    }
    const char *nearest = text_nearest(setting->key, names, info->option_count + COMMON_COUNT);

    diag_error(diags, setting->key_mark, "unknown-option", "output '%.*s' has no option '%.*s'%s",
               TEXT_ARG(output_config_name(config)), TEXT_ARG(setting->key),
               diag_hint(diags, nearest));
    return 0;
}

static bool is_known(struct text key, const struct plugin_info *info)
{
    for (size_t i = 0; i < info->option_count; i++)
        if (text_equal(key, info->options[i].name))
            return true;
    return settings_is_common(key);
}

int settings_read_options(const struct output_config *config, const struct plugin_info *info,
                          struct arena *arena, struct diag_list *diags, struct settings *out)
{
    size_t count = info->option_count;
    struct option_value *values = arena_array(arena, count ? count : 1, sizeof *values);

    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct output_setting *setting = &config->settings[i];
        int r = is_known(setting->key, info) ? 0 : diagnose_unknown(diags, config, setting, info);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < count; i++)
        read_value(config, &info->options[i], diags, &values[i]);
    out->values = values;
    out->value_count = count;
    return 0;
}
