/* What the engine starts a host with (host/host.h has the form), for all kinds of hosts. */
#ifndef PICKET_HOST_HOST_ARGUMENTS_H
#define PICKET_HOST_HOST_ARGUMENTS_H

#include "host/confinement.h"

struct host_arguments {
    const char *name; /* of the output, or of the source */
    const char *path; /* of the shared object */
    int64_t deadline; /* of its callbacks */
    struct confinement confinement;
};

/* False: somebody else has started the process, which was said. */
bool host_arguments_read(int argc, char **argv, struct host_arguments *out);

/* Whether it is to be confined: not where somebody looks for a plugin's mistakes. */
bool host_arguments_confined(const struct host_arguments *arguments);

/* Becomes a host: its name, its descriptors, its confinement. For a process of one thread. 0 or
 * -errno. */
int host_arguments_obey(const struct host_arguments *arguments);

#endif
