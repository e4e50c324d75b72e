#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/yaml.h"

struct reading {
    struct arena arena;
    struct diag_list diags;
    struct yaml_documents documents;
};

static void reading_deinit(struct reading *reading)
{
    arena_deinit(&reading->arena);
    diag_list_deinit(&reading->diags);
}

static struct reading read_bytes(struct text content)
{
    struct reading reading = {0};

    assert_int_equal(
        yaml_read(content, "t.yaml", &reading.arena, &reading.diags, &reading.documents), 0);
    return reading;
}

static struct reading read_text(const char *text)
{
    return read_bytes(text_from(text));
}

static void assert_mark(struct mark mark, unsigned line, unsigned column, unsigned width)
{
    assert_int_equal(mark.line, line);
    assert_int_equal(mark.column, column);
    assert_int_equal(mark.width, width);
    assert_string_equal(mark.file, "t.yaml");
}

/* The one diagnostic of a text. */
static void assert_fault(struct text content, const char *code, unsigned line, unsigned column)
{
    CLEANUP(reading_deinit) struct reading reading = read_bytes(content);
    const struct diag *diag = reading.diags.items;

    assert_int_equal(reading.diags.count, 1);
    assert_int_equal(diag->severity, DIAG_ERROR);
    if (strcmp(diag->code, code) != 0 || diag->mark.line != line || diag->mark.column != column)
        fail_msg("'%.*s': [%s] at %u:%u (%s), expected [%s] at %u:%u",
                 (int)(content.len < 60 ? content.len : 60), content.ptr, diag->code,
                 diag->mark.line, diag->mark.column, diag->message, code, line, column);
}

static void test_tree(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("a: 1\n"
                                       "long key:\n"
                                       "  - x\n"
                                       "  - \"y z\"\n"
                                       "  - [p, {q: r}]\n"
                                       "text: |\n"
                                       "  two\n"
                                       "  lines\n");
    const struct yaml_node *root = reading.documents.roots[0];

    assert_int_equal(reading.diags.count, 0);
    assert_int_equal(reading.documents.count, 1);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 3);
    assert_mark(root->keys[1]->mark, 2, 1, 8);
    const struct yaml_node *list = yaml_get(root, "long key");

    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 3);
    assert_mark(list->mark, 3, 3, 0);
    assert_mark(list->items[0]->mark, 3, 5, 1);
    assert_true(list->items[0]->plain);
    assert_mark(list->items[1]->mark, 4, 5, 5);
    assert_false(list->items[1]->plain);
    assert_string_equal(list->items[1]->text.ptr, "y z");
    assert_mark(list->items[2]->mark, 5, 5, 11);
    assert_mark(list->items[2]->items[1]->mark, 5, 9, 6);
    assert_string_equal(yaml_get(root, "text")->text.ptr, "two\nlines\n");
    assert_null(yaml_get(root, "none"));
    assert_null(yaml_get(list, "none"));
}

/* Columns are bytes; line ends are what editors take for them. */
static void test_positions(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("\xef\xbb\xbf"
                                       "é: ü\r\n"
                                       "q: \"a\xc2\x85z\xe2\x80\xa8\"\r\n"
                                       "ö ä: '𝄞' # note\r\n"
                                       "x: {é: [ü, z]}\r\n");
    const struct yaml_node *root = reading.documents.roots[0];

    assert_int_equal(reading.diags.count, 0);
    assert_mark(root->keys[0]->mark, 1, 1, 2);
    assert_mark(root->items[0]->mark, 1, 5, 2);
    assert_mark(root->keys[2]->mark, 3, 1, 5);
    assert_mark(root->items[2]->mark, 3, 8, 6);
    assert_mark(root->items[3]->mark, 4, 4, 13);
    assert_mark(root->items[3]->items[0]->items[1]->mark, 4, 14, 1);
}

