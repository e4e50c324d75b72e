/* Rules that are read anew by the loader's thread, and taken by this one as the engine's does. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include "engine/detector.h"
#include "engine/reload.h"

#define MINUTE (60 * NS_PER_S)

struct fixture {
    char folder[32], file[64];
    const char *path;
    struct rule_paths paths;
    struct delivery *delivery;
    struct detector *detector;
    struct rule_watch *watch;
    struct reload *reload;
    struct process process;
    struct event event;
    uint64_t internal;               /* alerts of its own */
    char message[512], detail[2048]; /* of the last one */
};

/* An event of everything that rules here are about. */
static void make_event(struct fixture *f)
{
    f->event = (struct event){.type = EVENT_EXEC, .process = &f->process, .time = NS_PER_S};
    field_set_add(&f->event.has, FIELD_TIME);
    process_set_text(&f->process, FIELD_COMM, &f->process.comm, TEXT("x"));
}

static void write_rules(struct fixture *f, const char *rules)
{
    CLEANUP(buffer_deinit) struct buffer next = {0};

    buffer_printf(&next, "%s/next", f->folder);
    CLEANUP(fclosep) FILE *file = fopen(buffer_string(&next), "we");

    assert_non_null(file);
    assert_true(fputs(rules, file) >= 0 && fflush(file) == 0);
    assert_int_equal(0, rename(buffer_string(&next), f->file));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct delivery_options none = {0};
    struct diag_list diags = {0};

    strcpy(f->folder, "/tmp/picket-reload-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->file, sizeof f->file, "%s/rules.yaml", f->folder);
    f->path = f->folder;
    f->paths = (struct rule_paths){&f->path, 1, false};
    make_event(f);
    assert_int_equal(0, delivery_new(&none, &diags, &f->delivery));
    diag_list_deinit(&diags);
    *state = f;
    return 0;
}

/* Begins with RULES in force. */
static void begin(struct fixture *f, const char *rules, bool watch)
{
    struct diag_list diags = {0};
    static const struct machine machine = {.name = TEXT("h")};
    struct detector_options detector = {.delivery = f->delivery, .engine.machine = &machine};
    bool changed;

    write_rules(f, rules);
    assert_int_equal(0, rule_watch_new(&f->paths, &f->watch));
    assert_int_equal(0, rule_watch_look(f->watch, &changed));
    assert_int_equal(0, rulebook_load(&f->paths, &diags, &detector.book));
    rulebook_route(detector.book, f->delivery);
    diag_list_deinit(&diags);
    assert_int_equal(0, detector_new(&detector, &f->detector));
    struct reload_options reload = {
        .paths = &f->paths,
        .delivery = f->delivery,
        .book = detector_rulebook(f->detector),
        .watch = watch ? f->watch : NULL,
    };

    assert_int_equal(0, reload_new(&reload, &f->reload));
    assert_int_equal(0, reload_start(f->reload));
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    reload_free(f->reload);
    rule_watch_free(f->watch);
    detector_free(f->detector);
    delivery_free(f->delivery);
    unlink(f->file);
    rmdir(f->folder);
    free(f);
    return 0;
}

/* As the engine does between two events. Whether there was an offer. */
static bool take(struct fixture *f)
{
    struct reload_offer *offer = reload_take(f->reload);

    if (!offer)
        return false;
    if (offer->book)
        offer->book = detector_exchange(f->detector, offer->book);
    if (offer->alerts) {
        f->internal++;
        snprintf(f->message, sizeof f->message, "%s", buffer_string(&offer->message));
        snprintf(f->detail, sizeof f->detail, "%s", buffer_string(&offer->detail));
        detector_raise_internal(f->detector, &offer->alert);
    }
    reload_return(f->reload, offer);
    return true;
}

static void await(struct fixture *f)
{
    struct pollfd bell = {.fd = reload_bell(f->reload), .events = POLLIN};
    uint64_t rings;

    assert_int_equal(1, poll(&bell, 1, 60000));
    assert_int_equal(sizeof rings, read(bell.fd, &rings, sizeof rings));
    assert_true(take(f));
}

static void ask(struct fixture *f, const char *rules)
{
    write_rules(f, rules);
    reload_ask(f->reload);
    await(f);
}

static uint64_t alerts(const struct fixture *f)
{
    return detector_counters(f->detector).alerts - f->internal;
}

/* How many alerts the event raises. */
static uint64_t raised(struct fixture *f)
{
    uint64_t before = alerts(f);

    detector_on_event(f->detector, &f->event);
    return alerts(f) - before;
}

#define RULE(id, match) "  - {id: " id ", title: T, match: {" match "}, tests: []}\n"

static void other_rules_are_taken(void **state)
{
    struct fixture *f = *state;

    begin(f, "rules:\n" RULE("a", "comm: x") RULE("b", "comm: y"), false);
    assert_int_equal(1, raised(f));
    ask(f, "rules:\n" RULE("b", "comm: x") RULE("c", "comm: x"));
    assert_int_equal(2, raised(f));
    assert_string_equal("rules were read anew: 1 added, 1 removed, 1 changed", f->message);
    assert_string_equal("{\"added\":1,\"removed\":1,\"changed\":1,\"rules\":2}", f->detail);
    assert_int_equal(1, reload_counters(f->reload).taken);
    assert_int_equal(2, detector_counters(f->detector).matcher.events);
}

static void the_same_rules_alert_nobody(void **state)
{
    struct fixture *f = *state;
    const char *rules = "rules:\n" RULE("a", "comm: x");

    begin(f, rules, false);
    ask(f, rules);
    assert_int_equal(0, f->internal);
    assert_int_equal(1, reload_counters(f->reload).taken);
}

static void expect_rejection(struct fixture *f, const char *rules, const char *message)
{
    uint64_t rejected = reload_counters(f->reload).rejected;

    ask(f, rules);
    assert_int_equal(rejected + 1, reload_counters(f->reload).rejected);
    if (!strstr(f->message, message))
        fail_msg("'%s' is not in '%s'", message, f->message);
    assert_int_equal(1, raised(f));
}

static void mistakes_leave_the_rules_in_force(void **state)
{
    struct fixture *f = *state;

    begin(f, "rules:\n" RULE("a", "comm: x"), false);
    expect_rejection(f, "rules:\n" RULE("a", "com: x") RULE("b", "cmm: x"),
                     ": 2 mistakes, the first: ");
    assert_non_null(strstr(f->message, "/rules.yaml:2:31: unknown field 'com'"));
    assert_non_null(strstr(f->detail, "{\"errors\":2,\"diagnostics\":[{\"file\":\"/tmp/"));
    assert_non_null(strstr(f->detail, "\"line\":3,\"column\":31,\"code\":\"unknown-field\""));
    expect_rejection(f, "rules: [", "rules.yaml:");
    expect_rejection(f,
                     "rules: [{id: a, title: A, match: {comm: y}, tests: [{alerts: {comm: z}}]}]",
                     "does not alert on this event");
    expect_rejection(f, "rules:\n" RULE("a", "exe.sha256: x"), "restart picket");
    expect_rejection(f, "", "there are no rules");
    assert_int_equal(0, reload_counters(f->reload).taken);
}

static void mistakes_are_told_by_the_first(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buffer_deinit) struct buffer rules = {0};
    size_t told = 0;

    begin(f, "rules:\n" RULE("a", "comm: x"), false);
    buffer_put_string(&rules, "rules:\n");
    for (int i = 0; i < 100; i++)
        buffer_printf(&rules, RULE("a%d", "com: x"), i);
    expect_rejection(f, buffer_string(&rules), "100 mistakes");
    for (const char *at = f->detail; (at = strstr(at, "\"code\"")); at++)
        told++;
    assert_int_equal(RELOAD_ALERTED_MAX, told);
}

