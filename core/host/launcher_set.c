#include "host/launcher_set.h"

#include <errno.h>
#include <stdlib.h>

#include "picket/plugin.h"

static int add(struct launcher_set *set, const struct launcher_options *options)
{
    struct launcher *launcher = &set->launchers[set->count];
    int r = launcher_start(launcher, options);

    if (r < 0)
        return r;
    set->lacking |= (unsigned)launcher->broker.told;
    set->count++;
    return 0;
}

static bool is_together(const struct launcher_options *options, const uint32_t *needs, size_t one,
                        size_t other)
{
    const struct host_launch *launches = options->launches;

    return one == other ||
           (needs[one] == needs[other] && !(needs[one] & PICKET_NEEDS_PROGRAMS) &&
            launches[one].uid == launches[other].uid && launches[one].gid == launches[other].gid);
}

/* A launcher for FIRST and those that are to be together with it, who are PLACED then. */
static int add_for(struct launcher_set *set, const struct launcher_options *options,
                   const uint32_t *needs, size_t first, uint64_t *placed)
{
    struct launcher_options some = *options;

    some.own = 0;
    some.needs = needs[first];
    for (size_t i = first; i < options->count; i++)
        if (is_together(options, needs, first, i)) {
            some.own |= UINT64_C(1) << i;
            set->of[i] = set->count;
        }
    *placed |= some.own;
    return add(set, &some);
}

int launcher_set_start(struct launcher_set *set, const struct launcher_options *options)
{
    const uint32_t needs[LAUNCHER_HOSTS_MAX] = {0};
    uint64_t placed = 0;
    int r = 0;

    *set = (struct launcher_set){0};
    if (options->count > LAUNCHER_HOSTS_MAX)
        return -E2BIG;
    /* At the most one each, and another when they are divided. */
    set->launchers = calloc(2 * options->count + 1, sizeof *set->launchers);
    if (!set->launchers)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < options->count; i++)
        if (!(placed >> i & 1))
            r = add_for(set, options, needs, i, &placed);
    return r;
}

int launcher_set_divide(struct launcher_set *set, const struct launcher_options *options,
                        const uint32_t *needs)
{
    uint64_t placed = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < options->count; i++)
        if (needs[i] && !(placed >> i & 1))
            r = add_for(set, options, needs, i, &placed);
    return r;
}

struct launcher *launcher_set_of(struct launcher_set *set, size_t index)
{
    return &set->launchers[set->of[index]];
}

void launcher_set_deinit(struct launcher_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        launcher_deinit(&set->launchers[i]);
    free(set->launchers);
    *set = (struct launcher_set){0};
}
