/* A server by name: "host", "host:port", "[::1]:port". Looking it up waits for no one: a look-up
 * that takes longer than one would wait goes on by itself, and is asked for again later. */
#ifndef PICKET_PLUGIN_SYSLOG_ADDRESS_H
#define PICKET_PLUGIN_SYSLOG_ADDRESS_H

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>

struct address {
    char host[256], port[16];
    struct addrinfo hints;
    pthread_t thread; /* looks it up */
    bool asked;       /* there is one */
    /* From here on under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t is_done;
    bool done;
    int error; /* getaddrinfo()'s */
    struct addrinfo *result;
};

/* 0, or -EINVAL. TYPE: SOCK_STREAM or SOCK_DGRAM. */
int address_init(struct address *address, const char *server, const char *port, int type);

/* Must stay where it is until then; zeroed is well. Waits for a look-up that is under way. */
void address_deinit(struct address *address);

/* 0 and what it has now, for freeaddrinfo(); -EAGAIN: not known within MOST ms; -ENXIO: there is no
 * such host, *WHY tells more. */
int address_look_up(struct address *address, long long most, struct addrinfo **out,
                    const char **why);

#endif
