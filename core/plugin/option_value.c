#include "plugin/option_value.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "plugin/secret.h"

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
    case PICKET_FOLDER:
    case PICKET_SOCKET:
        return t.len != 0;
    case PICKET_STRING:
    case PICKET_STRINGS:
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

static void put_wanted(struct buffer *out, const struct plugin_option *option)
{
    static const char *const wanted[] = {
        [PICKET_STRING] = "a text",
        [PICKET_INT] = "a whole number",
        [PICKET_BOOL] = "true or false",
        [PICKET_SIZE] = "a size, as in 512 or 10MiB",
        [PICKET_DURATION] = "a duration, as in 250ms or 1h30m",
        [PICKET_FILE] = "a path, or '-' for standard output",
        [PICKET_STRINGS] = "a list of texts",
        [PICKET_FOLDER] = "the path of a folder",
        [PICKET_SOCKET] = "the path of a socket to make",
    };

    if (option->type == PICKET_ENUM) {
        put_choices(out, option->choices);
        return;
    }
    buffer_put_string(out, wanted[option->type]);
    if (option->min || option->max) {
        buffer_put_string(out, ", from ");
        plugin_option_put_range(out, option);
    }
}

static void diagnose_value(const struct option_reader *reader, const struct output_setting *setting,
                           const struct plugin_option *option)
{
    CLEANUP(buffer_deinit) struct buffer wanted = {0};
    CLEANUP(buffer_deinit) struct buffer given = {0};

    put_wanted(&wanted, option);
    if (!(option->flags & PICKET_SECRET))
        buffer_printf(&given, "; not '%.*s'", TEXT_ARG(setting->value));
    diag_error(reader->diags, setting->value_mark, "bad-option-value", "option '%.*s' takes %s%s",
               TEXT_ARG(setting->key), buffer_string(&wanted), buffer_string(&given));
}

/* Whose configuration anybody may read keeps no secret in it. */
static void warn_of_readers(const struct option_reader *reader,
                            const struct output_setting *setting)
{
    const char *file = setting->value_mark.file;
    struct stat status;

    if (file && stat(file, &status) == 0 && status.st_mode & S_IROTH)
        log_warning("output %.*s: its secret '%.*s' stands in %s, which everybody may read",
                    TEXT_ARG(output_config_name(reader->config)), TEXT_ARG(setting->key), file);
}

static void check_inline(const struct option_reader *reader, const struct output_setting *setting)
{
    diag_hide(reader->diags, setting->value_mark);
    if (!reader->config->exposed) {
        warn_of_readers(reader, setting);
        return;
    }
    diag_error(reader->diags, setting->key_mark, "exposed-secret",
               "option '%.*s' is a secret, and arguments are for everybody to see: "
               "'%.*s.file=PATH' names a file that holds it, '%.*s.credential=NAME' a credential "
               "of systemd",
               TEXT_ARG(setting->key), TEXT_ARG(setting->key), TEXT_ARG(setting->key));
}

/* The text that SETTING means; ptr NULL after a diagnostic. */
static struct text find_text(const struct option_reader *reader,
                             const struct output_setting *setting,
                             const struct plugin_option *option)
{
    bool secret = option->flags & PICKET_SECRET;
    struct text found;

    if (setting->source == SETTING_VALUE) {
        if (secret)
            check_inline(reader, setting);
        return arena_text(reader->arena, setting->value);
    }
    if (!secret) {
        diag_error(reader->diags, setting->key_mark, "bad-option-value",
                   "option '%.*s' takes its value as it is: it is no secret",
                   TEXT_ARG(setting->key));
        return (struct text){NULL, 0};
    }
    const char *why = secret_read(setting, reader->arena, &found);

    if (why || !found.ptr)
        diag_error(reader->diags, setting->value_mark, "unreadable-secret",
                   "the secret for option '%.*s' cannot be had: %s", TEXT_ARG(setting->key),
                   why ? why : "out of memory");
    return found;
}

static void read_given(const struct option_reader *reader, const struct output_setting *setting,
                       const struct plugin_option *option, struct option_value *out)
{
    if (setting->in_list) {
        diag_error(reader->diags, setting->value_mark, "bad-option-value",
                   "option '%.*s' takes one value, no list", TEXT_ARG(setting->key));
        return;
    }
    out->text = find_text(reader, setting, option);
    if (!out->text.ptr)
        return;
    out->set = parse_value(out->text, option, &out->number);
    if (!out->set)
        diagnose_value(reader, setting, option);
}

static void read_default(const struct option_reader *reader, const struct plugin_option *option,
                         struct option_value *out)
{
    out->text = option->value;
    out->set = parse_value(option->value, option, &out->number);
    if (!out->set)
        diag_error(reader->diags, reader->config->mark, "plugin-failed",
                   "plugin '%.*s' is broken: the default of its option '%.*s' is none",
                   TEXT_ARG(reader->config->plugin), TEXT_ARG(option->name));
}

static void read_items(const struct option_reader *reader, const struct plugin_option *option,
                       struct option_value *out)
{
    const struct output_config *config = reader->config;

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct output_setting *setting = &config->settings[i];

        if (!text_equal(setting->key, option->name) || !setting->value.ptr)
            continue;
        struct text item = find_text(reader, setting, option);

        if (item.ptr)
            out->list[out->list_count++] = item;
    }
}

static int read_list(const struct option_reader *reader, const struct plugin_option *option,
                     const struct output_setting *first, struct option_value *out)
{
    out->list = arena_array(reader->arena, reader->config->setting_count + 1, sizeof *out->list);
    if (!out->list)
        return -ENOMEM;
    out->set = true;
    if (first)
        read_items(reader, option, out);
    else if (option->value.ptr)
        out->list[out->list_count++] = option->value;
    return 0;
}

/* What is set again, where there is no list. */
static void check_repeats(const struct option_reader *reader, const struct plugin_option *option)
{
    const struct output_config *config = reader->config;
    const struct output_setting *first = output_config_find(config, option->name);

    for (size_t i = 0; i < config->setting_count && option->type != PICKET_STRINGS; i++) {
        const struct output_setting *setting = &config->settings[i];

        if (setting != first && !setting->in_list && text_equal(setting->key, option->name))
            diag_error(reader->diags, setting->key_mark, "duplicate-option",
                       "option '%.*s' is set twice", TEXT_ARG(setting->key));
    }
}

int option_value_read(const struct option_reader *reader, const struct plugin_option *option,
                      struct option_value *out)
{
    const struct output_config *config = reader->config;
    const struct output_setting *setting = output_config_find(config, option->name);

    *out = (struct option_value){.mark = setting ? setting->value_mark : config->mark};
    check_repeats(reader, option);
    if (!setting && option->flags & PICKET_REQUIRED) {
        diag_error(reader->diags, config->mark, "missing-option",
                   "output '%.*s' needs its option '%.*s'", TEXT_ARG(output_config_name(config)),
                   TEXT_ARG(option->name));
        return 0;
    }
    if (option->type == PICKET_STRINGS)
        return read_list(reader, option, setting, out);
    if (setting)
        read_given(reader, setting, option, out);
    else if (option->value.ptr)
        read_default(reader, option, out);
    return 0;
}
