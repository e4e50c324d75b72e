#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"

static _Atomic enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
                                                             const char *format, va_list args)
{
    static const char *const prefix[] = {"error: ", "warning: ", "", "debug: "};
    CLEANUP(buffer_deinit) struct buffer said = {0};
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (level > threshold)
        return;
    buffer_vprintf(&said, format, args);
    buffer_printf(&line, "picket: %s", prefix[level]);
    buffer_put_printable(&line, buffer_text(&said));
    buffer_put_char(&line, '\n');
    /* One write, so that lines of several processes do not mix. Nobody to tell if it fails. */
    ssize_t written = write(STDERR_FILENO, line.data, line.len);

    (void)written;
}

#define DEFINE_LOG(name, level)          \
    void name(const char *format, ...)   \
    {                                    \
        va_list args;                    \
        va_start(args, format);          \
        write_line(level, format, args); \
        va_end(args);                    \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
