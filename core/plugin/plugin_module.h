/* A plugin's shared object, loaded into this process: the host's. */
#ifndef PICKET_PLUGIN_PLUGIN_MODULE_H
#define PICKET_PLUGIN_PLUGIN_MODULE_H

#include "plugin/plugin_info.h"

struct plugin_module {
    struct picket_plugin plugin; /* what its version lacks is zero; .options is not to be used */
    struct plugin_info info;
    size_t offsets[PLUGIN_OPTIONS_MAX]; /* of the options' values in the config */
};

/* Loads the object open as FD, by its PATH if that leads there: *OUT for dlsym(). NULL, or why not,
 * in ARENA. It stays loaded as long as the process. */
const char *plugin_module_open(const char *path, int fd, struct arena *arena, void **out);

/* Reads the descriptor, whose texts the result borrows, but for its callbacks; likewise. */
const char *plugin_module_read(const struct picket_plugin *descriptor, struct arena *arena,
                               struct plugin_module *out);

/* Both, of an output plugin. */
const char *plugin_module_load(const char *path, int fd, struct arena *arena,
                               struct plugin_module *out);

#endif