static void test_inside(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("a: plain\n"
                                       "b: 'quoted'\n"
                                       "c: \"esc\\taped\"\n"
                                       "d: two\n"
                                       "  lines\n"
                                       "e: |\n"
                                       "  block\n"
                                       "f: 'it''s'\n");
    const struct yaml_node *root = reading.documents.roots[0];

    assert_mark(yaml_mark_inside(yaml_get(root, "a"), 2, 3), 1, 6, 3);
    assert_mark(yaml_mark_inside(yaml_get(root, "b"), 2, 1), 2, 7, 1);
    assert_mark(yaml_mark_inside(yaml_get(root, "b"), 6, 1), 2, 11, 1);
    assert_mark(yaml_mark_inside(yaml_get(root, "c"), 2, 1), 3, 4, 11);
    assert_mark(yaml_mark_inside(yaml_get(root, "d"), 2, 1), 4, 4, 3);
    assert_mark(yaml_mark_inside(yaml_get(root, "e"), 2, 1), 6, 4, 1);
    assert_mark(yaml_mark_inside(yaml_get(root, "f"), 2, 1), 8, 4, 7);
}

static void test_documents(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("a: 1\n---\n---\n- x\n...\n---\ny\n");

    assert_int_equal(reading.documents.count, 4);
    assert_int_equal(reading.documents.roots[0]->kind, YAML_MAP);
    assert_null(reading.documents.roots[1]);
    assert_int_equal(reading.documents.roots[2]->kind, YAML_LIST);
    assert_string_equal(reading.documents.roots[3]->text.ptr, "y");
}

static void test_nothing(void **state)
{
    CLEANUP(reading_deinit) struct reading empty = read_text("");
    CLEANUP(reading_deinit) struct reading comment = read_text("# nothing\n");

    assert_int_equal(empty.documents.count, 0);
    assert_int_equal(empty.diags.count, 0);
    assert_int_equal(comment.documents.count, 0);
    assert_int_equal(comment.diags.count, 0);
}

static void test_partial(void **state)
{
    CLEANUP(reading_deinit) struct reading reading = read_text("a: 1\n---\nb: [\n");

    assert_int_equal(reading.documents.count, 1);
    assert_non_null(yaml_get(reading.documents.roots[0], "a"));
    assert_int_equal(reading.diags.errors, 1);
}

static void test_aliases(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n");
    const struct yaml_node *root = reading.documents.roots[0];

    assert_int_equal(reading.diags.count, 0);
    assert_ptr_equal(yaml_get(root, "a"), yaml_get(root, "b"));
    assert_string_equal(yaml_get(root, "d")->text.ptr, "3");
}

static void test_scalars(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("[yes, 'yes', Off, ~, null, '', x]");
    const struct yaml_node *const *items =
        (const struct yaml_node *const *)reading.documents.roots[0]->items;
    bool truth = false;

    assert_true(yaml_is_bool(items[0], &truth));
    assert_true(truth);
    assert_false(yaml_is_bool(items[1], &truth));
    assert_true(yaml_is_bool(items[2], &truth));
    assert_false(truth);
    assert_true(yaml_is_null(items[3]));
    assert_true(yaml_is_null(items[4]));
    assert_false(yaml_is_null(items[5]));
    assert_false(yaml_is_null(items[6]));
    assert_false(yaml_is_bool(items[6], &truth));
}

static void test_keys(void **state)
{
    CLEANUP(reading_deinit)
    struct reading reading = read_text("a: 1\nb: 2\na: 3\n[x]: 4\n");
    const struct yaml_node *root = reading.documents.roots[0];

    assert_int_equal(root->count, 2);
    assert_string_equal(yaml_get(root, "a")->text.ptr, "1");
    assert_int_equal(reading.diags.count, 2);
    assert_string_equal(reading.diags.items[0].code, "duplicate-key");
    assert_mark(reading.diags.items[0].mark, 3, 1, 1);
    assert_string_equal(reading.diags.items[1].code, "bad-key");
    assert_mark(reading.diags.items[1].mark, 4, 1, 3);
}

