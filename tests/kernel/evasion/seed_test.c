/* How sharp the tricks are: the program that picket began from (tests/bench/seed.bpf.c), which
 * looks where execve is entered, watches some of them beside picket. It is told nothing, or
 * nonsense. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "seed.h"
#include "seed.skel.h"
#include "stage.h"

static struct {
    struct seed_bpf *skeleton;
    struct perf_buffer *events;
    struct bpf_link *link;
    int pid; /* of interest */
    size_t count;
    struct seed_event last;
} seed;

static void on_event(void *context, int cpu, void *data, __u32 size)
{
    const struct seed_event *event = data;

    if (event->pid != seed.pid)
        return;
    seed.last = *event;
    seed.count++;
}

/* What a file of the tracepoint says, in a tracefs that is mounted nowhere: "" where it cannot. */
static const char *tracepoint_read(const char *name)
{
    static char text[2048];
    char path[64];
    CLEANUP(closep) int fs = fsopen("tracefs", FSOPEN_CLOEXEC);

    if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return "";
    CLEANUP(closep) int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    snprintf(path, sizeof path, "events/syscalls/sys_enter_execve/%s", name);
    CLEANUP(closep) int fd = openat(mounted, path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, text, sizeof text - 1);

    text[len < 0 ? 0 : len] = '\0';
    return text;
}

static int seed_begin(void **state)
{
    struct perf_event_attr attr = {
        .size = sizeof attr, .type = PERF_TYPE_TRACEPOINT, .sample_period = 1};

    attr.config = strtoul(tracepoint_read("id"), NULL, 10);
    seed.skeleton = seed_bpf__open_and_load();
    if (attr.config == 0 || !seed.skeleton)
        return 0; /* the tests are skipped */
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

    seed.link = bpf_program__attach_perf_event(seed.skeleton->progs.seed_enter, fd);
    seed.events =
        perf_buffer__new(bpf_map__fd(seed.skeleton->maps.events), 64, on_event, NULL, NULL, NULL);
    return seed.link && seed.events ? 0 : -1;
}

static int seed_end(void **state)
{
    perf_buffer__free(seed.events);
    bpf_link__destroy(seed.link);
    seed_bpf__destroy(seed.skeleton);
    memset(&seed, 0, sizeof seed);
    return 0;
}

/* What the seed was told of a trick that picket has whole. */
static void play(int (*trick)(void *), void *argument)
{
    struct testimony said;

    if (!seed.link)
        stage_skip("the kernel has no tracepoint of execve's entry");
    stage_play(trick, argument, &said);
    stage_assert_true(&said);
    seed.pid = (int)said.truth.pid;
    seed.count = 0;
    perf_buffer__consume(seed.events);
}

/* It works, as far as it goes. */
static void test_plain_exec(void **state)
{
    struct start start = {stage_witness(), just_witness};

    play(trick_execve, &start);
    if (seed.count == 0)
        stage_skip("the tracepoint does not fire on each CPU here");
    assert_int_equal(seed.count, 1);
    assert_int_equal(strncmp(seed.last.comm, stage_witness(), sizeof seed.last.comm - 1), 0);
}

static int trick_memfd(void *argument)
{
    int fd = memfd_create("x", MFD_CLOEXEC);

    scene_copy(stage_witness(), fd);
    return fexecve(fd, (char *const *)just_witness, environ);
}

static void test_memfd(void **state)
{
    play(trick_memfd, NULL);
    assert_int_equal(seed.count, 0);
}

static int trick_not_resident(void *argument)
{
    const char *path = stage_witness();
    int fd = open(stage_path("path"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    if (write(fd, path, strlen(path) + 1) < 0)
        return -1;
    return execv(page, (char *const *)just_witness);
}

static void test_filename_not_resident(void **state)
{
    /* From Linux 6.19 on: mostly, and then the page is resident. */
    if (strstr(tracepoint_read("format"), "__filename_val"))
        stage_skip("the kernel's own tracing reads the filename before the program does");
    play(trick_not_resident, NULL);
    if (seed.count > 0)
        assert_string_equal(seed.last.comm, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain_exec, seed_begin, seed_end),
        cmocka_unit_test_setup_teardown(test_memfd, seed_begin, seed_end),
        cmocka_unit_test_setup_teardown(test_filename_not_resident, seed_begin, seed_end),
    };

    return STAGE_RUN("seed", tests);
}
