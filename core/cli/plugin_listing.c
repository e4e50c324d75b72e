#include "cli/plugin_listing.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/verb.h"
#include "host/plugin_probe.h"
#include "plugin/plugin_path.h"
#include "plugin/settings.h"

static bool has_default(const struct plugin_option *option)
{
    return option->value.len && !(option->flags & (PICKET_REQUIRED | PICKET_SECRET));
}

static void put_option(struct buffer *out, const struct plugin_option *option)
{
    buffer_printf(out, "    %-14s %-10s ", option->name.ptr, plugin_option_type_name(option->type));
    buffer_put_printable(out, option->help);
    if (option->choices.len) {
        buffer_put_string(out, " (");
        buffer_put_printable(out, option->choices);
        buffer_put_char(out, ')');
    }
    if (option->min || option->max) {
        buffer_put_string(out, " (");
        plugin_option_put_range(out, option);
        buffer_put_char(out, ')');
    }
    if (option->flags & PICKET_REQUIRED)
        buffer_put_string(out, " (required)");
    if (has_default(option)) {
        buffer_put_string(out, " [");
        buffer_put_printable(out, option->value);
        buffer_put_char(out, ']');
    }
    buffer_put_char(out, '\n');
}

/* TEXT in a cell of a table. */
static void put_cell(struct buffer *out, struct text text)
{
    CLEANUP(buffer_deinit) struct buffer printable = {0};

    buffer_put_printable(&printable, text);
    for (const char *at = buffer_string(&printable); *at; at++) {
        if (*at == '|')
            buffer_put_char(out, '\\');
        buffer_put_char(out, *at);
    }
}

static void put_type(struct buffer *out, const struct plugin_option *option)
{
    if (option->type != PICKET_ENUM)
        buffer_put_string(out, plugin_option_type_name(option->type));
    for (struct text rest = option->choices; rest.ptr;) {
        struct text choice = text_split(&rest, '|');

        buffer_printf(out, "`%.*s`", TEXT_ARG(choice));
        if (rest.ptr)
            buffer_put_string(out, ", ");
    }
    if (option->min || option->max) {
        buffer_put_string(out, ", ");
        plugin_option_put_range(out, option);
    }
    if (option->flags & PICKET_SECRET)
        buffer_put_string(out, ", secret");
}

static void put_row(struct buffer *out, const struct plugin_option *option)
{
    buffer_printf(out, "| `%s` | ", option->name.ptr);
    put_type(out, option);
    buffer_put_string(out, " |");
    if (option->flags & PICKET_REQUIRED)
        buffer_put_string(out, " required");
    if (has_default(option)) {
        buffer_put_string(out, " `");
        put_cell(out, option->value);
        buffer_put_char(out, '`');
    }
    buffer_put_string(out, " | ");
    put_cell(out, option->help);
    buffer_put_string(out, " |\n");
}

static void put_rows(struct buffer *out, const struct plugin_option *options, size_t count,
                     bool markdown)
{
    for (size_t i = 0; i < count; i++)
        (markdown ? put_row : put_option)(out, &options[i]);
}

static void put_options(struct buffer *out, const struct plugin_option *options, size_t count,
                        bool markdown)
{
    if (markdown)
        buffer_put_string(out, "\n| option | type | default | |\n|---|---|---|---|\n");
    put_rows(out, options, count, markdown);
}

static void put_needs(struct buffer *out, uint32_t needs)
{
    static const struct {
        uint32_t need;
        const char *name;
    } names[] = {{PICKET_NEEDS_NETWORK, "network"},
                 {PICKET_NEEDS_PROGRAMS, "programs"},
                 {PICKET_NEEDS_RESPONSE, "response"}};
    const char *before = "    needs: ";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (needs & names[i].need) {
            buffer_printf(out, "%s%s", before, names[i].name);
            before = ", ";
        }
    if (needs)
        buffer_put_char(out, '\n');
}

static void put_plugin(struct buffer *out, const struct plugin_info *info, const char *path,
                       bool markdown)
{
    if (markdown) {
        buffer_printf(out, "# %s\n", info->name.ptr);
    } else {
        buffer_put_printable(out, info->name);
        buffer_put_char(out, ' ');
        buffer_put_printable(out, info->version);
        buffer_put_string(out, ": ");
        buffer_put_printable(out, info->help);
        buffer_put_string(out, "\n    ");
        buffer_put_printable(out, text_from(path));
        buffer_put_char(out, '\n');
        put_needs(out, info->needs);
    }
    put_options(out, info->options, info->option_count, markdown);
    if (info->needs & PICKET_NEEDS_RESPONSE) {
        size_t count;
        const struct plugin_option *options = settings_responding(&count);

        put_rows(out, options, count, markdown);
    }
}

/* False when the plugin does not load: a word about it is on standard error then. */
static bool print_plugin(const char *path, struct arena *arena, bool markdown)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct plugin_info info;
    const char *reason = NULL;
    int r = plugin_probe(path, arena, &info, &reason);

    if (r < 0) {
        log_error("%s: %s", path, reason ? reason : strerror(-r));
        return false;
    }
    put_plugin(&out, &info, path, markdown);
    puts(buffer_string(&out));
    return true;
}

static void print_common(bool markdown)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    size_t count;
    const struct plugin_option *options = settings_common(&count);

    buffer_put_string(&out, markdown ? "# Every output\n" : "Every output also takes:\n");
    put_options(&out, options, count, markdown);
    fputs(buffer_string(&out), stdout);
}

static const char *find_plugin(const char *name, struct arena *arena)
{
    const char *path = NULL, *nearest = NULL;
    int r = plugin_path_find(NULL, text_from(name), arena, &path, &nearest);

    if (r == -ENOENT)
        log_error("plugin list: there is no plugin '%s'%s%s%s", name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    else if (r < 0)
        log_error("plugin list: %s: %s", name, strerror(-r));
    return r < 0 ? NULL : path;
}

int plugin_listing_print(const struct plugin_listing *listing)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char **paths = NULL;
    size_t count = listing->count;
    int status = EXIT_FINE;
    int r = count ? 0 : plugin_path_list(NULL, &arena, &paths, &count);

    if (r < 0) {
        log_error("plugins cannot be listed: %s", strerror(-r));
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = paths ? paths[i] : find_plugin(listing->plugins[i], &arena);

        if (!path || !print_plugin(path, &arena, listing->markdown))
            status = EXIT_FAILED;
    }
    if (!listing->count)
        print_common(listing->markdown);
    return status;
}
