#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/suppression.h"
#include "base/clock.h"

#define WINDOW 1000

/* Two rules, by exe and by nothing, and an event whose exe can be set. */
struct fixture {
    struct field_ref by_exe;
    struct rule rules[2];
    const struct rule *pointers[2];
    struct ruleset ruleset;
    struct process process;
    struct event event;
    struct suppression *suppression;
    size_t summaries;
    struct suppression_summary last;
    char message[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->by_exe = (struct field_ref){.field = &field_catalogue[FIELD_EXE]};
    f->rules[0] = (struct rule){.index = 0, .suppress = {&f->by_exe, 1, WINDOW}};
    f->rules[1] = (struct rule){.index = 1, .suppress = {NULL, 0, WINDOW}};
    f->pointers[0] = &f->rules[0];
    f->pointers[1] = &f->rules[1];
    f->ruleset = (struct ruleset){.rules = f->pointers, .count = 2};
    f->event.process = &f->process;
    *state = f;
    return suppression_new(&f->ruleset, &f->suppression);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    suppression_free(f->suppression);
    free(f);
    return 0;
}

static void count_summary(void *context, const struct suppression_summary *summary)
{
    struct fixture *f = context;

    f->summaries++;
    f->last = *summary;
    snprintf(f->message, sizeof f->message, "%.*s", TEXT_ARG(summary->words.message));
}

static enum suppression_verdict offer(struct fixture *f, size_t rule, const char *exe, int64_t now)
{
    field_set_remove(&f->process.has, FIELD_EXE);
    if (exe) {
        f->process.exe = text_from(exe);
        field_set_add(&f->process.has, FIELD_EXE);
    }
    enum suppression_verdict verdict =
        suppression_admit(f->suppression, &f->rules[rule], &f->event, now);

    if (verdict == SUPPRESSION_FOLD_FIRST)
        suppression_keep(f->suppression,
                         &(struct suppression_words){.message = text_from(exe ? exe : "none"),
                                                     .matched = TEXT("\"matched\":[]"),
                                                     .event = TEXT("{\"a\":1}")});
    return verdict;
}

static void folds_the_same_and_only_the_same(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(offer(f, 0, "/a", 10), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/b", 10), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "", 10), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, NULL, 10), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 1, "/a", 10), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/a", 11), SUPPRESSION_FOLD_FIRST);
    assert_int_equal(offer(f, 0, "/a", 12), SUPPRESSION_FOLD);
    assert_int_equal(offer(f, 0, NULL, 12), SUPPRESSION_FOLD_FIRST);
    assert_int_equal(offer(f, 1, "/other", 12), SUPPRESSION_FOLD_FIRST);
    assert_int_equal(suppression_counters(f->suppression).folded, 4);
    assert_int_equal(suppression_counters(f->suppression).windows, 5);
}

/* A process of one machine is not that of another, whatever else they have in common. */
static void machines_are_told_apart(void **state)
{
    static const struct machine here = {.name = TEXT("a"), .is_here = true};
    static const struct machine first = {.name = TEXT("b"), .id = TEXT("1")};
    static const struct machine second = {.name = TEXT("b"), .id = TEXT("2")};
    struct fixture *f = *state;

    assert_int_equal(offer(f, 0, "/a", 10), SUPPRESSION_ADMIT);
    f->event.host = &here;
    assert_int_equal(offer(f, 0, "/a", 11), SUPPRESSION_FOLD_FIRST);
    f->event.host = &first;
    assert_int_equal(offer(f, 0, "/a", 12), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/a", 13), SUPPRESSION_FOLD_FIRST);
    f->event.host = &second;
    assert_int_equal(offer(f, 0, "/a", 14), SUPPRESSION_ADMIT);
    f->event.host = NULL;
    assert_int_equal(suppression_counters(f->suppression).windows, 3);
}

static void sums_up_when_a_window_closes(void **state)
{
    struct fixture *f = *state;

    offer(f, 0, "/quiet", 5);
    offer(f, 0, "/a", 10);
    for (int64_t now = 11; now < 20; now++)
        offer(f, 0, "/a", now);
    suppression_close(f->suppression, 10 + WINDOW - 1, count_summary, f);
    assert_int_equal(f->summaries, 0); /* "/quiet" closed, and had held nothing back */
    assert_int_equal(suppression_counters(f->suppression).windows, 1);
    suppression_close(f->suppression, 10 + WINDOW, count_summary, f);
    assert_int_equal(f->summaries, 1);
    assert_ptr_equal(f->last.rule, &f->rules[0]);
    assert_int_equal(f->last.fold.count, 9);
    assert_int_equal(f->last.fold.since, 10);
    assert_int_equal(f->last.time, 19);
    assert_string_equal(f->message, "/a");
    assert_int_equal(offer(f, 0, "/a", 10 + WINDOW), SUPPRESSION_ADMIT);
}

static void closes_all_at_the_end(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 2; i++) {
        offer(f, 0, "/a", 1);
        offer(f, 0, "/b", 2);
        offer(f, 1, "/c", 3);
    }
    suppression_close(f->suppression, INT64_MAX, count_summary, f);
    assert_int_equal(f->summaries, 3);
    assert_int_equal(suppression_counters(f->suppression).windows, 0);
}

