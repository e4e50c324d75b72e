/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine/rule_watch.h"

struct fixture {
    char folder[32], rules[64];
    const char *path;
    struct rule_paths paths;
    struct rule_watch *watch;
};

/* Runs a shell command in the folder. */
static void run(const struct fixture *f, const char *command)
{
    char line[1024];

    snprintf(line, sizeof line, "cd %s && %s", f->folder, command);
    assert_int_equal(0, system(line)); /* NOLINT(cert-env33-c): of the test's own text */
}

static bool changed(struct fixture *f)
{
    bool changed;

    assert_int_equal(0, rule_watch_look(f->watch, &changed));
    return changed;
}

/* Whether there was something to look for, since the last look. */
static bool stirs(struct fixture *f)
{
    struct pollfd fd = {.fd = rule_watch_fd(f->watch), .events = POLLIN};
    bool stirs = poll(&fd, 1, 0) == 1;

    rule_watch_clear(f->watch);
    return stirs;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    strcpy(f->folder, "/tmp/picket-watch-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->rules, sizeof f->rules, "%s/now/rules", f->folder);
    f->path = f->rules;
    f->paths = (struct rule_paths){&f->path, 1, false};
    run(f, "mkdir -p one/rules/deep two/rules && ln -s one now && echo 1 >one/rules/a.yaml");
    assert_int_equal(0, rule_watch_new(&f->paths, &f->watch));
    assert_true(changed(f));
    assert_false(changed(f));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    rule_watch_free(f->watch);
    run(f, "rm -r ./*");
    rmdir(f->folder);
    free(f);
    return 0;
}

static void every_way_to_change_a_file_is_noticed(void **state)
{
    static const char *const ways[] = {
        "echo 2 >now/rules/a.yaml",
        "echo 3 >next && mv next now/rules/a.yaml",
        "mv now/rules/a.yaml now/rules/b.yaml",
        "echo 4 >now/rules/deep/c.yml",
        "mv now/rules/deep now/rules/deeper",
        "rm now/rules/deeper/c.yml",
        "mkdir now/rules/new && echo 5 >now/rules/new/d.yaml",
        "echo 6 >now/rules/new/d.yaml",
        "mv now/rules/new .",
        "chmod 600 now/rules/b.yaml",
        "echo 7 >two/e && ln -s ../../two/e one/rules/e.yaml",
        "echo 8 >two/e",
        "ln -sfn two now && echo 9 >two/rules/f.yaml",
        "mv two/rules two/gone",
        "mv two/gone two/rules",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run(f, ways[i]);
        if (!stirs(f) || !changed(f))
            fail_msg("'%s' goes unnoticed", ways[i]);
        if (changed(f))
            fail_msg("'%s' is noticed twice", ways[i]);
    }
}

static void what_is_no_rule_changes_nothing(void **state)
{
    static const char *const others[] = {
        "echo 1 >now/rules/README",
        "echo 1 >now/rules/.a.yaml.swp",
        "mkdir now/rules/.git && echo 1 >now/rules/.git/a.yaml",
        "echo 1 >elsewhere.yaml",
        "cat now/rules/a.yaml >/dev/null",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        run(f, others[i]);
        if (changed(f))
            fail_msg("'%s' is taken for a change", others[i]);
    }
}

static void rules_that_are_not_there_yet_are_awaited(void **state)
{
    struct fixture *f = *state;

    run(f, "rm -r one/rules");
    assert_true(changed(f));
    run(f, "mkdir one/rules");
    assert_true(stirs(f));
    assert_false(changed(f));
    run(f, "echo 1 >one/rules/a.yaml");
    assert_true(stirs(f));
    assert_true(changed(f));
}

static void a_circle_of_links_is_left(void **state)
{
    struct fixture *f = *state;

    run(f, "ln -s . now/rules/again && ln -s x now/rules/y.yaml && ln -s y.yaml now/rules/x");
    assert_true(stirs(f));
    changed(f);
    run(f, "echo 2 >now/rules/a.yaml");
    assert_true(stirs(f));
    assert_true(changed(f));
}

static void what_cannot_be_watched_is_named(void **state)
{
    struct fixture *f = *state;
    int status;

    if (getuid() != 0)
        skip();
    run(f, "chmod 755 . && chmod 700 one/rules/deep");
    pid_t pid = fork();

    if (pid == 0) {
        bool ignored;

        if (setuid(65534) < 0)
            _exit(2);
        int r = rule_watch_look(f->watch, &ignored);

        _exit(r != -EACCES || !strstr(rule_watch_failure(f->watch), "/now/rules/deep"));
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_int_equal(0, status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_to_change_a_file_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_rule_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_that_are_not_there_yet_are_awaited, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_circle_of_links_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_named, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
