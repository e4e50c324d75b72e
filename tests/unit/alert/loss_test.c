/* Losses become alerts: summed, not too many of them, none forgotten. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert/alert.h"
#include "alert/internal_alert.h"
#include "alert/loss.h"

static struct loss_ledger *ledger;

static int setup(void **state)
{
    return loss_ledger_new(&ledger);
}

static int teardown(void **state)
{
    loss_ledger_free(ledger);
    return 0;
}

static void lose(enum loss_kind kind, int cpu, int64_t from, int64_t until, uint64_t count)
{
    loss_ledger_add(ledger, &(struct loss){kind, cpu, from, until, count});
}

static void without_a_loss_nothing_is_due(void **state)
{
    assert_null(loss_ledger_take(ledger, 1));
    assert_null(loss_ledger_take(ledger, INT64_MAX));
}

static void losses_of_a_kind_are_summed(void **state)
{
    lose(LOSS_LOST, 1, 20, 30, 3);
    lose(LOSS_LOST, 0, 10, 25, 4);
    lose(LOSS_LOST, 1, 30, 50, 5);
    const struct loss_sum *sum = loss_ledger_take(ledger, NS_PER_S);

    assert_non_null(sum);
    assert_int_equal(sum->total.count, 12);
    assert_int_equal(sum->total.from, 10);
    assert_int_equal(sum->total.until, 50);
    assert_int_equal(sum->cpu_count, 2);
    assert_int_equal(sum->cpus[0].count, 4);
    assert_int_equal(sum->cpus[1].count, 8);
    assert_int_equal(sum->cpus[1].from, 20);
    assert_int_equal(sum->cpus[1].until, 50);
    assert_int_equal(sum->before, 0);
    assert_null(loss_ledger_take(ledger, NS_PER_S));
}

/* After a sum, the next of its kind comes a pause later; other kinds do not wait for it. */
static void a_kind_pauses(void **state)
{
    const int64_t now = 5 * NS_PER_S;

    lose(LOSS_LOST, 0, 1, 2, 1);
    assert_int_equal(loss_ledger_take(ledger, now)->total.count, 1);
    lose(LOSS_LOST, 1, 3, 4, 2);
    lose(LOSS_REFUSED, LOSS_CPU_ANY, 3, 4, 7);
    const struct loss_sum *sum = loss_ledger_take(ledger, now + 1);

    assert_int_equal(sum->total.kind, LOSS_REFUSED);
    assert_int_equal(sum->cpu_count, 0);
    assert_null(loss_ledger_take(ledger, now + 1));
    lose(LOSS_LOST, 1, 5, 6, 3);
    assert_null(loss_ledger_take(ledger, now + LOSS_PAUSE - 1));
    sum = loss_ledger_take(ledger, now + LOSS_PAUSE);
    assert_int_equal(sum->total.count, 5);
    assert_int_equal(sum->before, 1);
    assert_int_equal(sum->cpus[0].count, 0);
    assert_int_equal(sum->cpus[1].count, 5);
}

static void the_end_waits_for_no_pause(void **state)
{
    uint64_t counts[LOSS_KINDS] = {0};

    for (int kind = 0; kind < LOSS_KINDS; kind++)
        lose((enum loss_kind)kind, 0, 1, 2, 1);
    while (loss_ledger_take(ledger, 1))
        ;
    for (int kind = 0; kind < LOSS_KINDS; kind++)
        lose((enum loss_kind)kind, 0, 1, 2, 10);
    assert_null(loss_ledger_take(ledger, 2));
    for (const struct loss_sum *sum; (sum = loss_ledger_take(ledger, INT64_MAX));)
        counts[sum->total.kind] += sum->total.count;
    for (int kind = 0; kind < LOSS_KINDS; kind++)
        assert_int_equal(counts[kind], 10);
}

static void every_loss_is_in_one_sum(void **state)
{
    uint64_t lost = 0, summed = 0, cpus = 0;

    for (int64_t now = 1; now < 100 * NS_PER_S; now += 77 * NS_PER_MS) {
        lose(LOSS_LOST, (int)(now % 7), now, now + 1, (uint64_t)now % 13 + 1);
        lost += (uint64_t)now % 13 + 1;
        for (const struct loss_sum *sum;
             (sum = loss_ledger_take(ledger, now > 99 * NS_PER_S ? INT64_MAX : now));) {
            assert_int_equal(sum->before, summed);
            summed += sum->total.count;
            for (size_t i = 0; i < sum->cpu_count; i++)
                cpus += sum->cpus[i].count;
        }
    }
    assert_int_equal(summed, lost);
    assert_int_equal(cpus, lost);
}