/* Beyond the limit an alert is raised each time rather than lost. */
static void a_full_table_hides_nothing(void **state)
{
    struct fixture *f = *state;
    char exe[32];

    for (int i = 0; i < SUPPRESSION_WINDOWS_MAX; i++) {
        snprintf(exe, sizeof exe, "/%d", i);
        assert_int_equal(offer(f, 0, exe, 1), SUPPRESSION_ADMIT);
    }
    assert_int_equal(offer(f, 0, "/one more", 2), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/one more", 3), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/7", 3), SUPPRESSION_FOLD_FIRST);
    assert_int_equal(suppression_counters(f->suppression).refused, 2);
}

#define MINUTE (60 * NS_PER_S)
#define YEAR   (365LL * 86400 * NS_PER_S)

/* Windows of a minute, two open since NOW, the first with one alert folded. */
static void open_for_a_minute(struct fixture *f, int64_t now)
{
    f->rules[0].suppress.window = MINUTE;
    assert_int_equal(offer(f, 0, "/a", now), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/b", now), SUPPRESSION_ADMIT);
    assert_int_equal(offer(f, 0, "/a", now), SUPPRESSION_FOLD_FIRST);
}

static void a_clock_set_back_closes_all_and_begins_anew(void **state)
{
    struct fixture *f = *state;
    int64_t now = 50 * YEAR, before = 46 * YEAR;

    open_for_a_minute(f, now);
    suppression_close(f->suppression, before, count_summary, f);
    assert_int_equal(f->summaries, 1);
    assert_int_equal(f->last.fold.count, 1);
    assert_int_equal(f->last.time, now);
    assert_int_equal(suppression_counters(f->suppression).windows, 0);
    /* From here on the new time is the time. */
    assert_int_equal(offer(f, 0, "/a", before), SUPPRESSION_ADMIT);
    suppression_close(f->suppression, before + NS_PER_S, count_summary, f);
    assert_int_equal(offer(f, 0, "/a", before + NS_PER_S), SUPPRESSION_FOLD_FIRST);
    suppression_close(f->suppression, before + MINUTE, count_summary, f);
    assert_int_equal(f->summaries, 2);
    assert_int_equal(f->last.fold.since, before);
}

static void a_little_disorder_closes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t now = 50 * YEAR;

    open_for_a_minute(f, now);
    suppression_close(f->suppression, now - NS_PER_S, count_summary, f);
    assert_int_equal(f->summaries, 0);
    assert_int_equal(offer(f, 0, "/a", now - NS_PER_S), SUPPRESSION_FOLD);
    assert_int_equal(suppression_counters(f->suppression).windows, 2);
    suppression_close(f->suppression, now - NS_PER_S - 1, count_summary, f);
    assert_int_equal(f->summaries, 1);
}

/* The live engine looks at its clock while events still wait: they come late, not before. */
static void a_clock_ahead_of_the_events_is_not_set_back_by_them(void **state)
{
    struct fixture *f = *state;
    int64_t now = 50 * YEAR;

    open_for_a_minute(f, now);
    suppression_close(f->suppression, now + 30 * NS_PER_S, count_summary, f);
    suppression_close(f->suppression, now + NS_PER_S, count_summary, f);
    assert_int_equal(f->summaries, 0);
    assert_int_equal(offer(f, 0, "/a", now + NS_PER_S), SUPPRESSION_FOLD);
}

static void without_its_words_a_summary_has_all_else(void **state)
{
    struct fixture *f = *state;
    static const uint64_t origin[3] = {7, 8, 9};

    offer(f, 0, "/a", 10);
    memcpy(f->event.origin, origin, sizeof origin);
    assert_int_equal(suppression_admit(f->suppression, &f->rules[0], &f->event, 11),
                     SUPPRESSION_FOLD_FIRST);
    memset(f->event.origin, 0, sizeof origin);
    assert_int_equal(offer(f, 0, "/a", 12), SUPPRESSION_FOLD);
    suppression_close(f->suppression, INT64_MAX, count_summary, f);
    assert_int_equal(f->summaries, 1);
    assert_int_equal(f->last.fold.count, 2);
    assert_memory_equal(f->last.origin, origin, sizeof origin);
    assert_int_equal(f->last.words.message.len, 0);
    assert_true(text_is(f->last.words.event, "{}"));
}