#define FOLD(id, match, fold) \
    "  - {id: " id ", title: T, match: {" match "}, suppress: {" fold "}, tests: []}\n"

static void what_is_folded_goes_on(void **state)
{
    struct fixture *f = *state;

    begin(f,
          "rules:\n" FOLD("same", "comm: x", "by: [comm], for: 1h") FOLD("other", "comm: [x, z]",
                                                                         "by: [comm], for: 1h")
              FOLD("longer", "comm: x", "by: [comm], for: 1h") FOLD("gone", "comm: x", "for: 1h"),
          false);
    assert_int_equal(4, raised(f));
    assert_int_equal(0, raised(f));
    uint64_t before = alerts(f);

    ask(f, "rules:\n" RULE("new", "comm: y") FOLD("longer", "comm: x", "by: [comm], for: 2h")
               FOLD("same", "comm: x", "by: [comm], for: 1h")
                   FOLD("other", "comm: [x, y]", "by: [comm], for: 1h"));
    assert_int_equal(3, alerts(f) - before); /* summaries of those that are not what they were */
    assert_int_equal(1, detector_counters(f->detector).suppression.windows);
    assert_int_equal(2, raised(f)); /* of the same, but for the one that stayed */
    detector_tick(f->detector, INT64_MAX);
    assert_int_equal(0, detector_counters(f->detector).suppression.windows);
    assert_int_equal(3 + 2 + 1, alerts(f) - before);
}

