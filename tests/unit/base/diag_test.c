#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/diag.h"

#define FILE_NAME "rules/web.yaml"

static void assert_rendered(struct diag_list *list, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    diag_render_all(list, false, &out);
    assert_string_equal(buffer_string(&out), expected);
}

/* One error at COLUMN of a file with that one line. */
static void assert_shown(struct text line, unsigned column, unsigned width, const char *expected)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};
    CLEANUP(buffer_deinit) struct buffer whole = {0};

    diag_add_source(&list, "f", line);
    diag_error(&list, (struct mark){"f", 1, column, width}, "code", "m");
    buffer_printf(&whole, "f:1:%u: error: m [code]\n%s", column, expected);
    assert_rendered(&list, buffer_string(&whole));
}

static void a_mistake_is_shown_with_its_line(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};

    diag_add_source(&list, FILE_NAME, TEXT("one\ntwo\n      parnet: nginx\nfour"));
    diag_error(&list, (struct mark){FILE_NAME, 3, 7, 6}, "unknown-field", "unknown field '%s'%s",
               "parnet", diag_hint(&list, "parent"));
    assert_int_equal(list.errors, 1);
    assert_int_equal(list.warnings, 0);
    assert_rendered(&list, "rules/web.yaml:3:7: error: unknown field 'parnet'; did you mean "
                           "'parent'? [unknown-field]\n"
                           "    3 |       parnet: nginx\n"
                           "      |       ^~~~~~\n");
}

static void without_anything_near_there_is_no_hint(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};
    char name[] = "first";
    const char *hint = diag_hint(&list, name);

    memset(name, 'x', sizeof name);
    assert_string_equal(hint, "; did you mean 'first'?");
    assert_string_equal(diag_hint(&list, NULL), "");
    assert_false(list.failed);
}

static void places_may_be_vague(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};

    diag_add_source(&list, "f", TEXT("text"));
    diag_warning(&list, (struct mark){0}, "a", "nowhere");
    diag_warning(&list, (struct mark){.file = "f"}, "b", "the file");
    diag_warning(&list, (struct mark){.file = "f", .line = 1}, "c", "the line");
    diag_warning(&list, (struct mark){.file = "f", .line = 9, .column = 2}, "d", "beyond");
    diag_warning(&list, (struct mark){.file = "unread", .line = 1}, "e", "no source");
    assert_int_equal(list.warnings, 5);
    assert_rendered(&list, "f: warning: the file [b]\n"
                           "f:1: warning: the line [c]\n"
                           "    1 | text\n"
                           "      | ^\n"
                           "f:9:2: warning: beyond [d]\n"
                           "warning: nowhere [a]\n"
                           "unread:1: warning: no source [e]\n");
}

static void a_file_name_may_go_before_what_is_said_of_it(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};
    char name[] = "f", unread[] = "unread";

    diag_add_source(&list, name, TEXT("text"));
    diag_error(&list, (struct mark){name, 1, 1, 4}, "a", "first");
    diag_error(&list, (struct mark){unread, 1, 2, 1}, "b", "second");
    diag_error(&list, (struct mark){unread, 1, 3, 1}, "c", "third");
    memset(name, 'x', sizeof name - 1);
    memset(unread, 'x', sizeof unread - 1);
    assert_rendered(&list, "f:1:1: error: first [a]\n"
                           "    1 | text\n"
                           "      | ^~~~\n"
                           "unread:1:2: error: second [b]\n"
                           "unread:1:3: error: third [c]\n");
}

static void a_file_added_again_keeps_its_place(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};

    diag_add_source(&list, "z", TEXT("old"));
    diag_add_source(&list, "a", TEXT("text"));
    diag_add_source(&list, "z", TEXT("new"));
    diag_error(&list, (struct mark){"a", 1, 1, 1}, "a", "second");
    diag_error(&list, (struct mark){"z", 1, 1, 1}, "b", "first");
    assert_rendered(&list, "z:1:1: error: first [b]\n"
                           "    1 | new\n"
                           "      | ^\n"
                           "a:1:1: error: second [a]\n"
                           "    1 | text\n"
                           "      | ^\n");
}

static void they_are_sorted_by_file_line_column_and_as_found(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};
    static const struct mark marks[] = {{"z", 2, 1, 0},  {"a", 1, 1, 0}, {"z", 10, 1, 0},
                                        {"z", 2, 10, 0}, {"z", 2, 9, 0}, {"m", 1, 1, 0},
                                        {"z", 2, 9, 0}};
    static const unsigned expected[] = {0, 4, 6, 3, 2, 1, 5};

    diag_add_source(&list, "z", TEXT(""));
    diag_add_source(&list, "a", TEXT(""));
    diag_add_source(&list, "m", TEXT(""));
    for (size_t i = 0; i < 7; i++)
        diag_error(&list, marks[i], "code", "%zu", i);
    diag_sort(&list);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(list.items[i].order, expected[i]);
}

static void carets_stand_under_their_characters(void **state)
{
    assert_shown(TEXT("\t\tkey: x"), 3, 3, "    1 | \t\tkey: x\n      | \t\t^~~\n");
    assert_shown(TEXT("\xc3\xa4\xe2\x82\xac: b"), 8, 1,
                 "    1 | \xc3\xa4\xe2\x82\xac: b\n      |     ^\n");
    assert_shown(TEXT("a\xc3\xa4\xc3\xa4z"), 2, 4, "    1 | a\xc3\xa4\xc3\xa4z\n      |  ^~\n");
    assert_shown(TEXT("ab"), 3, 1, "    1 | ab\n      |   ^\n");
    assert_shown(TEXT("ab"), 2, 50, "    1 | ab\n      |  ^\n");
    assert_shown(TEXT("ab"), 4000000000, 2, "    1 | ab\n      |   ^\n");
    assert_shown(TEXT("dos\r"), 1, 3, "    1 | dos\n      | ^~~\n");
}

