#include "plugin/plugin_config.h"

#include <errno.h>

#include "plugin/protocol.h"

bool plugin_config_is_file(uint32_t type)
{
    return type == PICKET_FILE || type == PICKET_FOLDER || type == PICKET_SOCKET;
}

static void put_texts(struct buffer *out, const struct text *texts, size_t count)
{
    payload_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        payload_put_text(out, texts[i]);
}

static void put_value(struct buffer *out, const struct option_value *value)
{
    payload_put_u32(out, value->set);
    payload_put_i64(out, value->number);
    if (value->list)
        put_texts(out, value->list, value->list_count);
    else
        put_texts(out, &value->text, value->set && value->text.ptr);
}

void plugin_config_put(const struct settings *settings, struct buffer *out)
{
    payload_put_u32(out, (uint32_t)settings->format);
    put_texts(out, &settings->template, settings->template.ptr != NULL);
    put_texts(out, settings->redact, settings->redact_count);
    for (size_t i = 0; i < settings->value_count; i++)
        put_value(out, &settings->values[i]);
}

int received_files_take(struct received_files *files)
{
    int fd = files->fds[0];

    if (files->count == 0)
        return -1;
    memmove(files->fds, files->fds + 1, --files->count * sizeof *files->fds);
    return fd;
}

int *plugin_config_file(const struct plugin_module *module, void *config, size_t index)
{
    return (int *)((char *)config + module->offsets[index]);
}

/* Texts as they travel; the result is one longer than they are many, and ends with a zero. */
static struct text *read_texts(struct payload *payload, struct arena *arena, size_t *count)
{
    *count = payload_u32(payload);
    /* Each is a length and a NUL at least. */
    if (*count > payload->rest.len / (sizeof(uint32_t) + 1))
        payload->failed = true;
    if (payload->failed)
        return NULL;
    struct text *texts = arena_array(arena, *count + 1, sizeof *texts);

    for (size_t i = 0; texts && i < *count; i++)
        texts[i] = arena_text(arena, payload_text(payload));
    payload->failed |= !texts;
    return texts;
}

static const char **as_strings(const struct text *texts, size_t count, struct arena *arena)
{
    const char **strings = arena_array(arena, count + 1, sizeof *strings);

    for (size_t i = 0; strings && i < count; i++)
        strings[i] = texts[i].ptr;
    return strings;
}

/* A value as it travels. */
struct value {
    bool set;
    int64_t number;
    struct text *texts;
    size_t count;
};

static struct value read_value(struct payload *payload, struct arena *arena)
{
    struct value value = {.set = payload_u32(payload) != 0};

    value.number = payload_i64(payload);
    value.texts = read_texts(payload, arena, &value.count);
    return value;
}

/* One value at its place in the config. */
static void store(void *at, uint32_t type, const struct value *value, struct arena *arena)
{
    const char *string = value->count ? value->texts->ptr : NULL;
    int small = (int)value->number;
    const char **strings;

    switch (type) {
    case PICKET_STRING:
        memcpy(at, &string, sizeof string);
        break;
    case PICKET_STRINGS:
        strings = as_strings(value->texts, value->count, arena);
        memcpy(at, &strings, sizeof strings);
        break;
    case PICKET_BOOL:
    case PICKET_ENUM:
    case PICKET_FILE:
    case PICKET_FOLDER:
    case PICKET_SOCKET:
        memcpy(at, &small, sizeof small);
        break;
    default:
        memcpy(at, &value->number, sizeof value->number);
        break;
    }
}

static void read_look(struct payload *payload, struct arena *arena, struct alert_look *out)
{
    size_t count;

    out->format = payload_u32(payload);
    struct text *template = read_texts(payload, arena, &count);

    if (template && count)
        out->template = *template;
    out->redact = read_texts(payload, arena, &out->redact_count);
}

int plugin_config_read(struct text payload, const struct plugin_module *module,
                       struct received_files *files, struct arena *arena, struct plugin_config *out)
{
    struct payload rest = {.rest = payload};
    char *config = arena_alloc(arena, module->plugin.config_size + 1);

    if (!config)
        return -ENOMEM;
    *out = (struct plugin_config){.config = config};
    read_look(&rest, arena, &out->look);
    for (size_t i = 0; i < module->info.option_count && !rest.failed; i++) {
        uint32_t type = module->info.options[i].type;
        struct value value = read_value(&rest, arena);

        if (plugin_config_is_file(type))
            value.number = value.set ? received_files_take(files) : -1;
        if (plugin_config_is_file(type) && value.set && value.number < 0)
            return -EPROTO;
        store(config + module->offsets[i], type, &value, arena);
    }
    return payload_complete(&rest) ? 0 : -EPROTO;
}
