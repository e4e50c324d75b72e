/* Names made to break whoever reads them: line breaks, control characters, bytes that are no UTF-8,
 * the words of /proc, and folders deeper than any buffer. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

static void check(const char *name)
{
    const char *argv[] = {name, "-\x1b[2K\r", "\n0::/", NULL};
    struct testimony said;

    stage_witness_at(name, 0755);
    struct start start = {stage_path(name), argv};

    stage_play(trick_execve, &start, &said);
    /* Which the truth takes off, be it the kernel's or the name's. */
    if (text_ends(text_from(name), TEXT(" (deleted)")))
        snprintf(said.truth.exe, sizeof said.truth.exe, "%s", start.filename);
    const struct sighting *event = stage_assert_true(&said);

    assert_true(text_ends(event->process.exe, text_from(name)));
    stage_assert_text(event->process.filename, start.filename);
    unlink(start.filename);
}

static void test_line_breaks(void **state)
{
    check("line\nbreak\r\n");
}

static void test_control_characters(void **state)
{
    check("\x1b]0;title\a\x01\x7f\b\b\b");
}

static void test_not_utf8(void **state)
{
    check("\xff\xfe\xc0\x80\xed\xa0\x80\xf5");
}

static void test_not_what_it_reads_like(void **state)
{
    static const char right_to_left[] = {'\xe2', '\x80', '\xae', 'f', 'd', 'p',
                                         '.',    'e',    'x',    'e', 0};

    check(right_to_left);
}

static void test_words_of_proc(void **state)
{
    check("x) R 1 1 1 (deleted)");
}

static void test_spaces(void **state)
{
    check("   ");
}

static void test_longest_name(void **state)
{
    char name[256];

    memset(name, 'n', 255);
    name[255] = '\0';
    check(name);
}

/* Deeper than a path may be: only the end of it is kept, and that is told. */
static int trick_deep(void *name)
{
    for (int i = 0; i < 60; i++)
        if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
            return -1;
    int fd = open("deep", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    scene_copy(stage_witness(), fd);
    close(fd);
    return execv("./deep", (char *const *)just_witness);
}

static void test_beyond_a_path(void **state)
{
    struct testimony said;
    char name[256];

    memset(name, 'd', 255);
    name[255] = '\0';
    assert_int_equal(chdir(stage_path("")), 0);
    stage_play(trick_deep, name, &said);
    assert_int_equal(chdir("/"), 0);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);

    assert_non_null(event);
    assert_true(event->process.exe_truncated && event->process.cwd_truncated);
    assert_true(text_ends(event->process.exe, TEXT("ddd/deep")) && event->process.exe.len > 4096);
    assert_int_equal(event->process.exe_inode, said.truth.exe_inode);
    stage_assert_text(event->process.filename, "./deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_breaks),   cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_not_utf8),      cmocka_unit_test(test_not_what_it_reads_like),
        cmocka_unit_test(test_words_of_proc), cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_longest_name),  cmocka_unit_test(test_beyond_a_path),
    };

    return STAGE_RUN("odd_names", tests);
}
