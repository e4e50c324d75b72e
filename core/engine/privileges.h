/* What the engine gives up once it has what it needs: docs/security.md. */
#ifndef PICKET_ENGINE_PRIVILEGES_H
#define PICKET_ENGINE_PRIVILEGES_H

#include <sys/types.h>

#include "base/buffer.h"

/* Whom the engine becomes. */
struct privileges {
    uid_t uid;
    gid_t gid;
};

/* "picket" when /etc/passwd has it, else "nobody". */
struct privileges privileges_default(void);

/* The user of that name or number in /etc/passwd; a number need not be there. -EINVAL, with what is
 * wrong in WHY: no such user, or root. */
int privileges_find(const char *user, struct privileges *out, struct buffer *why);

/* Becomes that user, without any capability, for good (rights.h); closes the descriptors that came
 * with the program's start, but the standard three; then only the system calls of an engine at work
 * are left: it reads files, reads and writes what it has open, and starts threads. No file is
 * opened for writing, no socket, no program, no signal to others. For a process of one thread: call
 * it before starting any. -errno after saying why. */
int privileges_drop(const struct privileges *privileges);

#endif