#define CORRELATION(keys) \
    "---\ntitle: K\nid: k\ncorrelation: {type: event_count, rules: a, " keys "}\n"

static void what_is_counted_goes_on(void **state)
{
    struct fixture *f = *state;
    const char *three =
        "rules:\n" RULE("a", "comm: x") CORRELATION("timespan: 1m, condition: {gte: 3}");

    begin(f, three, false);
    assert_int_equal(0, raised(f));
    ask(f, "rules:\n" RULE("b", "comm: x") RULE("a", "comm: x")
               CORRELATION("timespan: 1m, condition: {gte: 3}"));
    assert_int_equal(1, raised(f)); /* of b */
    ask(f, three);
    assert_int_equal(1, raised(f)); /* of the correlation */
    assert_int_equal(0, raised(f));
    ask(f, "rules:\n" RULE("a", "comm: x") CORRELATION("timespan: 1m, condition: {gte: 2}"));
    assert_int_equal(0, raised(f));
    assert_int_equal(1, raised(f));
    assert_int_equal(2, detector_counters(f->detector).correlator.matches);
}

/* Whether a rule's own alerts are raised, and how they are folded, is nothing to those who count
 * its hits. */
static void what_is_counted_of_a_rule_goes_on(void **state)
{
    struct fixture *f = *state;

    begin(f, "rules:\n" RULE("a", "comm: x") CORRELATION("timespan: 1m, condition: {gt: 2}"),
          false);
    assert_int_equal(0, raised(f));
    ask(f, "rules:\n" FOLD("a", "comm: x", "for: 1h")
               CORRELATION("timespan: 1m, generate: true, condition: {gt: 2}"));
    assert_int_equal(1, raised(f)); /* its own */
    ask(f, "rules:\n" RULE("a", "comm: x") CORRELATION("timespan: 1m, condition: {gte: 3}"));
    assert_int_equal(1, raised(f)); /* of the correlation */
}

/* By an event that has nothing to do with it, and without any when all is over. */
static void what_is_counted_is_let_go_of(void **state)
{
    struct fixture *f = *state;
    const char *rules =
        "rules:\n" RULE("a", "comm: x") CORRELATION("timespan: 1m, condition: {gte: 3}");

    begin(f, rules, false);
    field_set_add(&f->event.has, FIELD_TIME);
    assert_int_equal(0, raised(f));
    process_set_text(&f->process, FIELD_COMM, &f->process.comm, TEXT("none"));
    f->event.time += 59 * NS_PER_S;
    assert_int_equal(0, raised(f));
    detector_tick(f->detector, f->event.time);
    assert_int_equal(1, detector_counters(f->detector).correlator.groups);
    f->event.time += 10 * NS_PER_S;
    assert_int_equal(0, raised(f));
    detector_tick(f->detector, f->event.time);
    assert_int_equal(0, detector_counters(f->detector).correlator.groups);
    process_set_text(&f->process, FIELD_COMM, &f->process.comm, TEXT("x"));
    assert_int_equal(0, raised(f));
    ask(f, rules);
    ask(f, rules);
    assert_int_equal(1, detector_counters(f->detector).correlator.groups);
}

/* A member's own alert is raised where the correlation says so, its message or none. */
static void members_alert_when_generated(void **state)
{
    struct fixture *f = *state;

    begin(f,
          "rules:\n" RULE("a", "comm: x")
              CORRELATION("timespan: 1m, generate: true, condition: {gte: 2}"),
          false);
    assert_int_equal(1, raised(f));
    assert_int_equal(2, raised(f));
}

