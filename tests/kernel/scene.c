#include "scene.h"

#include <fcntl.h>
#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static char folder[] = "/tmp/picket-XXXXXX";

int scene_skip(void)
{
    if (geteuid() == 0)
        return 0;
    fprintf(stderr, "the tests on the kernel need root\n");
    return getenv("CI") ? 1 : SCENE_SKIPPED;
}

bool scene_has_classic(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor); /* NOLINT(cert-err34-c): 0 will do */
    return major > 6 || (major == 6 && minor >= 12);
}

void scene_open(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    umask(0022);
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0) {
        perror(folder);
        exit(1);
    }
    scene_probe("probe", 0755);
}

void scene_close(void)
{
    char *paths[] = {folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL, NULL);

    for (FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info == FTS_DP)
            rmdir(entry->fts_accpath);
        else if (entry->fts_info != FTS_D)
            unlink(entry->fts_accpath);
    if (tree)
        fts_close(tree);
}

const char *scene_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void scene_copy(const char *path, int fd)
{
    CLEANUP(closep) int from = open(path, O_RDONLY | O_CLOEXEC);
    char block[65536];
    ssize_t len;

    assert_true(from >= 0 && fd >= 0);
    while ((len = read(from, block, sizeof block)) > 0)
        assert_int_equal(write(fd, block, (size_t)len), len);
    assert_int_equal(len, 0);
}

void scene_probe(const char *name, mode_t mode)
{
    CLEANUP(closep) int fd = open(scene_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    scene_copy(PROBE_PATH, fd);
    assert_int_equal(fchmod(fd, mode), 0);
}

void scene_script(const char *name, const char *argument)
{
    CLEANUP(closep) int fd = open(scene_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!%s %s\n", scene_path("probe"), argument) > 0);
    assert_int_equal(fchmod(fd, 0755), 0);
}

pid_t scene_run(int (*child)(void *), void *argument, struct truth *truth)
{
    int pipes[2];
    size_t got = 0;
    ssize_t len;

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();

    if (pid == 0) {
        dup2(pipes[1], TRUTH_FD);
        child(argument);
        _exit(1);
    }
    close(pipes[1]);
    while ((len = read(pipes[0], (char *)truth + got, sizeof *truth - got)) > 0)
        got += (size_t)len;
    close(pipes[0]);
    waitpid(pid, NULL, 0);
    assert_int_equal(got, sizeof *truth);
    return pid;
}

void scene_vfork(const char *filename, const char *const *argv)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): it is the point */

    if (pid == 0) {
        execv(filename, (char *const *)argv);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    _exit(0);
}
