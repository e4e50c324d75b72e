#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/event.h"

static void names_are_unique_and_groups_adjacent(void **state)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        assert_int_equal(field->id, i);
        assert_ptr_equal(field_find(text_from(field->name)), field);
        if (field->group) {
            assert_int_equal(field->name[field->group], '.');
            assert_null(field_find((struct text){field->name, field->group}));
        }
    }
}

static void resolves_owners(void **state)
{
    static const struct {
        const char *name;
        enum field_id id;
        enum field_owner owner;
        unsigned generation;
    } cases[] = {
        {"exe", FIELD_EXE, OWNER_SELF, 0},
        {"exe.inode", FIELD_EXE_INODE, OWNER_SELF, 0},
        {"parent", FIELD_COMM, OWNER_ANCESTOR, 1},
        {"parent.exe", FIELD_EXE, OWNER_ANCESTOR, 1},
        {"parent.exe.inode", FIELD_EXE_INODE, OWNER_ANCESTOR, 1},
        {"ancestor", FIELD_COMM, OWNER_ANY_ANCESTOR, 0},
        {"ancestor.cmdline", FIELD_CMDLINE, OWNER_ANY_ANCESTOR, 0},
        {"ancestor[2].uid", FIELD_UID, OWNER_ANCESTOR, 2},
        {"ancestor[64]", FIELD_COMM, OWNER_ANCESTOR, 64},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct field_ref ref;

        assert_int_equal(field_ref_parse(text_from(cases[i].name), &ref), 0);
        assert_int_equal(ref.field->id, cases[i].id);
        assert_int_equal(ref.owner, cases[i].owner);
        assert_int_equal(ref.generation, cases[i].generation);
    }
}

static void refuses_what_is_no_field(void **state)
{
    static const struct {
        const char *name;
        int error;
    } cases[] = {
        {"", -ENOENT},
        {"parnet", -ENOENT},
        {"parent.", -ENOENT},
        {"parent.parent.comm", -ENOENT},
        {"parent.retval", -EDOM},
        {"ancestor.time", -EDOM},
        {"parent.host.name", -EDOM},
        {"ancestor[0].comm", -ERANGE},
        {"ancestor[65].comm", -ERANGE},
        {"ancestor[x].comm", -EINVAL},
        {"ancestor[1", -EINVAL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct field_ref ref;

        assert_int_equal(field_ref_parse(text_from(cases[i].name), &ref), cases[i].error);
    }
}

static void suggests_the_nearest(void **state)
{
    char workspace[64];

    assert_string_equal(field_suggest(TEXT("parnet"), workspace), "parent");
    assert_string_equal(field_suggest(TEXT("cmdlin"), workspace), "cmdline");
    assert_string_equal(field_suggest(TEXT("parent.cmdlin"), workspace), "parent.cmdline");
    assert_string_equal(field_suggest(TEXT("ancestor[2].exee"), workspace), "ancestor[2].exe");
    assert_null(field_suggest(TEXT("something else"), workspace));
    assert_string_equal(field_suggest(TEXT("parent.parent.comm"), workspace), "ancestor[2].comm");
    assert_string_equal(field_suggest(TEXT("parent.parent.parent"), workspace), "ancestor[3]");
    assert_string_equal(field_suggest(TEXT("ancestor[x].comm"), workspace), "ancestor[2].comm");
    assert_string_equal(field_suggest(TEXT("ancestor["), workspace), "ancestor[2]");
    assert_null(field_suggest(TEXT("ancestor[x].y"), workspace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_groups_adjacent),
        cmocka_unit_test(resolves_owners),
        cmocka_unit_test(refuses_what_is_no_field),
        cmocka_unit_test(suggests_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
