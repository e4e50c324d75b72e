#include "stream/stream_settings.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum common { COMMON_DEADLINE, COMMON_MEMORY, COMMON_COUNT };

/* clang-format off */
#define LITERAL(string) {(string), sizeof(string) - 1}
/* clang-format on */

static const struct plugin_option common[COMMON_COUNT] = {
    [COMMON_DEADLINE] = {.name = LITERAL("deadline"),
                         .type = PICKET_DURATION,
                         .value = LITERAL("30s"),
                         .min = 5 * NS_PER_S,
                         .max = 3600 * NS_PER_S,
                         .help = LITERAL("it is heard of within this time, or is killed")},
    [COMMON_MEMORY] = {.name = LITERAL("memory"),
                       .type = PICKET_SIZE,
                       .value = LITERAL("512MiB"),
                       .min = 1 << 20,
                       .max = 1LL << 40,
                       .help = LITERAL("that its host may use beyond what it starts with")},
};

int stream_settings_read(const struct option_reader *reader, struct stream_settings *out)
{
    struct option_value values[COMMON_COUNT];
    int r = 0;

    for (size_t i = 0; r == 0 && i < COMMON_COUNT; i++)
        r = option_value_read(reader, &common[i], &values[i]);
    if (r < 0)
        return r;
    *out = (struct stream_settings){
        .name = arena_text(reader->arena, output_config_name(reader->config)).ptr,
        .deadline = values[COMMON_DEADLINE].number,
        .memory = values[COMMON_MEMORY].number,
    };
    return out->name ? 0 : -ENOMEM;
}

static const struct plugin_option *find_option(const struct plugin_info *info, size_t index)
{
    return index < COMMON_COUNT ? &common[index] : &info->options[index - COMMON_COUNT];
}

/* NAMES has room for one of each. */
static bool is_known(const struct option_reader *reader, const struct plugin_info *info,
                     struct text key, const char **names)
{
    for (size_t i = 0; i < info->option_count + COMMON_COUNT; i++) {
        const struct plugin_option *option = find_option(info, i);

        if (text_equal(key, option->name))
            return true;
        names[i] = arena_text(reader->arena, option->name).ptr;
        if (!names[i])
            names[i] = "";
    }
    return false;
}

static int check_names(const struct option_reader *reader, const struct plugin_info *info)
{
    const struct output_config *config = reader->config;
    size_t count = info->option_count + COMMON_COUNT;
    const char **names = arena_array(reader->arena, count, sizeof *names);

    for (size_t i = 0; names && i < config->setting_count; i++) {
        const struct output_setting *setting = &config->settings[i];

        if (is_known(reader, info, setting->key, names))
            continue;
        const char *nearest = text_nearest(setting->key, names, count);

        diag_hide(reader->diags, setting->value_mark); /* it may be meant for a secret */
        diag_error(reader->diags, setting->key_mark, "unknown-option",
                   "sensor '%.*s' has no option '%.*s'%s", TEXT_ARG(output_config_name(config)),
                   TEXT_ARG(setting->key), diag_hint(reader->diags, nearest));
    }
    return names ? 0 : -ENOMEM;
}

int stream_settings_read_options(const struct option_reader *reader, const struct plugin_info *info,
                                 struct stream_settings *out)
{
    size_t count = info->option_count;
    struct option_value *values = arena_array(reader->arena, count + 1, sizeof *values);
    int r = values ? check_names(reader, info) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = option_value_read(reader, &info->options[i], &values[i]);
    if (r == 0)
        out->options = (struct settings){.values = values, .value_count = count};
    return r;
}
