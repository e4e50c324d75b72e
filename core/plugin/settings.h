/* What a user set for an output, checked: against the options every output has, then against the
 * table of its plugin. Mistakes are diagnosed at their place, all of them. */
#ifndef PICKET_PLUGIN_SETTINGS_H
#define PICKET_PLUGIN_SETTINGS_H

#include "base/account.h"
#include "plugin/option_value.h"

#define SETTINGS_BATCH_MAX 4096

struct settings {
    struct text name;
    int64_t deadline;    /* nanoseconds */
    int64_t queue;       /* alerts */
    int64_t queue_size;  /* bytes */
    int64_t batch;       /* alerts; 0: not set */
    int64_t memory;      /* bytes */
    int64_t cpu;         /* percent of one; 0: no limit */
    struct account user; /* whom its host becomes; uid 0: not set */
    struct mark user_mark;
    bool sha256;
    bool forwards;        /* events, and alerts about picket itself; else alerts */
    int64_t format;       /* its place in "picket|ecs|ocsf|text" */
    struct text template; /* ptr NULL: not set */
    struct text *redact;
    size_t redact_count;
    /* Where the plugin responds (PICKET_NEEDS_RESPONSE). */
    struct text *respond_to; /* ids of rules */
    size_t respond_to_count;
    bool dry_run;
    int64_t respond_limit; /* a minute */
    struct option_value *values;
    size_t value_count;
};

/* The options every output has, for help. */
const struct plugin_option *settings_common(size_t *count);

/* Those besides that outputs have whose plugins respond. */
const struct plugin_option *settings_responding(size_t *count);

/* Whether NAME is one of either. */
bool settings_is_common(struct text name);

/* All but `values`. 0 even after diagnostics, -ENOMEM. */
int settings_read(const struct output_config *config, struct arena *arena, struct diag_list *diags,
                  struct settings *out);

/* The `values`, in ARENA, as INFO wants them, and what is for plugins that respond. 0 even after
 * diagnostics, -ENOMEM. */
int settings_read_options(const struct output_config *config, const struct plugin_info *info,
                          struct arena *arena, struct diag_list *diags, struct settings *out);

#endif
