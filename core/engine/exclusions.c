#include "engine/exclusions.h"

#include <errno.h>

#include "base/cleanup.h"

static const enum sensor_filter_kind kinds[] = {
    [EXCLUDE_CGROUP] = SENSOR_FILTER_CGROUP,
    [EXCLUDE_USER] = SENSOR_FILTER_USER,
    [EXCLUDE_EXE] = SENSOR_FILTER_EXE,
};

int exclusions_resolve(struct config *config, struct diag_list *diags, struct exclusions *out)
{
    size_t count = config->exclusion_count;

    *out = (struct exclusions){
        .filters = arena_array(&config->arena, count + 1, sizeof *out->filters),
        .texts = arena_array(&config->arena, count + 1, sizeof *out->texts),
    };
    if (!out->filters || !out->texts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};
        const struct config_exclusion *exclusion = &config->exclusions[i];
        struct sensor_filter *filter = &out->filters[out->count];

        if (sensor_filter_resolve(kinds[exclusion->kind], exclusion->value.ptr, filter, &text) <
            0) {
            diag_error(diags, exclusion->mark, "unknown-exclusion", "%s", buffer_string(&text));
            continue;
        }
        sensor_filter_put(filter, &text);
        out->texts[out->count] = arena_text(&config->arena, buffer_text(&text)).ptr;
        if (!out->texts[out->count++])
            return -ENOMEM;
    }
    return 0;
}
