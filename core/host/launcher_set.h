/* The launchers of a delivery: one for each user that hosts become, as none can become two, and of
 * those one for each set of needs that plugins have, since hosts live in the namespaces of their
 * launcher; and one of its own for each host that may start programs, which are all killed when it
 * is.
 *
 * What a plugin needs is known when a host has loaded it: every host is first started as one that
 * needs nothing, and those that do are then started anew by the launcher that fits. */
#ifndef PICKET_HOST_LAUNCHER_SET_H
#define PICKET_HOST_LAUNCHER_SET_H

#include "host/launcher.h"

struct launcher_set {
    struct launcher *launchers;
    size_t count;
    size_t of[LAUNCHER_HOSTS_MAX]; /* which of them a host has */
    unsigned lacking;              /* enum isolation, or'ed: what some of them could not get */
};

/* One launcher a user of the options' launches; their `own` and `needs` are the set's. For a
 * process of one thread, like the next. -errno. */
int launcher_set_start(struct launcher_set *set, const struct launcher_options *options);

/* Starts those that NEEDS, an item a launch, takes besides; from now on launcher_set_of() tells
 * them. OPTIONS are those of the start. */
int launcher_set_divide(struct launcher_set *set, const struct launcher_options *options,
                        const uint32_t *needs);

struct launcher *launcher_set_of(struct launcher_set *set, size_t index);

void launcher_set_deinit(struct launcher_set *set);

#endif
