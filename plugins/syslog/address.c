#include "address.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static bool is_number(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 5 && strspn(text, "0123456789") == len;
}

static int copy(char *to, size_t size, const char *from, size_t len)
{
    if (len == 0 || len >= size)
        return -EINVAL;
    memcpy(to, from, len);
    to[len] = '\0';
    return 0;
}

/* Where the host of "[::1]:514" ends; NULL when it is not that. */
static const char *find_bracket(const char *server)
{
    const char *end = *server == '[' ? strchr(server, ']') : NULL;

    return end && (end[1] == '\0' || end[1] == ':') ? end : NULL;
}

static void use_monotonic_clock(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int address_init(struct address *address, const char *server, const char *port, int type)
{
    const char *bracket = find_bracket(server);
    const char *colon = strchr(bracket ? bracket : server, ':');
    const char *host = server + (bracket != NULL);
    size_t len = bracket ? (size_t)(bracket - host) : strlen(host);

    if (!bracket && colon && strchr(colon + 1, ':'))
        colon = NULL; /* IPv6 without a port */
    else if (!bracket && colon)
        len = (size_t)(colon - host);
    if (*server == '[' && !bracket)
        return -EINVAL;
    memset(address, 0, sizeof *address);
    address->hints = (struct addrinfo){.ai_socktype = type, .ai_flags = AI_NUMERICSERV};
    use_monotonic_clock(&address->is_done);
    if (colon && !is_number(colon + 1))
        return -EINVAL;
    int r = copy(address->host, sizeof address->host, host, len);

    if (r == 0)
        r = copy(address->port, sizeof address->port, colon ? colon + 1 : port,
                 strlen(colon ? colon + 1 : port));
    return r;
}

static void end_thread(struct address *address)
{
    if (address->asked)
        pthread_join(address->thread, NULL);
    address->asked = false;
}

void address_deinit(struct address *address)
{
    end_thread(address);
    if (address->result)
        freeaddrinfo(address->result);
    address->result = NULL;
    pthread_cond_destroy(&address->is_done);
    pthread_mutex_destroy(&address->lock);
}

static void *look_up(void *argument)
{
    struct address *address = argument;
    struct addrinfo *result = NULL;
    int error = getaddrinfo(address->host, address->port, &address->hints, &result);

    pthread_mutex_lock(&address->lock);
    address->error = error;
    address->result = error ? NULL : result;
    address->done = true;
    pthread_cond_signal(&address->is_done);
    pthread_mutex_unlock(&address->lock);
    return NULL;
}

static int begin(struct address *address)
{
    address->done = false;
    int r = -pthread_create(&address->thread, NULL, look_up, address);

    address->asked = r == 0;
    return r;
}

static bool await(struct address *address, long long most)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    long long due = until.tv_sec * 1000000000LL + until.tv_nsec + most * 1000000;

    until = (struct timespec){due / 1000000000, due % 1000000000};
    pthread_mutex_lock(&address->lock);
    while (!address->done)
        if (pthread_cond_timedwait(&address->is_done, &address->lock, &until) != 0)
            break;
    bool done = address->done;

    pthread_mutex_unlock(&address->lock);
    return done;
}

int address_look_up(struct address *address, long long most, struct addrinfo **out,
                    const char **why)
{
    int r = address->asked ? 0 : begin(address);

    if (r < 0)
        return r;
    if (!await(address, most))
        return -EAGAIN;
    end_thread(address);
    if (address->error) {
        *why = gai_strerror(address->error);
        return -ENXIO;
    }
    *out = address->result;
    address->result = NULL;
    return 0;
}
