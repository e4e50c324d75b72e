/* How long it takes from an exec to its alert, read from the watcher's pipe.
 *
 *     latency_bench [-s SECONDS] [-r RATE]... [-i SECONDS] [-e EACH] [-n ROUNDS] [-a FIFO]
 *                   NAME=COMMAND...
 *
 * Each COMMAND is a watcher that prints a line with the command line of every program whose first
 * argument begins with "picket-latency-". For each RATE (default 10, 100 and 1000 a second)
 * programs are started for SECONDS, at uneven intervals, each with a number of its own; its time
 * runs from right before execve(2) to when the line with its number has been read. Prints a JSON
 * line for each, with what the watcher's own process used of a CPU; with -i first one for SECONDS
 * in which nothing is started. With -a the lines come from FIFO, into which somebody else writes,
 * not from the watcher's standard output; with -n it is all done ROUNDS times, watcher by
 * watcher. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define TOKEN     "picket-latency-"
#define RATES_MAX 8
#define EXECS_MAX 1000000
#define READY_NS  (10 * NS_PER_S)
#define LATE_NS   (2 * NS_PER_S) /* an alert that takes longer is missing */

static int64_t started[EXECS_MAX], alerted[EXECS_MAX];
static unsigned execs;

struct watcher {
    const char *name, *command;
    pid_t pid;
    int pipe;
};

struct bench {
    unsigned seconds, idle, each, rounds;
    const char *fifo; /* NULL: the watcher's standard output */
    unsigned rates[RATES_MAX];
    unsigned rate_count;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Notes the time of each number in the line, which may have one more than once. */
static void read_line(const char *line, int64_t now)
{
    while ((line = strstr(line, TOKEN))) {
        unsigned long number = strtoul(line += sizeof TOKEN - 1, NULL, 10);

        if (number < EXECS_MAX && alerted[number] == 0)
            __atomic_store_n(&alerted[number], now, __ATOMIC_RELEASE);
    }
}

static void *read_alerts(void *argument)
{
    static char block[1 << 20];
    const struct watcher *watcher = argument;
    size_t kept = 0;
    ssize_t len;

    while ((len = read(watcher->pipe, block + kept, sizeof block - kept - 1)) > 0) {
        int64_t now = clock_monotonic();
        char *line = block, *end;

        block[kept + (size_t)len] = '\0';
        while ((end = strchr(line, '\n'))) {
            *end = '\0';
            read_line(line, now);
            line = end + 1;
        }
        kept = strlen(line);
        memmove(block, line, kept);
    }
    return NULL;
}

/* Starts a program and waits for its end; its time goes to *BEGAN. */
static void run_program(char *argument, int64_t *began)
{
    char *argv[] = {argument, NULL};
    int status;
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): shares the clock */

    if (pid == 0) {
        *began = clock_monotonic(); /* NOLINT(clang-analyzer-unix.Vfork): likewise */
        execv(NOOP_PATH, argv);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die(NOOP_PATH);
}

/* One that is alerted on; returns its number. */
static unsigned run_numbered(void)
{
    char argument[64];
    unsigned number = execs++;

    if (number >= EXECS_MAX) {
        fprintf(stderr, "too many programs\n");
        exit(1);
    }
    snprintf(argument, sizeof argument, TOKEN "%u", number);
    run_program(argument, &started[number]);
    return number;
}

static void run_quiet(void)
{
    char argument[] = "quiet";
    int64_t began;

    run_program(argument, &began);
}

static void sleep_until(int64_t time)
{
    struct timespec until = {time / NS_PER_S, time % NS_PER_S};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void watcher_start(struct watcher *watcher, const char *fifo)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    if (fifo && (close(ends[0]), ends[0] = open(fifo, O_RDONLY | O_CLOEXEC)) < 0)
        die(fifo);
    watcher->pipe = ends[0];
    watcher->pid = fork();
    if (watcher->pid == 0) {
        char *line = NULL;

        dup2(ends[1], STDOUT_FILENO);
        if (asprintf(&line, "exec %s", watcher->command) < 0)
            _exit(127);
        execl("/bin/sh", "sh", "-c", line, NULL);
        _exit(127);
    }
    close(ends[1]);
}

/* It is ready when it alerts. */
static void watcher_await(const struct watcher *watcher)
{
    int64_t deadline = clock_monotonic() + READY_NS;
    unsigned number;

    do {
        number = run_numbered();
        sleep_until(clock_monotonic() + 50 * NS_PER_MS);
        if (clock_monotonic() > deadline || waitpid(watcher->pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "%s does not alert: %s\n", watcher->name, watcher->command);
            exit(1);
        }
    } while (!__atomic_load_n(&alerted[number], __ATOMIC_ACQUIRE));
    sleep_until(clock_monotonic() + NS_PER_S / 2);
}

static int64_t cpu_time(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) < 0)
        die("CPU time");
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static int time_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile(const int64_t *sorted, size_t count, double of)
{
    return count ? (double)sorted[(size_t)((double)(count - 1) * of)] / 1000 : 0;
}

