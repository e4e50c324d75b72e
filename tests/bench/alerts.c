/* How many alerts a second a watcher keeps up with, and what of a CPU each costs.
 *
 *     alerts_bench [-s SECONDS] [-t THREADS] FILE NAME=COMMAND...
 *
 * Each COMMAND is a watcher that appends a line to FILE for every alert. Once it is ready (a first
 * program has alerted it), as many threads as the machine has CPUs start the smallest program, one
 * after the other, for SECONDS (10); then the watcher is told to end, and when it has, the lines
 * are counted. All that is done by an orphan: an alert with a process tree in it is as long
 * wherever the bench is started. Prints a JSON line for each: how many programs and alerts a second
 * there were, from the first program to the last line, how long a line is, and the CPU time of the
 * watcher and of all its processes an alert, without that of its start. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define READY_NS    (10 * NS_PER_S)
#define THREADS_MAX 64
#define LINES_BLOCK 65536

static atomic_bool stop;
static int result; /* where the orphan says how it ends */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void start_program(void)
{
    static char path[] = NOOP_PATH;
    static char *const argv[] = {path, NULL};
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the fastest */

    if (pid == 0) {
        execv(path, argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, NULL, 0) < 0)
        die("vfork");
}

static void *storm(void *argument)
{
    uint64_t *count = argument;

    for (; !stop; ++*count)
        start_program();
    return NULL;
}

static off_t size_of(const char *file)
{
    struct stat status;

    return stat(file, &status) < 0 ? 0 : status.st_size;
}

static uint64_t count_lines(const char *file)
{
    static char block[LINES_BLOCK];
    uint64_t lines = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        die(file);
    while ((got = read(fd, block, sizeof block)) > 0)
        for (ssize_t i = 0; i < got; i++)
            lines += block[i] == '\n';
    close(fd);
    return lines;
}

static pid_t start_watcher(const char *command, const char *file)
{
    int64_t end = clock_monotonic() + READY_NS;
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    while (size_of(file) == 0) {
        start_program();
        nanosleep(&pause, NULL);
        if (clock_monotonic() > end || waitpid(pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "%s: no alert in ten seconds\n", command);
            kill(pid, SIGINT);
            exit(1);
        }
    }
    return pid;
}

static uint64_t run_storm(unsigned seconds, unsigned threads)
{
    static uint64_t counts[THREADS_MAX][8]; /* a cache line each */
    pthread_t ids[THREADS_MAX];
    uint64_t sum = 0;

    stop = false;
    for (unsigned i = 0; i < threads; i++) {
        counts[i][0] = 0;
        if (pthread_create(&ids[i], NULL, storm, counts[i]) != 0)
            die("pthread_create");
    }
    sleep(seconds);
    stop = true;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += counts[i][0];
    }
    return sum;
}

/* Goes on in a child of init's, and ends as that one does. Before there is a watcher, which would
 * know better whose child it is. */
static void become_orphan(void)
{
    int ends[2], status = 1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe2");
    pid_t pid = fork();

    if (pid == 0 && fork() != 0)
        _exit(0);
    if (pid == 0) {
        result = ends[1];
        close(ends[0]);
        return;
    }
    close(ends[1]);
    if (pid < 0 || waitpid(pid, NULL, 0) < 0 ||
        read(ends[0], &status, sizeof status) != sizeof status)
        exit(1);
    exit(status);
}

static int end_orphan(int status)
{
    return write(result, &status, sizeof status) == sizeof status ? status : 1;
}

struct used {
    pid_t parent;
    unsigned long ticks; /* its own, and those of its children that have ended */
};

/* Places behind the name in /proc/PID/stat. */
enum { STAT_PARENT = 1, STAT_USER = 11, STAT_CHILDREN_SYSTEM = 14 };

static bool read_used(pid_t pid, struct used *out)
{
    char path[32], line[1024];

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(line, 1, sizeof line - 1, file) : 0;

    if (file)
        fclose(file);
    line[len] = '\0';
    const char *behind = strrchr(line, ')'); /* its name may hold anything */

    if (!behind)
        return false;
    struct text rest = text_from(behind + strlen(") "));

    *out = (struct used){0};
    for (int place = 0; rest.ptr && place <= STAT_CHILDREN_SYSTEM; place++) {
        int64_t value = 0;

        if (text_to_int(text_split(&rest, ' '), &value) < 0)
            continue; /* the state is a letter */
        if (place == STAT_PARENT)
            out->parent = (pid_t)value;
        else if (place >= STAT_USER)
            out->ticks += (unsigned long)value;
    }
    return true;
}

static bool descends(pid_t pid, pid_t from)
{
    struct used used = {.parent = pid};

    while (used.parent != from)
        if (used.parent <= 1 || !read_used(used.parent, &used))
            return false;
    return true;
}

/* What a watcher and its processes have used until now: loading BPF is a matter of its start. */
static double cpu_so_far(pid_t watcher)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    unsigned long ticks = 0;
    struct used used;

    while (folder && (entry = readdir(folder))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && descends(pid, watcher) && read_used(pid, &used))
            ticks += used.ticks;
    }
    if (folder)
        closedir(folder);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_seconds(const struct rusage *usage)
{
    return (double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static void measure(const char *name, const char *command, const char *file, unsigned seconds,
                    unsigned threads)
{
    struct rusage usage;

    if (unlink(file) < 0 && errno != ENOENT)
        die(file);
    pid_t pid = start_watcher(command, file);
    uint64_t before = count_lines(file);
    off_t size_before = size_of(file);
    double cpu_before = cpu_so_far(pid);
    int64_t begin = clock_monotonic();
    uint64_t programs = run_storm(seconds, threads);

    kill(pid, SIGTERM);
    if (wait4(pid, NULL, 0, &usage) != pid)
        die("wait4");
    double took = (double)(clock_monotonic() - begin) / NS_PER_S;
    uint64_t alerts = count_lines(file) - before;

    printf("{\"bench\":\"alerts\",\"watcher\":\"%s\",\"programs\":%llu,\"programs_per_s\":%.0f,"
           "\"alerts\":%llu,\"alerts_per_s\":%.0f,\"bytes_per_alert\":%.0f,"
           "\"cpu_us_per_alert\":%.2f,\"end_s\":%.2f}\n",
           name, (unsigned long long)programs, (double)programs / seconds,
           (unsigned long long)alerts, (double)alerts / took,
           alerts ? (double)(size_of(file) - size_before) / (double)alerts : 0,
           alerts ? (cpu_seconds(&usage) - cpu_before) * 1e6 / (double)alerts : 0, took - seconds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned seconds = 10, threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    int option;

    while ((option = getopt(argc, argv, "s:t:")) != -1)
        if (option == 's')
            seconds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 't')
            threads = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 2;
    if (argc - optind < 2 || seconds == 0 || threads == 0 || threads > THREADS_MAX) {
        fprintf(stderr, "alerts_bench [-s SECONDS] [-t THREADS] FILE NAME=COMMAND...\n");
        return 2;
    }
    become_orphan();
    for (int i = optind + 1; i < argc; i++) {
        char *command = strchr(argv[i], '=');

        if (!command)
            return end_orphan(2);
        *command++ = '\0';
        measure(argv[i], command, argv[optind], seconds, threads);
    }
    return end_orphan(0);
}
