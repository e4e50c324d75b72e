#include "sensor/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "exec.skel.h"
#include "wire.h"

struct hook {
    size_t program;   /* offset into struct exec_bpf */
    unsigned choices; /* those it belongs to */
    enum wire_type type;
    const char *event; /* of a classic tracepoint: below events/ of tracefs; NULL: of tp_btf */
};

#define HOOKS_ANY     (HOOKS_BTF | HOOKS_CLASSIC | HOOKS_BOTH)
#define PROGRAM(name) offsetof(struct exec_bpf, progs.name)

/* In the order of being attached. Of two witnesses the one that is to see an event first comes
 * first: then the other one cannot report what the first was not there to see, which would be taken
 * for a skipped one. */
static const struct hook hooks_all[] = {
    {PROGRAM(exec_btf), HOOKS_BTF, WIRE_EXEC, NULL},
    {PROGRAM(fork_btf), HOOKS_BTF, WIRE_FORK, NULL},
    {PROGRAM(exit_btf), HOOKS_BTF, WIRE_EXIT, NULL},
    {PROGRAM(exec_witness), HOOKS_BOTH, WIRE_EXEC, NULL},
    {PROGRAM(exec_classic), HOOKS_CLASSIC | HOOKS_BOTH, WIRE_EXEC, "sched/sched_process_exec"},
    {PROGRAM(fork_classic), HOOKS_CLASSIC | HOOKS_BOTH, WIRE_FORK, "task/task_newtask"},
    {PROGRAM(fork_witness), HOOKS_BOTH, WIRE_FORK, NULL},
    {PROGRAM(exit_witness), HOOKS_BOTH, WIRE_EXIT, NULL},
    {PROGRAM(exit_classic), HOOKS_CLASSIC | HOOKS_BOTH, WIRE_EXIT, "sched/sched_process_exit"},
    {PROGRAM(failure_classic), HOOKS_ANY, WIRE_EXEC_FAILED, "syscalls/sys_exit_execve"},
    {PROGRAM(failure_at_classic), HOOKS_ANY, WIRE_EXEC_FAILED, "syscalls/sys_exit_execveat"},
    {PROGRAM(failure_raw), HOOKS_BTF | HOOKS_CLASSIC, WIRE_EXEC_FAILED, NULL},
    {PROGRAM(failure_steady), HOOKS_BOTH, WIRE_EXEC_FAILED, NULL},
};

#define HOOK_COUNT (sizeof hooks_all / sizeof hooks_all[0])

static struct bpf_program *find_program(const struct exec_bpf *skeleton, const struct hook *hook)
{
    return *(struct bpf_program *const *)((const char *)skeleton + hook->program);
}

static bool is_wanted(const struct hook *hook, enum hooks_choice choice,
                      enum sensor_failures failures)
{
    enum sensor_failures seen = hook->event ? SENSOR_FAILURES_NATIVE : SENSOR_FAILURES_ALL;

    return hook->choices & choice && (hook->type != WIRE_EXEC_FAILED || failures == seen);
}

void hooks_select(struct exec_bpf *skeleton, enum hooks_choice choice,
                  enum sensor_failures failures)
{
    for (size_t i = 0; i < HOOK_COUNT; i++)
        bpf_program__set_autoload(find_program(skeleton, &hooks_all[i]),
                                  is_wanted(&hooks_all[i], choice, failures));
    skeleton->rodata->has_witnesses = choice == HOOKS_BOTH;
    /* Task storage is there from 5.11 on, and only the classic programs know of it. */
    bpf_map__set_autocreate(skeleton->maps.witness_marks, choice != HOOKS_BTF);
    bpf_map__set_autocreate(skeleton->maps.witnesses, choice != HOOKS_BTF);
}

/* A tracefs of our own that is mounted nowhere, or the folder where it usually is. */
static int open_tracefs(void)
{
    CLEANUP(closep) int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

    if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        int mounted = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);

        if (mounted >= 0)
            return mounted;
    }
    int folder = open("/sys/kernel/tracing", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return folder < 0 ? -errno : folder;
}

/* The number of an event, or -errno. */
static int64_t read_event_id(int tracefs, const char *event)
{
    char path[128], digits[32];

    snprintf(path, sizeof path, "events/%s/id", event);
    CLEANUP(closep) int fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, digits, sizeof digits);

    if (len < 0)
        return -errno;
    int64_t id = 0;
    int r = text_to_int(text_trim((struct text){digits, (size_t)len}), &id);

    return r < 0 ? r : id;
}

/* A BPF program on a tracepoint runs on every CPU, whichever the event names. */
static int attach_classic(const struct bpf_program *program, const char *event,
                          struct bpf_link **out)
{
    CLEANUP(closep) int tracefs = open_tracefs();
    struct perf_event_attr attr = {
        .size = sizeof attr,
        .type = PERF_TYPE_TRACEPOINT,
        .sample_period = 1,
        .wakeup_events = 1,
    };