/* Each event is the first of a group of its own. */
static void what_correlations_forgot_is_told(void **state)
{
    struct fixture *f = *state;
    char name[4096];

    begin(f,
          "rules:\n" RULE("a", "comm: x")
              CORRELATION("group-by: exe, timespan: 1m, condition: {gte: 2}"),
          false);
    memset(name, 'x', sizeof name);
    for (int i = 0; detector_counters(f->detector).correlator.evicted < 2; i++) {
        memcpy(name, &i, sizeof i); /* no UTF-8, as names may be */
        process_set_text(&f->process, FIELD_EXE, &f->process.exe,
                         ((struct text){name, sizeof name}));
        assert_int_equal(0, raised(f));
        assert_true(i < 100000);
    }
    assert_in_range(detector_counters(f->detector).correlator.bytes,
                    CORRELATOR_RULE_BYTES_MAX - (64 << 10), CORRELATOR_RULE_BYTES_MAX);
    uint64_t before = alerts(f);

    detector_tick(f->detector, 2 * NS_PER_S);
    assert_int_equal(1, alerts(f) - before);
    detector_tick(f->detector, 3 * NS_PER_S);
    assert_int_equal(1, alerts(f) - before);
}

static void changed_files_are_read_when_watched(void **state)
{
    struct fixture *f = *state;

    begin(f, "rules:\n" RULE("a", "comm: y"), true);
    write_rules(f, "rules:\n" RULE("a", "comm: x"));
    await(f);
    assert_int_equal(1, raised(f));
    write_rules(f, "rules:\n" RULE("a", "com: x"));
    await(f);
    assert_int_equal(1, reload_counters(f->reload).rejected);
    assert_int_equal(1, raised(f));
}

/* The rule is named, once a minute; what waits to be told is told when the rules go. */
static void what_regexes_were_given_up_on_is_told(void **state)
{
    struct fixture *f = *state;
    char *long_text = malloc(100 << 10);

    memset(long_text, 'a', 100 << 10);
    long_text[(100 << 10) - 1] = '!';
    begin(f, "rules:\n" RULE("slow", "cmdline|re: '^(a+)+$'") RULE("quick", "comm: x"), false);
    process_set_text(&f->process, FIELD_CMDLINE, &f->process.cmdline,
                     ((struct text){long_text, 100 << 10}));
    assert_int_equal(1, raised(f));
    assert_int_equal(1, raised(f));
    uint64_t before = alerts(f);

    detector_tick(f->detector, 2 * NS_PER_S);
    assert_int_equal(1, alerts(f) - before);
    assert_int_equal(1, raised(f));
    detector_tick(f->detector, 3 * NS_PER_S);
    assert_int_equal(2, alerts(f) - before);
    ask(f, "rules:\n" RULE("quick", "comm: x"));
    assert_int_equal(3, alerts(f) - before);
    assert_int_equal(3, detector_counters(f->detector).matcher.limits);
    free(long_text);
}

/* Every event meets both rules of one generation, whoever is first, the event or the rules. */
static void each_event_meets_one_whole_book(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buffer_deinit) struct buffer rules = {0};
    const unsigned generations = 60;
    unsigned seen = 0;

    begin(f, "rules:\n" RULE("a0", "comm: x") RULE("b0", "comm: x"), false);
    for (unsigned asked = 0; seen < generations;) {
        if (asked == seen) {
            asked++;
            buffer_clear(&rules);
            buffer_printf(&rules, "rules:\n" RULE("a%u", "comm: x") RULE("b%u", "%s: x"), asked,
                          asked, asked % 3 ? "comm" : "com");
            write_rules(f, buffer_string(&rules));
            reload_ask(f->reload);
        }
        seen += take(f);
        assert_int_equal(2, raised(f));
    }
    assert_int_equal(generations / 3, reload_counters(f->reload).rejected);
    assert_int_equal(generations - generations / 3, reload_counters(f->reload).taken);
}

/* What was offered and not taken, and what was asked for and not begun, end with it. */
static void can_end_at_any_moment(void **state)
{
    struct fixture *f = *state;

    begin(f, "rules:\n" RULE("a", "comm: y"), true);
    write_rules(f, "rules:\n" RULE("a", "comm: x"));
    reload_ask(f->reload);
    reload_ask(f->reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(other_rules_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_rules_alert_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_leave_the_rules_in_force, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_told_by_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_folded_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_counted_of_a_rule_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_counted_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_counted_is_let_go_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_alert_when_generated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_correlations_forgot_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_files_are_read_when_watched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_regexes_were_given_up_on_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_event_meets_one_whole_book, set_up, tear_down),
        cmocka_unit_test_setup_teardown(can_end_at_any_moment, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
