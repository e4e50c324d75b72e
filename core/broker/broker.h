/* A broker: a small process that does for the engine the few things which need a right the engine
 * has given up, and nothing else.
 *
 *     engine ── request: a number, a few numbers ──▶ broker
 *            ◀── answer: a number, descriptors ─────
 *
 * It is forked while the engine still is what it was started as, with all it will ever need, gives
 * up what its service does not name, and from then on believes the engine nothing: requests have
 * one size and hold numbers only, never a path, and descriptors sent along are dropped. It ends
 * with the engine. One thread, one request at a time. */
#ifndef PICKET_BROKER_BROKER_H
#define PICKET_BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/rights.h"

#define BROKER_FILES     3
#define BROKER_ARGUMENTS 5

struct broker_request {
    uint32_t operation;
    uint32_t serial; /* broker_call()'s */
    int64_t arguments[BROKER_ARGUMENTS];
};

struct broker_answer {
    int64_t value;
    int files[BROKER_FILES];
    size_t file_count;
};

struct broker_service {
    const char *name; /* of the process, 15 bytes at most */
    struct rights rights;
    const int *files; /* descriptors the service needs: all others are closed, but standard error */
    size_t file_count;
    bool own_pids; /* it is the first process of a pid namespace, where one is to be had */
    /* In the broker, while it still is what its caller is. What it returns is the broker's `told`;
     * APART: it has a pid namespace. NULL is fine. */
    int64_t (*prepare)(void *context, bool apart);
    /* In the broker. The last step before it serves: filters its system calls. 0 or -errno. */
    int (*confine)(void *context);
    /* In the broker. 0 or -errno, which the caller gets; the files of *OUT are closed once they
     * were sent. Any request may come at any time. */
    int (*answer)(void *context, const struct broker_request *request, struct broker_answer *out);
    void *context; /* the broker has a copy of what it points to, as of the start */
};

struct broker {
    pid_t pid; /* 0: none */
    int pidfd; /* readable once it is dead; this and the other -1 without one */
    int socket;
    int64_t told;              /* by its service, at the start */
    uint32_t serial, answered; /* of the last request sent, and of the last that was answered */
};

#define BROKER_NONE               \
    (struct broker)               \
    {                             \
        .pidfd = -1, .socket = -1 \
    }

/* Forks the broker; returns when it serves. The caller has one thread, and is the one the broker
 * dies with. -errno: there is no broker then. */
int broker_start(struct broker *broker, const struct broker_service *service);

/* Ends it; waits up to a second. */
void broker_deinit(struct broker *broker);

/* One request, and its answer in *OUT; the files are the caller's. One thread at a time. What the
 * service answered: 0 or -errno; -ETIMEDOUT after TIMEOUT milliseconds; -EBUSY while it is still at
 * an earlier request that timed out; -EPIPE when the broker is gone; -EMFILE when this process can
 * have no more files. */
int broker_call(struct broker *broker, const struct broker_request *request, int timeout,
                struct broker_answer *out);

#endif
