/* A secret that stands somewhere else than in the configuration: in a file, or in a credential that
 * systemd hands to a service (LoadCredential=, see systemd.exec(5)). */
#ifndef PICKET_PLUGIN_SECRET_H
#define PICKET_PLUGIN_SECRET_H

#include "base/arena.h"
#include "plugin/output_config.h"

#define SECRET_MAX ((size_t)256 << 10)

/* Reads what SETTING names, as who the process is now, into ARENA, without the line break at its
 * end. NULL, or why it cannot be had, in ARENA or static. *OUT has no ptr when it cannot be had, or
 * when memory is out. */
const char *secret_read(const struct output_setting *setting, struct arena *arena,
                        struct text *out);

#endif
