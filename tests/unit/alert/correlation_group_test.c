/* What a group lets go of, and what stands where in it. */
#include "correlation_rig.h"

#include <errno.h>

#include "alert/correlation_group.h"

struct grouped {
    struct rig rig;
    struct correlation_state state;
    struct correlation_group *group;
    uint64_t sequence;
};

static void begin(struct grouped *grouped, const char *correlation)
{
    *grouped = (struct grouped){.rig = rig_new(correlation)};
    grouped->state.rule = rule_of(&grouped->rig.load, "k");
    grouped->group = correlation_group_new(&grouped->state, (struct sip_digest){{0}}, NULL);
    assert_non_null(grouped->group);
}

static void end(struct grouped *grouped)
{
    correlation_group_free(grouped->group);
    assert_int_equal(grouped->state.memory.bytes, 0);
    assert_int_equal(grouped->state.memory.records, 0);
    rig_deinit(&grouped->rig);
}

/* A hit of a member, of an event of its own, which is kept. */
static void put(struct grouped *grouped, uint32_t member, int64_t second)
{
    CLEANUP(buffer_deinit) struct buffer scratch = {0};
    struct correlation_memory *memory = &grouped->state.memory;
    struct event event = {.process = &grouped->rig.process};
    struct correlation_record *record = correlation_record_new(&event, &scratch);
    struct correlation_share *share = correlation_share_new(memory, record);
    struct correlation_hit hit = {
        .member = member, .moment = {second * NS_PER_S, ++grouped->sequence}, .share = share};
    struct correlation_place place;

    assert_true(correlation_group_put(grouped->group, &hit, &place));
    assert_false(place.starved);
    correlation_share_release(memory, share);
    correlation_record_release(record);
}

/* What is ahead in a chain came later than what is behind it, and is in no lane any more. */
static void forgets_whole_chains(void **state)
{
    (void)state;
    struct grouped grouped;

    begin(&grouped, RIG_CORRELATION("k", "{type: temporal_ordered, rules: [a, b, c], timespan: "
                                         "60s}"));
    put(&grouped, 1, 10);
    assert_int_equal(correlation_group_forget(grouped.group), 1);
    put(&grouped, 0, 5);
    for (int64_t second = 11; second <= 17; second += 2)
        put(&grouped, 0, second);
    assert_int_equal(correlation_lane_at(correlation_group_lane(grouped.group, 0), 0)->moment.time,
                     13 * NS_PER_S);
    assert_int_equal(correlation_group_forget(grouped.group), 4);
    assert_int_equal(grouped.state.memory.records, 0);
    end(&grouped);
}

static void link_at(struct correlation_link *link, uint64_t value, int64_t time)
{
    *link = (struct correlation_link){.value = {{value, 0}}, .moment = {time, 1}};
}

static void a_value_is_there_once(void **state)
{
    (void)state;
    struct correlation_memory memory = {0};
    struct correlation_values values = {0};
    struct correlation_link one, same, other;

    link_at(&one, 4, 1);
    link_at(&same, 4, 2);
    link_at(&other, 8, 3); /* in the same bucket */
    assert_int_equal(correlation_values_add(&values, &memory, &one), 0);
    assert_int_equal(correlation_values_add(&values, &memory, &other), 0);
    assert_int_equal(correlation_values_add(&values, &memory, &same), -EEXIST);
    assert_ptr_equal(correlation_values_find(&values, same.value), &one);
    correlation_values_remove(&values, &one);
    assert_null(correlation_values_find(&values, same.value));
    assert_ptr_equal(correlation_values_find(&values, other.value), &other);
    correlation_values_deinit(&values, &memory);
    assert_int_equal(memory.bytes, 0);
}

static void of_one_moment_the_last_is_first(void **state)
{
    (void)state;
    struct correlation_memory memory = {0};
    struct correlation_lane lane = {0};
    struct correlation_link links[4];
    size_t index;

    for (int i = 0; i < 4; i++) {
        link_at(&links[i], 0, i < 3 ? 5 : 4);
        assert_int_equal(correlation_lane_put(&lane, &memory, &links[i], &index), 0);
        assert_int_equal(index, 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(correlation_lane_find(&lane, &links[i]), 3 - i);
    correlation_memory_give(&memory, (void *)lane.links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_whole_chains),
        cmocka_unit_test(a_value_is_there_once),
        cmocka_unit_test(of_one_moment_the_last_is_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
