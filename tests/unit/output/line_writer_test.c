/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "line_writer.h"

#define LINES 64
#define LINE  3000 /* so that pages of a pipe end within lines */

static void render(void *instance, const struct picket_alert *alert)
{
    static char line[LINE];

    memset(line, alert->id[0], sizeof line);
    line[sizeof line - 1] = '\n';
    line_writer_put_string(instance, alert->id);
    line_writer_put(instance, line, sizeof line);
}

static void set_up(struct line_writer *writer, int fd)
{
    *writer = (struct line_writer){.fd = fd, .render = render, .instance = writer};
    line_writer_init(writer);
}

struct batch {
    char ids[LINES][8];
    struct picket_alert alerts[LINES];
    const struct picket_alert *pointers[LINES];
};

static void make_batch(struct batch *batch)
{
    for (int i = 0; i < LINES; i++) {
        snprintf(batch->ids[i], sizeof batch->ids[i], "%c%02d:", 'a' + i % 26, i);
        batch->alerts[i] =
            (struct picket_alert){.size = sizeof batch->alerts[i], .id = batch->ids[i]};
        batch->pointers[i] = &batch->alerts[i];
    }
}

static size_t drain(int fd, char *to, size_t most)
{
    size_t len = 0;
    ssize_t got;

    while (len < most && (got = read(fd, to + len, most - len)) > 0)
        len += (size_t)got;
    return len;
}

static void expect_lines(const char *bytes, size_t len)
{
    size_t at = 0;

    for (int i = 0; i < LINES; i++) {
        char head[8];

        snprintf(head, sizeof head, "%c%02d:", 'a' + i % 26, i);
        assert_true(len - at >= strlen(head) + LINE);
        assert_memory_equal(head, bytes + at, strlen(head));
        at += strlen(head) + LINE;
        assert_int_equal('\n', bytes[at - 1]);
    }
    assert_int_equal(len, at);
}

static void a_reader_that_stops_gets_whole_lines_in_the_end(void **state)
{
    static struct batch batch;
    static char read_bytes[LINES * (LINE + 8)];
    struct line_writer writer;
    size_t delivered = 0, len = 0;
    int pair[2], retries = 0;

    make_batch(&batch);
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    assert_true(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
    set_up(&writer, pair[1]);
    while (delivered < LINES) {
        struct picket_verdict verdict = {.size = sizeof verdict};

        line_writer_deliver(&writer, batch.pointers + delivered, LINES - delivered, &verdict);
        delivered += verdict.delivered;
        retries += verdict.action == PICKET_RETRY;
        assert_true(delivered <= LINES);
        /* The reader takes a little, so that the pipe is full again at once. */
        len += drain(pair[0], read_bytes + len,
                     verdict.action == PICKET_RETRY ? 50000 : sizeof read_bytes - len);
    }
    len += drain(pair[0], read_bytes + len, sizeof read_bytes - len);
    assert_true(retries > 1);
    expect_lines(read_bytes, len);
    line_writer_deinit(&writer);
    close(pair[0]);
    close(pair[1]);
}

static void a_full_disk_is_a_matter_of_time(void **state)
{
    static struct batch batch;
    struct line_writer writer;
    struct picket_verdict verdict = {.size = sizeof verdict};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    make_batch(&batch);
    assert_true(fd >= 0);
    set_up(&writer, fd);
    line_writer_deliver(&writer, batch.pointers, 2, &verdict);
    assert_int_equal(0, verdict.delivered);
    assert_int_equal(PICKET_RETRY, verdict.action);
    assert_string_equal("No space left on device", verdict.reason);
    line_writer_deinit(&writer);
    close(fd);
}

static void a_reader_that_is_gone_is_gone(void **state)
{
    static struct batch batch;
    struct line_writer writer;
    struct picket_verdict verdict = {.size = sizeof verdict};
    int pair[2];

    make_batch(&batch);
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    set_up(&writer, pair[1]);
    line_writer_deliver(&writer, batch.pointers, 2, &verdict);
    assert_int_equal(0, verdict.delivered);
    assert_int_equal(PICKET_REJECT, verdict.action);
    line_writer_deinit(&writer);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_stops_gets_whole_lines_in_the_end),
        cmocka_unit_test(a_full_disk_is_a_matter_of_time),
        cmocka_unit_test(a_reader_that_is_gone_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
