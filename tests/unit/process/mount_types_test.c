#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "process/mount_types.h"

static void each_device_has_its_type(void **state)
{
    struct mount_types types = {0};

    assert_int_equal(
        mount_types_add(&types, TEXT("22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                                     "27 1 254:0 / / rw shared:1 master:2 - ext4 /dev/vda rw\n"
                                     "28 27 0:30 / /a\\040-\\040b rw - fuse.sshfs host: rw\n"
                                     "29 27 0:31 / /x rw - averyveryverylongtypename none rw")),
        0);
    assert_string_equal(mount_types_find(&types, 0, 21), "proc");
    assert_string_equal(mount_types_find(&types, 254, 0), "ext4");
    assert_string_equal(mount_types_find(&types, 0, 30), "fuse");
    assert_string_equal(mount_types_find(&types, 0, 31), "averyveryverylon");
    assert_null(mount_types_find(&types, 0, 254));
    assert_int_equal(mount_types_add(&types, TEXT("1 1 0:21 / / rw - tmpfs tmpfs rw\n")), 0);
    assert_string_equal(mount_types_find(&types, 0, 21), "proc");
    mount_types_clear(&types);
    assert_null(mount_types_find(&types, 0, 21));
    mount_types_deinit(&types);
}

static void broken_lines_say_nothing(void **state)
{
    struct mount_types types = {0};

    assert_int_equal(mount_types_add(&types, TEXT("\n1\n1 2 3\n1 2 3:4\n1 2 3:4 / / rw -\n"
                                                  "1 2 34 / / rw - a b c\n1 2 x:y / / rw - a b\n"
                                                  "1 2 3:4 / / rw ext4 a b\n")),
                     0);
    assert_int_equal(types.count, 0);
    mount_types_deinit(&types);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_has_its_type),
        cmocka_unit_test(broken_lines_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
