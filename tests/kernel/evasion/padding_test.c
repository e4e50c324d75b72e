/* Arguments beyond what is kept of them: one that is huge, a hundred thousand, none at all. The
 * beginning and the end are there, and what is missing between them is told. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stage.h"

#define ONE_MAX 131071 /* the longest that the kernel takes, without its NUL */

/* The event of a command line too long to be kept whole. */
static const struct process *assert_kept(const struct testimony *said, size_t argc, size_t length)
{
    const struct sighting *event = stage_find(EVENT_EXEC, said->truth.pid, 0);
    struct process expected = stage_expect(said);

    assert_non_null(event);
    field_set_remove(&expected.has, FIELD_ARGV);
    field_set_remove(&expected.has, FIELD_CMDLINE);
    field_set_remove(&expected.has, FIELD_CMDLINE_OMITTED);
    expected.cmdline_truncated = true;
    stage_assert_fields(&event->process, &expected);
    assert_int_equal(event->process.argc, argc);
    assert_int_equal(event->process.cmdline_length, length);
    assert_true(field_set_has(&event->process.has, FIELD_CMDLINE_OMITTED));
    /* What is kept and what is not are all there was. */
    assert_true(event->process.cmdline_omitted > 0);
    assert_true((size_t)event->process.cmdline_omitted < length);
    return &event->process;
}

static void test_one_huge_argument(void **state)
{
    char *huge = malloc(ONE_MAX + 1);
    const char *argv[] = {"sh", "-c", huge, NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    memset(huge, ' ', ONE_MAX);
    memcpy(huge + ONE_MAX - 17, "steal /etc/shadow", 17);
    huge[ONE_MAX] = '\0';
    stage_play(trick_execve, &start, &said);
    const struct process *process = assert_kept(&said, 3, 6 + ONE_MAX);

    assert_true(text_starts(process->cmdline, TEXT("sh -c   ")));
    assert_true(text_ends(process->cmdline, TEXT(" steal /etc/shadow")));
    free(huge);
}

#define MANY 100000

static void test_many_small_arguments(void **state)
{
    const char **argv = calloc(MANY + 1, sizeof *argv);
    struct start start = {stage_witness(), argv};
    struct testimony said;

    argv[0] = "first";
    for (size_t i = 1; i < MANY - 1; i++)
        argv[i] = i % 2 ? "" : "x";
    argv[MANY - 1] = "last";
    stage_play(trick_execve, &start, &said);
    const struct process *process =
        assert_kept(&said, MANY, 6 + MANY - 2 + (MANY - 2) / 2 - 1 + 1 + 4);

    assert_true(text_starts(process->cmdline, TEXT("first  x  x")));
    assert_true(text_ends(process->cmdline, TEXT(" last")));
    free(argv);
}

/* As long as the kernel takes: a quarter of the stack's limit, 6 MiB at most. */
static int trick_most(void *start)
{
    struct rlimit limit = {64UL << 20, 64UL << 20};

    setrlimit(RLIMIT_STACK, &limit);
    return trick_execve(start);
}

static void test_as_much_as_can_be(void **state)
{
    enum { COUNT = 45 };
    char *huge = malloc(ONE_MAX + 1);
    const char *argv[COUNT + 3] = {"first"};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    memset(huge, '/', ONE_MAX);
    huge[ONE_MAX] = '\0';
    for (size_t i = 1; i <= COUNT; i++)
        argv[i] = huge;
    argv[COUNT + 1] = "last";
    stage_play(trick_most, &start, &said);
    const struct process *process = assert_kept(&said, COUNT + 2, 5 + COUNT * (ONE_MAX + 1) + 5);

    assert_true(text_starts(process->cmdline, TEXT("first ///")));
    assert_true(text_ends(process->cmdline, TEXT("/// last")));
    free(huge);
}

static void test_none(void **state)
{
    const char *argv[] = {NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    /* From 5.18 the kernel makes it one empty argument; the witness knows. */
    stage_play(trick_execve, &start, &said);
    assert_true(stage_assert_true(&said)->process.argc <= 1);
}

static void test_empty_ones(void **state)
{
    const char *argv[] = {"", "", "", "x", "", NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    stage_play(trick_execve, &start, &said);
    assert_int_equal(stage_assert_true(&said)->process.argc, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_huge_argument), cmocka_unit_test(test_many_small_arguments),
        cmocka_unit_test(test_as_much_as_can_be), cmocka_unit_test(test_none),
        cmocka_unit_test(test_empty_ones),
    };

    return STAGE_RUN("padding", tests);
}
