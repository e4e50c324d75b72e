/* A library that is slipped in by way of the environment, and an environment that is padded so that
 * nobody finds it. */
#include <stdlib.h>
#include <unistd.h>

#include "stage.h"

#define PRELOAD "LD_PRELOAD=/tmp/evil.so"
#define PAD_MAX 100000

static struct text variable(const struct process *process, unsigned n)
{
    struct text list = process->env, item;

    while (text_list_next(&list, &item))
        if (n-- == 0)
            return item;
    return (struct text){NULL, 0};
}

static const struct process *play(const char *const *env)
{
    struct start start = {stage_witness(), just_witness, env};
    static struct testimony said;

    stage_play(trick_execve, &start, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    assert_int_equal(process->env_length, said.env.len);
    return process;
}

static void test_preload(void **state)
{
    const char *env[] = {"PATH=/bin", PRELOAD, "LD_PRELOADED=no", "SSH_CONNECTION=", NULL};
    const struct process *process = play(env);

    stage_assert_text(variable(process, 0), PRELOAD);
    stage_assert_text(variable(process, 1), "SSH_CONNECTION=");
    assert_null(variable(process, 2).ptr);
    assert_false(process->env_truncated);
}

/* The loader takes the last one of two; both are told. */
static void test_twice(void **state)
{
    const char *env[] = {"LD_PRELOAD=", "no variable", PRELOAD, "", NULL};
    const struct process *process = play(env);

    stage_assert_text(variable(process, 0), "LD_PRELOAD=");
    stage_assert_text(variable(process, 1), PRELOAD);
}

static void test_none(void **state)
{
    const char *env[] = {NULL};
    const struct process *process = play(env);

    assert_int_equal(process->env_length, 0);
    assert_false(process->env_truncated);
}

/* What is padded is told to be. */
static void test_padded(void **state)
{
    char *pad = malloc(PAD_MAX + 1);
    const char *behind[] = {PRELOAD, pad, NULL}, *before[] = {pad, PRELOAD, NULL};

    memset(pad, 'x', PAD_MAX);
    memcpy(pad, "PAD=", 4);
    pad[PAD_MAX] = '\0';
    const struct process *process = play(behind);

    stage_assert_text(variable(process, 0), PRELOAD);
    assert_true(process->env_truncated);
    process = play(before);
    assert_true(process->env_truncated);
    assert_true(process->env_length > PAD_MAX);
    free(pad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preload),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_padded),
    };

    return STAGE_RUN("environment", tests);
}
