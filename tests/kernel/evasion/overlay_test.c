/* A program put into a container's file system from within: on an overlay the path looks like any
 * of the image's. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

static int copy_make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

    scene_copy(stage_witness(), fd);
    return close(fd);
}

/* Its layers are folders of one file system, a new one. */
static int overlay_mount(void)
{
    static const char *const layers[] = {"layers/lower", "layers/upper", "layers/work"};
    char options[2048];

    if (trick_unshare(CLONE_NEWNS) < 0 || mount("none", stage_path("layers"), "tmpfs", 0, NULL) < 0)
        return -1;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (mkdir(stage_path(layers[i]), 0755) < 0)
            return -1;
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", stage_path(layers[0]),
             stage_path(layers[1]), stage_path(layers[2]));
    return copy_make(stage_path("layers/lower/image")) < 0
               ? -1
               : mount("none", stage_path("merged"), "overlay", 0, options);
}

static int trick_lower(void *start)
{
    return overlay_mount() < 0 ? -1 : trick_execve(start);
}

static int trick_dropped(void *start)
{
    struct start *program = start;

    return overlay_mount() < 0 || copy_make(program->filename) < 0 ? -1 : trick_execve(start);
}

/* A program of the image is changed: it is copied up. */
static int trick_changed(void *start)
{
    struct start *program = start;

    return overlay_mount() < 0 || chmod(program->filename, 0711) < 0 ? -1 : trick_execve(start);
}

static int trick_overlay_is_there(void *argument)
{
    _exit(overlay_mount() < 0 ? errno : 0);
}

static void check(int (*trick)(void *), const char *name, bool upper)
{
    struct testimony said;
    pid_t pid;

    mkdir(stage_path("layers"), 0755);
    mkdir(stage_path("merged"), 0755);
    if (stage_play_mute(trick_overlay_is_there, NULL, &pid) != 0)
        stage_skip("the kernel mounts no overlay here");
    struct start start = {stage_path(name), just_witness};

    stage_play(trick, &start, &said);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    struct process expected = stage_expect(&said);

    assert_non_null(event);
    expected.exe_upper = upper; /* nothing that the witness could know */
    stage_assert_fields(&event->process, &expected);
    assert_true(text_ends(event->process.exe, text_from(name)));
    stage_assert_text(event->process.exe_filesystem, "overlay");
}

static void test_of_the_image(void **state)
{
    check(trick_lower, "merged/image", false);
}

static void test_dropped_in_the_container(void **state)
{
    check(trick_dropped, "merged/dropped", true);
}

static void test_changed_in_the_container(void **state)
{
    check(trick_changed, "merged/image", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_image),
        cmocka_unit_test(test_dropped_in_the_container),
        cmocka_unit_test(test_changed_in_the_container),
    };

    return STAGE_RUN("overlay", tests);
}
