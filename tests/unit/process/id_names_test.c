#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "process/id_names.h"

#define CHECK ID_NAMES_CHECK_NS

struct fixture {
    char folder[32], path[48], other[48];
    struct id_names *names;
};

static void write_file(const char *path, const char *content)
{
    CLEANUP(fclosep) FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/picket-names-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/passwd", f->folder);
    snprintf(f->other, sizeof f->other, "%s/other", f->folder);
    *state = f;
    return id_names_new(f->path, &f->names);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    id_names_free(f->names);
    unlink(f->path);
    unlink(f->other);
    rmdir(f->folder);
    free(f);
    return 0;
}

static void assert_name(struct fixture *f, int64_t uid, int64_t now, const char *expected)
{
    struct text name = id_names_get(f->names, uid, now);

    if (!expected) {
        assert_null(name.ptr);
        return;
    }
    assert_int_equal(name.len, strlen(expected));
    assert_memory_equal(name.ptr, expected, name.len);
}

static void names_are_found_by_uid_the_first_one_first(void **state)
{
    struct fixture *f = *state;

    write_file(f->path, "root:x:0:0:root:/root:/bin/sh\n"
                        "toor:x:0:0::/root:/bin/sh\n"
                        "big:x:4294967294:1::/:/bin/sh\n"
                        "mia:x:1000:1000:Mia,,,:/home/mia:/bin/sh");
    assert_name(f, 0, 0, "root");
    assert_name(f, 1000, 0, "mia");
    assert_name(f, 4294967294, 0, "big");
    assert_name(f, 1001, 0, NULL);
    assert_name(f, -1, 0, NULL);
}

static void groups_are_read_alike(void **state)
{
    struct fixture *f = *state;

    write_file(f->path, "root:x:0:\nadm:x:4:syslog,mia\nmia:x:1000:\n");
    assert_name(f, 4, 0, "adm");
    assert_name(f, 1000, 0, "mia");
    assert_name(f, 5, 0, NULL);
}

static void broken_lines_name_nobody(void **state)
{
    struct fixture *f = *state;

    write_file(f->path, "\n:x:1:\nno\nno:x\nbad:x:abc:0:\n+nis:x:2:0::\n-not:x:3:0:\n#off:x:4:0:\n"
                        "minus:x:-5:0:\nwide:x:4294967296:0:\n::::::\nok:x:6");
    for (int64_t uid = -5; uid <= 5; uid++)
        assert_name(f, uid, 0, NULL);
    assert_name(f, 4294967296, 0, NULL);
    assert_name(f, 6, 0, "ok");
}

static void a_change_is_seen_once_the_time_is_up(void **state)
{
    struct fixture *f = *state;

    assert_name(f, 7, 0, NULL);
    write_file(f->path, "old:x:7:0:\n");
    assert_name(f, 7, CHECK - 1, NULL);
    assert_name(f, 7, CHECK, "old");
    write_file(f->path, "newer:x:7:0:\n");
    assert_name(f, 7, CHECK * 2 - 1, "old");
    assert_name(f, 7, CHECK * 2, "newer");
    write_file(f->other, "fresh:x:7:0:\n"); /* as vipw does: of the same size, another inode */
    assert_int_equal(rename(f->other, f->path), 0);
    assert_name(f, 7, CHECK * 3, "fresh");
    assert_int_equal(unlink(f->path), 0);
    assert_name(f, 7, CHECK * 4, NULL);
}

static void a_fifo_in_its_place_blocks_nobody(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_name(f, 0, 0, NULL);
    assert_int_equal(unlink(f->path), 0);
    write_file(f->path, "root:x:0:0:\n");
    assert_name(f, 0, CHECK, "root");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_found_by_uid_the_first_one_first),
        TEST(groups_are_read_alike),
        TEST(broken_lines_name_nobody),
        TEST(a_change_is_seen_once_the_time_is_up),
        TEST(a_fifo_in_its_place_blocks_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