/* Big events of many windows do not add up without end: later summaries have their count alone. */
static void memory_for_words_is_bounded(void **state)
{
    struct fixture *f = *state;
    const size_t size = (size_t)4 << 20;
    CLEANUP(freep) char *big = calloc(1, size);
    char exe[16];

    for (int i = 0; i < 10; i++) {
        snprintf(exe, sizeof exe, "/%d", i);
        offer(f, 0, exe, 1);
        f->process.exe = text_from(exe);
        assert_int_equal(suppression_admit(f->suppression, &f->rules[0], &f->event, 2),
                         SUPPRESSION_FOLD_FIRST);
        suppression_keep(f->suppression, &(struct suppression_words){.message = text_from(exe),
                                                                     .event = {big, size}});
    }
    suppression_close(f->suppression, INT64_MAX, count_summary, f);
    assert_int_equal(f->summaries, 10);
    assert_int_equal(f->last.fold.count, 1);
    assert_int_equal(f->last.words.message.len, 0);
    /* What was freed can be used again. */
    offer(f, 1, "/x", 3);
    offer(f, 1, "/y", 3);
    suppression_close(f->suppression, INT64_MAX, count_summary, f);
    assert_string_equal(f->message, "/y");
}

/* In another load the second rule is the first, the first is gone, and two are new. */
static void windows_go_over_to_another_load_of_the_rules(void **state)
{
    struct fixture *f = *state;
    struct rule load[3] = {
        {.index = 0, .suppress = {NULL, 0, WINDOW}},
        {.index = 1, .suppress = {&f->by_exe, 1, WINDOW}},
        {.index = 2, .suppress = {NULL, 0, WINDOW}},
    };
    const struct rule *pointers[3] = {&load[0], &load[1], &load[2]};
    const struct ruleset rules = {.rules = pointers, .count = 3};
    const struct rule *const became[2] = {NULL, &load[0]};
    struct suppression_queues *queues = suppression_queues_new(&rules);

    for (int i = 0; i < 3; i++)
        offer(f, 0, "/a", 10);
    offer(f, 0, "/b", 11);
    offer(f, 1, "/c", 12);
    offer(f, 1, "/c", 13);
    queues = suppression_carry(f->suppression, queues, became, count_summary, f);
    suppression_queues_free(queues);
    assert_int_equal(f->summaries, 1);
    assert_ptr_equal(f->last.rule, &f->rules[0]);
    assert_int_equal(f->last.fold.count, 2);
    assert_int_equal(suppression_counters(f->suppression).windows, 1);
    assert_int_equal(suppression_admit(f->suppression, &load[0], &f->event, 14), SUPPRESSION_FOLD);
    assert_int_equal(suppression_admit(f->suppression, &load[1], &f->event, 14), SUPPRESSION_ADMIT);
    assert_int_equal(suppression_admit(f->suppression, &load[2], &f->event, 14), SUPPRESSION_ADMIT);
    suppression_close(f->suppression, 12 + WINDOW, count_summary, f);
    assert_int_equal(f->summaries, 2);
    assert_ptr_equal(f->last.rule, &load[0]);
    assert_int_equal(f->last.fold.count, 2);
    assert_int_equal(f->last.fold.since, 12);
    assert_int_equal(suppression_counters(f->suppression).windows, 2);
    suppression_close(f->suppression, INT64_MAX, count_summary, f);
}

static void one_machine_that_is_behind_closes_nothing_of_others(void **state)
{
    struct fixture *f = *state;
    int64_t now = 1000 * NS_PER_S;

    suppression_allow_disorder(f->suppression);
    assert_int_equal(SUPPRESSION_ADMIT,
                     suppression_admit(f->suppression, &f->rules[1], &f->event, now));
    suppression_close(f->suppression, 0, count_summary, f);
    suppression_close(f->suppression, now - NS_PER_S - 1, count_summary, f);
    assert_int_equal(SUPPRESSION_FOLD_FIRST,
                     suppression_admit(f->suppression, &f->rules[1], &f->event, now + 1));
    assert_int_equal(f->summaries, 0);
    suppression_close(f->suppression, now + WINDOW, count_summary, f);
    assert_int_equal(f->summaries, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folds_the_same_and_only_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(machines_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_up_when_a_window_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closes_all_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(windows_go_over_to_another_load_of_the_rules, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(memory_for_words_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_table_hides_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_set_back_closes_all_and_begins_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_little_disorder_closes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_ahead_of_the_events_is_not_set_back_by_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_machine_that_is_behind_closes_nothing_of_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_its_words_a_summary_has_all_else, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
