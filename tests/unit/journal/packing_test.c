/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "journal/packing.h"

struct scene {
    sqlite3 *handle;
    sqlite3_stmt *put, *template, *lookup, *read;
    struct packer packer;
    struct unpacker unpacker;
    int64_t seq, templates;
};

static sqlite3_stmt *prepare(struct scene *scene, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(scene->handle, sql, -1, &statement, NULL));
    return statement;
}

static int set_up(void **state)
{
    static struct scene scene;

    scene = (struct scene){0};
    assert_int_equal(SQLITE_OK, sqlite3_open(":memory:", &scene.handle));
    assert_int_equal(SQLITE_OK,
                     sqlite3_exec(scene.handle,
                                  "CREATE TABLE templates(number INTEGER PRIMARY KEY, json TEXT);"
                                  "CREATE TABLE alerts(seq INTEGER PRIMARY KEY, json TEXT,"
                                  " template INTEGER)",
                                  NULL, NULL, NULL));
    scene.put = prepare(&scene, "INSERT INTO alerts VALUES(?1, ?2, ?3)");
    scene.template = prepare(&scene, "INSERT INTO templates VALUES(?1, ?2)");
    scene.lookup = prepare(&scene, UNPACKER_LOOKUP);
    scene.read = prepare(&scene, "SELECT seq, json, template FROM alerts WHERE seq = ?1");
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    packer_deinit(&scene->packer);
    unpacker_deinit(&scene->unpacker);
    sqlite3_finalize(scene->put);
    sqlite3_finalize(scene->template);
    sqlite3_finalize(scene->lookup);
    sqlite3_finalize(scene->read);
    assert_int_equal(SQLITE_OK, sqlite3_close(scene->handle));
    return 0;
}

/* Returns how long it is there. */
static size_t put(struct scene *scene, struct text json)
{
    struct text packed = json;
    bool begins, packs = packer_prepare(&scene->packer, ++scene->seq, json, &begins);

    if (begins) {
        struct text text = buffer_text(&scene->packer.template);

        sqlite3_bind_int64(scene->template, 1, scene->packer.number);
        sqlite3_bind_text(scene->template, 2, text.ptr, (int)text.len, SQLITE_STATIC);
        assert_int_equal(SQLITE_DONE, sqlite3_step(scene->template));
        sqlite3_reset(scene->template);
        scene->templates++;
    }
    packs = packs && packer_pack(&scene->packer, json, &packed);
    sqlite3_bind_int64(scene->put, 1, scene->seq);
    sqlite3_bind_int64(scene->put, 3, scene->packer.number);
    if (packs)
        sqlite3_bind_blob(scene->put, 2, packed.ptr, (int)packed.len, SQLITE_STATIC);
    else
        sqlite3_bind_text(scene->put, 2, packed.ptr, (int)packed.len, SQLITE_STATIC);
    assert_int_equal(SQLITE_DONE, sqlite3_step(scene->put));
    sqlite3_reset(scene->put);
    return packed.len;
}

static int get(struct scene *scene, int64_t seq, struct text *out)
{
    sqlite3_bind_int64(scene->read, 1, seq);
    assert_int_equal(SQLITE_ROW, sqlite3_step(scene->read));
    return unpacker_read(&scene->unpacker, scene->lookup, scene->read, 1, out);
}

static void expect(struct scene *scene, int64_t seq, struct text json)
{
    struct text got;

    assert_int_equal(0, get(scene, seq, &got));
    assert_true(text_equal(json, got));
    sqlite3_reset(scene->read);
}

/* As alerts of one machine are: the same but for a number. */
static struct text make(struct buffer *out, int number, size_t len)
{
    buffer_clear(out);
    for (int i = 0; out->len < len; i++)
        buffer_printf(out, "\"field%d\":\"value %d\",", i * 7919 % 1000, i % 10 ? i : number);
    return buffer_text(out);
}

static struct text make_noise(struct buffer *out, unsigned *seed, size_t len)
{
    buffer_clear(out);
    while (out->len < len)
        buffer_put_char(out, (char)(' ' + rand_r(seed) % 90));
    return buffer_text(out);
}

static void what_is_packed_is_read_again(void **state)
{
    struct scene *scene = *state;
    CLEANUP(buffer_deinit) struct buffer json = {0};

    for (int i = 1; i <= 100; i++)
        assert_true(put(scene, make(&json, i, 4000)) < 1000);
    assert_int_equal(1, scene->templates);
    for (int i = 100; i >= 1; i--)
        expect(scene, i, make(&json, i, 4000));
}

static void what_is_short_or_noise_stays_as_it_is(void **state)
{
    struct scene *scene = *state;
    CLEANUP(buffer_deinit) struct buffer json = {0};
    unsigned seed = 1;

    assert_int_equal(PACKING_LEAST - 1, put(scene, (struct text){make(&json, 1, PACKING_LEAST).ptr,
                                                                 PACKING_LEAST - 1}));
    assert_int_equal(0, scene->templates);
    put(scene, make_noise(&json, &seed, 3000));
    int plain = 0;

    for (int i = 0; i < 40; i++)
        plain += put(scene, make_noise(&json, &seed, 3000)) == 3000;
    expect(scene, scene->seq, buffer_text(&json));
    /* Each ninth is the next one's template, and its own. */
    assert_int_equal(36, plain);
    assert_int_equal(5, scene->templates);
}

static void an_alert_longer_than_any_template_is_packed(void **state)
{
    struct scene *scene = *state;
    CLEANUP(buffer_deinit) struct buffer json = {0};

    for (int i = 1; i <= 3; i++)
        assert_true(put(scene, make(&json, i, 1 << 20)) < 1 << 19);
    for (int i = 1; i <= 3; i++)
        expect(scene, i, make(&json, i, 1 << 20));
}

static void what_is_damaged_is_said_to_be(void **state)
{
    static const char *const damages[] = {
        "UPDATE alerts SET template = 77",
        "UPDATE alerts SET json = x'ffffffff00'",
        "UPDATE alerts SET json = x'00'",
        "UPDATE alerts SET json = x'0010000000ffffffffffffffffffff'",
        "UPDATE templates SET json = ''",
        "DELETE FROM templates",
    };
    CLEANUP(buffer_deinit) struct buffer json = {0};
    struct text got;

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct scene *scene = *state;

        put(scene, make(&json, 1, 4000));
        assert_int_equal(SQLITE_OK, sqlite3_exec(scene->handle, damages[i], NULL, NULL, NULL));
        assert_int_equal(-EUCLEAN, get(scene, 1, &got));
        sqlite3_reset(scene->read);
        tear_down(state);
        set_up(state);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_packed_is_read_again),
        TEST(what_is_short_or_noise_stays_as_it_is),
        TEST(an_alert_longer_than_any_template_is_packed),
        TEST(what_is_damaged_is_said_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
