/* What a user set for an output, checked: against the options every output has, then against the
 * table of its plugin. Mistakes are diagnosed at their place, all of them. */
#ifndef PICKET_OUTPUT_SETTINGS_H
#define PICKET_OUTPUT_SETTINGS_H

#include "output/output_config.h"
#include "output/plugin_info.h"

#define SETTINGS_BATCH_MAX 4096

/* The value of one of a plugin's options, in the order of its table. */
struct option_value {
    bool set;       /* by the user or by default */
    int64_t number; /* of all types but string and file */
    struct text text;
    struct mark mark; /* where it was set, or the output */
};

struct settings {
    struct text name;
    int64_t deadline;   /* nanoseconds */
    int64_t queue;      /* alerts */
    int64_t queue_size; /* bytes */
    int64_t batch;      /* alerts; 0: not set */
    int64_t memory;     /* bytes */
    bool sha256;
    struct option_value *values;
    size_t value_count;
};

/* The options every output has, for help. */
const struct plugin_option *settings_common(size_t *count);
bool settings_is_common(struct text name);

/* All but `values`. 0 even after diagnostics, -ENOMEM. */
int settings_read(const struct output_config *config, struct arena *arena, struct diag_list *diags,
                  struct settings *out);

/* The `values`, in ARENA, as INFO wants them. 0 even after diagnostics, -ENOMEM. */
int settings_read_options(const struct output_config *config, const struct plugin_info *info,
                          struct arena *arena, struct diag_list *diags, struct settings *out);

#endif
