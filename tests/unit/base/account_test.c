/* By a real /etc/passwd: that of this machine. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/account.h"
#include "base/cleanup.h"
#include "base/text.h"

static void everybody_in_the_file_is_found_by_name(void **state)
{
    CLEANUP(fclosep) FILE *file = fopen("/etc/passwd", "re");
    char line[1024];
    int people = 0;

    assert_non_null(file);
    for (; fgets(line, sizeof line, file); people++) {
        struct text rest = text_trim(text_from(line)), name = text_split(&rest, ':');
        struct account found;
        int64_t uid, gid;

        line[name.len] = '\0';
        text_split(&rest, ':');
        assert_int_equal(text_to_int(text_split(&rest, ':'), &uid), 0);
        assert_int_equal(text_to_int(text_split(&rest, ':'), &gid), 0);
        assert_int_equal(account_find(line, &found), 0);
        assert_int_equal(found.uid, uid);
        assert_int_equal(found.gid, gid);
    }
    assert_true(people > 0);
}

static void a_number_need_not_be_there(void **state)
{
    struct account found = {1, 1};

    assert_int_equal(account_find("0", &found), 0);
    assert_int_equal(found.uid, 0);
    assert_int_equal(found.gid, 0);
    assert_int_equal(account_find("3999999999", &found), 0);
    assert_int_equal(found.uid, 3999999999U);
    assert_int_equal(found.gid, 3999999999U);
}

/* A user's group is the file's, not a number of the same name. */
static void a_number_has_its_group(void **state)
{
    CLEANUP(fclosep) FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *entry;
    int others = 0;

    assert_non_null(file);
    while ((entry = fgetpwent(file))) {
        struct account by_name, by_number;
        char number[16];

        if (entry->pw_uid == entry->pw_gid)
            continue;
        snprintf(number, sizeof number, "%u", entry->pw_uid);
        by_name = (struct account){entry->pw_uid, entry->pw_gid};
        assert_int_equal(account_find(number, &by_number), 0);
        assert_int_equal(by_number.uid, by_name.uid);
        assert_int_equal(by_number.gid, by_name.gid);
        others++;
    }
    if (others == 0)
        skip();
}

static void nobody_else_is(void **state)
{
    static const char *const names[] = {"no-such-user", "",       "-1", "4294967295",
                                        "4294967296",   "root:x", " "};
    struct account found = {7, 8};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(account_find(names[i], &found), -ENOENT);
    assert_int_equal(found.uid, 7);
    assert_int_equal(found.gid, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_in_the_file_is_found_by_name),
        cmocka_unit_test(a_number_need_not_be_there),
        cmocka_unit_test(a_number_has_its_group),
        cmocka_unit_test(nobody_else_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
