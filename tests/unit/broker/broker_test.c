/* A broker answers an engine, outlives none, and takes nothing from a hostile one. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/broker.h"
#include "proc_status.h"

#define NOBODY   65534
#define PATIENCE 60000 /* ms; nothing waits this long unless it fails */

enum { DOUBLE, FILES, PAUSE };

/* What the service knows: one descriptor, and where it says that it may go on. */
struct context {
    int file;
    int gate;
};

static int confine(void *context)
{
    return 0;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    const struct context *service = context;
    char byte;

    switch (request->operation) {
    case DOUBLE:
        out->value = (int64_t)((uint64_t)request->arguments[0] * 2);
        return 0;
    case PAUSE: /* until the gate opens; then as FILES */
        if (read(service->gate, &byte, 1) < 0)
            return -errno;
        /* fallthrough */
    case FILES:
        while (out->file_count < BROKER_FILES)
            out->files[out->file_count++] = fcntl(service->file, F_DUPFD_CLOEXEC, 3);
        return 0;
    default:
        return -EINVAL;
    }
}

struct fixture {
    struct broker broker;
    int file, gate[2];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    struct context context;

    f->file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(f->file >= 0);
    assert_int_equal(0, pipe2(f->gate, O_CLOEXEC));
    context = (struct context){.file = f->file, .gate = f->gate[0]};
    const int files[] = {f->file, f->gate[0], -1};
    const struct broker_service service = {
        .name = "test-broker",
        .rights = {.uid = NOBODY,
                   .gid = NOBODY,
                   .kept = RIGHT(CAP_KILL) | RIGHT(CAP_SETUID),
                   .passed_on = RIGHT(CAP_SETUID)},
        .files = files,
        .file_count = 3,
        .confine = confine,
        .answer = answer,
        .context = &context,
    };

    assert_int_equal(0, broker_start(&f->broker, &service));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    broker_deinit(&f->broker);
    close(f->file);
    close(f->gate[0]);
    close(f->gate[1]);
    assert_int_equal(-1, waitpid(-1, NULL, WNOHANG));
    assert_int_equal(ECHILD, errno);
    return 0;
}

static int call(struct fixture *f, uint32_t operation, int timeout, struct broker_answer *out)
{
    return broker_call(&f->broker,
                       &(struct broker_request){.operation = operation, .arguments = {21}}, timeout,
                       out);
}

static void expect_alive(struct fixture *f)
{
    struct broker_answer out;

    assert_int_equal(0, call(f, DOUBLE, PATIENCE, &out));
    assert_int_equal(42, out.value);
    assert_int_equal(0, out.file_count);
}

static void expect_end(int pidfd)
{
    struct pollfd dead = {.fd = pidfd, .events = POLLIN};

    assert_int_equal(1, poll(&dead, 1, PATIENCE));
}

static void expect_files(struct broker_answer *out)
{
    char byte = 1;

    assert_int_equal(BROKER_FILES, out->file_count);
    for (size_t i = 0; i < out->file_count; i++) {
        assert_int_equal(1, read(out->files[i], &byte, 1));
        assert_int_equal(0, byte);
        assert_true(fcntl(out->files[i], F_GETFD) & FD_CLOEXEC);
        close(out->files[i]);
    }
}

static void answers(void **state)
{
    struct fixture *f = *state;
    struct broker_answer out;

    for (int i = 0; i < 1000; i++)
        expect_alive(f);
    assert_int_equal(0, call(f, FILES, PATIENCE, &out));
    expect_files(&out);
    assert_int_equal(-EINVAL, call(f, 99, PATIENCE, &out));
    assert_int_equal(0, out.file_count);
    expect_alive(f);
}

