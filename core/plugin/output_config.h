/* What a user configured for an output, as written: from the YAML configuration or from
 * `-o NAME[,key=value]...`. Nothing is checked here but the form. */
#ifndef PICKET_PLUGIN_OUTPUT_CONFIG_H
#define PICKET_PLUGIN_OUTPUT_CONFIG_H

#include "base/diag.h"

/* What VALUE is: the value, or where a secret is to be had. */
enum setting_source { SETTING_VALUE, SETTING_FILE, SETTING_CREDENTIAL };

struct output_setting {
    struct text key;
    struct text value; /* ptr NULL: a list without items */
    enum setting_source source;
    bool in_list; /* one item of a list, of which each is a setting of that key */
    struct mark key_mark, value_mark;
};

/* An output runs PLUGIN, a name ("json") or, with a '/' in it, the path of a shared object.
 * Settings are the plugin's options and those that every output has:
 *
 *     name        what routes and messages call it; else the plugin's name
 *     deadline    to answer within, or be killed                            10s
 *     queue       alerts that may wait for it; more are dropped             8192
 *     queue_size  bytes that may wait for it                                64MiB
 *     batch       the most alerts it is given at once         1024, or the plugin's own
 *     memory      that its host may use beyond what it has after start      512MiB
 *     run_as      whom its host becomes                                     nobody
 *
 * and others: settings.h. */
struct output_config {
    struct text plugin;
    struct mark mark;
    struct output_setting *settings;
    size_t setting_count;
    bool exposed; /* given as an argument, which anybody on the machine can read */
};

/* The name of an output: its setting `name`, or the plugin's, for a path the file's stem. */
struct text output_config_name(const struct output_config *config);

/* The first setting of that key, or NULL. */
const struct output_setting *output_config_find(const struct output_config *config,
                                                struct text key);

/* Reads the arguments of all -o: "NAME[,key=value]...", a comma or backslash in a value written
 * with a backslash before it; KEY.file and KEY.credential say where the value of KEY is to be had.
 * To diagnostics the Nth argument is line N of a file called "-o". The result lives in ARENA. 0
 * even after diagnostics (whose outputs are left out), -ENOMEM. */
int output_config_parse(const char *const *arguments, size_t count, struct arena *arena,
                        struct diag_list *diags, struct output_config **out, size_t *out_count);

/* Likewise the argument of --sensor, "NAME[=ADDRESS][,key=value]...", where ADDRESS is the value of
 * the option `servers`. -EINVAL after diagnostics. */
int output_config_parse_source(const char *argument, struct arena *arena, struct diag_list *diags,
                               struct output_config *out);

#endif
