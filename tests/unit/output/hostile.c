#include "hostile.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static enum hostility how;
static const char *says;

static void go_on(int fd)
{
    char bytes[4096];

    memset(bytes, 'x', sizeof bytes);
    while (how == HOSTILE_SLOW && send(fd, bytes, 1, MSG_NOSIGNAL) == 1)
        usleep(20000);
    while (how == HOSTILE_ENDLESS && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        continue;
    while (how == HOSTILE_SILENT && recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void *serve(void *context)
{
    const struct linger abruptly = {.l_onoff = 1};
    int fd = *(int *)context;
    char bytes[4096];

    free(context);
    if (how == HOSTILE_ABRUPT) {
        recv(fd, bytes, sizeof bytes, 0);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
    }
    if (send(fd, says, strlen(says), MSG_NOSIGNAL) >= 0)
        go_on(fd);
    close(fd);
    return NULL;
}

static void be_server(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int *fd = malloc(sizeof *fd);
        pthread_t thread;

        if (!fd)
            _exit(1);
        *fd = accept(listener, NULL, NULL);
        if (*fd >= 0 && pthread_create(&thread, NULL, serve, fd) == 0)
            pthread_detach(thread);
    }
}

void hostile_start(struct hostile *hostile, enum hostility hostility, const char *greeting)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    how = hostility;
    says = greeting;
    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, len));
    assert_int_equal(0, listen(fd, 64));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
    hostile->port = ntohs(address.sin_port);
    hostile->pid = fork();
    assert_true(hostile->pid >= 0);
    if (hostile->pid == 0)
        be_server(fd);
    close(fd);
}

void hostile_stop(struct hostile *hostile)
{
    if (hostile->pid == 0)
        return;
    kill(hostile->pid, SIGKILL);
    assert_int_equal(hostile->pid, waitpid(hostile->pid, NULL, 0));
    hostile->pid = 0;
}
