/* What the decoders of the record types share (record.c, record_exec.c); nobody else's. */
#ifndef PICKET_EVENT_RECORD_READER_H
#define PICKET_EVENT_RECORD_READER_H

#include "event/record.h"
#include "wire.h"

#define WIRE_MAJOR(device) ((device) >> 20)
#define WIRE_MINOR(device) ((device)&0xfffff)

/* The part of a record that has not been read yet, and where what has to be put together goes:
 * there is room for all of it, so nothing there moves. */
struct record_reader {
    const char *at;
    size_t left;
    const char *why; /* set at the first thing that does not add up */
    const struct record_scratch *scratch;
    struct buffer *out;
};

/* Takes LEN bytes; when there are fewer, WHY is what does not add up. */
struct text record_take(struct record_reader *reader, size_t len, const char *why);

/* A string that counts its NUL; empty when there is none. */
struct text record_take_string(struct record_reader *reader, size_t len, const char *why);

/* What has been put since BEGIN. */
static inline struct text record_put_since(const struct record_reader *reader, size_t begin)
{
    return (struct text){reader->out->data + begin, reader->out->len - begin};
}

/* LENGTH as in the record, where 0 is "none": an empty FILENAME is one too. */
void record_set_filename(struct record *record, struct text filename, uint16_t length,
                         uint32_t flags);

/* HEAD and TAIL: the beginning and the end of the arguments' memory. */
void record_set_argv(struct record *record, struct record_reader *reader, struct text head,
                     struct text tail, uint32_t flags);

/* BYTES: the record's fixed part; READER stands behind it. */
void record_decode_exec(const char *bytes, struct record_reader *reader, struct record *record);

#endif
