/* What a user set for a source of events, checked: against what every source has, then against the
 * source's own table (as plugin/settings.h does for outputs). */
#ifndef PICKET_STREAM_STREAM_SETTINGS_H
#define PICKET_STREAM_STREAM_SETTINGS_H

#include "plugin/settings.h"

struct stream_settings {
    const char *name;
    int64_t deadline;        /* nanoseconds */
    int64_t memory;          /* bytes */
    struct settings options; /* the `values` alone */
};

/* All but the options. Mistakes are diagnosed, 0 even then; -ENOMEM. */
int stream_settings_read(const struct option_reader *reader, struct stream_settings *out);

/* The options, as INFO wants them; likewise. */
int stream_settings_read_options(const struct option_reader *reader, const struct plugin_info *info,
                                 struct stream_settings *out);

#endif
