/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_writer.h"

#define LINES 64
#define LINE  3000 /* so that pages of a pipe end within lines */

static size_t rendered;

static void render(void *instance, const struct picket_alert *alert)
{
    static char line[LINE];

    memset(line, alert->id[0], sizeof line);
    line[sizeof line - 1] = '\n';
    line_writer_put_string(instance, alert->id);
    line_writer_put(instance, line, sizeof line);
    rendered++;
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

static void expect_rejected(size_t count, const struct picket_verdict *verdict)
{
    assert_int_equal(0, verdict->delivered);
    assert_int_equal(PICKET_REJECT, verdict->action);
    assert_int_equal(count, verdict->rejected);
    assert_string_equal("the reader of its file is gone", verdict->reason);
}

static void a_reader_that_is_gone_is_gone(void **state)
{
    static struct batch batch;
    struct line_writer writer;
    int pair[2];

    make_batch(&batch);
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    set_up(&writer, pair[1]);
    rendered = 0;
    for (size_t count = 2; count < 5; count++) { /* all but the first without a look */
        struct picket_verdict verdict = {.size = sizeof verdict};

        line_writer_deliver(&writer, batch.pointers, count, &verdict);
        expect_rejected(count, &verdict);
    }
    assert_int_equal(2, rendered);
    line_writer_deinit(&writer);
    close(pair[1]);
}

/* A reader that takes some and goes: what it got is delivered, the rest of the batch rejected. */
static void what_a_reader_got_before_it_went_is_delivered(void **state)
{
    static struct batch batch;
    static char bytes[3 * LINE];
    struct line_writer writer;
    struct picket_verdict verdict = {.size = sizeof verdict};
    int pair[2];

    make_batch(&batch);
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    signal(SIGPIPE, SIG_IGN);
    set_up(&writer, pair[1]);
    line_writer_deliver(&writer, batch.pointers, LINES, &verdict); /* more than a pipe holds */
    assert_int_equal(PICKET_RETRY, verdict.action);
    assert_int_equal(0, verdict.rejected);
    size_t delivered = verdict.delivered;

    assert_true(delivered > 0 && delivered < LINES);
    assert_int_equal(sizeof bytes, drain(pair[0], bytes, sizeof bytes));
    close(pair[0]);
    verdict = (struct picket_verdict){.size = sizeof verdict};
    line_writer_deliver(&writer, batch.pointers + delivered, LINES - delivered, &verdict);
    expect_rejected(LINES - delivered, &verdict);
    line_writer_deinit(&writer);
    close(pair[1]);
}

/* Too large now, but whoever rotates it may cut it short. */
static void a_file_that_is_too_large_is_tried_again(void **state)
{
    static struct batch batch;
    const struct rlimit one_line = {LINE + 4, RLIM_INFINITY};
    struct rlimit before;
    struct line_writer writer;
    char path[] = "/tmp/line-writer-XXXXXX";
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

    make_batch(&batch);
    assert_true(fd >= 0);
    assert_int_equal(0, unlink(path));
    set_up(&writer, fd);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &before));
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &one_line));
    for (int i = 0; i < 2; i++) {
        struct picket_verdict verdict = {.size = sizeof verdict};

        line_writer_deliver(&writer, batch.pointers, 3, &verdict);
        assert_int_equal(1, verdict.delivered);
        assert_int_equal(PICKET_REJECT, verdict.action);
        assert_int_equal(2, verdict.rejected);
        assert_int_equal(0, ftruncate(fd, 0));
    }
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &before));
    line_writer_deinit(&writer);
    close(fd);
}

/* A FIFO with a name, which PATH gets room for, open at both ends. */
static void make_fifo(char path[64], int *reader, int *writer)
{
    char folder[] = "/tmp/line-writer-XXXXXX";

    assert_non_null(mkdtemp(folder));
    snprintf(path, 64, "%s/fifo", folder);
    assert_int_equal(0, mkfifo(path, 0600));
    *reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(*reader >= 0 && *writer >= 0);
}

static void remove_fifo(char *path)
{
    assert_int_equal(0, unlink(path));
    *strrchr(path, '/') = '\0';
    assert_int_equal(0, rmdir(path));
}

