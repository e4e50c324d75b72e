/* What the configuration excludes from capture, looked up on this machine. */
#ifndef PICKET_ENGINE_EXCLUSIONS_H
#define PICKET_ENGINE_EXCLUSIONS_H

#include "engine/config.h"
#include "sensor/filters.h"

/* Lives as long as the configuration, in its arena. */
struct exclusions {
    struct sensor_filter *filters;
    const char **texts; /* for people, in the same order */
    size_t count;
};

/* What is not there is diagnosed: an exclusion that excludes nothing is a mistake. 0 also then;
 * -ENOMEM. */
int exclusions_resolve(struct config *config, struct diag_list *diags, struct exclusions *out);

#endif
