/* The engine's side of a source, by one that does as it is told (pretender.c). */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "stream/source_host.h"
#include "stream/stream.h"

struct fixture {
    struct arena arena;
    struct diag_list diags;
    struct stream *stream;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    stream_free(f->stream);
    diag_list_deinit(&f->diags);
    arena_deinit(&f->arena);
    return 0;
}

static int try_start(struct fixture *f, const char *argument)
{
    struct output_config config;
    const struct stream_options options = {.config = &config};

    assert_int_equal(0, output_config_parse_source(argument, &f->arena, &f->diags, &config));
    return stream_new(&options, &f->diags, &f->stream);
}

static void start(struct fixture *f, const char *mode)
{
    const char *argument = arena_printf(&f->arena, "pretender,deadline=5s,mode=%s", mode);

    assert_int_equal(0, try_start(f, argument));
}

/* As the engine's loop does it, once. */
static bool step(struct fixture *f, struct stream_message *message)
{
    struct pollfd ready = {.fd = stream_fd(f->stream), .events = POLLIN};

    stream_step(f->stream, clock_monotonic());
    if (stream_next(f->stream, message))
        return true;
    poll(&ready, 1, 20);
    return false;
}

static void expect(struct fixture *f, const char *data)
{
    struct stream_message message;

    while (!step(f, &message))
        continue;
    assert_string_equal(data, arena_text(&f->arena, message.data).ptr);
}

static void settle(struct fixture *f, enum source_verdict verdict)
{
    stream_settle(f->stream, TEXT("token"), verdict);
}

static void verdicts_arrive(void **state)
{
    struct fixture *f = *state;

    start(f, "messages");
    expect(f, "1 first");
    settle(f, SOURCE_REFUSED);
    expect(f, "2 refused");
    settle(f, SOURCE_AGAIN);
    expect(f, "3 again");
    settle(f, SOURCE_KEPT);
    expect(f, "4 kept");

    struct stream_counters counters = stream_counters(f->stream);

    assert_int_equal(4, counters.received);
    assert_true(counters.kept == 1 && counters.refused == 1 && counters.again == 1);
    assert_string_equal("pretender", counters.name);
}

static void end_comes_behind_all_that_was_read(void **state)
{
    struct fixture *f = *state;
    struct stream_message message;

    start(f, "messages");
    stream_hold(f->stream, true);
    for (int i = 0; i < 10; i++)
        assert_false(step(f, &message));
    assert_string_equal("held", stream_counters(f->stream).state);
    stream_end(f->stream);
    assert_false(stream_has_ended(f->stream));
    stream_hold(f->stream, false);
    expect(f, "1 first");
    settle(f, SOURCE_KEPT);
    while (!stream_has_ended(f->stream))
        assert_false(step(f, &message));
}

/* Until it was lost, and another one has handed out its first. */
static struct stream_counters lose(struct fixture *f, const char *mode)
{
    start(f, mode);
    expect(f, "1 first");
    settle(f, SOURCE_KEPT);
    expect(f, "1 first");
    return stream_counters(f->stream);
}

static void one_that_crashes_is_started_again(void **state)
{
    struct stream_counters counters = lose(*state, "crash");

    assert_true(counters.crashes == 1 && counters.restarts == 1);
    assert_true(counters.hangs == 0 && counters.garbage == 0);
}

static void one_that_hangs_is_started_again(void **state)
{
    struct stream_counters counters = lose(*state, "hang");

    assert_true(counters.hangs == 1 && counters.restarts == 1);
    assert_true(counters.crashes == 0 && counters.garbage == 0);
}

static void one_that_talks_nonsense_is_started_again(void **state)
{
    struct stream_counters counters = lose(*state, "garbage");

    assert_true(counters.garbage == 1 && counters.restarts == 1);
    assert_true(counters.crashes == 0 && counters.hangs == 0);
}

static void one_that_never_stops_talking_keeps_nobody_waiting(void **state)
{
    struct fixture *f = *state;
    struct stream_message message;

    start(f, "chatter");
    for (int i = 0; i < 20; i++)
        assert_false(step(f, &message)); /* which returns */
    assert_int_equal(0, stream_counters(f->stream).garbage);
}

/* It hands out messages and takes no settlement: what it is to be told does not grow for ever. */
static void one_that_does_not_listen_is_started_again(void **state)
{
    struct fixture *f = *state;
    char token[1001] = {0};
    struct stream_message message;
    unsigned settled = 0;

    memset(token, 't', sizeof token - 1);
    start(f, "deaf");
    while (stream_counters(f->stream).restarts == 0 && settled < 200000)
        if (step(f, &message)) {
            stream_settle(f->stream, text_from(token), SOURCE_REFUSED);
            settled++;
        }
    assert_int_equal(1, stream_counters(f->stream).garbage);
}

static const char *refused(struct fixture *f, const char *argument)
{
    size_t errors = f->diags.errors;

    assert_int_equal(-EINVAL, try_start(f, argument));
    assert_null(f->stream);
    assert_int_equal(errors + 1, f->diags.errors);
    return f->diags.items[f->diags.count - 1].message;
}

static void what_is_wrong_is_said(void **state)
{
    struct fixture *f = *state;

    assert_string_equal("sensor 'pretender': it does not want to",
                        refused(f, "pretender,mode=refuse"));
    assert_string_equal("there is no source of events 'nothing': there is nats",
                        refused(f, "nothing"));
    assert_non_null(strstr(refused(f, "pretender,mood=crash"), "did you mean 'mode'?"));
    assert_non_null(strstr(refused(f, "pretender,deadline=1s"), "from 5s"));
    assert_non_null(strstr(refused(f, "pretender,mode=crash,mode=hang"), "set twice"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdicts_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(end_comes_behind_all_that_was_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_crashes_is_started_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_hangs_is_started_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_talks_nonsense_is_started_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_never_stops_talking_keeps_nobody_waiting, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_does_not_listen_is_started_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, set_up, tear_down),
    };

    if (argc > 1 && strcmp(argv[1], SOURCE_HOST_VERB) == 0)
        return source_host_main(argc - 1, argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
