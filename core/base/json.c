#include "base/json.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"

static void separate(struct json_writer *json)
{
    if (json->comma)
        buffer_put_char(json->buffer, ',');
    json->comma = true;
}

void json_begin(struct json_writer *json, char bracket)
{
    separate(json);
    buffer_put_char(json->buffer, bracket);
    json->comma = false;
}

void json_end(struct json_writer *json, char bracket)
{
    buffer_put_char(json->buffer, bracket);
    json->comma = true;
}

/* What has a short escape, and the characters that must not stand as they are. */
static void put_escaped(struct buffer *buffer, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    switch (c) {
    case '"':
        buffer_put_string(buffer, "\\\"");
        break;
    case '\\':
        buffer_put_string(buffer, "\\\\");
        break;
    case '\n':
        buffer_put_string(buffer, "\\n");
        break;
    case '\r':
        buffer_put_string(buffer, "\\r");
        break;
    case '\t':
        buffer_put_string(buffer, "\\t");
        break;
    default:
        buffer_put(buffer, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        break;
    }
}

static void put_quoted(struct buffer *buffer, struct text t)
{
    size_t plain = 0; /* bytes at the front that stand for themselves */

    buffer_put_char(buffer, '"');
    while (plain < t.len) {
        plain += text_plain((struct text){t.ptr + plain, t.len - plain});
        if (plain == t.len)
            break;
        unsigned char c = (unsigned char)t.ptr[plain];
        uint32_t code;
        size_t len = c < 0x80 ? 1 : text_utf8((struct text){t.ptr + plain, t.len - plain}, &code);

        if (len > 1) {
            plain += len;
            continue;
        }
        buffer_put(buffer, t.ptr, plain);
        if (len == 1)
            put_escaped(buffer, c);
        else
            buffer_put_string(buffer, "\xef\xbf\xbd");
        t = (struct text){t.ptr + plain + 1, t.len - plain - 1};
        plain = 0;
    }
    buffer_put(buffer, t.ptr, plain);
    buffer_put_char(buffer, '"');
}

void json_key(struct json_writer *json, struct text key)
{
    separate(json);
    put_quoted(json->buffer, key);
    buffer_put_char(json->buffer, ':');
    json->comma = false;
}

void json_text(struct json_writer *json, struct text value)
{
    separate(json);
    put_quoted(json->buffer, value);
}

void json_int(struct json_writer *json, int64_t value)
{
    separate(json);
    buffer_put_int(json->buffer, value);
}

void json_bool(struct json_writer *json, bool value)
{
    separate(json);
    buffer_put_string(json->buffer, value ? "true" : "false");
}

void json_time(struct json_writer *json, int64_t time)
{
    separate(json);
    buffer_put_char(json->buffer, '"');
    time_put(json->buffer, time);
    buffer_put_char(json->buffer, '"');
}

void json_raw(struct json_writer *json, struct text value)
{
    separate(json);
    buffer_put_text(json->buffer, value);
}

static int put_chunk(const char *chunk, size_t len, void *context)
{
    struct buffer *buffer = context;

    buffer_put(buffer, chunk, len);
    return buffer_failed(buffer) ? -1 : 0;
}

/* jansson's own writer makes a set of what it is in for each call: for small values that is most of
 * the work. Numbers with a fraction are left to it. */
static void put_tree(struct json_writer *json, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_begin(json, '{');
        json_object_foreach((json_t *)value, key, member)
        {
            json_key(json, text_from(key));
            put_tree(json, member);
        }
        json_end(json, '}');
        break;
    case JSON_ARRAY:
        json_begin(json, '[');
        json_array_foreach((json_t *)value, i, member) put_tree(json, member);
        json_end(json, ']');
        break;
    case JSON_STRING:
        json_text(json, json_as_text(value));
        break;
    case JSON_INTEGER:
        json_int(json, json_integer_value(value));
        break;
    case JSON_REAL:
        separate(json);
        json->buffer->failed |=
            json_dump_callback(value, put_chunk, json->buffer, JSON_COMPACT | JSON_ENCODE_ANY) < 0;
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_bool(json, json_is_true(value));
        break;
    case JSON_NULL:
        json_raw(json, TEXT("null"));
        break;
    }
}

int json_tree(struct json_writer *json, const json_t *value)
{
    put_tree(json, value);
    return buffer_failed(json->buffer) ? -ENOMEM : 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = 0;

        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes.len ? (unsigned char)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            char digit = base64_digits[group >> (18 - 6 * k) & 63];

            if (i + k > bytes.len)
                digit = '=';
            buffer_put_char(out, digit);
        }
    }
}

void json_base64(struct json_writer *json, struct text bytes)
{
    separate(json);
    buffer_put_char(json->buffer, '"');
    base64_encode(bytes, json->buffer);
    buffer_put_char(json->buffer, '"');
}

int base64_decode(struct text t, struct buffer *out)
{
    buffer_clear(out);
    if (t.len % 4)
        return -EINVAL;
    for (size_t i = 0; i < t.len; i += 4) {
        uint32_t group = 0;
        size_t padding = 0;

        for (size_t k = 0; k < 4; k++) {
            char c = t.ptr[i + k];
            const char *digit = c ? strchr(base64_digits, c) : NULL;

            if (c == '=' && i + 4 == t.len && k >= 2)
                padding++;
            else if (!digit || padding)
                return -EINVAL;
            group = group << 6 | (digit ? (uint32_t)(digit - base64_digits) : 0);
        }
        for (size_t k = 0; k < 3 - padding; k++)
            buffer_put_char(out, (char)(group >> (16 - 8 * k)));
    }
    return buffer_failed(out) ? -ENOMEM : 0;
}

int json_parse(struct text t, json_t **out, struct json_failure *failure)
{
    json_error_t error;
    json_t *value =
        json_loadb(t.ptr ? t.ptr : "", t.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (!value) {
        *failure =
            (struct json_failure){.column = error.position > 0 ? (unsigned)error.position : 0};
        snprintf(failure->reason, sizeof failure->reason, "%s", error.text);
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
    }
    *out = value;
    return 0;
}
