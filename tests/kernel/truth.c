#include "truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
    return 0;
}

/* The path in the v2 hierarchy: the line that begins with "0::". */
static int cgroup_tell(struct truth *truth)
{
    char text[4096];
    int r = file_read("/proc/self/cgroup", text, sizeof text);

    if (r < 0)
        return r;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "0::", 3) == 0)
            snprintf(truth->cgroup, sizeof truth->cgroup, "%s", line + 3);
    return 0;
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
    truth->uid = getuid();
    truth->euid = geteuid();
    truth->gid = getgid();
    truth->egid = getegid();
    truth->loginuid = number_read("/proc/self/loginuid");
    truth->session = number_read("/proc/self/sessionid");
    prctl(PR_GET_NAME, truth->comm);
    if (!getcwd(truth->cwd, sizeof truth->cwd))
        truth->cwd[0] = '\0';
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
