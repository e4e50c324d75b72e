/* The plugin of docs/examples/plugin, built by example_plugin.sh. */
#include "rig.h"

static void the_example_delivers(void **state)
{
    static const char *const arguments[] = {EXAMPLE ",path=@/out,least=medium,prefix=* "};
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig, arguments, 1);
    assert_int_equal(0, rig_push_json(&rig, "hello",
                                      "{\"event\":{\"comm\":\"x\",\"parent\":"
                                      "{\"comm\":\"ba\\u001bsh\"}}}"));
    rig_drain(&rig);
    assert_true(text_is(rig_read(&rig, "out"), "* high tmp-binary [ba\\x1bsh -> x] hello\n"));
    rig_deinit(&rig);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_example_delivers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