static void keeps_what_its_service_names_alone(void **state)
{
    struct fixture *f = *state;
    bool root = getuid() == 0;
    pid_t pid = f->broker.pid;
    char line[256];

    assert_string_equal("test-broker", proc_status(pid, "Name", line));
    assert_string_equal("1", proc_status(pid, "NoNewPrivs", line));
    if (root) {
        assert_string_equal("65534\t65534\t65534\t65534", proc_status(pid, "Uid", line));
        assert_string_equal("65534\t65534\t65534\t65534", proc_status(pid, "Gid", line));
        assert_string_equal("", proc_status(pid, "Groups", line));
        assert_string_equal("0000000000000000", proc_status(pid, "CapBnd", line));
    }
    assert_string_equal(root ? "00000000000000a0" : "0000000000000000",
                        proc_status(pid, "CapPrm", line));
    assert_string_equal(root ? "00000000000000a0" : "0000000000000000",
                        proc_status(pid, "CapEff", line));
    assert_string_equal(root ? "0000000000000080" : "0000000000000000",
                        proc_status(pid, "CapInh", line));
    assert_string_equal(root ? "0000000000000080" : "0000000000000000",
                        proc_status(pid, "CapAmb", line));
    /* The standard three, its socket, and the two that were named. */
    if (root)
        assert_int_equal(6, proc_descriptors(pid));
}

/* A byte of a sequence that is always the same. */
static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

/* One request of any content and, one time in four, of any size; whether it was taken. */
static bool send_garbage(int socket, unsigned *seed)
{
    unsigned char bytes[512];
    size_t len = sizeof(struct broker_request);

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)next_random(seed);
    /* No length 0, which ends the broker as a closed socket does; and nothing that waits. */
    if (next_random(seed) % 4 == 0)
        len = 1 + next_random(seed) % sizeof bytes;
    if (len == sizeof(struct broker_request))
        ((struct broker_request *)(void *)bytes)->operation =
            next_random(seed) % 2 ? DOUBLE : FILES;
    return send(socket, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* Takes one answer if there is one, and closes what came with it. */
static bool take_answer(int socket)
{
    char bytes[256], control[256];
    struct iovec into = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};

    if (recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return false;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= part->cmsg_len; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            close(fd);
        }
    return true;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MANY 100000
#else
#define MANY 1000000
#endif

static void a_lot_of_garbage(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0, taken = 0, seed = 1;
    int before = proc_descriptors(f->broker.pid);

    while (taken < MANY) {
        struct pollfd ready = {.fd = f->broker.socket, .events = POLLIN};

        while (sent < MANY && send_garbage(f->broker.socket, &seed))
            sent++;
        assert_int_equal(1, poll(&ready, 1, PATIENCE));
        while (take_answer(f->broker.socket))
            taken++;
    }
    assert_int_equal(sent, taken); /* an answer each, whatever it was */
    expect_alive(f);
    assert_int_equal(before, proc_descriptors(f->broker.pid));
}

static void drops_descriptors_sent_along(void **state)
{
    struct fixture *f = *state;
    struct broker_request request = {.operation = DOUBLE};
    struct iovec from = {&request, sizeof request};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    const int files[] = {f->file, f->gate[1]};
    int before = proc_descriptors(f->broker.pid);

    control.align = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof files)};
    memcpy(CMSG_DATA(&control.align), files, sizeof files);
    for (int i = 0; i < 100; i++) {
        const struct msghdr message = {.msg_iov = &from,
                                       .msg_iovlen = 1,
                                       .msg_control = control.bytes,
                                       .msg_controllen = CMSG_SPACE(sizeof files)};
        struct pollfd ready = {.fd = f->broker.socket, .events = POLLIN};

        assert_int_equal(sizeof request, sendmsg(f->broker.socket, &message, MSG_NOSIGNAL));
        assert_int_equal(1, poll(&ready, 1, PATIENCE));
        assert_true(take_answer(f->broker.socket));
    }
    expect_alive(f);
    assert_int_equal(before, proc_descriptors(f->broker.pid));
}

static void an_answer_that_comes_late_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct broker_answer out;
    int before = proc_descriptors(getpid());

    assert_int_equal(-ETIMEDOUT, call(f, PAUSE, 10, &out));
    assert_int_equal(-EBUSY, call(f, DOUBLE, PATIENCE, &out));
    assert_int_equal(1, write(f->gate[1], "x", 1));
    struct pollfd ready = {.fd = f->broker.socket, .events = POLLIN};

    assert_int_equal(1, poll(&ready, 1, PATIENCE));
    expect_alive(f);
    assert_int_equal(before, proc_descriptors(getpid()));
}

