/* From the kernel's records (bpf/wire.h) to our vocabulary.
 *
 * The kernel side is trusted code, but what it puts into a record is not: every length is checked,
 * nothing is cast in place (a record need not be aligned), and one that does not add up is refused,
 * never half used. */
#ifndef PICKET_EVENT_RECORD_H
#define PICKET_EVENT_RECORD_H

#include "base/buffer.h"
#include "event/event.h"

/* (tgid, start time): what names a process for good. Boot-time nanoseconds. */
struct identity {
    int64_t pid;
    int64_t start;
};

struct record {
    enum event_type type;
    uint32_t cpu;
    uint64_t sequence; /* per CPU, one more for each record the kernel side tried to send */
    int64_t boot_time; /* boot-time ns at the hook */
    struct identity self;
    struct identity parent; /* pid 0: unknown */
    /* FORK: who forked, which is not the parent of a child made with CLONE_PARENT; pid 0: unknown,
     * the parent then. */
    struct identity creator;
    int64_t retval;      /* EXEC_FAILED: -errno */
    int64_t exit_status; /* EXIT: as wait(2) has it */
    bool filtered;       /* EXEC: a filter of the user's excludes it; only ids are known */
    /* What the record says of the process: has, numbers, texts. Texts borrow the record's bytes
     * or the scratch. start_time and parent are not set: they are the process table's. */
    struct process process;
};

/* Room for what has to be put together: paths from their components, the command line. Its
 * contents last until the next decode with it. */
struct record_scratch {
    struct buffer text;
    /* The names of the variables that `env` has. Set by the owner, who keeps them. */
    const char *const *environment;
    size_t environment_count;
};

void record_scratch_deinit(struct record_scratch *scratch);

/* Decodes one record. 0, -EBADMSG (does not add up; *why is a static text), -ENOMEM. */
int record_decode(const void *bytes, size_t len, struct record_scratch *scratch, struct record *out,
                  const char **why);

#endif
