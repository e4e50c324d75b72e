/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "base/cleanup.h"
#include "output/alert_queue.h"

static struct queued_alert *make(const char *id)
{
    const struct delivery_alert alert = {.id = text_from(id),
                                         .host = TEXT("h"),
                                         .rule = TEXT("r"),
                                         .title = TEXT("t\0t"),
                                         .message = TEXT("a\xffz"),
                                         .json = TEXT("{}"),
                                         .time = -1,
                                         .severity = 4};
    struct queued_alert *made = NULL;

    assert_int_equal(0, queued_alert_new(&alert, &made));
    return made;
}

static void push(struct alert_queue *queue, const char *id)
{
    struct queued_alert *alert = make(id);

    alert_queue_push(queue, alert);
    queued_alert_drop(alert);
}

static void expect_pop(struct alert_queue *queue, const char *id)
{
    struct queued_alert *alert = alert_queue_pop(queue);

    assert_string_equal(id, queued_alert_id(alert));
    queued_alert_drop(alert);
}

static void alerts_are_read_as_plugins_are_promised_them(void **state)
{
    struct queued_alert *made = make("17");
    struct payload payload = {.rest = queued_alert_bytes(made)};
    struct delivery_alert got;

    assert_int_equal(0, alert_frame_read(&payload, &got));
    assert_true(payload_complete(&payload));
    assert_true(text_is(got.id, "17"));
    assert_int_equal(-1, got.time);
    assert_int_equal(4, got.severity);
    assert_true(text_is(got.title, "t\xef\xbf\xbdt"));
    assert_true(text_is(got.message, "a\xef\xbf\xbdz"));
    assert_true(text_is(got.json, "{}"));
    queued_alert_drop(made);
}

static void a_queue_keeps_order_around_its_end(void **state)
{
    CLEANUP(alert_queue_deinit) struct alert_queue queue;

    assert_int_equal(0, alert_queue_init(&queue, 3, 10000));
    push(&queue, "1");
    push(&queue, "2");
    expect_pop(&queue, "1");
    push(&queue, "3");
    push(&queue, "4");
    assert_string_equal("3", queued_alert_id(alert_queue_at(&queue, 1)));
    expect_pop(&queue, "2");
    expect_pop(&queue, "3");
    expect_pop(&queue, "4");
    assert_int_equal(0, queue.count);
    assert_int_equal(0, queue.bytes);
}

static void a_queue_is_bounded_both_ways(void **state)
{
    CLEANUP(alert_queue_deinit) struct alert_queue by_count;
    CLEANUP(alert_queue_deinit) struct alert_queue by_bytes;
    struct queued_alert *alert = make("1");
    size_t len = queued_alert_bytes(alert).len;

    assert_int_equal(0, alert_queue_init(&by_count, 2, 10000));
    assert_int_equal(0, alert_queue_init(&by_bytes, 100, len + len / 2));
    alert_queue_push(&by_count, alert);
    assert_true(alert_queue_has_room(&by_count, alert));
    alert_queue_push(&by_count, alert);
    assert_false(alert_queue_has_room(&by_count, alert));
    /* However small, it takes one: otherwise nothing would ever get through. */
    assert_true(alert_queue_has_room(&by_bytes, alert));
    alert_queue_push(&by_bytes, alert);
    assert_false(alert_queue_has_room(&by_bytes, alert));
    queued_alert_drop(alert);
}

/* So that an alert can tell of what became of them. */
static void events_leave_room_to_alerts(void **state)
{
    CLEANUP(alert_queue_deinit) struct alert_queue queue;
    const struct delivery_alert alert = {.json = TEXT("{}"), .kind = PICKET_KIND_EVENT};
    struct queued_alert *event = NULL, *other = make("1");
    struct payload payload = {0};
    struct delivery_alert got;

    assert_int_equal(0, queued_alert_new(&alert, &event));
    payload.rest = queued_alert_bytes(event);
    assert_int_equal(0, alert_frame_read(&payload, &got));
    assert_int_equal(PICKET_KIND_EVENT, got.kind);
    assert_int_equal(0, alert_queue_init(&queue, 16, 100000));
    while (alert_queue_has_room(&queue, event))
        alert_queue_push(&queue, event);
    assert_int_equal(14, queue.count);
    while (alert_queue_has_room(&queue, other))
        alert_queue_push(&queue, other);
    assert_int_equal(16, queue.count);
    queued_alert_drop(event);
    queued_alert_drop(other);
}

static void long_alerts_are_refused(void **state)
{
    char *json = test_malloc(DELIVERY_ALERT_MAX + 1);
    struct delivery_alert alert = {.json = {json, DELIVERY_ALERT_MAX + 1}};
    struct queued_alert *made = NULL;

    memset(json, ' ', DELIVERY_ALERT_MAX + 1);
    assert_int_equal(-EMSGSIZE, queued_alert_new(&alert, &made));
    alert.json.len--;
    assert_int_equal(0, queued_alert_new(&alert, &made));
    assert_true(queued_alert_bytes(made).len <= FRAME_ENGINE_MAX - 64);
    queued_alert_drop(made);
    test_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_are_read_as_plugins_are_promised_them),
        cmocka_unit_test(a_queue_keeps_order_around_its_end),
        cmocka_unit_test(a_queue_is_bounded_both_ways),
        cmocka_unit_test(events_leave_room_to_alerts),
        cmocka_unit_test(long_alerts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
