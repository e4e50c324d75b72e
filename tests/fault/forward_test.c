/* Outputs that forward events: they get all of them, and what picket has to say of itself, and no
 * alerts; with a journal, which keeps none of it, and without. */
#include "rig.h"

#include "base/clock.h"

#define ALERTS "json,name=alerts,path=@/alerts.jsonl"
#define EVENTS "json,name=events,path=@/events.jsonl,forward=events"
#define STUCK  RIG_HOSTILE ",name=out,deadline=1h,queue=16,path=@/stuck.jsonl,mode=sleep"

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void push(struct rig *rig, const char *id, struct delivery_alert alert)
{
    CLEANUP(buffer_deinit) struct buffer json = {0};

    buffer_printf(&json, "{\"id\":\"%s\"}", id);
    alert.id = text_from(id);
    alert.host = TEXT("h");
    alert.title = alert.message = TEXT("t");
    alert.json = buffer_text(&json);
    assert_int_equal(0, delivery_push(rig->delivery, &alert, DELIVERY_ALL, false));
}

static void push_alert(struct rig *rig, const char *id)
{
    push(rig, id, (struct delivery_alert){.rule = TEXT("r")});
}

static void push_own(struct rig *rig, const char *id)
{
    push(rig, id, (struct delivery_alert){.rule = TEXT("picket.x"), .is_own = true});
}

static void push_event(struct rig *rig, const char *id)
{
    push(rig, id, (struct delivery_alert){.rule = TEXT(""), .kind = PICKET_KIND_EVENT});
}

static void expect(struct rig *rig, const char *name, const char *lines)
{
    struct text t = rig_read(rig, name);

    assert_string_equal(lines, arena_text(&rig->arena, t).ptr);
}

static void try_both(struct rig *rig)
{
    const char *const arguments[] = {ALERTS, EVENTS};

    rig_start(rig, arguments, 2);
    assert_int_equal(2, delivery_forwarding(rig->delivery));
    push_event(rig, "e1");
    push_alert(rig, "a1");
    push_own(rig, "p1");
    push_event(rig, "e2");
    push_own(rig, "p2");
    push_alert(rig, "a2");
    rig_drain(rig);
    expect(rig, "alerts.jsonl",
           "{\"id\":\"a1\"}\n{\"id\":\"p1\"}\n{\"id\":\"p2\"}\n{\"id\":\"a2\"}\n");
    expect(rig, "events.jsonl",
           "{\"id\":\"e1\"}\n{\"id\":\"p1\"}\n{\"id\":\"e2\"}\n{\"id\":\"p2\"}\n");
    assert_false(rig_counters(rig, 0).forwards);
    assert_true(rig_counters(rig, 1).forwards);
    assert_int_equal(4, rig_counters(rig, 0).offered);
    assert_int_equal(4, rig_counters(rig, 1).offered);
    assert_int_equal(4, rig_counters(rig, 1).delivered);
}

static void events_go_to_who_forwards_them(void **state)
{
    try_both(*state);
}

static void the_journal_keeps_no_events(void **state)
{
    struct rig *rig = *state;
    struct delivery_journal journal;

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    try_both(rig);
    delivery_journal(rig->delivery, &journal);
    assert_int_equal(4, journal.journalled);
}

/* Sixteen places, of which events leave two to alerts about themselves. */
static void what_has_no_room_is_counted(void **state)
{
    const char *const arguments[] = {STUCK ",forward=events"};
    struct rig *rig = *state;
    struct delivery_news news;

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, arguments, 1);
    for (int i = 0; i < 20; i++)
        push_event(rig, "e");
    for (int i = 0; i < 3; i++)
        push_own(rig, "p");
    struct delivery_counters counters = rig_counters(rig, 0);

    assert_int_equal(23, counters.offered);
    assert_int_equal(16, counters.queued);
    assert_int_equal(7, counters.dropped);
    assert_true(delivery_take_news(rig->delivery, INT64_MAX, &news));
    assert_int_equal(DELIVERY_DROPPED, news.kind);
    assert_int_equal(7, news.count);
    push(rig, "n", (struct delivery_alert){.rule = TEXT("r"), .is_own = true, .is_news = true});
    assert_false(delivery_take_news(rig->delivery, INT64_MAX, &news));
    assert_int_equal(8, rig_counters(rig, 0).dropped);
}

/* What waited for it as alerts is not what it gets now. */
static void an_output_may_change_over(void **state)
{
    const char *const before[] = {STUCK};
    const char *const between[] = {"json,name=out,path=@/events.jsonl,forward=events"};
    const char *const after[] = {"json,name=out,path=@/alerts.jsonl"};
    struct rig *rig = *state;
    struct delivery_news news;

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, before, 1);
    push_alert(rig, "a1");
    push_alert(rig, "a2");
    rig_stop(rig);
    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, between, 1);
    push_event(rig, "e1");
    rig_drain(rig);
    expect(rig, "events.jsonl", "{\"id\":\"e1\"}\n");
    assert_true(delivery_take_news(rig->delivery, INT64_MAX, &news));
    assert_int_equal(DELIVERY_DROPPED, news.kind);
    assert_int_equal(2, news.count);
    assert_int_equal(2, rig_counters(rig, 0).dropped);
    rig_stop(rig);
    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, after, 1);
    push_alert(rig, "a3");
    rig_drain(rig);
    expect(rig, "alerts.jsonl", "{\"id\":\"a3\"}\n");
    assert_int_equal(1, rig_counters(rig, 0).offered);
}

/* An event is presented as one in every format. */
static void plugins_are_told_what_it_is(void **state)
{
    const char *const arguments[] = {"json,path=@/text,forward=events,format=text"};
    struct rig *rig = *state;
    const struct delivery_alert event = {
        .id = TEXT("e"),
        .host = TEXT("web1"),
        .rule = TEXT(""),
        .title = TEXT(""),
        .message = TEXT("ann started /x"),
        .json = TEXT("{\"type\":\"exec\"}"),
        .time = 1767225600 * NS_PER_S,
        .kind = PICKET_KIND_EVENT,
    };

    rig_start(rig, arguments, 1);
    assert_int_equal(0, delivery_push(rig->delivery, &event, DELIVERY_ALL, false));
    rig_drain(rig);
    expect(rig, "text", "2026-01-01T00:00:00.000000000Z web1 ann started /x\n");
}

static int tests(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test_setup_teardown(events_go_to_who_forwards_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_journal_keeps_no_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_output_may_change_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plugins_are_told_what_it_is, set_up, tear_down),
    };

    return cmocka_run_group_tests(all, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, tests);
}
