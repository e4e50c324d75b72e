/* What a process may do, and how it gives up the rest. */
#ifndef PICKET_BROKER_RIGHTS_H
#define PICKET_BROKER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A set of capabilities: RIGHT(CAP_KILL) | RIGHT(CAP_SETUID). */
#define RIGHT(capability) (UINT64_C(1) << (capability))

struct rights {
    uid_t uid; /* to become, where the process may choose */
    gid_t gid;
    uint64_t kept;      /* capabilities to hold on to, as far as they are held */
    uint64_t passed_on; /* those of them that programs it executes hold as well */
};

/* Whether this process may choose whom it becomes, as root may (CAP_SETUID and CAP_SETGID). */
bool rights_include_choice(void);

/* For a process of one thread. Becomes the user, in no group beside, when CAP_SETUID is held, and
 * never again another unless it keeps that; holds no other capability, and can get none: bounding
 * set empty and "securebits" locked (as far as CAP_SETPCAP is held), no new privileges. Not
 * dumpable, so that nobody without CAP_SYS_PTRACE reads its memory; no core file; none of the keys
 * of whoever started it. System calls are system_calls.h's matter, descriptors the caller's.
 *
 * Clears PR_SET_PDEATHSIG where it changes the user. -errno. */
int rights_reduce(const struct rights *rights);

#endif
