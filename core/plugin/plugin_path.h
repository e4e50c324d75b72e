/* Where plugins are: a name is looked for in DIR when there is one, else in `plugins/` beside the
 * executable, then where `install` puts them. What has a '/' in it is a path already. */
#ifndef PICKET_PLUGIN_PLUGIN_PATH_H
#define PICKET_PLUGIN_PLUGIN_PATH_H

#include "base/arena.h"

/* The path of PLUGIN's shared object, in ARENA. -ENOENT when there is none; *NEAREST (in ARENA, may
 * be NULL) is then the name that may have been meant. */
int plugin_path_find(const char *dir, struct text plugin, struct arena *arena, const char **out,
                     const char **nearest);

/* Likewise of a source of events (stream/source.h): those are in `sources/` beneath. */
int plugin_path_find_source(struct text source, struct arena *arena, const char **out);

/* The paths of all plugins there, by name, in ARENA; no directory is no plugin. -errno. */
int plugin_path_list(const char *dir, struct arena *arena, const char ***out, size_t *count);

#endif
