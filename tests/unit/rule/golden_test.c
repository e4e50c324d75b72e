/* What the loader says of tests/golden/check/mistakes.yaml, to the letter; that every code is
 * explained, in the same words everywhere. */
#include "rule_fixture.h"

#include <errno.h>
#include <glob.h>
#include <unistd.h>

#include "base/diag_code.h"

static void read_whole(const char *path, struct buffer *out)
{
    CLEANUP(fclosep) FILE *file = fopen(path, "r");
    char *room;

    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    while ((room = buffer_reserve(out, 65536))) {
        size_t got = fread(room, 1, 65536, file);

        if (got == 0) {
            buffer_string(out); /* a NUL behind it */
            return;
        }
        out->len += got;
    }
    fail_msg("out of memory");
}

static void test_mistakes(void **state)
{
    CLEANUP(load_deinit) struct load load = {0};
    CLEANUP(buffer_deinit) struct buffer expected = {0};
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct rule_source source = {.path = "mistakes.yaml"};

    assert_int_equal(chdir(SOURCE_DIR "/tests/golden/check"), 0);
    load.result = ruleset_load(&source, 1, &load.diags, &load.ruleset);
    diag_render_all(&load.diags, false, &out);
    read_whole("mistakes.expected", &expected);
    assert_int_equal(load.result, -EINVAL);
    assert_string_equal(buffer_string(&out), buffer_string(&expected));
}

/* The file numbers its mistakes in comments: each line has as many diagnostics as numbers. */
static void test_mistake_numbers(void **state)
{
    CLEANUP(load_deinit) struct load load = {0};
    CLEANUP(buffer_deinit) struct buffer content = {0};
    struct rule_source source = {.path = "mistakes.yaml"};
    unsigned line = 0, numbers = 0;

    assert_int_equal(chdir(SOURCE_DIR "/tests/golden/check"), 0);
    ruleset_load(&source, 1, &load.diags, &load.ruleset);
    read_whole("mistakes.yaml", &content);
    for (struct text rest = buffer_text(&content); rest.ptr;) {
        const char *comment = strstr(text_split(&rest, '\n').ptr, "# ");
        unsigned on_line = 0, told = 0;
        char wanted[16];

        line++;
        for (;;) {
            snprintf(wanted, sizeof wanted, " %u ", numbers + 1);
            const char *number = comment ? strstr(comment, wanted) : NULL;

            if (!number || (rest.ptr && number >= rest.ptr))
                break;
            numbers++;
            on_line++;
        }
        for (size_t i = 0; i < load.diags.count; i++)
            told += load.diags.items[i].mark.line == line;
        if (told != on_line)
            fail_msg("line %u has %u mistakes, %u told", line, on_line, told);
    }
    assert_int_equal(numbers, load.diags.count);
    assert_true(numbers >= 60);
}

/* Takes the code of the next diagnostic that a source file makes: the first literal in the call. */
static bool next_code(struct text *rest, struct text *out)
{
    static const char *const calls[] = {"diag_error(", "diag_warning("};
    const char *nearest = NULL;

    for (int i = 0; i < 2; i++) {
        const char *call = memmem(rest->ptr, rest->len, calls[i], strlen(calls[i]));

        if (call && (!nearest || call < nearest))
            nearest = call;
    }
    if (!nearest)
        return false;
    const char *quote = strchr(nearest, '"');

    assert_non_null(quote);
    *out = (struct text){quote + 1, strcspn(quote + 1, "\"")};
    rest->len -= (size_t)(out->ptr + out->len - rest->ptr);
    rest->ptr = out->ptr + out->len;
    return true;
}

static void test_codes_are_explained(void **state)
{
    CLEANUP(buffer_deinit) struct buffer manual = {0};
    CLEANUP(globfree) glob_t sources = {0};
    unsigned count = 0, missing = 0;

    read_whole(SOURCE_DIR "/docs/diagnostics.md", &manual);
    assert_int_equal(glob(SOURCE_DIR "/core/*/*.c", 0, NULL, &sources), 0);
    for (size_t i = 0; i < sources.gl_pathc; i++) {
        CLEANUP(buffer_deinit) struct buffer source = {0};
        struct text code;

        if (strstr(sources.gl_pathv[i], "/base/diag.c"))
            continue;
        read_whole(sources.gl_pathv[i], &source);
        for (struct text rest = buffer_text(&source); next_code(&rest, &code); count++) {
            char row[64];

            if (strspn(code.ptr, "abcdefghijklmnopqrstuvwxyz-") < code.len)
                continue; /* the code is a variable, its literals are elsewhere */
            snprintf(row, sizeof row, "\n| `%.*s` |", TEXT_ARG(code));
            if (!text_contains(buffer_text(&manual), text_from(row))) {
                print_error("%s: '%.*s' is not in docs/diagnostics.md\n", sources.gl_pathv[i],
                            TEXT_ARG(code));
                missing++;
            }
        }
    }
    assert_int_equal(missing, 0);
    assert_true(count > 60);
}

/* ... and no code is explained that nothing says. */
static void test_codes_exist(void **state)
{
    CLEANUP(buffer_deinit) struct buffer manual = {0};
    CLEANUP(buffer_deinit) struct buffer all = {0};
    CLEANUP(globfree) glob_t sources = {0};

    read_whole(SOURCE_DIR "/docs/diagnostics.md", &manual);
    assert_int_equal(glob(SOURCE_DIR "/core/*/*.c", 0, NULL, &sources), 0);
    for (size_t i = 0; i < sources.gl_pathc; i++)
        if (!strstr(sources.gl_pathv[i], "/base/diag_code.c"))
            read_whole(sources.gl_pathv[i], &all);
    for (struct text rest = buffer_text(&manual); rest.ptr;) {
        struct text line = text_split(&rest, '\n');

        if (!text_starts(line, TEXT("| `")))
            continue;
        line = (struct text){line.ptr + 3, line.len - 3};
        struct text code = text_split(&line, '`');
        char literal[64];

        snprintf(literal, sizeof literal, "\"%.*s\"", TEXT_ARG(code));
        if (!text_contains(buffer_text(&all), text_from(literal)))
            fail_msg("docs/diagnostics.md explains %s, which nothing says", literal);
    }
}

/* The table of codes and the rows of the manual say the same, in the same order. */
static void test_codes_are_the_manual(void **state)
{
    static const char *const levels[] = {"error", "warning", "error, warning"};
    CLEANUP(buffer_deinit) struct buffer manual = {0};
    size_t count, at = 0;
    const struct diag_code *codes = diag_codes(&count);

    read_whole(SOURCE_DIR "/docs/diagnostics.md", &manual);
    for (struct text rest = buffer_text(&manual); rest.ptr;) {
        struct text line = text_split(&rest, '\n');
        char row[1024];

        if (!text_starts(line, TEXT("| `")))
            continue;
        assert_true(at < count);
        snprintf(row, sizeof row, "| `%s` | %s | %s |", codes[at].name, levels[codes[at].level],
                 codes[at].help);
        if (!text_is(line, row))
            fail_msg("docs/diagnostics.md: %.*s\n       but the table: %s", TEXT_ARG(line), row);
        assert_ptr_equal(diag_code_find(text_from(codes[at].name)), &codes[at]);
        at++;
    }
    assert_int_equal(at, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_mistake_numbers),
        cmocka_unit_test(test_codes_are_explained),
        cmocka_unit_test(test_codes_exist),
        cmocka_unit_test(test_codes_are_the_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
