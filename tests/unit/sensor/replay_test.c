#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <zlib.h>

#include "sensor/replay.h"

/* Far longer than what is read at once. */
#define LONG_LINES 20000

/* A file without a name, of CONTENT as it is or in gzip; PATH leads to it. */
struct recording {
    int fd;
    char path[32];
};

static void recording_deinit(struct recording *recording)
{
    closep(&recording->fd);
}

static struct recording record_plain(struct text content)
{
    struct recording recording = {.fd = memfd_create("events", MFD_CLOEXEC)};

    assert_true(recording.fd >= 0);
    assert_int_equal(write(recording.fd, content.ptr, content.len), (ssize_t)content.len);
    snprintf(recording.path, sizeof recording.path, "/proc/self/fd/%d", recording.fd);
    return recording;
}

static struct recording record_gzip(struct text content)
{
    struct recording recording = record_plain(TEXT(""));
    gzFile file = gzdopen(dup(recording.fd), "wb");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, content.ptr, (unsigned)content.len), (int)content.len);
    assert_int_equal(gzclose(file), Z_OK);
    return recording;
}

static struct replay *open_recording(const struct recording *recording)
{
    struct replay *replay = NULL;

    assert_int_equal(replay_open(recording->path, &replay), 0);
    return replay;
}

/* The next result is an event of that pid, on that line. */
static void assert_event(struct replay *replay, int64_t pid, uint64_t line)
{
    struct event_failure failure;
    struct event event;

    if (replay_next(replay, &event, &failure) != REPLAY_EVENT)
        fail_msg("line %llu: %s", (unsigned long long)replay_line(replay), failure.reason);
    assert_int_equal(event.process->pid, pid);
    assert_int_equal(event.origin[2], line);
    assert_int_equal(replay_line(replay), line);
}

/* The next line is refused, for a reason that begins so. */
static void assert_refused(struct replay *replay, uint64_t line, const char *reason)
{
    struct event_failure failure;
    struct event event;

    assert_int_equal(replay_next(replay, &event, &failure), REPLAY_REFUSED);
    assert_int_equal(replay_line(replay), line);
    if (!text_starts(text_from(failure.reason), text_from(reason)))
        fail_msg("'%s', expected '%s...'", failure.reason, reason);
}

static void assert_end(struct replay *replay)
{
    struct event_failure failure;
    struct event event;

    assert_int_equal(replay_next(replay, &event, &failure), REPLAY_END);
    assert_int_equal(replay_next(replay, &event, &failure), REPLAY_END);
}

static void assert_one_two_three(struct recording recording)
{
    CLEANUP(recording_deinit) struct recording kept = recording;
    CLEANUP(replay_freep) struct replay *replay = open_recording(&kept);

    assert_event(replay, 1, 1);
    assert_event(replay, 2, 2);
    assert_event(replay, 3, 3);
    assert_end(replay);
}

static void lines_are_events_plain_or_in_gzip(void **state)
{
    static const char *const contents[] = {
        "{\"pid\":1}\n{\"pid\":2}\n{\"pid\":3}\n",
        "{\"pid\":1}\n{\"pid\":2}\n{\"pid\":3}",
        "{\"pid\":1}\r\n{\"pid\":2}\r\n{\"pid\":3}\r\n",
        "  {\"pid\":1}\n\t{\"pid\":2} \n{\"pid\": 3}\n \n\n\r\n",
    };

    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        assert_one_two_three(record_plain(text_from(contents[i])));
        assert_one_two_three(record_gzip(text_from(contents[i])));
    }
}

static void nothing_has_no_events(void **state)
{
    CLEANUP(recording_deinit) struct recording empty = record_plain(TEXT(""));
    CLEANUP(recording_deinit) struct recording blank = record_gzip(TEXT("\n\n \n"));
    CLEANUP(replay_freep) struct replay *of_empty = open_recording(&empty);
    CLEANUP(replay_freep) struct replay *of_blank = open_recording(&blank);

    assert_end(of_empty);
    assert_end(of_blank);
}

static void blank_lines_count_as_lines(void **state)
{
    CLEANUP(recording_deinit)
    struct recording recording = record_plain(TEXT("\n \t\n{\"pid\":1}\n\r\n\n{\"pid\":2}"));
    CLEANUP(replay_freep) struct replay *replay = open_recording(&recording);

    assert_event(replay, 1, 3);
    assert_event(replay, 2, 6);
    assert_end(replay);
}

