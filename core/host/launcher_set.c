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

int launcher_set_start(struct launcher_set *set, const struct launcher_options *options)
{
    struct launcher_options all = *options;

    *set = (struct launcher_set){0};
    /* For none, for the network, and one each for programs. */
    set->launchers = calloc(options->count + 2, sizeof *set->launchers);
    if (!set->launchers)
        return -ENOMEM;
    all.own = UINT64_MAX;
    all.needs = 0;
    return add(set, &all);
}

static int add_for(struct launcher_set *set, const struct launcher_options *options,
                   const uint32_t *needs, size_t first)
{
    struct launcher_options some = *options;
    bool alone = needs[first] & PICKET_NEEDS_PROGRAMS;

    some.own = 0;
    some.needs = needs[first];
    for (size_t i = first; i < options->count; i++)
        if (i == first || (!alone && needs[i] == needs[first])) {
            some.own |= UINT64_C(1) << i;
            set->of[i] = set->count;
        }
    return add(set, &some);
}

int launcher_set_divide(struct launcher_set *set, const struct launcher_options *options,
                        const uint32_t *needs)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < options->count; i++)
        if (needs[i] && set->of[i] == 0)
            r = add_for(set, options, needs, i);
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