static void test_syntax(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
    } faults[] = {
        {"a: b: c\n", 1, 5},       {"a: [1, 2\n", 1, 4},     {"a: {b: 1\n", 1, 4},
        {"a: \"x\nb: y\n", 1, 4},  {"\ta: b\n", 1, 1},       {"a:\n\tb: c\n", 2, 1},
        {"a: b\nc\nd: e\n", 2, 1}, {"a: @x\n", 1, 4},        {"a: \"x\\qy\"\n", 1, 6},
        {"a: b\n  c: d\n", 2, 4},  {"a: {b: c[1]}\n", 1, 9}, {"a: 'b' c\n", 1, 8},
        {"é: [ü\n", 1, 5},
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_fault(text_from(faults[i].text), "yaml-syntax", faults[i].line, faults[i].column);
}

/* Of brackets that the end of the file leaves open, the innermost is told. */
static void test_open_brackets(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
    } faults[] = {
        {"rules: [[[[\n", 1, 11},   {"rules: [[[[", 1, 11},
        {"a: [1,\n  2,\n\n", 1, 4}, {"a: {b: \n", 1, 4},
        {"a: {b: [c], \n", 1, 4},   {"a: [[1], [2], # [\n", 1, 4},
        {"a: &x [ {}, b: ", 1, 7},  {"é: [ü, &x {z: 'w', ? ", 1, 13},
        {"\xef\xbb\xbf[[", 1, 2},   {"a: [1]\n---\nb: [[2],\n", 3, 4},
    };

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        CLEANUP(reading_deinit) struct reading reading = read_text(faults[i].text);

        assert_fault(text_from(faults[i].text), "yaml-syntax", faults[i].line, faults[i].column);
        assert_string_equal(reading.diags.items[0].message, "this bracket is never closed");
    }
}

static void test_characters(void **state)
{
    assert_fault(TEXT("a: b\nc: \0d\n"), "bad-character", 2, 4);
    assert_fault(TEXT("a: b\n\nc: x\xffy\n"), "bad-character", 3, 5);
    assert_fault(TEXT("a: é\xc0\x80\n"), "bad-character", 1, 6);
    assert_fault(TEXT("a: \x1b[31m\n"), "bad-character", 1, 4);
    assert_fault(TEXT("\xff\xfe"
                      "a\0:\0"),
                 "bad-character", 1, 1);
    assert_fault(TEXT("x: \"a\\0b\"\n"), "bad-character", 1, 4);
}

static void test_unknown_alias(void **state)
{
    assert_fault(TEXT("a: *x\n"), "unknown-alias", 1, 4);
    assert_fault(TEXT("a: &x [*x]\n"), "unknown-alias", 1, 8);
    assert_fault(TEXT("a: &x 1\n---\nb: *x\n"), "unknown-alias", 3, 4);
}

static void test_depth(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    for (int i = 0; i < 1 << 20; i++)
        buffer_put_char(&text, '[');
    assert_fault(buffer_text(&text), "yaml-too-deep", 1, YAML_DEPTH_MAX + 1);
}

/* Aliases count as what they stand for: in depth ... */
static void test_alias_depth(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_put_string(&text, "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for (int i = 1; i < 8; i++)
        buffer_printf(&text, "a%d: &a%d [[[[[[[[[[*a%d]]]]]]]]]]\n", i, i, i - 1);
    /* 1 for the map and 10 a line: the seventh goes beyond 64, where its alias stands. */
    assert_fault(buffer_text(&text), "yaml-too-deep", 7, 19);
}

/* ... and in number. */
static void test_alias_bomb(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_put_string(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++) {
        buffer_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buffer_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
        buffer_put_string(&text, "]\n");
    }
    CLEANUP(reading_deinit) struct reading reading = read_bytes(buffer_text(&text));

    assert_int_equal(reading.diags.count, 1);
    assert_string_equal(reading.diags.items[0].code, "yaml-too-large");
    assert_int_equal(reading.documents.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),       cmocka_unit_test(test_positions),
        cmocka_unit_test(test_inside),     cmocka_unit_test(test_documents),
        cmocka_unit_test(test_nothing),    cmocka_unit_test(test_partial),
        cmocka_unit_test(test_aliases),    cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_characters), cmocka_unit_test(test_unknown_alias),
        cmocka_unit_test(test_depth),      cmocka_unit_test(test_alias_depth),
        cmocka_unit_test(test_alias_bomb), cmocka_unit_test(test_open_brackets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