static void an_engine_without_room_is_told(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, tight = {0};
    struct broker_answer out;

    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
    tight.rlim_cur = (rlim_t)f->gate[1] + 3; /* room for two of three, or fewer */
    tight.rlim_max = before.rlim_max;
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
    int r = call(f, FILES, PATIENCE, &out);

    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
    assert_int_equal(-EMFILE, r);
    assert_int_equal(0, out.file_count);
    assert_int_equal(0, call(f, FILES, PATIENCE, &out));
    expect_files(&out);
}

static void ends_with_its_socket(void **state)
{
    struct fixture *f = *state;
    struct broker_answer out;

    close(f->broker.socket);
    f->broker.socket = -1;
    expect_end(f->broker.pidfd);
    assert_int_equal(-EBADF, call(f, DOUBLE, PATIENCE, &out));
}

static void ends_when_nobody_takes_its_answers(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 2;

    while (send_garbage(f->broker.socket, &seed))
        continue;
    close(f->broker.socket);
    f->broker.socket = -1;
    expect_end(f->broker.pidfd);
}

static void is_missed_by_the_engine(void **state)
{
    struct fixture *f = *state;
    struct broker_answer out;

    assert_int_equal(0, kill(f->broker.pid, SIGKILL));
    expect_end(f->broker.pidfd);
    assert_int_equal(-EPIPE, call(f, DOUBLE, PATIENCE, &out));
}

/* Signals that all of a group get leave it to the engine when to end. */
static void ignores_what_is_meant_for_the_engine(void **state)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        assert_int_equal(0, kill(f->broker.pid, signals[i]));
    expect_alive(f);
    assert_int_not_equal(getsid(0), getsid(f->broker.pid));
}

/* In a child: an engine that is killed with its broker running. */
_Noreturn static void be_killed(int out)
{
    struct context context = {-1, -1};
    const struct broker_service service = {.name = "orphan",
                                           .rights = {.uid = NOBODY, .gid = NOBODY},
                                           .confine = confine,
                                           .answer = answer,
                                           .context = &context};
    struct broker broker;

    if (broker_start(&broker, &service) == 0 &&
        write(out, &broker.pid, sizeof broker.pid) == sizeof broker.pid)
        pause();
    _exit(1);
}

static void does_not_outlive_an_engine_that_is_killed(void **state)
{
    pid_t broker, engine;
    int pipes[2];

    assert_int_equal(0, pipe2(pipes, O_CLOEXEC));
    engine = fork();
    if (engine == 0)
        be_killed(pipes[1]);
    assert_int_equal(sizeof broker, read(pipes[0], &broker, sizeof broker));
    int pidfd = pidfd_open(broker, 0);

    assert_true(pidfd >= 0);
    assert_int_equal(0, kill(engine, SIGKILL));
    expect_end(pidfd);
    waitpid(engine, NULL, 0);
    close(pidfd);
    close(pipes[0]);
    close(pipes[1]);
}

static int refuse(void *context)
{
    return -ENOSYS;
}

static void does_not_serve_unconfined(void **state)
{
    const struct broker_service service = {
        .name = "x", .rights = {.uid = NOBODY, .gid = NOBODY}, .confine = refuse, .answer = answer};
    struct broker broker;

    assert_int_equal(-ENOSYS, broker_start(&broker, &service));
    assert_int_equal(0, broker.pid);
    assert_int_equal(-1, waitpid(-1, NULL, WNOHANG));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers),
        TEST(keeps_what_its_service_names_alone),
        TEST(a_lot_of_garbage),
        TEST(drops_descriptors_sent_along),
        TEST(an_answer_that_comes_late_is_nobody_elses),
        TEST(an_engine_without_room_is_told),
        TEST(ends_with_its_socket),
        TEST(ends_when_nobody_takes_its_answers),
        TEST(is_missed_by_the_engine),
        TEST(ignores_what_is_meant_for_the_engine),
        cmocka_unit_test(does_not_outlive_an_engine_that_is_killed),
        cmocka_unit_test(does_not_serve_unconfined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
