/* Which container a process is in, by the name of its cgroup: what the runtimes call theirs, with
 * systemd's scopes and without, of version 1 and 2. The innermost one counts.
 *
 * It is a name and no proof: whoever may make cgroups can give one any name. */
#ifndef PICKET_EVENT_CONTAINER_H
#define PICKET_EVENT_CONTAINER_H

#include "base/buffer.h"

struct container {
    struct text id;
    const char *runtime; /* NULL: the path does not tell */
};

/* PATH is the cgroup's, from the root of its hierarchy. The id lies in PATH, or was put into ROOM
 * (no longer than PATH) where systemd had escaped it. False outside of a container; *out is then
 * untouched. */
bool container_find(struct text path, struct buffer *room, struct container *out);

#endif
