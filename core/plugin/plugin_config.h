/* What the engine tells a host to open its plugin with: how alerts are to look, and the values of
 * the plugin's options, of which the host makes the plugin's config structure. */
#ifndef PICKET_PLUGIN_PLUGIN_CONFIG_H
#define PICKET_PLUGIN_PLUGIN_CONFIG_H

#include "plugin/plugin_module.h"
#include "plugin/settings.h"
#include "presentation/presentation.h"

/* The payload of an open. Descriptors go along apart from it, in the order of their options. */
void plugin_config_put(const struct settings *settings, struct buffer *out);

/* Whether the values of an option of this TYPE are descriptors. */
bool plugin_config_is_file(uint32_t type);

/* The descriptor of option INDEX in a config that was made by plugin_config_read(). */
int *plugin_config_file(const struct plugin_module *module, void *config, size_t index);

/* Descriptors that came from the engine and have not been put anywhere yet, first come first. */
struct received_files {
    int fds[PLUGIN_OPTIONS_MAX];
    size_t count;
};

/* The first of them, or -1. */
int received_files_take(struct received_files *files);

struct plugin_config {
    void *config; /* for the plugin's open */
    struct alert_look look;
};

/* Takes a payload apart, into ARENA, and what came along with it. -EPROTO, -ENOMEM. */
int plugin_config_read(struct text payload, const struct plugin_module *module,
                       struct received_files *files, struct arena *arena,
                       struct plugin_config *out);

#endif
