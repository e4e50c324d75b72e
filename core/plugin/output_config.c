#include "plugin/output_config.h"

#include <errno.h>

#include "base/cleanup.h"

#define OUTPUT_FILE "-o"
#define SOURCE_FILE "--sensor"

/* The option of a source that its address is the value of. */
#define SOURCE_ADDRESS "servers"

struct text output_config_name(const struct output_config *config)
{
    struct text name = config->plugin;
    const char *slash = name.len ? memrchr(name.ptr, '/', name.len) : NULL;

    for (size_t i = 0; i < config->setting_count; i++)
        if (text_is(config->settings[i].key, "name"))
            return config->settings[i].value;
    if (!slash)
        return name;
    name = (struct text){slash + 1, name.len - (size_t)(slash + 1 - name.ptr)};
    if (text_ends(name, TEXT(".so")))
        name.len -= strlen(".so");
    return name;
}

const struct output_setting *output_config_find(const struct output_config *config, struct text key)
{
    for (size_t i = 0; i < config->setting_count; i++)
        if (text_equal(config->settings[i].key, key))
            return &config->settings[i];
    return NULL;
}

/* Cuts the part before the next comma without a backslash before it off *REST. */
static struct text split_part(struct text *rest)
{
    size_t len = 0;

    while (len < rest->len && rest->ptr[len] != ',')
        len += rest->ptr[len] == '\\' && len + 1 < rest->len ? 2 : 1;
    struct text part = {rest->ptr, len};

    *rest = len < rest->len ? (struct text){rest->ptr + len + 1, rest->len - len - 1}
                            : (struct text){NULL, 0};
    return part;
}

/* "\," means a comma and "\\" a backslash; before anything else a backslash is itself. */
static struct text unescape(struct arena *arena, struct text t)
{
    char *to = arena_alloc(arena, t.len + 1);
    size_t len = 0;

    if (!to)
        return (struct text){NULL, 0};
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] == '\\' && i + 1 < t.len && (t.ptr[i + 1] == ',' || t.ptr[i + 1] == '\\'))
            i++;
        to[len++] = t.ptr[i];
    }
    return (struct text){to, len};
}

struct argument {
    const char *file; /* to diagnostics */
    struct text whole;
    unsigned number; /* from 1 */
    bool of_source;
};

static struct mark mark_of(const struct argument *argument, struct text part)
{
    return (struct mark){.file = argument->file,
                         .line = argument->number,
                         .column = (unsigned)(part.ptr - argument->whole.ptr) + 1,
                         .width = (unsigned)part.len};
}

/* "token.file": what the value is then. */
static enum setting_source split_source(struct text *key)
{
    static const char *const suffixes[] = {
        [SETTING_FILE] = ".file", [SETTING_CREDENTIAL] = ".credential"};

    for (size_t i = SETTING_FILE; i <= SETTING_CREDENTIAL; i++)
        if (text_ends(*key, text_from(suffixes[i]))) {
            key->len -= strlen(suffixes[i]);
            return (enum setting_source)i;
        }
    return SETTING_VALUE;
}

/* 0 and a setting; -EINVAL after a diagnostic; -ENOMEM. */
static int read_setting(const struct argument *argument, struct text part, struct arena *arena,
                        struct diag_list *diags, struct output_setting *out)
{
    struct text value = part;
    struct text key = text_split(&value, '=');

    if (!value.ptr || key.len == 0) {
        diag_error(diags, mark_of(argument, part), "bad-output",
                   "'%.*s' is not key=value (a comma within a value is written '\\,')",
                   TEXT_ARG(part));
        return -EINVAL;
    }
    *out = (struct output_setting){.value = unescape(arena, value),
                                   .key_mark = mark_of(argument, key),
                                   .value_mark = mark_of(argument, value)};
    out->source = split_source(&key);
    out->key = arena_text(arena, key);
    return out->key.ptr && out->value.ptr ? 0 : -ENOMEM;
}

static size_t count_parts(struct text rest)
{
    size_t count = 0;

    for (; rest.ptr; count++)
        split_part(&rest);
    return count;
}

/* "NAME=ADDRESS": cuts the address off. */
static int read_address(const struct argument *argument, struct text *name, struct arena *arena,
                        struct output_config *out)
{
    struct text value = *name;

    *name = text_split(&value, '=');
    if (!value.ptr)
        return 0;
    out->settings[out->setting_count++] = (struct output_setting){
        .key = TEXT(SOURCE_ADDRESS),
        .value = unescape(arena, value),
        .key_mark = mark_of(argument, *name),
        .value_mark = mark_of(argument, value),
    };
    return out->settings->value.ptr ? 0 : -ENOMEM;
}

static int read_output(const struct argument *argument, struct arena *arena,
                       struct diag_list *diags, struct output_config *out)
{
    struct text rest = argument->whole;
    size_t parts = count_parts(rest);
    struct text plugin = split_part(&rest);
    int result = 0;

    *out = (struct output_config){.exposed = true,
                                  .settings = arena_array(arena, parts, sizeof *out->settings)};
    if (!out->settings || (argument->of_source && read_address(argument, &plugin, arena, out) < 0))
        return -ENOMEM;
    out->plugin = unescape(arena, plugin);
    out->mark = mark_of(argument, plugin);
    if (!out->plugin.ptr)
        return -ENOMEM;
    if (plugin.len == 0) {
        diag_error(diags, out->mark, "bad-output", "%s begins with the name of a %s",
                   argument->of_source ? "a sensor" : "an output",
                   argument->of_source ? "source" : "plugin");
        result = -EINVAL;
    }
    while (rest.ptr) {
        struct text part = split_part(&rest);
        int r = read_setting(argument, part, arena, diags, &out->settings[out->setting_count]);

        if (r == -ENOMEM)
            return r;
        if (r < 0)
            result = r;
        else
            out->setting_count++;
    }
    return result;
}

/* The arguments as lines of a file, for diagnostics to show. */
static int add_source(const char *file, const char *const *arguments, size_t count,
                      struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};

    for (size_t i = 0; i < count; i++) {
        struct text rest = text_from(arguments[i]);

        while (rest.ptr) {
            buffer_put_text(&content, text_split(&rest, '\n'));
            if (rest.ptr)
                buffer_put_char(&content, ' ');
        }
        buffer_put_char(&content, '\n');
    }
    if (buffer_failed(&content))
        return -ENOMEM;
    diag_add_source(diags, file, buffer_text(&content));
    return 0;
}

int output_config_parse(const char *const *arguments, size_t count, struct arena *arena,
                        struct diag_list *diags, struct output_config **out, size_t *out_count)
{
    struct output_config *configs = arena_array(arena, count ? count : 1, sizeof *configs);
    size_t done = 0;
    int r = add_source(OUTPUT_FILE, arguments, count, diags);

    if (!configs || r < 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct argument argument = {
            .file = OUTPUT_FILE, .whole = text_from(arguments[i]), .number = (unsigned)i + 1};

        r = read_output(&argument, arena, diags, &configs[done]);
        if (r == -ENOMEM)
            return r;
        done += r == 0;
    }
    *out = configs;
    *out_count = done;
    return 0;
}

int output_config_parse_source(const char *argument, struct arena *arena, struct diag_list *diags,
                               struct output_config *out)
{
    const struct argument source = {
        .file = SOURCE_FILE, .whole = text_from(argument), .number = 1, .of_source = true};
    int r = add_source(SOURCE_FILE, &argument, 1, diags);

    return r < 0 ? r : read_output(&source, arena, diags, out);
}
