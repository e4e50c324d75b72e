/* A plugin that tries what a taken-over plugin would, and reports how each attempt ended: a line
 * "WHAT RESULT", 0 or the errno, to its file. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "picket/plugin.h"

#ifndef PROBER_NEEDS
#define PROBER_NEEDS 0
#endif

/* mseal(2), of Linux 6.10, which is 0 for nothing. Newer than what was thought of. */
#define LATER_CALL 462

struct config {
    int fd;
    const char *text;
    int64_t number;
    int flag;
    int64_t size;
    int64_t duration;
    int choice;
    int absent;
    const char *closed;
    int64_t port;
    int64_t engine;
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_REQUIRED,
     .help = "gets the report",
     .offset = offsetof(struct config, fd)},
    {.name = "text", .type = PICKET_STRING, .help = "", .offset = offsetof(struct config, text)},
    {.name = "number",
     .type = PICKET_INT,
     .value = "-5",
     .help = "",
     .offset = offsetof(struct config, number)},
    {.name = "flag", .type = PICKET_BOOL, .help = "", .offset = offsetof(struct config, flag)},
    {.name = "size", .type = PICKET_SIZE, .help = "", .offset = offsetof(struct config, size)},
    {.name = "duration",
     .type = PICKET_DURATION,
     .value = "1m",
     .help = "",
     .offset = offsetof(struct config, duration)},
    {.name = "choice",
     .type = PICKET_ENUM,
     .choices = "red|green|blue",
     .value = "red",
     .help = "",
     .offset = offsetof(struct config, choice)},
    {.name = "absent", .type = PICKET_FILE, .help = "", .offset = offsetof(struct config, absent)},
    {.name = "closed",
     .type = PICKET_STRING,
     .help = "path of a file that only the engine may open",
     .offset = offsetof(struct config, closed)},
    {.name = "port",
     .type = PICKET_INT,
     .help = "of this machine, where somebody listens",
     .offset = offsetof(struct config, port)},
    {.name = "engine",
     .type = PICKET_INT,
     .help = "its pid",
     .offset = offsetof(struct config, engine)},
};

static int fd = -1;
static const struct picket_host *services;

static void say(const char *what, long long result)
{
    dprintf(fd, "%s %lld\n", what, result);
}

/* 0, or the errno of a call that returned RESULT. */
static void tried(const char *what, long result)
{
    say(what, result < 0 ? errno : 0);
}

static long long status_number(const char *field, int base)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long long value = -1;

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, field, strlen(field)) == 0)
            value = (long long)strtoull(line + strlen(field) + 1, NULL, base);
    if (status)
        fclose(status);
    return value;
}

static void report_identity(void)
{
    gid_t groups[64];

    say("uid", getuid());
    say("euid", geteuid());
    say("gid", getgid());
    say("groups", getgroups(64, groups));
    say("cap_permitted", status_number("CapPrm:", 16));
    say("cap_effective", status_number("CapEff:", 16));
    say("cap_inheritable", status_number("CapInh:", 16));
    say("cap_bounding", status_number("CapBnd:", 16));
    say("cap_ambient", status_number("CapAmb:", 16));
    say("no_new_privs", status_number("NoNewPrivs:", 10));
    say("seccomp", status_number("Seccomp:", 10));
    say("dumpable", prctl(PR_GET_DUMPABLE));
    say("own_session", getsid(0) == getpid());
}

static void report_descriptors(void)
{
    struct rlimit core = {1, 1}, files = {1, 1}, tasks = {1, 1};
    int count = 0;

    getrlimit(RLIMIT_CORE, &core);
    say("core_limit", (long long)core.rlim_max);
    getrlimit(RLIMIT_NOFILE, &files);
    say("files_limit", (long long)files.rlim_max);
    getrlimit(RLIMIT_NPROC, &tasks);
    say("tasks_limit", (long long)tasks.rlim_max);
    for (int i = 0; i < 1024; i++)
        count += fcntl(i, F_GETFD) >= 0;
    say("descriptors", count);
    say("stdout_bytes", write(STDOUT_FILENO, "stray\n", 6));
}

