/* A growing run of bytes. Out of memory sticks: later writes do nothing and buffer_failed() says
 * so, so that a writer checks once, at its end. */
#ifndef PICKET_BASE_BUFFER_H
#define PICKET_BASE_BUFFER_H

#include <stdarg.h>

#include "base/text.h"

struct buffer {
    char *data; /* not NUL-terminated; use buffer_string() for that */
    size_t len;
    size_t size;
    bool failed;
};

void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory, forgets a failure */

/* buffer_put() where there may be no room. */
void buffer_grow(struct buffer *buffer, const void *bytes, size_t len);

static inline void buffer_put(struct buffer *buffer, const void *bytes, size_t len)
{
    if (buffer->failed || len == 0 || buffer->size - buffer->len < len) {
        buffer_grow(buffer, bytes, len);
        return;
    }
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
}

static inline void buffer_put_char(struct buffer *buffer, char c)
{
    buffer_put(buffer, &c, 1);
}

static inline void buffer_put_text(struct buffer *buffer, struct text t)
{
    buffer_put(buffer, t.ptr, t.len);
}

static inline void buffer_put_string(struct buffer *buffer, const char *string)
{
    buffer_put(buffer, string, strlen(string));
}

void buffer_put_int(struct buffer *buffer, int64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Puts T for a person's eyes: valid UTF-8 as it is; control characters, bidirectional overrides
 * and bytes that are not UTF-8 as \n, \t, \x1b or \u{202e}. What an attacker named a file
 * must not move the cursor of whoever reads it. */
void buffer_put_printable(struct buffer *buffer, struct text t);

/* Makes room for LEN more bytes and returns where they go (advance .len yourself), or NULL. */
char *buffer_reserve(struct buffer *buffer, size_t len);

/* Appends all that can be read from FD, at most MAX bytes. 0; -EFBIG: there is more, and MAX bytes
 * were appended; -ENOMEM; or -errno of reading. On failure what was read before it stays. */
int buffer_read_fd(struct buffer *buffer, int fd, size_t max);

/* The contents with a NUL behind them, valid until the next change; "" after a failure. */
const char *buffer_string(struct buffer *buffer);

static inline struct text buffer_text(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->len};
}

static inline bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}

#endif
