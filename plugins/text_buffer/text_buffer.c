#include "text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_buffer_deinit(struct text_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct text_buffer){0};
}

void text_buffer_clear(struct text_buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

char *text_buffer_reserve(struct text_buffer *buffer, size_t len)
{
    if (buffer->failed)
        return NULL;
    if (buffer->len + len + 1 > buffer->size) {
        size_t size = (buffer->len + len + 1) * 3 / 2 + 64;
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

void text_buffer_put(struct text_buffer *buffer, const char *bytes, size_t len)
{
    char *room = text_buffer_reserve(buffer, len);

    if (!room)
        return;
    if (len)
        memcpy(room, bytes, len);
    room[len] = '\0';
    buffer->len += len;
}

void text_buffer_put_string(struct text_buffer *buffer, const char *string)
{
    if (string)
        text_buffer_put(buffer, string, strlen(string));
}

void text_buffer_put_char(struct text_buffer *buffer, char c)
{
    text_buffer_put(buffer, &c, 1);
}

void text_buffer_printf(struct text_buffer *buffer, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);

    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        buffer->failed = true;
    else
        text_buffer_put(buffer, text, (size_t)len);
}

static void put_json_escape(struct text_buffer *buffer, char c)
{
    const char escape[] = {'\\', c, '\0'};

    if (c == '"' || c == '\\')
        text_buffer_put_string(buffer, escape);
    else if (c == '\n')
        text_buffer_put_string(buffer, "\\n");
    else
        text_buffer_printf(buffer, "\\u%04x", (unsigned)(unsigned char)c);
}

void text_buffer_put_json(struct text_buffer *buffer, const char *bytes, size_t len)
{
    size_t plain = 0; /* where what needs no escape began */

    text_buffer_put_char(buffer, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        text_buffer_put(buffer, bytes + plain, i - plain);
        put_json_escape(buffer, bytes[i]);
        plain = i + 1;
    }
    text_buffer_put(buffer, bytes + plain, len - plain);
    text_buffer_put_char(buffer, '"');
}

void text_buffer_put_time(struct text_buffer *buffer, long long time)
{
    long long nanoseconds = time % 1000000000;
    time_t seconds = (time_t)(time / 1000000000 - (nanoseconds < 0));
    struct tm utc = {0};
    char stamp[64] = "";

    if (nanoseconds < 0)
        nanoseconds += 1000000000;
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    text_buffer_printf(buffer, "%s.%03dZ", stamp, (int)(nanoseconds / 1000000));
}

size_t text_cut(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);

    if (len <= most)
        return len;
    for (len = most; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        continue;
    return len;
}
