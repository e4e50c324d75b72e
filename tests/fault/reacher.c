/* A plugin that tries to reach what is the engine's, whose pid and files it is told, and what is
 * other outputs'; it reports as prober.c does: "WHAT RESULT", 0 or the errno. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "picket/plugin.h"

#ifndef REACHER_NEEDS
#define REACHER_NEEDS 0
#endif

#define PIDS 32768

struct config {
    int fd;
    int64_t engine;
    const char *const *files;
    const char *abstract;
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_REQUIRED,
     .help = "gets the report",
     .offset = offsetof(struct config, fd)},
    {.name = "engine",
     .type = PICKET_INT,
     .help = "its pid",
     .offset = offsetof(struct config, engine)},
    {.name = "files",
     .type = PICKET_STRINGS,
     .help = "paths of files that are the engine's",
     .offset = offsetof(struct config, files)},
    {.name = "abstract",
     .type = PICKET_STRING,
     .help = "name of a socket that has no path",
     .offset = offsetof(struct config, abstract)},
};

static int fd = -1;

static void say(const char *what, const char *which, long long result)
{
    dprintf(fd, "%s%s%s %lld\n", what, *which ? " " : "", which, result);
}

static void tried(const char *what, const char *which, long result)
{
    say(what, which, result < 0 ? errno : 0);
}

static void reach_files(const char *const *files)
{
    for (; *files; files++) {
        const char *slash = strrchr(*files, '/'), *name = slash ? slash + 1 : *files;

        tried("read", name, open(*files, O_RDONLY | O_CLOEXEC));
        tried("write", name, open(*files, O_WRONLY | O_CLOEXEC));
        tried("both", name, open(*files, O_RDWR | O_CLOEXEC));
        tried("remove", name, unlink(*files));
        tried("rename", name, rename(*files, "/tmp/picket-reached"));
        tried("chmod", name, chmod(*files, 0666));
    }
}

static void reach_memory(int pid)
{
    char byte = 0, path[64];
    const struct iovec here = {&byte, 1}, there = {&byte, 1};
    static const char *const files[] = {"environ", "maps", "fd/3", "root", "cwd", "auxv"};

    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    tried("memory", "read", open(path, O_RDONLY | O_CLOEXEC));
    tried("memory", "write", open(path, O_RDWR | O_CLOEXEC));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
        tried("proc", files[i], open(path, O_RDONLY | O_CLOEXEC));
    }
    tried("ptrace", "attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
    tried("ptrace", "seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
    tried("vm", "readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
    tried("vm", "writev", process_vm_writev(pid, &here, 1, &there, 1, 0));
    tried("pidfd", "open", syscall(SYS_pidfd_open, pid, 0));
    tried("pidfd", "getfd", syscall(SYS_pidfd_getfd, fd, 3, 0));
}

/* The first that would arrive is not the last. */
static void reach_by_signal(int pid)
{
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};

    tried("signal", "none", kill(pid, 0));
    tried("signal", "stop", kill(pid, SIGSTOP));
    tried("signal", "kill", kill(pid, SIGKILL));
    tried("signal", "queued", syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info));
}

/* Whichever processes there are: their descriptors lead to sockets, the journal, other outputs. */
static void reach_descriptors(void)
{
    long long reached = 0;
    char path[64];

    for (int pid = 1; pid <= PIDS; pid++) {
        snprintf(path, sizeof path, "/proc/%d/fd", pid);
        int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir >= 0)
            close(dir);
        reached += dir >= 0 && pid != getpid();
    }
    say("descriptors", "of others", reached);
}

static void reach_abstract(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (len >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path + 1, name, len);
    tried("socket", "abstract",
          connect(connection, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)));
}

static int reacher_open(const struct picket_host *host, const void *config, void **instance)
{
    const struct config *given = config;

    fd = given->fd;
    dprintf(fd, "\n"); /* so that each line has one before */
    reach_files(given->files);
    reach_memory((int)given->engine);
    reach_by_signal((int)given->engine);
    reach_descriptors();
    if (given->abstract)
        reach_abstract(given->abstract);
    return 0;
}

static void reacher_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    verdict->delivered = count;
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = REACHER_NEEDS,
    .name = "reacher",
    .version = "1.0",
    .help = "reaches for what is not its own",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = reacher_open,
    .deliver = reacher_deliver,
};
