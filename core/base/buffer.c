#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Read at once. */
#define CHUNK 16384

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

char *buffer_reserve(struct buffer *buffer, size_t len)
{
    if (buffer->failed || len > SIZE_MAX / 4 - buffer->len) {
        buffer->failed = true;
        return NULL;
    }
    if (!buffer->data || buffer->len + len > buffer->size) {
        size_t size = buffer->size ? buffer->size : 256;

        while (size < buffer->len + len)
            size *= 2;
        char *data = realloc(buffer->data, size);

        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->size = size;
    }
    return buffer->data + buffer->len;
}

void buffer_grow(struct buffer *buffer, const void *bytes, size_t len)
{
    char *room = len ? buffer_reserve(buffer, len) : NULL;

    if (room) {
        memcpy(room, bytes, len);
        buffer->len += len;
    }
}

void buffer_put_int(struct buffer *buffer, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        buffer_put_char(buffer, '-');
    buffer_put(buffer, digits + at, sizeof digits - at);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);

    va_end(again);
    char *room = len < 0 ? NULL : buffer_reserve(buffer, (size_t)len + 1);

    if (!room) {
        buffer->failed = true;
        return;
    }
    vsnprintf(room, (size_t)len + 1, format, args);
    buffer->len += (size_t)len;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

static bool is_printable(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool line_end = code == 0x2028 || code == 0x2029;
    bool direction = code == 0x061c || code == 0x200e || code == 0x200f ||
                     (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

    return !control && !line_end && !direction;
}

void buffer_put_printable(struct buffer *buffer, struct text t)
{
    while (t.len) {
        uint32_t code = 0;
        size_t plain = text_plain(t);
        size_t len = plain ? plain : text_utf8(t, &code);

        if (plain || (len && is_printable(code)))
            buffer_put(buffer, t.ptr, len);
        else if (code == '\n')
            buffer_put_string(buffer, "\\n");
        else if (code == '\t')
            buffer_put_string(buffer, "\\t");
        else if (code == '\r')
            buffer_put_string(buffer, "\\r");
        else if (len > 1)
            buffer_printf(buffer, "\\u{%x}", (unsigned)code);
        else
            buffer_printf(buffer, "\\x%02x", (unsigned)(unsigned char)t.ptr[0]);
        len = len ? len : 1;
        t.ptr += len;
        t.len -= len;
    }
}

int buffer_read_fd(struct buffer *buffer, int fd, size_t max)
{
    for (size_t left = max;;) {
        /* One byte more than may be tells whether there are more. */
        size_t wanted = left < CHUNK ? left + 1 : CHUNK;
        char *room = buffer_reserve(buffer, wanted);

        if (!room)
            return -ENOMEM;
        ssize_t got = read(fd, room, wanted);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        if ((size_t)got > left) {
            buffer->len += left;
            return -EFBIG;
        }
        buffer->len += (size_t)got;
        left -= (size_t)got;
    }
}

const char *buffer_string(struct buffer *buffer)
{
    char *room = buffer_reserve(buffer, 1);

    if (!room)
        return "";
    *room = '\0';
    return buffer->data;
}