/* Not as a literal: it would turn this line around. */
static const char override[] = {'\xe2', '\x80', '\xae', '\xc2', '\x9b', 'q'};

static void source_lines_move_no_cursor(void **state)
{
    assert_shown(TEXT("\x1b[2J\xffz"), 6, 1, "    1 | ?[2J?z\n      |      ^\n");
    assert_shown((struct text){override, sizeof override}, 6, 1, "    1 | ??q\n      |   ^\n");
}

static void long_lines_are_shown_around_the_mark(void **state)
{
    char line[1000];

    for (unsigned column = 1; column <= 1001; column += 50) {
        CLEANUP(diag_list_deinit) struct diag_list list = {0};
        CLEANUP(buffer_deinit) struct buffer out = {0};

        memset(line, '.', sizeof line);
        if (column <= sizeof line)
            line[column - 1] = 'X';
        diag_add_source(&list, "f", (struct text){line, sizeof line});
        diag_error(&list, (struct mark){"f", 1, column, 1}, "code", "m");
        diag_render(&list, &list.items[0], false, &out);
        struct text rest = buffer_text(&out);

        text_split(&rest, '\n');
        struct text shown = text_split(&rest, '\n'), caret = text_split(&rest, '\n');

        assert_in_range(shown.len, 80, 8 + 160);
        assert_true(text_ends(caret, TEXT("^")));
        assert_in_range(caret.len, 9, shown.len + 1);
        if (column <= sizeof line)
            assert_int_equal(shown.ptr[caret.len - 1], 'X');
    }
}

static void a_window_cuts_no_character(void **state)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    while (line.len < 900)
        buffer_put_string(&line, "\xe2\x82\xac");
    for (unsigned column = 1; column < 900; column++) {
        CLEANUP(diag_list_deinit) struct diag_list list = {0};
        CLEANUP(buffer_deinit) struct buffer out = {0};

        diag_add_source(&list, "f", buffer_text(&line));
        diag_error(&list, (struct mark){"f", 1, column, 1}, "code", "m");
        diag_render(&list, &list.items[0], false, &out);
        assert_true(text_is_utf8(buffer_text(&out)));
        assert_false(text_contains(buffer_text(&out), TEXT("?")));
    }
}

static void colour_is_only_there_when_asked_for(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};
    CLEANUP(buffer_deinit) struct buffer out = {0};

    diag_add_source(&list, "f", TEXT("a"));
    diag_error(&list, (struct mark){"f", 1, 1, 1}, "code", "m");
    diag_render(&list, &list.items[0], false, &out);
    assert_false(text_contains(buffer_text(&out), TEXT("\x1b")));
    buffer_clear(&out);
    diag_render(&list, &list.items[0], true, &out);
    assert_true(text_contains(buffer_text(&out), TEXT("\x1b[1;31merror:\x1b[0m m")));
}

static void messages_and_names_are_made_printable(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};

    diag_error(&list, (struct mark){"bad\nname", 0, 0, 0}, "code", "what \x1b[1m is");
    assert_rendered(&list, "bad\\nname: error: what \\x1b[1m is [code]\n");
}

/* The front and the end of it stay, in whole characters. */
static void long_messages_lose_their_middle(void **state)
{
    CLEANUP(buffer_deinit) struct buffer value = {0};

    while (value.len < 1 << 20)
        buffer_put_string(&value, "\xe2\x82\xac");
    for (int shift = 0; shift < 4; shift++) {
        CLEANUP(diag_list_deinit) struct diag_list list = {0};

        diag_error(&list, (struct mark){0}, "code", "%.*s'%s'%.*s is none", shift, "abc",
                   buffer_string(&value), shift, "abc");
        struct text message = text_from(list.items[0].message);

        assert_in_range(message.len, 350, 410);
        assert_true(text_is_utf8(message));
        assert_true(text_contains(message, TEXT("\xe2\x82\xac\xe2\x80\xa6\xe2\x82\xac")));
        assert_true(text_ends(message, TEXT(" is none")));
    }
}

static void other_messages_stay_whole(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = {0};

    diag_error(&list, (struct mark){0}, "code", "%400d", 7);
    diag_error(&list, (struct mark){0}, "code", "%s", "");
    assert_int_equal(strlen(list.items[0].message), 400);
    assert_string_equal(list.items[1].message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_shown_with_its_line),
        cmocka_unit_test(without_anything_near_there_is_no_hint),
        cmocka_unit_test(places_may_be_vague),
        cmocka_unit_test(a_file_name_may_go_before_what_is_said_of_it),
        cmocka_unit_test(a_file_added_again_keeps_its_place),
        cmocka_unit_test(they_are_sorted_by_file_line_column_and_as_found),
        cmocka_unit_test(carets_stand_under_their_characters),
        cmocka_unit_test(source_lines_move_no_cursor),
        cmocka_unit_test(long_lines_are_shown_around_the_mark),
        cmocka_unit_test(a_window_cuts_no_character),
        cmocka_unit_test(colour_is_only_there_when_asked_for),
        cmocka_unit_test(messages_and_names_are_made_printable),
        cmocka_unit_test(long_messages_lose_their_middle),
        cmocka_unit_test(other_messages_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