static void attack_others(void)
{
    struct perf_event_attr attributes = {.size = sizeof attributes};
    char mem[64];

    tried("ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
    tried("kill_parent", kill(getppid(), 0));
    tried("kill_all", kill(-1, 0));
    tried("tgkill_parent", syscall(SYS_tgkill, getppid(), getppid(), 0));
    tried("pidfd_open", syscall(SYS_pidfd_open, getppid(), 0));
    tried("process_vm_readv", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    tried("perf_event_open", syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
    snprintf(mem, sizeof mem, "/proc/%d/mem", getppid());
    tried("parent_memory", getuid() ? open(mem, O_RDONLY | O_CLOEXEC) : 0);
}

/* Signals the kernel would send for us when a descriptor becomes ready. */
static void attack_through_readiness(void)
{
    const struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = getppid()};
    int pair[2], parent = getppid(), on = 1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return;
    tried("setown", fcntl(pair[0], F_SETOWN, parent));
    tried("setown_high_bits", syscall(SYS_fcntl, pair[0], 0xff00000000UL | F_SETOWN, parent));
    tried("setown_ex", fcntl(pair[0], F_SETOWN_EX, &owner));
    tried("setsig", fcntl(pair[0], F_SETSIG, SIGKILL));
    tried("async", fcntl(pair[0], F_SETFL, O_ASYNC));
    tried("async_nonblock", fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    tried("fiosetown", ioctl(pair[0], FIOSETOWN, &parent));
    tried("siocspgrp", ioctl(pair[0], SIOCSPGRP, &parent));
    tried("fioasync", ioctl(pair[0], FIOASYNC, &on));
    tried("nonblock", fcntl(pair[0], F_SETFL, O_NONBLOCK));
    tried("fionbio", ioctl(pair[0], FIONBIO, &on));
    say("owner", fcntl(pair[0], F_GETOWN));
    say("readiness_signal", fcntl(pair[0], F_GETSIG));
    close(pair[0]);
    close(pair[1]);
}

static void attack_machine(void)
{
    const char one = 'x';

    tried("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tried("later_call", syscall(LATER_CALL, NULL, 0, 0));
    tried("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    tried("unshare", unshare(CLONE_NEWUSER));
    tried("setns", syscall(SYS_setns, -1, 0));
    tried("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    tried("userfaultfd", syscall(SYS_userfaultfd, 0));
    tried("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    tried("init_module", syscall(SYS_init_module, NULL, 0, ""));
    tried("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    tried("tiocsti", ioctl(STDIN_FILENO, TIOCSTI, &one));
    tried("tiocsti_high_bits",
          syscall(SYS_ioctl, STDIN_FILENO, 0xff00000000UL | (unsigned long)TIOCSTI, &one));
}

static void attack_confinement(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    tried("fork", child);
    tried("execve", execl("/bin/true", "true", (char *)NULL));
    tried("setuid", setuid(0));
    tried("dumpable_again", prctl(PR_SET_DUMPABLE, 1));
    tried("outlive_parent", prctl(PR_SET_PDEATHSIG, 0));
    tried("memory_limit", setrlimit(RLIMIT_DATA, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
}

/* Memory that no limit of the process counts. */
static void attack_memory(void)
{
    const int shared = MAP_SHARED | MAP_ANONYMOUS, grows = MAP_PRIVATE | MAP_ANONYMOUS;
    const int access = PROT_READ | PROT_WRITE;
    unsigned long context = 0;

    tried("shared_memory", (long)mmap(NULL, 4096, access, shared, -1, 0));
    tried("growing_memory", (long)mmap(NULL, 4096, access, grows | MAP_GROWSDOWN, -1, 0));
    tried("private_memory", (long)mmap(NULL, 4096, access, grows, -1, 0));
    tried("memfd_create", syscall(SYS_memfd_create, "hoard", 0));
    tried("shmget", syscall(SYS_shmget, 0, 4096, 0600));
    tried("msgget", syscall(SYS_msgget, 0, 0600));
    tried("semget", syscall(SYS_semget, 0, 1, 0600));
    tried("mq_open", syscall(SYS_mq_open, "hoard", O_RDWR | O_CREAT, 0600, NULL));
    tried("io_setup", syscall(SYS_io_setup, 1, &context));
}

static void attack_network(const struct config *config)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)config->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    tried("inet", inet);
    if (inet >= 0 && config->port)
        tried("connect", connect(inet, (struct sockaddr *)&address, sizeof address));
    tried("inet6", socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tried("netlink", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    tried("netlink_generic", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
    tried("packet", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    tried("inet_high_bits", syscall(SYS_socket, 0xff00000000UL | AF_INET, SOCK_STREAM, 0));
    tried("vsock", socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    tried("unspecified", socket(AF_UNSPEC, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void attack_files(const struct config *config)
{
    DIR *proc = opendir("/proc");
    int processes = 0;

    tried("tmp", open("/tmp/picket-prober", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    tried("shm", open("/dev/shm/picket-prober", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (config->closed)
        tried("closed", open(config->closed, O_RDONLY | O_CLOEXEC));
    if (config->closed)
        tried("closed_to_write", open(config->closed, O_WRONLY | O_CLOEXEC));
    for (const struct dirent *entry; proc && (entry = readdir(proc));)
        processes += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    say("processes", processes);
    if (proc)
        closedir(proc);
    tried("signal_engine", config->engine ? kill((pid_t)config->engine, 0) : 0);
    tried("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    tried("unmount_proc", umount2("/proc", MNT_DETACH));
    tried("new_network", unshare(CLONE_NEWNET));
    tried("raise_user", setresuid(0, 0, 0));
    tried("raise_group", setresgid(0, 0, 0));
}

/* One that ends, and one that would go on for long behind our back. */
static void start_programs(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0 && fork() == 0)
        execl("/bin/sleep", "sleep", "4242", (char *)NULL);
    if (child == 0)
        execl("/bin/sh", "sh", "-c", "kill -0 $$ && exit 7", (char *)NULL);
    tried("program", child);
    if (child > 0 && waitpid(child, &status, 0) == child)
        say("program_status", WEXITSTATUS(status));
}

static void report_score(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "re");
    char line[16] = "";

    if (file && fgets(line, sizeof line, file))
        say("oom_score_adj", strtol(line, NULL, 10));
    if (file)
        fclose(file);
}

static void report_config(const struct config *config)
{
    say(config->text ? config->text : "no_text", 0);
    say("number", config->number);
    say("flag", config->flag);
    say("size", config->size);
    say("duration", config->duration);
    say("choice", config->choice);
    say("absent", config->absent);
}

static void report_environment(const struct picket_host *host)
{
    say("secret", getenv("PICKET_TEST_SECRET") != NULL);
    say("zone", getenv("TZ") != NULL);
    dprintf(fd, "output=%s\n", host->output);
}

static int prober_open(const struct picket_host *host, const void *config, void **instance)
{
    fd = ((const struct config *)config)->fd;
    report_config(config);
    report_environment(host);
    report_identity();
    report_descriptors();
    attack_others();
    attack_through_readiness();
    attack_machine();
    attack_files(config);
    attack_network(config);
    if (picket_plugin.needs & PICKET_NEEDS_PROGRAMS)
        start_programs();
    else
        attack_confinement();
    attack_memory();
    report_score();
    services = host;
    return 0;
}

/* What the host's services make of alerts. */
static void prober_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                           struct picket_verdict *verdict)
{
    static const char *const paths[] = {
        "event.parent.comm", "event.pid",     "event.argv.1", "event.argv",   "event.argv.9",
        "event.none.x",      "rule.severity", "event.flag",   "event.comm.x", "",
        "event.argv.-1"};
    const struct picket_host *host = services;

    for (size_t i = 0; i < count; i++) {
        dprintf(fd, "alert %s %s %s %s %d %lld\n", alerts[i]->id, alerts[i]->host, alerts[i]->rule,
                host->printable(host, alerts[i]->message), alerts[i]->severity,
                (long long)alerts[i]->time);
        for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
            const char *value = host->value(host, alerts[i], paths[k]);

            dprintf(fd, "%s=%s\n", paths[k], value ? value : "(null)");
        }
    }
    verdict->delivered = count;
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PROBER_NEEDS,
    .name = "prober",
    .version = "1.0",
    .help = "tries what it must not be able to",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = prober_open,
    .deliver = prober_deliver,
};
