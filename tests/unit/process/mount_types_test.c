#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "process/mount_types.h"

static int add(struct mount_types *types, const char *lines)
{
    CLEANUP(buffer_deinit) struct buffer mountinfo = {0};

    buffer_put_string(&mountinfo, lines);
    return mount_types_add(types, &mountinfo);
}

static void each_mount_has_its_type(void **state)
{
    CLEANUP(mount_types_deinit) struct mount_types types = {0};

    assert_int_equal(add(&types, "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                                 "27 1 254:0 / / rw shared:1 master:2 - ext4 /dev/vda rw\n"
                                 "28 27 0:30 / /a\\040-\\040b rw - fuse.sshfs host: rw\n"
                                 "29 27 0:31 / /x rw - averyveryverylongtypename none rw"),
                     0);
    assert_string_equal(mount_types_find(&types, 22), "proc");
    assert_string_equal(mount_types_find(&types, 27), "ext4");
    assert_string_equal(mount_types_find(&types, 28), "fuse");
    assert_string_equal(mount_types_find(&types, 29), "averyveryverylon");
    assert_null(mount_types_find(&types, 1));
    assert_int_equal(add(&types, "22 1 0:40 / / rw - tmpfs tmpfs rw\n"), 0);
    assert_string_equal(mount_types_find(&types, 22), "proc");
    assert_int_equal(types.count, 4);
    mount_types_clear(&types);
    assert_null(mount_types_find(&types, 22));
}

static void there_may_be_many(void **state)
{
    CLEANUP(mount_types_deinit) struct mount_types types = {0};
    char line[64];

    for (int id = 1; id <= 1000; id++) {
        snprintf(line, sizeof line, "%d 0 0:7 / / rw - type%d none rw\n", id, id);
        assert_int_equal(add(&types, line), 0);
    }
    assert_string_equal(mount_types_find(&types, 1), "type1");
    assert_string_equal(mount_types_find(&types, 1000), "type1000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mount_has_its_type),
        cmocka_unit_test(there_may_be_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
