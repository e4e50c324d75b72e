#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"

static atomic_bool may_wait = true;
static atomic_bool verbose;
static atomic_ulong dropped;

void log_set_waiting(bool waiting)
{
    may_wait = waiting;
}

void log_set_verbose(bool on)
{
    verbose = on;
}

static bool has_room(void)
{
    struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};

    return may_wait || (poll(&standard_error, 1, 0) == 1 && standard_error.revents & POLLOUT);
}

/* A piece of at most PIPE_BUF goes into a pipe that has room whole and without waiting. Nobody is
 * there to be told of what cannot be written. */
static void write_pieces(struct text lines)
{
    while (lines.len && has_room()) {
        size_t piece = may_wait || lines.len < PIPE_BUF ? lines.len : PIPE_BUF;
        ssize_t written = write(STDERR_FILENO, lines.ptr, piece);

        if (written < 0 && errno != EINTR)
            return;
        lines.ptr += written > 0 ? written : 0;
        lines.len -= written > 0 ? (size_t)written : 0;
    }
}

void log_lines(struct text lines)
{
    CLEANUP(buffer_deinit) struct buffer note = {0};

    if (!has_room()) {
        dropped++;
        return;
    }
    unsigned long missing = atomic_exchange(&dropped, 0);

    if (missing) {
        buffer_printf(&note, "picket: warning: %lu messages could not be written here\n", missing);
        write_pieces(buffer_text(&note));
    }
    write_pieces(lines);
}

__attribute__((format(printf, 2, 0))) static void say(const char *prefix, const char *format,
                                                      va_list args)
{
    CLEANUP(buffer_deinit) struct buffer said = {0};
    CLEANUP(buffer_deinit) struct buffer line = {0};

    buffer_vprintf(&said, format, args);
    buffer_printf(&line, "picket: %s", prefix);
    buffer_put_printable(&line, buffer_text(&said));
    buffer_put_char(&line, '\n');
    log_lines(buffer_text(&line));
}

#define DEFINE_LOG(name, prefix, wanted) \
    void name(const char *format, ...)   \
    {                                    \
        va_list args;                    \
        va_start(args, format);          \
        if (wanted)                      \
            say(prefix, format, args);   \
        va_end(args);                    \
    }

DEFINE_LOG(log_error, "error: ", true)
DEFINE_LOG(log_warning, "warning: ", true)
DEFINE_LOG(log_info, "", true)
DEFINE_LOG(log_debug, "debug: ", verbose)
