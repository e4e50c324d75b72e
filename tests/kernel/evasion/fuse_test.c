/* A file system whose server is the attacker: it answers when it likes, so that an exec is held up
 * at any point of it, or an engine that starts and looks at it, and with what it likes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define PROGRAM      2 /* its node; 1 is the root */
#define REQUEST_MAX  (256 << 10)
#define ANSWER_DELAY 3000 /* us */

static int program; /* what the server gives for it */
static int device;
static unsigned validity = 1; /* seconds for which attributes need not be asked for again */

static void answer(const struct fuse_in_header *request, int error, const void *bytes, size_t len)
{
    struct fuse_out_header header = {
        .len = (uint32_t)(sizeof header + len), .error = error, .unique = request->unique};
    struct iovec parts[] = {{&header, sizeof header}, {(void *)bytes, len}};

    /* One that nobody waits for any more is refused. */
    if (writev(device, parts, len > 0 ? 2 : 1) < 0 && errno != ENOENT)
        _exit(1);
}

static struct fuse_attr attributes_of(uint64_t node)
{
    struct stat st;
    bool folder = node != PROGRAM;

    fstat(program, &st);
    return (struct fuse_attr){
        .ino = node,
        .size = folder ? 0 : (uint64_t)st.st_size,
        .mode = folder ? S_IFDIR | 0755 : S_IFREG | 0755,
        .nlink = 1,
        .ctime = 1000000000,
        .mtime = 1000000000,
        .blksize = 4096,
    };
}

static void answer_lookup(const struct fuse_in_header *request)
{
    struct fuse_entry_out entry = {.nodeid = PROGRAM,
                                   .entry_valid = 1,
                                   .attr_valid = validity,
                                   .attr = attributes_of(PROGRAM)};
    bool known = strcmp((const char *)(request + 1), "program") == 0;

    answer(request, known ? 0 : -ENOENT, &entry, known ? sizeof entry : 0);
}

static void answer_read(const struct fuse_in_header *request)
{
    static char bytes[REQUEST_MAX];
    struct fuse_read_in read;

    memcpy(&read, request + 1, sizeof read);
    usleep(ANSWER_DELAY);
    ssize_t len = pread(program, bytes, read.size < REQUEST_MAX ? read.size : REQUEST_MAX,
                        (off_t)read.offset);

    answer(request, 0, bytes, len > 0 ? (size_t)len : 0);
}

static void answer_request(const struct fuse_in_header *request)
{
    struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
    struct fuse_attr_out attributes = {.attr_valid = validity,
                                       .attr = attributes_of(request->nodeid)};
    struct fuse_open_out opened = {.fh = 1};
    struct fuse_statfs_out room = {.st = {.bsize = 4096, .namelen = 255}};

    switch (request->opcode) {
    case FUSE_INIT:
        answer(request, 0, &init, sizeof init);
        break;
    case FUSE_LOOKUP:
        answer_lookup(request);
        break;
    case FUSE_GETATTR:
        answer(request, 0, &attributes, sizeof attributes);
        break;
    case FUSE_OPEN:
        answer(request, 0, &opened, sizeof opened);
        break;
    case FUSE_STATFS:
        answer(request, 0, &room, sizeof room);
        break;
    case FUSE_READ:
        answer_read(request);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        break; /* has no answer */
    default:
        answer(request, -ENOSYS, NULL, 0);
    }
}

/* Lives as long as its parent, which becomes the witness. */
static void requests_serve(void)
{
    static _Alignas(8) char request[REQUEST_MAX];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(TRUTH_FD);
    for (;;) {
        if (read(device, request, sizeof request) > 0)
            answer_request((const struct fuse_in_header *)(void *)request);
        else if (errno != EINTR && errno != EAGAIN && errno != ENOENT)
            _exit(0);
    }
}

/* Mounts it; the server's process, or -1. */
static pid_t server_start(void)
{
    char options[128];

    program = open(stage_witness(), O_RDONLY | O_CLOEXEC);
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    if (trick_unshare(CLONE_NEWNS) < 0 ||
        mount("none", stage_path("served"), "fuse", 0, options) < 0)
        return -1;
    pid_t server = fork();

    if (server == 0)
        requests_serve();
    return server;
}

static int trick_served(void *start)
{
    return server_start() < 0 ? -1 : trick_execve(start);
}

static void server_check(void)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        stage_skip("the kernel has no FUSE");
    close(fd);
    mkdir(stage_path("served"), 0755);
}

static void test_slow_server(void **state)
{
    struct start start = {stage_path("served/program"), just_witness};
    struct testimony said;

    server_check();
    stage_play(trick_served, &start, &said);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    struct process expected = stage_expect(&said);

    assert_non_null(event);
    field_set_remove(&expected.has, FIELD_EXE_FILESYSTEM);
    stage_assert_fields(&event->process, &expected);
    stage_assert_text(event->process.exe_filesystem, "fuse");
    assert_int_equal(event->process.exe_inode, PROGRAM);
    assert_true(text_ends(event->process.exe, TEXT("/served/program")));
}

static int silence[2]; /* tells which server is silent */
static int gate[2];    /* opens when the engine has started */

static int trick_silent(void *start)
{
    char byte;

    close(gate[1]);
    validity = 0;
    pid_t server = server_start();

    if (server < 0 || chdir(stage_path("served")) < 0 || kill(server, SIGSTOP) < 0 ||
        waitpid(server, NULL, WUNTRACED) != server ||
        write(silence[1], &server, sizeof server) != sizeof server)
        return -1;
    while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    return chdir("/") < 0 ? -1 : trick_execve(start);
}

/* Whoever asks the server what the folder is like waits for ever: an engine that starts must not.
 */
static void test_silent_server(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;
    pid_t server = -1;

    server_check();
    assert_int_equal(pipe(silence), 0);
    assert_int_equal(pipe(gate), 0);
    stage_stop();
    struct act act = stage_begin(trick_silent, &start);

    close(silence[1]);
    assert_int_equal(read(silence[0], &server, sizeof server), sizeof server);
    stage_start();
    kill(server, SIGCONT);
    close(silence[0]);
    close(gate[0]);
    close(gate[1]);
    stage_end(&act, &said);
    stage_assert_true(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_server),
        cmocka_unit_test(test_silent_server),
    };

    return STAGE_RUN("fuse", tests);
}
