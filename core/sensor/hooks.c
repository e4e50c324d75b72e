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

enum hook_kind { HOOK_BTF, HOOK_CLASSIC };

struct hook {
    size_t program; /* offset into struct exec_bpf */
    enum hook_kind kind;
    bool failures;
    const char *event; /* CLASSIC: below events/ of tracefs */
};

#define PROGRAM(name) offsetof(struct exec_bpf, progs.name)

static const struct hook hooks_all[] = {
    {PROGRAM(exec_btf), HOOK_BTF, false, NULL},
    {PROGRAM(fork_btf), HOOK_BTF, false, NULL},
    {PROGRAM(exit_btf), HOOK_BTF, false, NULL},
    {PROGRAM(failure_raw), HOOK_BTF, true, NULL},
    {PROGRAM(exec_classic), HOOK_CLASSIC, false, "sched/sched_process_exec"},
    {PROGRAM(fork_classic), HOOK_CLASSIC, false, "task/task_newtask"},
    {PROGRAM(exit_classic), HOOK_CLASSIC, false, "sched/sched_process_exit"},
    {PROGRAM(failure_classic), HOOK_CLASSIC, true, "syscalls/sys_exit_execve"},
    {PROGRAM(failure_at_classic), HOOK_CLASSIC, true, "syscalls/sys_exit_execveat"},
};

#define HOOK_COUNT (sizeof hooks_all / sizeof hooks_all[0])

static struct bpf_program *find_program(const struct exec_bpf *skeleton, const struct hook *hook)
{
    return *(struct bpf_program *const *)((const char *)skeleton + hook->program);
}

void hooks_select(struct exec_bpf *skeleton, bool classic, bool failures)
{
    for (size_t i = 0; i < HOOK_COUNT; i++) {
        bool wanted =
            (hooks_all[i].kind == HOOK_CLASSIC) == classic && (failures || !hooks_all[i].failures);

        bpf_program__set_autoload(find_program(skeleton, &hooks_all[i]), wanted);
    }
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
    if (hook->kind == HOOK_CLASSIC)
        return attach_classic(program, hook->event, out);
    *out = bpf_program__attach(program);
    return *out ? 0 : -errno;
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
                          hooks_all[i].kind == HOOK_CLASSIC && (r == -ENOENT || r == -EACCES)
                              ? "; mount tracefs on /sys/kernel/tracing"
                              : "");
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

uint64_t hooks_recursion_misses(const struct exec_bpf *skeleton)
{
    uint64_t misses = 0;

    for (size_t i = 0; i < HOOK_COUNT; i++) {
        struct bpf_program *program = find_program(skeleton, &hooks_all[i]);
        struct bpf_prog_info info = {0};
        uint32_t len = sizeof info;

        if (bpf_program__autoload(program) &&
            bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) == 0)
            misses += info.recursion_misses;
    }
    return misses;
}
