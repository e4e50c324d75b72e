#include "truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Reads a whole file of /proc as a string. */
static int file_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return -errno;
    size_t len = fread(out, 1, size - 1, file);

    out[len] = '\0';
    fclose(file);
    return 0;
}

/* Field NUMBER of /proc/PID/stat, as proc(5) counts them, from 4 on. */
static int64_t stat_field(const char *stat, int number)
{
    const char *at = strrchr(stat, ')');

    for (int i = 2; at && i < number; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at + 1, NULL, 10) : -1;
}

int64_t truth_start(int64_t pid)
{
    char path[64], stat[1024];

    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int r = file_read(path, stat, sizeof stat);

    return r < 0 ? r : stat_field(stat, 22);
}

static int64_t number_read(const char *path)
{
    char text[64];

    return file_read(path, text, sizeof text) < 0 ? -1 : strtoll(text, NULL, 10);
}

static int64_t nanoseconds(struct timespec time)
{
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int executable_tell(struct truth *truth)
{
    static const char deleted[] = " (deleted)";
    struct stat st;
    ssize_t len = readlink("/proc/self/exe", truth->exe, sizeof truth->exe - 1);

    /* A path beyond 4 KiB has no name there. */
    truth->exe[len < 0 ? 0 : len] = '\0';
    if (len > (ssize_t)sizeof deleted &&
        strcmp(truth->exe + len + 1 - sizeof deleted, deleted) == 0)
        truth->exe[(size_t)len + 1 - sizeof deleted] = '\0';
    if (stat("/proc/self/exe", &st) < 0)
        return -errno;
    truth->exe_inode = (int64_t)st.st_ino;
    truth->exe_nlink = (int64_t)st.st_nlink;
    truth->exe_mode = st.st_mode & 07777;
    truth->exe_major = major(st.st_dev);
    truth->exe_minor = minor(st.st_dev);
    truth->exe_size = st.st_size;
    truth->exe_mtime = nanoseconds(st.st_mtim);
    truth->exe_ctime = nanoseconds(st.st_ctim);
    truth->exe_uid = st.st_uid;
    truth->exe_gid = st.st_gid;
    struct statfs fs;

    if (statfs("/proc/self/exe", &fs) < 0)
        return -errno;
    truth->exe_magic = fs.f_type;
    truth->exe_filecaps = getxattr("/proc/self/exe", "security.capability", NULL, 0) > 0;
    return 0;
}

/* The path in the hierarchy of a CONTROLLER ("": v2) in the lines of /proc/self/cgroup. */
static void cgroup_find(const char *lines, const char *controller, char *out, size_t size)
{
    char text[4096], wanted[64];

    snprintf(text, sizeof text, "%s", lines);
    snprintf(wanted, sizeof wanted, ",%s,", controller);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;
        char list[256];

        if (!path)
            continue;
        snprintf(list, sizeof list, ",%.*s,", (int)(path - names - 1), names + 1);
        if (*controller ? strstr(list, wanted) != NULL : strncmp(line, "0::", 3) == 0)
            snprintf(out, size, "%s", path + 1);
    }
}

static int cgroup_tell(struct truth *truth)
{
    static const char *const controllers[] = {"memory", "pids", "cpu"};
    char text[4096];
    int r = file_read("/proc/self/cgroup", text, sizeof text);

    if (r < 0)
        return r;
    cgroup_find(text, "", truth->cgroup, sizeof truth->cgroup);
    snprintf(truth->cgroup_path, sizeof truth->cgroup_path, "%s", truth->cgroup);
    for (size_t i = 0; i < 3 && strlen(truth->cgroup_path) < 2; i++)
        cgroup_find(text, controllers[i], truth->cgroup_path, sizeof truth->cgroup_path);
    return 0;
}

/* The set behind "KEY:" in /proc/self/status. */
static uint64_t capabilities_read(const char *status, const char *key)
{
    const char *at = strstr(status, key);

    return at ? strtoull(at + strlen(key), NULL, 16) : 0;
}

