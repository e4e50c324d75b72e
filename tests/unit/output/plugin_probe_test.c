/* What a plugin says of itself is believed only as far as it can be true. */
#include "rig.h"

#include <errno.h>

#include "host/plugin_probe.h"
#include "plugin/plugin_path.h"

static void expect_refused(const char *path, const char *reason)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct plugin_info info;
    const char *why = NULL;

    assert_true(plugin_probe(path, &arena, &info, &why) < 0);
    assert_non_null(why);
    if (!strstr(why, reason))
        fail_msg("%s is refused because '%s', not '%s'", path, why, reason);
}

static void tables_are_told(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct plugin_info info;
    const char *why = NULL;

    assert_int_equal(0, plugin_probe(RIG_PLUGIN_DIR "/console.so", &arena, &info, &why));
    assert_true(text_is(info.name, "console"));
    assert_int_equal(5, info.option_count);
    assert_true(text_is(info.options[1].name, "color"));
    assert_true(text_is(info.options[1].choices, "auto|always|never"));
    assert_true(text_is(info.options[1].value, "auto"));
    assert_int_equal(PICKET_ENUM, info.options[1].type);
}

static void right_ones_load(void **state)
{
    static const char *const paths[] = {BROKEN "nothing.so", BROKEN "later.so"};

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(arena_deinit) struct arena arena = {0};
        struct plugin_info info;
        const char *why = "";

        if (plugin_probe(paths[i], &arena, &info, &why) < 0)
            fail_msg("%s: %s", paths[i], why);
        assert_int_equal(2, info.option_count);
    }
}

static void broken_ones_do_not(void **state)
{
    expect_refused(BROKEN "symbol.so", "exports no symbol 'picket_plugin'");
    expect_refused(BROKEN "abi.so", "made for version 2 of the plugin ABI, not 1");
    expect_refused(BROKEN "size.so", "size in its 'picket_plugin' cannot be");
    expect_refused(BROKEN "later_used.so", "needs a newer picket");
    expect_refused(BROKEN "name.so", "its name is not of lower-case letters");
    expect_refused(BROKEN "option.so", "two of its options have the same name");
    expect_refused(BROKEN "reserved.so", "the name of one that every output has");
    expect_refused(BROKEN "needs.so", "it needs something that this picket does not know");
    expect_refused(BROKEN "type.so", "of a type this picket does not know");
    expect_refused(BROKEN "offset.so", "lies outside its config structure, or is not aligned");
    expect_refused(BROKEN "misaligned.so", "lies outside its config structure, or is not aligned");
    expect_refused("/nowhere/x.so", "No such file or directory");
    expect_refused("/etc/passwd", "/etc/passwd: ");
}

static void plugins_are_listed_by_name(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char **paths;
    size_t count;

    assert_int_equal(0, plugin_path_list(RIG_PLUGIN_DIR, &arena, &paths, &count));
    assert_true(count >= 3);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(paths[i - 1], paths[i]) < 0);
    assert_int_equal(0, plugin_path_list("/nowhere", &arena, &paths, &count));
    assert_int_equal(0, count);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_told),
        cmocka_unit_test(right_ones_load),
        cmocka_unit_test(broken_ones_do_not),
        cmocka_unit_test(plugins_are_listed_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
