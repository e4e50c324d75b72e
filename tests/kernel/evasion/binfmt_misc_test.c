/* A file that is no program, for which the kernel was told an interpreter (binfmt_misc). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

/* In a user namespace of its own a binfmt_misc is its alone, from Linux 6.7. Before that there is
 * one for the machine: an entry is made in it and taken away again. */
static int registered(const char *place, const char *flags)
{
    char path[256], line[512];

    snprintf(path, sizeof path, "%s/register", place);
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

    snprintf(line, sizeof line, ":picket-%d:M::PICKET-EVASION::%s:%s", getpid(), stage_witness(),
             flags);
    return fd < 0 || write(fd, line, strlen(line)) < 0 ? -1 : 0;
}

struct entry {
    struct start start;
    const char *flags;
};

static int place_mount(void)
{
    return mount("none", stage_path("formats"), "binfmt_misc", 0, NULL);
}

/* The entry is removed by whoever waits for the end of the program. */
static int trick_format(void *argument)
{
    struct entry *entry = argument;
    char path[256];

    if (trick_unshare(CLONE_NEWNS) < 0 || place_mount() < 0 ||
        registered(stage_path("formats"), entry->flags) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/picket-%d", stage_path("formats"), getpid());
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    pid_t pid = fork();

    if (pid == 0)
        _exit(trick_execve(&entry->start));
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    _exit(write(fd, "-1", 2) < 0);
}

static int trick_is_there(void *argument)
{
    _exit(trick_unshare(CLONE_NEWNS) < 0 || place_mount() < 0);
}

static void play(const char *flags, struct testimony *said)
{
    const char *argv[] = {"ignored", "-x", NULL};
    int fd = open(stage_path("data"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    pid_t pid;

    assert_true(dprintf(fd, "PICKET-EVASION\n") > 0);
    fchmod(fd, 0755);
    close(fd);
    mkdir(stage_path("formats"), 0755);
    if (stage_play_mute(trick_is_there, NULL, &pid) != 0)
        stage_skip("the kernel has no binfmt_misc");
    struct entry entry = {{stage_path("data"), argv}, flags};

    stage_play(trick_format, &entry, said);
}

static void test_interpreter(void **state)
{
    struct testimony said;

    play("", &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_true(text_ends(event->process.exe, TEXT("/witness")));
    stage_assert_text(event->process.filename, stage_path("data"));
    stage_assert_text(stage_argument(event, 1), stage_path("data"));
    stage_assert_text(stage_argument(event, 2), "-x");
}

/* The interpreter is opened when it is registered (F), gets argv[0] as it was (P), and the file as
 * a descriptor (O) with its credentials (C). */
static void test_all_flags(void **state)
{
    struct testimony said;

    play("FPOC", &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_true(text_ends(event->process.exe, TEXT("/witness")));
    stage_assert_text(event->process.filename, stage_path("data"));
    stage_assert_text(stage_argument(event, 2), "ignored");
    stage_assert_text(stage_argument(event, 3), "-x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpreter),
        cmocka_unit_test(test_all_flags),
    };

    return STAGE_RUN("binfmt_misc", tests);
}
