/* What a user set for an output, checked: against the options every output has, then against the
 * table of its plugin. Mistakes are diagnosed at their place, all of them. */
#ifndef PICKET_OUTPUT_SETTINGS_H
#define PICKET_OUTPUT_SETTINGS_H

#include "output/option_value.h"

#define SETTINGS_BATCH_MAX 4096

struct settings {
    struct text name;
    int64_t deadline;   /* nanoseconds */
    int64_t queue;      /* alerts */
    int64_t queue_size; /* bytes */
    int64_t batch;      /* alerts; 0: not set */
    int64_t memory;     /* bytes */
    int64_t cpu;        /* percent of one; 0: no limit */
    bool sha256;
    int64_t format;       /* its place in "picket|ecs|ocsf|text" */
    struct text template; /* ptr NULL: not set */
    struct text *redact;
    size_t redact_count;
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
