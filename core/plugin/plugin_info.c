#include "plugin/plugin_info.h"

#include <errno.h>

#include "base/clock.h"
#include "plugin/protocol.h"
#include "plugin/settings.h"

const char *plugin_option_type_name(uint32_t type)
{
    static const char *const names[] = {
        [PICKET_STRING] = "string", [PICKET_INT] = "int",         [PICKET_BOOL] = "bool",
        [PICKET_SIZE] = "size",     [PICKET_ENUM] = "enum",       [PICKET_DURATION] = "duration",
        [PICKET_FILE] = "file",     [PICKET_STRINGS] = "strings", [PICKET_FOLDER] = "folder",
        [PICKET_SOCKET] = "socket",
    };

    return type < sizeof names / sizeof *names ? names[type] : NULL;
}

/* NUMBER in the largest unit that it is a multiple of. */
static void put_number(struct buffer *out, uint32_t type, int64_t number)
{
    static const struct unit {
        uint32_t type;
        int64_t size;
        const char *name;
    } units[] = {
        {PICKET_DURATION, 3600 * NS_PER_S, "h"},
        {PICKET_DURATION, 60 * NS_PER_S, "m"},
        {PICKET_DURATION, NS_PER_S, "s"},
        {PICKET_DURATION, NS_PER_MS, "ms"},
        {PICKET_DURATION, 1, "ns"},
        {PICKET_SIZE, 1 << 30, "GiB"},
        {PICKET_SIZE, 1 << 20, "MiB"},
        {PICKET_SIZE, 1 << 10, "KiB"},
    };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].type == type && number && number % units[i].size == 0) {
            buffer_printf(out, "%lld%s", (long long)(number / units[i].size), units[i].name);
            return;
        }
    buffer_printf(out, "%lld", (long long)number);
}

void plugin_option_put_range(struct buffer *out, const struct plugin_option *option)
{
    put_number(out, option->type, option->min);
    buffer_put_string(out, " to ");
    put_number(out, option->type, option->max);
}

static bool is_name(struct text t, const char *punctuation)
{
    if (t.len == 0 || t.len > 64 || t.ptr[0] < 'a' || t.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr(punctuation, c)))
            return false;
    }
    return true;
}

#define LINE_MAX_LEN 512

static bool is_line(struct text t)
{
    return t.len <= LINE_MAX_LEN && text_is_utf8(t) && (t.len == 0 || !memchr(t.ptr, '\n', t.len));
}

static const char *check_option(const struct plugin_option *option)
{
    if (!is_name(option->name, "_"))
        return "an option's name is not of lower-case letters, digits and '_', a letter first";
    if (settings_is_common(option->name))
        return "an option has the name of one that every output has";
    if (!plugin_option_type_name(option->type))
        return "an option is of a type this picket does not know";
    if (option->flags & ~(uint32_t)(PICKET_REQUIRED | PICKET_SECRET | PICKET_ROTATES))
        return "an option has a flag this picket does not know";
    if (option->flags & PICKET_SECRET && option->type != PICKET_STRING &&
        option->type != PICKET_STRINGS)
        return "an option is a secret and is not of type string or strings";
    if (option->flags & PICKET_ROTATES && option->type != PICKET_FILE)
        return "an option rotates and is no file";
    if (!is_line(option->help) || !is_line(option->value) || !is_line(option->choices))
        return "a text of an option is too long or no line of UTF-8";
    if ((option->type == PICKET_ENUM) != (option->choices.len != 0))
        return "an option has choices and is no enum, or the other way about";
    return NULL;
}

const char *plugin_info_check(const struct plugin_info *info)
{
    if (!is_name(info->name, "_-"))
        return "its name is not of lower-case letters, digits, '_' and '-', a letter first";
    if (!is_line(info->version) || !is_line(info->help))
        return "its version or help is too long or no line of UTF-8";
    if (info->needs &
        ~(uint32_t)(PICKET_NEEDS_NETWORK | PICKET_NEEDS_PROGRAMS | PICKET_NEEDS_RESPONSE))
        return "it needs something that this picket does not know";
    for (size_t i = 0; i < info->option_count; i++) {
        const char *wrong = check_option(&info->options[i]);

        if (wrong)
            return wrong;
        for (size_t k = 0; k < i; k++)
            if (text_equal(info->options[i].name, info->options[k].name))
                return "two of its options have the same name";
    }
    return NULL;
}

/* A text that may be absent. */
static void put_optional(struct buffer *out, struct text t)
{
    payload_put_u32(out, t.ptr != NULL);
    payload_put_text(out, t);
}

static struct text optional(struct payload *payload, struct arena *arena)
{
    bool there = payload_u32(payload) != 0;
    struct text t = arena_text(arena, payload_text(payload));

    if (!t.ptr)
        payload->failed = true;
    return there ? t : (struct text){NULL, 0};
}

void plugin_info_put(const struct plugin_info *info, struct buffer *out)
{
    put_optional(out, info->name);
    put_optional(out, info->version);
    put_optional(out, info->help);
    payload_put_u32(out, info->needs);
    payload_put_u32(out, info->batch_max);
    payload_put_u32(out, (uint32_t)info->option_count);
    for (size_t i = 0; i < info->option_count; i++) {
        const struct plugin_option *option = &info->options[i];

        put_optional(out, option->name);
        put_optional(out, option->help);
        put_optional(out, option->value);
        put_optional(out, option->choices);
        payload_put_i64(out, option->min);
        payload_put_i64(out, option->max);
        payload_put_u32(out, option->type);
        payload_put_u32(out, option->flags);
    }
}

static struct plugin_option read_option(struct payload *payload, struct arena *arena)
{
    struct plugin_option option = {.name = optional(payload, arena)};

    option.help = optional(payload, arena);
    option.value = optional(payload, arena);
    option.choices = optional(payload, arena);
    option.min = payload_i64(payload);
    option.max = payload_i64(payload);
    option.type = payload_u32(payload);
    option.flags = payload_u32(payload);
    return option;
}

int plugin_info_read(struct text payload, struct arena *arena, struct plugin_info *out)
{
    struct payload rest = {.rest = payload};
    struct plugin_info info = {.name = optional(&rest, arena)};

    info.version = optional(&rest, arena);
    info.help = optional(&rest, arena);
    info.needs = payload_u32(&rest);
    info.batch_max = payload_u32(&rest);
    info.option_count = payload_u32(&rest);
    if (rest.failed || info.option_count > PLUGIN_OPTIONS_MAX)
        return -EPROTO;
    info.options =
        arena_array(arena, info.option_count ? info.option_count : 1, sizeof *info.options);
    if (!info.options)
        return -ENOMEM;
    for (size_t i = 0; i < info.option_count; i++)
        info.options[i] = read_option(&rest, arena);
    if (!payload_complete(&rest) || plugin_info_check(&info))
        return -EPROTO;
    *out = info;
    return 0;
}