/* CPU: ns of it used for each program. */
static void rate_print(const struct watcher *watcher, unsigned rate, unsigned first, int64_t cpu)
{
    static int64_t taken[EXECS_MAX];
    unsigned wanted = execs - first;
    size_t count = 0;

    for (unsigned i = first; i < execs; i++)
        if (__atomic_load_n(&alerted[i], __ATOMIC_ACQUIRE))
            taken[count++] = alerted[i] - started[i];
    qsort(taken, count, sizeof *taken, time_compare);
    printf("{\"bench\":\"latency\",\"watcher\":\"%s\",\"rate\":%u,\"alerts\":%u,\"missing\":%zu",
           watcher->name, rate, wanted, wanted - count);
    printf(",\"p50_us\":%.0f,\"p90_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f",
           percentile(taken, count, 0.5), percentile(taken, count, 0.9),
           percentile(taken, count, 0.99), percentile(taken, count, 1));
    printf(",\"watcher_cpu_us\":%.2f}\n", (double)cpu / 1000);
    fflush(stdout);
}

static void rate_measure(const struct bench *bench, const struct watcher *watcher, unsigned rate)
{
    unsigned first = execs, count = rate * bench->seconds;
    int64_t period = NS_PER_S / rate, next = clock_monotonic(), cpu = cpu_time(watcher->pid);

    for (unsigned i = 0; i < count; i++) {
        next += period / 2 + random() % period; /* one period in the mean */
        sleep_until(next);
        if (i % bench->each == 0)
            run_numbered();
        else
            run_quiet();
    }
    cpu = cpu_time(watcher->pid) - cpu;
    for (int64_t end = clock_monotonic() + LATE_NS; clock_monotonic() < end;) {
        unsigned missing = 0;

        for (unsigned i = first; i < execs; i++)
            missing += !__atomic_load_n(&alerted[i], __ATOMIC_ACQUIRE);
        if (missing == 0)
            break;
        sleep_until(clock_monotonic() + 10 * NS_PER_MS);
    }
    rate_print(watcher, rate, first, cpu / count);
}

static void idle_measure(const struct bench *bench, const struct watcher *watcher)
{
    int64_t cpu = cpu_time(watcher->pid), begin = clock_monotonic();

    sleep_until(begin + bench->idle * NS_PER_S);
    cpu = cpu_time(watcher->pid) - cpu;
    printf("{\"bench\":\"idle\",\"watcher\":\"%s\",\"seconds\":%u,\"cpu_percent\":%.4f}\n",
           watcher->name, bench->idle, 100.0 * (double)cpu / (double)(clock_monotonic() - begin));
    fflush(stdout);
}

static void watcher_measure(const struct bench *bench, struct watcher *watcher)
{
    pthread_t reader;

    watcher_start(watcher, bench->fifo);
    if (pthread_create(&reader, NULL, read_alerts, watcher) != 0)
        die("thread");
    watcher_await(watcher);
    if (bench->idle)
        idle_measure(bench, watcher);
    for (unsigned i = 0; i < bench->rate_count; i++)
        rate_measure(bench, watcher, bench->rates[i]);
    kill(watcher->pid, SIGTERM);
    waitpid(watcher->pid, NULL, 0);
    if (bench->fifo)
        pthread_cancel(reader); /* who writes into it goes on */
    pthread_join(reader, NULL);
    close(watcher->pipe);
}

static void arguments_read(struct bench *bench, int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "s:r:i:e:n:a:")) >= 0;) {
        unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

        if (option == 's')
            bench->seconds = number;
        else if (option == 'e')
            bench->each = number;
        else if (option == 'n')
            bench->rounds = number;
        else if (option == 'a')
            bench->fifo = optarg;
        else if (option == 'i')
            bench->idle = number;
        else if (option == 'r' && bench->rate_count < RATES_MAX && number > 0)
            bench->rates[bench->rate_count++] = number;
        else
            exit(2);
    }
    if (bench->seconds == 0 || bench->each == 0 || optind == argc)
        exit(2);
    if (bench->rate_count == 0)
        for (unsigned rate = 10; rate <= 1000; rate *= 10)
            bench->rates[bench->rate_count++] = rate;
}

int main(int argc, char **argv)
{
    struct bench bench = {.seconds = 10, .each = 1, .rounds = 1};

    arguments_read(&bench, argc, argv);
    for (int i = optind; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (!equals)
            return 2;
        *equals = '\0';
    }
    while (bench.rounds--)
        for (int i = optind; i < argc; i++)
            watcher_measure(&bench, &(struct watcher){.name = argv[i],
                                                      .command = argv[i] + strlen(argv[i]) + 1});
    return 0;
}