    if (tracefs < 0)
        return tracefs;
    int64_t id = read_event_id(tracefs, event);

    if (id < 0)
        return (int)id;
    attr.config = (uint64_t)id;
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0)
        return -errno;
    *out = bpf_program__attach_perf_event(program, fd); /* takes the fd when it succeeds */
    if (*out)
        return 0;
    int r = -errno;

    close(fd);
    return r;
}

static int attach_hook(const struct hook *hook, const struct bpf_program *program,
                       struct bpf_link **out)
{
    if (hook->event)
        return attach_classic(program, hook->event, out);
    *out = bpf_program__attach(program);
    return *out ? 0 : -errno;
}

static const char *explain_missing(const struct hook *hook, int error)
{
    if (!hook->event || (error != -ENOENT && error != -EACCES))
        return "";
    if (hook->type == WIRE_EXEC_FAILED)
        return "; mount tracefs on /sys/kernel/tracing, or set 'failures' of the sensor to 'all' "
               "or "
               "'false': this takes a kernel with CONFIG_FTRACE_SYSCALLS";
    return "; mount tracefs on /sys/kernel/tracing";
}

int hooks_attach(struct hooks *hooks, const struct exec_bpf *skeleton, struct buffer *why)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        struct bpf_program *program = find_program(skeleton, &hooks_all[i]);
        struct bpf_link *link = NULL;

        if (!bpf_program__autoload(program))
            continue;
        int r = attach_hook(&hooks_all[i], program, &link);

        if (r < 0) {
            buffer_printf(why, "the program %s cannot be attached: %s%s",
                          bpf_program__name(program), strerror(-r),
                          explain_missing(&hooks_all[i], r));
            hooks_detach(hooks);
            return r;
        }
        hooks->links[hooks->count++] = link;
    }
    return 0;
}

void hooks_detach(struct hooks *hooks)
{
    while (hooks->count > 0)
        bpf_link__destroy(hooks->links[--hooks->count]);
}

/* Counts of a hook's two sides. */
struct sides {
    uint64_t counts[WIRE_SIDES][WIRE_TYPES];
};

/* How often the kernel skipped each. */
static struct sides read_skipped(const struct exec_bpf *skeleton)
{
    struct sides skipped = {0};

    for (size_t i = 0; i < HOOK_COUNT; i++) {
        struct bpf_program *program = find_program(skeleton, &hooks_all[i]);
        struct bpf_prog_info info = {0};
        uint32_t len = sizeof info;

        if (bpf_program__autoload(program) &&
            bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) == 0)
            skipped.counts[hooks_all[i].event ? WIRE_CLASSIC : WIRE_BTF][hooks_all[i].type] +=
                info.recursion_misses;
    }
    return skipped;
}

/* How often each was the first to see an event. */
static struct sides read_first(const struct wire_witness *witnesses, unsigned cpus)
{
    struct sides first = {0};

    for (unsigned cpu = 0; witnesses && cpu < cpus; cpu++)
        for (int side = 0; side < WIRE_SIDES; side++)
            for (int type = 0; type < WIRE_TYPES; type++)
                first.counts[side][type] +=
                    __atomic_load_n(&witnesses[cpu].first[side][type], __ATOMIC_RELAXED);
    return first;
}

/* Of one type. One side always comes before the other, so the other one is the first to see exactly
 * those events that it was skipped for, unless it was skipped as well. Taken the wrong way round
 * the same difference is never more than that. */
static uint64_t count_missed(const struct sides *skipped, const struct sides *first, int type)
{
    uint64_t missed = 0;

    for (int side = 0; side < WIRE_SIDES; side++) {
        uint64_t of_one = skipped->counts[side][type];
        uint64_t by_other = first->counts[!side][type];

        if (of_one > by_other && of_one - by_other > missed)
            missed = of_one - by_other;
    }
    return missed;
}

static struct hooks_skips sum_up(const struct sides *skipped, const struct sides *first)
{
    struct hooks_skips sums = {0};

    for (int type = 0; type < WIRE_TYPES; type++) {
        uint64_t missed = count_missed(skipped, first, type);
        uint64_t all = skipped->counts[WIRE_BTF][type] + skipped->counts[WIRE_CLASSIC][type];

        sums.missed += missed;
        /* An event that both were skipped for is in ALL twice; without witnesses, once. */
        if (all > 2 * missed)
            sums.witnessed += all - 2 * missed;
    }
    return sums;
}

struct hooks_skips hooks_count_skips(const struct exec_bpf *skeleton,
                                     const struct wire_witness *witnesses, unsigned cpus)
{
    struct sides skipped = read_skipped(skeleton);
    struct sides first = read_first(witnesses, cpus);
    struct hooks_skips skips = sum_up(&skipped, &first);

    if (skips.missed == 0 || !witnesses)
        return skips;
    usleep(100); /* what one side was skipped for a moment ago the other one is about to see */
    first = read_first(witnesses, cpus);
    return sum_up(&skipped, &first);
}
