#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"

static void what_is_put_is_there(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};

    buffer_put_string(&buffer, "");
    assert_int_equal(buffer.len, 0);
    assert_non_null(buffer_reserve(&buffer, 0));
    assert_string_equal(buffer_string(&buffer), "");
    buffer_put_string(&buffer, "a");
    buffer_put_char(&buffer, 'b');
    buffer_put_text(&buffer, TEXT("c\0d"));
    buffer_put(&buffer, NULL, 0);
    buffer_printf(&buffer, "%s-%d", "e", 5);
    assert_int_equal(buffer.len, 8);
    assert_memory_equal(buffer.data, "abc\0de-5", 8);
    assert_int_equal(buffer_string(&buffer)[8], 0);
    assert_int_equal(buffer.len, 8);
    buffer_clear(&buffer);
    assert_int_equal(buffer.len, 0);
    for (unsigned i = 0; i < 100000; i++)
        buffer_put_char(&buffer, (char)('a' + i % 26));
    assert_int_equal(buffer.len, 100000);
    assert_int_equal(buffer.data[99999], 'a' + 99999 % 26);
}

static void integers_are_decimal_to_their_ends(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};

    buffer_put_int(&buffer, 0);
    buffer_put_char(&buffer, ' ');
    buffer_put_int(&buffer, -7);
    buffer_put_char(&buffer, ' ');
    buffer_put_int(&buffer, INT64_MAX);
    buffer_put_char(&buffer, ' ');
    buffer_put_int(&buffer, INT64_MIN);
    assert_string_equal(buffer_string(&buffer), "0 -7 9223372036854775807 -9223372036854775808");
}

static void a_failure_sticks_until_cleared(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};

    buffer_put_string(&buffer, "before");
    assert_null(buffer_reserve(&buffer, SIZE_MAX / 2));
    assert_true(buffer_failed(&buffer));
    buffer_put_string(&buffer, "after");
    assert_string_equal(buffer_string(&buffer), "");
    assert_int_equal(buffer.len, 6);
    buffer_clear(&buffer);
    assert_false(buffer_failed(&buffer));
    buffer_put_string(&buffer, "anew");
    assert_string_equal(buffer_string(&buffer), "anew");
}

static void assert_printable(struct text t, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};

    buffer_put_printable(&buffer, t);
    assert_string_equal(buffer_string(&buffer), expected);
}

/* Not as literals: they would turn this line around. */
static const char override[] = {'e', '\xe2', '\x80', '\xae', 'g'};
static const char marks[] = {'\xe2', '\x81', '\xa6', '\xe2', '\x80', '\xa8', '\xd8', '\x9c'};

static void nothing_printable_moves_a_cursor(void **state)
{
    assert_printable(TEXT("/bin/\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
                     "/bin/\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_printable(TEXT("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    assert_printable(TEXT("\x1b[31m\x07\x7f\0"), "\\x1b[31m\\x07\\x7f\\x00");
    assert_printable(TEXT("\xff\xc3("), "\\xff\\xc3(");
    assert_printable(TEXT("\xc2\x9b"), "\\u{9b}");
    assert_printable((struct text){override, sizeof override}, "e\\u{202e}g");
    assert_printable((struct text){marks, sizeof marks}, "\\u{2066}\\u{2028}\\u{61c}");
    assert_printable(TEXT("\xe2\x82"), "\\xe2\\x82");
}

/* A file of LEN bytes, to be read from its beginning. */
static int file_of(const char *bytes, size_t len)
{
    int fd = memfd_create("content", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void files_are_read_whole_or_to_their_limit(void **state)
{
    static const size_t lens[] = {0, 1, 16383, 16384, 16385, 100000};
    CLEANUP(freep) char *bytes = malloc(100000);

    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (size_t max = lens[i] ? lens[i] - 1 : 0; max <= lens[i] + 1; max++) {
            CLEANUP(buffer_deinit) struct buffer buffer = {0};
            CLEANUP(closep) int fd = file_of(bytes, lens[i]);
            size_t expected = max < lens[i] ? max : lens[i];

            buffer_put_string(&buffer, "before");
            assert_int_equal(buffer_read_fd(&buffer, fd, max), max < lens[i] ? -EFBIG : 0);
            assert_int_equal(buffer.len, 6 + expected);
            assert_memory_equal(buffer.data, "before", 6);
            assert_memory_equal(buffer.data + 6, bytes, expected);
        }
    }
}

static void what_cannot_be_read_says_why(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};
    CLEANUP(closep) int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(buffer_read_fd(&buffer, -1, 10), -EBADF);
    assert_int_equal(buffer_read_fd(&buffer, folder, SIZE_MAX), -EISDIR);
    assert_int_equal(buffer.len, 0);
    buffer_reserve(&buffer, SIZE_MAX / 2);
    assert_int_equal(buffer_read_fd(&buffer, folder, 10), -ENOMEM);
}

static atomic_uint interruptions;

static void count_interruption(int signal)
{
    interruptions++;
}

static int pipe_to_feed[2];

/* Interrupts the reader until it has noticed, then lets it have its bytes. */
static void *interrupt_then_feed(void *reader)
{
    while (interruptions < 3) {
        pthread_kill(*(pthread_t *)reader, SIGUSR1);
        usleep(1000);
    }
    assert_int_equal(write(pipe_to_feed[1], "fed", 3), 3);
    close(pipe_to_feed[1]);
    return NULL;
}

static void an_interrupted_read_goes_on(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};
    struct sigaction action = {.sa_handler = count_interruption};
    pthread_t reader = pthread_self(), feeder;

    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pipe(pipe_to_feed), 0);
    assert_int_equal(pthread_create(&feeder, NULL, interrupt_then_feed, &reader), 0);
    assert_int_equal(buffer_read_fd(&buffer, pipe_to_feed[0], 100), 0);
    assert_string_equal(buffer_string(&buffer), "fed");
    pthread_join(feeder, NULL);
    close(pipe_to_feed[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_there),
        cmocka_unit_test(integers_are_decimal_to_their_ends),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(nothing_printable_moves_a_cursor),
        cmocka_unit_test(files_are_read_whole_or_to_their_limit),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(an_interrupted_read_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
