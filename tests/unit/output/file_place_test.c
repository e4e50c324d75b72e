/* Paths lead where their owner wants, and nowhere that somebody else's links do. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "output/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STRANGER 12345

static char home[] = "/tmp/picket-place-XXXXXX";

static int set_up(void **state)
{
    assert_non_null(mkdtemp(home));
    assert_int_equal(0, chdir(home));
    assert_int_equal(0, mkdir("folder", 0755));
    assert_int_equal(0, mkdir("folder/inner", 0755));
    assert_int_equal(0, symlink("folder", "link"));
    assert_int_equal(0, symlink("../folder/inner/../inner/file", "folder/far"));
    assert_int_equal(0, symlink("loop", "loop"));
    assert_int_equal(0, symlink("folder", "stranger"));
    if (getuid() == 0)
        assert_int_equal(0, lchown("stranger", STRANGER, STRANGER));
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"stranger", "loop", "folder/far", "link"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    rmdir("folder/inner");
    rmdir("folder");
    return chdir("/") < 0 || rmdir(home) < 0;
}

/* PATH leads to NAME in FOLDER. */
static void expect(const char *path, const char *folder, const char *name)
{
    CLEANUP(file_place_deinit) struct file_place place = {.folder = -1};
    struct stat expected, found;
    int r = file_place_find(path, &place);

    if (r < 0)
        fail_msg("%s: %s", path, file_place_error(r));
    assert_string_equal(name, place.name);
    assert_int_equal(0, stat(folder, &expected));
    assert_int_equal(0, fstat(place.folder, &found));
    assert_int_equal(expected.st_ino, found.st_ino);
    assert_int_equal(expected.st_dev, found.st_dev);
}

static void expect_error(int error, const char *path)
{
    struct file_place place;

    assert_int_equal(error, file_place_find(path, &place));
}

static void names_and_folders_are_told_apart(void **state)
{
    expect("x", ".", "x");
    expect("./x", ".", "x");
    expect("folder/x", "folder", "x");
    expect("folder//inner///x", "folder/inner", "x");
    expect("folder/inner/../x", "folder", "x");
    expect("folder/inner/", "folder", "inner");
    expect("/", "/", ".");
    expect("/tmp", "/", "tmp");
    expect("..", ".", "..");
}

static void own_links_are_followed(void **state)
{
    expect("link/x", "folder", "x");
    expect("link", ".", "folder");
    expect("link/far", "folder/inner", "file");
    expect("folder/far", "folder/inner", "file");
}

static void those_of_others_are_not(void **state)
{
    if (getuid() != 0)
        skip();
    expect_error(-ELOOP, "stranger");
    expect_error(-ELOOP, "stranger/x");
    expect_error(-ELOOP, "folder/../stranger/x");
    assert_non_null(strstr(file_place_error(-ELOOP), "somebody else"));
}

static void what_leads_nowhere_is_told(void **state)
{
    char name[NAME_MAX + 2], path[PATH_MAX + 1];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    expect_error(-ENOENT, "");
    expect_error(-ENOENT, "nowhere/x");
    expect_error(-ENOTDIR, "/etc/passwd/x");
    expect_error(-ELOOP, "loop");
    expect_error(-ENAMETOOLONG, name);
    expect_error(-ENAMETOOLONG, path);
}

/* They have no path to go on by: "pipe:[4711]". */
static void links_of_proc_stay_what_they_are(void **state)
{
    CLEANUP(file_place_deinit) struct file_place place = {.folder = -1};

    assert_int_equal(0, file_place_find("/proc/self/fd/0", &place));
    assert_string_equal("0", place.name);
    assert_int_equal(0, place.no_follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_folders_are_told_apart),
        cmocka_unit_test(own_links_are_followed),
        cmocka_unit_test(those_of_others_are_not),
        cmocka_unit_test(what_leads_nowhere_is_told),
        cmocka_unit_test(links_of_proc_stay_what_they_are),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
