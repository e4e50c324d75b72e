/* Text that grows, for plugins: they link nothing of picket. Zeroed it is an empty one. What cannot
 * be had for want of memory leaves it failed, until it is cleared; nothing needs to be asked in
 * between. */
#ifndef PICKET_PLUGIN_TEXT_BUFFER_H
#define PICKET_PLUGIN_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct text_buffer {
    char *data; /* a NUL behind it once something was put */
    size_t len, size;
    bool failed; /* out of memory */
};

void text_buffer_deinit(struct text_buffer *buffer);
void text_buffer_clear(struct text_buffer *buffer);

/* Room for LEN bytes behind what is there, or NULL; what is written into it counts once LEN of the
 * buffer is raised. */
char *text_buffer_reserve(struct text_buffer *buffer, size_t len);

void text_buffer_put(struct text_buffer *buffer, const char *bytes, size_t len);
void text_buffer_put_string(struct text_buffer *buffer, const char *string); /* NULL is nothing */
void text_buffer_put_char(struct text_buffer *buffer, char c);
/* Up to 511 bytes; the buffer fails with more. */
void text_buffer_printf(struct text_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* UTF-8 as a JSON string, in its quotes. */
void text_buffer_put_json(struct text_buffer *buffer, const char *bytes, size_t len);

/* TIME, in ns since 1970, as RFC 3339 has it, in UTC to the millisecond. */
void text_buffer_put_time(struct text_buffer *buffer, long long time);

/* How many bytes of the UTF-8 in TEXT are no more than MOST, no character cut in two. */
size_t text_cut(const char *text, size_t most);

#endif
