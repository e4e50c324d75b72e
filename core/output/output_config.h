/* What a user configured for an output, as written: from the YAML configuration or from
 * `-o NAME[,key=value]...`. Nothing is checked here but the form. */
#ifndef PICKET_OUTPUT_OUTPUT_CONFIG_H
#define PICKET_OUTPUT_OUTPUT_CONFIG_H

#include "base/diag.h"

struct output_setting {
    struct text key, value;
    struct mark key_mark, value_mark;
};

/* An output runs PLUGIN, a name ("json") or, with a '/' in it, the path of a shared object.
 * Settings are the plugin's options and those that every output has:
 *
 *     name        what routes and messages call it; else the plugin's name
 *     deadline    to answer within, or be killed                            10s
 *     queue       alerts that may wait for it; more are dropped             8192
 *     queue_size  bytes that may wait for it                                64MiB
 *     batch       the most alerts it is given at once                       256, or the plugin's
 * own memory      that its host may use beyond what it has after start      512MiB
 */
struct output_config {
    struct text plugin;
    struct mark mark;
    struct output_setting *settings;
    size_t setting_count;
};

/* The name of an output: its setting `name`, or the plugin's, for a path the file's stem. */
struct text output_config_name(const struct output_config *config);

/* Reads the arguments of all -o: "NAME[,key=value]...", a comma or backslash in a value written
 * with a backslash before it. To diagnostics the Nth argument is line N of a file called "-o". The
 * result lives in ARENA. 0 even after diagnostics (whose outputs are left out), -ENOMEM. */
int output_config_parse(const char *const *arguments, size_t count, struct arena *arena,
                        struct diag_list *diags, struct output_config **out, size_t *out_count);

#endif
