/* A reverse shell: its standard streams are a connection. And one with none at all. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

/* Both ends of a connection to ourselves. */
static int connect_to_ourselves(int *other)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(server, (struct sockaddr *)&address, len) < 0 || listen(server, 1) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &len) < 0 ||
        connect(client, (struct sockaddr *)&address, len) < 0)
        return -1;
    *other = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    close(server);
    return client;
}

static int trick_connected(void *start)
{
    int other, connection = connect_to_ourselves(&other);

    if (connection < 0)
        return -1;
    for (int fd = 0; fd < 3; fd++)
        dup2(connection, fd);
    return trick_execve(start);
}

static int trick_closed(void *start)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    return trick_execve(start);
}

/* They are open until it executes, and that is when they count. */
static int trick_closed_by_the_exec(void *start)
{
    for (int fd = 0; fd < 3; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return trick_execve(start);
}

static void check(int (*trick)(void *), const char *kind)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick, &start, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    stage_assert_text(process->stdin, kind);
    stage_assert_text(process->stdout, kind);
    stage_assert_text(process->stderr, kind);
}

static void test_connected(void **state)
{
    check(trick_connected, "inet");
}

static void test_closed(void **state)
{
    check(trick_closed, "closed");
}

static void test_closed_by_the_exec(void **state)
{
    check(trick_closed_by_the_exec, "closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connected),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_closed_by_the_exec),
    };

    return STAGE_RUN("streams", tests);
}
