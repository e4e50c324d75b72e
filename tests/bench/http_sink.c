/* An HTTP server that is not what one waits for.
 *
 *     http_sink PORT-FILE
 *
 * Listens on a port of 127.0.0.1, which it writes to PORT-FILE, and answers each request with 204;
 * the body goes to standard output, with a line break behind it, before that. A thread for each
 * connection, which is kept; Content-Length is what it understands of HTTP/1.1. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_MAX 16384
#define BODY_MAX   (64 << 20)

static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
static const char proceed[] = "HTTP/1.1 100 Continue\r\n\r\n";

struct connection {
    int fd;
    size_t have; /* bytes in `block` */
    char *block;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int receive(struct connection *connection, size_t most)
{
    ssize_t got =
        recv(connection->fd, connection->block + connection->have, most - connection->have, 0);

    if (got <= 0)
        return -1;
    connection->have += (size_t)got;
    connection->block[connection->have] = '\0';
    return 0;
}

/* The length of the header; 0: there is no more. */
static size_t receive_header(struct connection *connection)
{
    const char *end;

    while (!(end = strstr(connection->block, "\r\n\r\n")))
        if (connection->have == HEADER_MAX || receive(connection, HEADER_MAX) < 0)
            return 0;
    return (size_t)(end - connection->block) + 4;
}

static size_t body_length(const char *header)
{
    const char *at = strcasestr(header, "\r\ncontent-length:");

    return at ? strtoul(at + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

static int take_request(struct connection *connection)
{
    size_t header = receive_header(connection);

    if (header == 0)
        return -1;
    size_t whole = header + body_length(connection->block);

    if (whole > BODY_MAX)
        return -1;
    if (whole > connection->have && strcasestr(connection->block, "\r\nexpect:"))
        if (send(connection->fd, proceed, sizeof proceed - 1, MSG_NOSIGNAL) < 0)
            return -1;
    while (connection->have < whole)
        if (receive(connection, whole) < 0)
            return -1;
    flockfile(stdout);
    fwrite(connection->block + header, 1, whole - header, stdout);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
    connection->have -= whole;
    memmove(connection->block, connection->block + whole, connection->have + 1);
    return send(connection->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void *serve(void *argument)
{
    struct connection *connection = argument;

    while (take_request(connection) == 0)
        continue;
    close(connection->fd);
    free(connection->block);
    free(connection);
    return NULL;
}

static struct connection *connection_new(int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection || !(connection->block = calloc(1, BODY_MAX + 1)))
        die("connection");
    connection->fd = fd;
    return connection;
}

static int listen_somewhere(const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        die("socket");
    FILE *file = fopen(port_file, "we");

    if (!file || fprintf(file, "%u\n", ntohs(address.sin_port)) < 0 || fclose(file) != 0)
        die(port_file);
    return fd;
}

int main(int argc, char **argv)
{
    const int on = 1;

    if (argc != 2)
        return 2;
    for (int listener = listen_somewhere(argv[1]);;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        if (fd < 0)
            die("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, NULL, serve, connection_new(fd)) != 0)
            die("thread");
        pthread_detach(thread);
    }
}
