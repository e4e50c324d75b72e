/* What watching costs an exec, for several watchers in one interleaved run.
 *
 *     exec_bench [-r ROUNDS] [-n EXECS] [-x PROGRAM]... NAME=COMMAND...
 *
 * A round measures, for each PROGRAM and each watcher, one slice of vfork + exec + wait without
 * and one with the watcher running, one right after the other: the difference is what it adds.
 * Then a slice with the kernel's own statistics on (bpf_enable_stats, which cost something
 * themselves) for the time inside its BPF programs. Prints a JSON line a watcher and program:
 * medians and quartiles over the rounds. A watcher is ready when its BPF programs are there; one
 * without a COMMAND is nothing at all, to show the noise. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define WATCHERS_MAX 8
#define PROGRAMS_MAX 4
#define ROUNDS_MAX   1000
#define READY_NS     (10 * NS_PER_S)
#define SETTLE_NS    (300 * NS_PER_MS)
#define DRAIN_US     50000 /* longer than any watcher waits before it reads */

/* What one round gave, in microseconds an exec. */
struct slice {
    double plain, added, reader, inside;
};

struct watcher {
    const char *name, *command;
    pid_t pid;
    uint32_t before; /* the last BPF program that was there before it */
    struct slice *slices[PROGRAMS_MAX];
};

struct bench {
    unsigned rounds, execs;
    const char *programs[PROGRAMS_MAX];
    unsigned program_count;
    struct watcher watchers[WATCHERS_MAX];
    unsigned watcher_count;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* One slice: microseconds an exec. */
static double slice_run(const char *program, unsigned execs)
{
    const char *argv[] = {program, NULL};
    const char *environment[] = {"PATH=/usr/bin:/bin", NULL};
    int64_t begin = clock_monotonic();

    for (unsigned i = 0; i < execs; i++) {
        pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the cheapest */

        if (pid == 0) {
            execve(program, (char *const *)argv, (char *const *)environment);
            _exit(127);
        }
        int status;

        if (waitpid(pid, &status, 0) != pid || status != 0)
            die(program);
    }
    return (double)(clock_monotonic() - begin) / 1000 / execs;
}

static uint32_t last_bpf_program(void)
{
    uint32_t id = 0, next;

    while (bpf_prog_get_next_id(id, &next) == 0)
        id = next;
    return id;
}

static unsigned bpf_program_count(uint32_t after)
{
    unsigned count = 0;

    for (uint32_t id = after; bpf_prog_get_next_id(id, &id) == 0;)
        count++;
    return count;
}

/* Time inside the programs made since AFTER, in ns. */
static uint64_t bpf_run_time(uint32_t after)
{
    uint64_t sum = 0;

    for (uint32_t id = after; bpf_prog_get_next_id(id, &id) == 0;) {
        struct bpf_prog_info info = {0};
        uint32_t len = sizeof info;
        int fd = bpf_prog_get_fd_by_id(id);

        if (fd < 0)
            continue;
        if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
            sum += info.run_time_ns;
        close(fd);
    }
    return sum;
}

/* CPU time of the watcher's own process, in ns; not that of its children. */
static uint64_t cpu_time(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    if (pid == 0)
        return 0;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) < 0)
        die("CPU time");
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

/* Some watchers want tracefs where it usually is. */
static void tracefs_provide(void)
{
    if (access("/sys/kernel/tracing/events", F_OK) == 0 || unshare(CLONE_NEWNS) < 0)
        return;
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
}

static void watcher_exec(const char *command)
{
    char *line = NULL;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    setpgid(0, 0);
    tracefs_provide();
    dup2(null, STDOUT_FILENO);
    if (asprintf(&line, "exec %s", command) < 0)
        _exit(127);
    execl("/bin/sh", "sh", "-c", line, NULL);
    _exit(127);
}

static void watcher_start(struct watcher *watcher)
{
    int64_t begin = clock_monotonic(), changed = begin;
    unsigned count = 0;

    watcher->before = last_bpf_program();
    if (!watcher->command[0])
        return;
    watcher->pid = fork();
    if (watcher->pid == 0)
        watcher_exec(watcher->command);
    while (count == 0 || clock_monotonic() - changed < SETTLE_NS) {
        unsigned now = bpf_program_count(watcher->before);

        if (now != count)
            changed = clock_monotonic();
        count = now;
        if (clock_monotonic() - begin > READY_NS || waitpid(watcher->pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "%s does not start: %s\n", watcher->name, watcher->command);
            exit(1);
        }
        usleep(10000);
    }
}

