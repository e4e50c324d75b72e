/* Asks a plugin what it is, for listings: `picket plugin list`. */
#ifndef PICKET_HOST_PLUGIN_PROBE_H
#define PICKET_HOST_PLUGIN_PROBE_H

#include "plugin/plugin_info.h"

/* Starts a host for the plugin at PATH, takes its table and ends it. The result lives in ARENA.
 * -errno; *REASON (in ARENA) then says why, for people. */
int plugin_probe(const char *path, struct arena *arena, struct plugin_info *out,
                 const char **reason);

#endif