static void a_reader_of_a_fifo_may_come_back(void **state)
{
    static struct batch batch;
    static char bytes[LINES * (LINE + 8)];
    struct line_writer writer;
    struct picket_verdict verdict = {.size = sizeof verdict};
    char path[64];
    int reader, fd;

    make_batch(&batch);
    make_fifo(path, &reader, &fd);
    signal(SIGPIPE, SIG_IGN);
    set_up(&writer, fd);
    close(reader);
    line_writer_deliver(&writer, batch.pointers, 2, &verdict);
    assert_int_equal(0, verdict.delivered);
    assert_int_equal(PICKET_RETRY, verdict.action);
    assert_string_equal("the reader of its file is gone", verdict.reason);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    verdict = (struct picket_verdict){.size = sizeof verdict};
    line_writer_deliver(&writer, batch.pointers, 2, &verdict);
    assert_int_equal(2, verdict.delivered);
    assert_int_equal(PICKET_OK, verdict.action);
    assert_int_equal(2 * (LINE + 4), drain(reader, bytes, sizeof bytes));
    assert_memory_equal("a00:", bytes, 4);
    line_writer_deinit(&writer);
    close(reader);
    close(fd);
    remove_fifo(path);
}

static void a_line_somebody_left_unfinished_is_ended(void **state)
{
    static struct batch batch;
    struct line_writer writer;
    char path[] = "/tmp/line-writer-XXXXXX", bytes[16];
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

    make_batch(&batch);
    assert_true(fd >= 0);
    assert_int_equal(0, unlink(path));
    assert_int_equal(4, write(fd, "torn", 4));
    for (int i = 0; i < 2; i++) { /* the second finds nothing to end */
        struct picket_verdict verdict = {.size = sizeof verdict};

        set_up(&writer, fd);
        line_writer_deliver(&writer, batch.pointers, 1, &verdict);
        assert_int_equal(1, verdict.delivered);
        line_writer_deinit(&writer);
    }
    assert_int_equal(9, pread(fd, bytes, 9, 0));
    assert_memory_equal("torn\na00:", bytes, 9);
    assert_int_equal(5, pread(fd, bytes, 5, 5 + LINE + 3));
    assert_memory_equal("\na00:", bytes, 5);
    assert_int_equal(5 + 2 * (LINE + 4), lseek(fd, 0, SEEK_END));
    close(fd);
}

/* A line that was begun elsewhere is written whole. */
static void another_file_has_whole_lines(void **state)
{
    static struct batch batch;
    static char bytes[LINES * (LINE + 4)];
    struct line_writer writer;
    struct picket_verdict before = {.size = sizeof before}, after = before;
    char path[] = "/tmp/line-writer-XXXXXX";
    int pair[2], fd = mkostemp(path, O_APPEND | O_CLOEXEC);

    make_batch(&batch);
    assert_true(fd >= 0);
    assert_int_equal(0, unlink(path));
    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    set_up(&writer, pair[1]);
    line_writer_deliver(&writer, batch.pointers, LINES, &before);
    assert_true(before.delivered < LINES);
    assert_non_null(writer.torn);
    assert_true(dup2(fd, pair[1]) >= 0);
    line_writer_deliver(&writer, batch.pointers + before.delivered, 2, &after);
    assert_int_equal(2, after.delivered);
    assert_int_equal(2 * (LINE + 4), pread(fd, bytes, sizeof bytes, 0));
    assert_memory_equal(batch.ids[before.delivered], bytes, 4);
    line_writer_deinit(&writer);
    close(pair[0]);
    close(pair[1]);
    close(fd);
}

/* What is to end a line in a file that is full does not begin the next. */
static void a_file_cut_short_has_whole_lines(void **state)
{
    static struct batch batch;
    const struct rlimit one_line = {LINE + 400, RLIM_INFINITY};
    struct rlimit before;
    struct line_writer writer;
    struct picket_verdict verdict = {.size = sizeof verdict};
    char path[] = "/tmp/line-writer-XXXXXX", first;
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

    make_batch(&batch);
    assert_true(fd >= 0);
    assert_int_equal(0, unlink(path));
    set_up(&writer, fd);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &before));
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &one_line));
    line_writer_deliver(&writer, batch.pointers, 2, &verdict);
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &before));
    assert_int_equal(1, verdict.delivered);
    assert_true(writer.cut);
    assert_int_equal(0, ftruncate(fd, 0));
    verdict = (struct picket_verdict){.size = sizeof verdict};
    line_writer_deliver(&writer, batch.pointers + 1, 1, &verdict);
    assert_int_equal(1, verdict.delivered);
    assert_int_equal(1, pread(fd, &first, 1, 0));
    assert_int_equal('b', first);
    line_writer_deinit(&writer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_stops_gets_whole_lines_in_the_end),
        cmocka_unit_test(a_full_disk_is_a_matter_of_time),
        cmocka_unit_test(a_reader_that_is_gone_is_gone),
        cmocka_unit_test(what_a_reader_got_before_it_went_is_delivered),
        cmocka_unit_test(a_file_that_is_too_large_is_tried_again),
        cmocka_unit_test(a_reader_of_a_fifo_may_come_back),
        cmocka_unit_test(a_line_somebody_left_unfinished_is_ended),
        cmocka_unit_test(another_file_has_whole_lines),
        cmocka_unit_test(a_file_cut_short_has_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
