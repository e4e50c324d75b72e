#include "event/kernel_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void modes_are_their_permissions(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    mode_put(&out, 0100755);
    buffer_put_char(&out, ' ');
    mode_put(&out, 0104711);
    buffer_put_char(&out, ' ');
    mode_put(&out, 0);
    assert_string_equal(buffer_string(&out), "0755 4711 0000");
}

static void devices_are_their_numbers(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    device_put(&out, 254, 1048575);
    assert_string_equal(buffer_string(&out), "254:1048575");
}

static void terminals_have_their_names(void **state)
{
    static const struct {
        uint32_t major, minor;
        const char *name;
    } terminals[] = {
        {136, 0, "pts/0"}, {136, 300, "pts/300"}, {137, 1, "pts/257"}, {143, 255, "pts/2047"},
        {4, 0, "tty0"},    {4, 63, "tty63"},      {4, 64, "ttyS0"},    {188, 3, "ttyUSB3"},
        {229, 0, "hvc0"},  {166, 1, "ttyACM1"},   {5, 1, "5:1"},       {204, 64, "204:64"},
    };

    for (size_t i = 0; i < sizeof terminals / sizeof *terminals; i++) {
        CLEANUP(buffer_deinit) struct buffer out = {0};

        tty_put(&out, terminals[i].major, terminals[i].minor);
        assert_string_equal(buffer_string(&out), terminals[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_are_their_permissions),
        cmocka_unit_test(devices_are_their_numbers),
        cmocka_unit_test(terminals_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
