/* How many alerts a second a watcher keeps up with, and what of a CPU each costs.
 *
 *     alerts_bench [-s SECONDS] [-t THREADS] FILE NAME=COMMAND...
 *
 * Each COMMAND is a watcher that appends a line to FILE for every alert. Once it is ready (a first
 * program has alerted it), as many threads as the machine has CPUs start the smallest program, one
 * after the other, for SECONDS (10); then the watcher is told to end, and when it has, the lines
 * are counted. Prints a JSON line for each: how many programs and alerts a second there were, from
 * the first program to the last line, and the CPU time of the watcher and of all its processes an
 * alert. */
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

#define READY_NS    (10 * NS_PER_S)
#define THREADS_MAX 64
#define LINES_BLOCK 65536

static atomic_bool stop;

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
    int64_t begin = clock_monotonic();
    uint64_t programs = run_storm(seconds, threads);

    kill(pid, SIGINT);
    if (wait4(pid, NULL, 0, &usage) != pid)
        die("wait4");
    double took = (double)(clock_monotonic() - begin) / NS_PER_S;
    uint64_t alerts = count_lines(file) - before;

    printf("{\"bench\":\"alerts\",\"watcher\":\"%s\",\"programs\":%llu,\"programs_per_s\":%.0f,"
           "\"alerts\":%llu,\"alerts_per_s\":%.0f,\"cpu_us_per_alert\":%.2f,\"end_s\":%.2f}\n",
           name, (unsigned long long)programs, (double)programs / seconds,
           (unsigned long long)alerts, (double)alerts / took,
           alerts ? cpu_seconds(&usage) * 1e6 / (double)alerts : 0, took - seconds);
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
    for (int i = optind + 1; i < argc; i++) {
        char *command = strchr(argv[i], '=');

        if (!command)
            return 2;
        *command++ = '\0';
        measure(argv[i], command, argv[optind], seconds, threads);
    }
    return 0;
}
