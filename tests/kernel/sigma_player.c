/* What it is to be, the environment says. With SIGMA_CASE=all it runs every case, in a root of its
 * own that has nothing else in it than copies of this program under the names of the cases; prints
 * "ran", the pid and the rules that are to alert, for each program it started, and "cannot" where
 * this machine has no such thing. With SIGMA_CASE=NUMBER it is the parent of that case. Without, it
 * is a program that does nothing: what the cases are about. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sigma_cases.h"

#define TOLD_FD 3 /* where a parent tells its child's pid */

static int proc; /* the folder: the new root has none */

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void copy(const char *path, const char *to)
{
    static char part[1 << 16];
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t len;

    if (from < 0 || fd < 0)
        die(to);
    while ((len = read(from, part, sizeof part)) > 0)
        if (write(fd, part, (size_t)len) != len)
            die(to);
    close(from);
    close(fd);
}

/* The folders on the way to PATH. */
static void make_way(const char *path)
{
    char folder[PATH_MAX];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        if (mkdir(folder, 0755) < 0 && errno != EEXIST)
            die(folder);
    }
}

static void put(const char *path)
{
    make_way(path);
    if (link("/player", path) < 0 && errno != EEXIST)
        die(path);
}

static void prepare(const struct sigma_case *the)
{
    put(the->file ? the->file : the->image);
    if (the->file) {
        make_way(the->image);
        if (symlink(the->file, the->image) < 0 && errno != EEXIST)
            die(the->image);
    }
    if (the->parent)
        put(the->parent);
    if (the->folder) {
        make_way(the->folder);
        if (mkdir(the->folder, 0755) < 0)
            die(the->folder);
    }
}

/* Out of the root that we were given, which may be a chroot's, into that of the mount namespace:
 * who is beneath no root goes up to where there is no more. */
static int leave_root(void)
{
    if (chdir("/") < 0 || chroot("/proc") < 0)
        return -1;
    for (int i = 0; i < PATH_MAX / 2; i++)
        if (chdir("..") < 0)
            return -1;
    return chroot(".");
}

/* An empty root over that of a new mount namespace, so that paths in it are the kernel's. */
static void enter_root(void)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);

    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        die("fsopen");
    int root = fsmount(context, FSMOUNT_CLOEXEC, 0);

    if (root < 0 || fchdir(root) < 0)
        die("fsmount");
    copy("/proc/self/exe", "player");
    if (leave_root() < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
        die("move_mount");
    if (fchdir(root) < 0 || chroot(".") < 0)
        die("chroot");
    close(root);
    close(context);
}

/* Logs root in, as far as the kernel knows. */
static int log_in(void)
{
    int fd = openat(proc, "self/loginuid", O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;
}

/* Becomes the case's program, in its folder and as its user. */
static _Noreturn void run(const struct sigma_case *the)
{
    static char *const env[] = {NULL};

    if ((the->uid && setresuid(the->uid, the->uid, the->uid) < 0) ||
        (the->folder && chdir(the->folder) < 0) ||
        execve(the->image, (char *const *)the->argv, env) < 0)
        perror(the->image);
    _exit(127);
}

/* What runs under a parent's name. */
static int be_parent(size_t number)
{
    const struct sigma_case *the = &sigma_cases[number];
    int status;

    fcntl(TOLD_FD, F_SETFD, FD_CLOEXEC);
    pid_t child = fork();

    if (child == 0)
        run(the);
    dprintf(TOLD_FD, "%d", child);
    return waitpid(child, &status, 0) == child && status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static _Noreturn void run_parent(size_t number, int told)
{
    const struct sigma_case *the = &sigma_cases[number];
    char variable[32];
    char *const env[] = {variable, NULL};

    snprintf(variable, sizeof variable, "SIGMA_CASE=%zu", number);
    if (dup2(told, TOLD_FD) < 0 || execve(the->parent, (char *const *)the->line, env) < 0)
        perror(the->parent);
    _exit(127);
}

static void play(size_t number)
{
    const struct sigma_case *the = &sigma_cases[number];
    int told[2], status;
    char child[16] = "";

    if (pipe2(told, O_CLOEXEC) < 0)
        die("pipe2");
    pid_t pid = fork();

    if (pid == 0 && the->login && log_in() < 0)
        _exit(77);
    if (pid == 0 && the->parent)
        run_parent(number, told[1]);
    if (pid == 0)
        run(the);
    close(told[1]);
    if (waitpid(pid, &status, 0) != pid || (status != 0 && status != 77 << 8))
        die(the->image);
    if (the->parent && read(told[0], child, sizeof child - 1) > 0)
        printf("ran %d\nran %s %s\n", pid, child, the->rules ? the->rules : "");
    else
        printf("%s %d %s\n", status ? "cannot" : "ran", pid, the->rules ? the->rules : "");
    close(told[0]);
}

int main(void)
{
    const char *role = getenv("SIGMA_CASE");

    if (!role)
        return EXIT_SUCCESS;
    if (strcmp(role, "all") != 0)
        return be_parent(strtoul(role, NULL, 10));
    proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    enter_root();
    for (size_t i = 0; i < sigma_case_count; i++)
        prepare(&sigma_cases[i]);
    for (size_t i = 0; i < sigma_case_count; i++)
        play(i);
    return EXIT_SUCCESS;
}