static int credentials_tell(struct truth *truth)
{
    char status[4096];
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid;
    int r = file_read("/proc/self/status", status, sizeof status);

    if (r < 0)
        return r;
    if (getresuid(&uid, &euid, &suid) < 0 || getresgid(&gid, &egid, &sgid) < 0)
        return -errno;
    truth->uid = uid;
    truth->euid = euid;
    truth->suid = suid;
    truth->gid = gid;
    truth->egid = egid;
    truth->sgid = sgid;
    truth->effective = capabilities_read(status, "\nCapEff:");
    truth->permitted = capabilities_read(status, "\nCapPrm:");
    truth->inheritable = capabilities_read(status, "\nCapInh:");
    truth->ambient = capabilities_read(status, "\nCapAmb:");
    truth->securebits = prctl(PR_GET_SECUREBITS);
    return 0;
}

static int64_t namespace_inode(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? 0 : (int64_t)st.st_ino;
}

static void namespaces_tell(struct truth *truth)
{
    truth->ns_cgroup = namespace_inode("/proc/self/ns/cgroup");
    truth->ns_ipc = namespace_inode("/proc/self/ns/ipc");
    truth->ns_mnt = namespace_inode("/proc/self/ns/mnt");
    truth->ns_net = namespace_inode("/proc/self/ns/net");
    truth->ns_pid = namespace_inode("/proc/self/ns/pid");
    truth->ns_user = namespace_inode("/proc/self/ns/user");
    truth->ns_uts = namespace_inode("/proc/self/ns/uts");
}

static void stdio_tell(struct truth *truth)
{
    for (int fd = 0; fd < 3; fd++) {
        struct truth_file *file = &truth->stdio[fd];
        struct stat st;
        int family = 0;
        socklen_t size = sizeof family;

        *file = (struct truth_file){.mode = -1};
        if (fstat(fd, &st) < 0)
            continue;
        file->mode = st.st_mode;
        file->device = (int64_t)st.st_rdev;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0)
            file->family = family;
    }
}

static void environment_tell(struct truth *truth)
{
    for (size_t i = 0; environ[i]; i++) {
        size_t len = strlen(environ[i]) + 1;

        truth->env_length += (int64_t)len;
        if (strncmp(environ[i], TRUTH_ENV, strlen(TRUTH_ENV)) != 0 ||
            (size_t)truth->env_used + len > sizeof truth->env)
            continue;
        memcpy(truth->env + truth->env_used, environ[i], len);
        truth->env_used += (int64_t)len;
    }
}

static int truth_gather(struct truth *truth)
{
    char stat[1024];
    int r = file_read("/proc/self/stat", stat, sizeof stat);

    if (r < 0)
        return r;
    truth->pid = strtoll(stat, NULL, 10);
    truth->ppid = stat_field(stat, 4);
    truth->tty = stat_field(stat, 7);
    truth->start = stat_field(stat, 22);
    truth->pstart = truth_start(truth->ppid);
    truth->vpid = getpid();
    truth->pgid = stat_field(stat, 5);
    truth->sid = stat_field(stat, 6);
    truth->loginuid = number_read("/proc/self/loginuid");
    truth->session = number_read("/proc/self/sessionid");
    prctl(PR_GET_NAME, truth->comm);
    if (!getcwd(truth->cwd, sizeof truth->cwd))
        truth->cwd[0] = '\0';
    namespaces_tell(truth);
    stdio_tell(truth);
    environment_tell(truth);
    r = credentials_tell(truth);
    if (r == 0)
        r = cgroup_tell(truth);
    return r < 0 ? r : executable_tell(truth);
}

int truth_tell(void)
{
    static struct truth truth;
    int r = truth_gather(&truth);

    if (r < 0)
        return r;
    return write(TRUTH_FD, &truth, sizeof truth) == (ssize_t)sizeof truth ? 0 : -EIO;
}
