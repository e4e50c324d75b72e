/* Random forks, execs, failures and exits, late and repeated ones too, against a model that is an
 * array. The seed is printed when a check fails; PICKET_SEED repeats a run. */
#include "records.h"

#include <time.h>

#define PROCESSES  400 /* living and dead, of the model */
#define OPERATIONS 40000

struct model {
    struct identity self;
    int parent; /* index, -1: none */
    char exe[32];
    bool exited;
};

struct world {
    struct process_table *table;
    struct model processes[PROCESSES];
    unsigned count;
    int64_t now;
    uint64_t random;
    bool complete; /* the table has room for all */
};

static unsigned roll(struct world *world, unsigned sides)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (unsigned)(world->random >> 33) % sides;
}

/* The process in the table is the model's: never another's texts, never another's parent. */
static void check_process(const struct world *world, const struct process *process, int index)
{
    unsigned depth = 0;

    for (; process && index >= 0; process = process->parent, depth++) {
        const struct model *model = &world->processes[index];

        assert_int_equal(process->pid, model->self.pid);
        if (has(process, FIELD_EXE) || world->complete)
            assert_text(process->exe, model->exe);
        index = model->parent;
    }
    assert_null(process);
    if (world->complete)
        assert_true(index < 0 || depth > ANCESTOR_MAX);
}

static void check_all(const struct world *world)
{
    struct process_table_counters counters;
    unsigned live = 0;

    for (unsigned i = 0; i < world->count; i++) {
        const struct process *process = process_table_find(world->table, world->processes[i].self);

        if (process || world->complete)
            check_process(world, process, (int)i);
        live += !world->processes[i].exited;
    }
    process_table_count(world->table, &counters);
    if (world->complete) {
        assert_int_equal(counters.live, live);
        assert_int_equal(counters.exited, world->count - live);
        assert_int_equal(counters.unknown_parents, 0);
    }
}

static struct record record_about(struct world *world, enum event_type type, unsigned index)
{
    const struct model *model = &world->processes[index];
    struct identity parent = {0, 0};

    if (model->parent >= 0)
        parent = world->processes[model->parent].self;
    return record_of(type, model->self, parent, ++world->now);
}

static void do_fork(struct world *world)
{
    int parent = world->count ? (int)roll(world, world->count) : -1;
    struct model *model = &world->processes[world->count];
    struct event event;

    if (world->count == PROCESSES || (parent >= 0 && world->processes[parent].exited))
        return;
    /* Few pids, and starts so near each other that ticks are shared. */
    *model = (struct model){.self = {1 + roll(world, 8), ++world->now}, .parent = parent};
    snprintf(model->exe, sizeof model->exe, "%s",
             parent >= 0 ? world->processes[parent].exe : "/sbin/init");
    struct record record = record_about(world, EVENT_FORK, world->count++);

    if (parent < 0)
        record_set_image(&record, model->exe, TEXT("init\0"));
    assert_int_equal(process_table_apply(world->table, &record, &event), 0);
    check_process(world, event.process, (int)world->count - 1);
}

static void do_exec(struct world *world, unsigned index)
{
    struct model *model = &world->processes[index];
    struct event event;

    snprintf(model->exe, sizeof model->exe, "/bin/%u", roll(world, 1000000));
    struct record record = record_about(world, EVENT_EXEC, index);

    record_set_image(&record, model->exe, TEXT("x\0"));
    assert_int_equal(process_table_apply(world->table, &record, &event), 0);
    check_process(world, event.process, (int)index);
}

static void do_fail(struct world *world, unsigned index)
{
    struct record record = record_about(world, EVENT_EXEC_FAILED, index);
    struct event event;

    record.retval = -EACCES;
    SET_TEXT(&record.process, FILENAME, filename, "/attempt");
    assert_int_equal(process_table_apply(world->table, &record, &event), 0);
    assert_text(event.error, "EACCES");
    assert_text(event.process->filename, "/attempt");
    check_process(world, event.process, (int)index);
}

static void do_exit(struct world *world, unsigned index)
{
    struct record record = record_about(world, EVENT_EXIT, index);
    struct event event;
    int r = process_table_apply(world->table, &record, &event);

    if (world->complete)
        assert_int_equal(r, world->processes[index].exited ? -EALREADY : 0);
    world->processes[index].exited = true;
    if (r == 0)
        check_process(world, event.process, (int)index);
}

static void operate(struct world *world)
{
    unsigned what = roll(world, 100);

    if (world->count == 0 || what < 10) {
        do_fork(world);
        return;
    }
    unsigned index = roll(world, world->count);

    if (what < 50)
        do_exec(world, index);
    else if (what < 80)
        do_fail(world, index);
    else if (what < 83)
        do_exit(world, index);
}

static void run(const struct process_table_options *options, bool complete)
{
    struct world *world = calloc(1, sizeof *world);
    const char *seed = getenv("PICKET_SEED");

    assert_non_null(world);
    world->random = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2 + 1;
    world->complete = complete;
    print_message("PICKET_SEED=%llu\n", (unsigned long long)world->random);
    assert_int_equal(process_table_new(options, &world->table), 0);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operate(world);
        if (world->count == PROCESSES && roll(world, 2000) == 0) {
            check_all(world);
            /* Anew, in a table that goes on. */
            if (!complete)
                world->count = 0;
        }
    }
    check_all(world);
    process_table_free(world->table);
    free(world);
}

static void with_room_for_all_the_table_is_the_model(void **state)
{
    struct process_table_options options = {.proc = empty_proc()};

    run(&options, true);
}

static void without_room_what_is_left_is_still_true(void **state)
{
    struct process_table_options options = {
        .entries_max = 50, .exited_max = 5, .bytes_max = 60000, .proc = empty_proc()};

    run(&options, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_room_for_all_the_table_is_the_model),
        cmocka_unit_test(without_room_what_is_left_is_still_true),
    };

    return cmocka_run_group_tests(tests, NULL, remove_empty_proc);
}
