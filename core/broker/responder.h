/* Stops and kills processes for an engine that may signal nobody: a broker (broker.h).
 *
 * Signalling others takes CAP_KILL; the responder holds it, and can do nothing but this. It
 * believes no pid: it gets hold of the process (pidfd_open(2)), reads in /proc when that one began,
 * sees that it still lives, and signals what it holds. Between the look and the signal the pid
 * cannot become another process's. */
#ifndef PICKET_BROKER_RESPONDER_H
#define PICKET_BROKER_RESPONDER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum responder_action {
    RESPONDER_LOOK, /* does nothing to it */
    RESPONDER_STOP, /* SIGSTOP */
    RESPONDER_KILL  /* SIGKILL */
};

/* A process, by what names it for good. */
struct responder_target {
    int64_t pid;
    /* When it began: boot time, ns. What the process itself has is to be within RESPONDER_SLACK of
     * it, by the ticks of 10 ms that /proc counts in. */
    int64_t start;
};

#define RESPONDER_SLACK 2000000LL /* ns: twice what a start time in an event may be off */

enum responder_result {
    RESPONDER_DONE,   /* signalled; or it is there, and could have been */
    RESPONDER_GONE,   /* it has ended */
    RESPONDER_OTHER,  /* its pid is another process's */
    RESPONDER_INIT,   /* process 1 */
    RESPONDER_KERNEL, /* a thread of the kernel's */
    RESPONDER_OWN,    /* the engine's, or one that the engine or an output of it has started */
    RESPONDER_LIMIT   /* there were as many as there may be */
};

struct responder_options {
    uid_t uid; /* whom it becomes, where the caller may choose (it is root) */
    gid_t gid;
    size_t limit; /* signals it gives within a minute; 0: none ever, nor does it hold CAP_KILL */
};

struct responder;

/* Forks the responder: call it before giving up privileges and before starting threads. The caller
 * is the engine, whose processes are spared. Without privileges it signals what the caller's user
 * may. 0 or -errno. */
int responder_new(const struct responder_options *options, struct responder **out);
void responder_free(struct responder *responder); /* NULL is fine */
DEFINE_FREEP(struct responder, responder)

/* Has ACTION done to TARGET: 0, and what became of it in *OUT. One thread at a time; waits
 * RESPONDER_TIME at most.
 *
 * What it is too late for by then is not done any more.
 *
 * -EPERM: the kernel, or a security module, forbids it; -EACCES: /proc does not show the process
 * (hidepid=); -ETIMEDOUT, -EBUSY and -EPIPE as broker_call(). */
int responder_act(struct responder *responder, enum responder_action action,
                  const struct responder_target *target, enum responder_result *out);

#define RESPONDER_TIME 500 /* ms */

#endif
