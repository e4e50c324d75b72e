/* What the engine and an output host say to each other over their socket, a byte stream.
 *
 * A frame is a header of 8 bytes (length of the payload u32, type u16, version u16, in the
 * machine's byte order: both ends are one executable on one machine) and its payload. Numbers in a
 * payload are as wide as their name says; a text is its length u32, its bytes, and a NUL, so that
 * it can be used where it lies.
 *
 *     engine                                host
 *                          ◀── hello        the plugin's table (plugin_info.h)
 *     open ──▶                              values of its options; files as SCM_RIGHTS, in order
 *                          ◀── opened
 *     alerts ──▶                            a batch; the next only after its verdict
 *                          ◀── verdict
 *     flush ──▶            ◀── flushed      after all else, before close
 *                          ◀── respond      while it delivers: the batch, an alert's
 *                                           index in it, enum picket_measure
 *     response ──▶                          that answered: enum picket_response
 *                          ◀── rotate       while it delivers or flushes: an option's index and how
 *                                           many files to keep
 *     file ──▶                              that answered, or a file opened again: an option's
 *                                           index, enum file_news, 0 and the file or -errno
 *     close ──▶            (end of stream)
 *                          ◀── log          at any time
 *                          ◀── failed       instead of hello or opened, and then the end
 *
 * Reading believes nothing: the peer of the engine is a plugin that may have been taken over. */
#ifndef PICKET_PLUGIN_PROTOCOL_H
#define PICKET_PLUGIN_PROTOCOL_H

#include "base/buffer.h"

#define PROTOCOL_VERSION 1
#define FRAME_HEADER_LEN 8

/* The longest payloads: of what a host says, and of what an engine does. */
#define FRAME_HOST_MAX   ((size_t)256 << 10)
#define FRAME_ENGINE_MAX ((size_t)8 << 20)

enum frame_type {
    FRAME_OPEN = 1,
    FRAME_ALERTS,
    FRAME_FLUSH,
    FRAME_CLOSE,
    FRAME_HELLO,
    FRAME_OPENED,
    FRAME_FAILED,
    FRAME_VERDICT,
    FRAME_FLUSHED,
    FRAME_LOG,
    FRAME_ROTATE,
    FRAME_FILE,
    FRAME_MESSAGE, /* of sources: stream/message.h */
    FRAME_SETTLE,
    FRAME_PULSE,
    FRAME_RESPOND,
    FRAME_RESPONSE,
    FRAME_TYPE_END
};

enum file_news { FILE_REOPENED, FILE_ROTATED };

/* Appends the header of a frame whose payload follows in the same buffer; frame_end() with what
 * frame_begin() returned puts its length right. */
size_t frame_begin(struct buffer *out, enum frame_type type);
void frame_end(struct buffer *out, size_t begin);

void payload_put_u32(struct buffer *out, uint32_t value);
void payload_put_i64(struct buffer *out, int64_t value);
void payload_put_text(struct buffer *out, struct text t);

/* Takes a payload apart from its front. What is not there sets `failed`, and is 0 or "". */
struct payload {
    struct text rest;
    bool failed;
};

uint32_t payload_u32(struct payload *payload);
int64_t payload_i64(struct payload *payload);
struct text payload_text(struct payload *payload); /* with a NUL behind it, none within */

/* Whether all of it was there and nothing is left. */
bool payload_complete(const struct payload *payload);

struct frame {
    enum frame_type type;
    struct text payload; /* valid until the decoder gets more room */
};

/* Bytes in, frames out. Holds one frame of LIMIT bytes at most. */
struct frame_decoder {
    size_t limit; /* of a payload */
    size_t room;  /* that is asked for at least; 0: enough for a log line */
    struct buffer in;
    size_t begin; /* of what has not been returned yet */
};

void frame_decoder_deinit(struct frame_decoder *decoder);

/* Room for the next bytes from the peer, *LEN of it, or NULL when out of memory. */
char *frame_decoder_room(struct frame_decoder *decoder, size_t *len);
void frame_decoder_filled(struct frame_decoder *decoder, size_t len);

/* 1 and *OUT; 0 when more bytes are needed; -EPROTO when they are no frames: then for good. */
int frame_decoder_next(struct frame_decoder *decoder, struct frame *out);

/* Moves what has been returned from DECODER to KEPT, another one, where it stays valid while more
 * comes in. -ENOMEM. */
int frame_decoder_keep(struct frame_decoder *decoder, struct frame_decoder *kept);

/* A verdict as it travels. */
struct verdict {
    int64_t batch; /* which it is about */
    uint32_t delivered;
    uint32_t rejected; /* PICKET_REJECT: of those behind; 0 counts as 1 */
    uint32_t action;   /* enum picket_action */
    uint32_t retry_ms;
    struct text reason;
};

void verdict_put(const struct verdict *verdict, struct buffer *out); /* a whole frame */
int verdict_read(struct text payload, struct verdict *out);          /* -EPROTO */

/* A line of log, or (level 0) why something failed. */
struct log_line {
    uint32_t level; /* enum picket_log_level */
    struct text text;
};

void log_line_put(const struct log_line *line, enum frame_type type, struct buffer *out);
int log_line_read(struct text payload, struct log_line *out); /* -EPROTO */

#endif
