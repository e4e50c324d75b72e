#include "sensor/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* How often the processes' end is looked for. us */
#define LOOK_US 200

/* The process on one CPU. */
struct trial {
    pid_t pid; /* 0: not started */
    bool running, over, killed, uncertain;
    unsigned missing; /* types of records that have not come */
};

struct canary {
    struct trial *trials; /* by CPU */
    bool *online;         /* by CPU */
    unsigned count;
    int64_t deadline;
};

#define BIT(type) (1U << EVENT_##type)

/* What is done in a vfork()ed child: it has the caller's memory, and must leave it as it is. */
struct child {
    const struct canary_options *options;
    char failing[256]; /* a path that cannot be executed: its folder is a file */
    int null;
};

static _Noreturn void child_run(const struct child *child)
{
    char *const none[] = {NULL};
    char *const *argv = (char *const *)child->options->argv;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(child->null, fd);
    if (child->options->failures)
        execve(child->failing, argv, none);
    execve(child->options->program, argv, none);
    _exit(127);
}

/* Forks where the caller then runs: the hook of a fork runs on the parent's CPU. */
static void trial_start(struct trial *trial, unsigned cpu, const struct child *child)
{
    cpu_set_t *set = CPU_ALLOC(cpu + 1);
    size_t size = CPU_ALLOC_SIZE(cpu + 1);

    if (!set)
        return;
    CPU_ZERO_S(size, set);
    CPU_SET_S(cpu, size, set);
    int r = sched_setaffinity(0, size, set);

    CPU_FREE(set);
    if (r < 0)
        return;
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): see struct child */

    if (pid == 0)
        child_run(child); /* NOLINT(clang-analyzer-unix.Vfork): likewise */
    if (pid < 0)
        return;
    trial->pid = pid;
    trial->running = true;
    trial->missing = BIT(FORK) | BIT(EXEC) | BIT(EXIT);
    if (child->options->failures)
        trial->missing |= BIT(EXEC_FAILED);
}

/* A set of CPUs as large as the kernel's, whatever that is. */
static cpu_set_t *read_affinity(size_t *size)
{
    for (size_t cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);

        *size = CPU_ALLOC_SIZE(cpus);
        if (!set || sched_getaffinity(0, *size, set) == 0)
            return set;
        CPU_FREE(set);
        if (errno != EINVAL)
            return NULL;
    }
    return NULL;
}

static void start_trials(struct canary *canary, const struct canary_options *options)
{
    CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct child child = {.options = options, .null = null};
    size_t size;
    cpu_set_t *before = read_affinity(&size);

    snprintf(child.failing, sizeof child.failing, "%s/canary", options->program);
    for (unsigned cpu = 0; before && null >= 0 && cpu < canary->count; cpu++)
        if (canary->online[cpu])
            trial_start(&canary->trials[cpu], cpu, &child);
    if (before)
        sched_setaffinity(0, size, before);
    CPU_FREE(before);
}

/* How many still run. */
static unsigned reap_trials(struct canary *canary, int flags)
{
    unsigned running = 0;

    for (unsigned cpu = 0; cpu < canary->count; cpu++) {
        struct trial *trial = &canary->trials[cpu];

        if (trial->running && waitpid(trial->pid, NULL, flags) != 0)
            trial->running = false;
        running += trial->running;
    }
    return running;
}

/* One that does not get to run tells nothing of the hooks. */
static void kill_trials(struct canary *canary)
{
    for (unsigned cpu = 0; cpu < canary->count; cpu++) {
        struct trial *trial = &canary->trials[cpu];

        if (trial->running && kill(trial->pid, SIGKILL) == 0)
            trial->killed = true;
    }
    reap_trials(canary, 0);
}

static int find_cpus(struct canary *canary, const struct sensor *sensor)
{
    unsigned count = sensor_cpu_count(sensor);

    canary->trials = calloc(count, sizeof *canary->trials);
    canary->online = calloc(count, sizeof *canary->online);
    if (!canary->trials || !canary->online)
        return -ENOMEM;
    canary->count = count;
    for (unsigned cpu = 0; cpu < count; cpu++)
        canary->online[cpu] = sensor_is_online(sensor, cpu);
    return 0;
}

int canary_new(const struct sensor *sensor, const struct canary_options *options,
               struct canary **out)
{
    struct canary *canary = calloc(1, sizeof *canary);

    if (!canary)
        return -ENOMEM;
    int r = find_cpus(canary, sensor);

    if (r < 0) {
        canary_free(canary);
        return r;
    }
    start_trials(canary, options);
    for (int64_t end = clock_boottime() + CANARY_TIME;
         reap_trials(canary, WNOHANG) > 0 && clock_boottime() < end;)
        usleep(LOOK_US);
    kill_trials(canary);
    canary->deadline = clock_boottime() + CANARY_TIME;
    *out = canary;
    return 0;
}

void canary_free(struct canary *canary)
{
    if (!canary)
        return;
    free(canary->trials);
    free(canary->online);
    free(canary);
}

bool canary_on_record(struct canary *canary, const struct record *record)
{
    for (unsigned cpu = 0; cpu < canary->count; cpu++) {
        struct trial *trial = &canary->trials[cpu];

        if (trial->pid != record->self.pid || trial->over || trial->pid == 0)
            continue;
        if (record->cpu == cpu)
            trial->missing &= ~(1U << record->type);
        trial->over = record->type == EVENT_EXIT; /* its pid may then be another's */
        return true;
    }
    return false;
}

void canary_on_gap(struct canary *canary, const struct gap *gap)
{
    if (gap->cpu < canary->count)
        canary->trials[gap->cpu].uncertain = true;
}

enum canary_state canary_state(const struct canary *canary, unsigned cpu, unsigned *missing)
{
    const struct trial *trial = &canary->trials[cpu];

    if (cpu >= canary->count || !canary->online[cpu])
        return CANARY_NONE;
    if (trial->pid == 0 || trial->killed)
        return CANARY_UNTRIED;
    if (trial->missing == 0)
        return CANARY_SEEN;
    if (trial->uncertain)
        return CANARY_UNKNOWN;
    *missing = trial->missing;
    return CANARY_SILENT;
}

bool canary_is_over(const struct canary *canary)
{
    unsigned missing;
    bool silent = false;

    for (unsigned cpu = 0; cpu < canary->count; cpu++)
        silent |= canary_state(canary, cpu, &missing) == CANARY_SILENT;
    return !silent || clock_boottime() >= canary->deadline;
}
