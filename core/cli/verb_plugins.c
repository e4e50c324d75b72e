#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "output/plugin_path.h"
#include "output/plugin_probe.h"
#include "output/settings.h"

static void put_option(struct buffer *out, const struct plugin_option *option)
{
    buffer_printf(out, "    %-14s %-10s ", option->name.ptr, plugin_option_type_name(option->type));
    buffer_put_printable(out, option->help);
    if (option->choices.len) {
        buffer_put_string(out, " (");
        buffer_put_printable(out, option->choices);
        buffer_put_char(out, ')');
    }
    if (option->flags & PICKET_REQUIRED) {
        buffer_put_string(out, " (required)");
    } else if (option->value.len && !(option->flags & PICKET_SECRET)) {
        buffer_put_string(out, " [");
        buffer_put_printable(out, option->value);
        buffer_put_char(out, ']');
    }
    buffer_put_char(out, '\n');
}

/* False when the plugin does not load: a word about it is on standard error then. */
static bool print_plugin(const char *path, struct arena *arena)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct plugin_info info;
    const char *reason = NULL;
    int r = plugin_probe(path, arena, &info, &reason);

    if (r < 0) {
        log_error("%s: %s", path, reason ? reason : strerror(-r));
        return false;
    }
    buffer_put_printable(&out, info.name);
    buffer_put_char(&out, ' ');
    buffer_put_printable(&out, info.version);
    buffer_put_string(&out, ": ");
    buffer_put_printable(&out, info.help);
    buffer_put_string(&out, "\n    ");
    buffer_put_printable(&out, text_from(path));
    buffer_put_char(&out, '\n');
    for (size_t i = 0; i < info.option_count; i++)
        put_option(&out, &info.options[i]);
    puts(buffer_string(&out));
    return true;
}

static void print_common(void)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    size_t count;
    const struct plugin_option *options = settings_common(&count);

    buffer_put_string(&out, "Every output also takes:\n");
    for (size_t i = 0; i < count; i++)
        put_option(&out, &options[i]);
    fputs(buffer_string(&out), stdout);
}

int verb_plugins(int argc, char **argv)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char **paths;
    size_t count;
    int status = EXIT_FINE;

    if (argc > 1) {
        return misused("plugins: takes no argument");
    }
    int r = plugin_path_list(NULL, &arena, &paths, &count);

    if (r < 0) {
        log_error("plugins cannot be listed: %s", strerror(-r));
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++)
        if (!print_plugin(paths[i], &arena))
            status = EXIT_FAILED;
    print_common();
    return status;
}