static void assert_message(const char *wanted)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    loss_put_message(&out, loss_ledger_take(ledger, INT64_MAX));
    assert_string_equal(buffer_string(&out), wanted);
}

static void a_message_says_what_to_do(void **state)
{
    lose(LOSS_LATE_CPU, 3, 0, NS_PER_MS, 1);
    assert_message("1 event lost on CPU 3 between 1970-01-01T00:00:00.000Z and "
                   "1970-01-01T00:00:00.001Z: the CPU came online after picket had started, "
                   "so its buffer is small: restart picket");
    lose(LOSS_LOST, 0, 0, NS_PER_MS, 1000000);
    lose(LOSS_LOST, 2, 0, NS_PER_MS, 6);
    assert_message("1,000,006 events lost on CPUs 0, 2 between 1970-01-01T00:00:00.000Z and "
                   "1970-01-01T00:00:00.001Z: the buffer was full: make 'ring' of the sensor "
                   "larger, or leave picket more of the CPUs");
    lose(LOSS_UNSEEN, LOSS_CPU_ANY, 0, NS_PER_MS, 999);
    assert_message("999 events not recorded between 1970-01-01T00:00:00.000Z and "
                   "1970-01-01T00:00:00.001Z: the kernel side could make no record of them: "
                   "please report this");
    lose(LOSS_STARVED, LOSS_CPU_ANY, 0, NS_PER_MS, 2);
    assert_message("2 events lost between 1970-01-01T00:00:00.000Z and 1970-01-01T00:00:00.001Z: "
                   "there was no memory to decode their records: leave picket more of it");
}

/* The alert that docs/events.md shows is the one that such a loss makes. */
static void the_documented_alert_is_ours(void **state)
{
    CLEANUP(buffer_deinit) struct buffer message = {0}, detail = {0}, alert = {0}, docs = {0};
    CLEANUP(buffer_deinit) struct buffer place = {0};
    CLEANUP(closep) int fd = open(DOCS_EVENTS, O_RDONLY | O_CLOEXEC);
    struct json_writer detail_json = {.buffer = &detail}, json = {.buffer = &alert};
    struct json_writer place_json = {.buffer = &place};
    const struct machine web1 = {
        .has = {{UINT64_C(1) << FIELD_HOST_NAME | UINT64_C(1) << FIELD_HOST_KERNEL}},
        .name = TEXT("web1"),
        .kernel = TEXT("6.1.0-31-amd64"),
    };
    const struct rule *rule = internal_alert_rule(INTERNAL_EVENTS_LOST);
    const int64_t from = 1767225600 * NS_PER_S, until = from + 1250 * NS_PER_MS;

    lose(LOSS_LOST, 1, from, until, 1234);
    const struct loss_sum *sum = loss_ledger_take(ledger, 1);

    loss_put_message(&message, sum);
    loss_put_json(&detail_json, sum);
    alert_place_put_json(&place_json, &(struct alert_engine){.machine = &web1}, &web1);
    alert_put_json(&json, &(struct alert){
                              .id = alert_id_make(until, (uint64_t[3]){1, LOSS_LOST, 0}, rule->id),
                              .time = until,
                              .place = {web1.name, buffer_text(&place)},
                              .rule = rule,
                              .message = buffer_text(&message),
                              .detail = buffer_text(&detail),
                          });
    assert_true(fd >= 0);
    assert_int_equal(buffer_read_fd(&docs, fd, 1 << 20), 0);
    if (!strstr(buffer_string(&docs), buffer_string(&alert)))
        fail_msg("docs/events.md does not show %s", buffer_string(&alert));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_loss_nothing_is_due, setup, teardown),
        cmocka_unit_test_setup_teardown(losses_of_a_kind_are_summed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kind_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_waits_for_no_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(every_loss_is_in_one_sum, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_says_what_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown(the_documented_alert_is_ours, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
