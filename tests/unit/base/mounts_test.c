#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mounts.h"

#define assert_text(t, wanted)                                                       \
    do {                                                                             \
        if (!text_is(t, wanted))                                                     \
            fail_msg("'%.*s' instead of '%s'", TEXT_ARG(t), (const char *)(wanted)); \
    } while (0)

static void a_line_has_its_parts(void **state)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct mount mount;
    size_t at = 0;

    buffer_put_string(&lines,
                      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                      "4294967297 1 254:1048575 /a /b rw shared:1 master:2 - ext4 /dev/x rw");
    assert_true(mounts_next(&lines, &at, &mount));
    assert_int_equal(mount.id, 22);
    assert_int_equal(mount.major, 0);
    assert_int_equal(mount.minor, 21);
    assert_text(mount.root, "/");
    assert_text(mount.point, "/proc");
    assert_text(mount.type, "proc");
    assert_true(mounts_next(&lines, &at, &mount));
    assert_int_equal(mount.id, 4294967297);
    assert_int_equal(mount.major, 254);
    assert_int_equal(mount.minor, 1048575);
    assert_text(mount.root, "/a");
    assert_text(mount.point, "/b");
    assert_text(mount.type, "ext4");
    assert_false(mounts_next(&lines, &at, &mount));
    assert_false(mounts_next(&lines, &at, &mount));
}

static void escapes_are_undone(void **state)
{
    static const char *const points[][2] = {
        {"/a\\040-\\040b", "/a - b"}, {"/\\134040", "/\\040"}, {"/\\011\\012\\043", "/\t\n#"},
        {"/\\04", "/\\04"},           {"/\\089", "/\\089"},    {"/x\\", "/x\\"},
        {"/\\303\\244", "/\xc3\xa4"},
    };
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct mount mount;
    size_t at = 0;

    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        buffer_printf(&lines, "1 2 3:4 / %s rw - fuse.sshfs host: rw\n", points[i][0]);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        assert_true(mounts_next(&lines, &at, &mount));
        assert_text(mount.point, points[i][1]);
        assert_text(mount.type, "fuse.sshfs");
    }
    assert_false(mounts_next(&lines, &at, &mount));
}

static void lines_that_are_none_are_passed_over(void **state)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct mount mount;
    size_t at = 0;

    buffer_put_string(&lines, "\n1\n1 2 3\n1 2 3:4\n1 2 3:4 / / rw -\n1 2 3:4 / / rw - \n"
                              "1 2 34 / / rw - a b c\n1 2 x:y / / rw - a b\n"
                              "1 2 3:4 / / rw ext4 a b\nx 2 3:4 / / rw - ext4 a b\n"
                              "1 2 -3:4 / / rw - a b\n1 2 3:4294967296 / / rw - a b\n\n"
                              "9 2 3:4 / /at rw - last b\n\n");
    assert_true(mounts_next(&lines, &at, &mount));
    assert_int_equal(mount.id, 9);
    assert_text(mount.point, "/at");
    assert_false(mounts_next(&lines, &at, &mount));
}

static void the_cgroup_hierarchy_is_the_whole_one(void **state)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct text found = TEXT("untouched");

    buffer_put_string(&lines, "1 2 0:3 / /v1 rw - cgroup cgroup rw,memory\n"
                              "2 2 0:4 /part /part rw - cgroup2 cgroup2 rw\n");
    assert_int_equal(mounts_find_cgroup2(&lines, &found), -ENOENT);
    assert_text(found, "untouched");
    buffer_put_string(&lines, "3 2 0:4 / /odd\\040place rw shared:4 - cgroup2 none rw\n"
                              "4 2 0:4 / /sys/fs/cgroup rw - cgroup2 none rw\n");
    assert_int_equal(mounts_find_cgroup2(&lines, &found), 0);
    assert_text(found, "/odd place");
}

/* Our own have the root folder's, by what statx says. */
static void our_own_are_read(void **state)
{
    CLEANUP(buffer_deinit) struct buffer lines = {0};
    struct mount mount;
    struct statx root;
    bool found = false;

    assert_int_equal(statx(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS | STATX_MNT_ID, &root), 0);
    assert_true(root.stx_mask & STATX_MNT_ID);
    assert_int_equal(mounts_read(&lines), 0);
    for (size_t at = 0; mounts_next(&lines, &at, &mount);) {
        if (mount.id != (int64_t)root.stx_mnt_id)
            continue;
        found = true;
        assert_int_equal(mount.major, root.stx_dev_major);
        assert_int_equal(mount.minor, root.stx_dev_minor);
        assert_text(mount.point, "/proc");
        assert_text(mount.type, "proc");
    }
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_parts),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(lines_that_are_none_are_passed_over),
        cmocka_unit_test(the_cgroup_hierarchy_is_the_whole_one),
        cmocka_unit_test(our_own_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
