#include "connect_attempt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A system call that is interrupted ends a handshake. This signal does nothing else, and nobody
 * else sends it. */
#define INTERRUPTION SIGURG

struct connect_attempt {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    natsOptions *options;
    bool over;
    struct connect_outcome outcome;
};

static void on_interruption(int signal)
{
}

static void *run(void *context)
{
    struct connect_attempt *attempt = context;
    struct connect_outcome outcome = {0};

    outcome.status = natsConnection_Connect(&outcome.connection, attempt->options);
    if (outcome.status != NATS_OK) {
        const char *said = nats_GetLastError(NULL);

        snprintf(outcome.said, sizeof outcome.said, "%s", said ? said : "");
    }
    nats_ReleaseThreadMemory();
    pthread_mutex_lock(&attempt->lock);
    attempt->outcome = outcome;
    attempt->over = true;
    pthread_cond_signal(&attempt->ended);
    pthread_mutex_unlock(&attempt->lock);
    return NULL;
}

static void attempt_free(struct connect_attempt *attempt)
{
    pthread_cond_destroy(&attempt->ended);
    pthread_mutex_destroy(&attempt->lock);
    free(attempt);
}

natsStatus connect_attempt_new(natsOptions *options, struct connect_attempt **attempt)
{
    const struct sigaction interruption = {.sa_handler = on_interruption}; /* no SA_RESTART */
    struct connect_attempt *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;

    if (!made)
        return NATS_NO_MEMORY;
    sigaction(INTERRUPTION, &interruption, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    made->options = options;
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        attempt_free(made);
        return NATS_NO_MEMORY;
    }
    *attempt = made;
    return NATS_OK;
}

static bool await_end(struct connect_attempt *attempt, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&attempt->lock);
    while (!attempt->over &&
           pthread_cond_timedwait(&attempt->ended, &attempt->lock, &until) != ETIMEDOUT)
        continue;
    bool over = attempt->over;

    pthread_mutex_unlock(&attempt->lock);
    return over;
}

int connect_attempt_await(struct connect_attempt *attempt, int64_t ms,
                          struct connect_outcome *outcome)
{
    if (!await_end(attempt, ms)) {
        pthread_kill(attempt->thread, INTERRUPTION);
        if (!await_end(attempt, ms / 8))
            return -EAGAIN;
    }
    pthread_join(attempt->thread, NULL);
    *outcome = attempt->outcome;
    attempt_free(attempt);
    return 0;
}

void connect_attempt_leave(struct connect_attempt *attempt)
{
    pthread_detach(attempt->thread);
}
