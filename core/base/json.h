/* JSON out, straight into a buffer; JSON in, through jansson with our limits and errors. */
#ifndef PICKET_BASE_JSON_H
#define PICKET_BASE_JSON_H

#include <jansson.h>

#include "base/buffer.h"

/* Writes one value after another, with commas where they belong:
 *
 *     struct json_writer json = {.buffer = &out};
 *     json_begin(&json, '{');
 *     json_key(&json, TEXT("pid"));
 *     json_int(&json, 1);
 *     json_end(&json, '}');
 *
 * The result is always valid JSON in UTF-8: bytes that are not become U+FFFD. */
struct json_writer {
    struct buffer *buffer;
    bool comma; /* one is due before the next value or key */
};

void json_begin(struct json_writer *json, char bracket); /* '{' or '[' */
void json_end(struct json_writer *json, char bracket);   /* '}' or ']' */
void json_key(struct json_writer *json, struct text key);
void json_text(struct json_writer *json, struct text value);
void json_int(struct json_writer *json, int64_t value);
void json_bool(struct json_writer *json, bool value);
void json_time(struct json_writer *json, int64_t time);     /* ns since 1970, as time_put() does */
void json_raw(struct json_writer *json, struct text value); /* already JSON: it is copied */
int json_tree(struct json_writer *json, const json_t *value); /* 0 or -ENOMEM */

/* Bytes as base64 (RFC 4648, padded), quoted. */
void json_base64(struct json_writer *json, struct text bytes);

/* Appends base64 to OUT. */
void base64_encode(struct text bytes, struct buffer *out);

/* Decodes base64 into OUT (cleared first). -EINVAL. */
int base64_decode(struct text t, struct buffer *out);

struct json_failure {
    unsigned column; /* 1-based, in bytes; 0 unknown */
    char reason[JSON_ERROR_TEXT_LENGTH];
};

/* One JSON value, nothing behind it. Duplicate keys, NULs in strings and invalid UTF-8 are errors;
 * so is nesting deeper than jansson's limit of 2,048. -EINVAL (and *failure), -ENOMEM.
 * The result is the caller's: json_decref(). */
int json_parse(struct text t, json_t **out, struct json_failure *failure);

static inline void json_freep(json_t **value)
{
    json_decref(*value);
}

static inline struct text json_as_text(const json_t *string)
{
    return (struct text){json_string_value(string), json_string_length(string)};
}

#endif