static void watcher_stop(struct watcher *watcher)
{
    if (!watcher->command[0])
        return;
    kill(watcher->pid, SIGTERM);
    for (int i = 0; waitpid(watcher->pid, NULL, WNOHANG) == 0; i++) {
        if (i == 200) /* it does not take SIGTERM for an end */
            kill(watcher->pid, SIGKILL);
        usleep(10000);
    }
    while (bpf_program_count(watcher->before) > 0)
        usleep(10000);
}

static double inside_measure(const struct bench *bench, const struct watcher *watcher,
                             const char *program)
{
    int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
    uint64_t before = bpf_run_time(watcher->before);

    slice_run(program, bench->execs);
    uint64_t after = bpf_run_time(watcher->before);

    if (statistics >= 0)
        close(statistics);
    return (double)(after - before) / 1000 / bench->execs;
}

static void round_measure(const struct bench *bench, struct watcher *watcher, unsigned round)
{
    for (unsigned i = 0; i < bench->program_count; i++)
        watcher->slices[i][round].plain = slice_run(bench->programs[i], bench->execs);
    watcher_start(watcher);
    for (unsigned i = 0; i < bench->program_count; i++) {
        struct slice *slice = &watcher->slices[i][round];
        uint64_t before = cpu_time(watcher->pid);

        slice->added = slice_run(bench->programs[i], bench->execs) - slice->plain;
        usleep(DRAIN_US);
        slice->reader = (double)(cpu_time(watcher->pid) - before) / 1000 / bench->execs;
        slice->inside = inside_measure(bench, watcher, bench->programs[i]);
    }
    watcher_stop(watcher);
}

static int number_compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return difference < 0 ? -1 : difference > 0;
}

/* "name": [first quartile, median, third quartile] of the member at OFFSET. */
static void quartiles_print(const char *name, const struct slice *slices, unsigned rounds,
                            size_t offset)
{
    static double values[ROUNDS_MAX];

    for (unsigned i = 0; i < rounds; i++)
        values[i] = *(const double *)((const char *)&slices[i] + offset);
    qsort(values, rounds, sizeof *values, number_compare);
    printf(",\"%s\":[%.2f,%.2f,%.2f]", name, values[rounds / 4], values[rounds / 2],
           values[rounds * 3 / 4]);
}

static void watcher_print(const struct bench *bench, const struct watcher *watcher)
{
    for (unsigned i = 0; i < bench->program_count; i++) {
        const struct slice *slices = watcher->slices[i];

        printf("{\"bench\":\"exec\",\"watcher\":\"%s\",\"program\":\"%s\",\"rounds\":%u,"
               "\"execs\":%u",
               watcher->name, bench->programs[i], bench->rounds, bench->execs);
        quartiles_print("plain_us", slices, bench->rounds, offsetof(struct slice, plain));
        quartiles_print("added_us", slices, bench->rounds, offsetof(struct slice, added));
        quartiles_print("reader_cpu_us", slices, bench->rounds, offsetof(struct slice, reader));
        quartiles_print("inside_bpf_us", slices, bench->rounds, offsetof(struct slice, inside));
        printf("}\n");
    }
}

static void watcher_add(struct bench *bench, char *argument)
{
    char *equals = strchr(argument, '=');
    struct watcher *watcher = &bench->watchers[bench->watcher_count++];

    if (!equals || bench->watcher_count > WATCHERS_MAX) {
        fprintf(stderr, "NAME=COMMAND, at most %d of them: %s\n", WATCHERS_MAX, argument);
        exit(2);
    }
    *equals = '\0';
    watcher->name = argument;
    watcher->command = equals + 1;
    for (unsigned i = 0; i < bench->program_count; i++)
        if (!(watcher->slices[i] = calloc(bench->rounds, sizeof *watcher->slices[i])))
            die("memory");
}

static void arguments_read(struct bench *bench, int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "r:n:x:")) >= 0;) {
        if (option == 'r')
            bench->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'n')
            bench->execs = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'x' && bench->program_count < PROGRAMS_MAX)
            bench->programs[bench->program_count++] = optarg;
        else
            exit(2);
    }
    if (bench->program_count == 0) {
        bench->programs[bench->program_count++] = "/bin/true";
        bench->programs[bench->program_count++] = NOOP_PATH;
    }
    if (bench->rounds == 0 || bench->rounds > ROUNDS_MAX || bench->execs == 0 || optind == argc)
        exit(2);
    for (int i = optind; i < argc; i++)
        watcher_add(bench, argv[i]);
}

int main(int argc, char **argv)
{
    struct bench bench = {.rounds = 15, .execs = 1000};

    arguments_read(&bench, argc, argv);
    for (unsigned round = 0; round < bench.rounds; round++)
        for (unsigned i = 0; i < bench.watcher_count; i++)
            round_measure(&bench, &bench.watchers[i], round);
    for (unsigned i = 0; i < bench.watcher_count; i++)
        watcher_print(&bench, &bench.watchers[i]);
    return 0;
}
