#include "inflow.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000LL
#define MS     1000000LL

struct item {
    natsMsg *message;
    struct item *next;
};

struct inflow {
    natsConnection *connection; /* borrowed */
    natsSubscription *subscription;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t came;
    struct item *first, **last;
    unsigned holders; /* who opened it, and the library's thread: it ends when it likes */
};

static struct item *pop(struct inflow *inflow)
{
    struct item *item = inflow->first;

    if (!item)
        return NULL;
    inflow->first = item->next;
    if (!inflow->first)
        inflow->last = &inflow->first;
    return item;
}

static void release(struct inflow *inflow)
{
    pthread_mutex_lock(&inflow->lock);
    unsigned left = --inflow->holders;

    pthread_mutex_unlock(&inflow->lock);
    if (left)
        return;
    for (struct item *item; (item = pop(inflow));) {
        natsMsg_Destroy(item->message);
        free(item);
    }
    pthread_cond_destroy(&inflow->came);
    pthread_mutex_destroy(&inflow->lock);
    free(inflow);
}

static void on_end(void *context)
{
    release(context);
}

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                       void *context)
{
    struct inflow *inflow = context;
    struct item *item = malloc(sizeof *item);

    (void)connection;
    (void)subscription;
    if (!item) { /* not settled, it comes again */
        natsMsg_Destroy(message);
        return;
    }
    *item = (struct item){.message = message};
    pthread_mutex_lock(&inflow->lock);
    *inflow->last = item;
    inflow->last = &item->next;
    pthread_cond_signal(&inflow->came);
    pthread_mutex_unlock(&inflow->lock);
}

static struct inflow *make(natsConnection *connection)
{
    struct inflow *inflow = calloc(1, sizeof *inflow);
    pthread_condattr_t attributes;

    if (!inflow)
        return NULL;
    inflow->connection = connection;
    inflow->last = &inflow->first;
    inflow->holders = 1;
    pthread_mutex_init(&inflow->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inflow->came, &attributes);
    pthread_condattr_destroy(&attributes);
    return inflow;
}

static natsStatus subscribe(struct inflow *inflow, const char *subject)
{
    natsStatus status = natsConnection_Subscribe(&inflow->subscription, inflow->connection, subject,
                                                 on_message, inflow);

    if (status != NATS_OK)
        return status;
    inflow->holders = 2; /* nothing has been asked for: no message can have come */
    status = natsSubscription_SetOnCompleteCB(inflow->subscription, on_end, inflow);
    /* What is asked for is bounded: none of it is to be dropped. */
    return status == NATS_OK ? natsSubscription_SetPendingLimits(inflow->subscription, -1, -1)
                             : status;
}

natsStatus inflow_open(natsConnection *connection, const char *subject, struct inflow **out)
{
    struct inflow *inflow = make(connection);
    natsStatus status = inflow ? subscribe(inflow, subject) : NATS_NO_MEMORY;

    if (status != NATS_OK) {
        inflow_close(inflow);
        return status;
    }
    *out = inflow;
    return NATS_OK;
}

void inflow_close(struct inflow *inflow)
{
    if (!inflow)
        return;
    natsSubscription_Destroy(inflow->subscription);
    release(inflow);
}

static struct timespec moment(int64_t wait)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until = now.tv_sec * SECOND + now.tv_nsec + wait * MS;

    return (struct timespec){.tv_sec = until / SECOND, .tv_nsec = until % SECOND};
}

natsStatus inflow_next(struct inflow *inflow, int64_t wait, natsMsg **out)
{
    const struct timespec until = moment(wait);
    int r = wait ? 0 : ETIMEDOUT;

    pthread_mutex_lock(&inflow->lock);
    while (r == 0 && !inflow->first)
        r = pthread_cond_timedwait(&inflow->came, &inflow->lock, &until);
    struct item *item = pop(inflow);

    pthread_mutex_unlock(&inflow->lock);
    if (!item)
        return natsConnection_IsClosed(inflow->connection) ? NATS_CONNECTION_CLOSED : NATS_TIMEOUT;
    *out = item->message;
    free(item);
    return NATS_OK;
}
