/* A memory checker for a plugin's host: valgrind, or, for a plugin that is built with it, the
 * address sanitizer. */
#ifndef PICKET_CLI_MEMORY_CHECK_H
#define PICKET_CLI_MEMORY_CHECK_H

#include "base/arena.h"
#include "host/host_spawn.h"

struct memory_check {
    struct host_tool tool;
    const char *arguments[8];
    const char *environment[4];
    char folder[64]; /* of what it writes: a file a process */
    struct arena arena;
};

/* For the plugin of that name or path. -errno after saying why. */
int memory_check_init(struct memory_check *check, struct text plugin);

/* Prints what it found. Of how many processes it had something to say. */
int memory_check_report(const struct memory_check *check);

void memory_check_deinit(struct memory_check *check);

#endif
