#include "rig.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    /* What is started runs as an unprivileged user, and writes here. */
    assert_int_equal(0, chmod(rig.dir, 01777));
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void write_script(struct rig *rig, const char *text)
{
    const char *path = rig_path(rig, "script");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\ncd %s\n%s\n", rig->dir, text) > 0);
    assert_int_equal(0, fclose(file));
    assert_int_equal(0, chmod(path, 0755));
}

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
}

static void a_program_gets_each_alert(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "cat >>out; echo this goes nowhere");
    start(rig, "exec,command=@/script");
    rig_push(rig, 50, true);
    rig_drain(rig);
    rig_expect(rig, "out", 50, ONCE);
    assert_int_equal(50, rig_counters(rig, 0).delivered);
}

static void arguments_and_environment_are_what_was_said(void **state)
{
    struct rig *rig = *state;

    setenv("SECRET_OF_THE_ENGINE", "x", 1);
    write_script(rig, "printf '%s|' \"$@\" >out; /usr/bin/env | sort | "
                      "grep -v '^\\(PWD\\|OLDPWD\\|SHLVL\\|_\\)=' >>out; exec <&-");
    start(rig, "exec,name=mine,command=@/script,command=$(id) *,command=two words,"
               "environment=TOKEN=a\\,b,environment=PATH=/bin");
    rig_push(rig, 1, true);
    rig_drain(rig);
    struct text got = rig_read(rig, "out");

    if (!text_equal(got, TEXT("$(id) *|two words|PATH=/bin\nPICKET_ALERT_ID=000001\n"
                              "PICKET_OUTPUT=mine\nPICKET_RULE_ID=tmp-binary\n"
                              "PICKET_SEVERITY=high\nTOKEN=a,b\n")))
        fail_msg("%.*s", TEXT_ARG(got));
}

static void a_failure_is_tried_again(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "[ -e failed ] || { : >failed; exit 3; }\ncat >>out");
    start(rig, "exec,command=@/script,pause=10ms");
    rig_push(rig, 2, true);
    rig_drain(rig);
    rig_expect(rig, "out", 2, ONCE);
    assert_int_equal(1, rig_counters(rig, 0).retries);
}

static void push_three(struct rig *rig)
{
    rig_push(rig, 3, true);
    rig_drain(rig);
}

static void a_failure_is_rejected_where_asked_for(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "[ $PICKET_ALERT_ID = 000002 ] && exit 7\ncat >>out");
    start(rig, "exec,command=@/script,on_failure=reject");
    struct text log = rig_logged(rig, push_three);

    assert_int_equal(2, rig_counters(rig, 0).delivered);
    assert_int_equal(1, rig_counters(rig, 0).rejected);
    if (!text_contains(log, TEXT("exit status 7")))
        fail_msg("%.*s", TEXT_ARG(log));
}

/* With all it started; and the output goes on. */
static void a_program_may_know_better(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "case $PICKET_ALERT_ID in 000001) exit 65;; 000002)\n"
                      "[ -e failed ] || { : >failed; exit 75; };; esac; cat >>out");
    for (int i = 0; i < 2; i++) {
        start(rig, i ? "exec,command=@/script,on_failure=reject,pause=10ms"
                     : "exec,command=@/script,pause=10ms");
        rig_push(rig, 3, true);
        rig_drain(rig);
        assert_int_equal(1 - i, rig_counters(rig, 0).rejected);
        assert_int_equal(2 + i, rig_counters(rig, 0).delivered);
        assert_int_equal(1 - i, rig_counters(rig, 0).retries);
        rig_stop(rig);
    }
}

static void a_program_has_no_more_files_than_its_own(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "ls /proc/self/fd >out");
    start(rig, "exec,command=@/script");
    rig_push(rig, 1, true);
    rig_drain(rig);
    struct text got = rig_read(rig, "out");

    if (!text_equal(got, TEXT("0\n1\n2\n3\n"))) /* 3: the folder that is listed */
        fail_msg("%.*s", TEXT_ARG(got));
}

static void one_that_takes_too_long_is_killed(void **state)
{
    struct rig *rig = *state;

    write_script(rig, "[ $PICKET_ALERT_ID = 000002 ] && { sleep 600; sleep 600; }\ncat >>out");
    start(rig, "exec,command=@/script,on_failure=reject,timeout=200ms");
    struct text log = rig_logged(rig, push_three);

    assert_int_equal(2, rig_counters(rig, 0).delivered);
    assert_int_equal(1, rig_counters(rig, 0).rejected);
    assert_int_equal(0, rig_counters(rig, 0).hangs);
    if (!text_contains(log, TEXT("took longer than its timeout")))
        fail_msg("%.*s", TEXT_ARG(log));
}

/* Alerts larger than a pipe holds, for one that reads slowly and one that does not at all. */
static void large_alerts_are_fed(void **state)
{
    struct rig *rig = *state;
    size_t len = 1 << 20;
    char *json = arena_alloc(&rig->arena, len + 1);

    assert_non_null(json);
    memset(json, ' ', len);
    json[0] = '{';
    json[len - 1] = '}';
    json[len] = '\0';
    write_script(rig, "[ $PICKET_ALERT_ID = 000001 ] && exit 0\nsleep 0.1; wc -c >out");
    start(rig, "exec,command=@/script");
    assert_int_equal(0, rig_push_json(rig, "m", json));
    assert_int_equal(0, rig_push_json(rig, "m", json));
    rig_drain(rig);
    assert_int_equal(2, rig_counters(rig, 0).delivered);
    assert_true(text_equal(rig_read(rig, "out"), TEXT("1048577\n")));
}

static void expect_refusal(struct rig *rig, const char *argument, const char *why)
{
    diag_list_deinit(&rig->diags);
    const char *shown = rig_refuse(rig, &argument, 1);

    if (!strstr(shown, why))
        fail_msg("%s: %s", argument, shown);
}

static void mistakes_are_told_at_start(void **state)
{
    struct rig *rig = *state;

    expect_refusal(rig, "exec,command=cat", "does not begin with an absolute path");
    expect_refusal(rig, "exec,command=@/nothing", "no program that the user");
    expect_refusal(rig, "exec,command=/bin/cat,timeout=10s", "a second more than its 'timeout'");
    expect_refusal(rig, "exec,command=/bin/cat,environment==x", "not NAME=value");
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_program_gets_each_alert),         TEST(arguments_and_environment_are_what_was_said),
        TEST(a_failure_is_tried_again),          TEST(a_failure_is_rejected_where_asked_for),
        TEST(a_program_may_know_better),         TEST(a_program_has_no_more_files_than_its_own),
        TEST(one_that_takes_too_long_is_killed), TEST(large_alerts_are_fed),
        TEST(mistakes_are_told_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