static void one_bad_line_costs_itself_alone(void **state)
{
    CLEANUP(recording_deinit)
    struct recording recording = record_plain(TEXT("{\"pid\":1}\n"
                                                   "{\"pid\":\n"
                                                   "{\"pid\":2,\"comm\":\"a\0b\"}\n"
                                                   "\0\n"
                                                   "[]\n"
                                                   "{\"pid\":\"x\"}\n"
                                                   "{\"pid\":7}\n"));
    CLEANUP(replay_freep) struct replay *replay = open_recording(&recording);

    assert_event(replay, 1, 1);
    assert_refused(replay, 2, "not JSON: ");
    assert_refused(replay, 3, "not JSON: ");
    assert_refused(replay, 4, "not JSON: ");
    assert_refused(replay, 5, "an event is an object");
    assert_refused(replay, 6, "field 'pid' wants");
    assert_event(replay, 7, 7);
    assert_end(replay);
}

static void lines_go_over_the_ends_of_what_is_read_at_once(void **state)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};

    for (int i = 1; i <= LONG_LINES; i++)
        buffer_printf(&content, "{\"pid\":%d,\"comm\":\"%*d\"}\n", i, i % 97, i);
    CLEANUP(recording_deinit) struct recording recording = record_gzip(buffer_text(&content));
    CLEANUP(replay_freep) struct replay *replay = open_recording(&recording);

    for (int i = 1; i <= LONG_LINES; i++)
        assert_event(replay, i, (uint64_t)i);
    assert_end(replay);
}

/* An event of PID on a line of LEN bytes, and the end of the line. */
static void put_long_line(struct buffer *content, int pid, size_t len)
{
    size_t end = content->len + len;

    buffer_printf(content, "{\"pid\":%d", pid);
    while (content->len < end - 1)
        buffer_put_char(content, ' ');
    buffer_put_string(content, "}\n");
}

static void a_line_may_be_long_but_not_longer(void **state)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};

    put_long_line(&content, 1, REPLAY_LINE_MAX);
    put_long_line(&content, 2, REPLAY_LINE_MAX + 1);
    put_long_line(&content, 3, 2UL * REPLAY_LINE_MAX);
    put_long_line(&content, 4, 20);
    CLEANUP(recording_deinit) struct recording recording = record_plain(buffer_text(&content));
    CLEANUP(replay_freep) struct replay *replay = open_recording(&recording);

    assert_event(replay, 1, 1);
    assert_refused(replay, 2, "longer than 16 MiB");
    assert_refused(replay, 3, "longer than 16 MiB");
    assert_event(replay, 4, 4);
    assert_end(replay);
}

static void gzip_cut_short_gives_what_it_has_and_says_so(void **state)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    struct event_failure failure;
    struct event event;
    enum replay_result result;
    uint64_t events = 0;

    for (int i = 1; i <= LONG_LINES; i++)
        buffer_printf(&content, "{\"pid\":%d,\"session\":%d}\n", i, i * 7919 % 10007);
    CLEANUP(recording_deinit) struct recording recording = record_gzip(buffer_text(&content));

    assert_int_equal(ftruncate(recording.fd, lseek(recording.fd, 0, SEEK_END) / 2), 0);
    CLEANUP(replay_freep) struct replay *replay = open_recording(&recording);

    while ((result = replay_next(replay, &event, &failure)) == REPLAY_EVENT)
        assert_int_equal(event.process->pid, ++events);
    assert_int_equal(result, REPLAY_BROKEN);
    assert_string_equal(failure.reason, "unexpected end of file");
    assert_in_range(events, LONG_LINES / 10, LONG_LINES - 1);
}

static void what_cannot_be_read_says_why(void **state)
{
    CLEANUP(replay_freep) struct replay *folder = NULL;
    struct replay *none = NULL;
    struct event_failure failure;
    struct event event;

    assert_int_equal(replay_open("/nonexistent/events", &none), -ENOENT);
    assert_null(none);
    assert_int_equal(replay_open("/", &folder), 0);
    assert_int_equal(replay_next(folder, &event, &failure), REPLAY_BROKEN);
    assert_string_equal(failure.reason, "Is a directory");
}

static void a_dash_is_standard_input(void **state)
{
    CLEANUP(recording_deinit) struct recording recording = record_plain(TEXT("{\"pid\":5}\n"));
    CLEANUP(replay_freep) struct replay *replay = NULL;
    CLEANUP(closep) int before = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

    assert_int_equal(lseek(recording.fd, 0, SEEK_SET), 0);
    assert_int_equal(dup2(recording.fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(replay_open("-", &replay), 0);
    assert_event(replay, 5, 1);
    assert_end(replay);
    if (before >= 0)
        dup2(before, STDIN_FILENO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_events_plain_or_in_gzip),
        cmocka_unit_test(nothing_has_no_events),
        cmocka_unit_test(blank_lines_count_as_lines),
        cmocka_unit_test(one_bad_line_costs_itself_alone),
        cmocka_unit_test(lines_go_over_the_ends_of_what_is_read_at_once),
        cmocka_unit_test(a_line_may_be_long_but_not_longer),
        cmocka_unit_test(gzip_cut_short_gives_what_it_has_and_says_so),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(a_dash_is_standard_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
