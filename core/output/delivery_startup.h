/* How the outputs of a delivery come to be: their settings read, launchers forked, hosts started,
 * their plugins' tables asked for and checked; then all are opened, or none. */
#ifndef PICKET_OUTPUT_DELIVERY_STARTUP_H
#define PICKET_OUTPUT_DELIVERY_STARTUP_H

#include "output/delivery.h"

/* How far the outputs have come on their own, before there is a thread. */
enum delivery_start { START_RUNNING, START_DONE, START_FAILED };

/* What epoll has to say that is no output's (SOURCE_COUNT numbers for each). */
#define DELIVERY_WAKE_EVENT     UINT64_MAX
#define DELIVERY_LAUNCHER_EVENT (UINT64_MAX - 1)

struct delivery_startup {
    enum delivery_start state;
    size_t errors; /* of the caller's diagnostics, before ours */
    int failure;   /* other than a mistake of the user's, -errno */
    uid_t uid;     /* whom launchers become */
    gid_t gid;
    const struct host_tool *tool;
    bool live; /* as the options have it */
};

/* The delivery's group has its epoll. -errno; -EINVAL: diagnosed. */
int delivery_startup_init(struct delivery *delivery, const struct delivery_options *options,
                          struct diag_list *diags);

/* Goes on when all outputs have come as far as they can without the others. */
void delivery_startup_step(struct delivery *delivery);

#endif
