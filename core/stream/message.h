/* What a source and the engine say to each other besides what output hosts do (plugin/protocol.h):
 *
 *     engine                                source host
 *                          ◀── hello        the source's table
 *     open ──▶             ◀── opened
 *                          ◀── message      any number of them
 *     settle ──▶                            what is to become of one
 *                          ◀── pulse        after each reading: enum source_state
 *     flush ──▶            ◀── flushed      it reads no more; what it had read came before
 *     close ──▶            (end of stream)
 *
 * Reading believes nothing. */
#ifndef PICKET_STREAM_MESSAGE_H
#define PICKET_STREAM_MESSAGE_H

#include "plugin/protocol.h"
#include "stream/source.h"

#define STREAM_TOKEN_MAX ((size_t)1024)

/* What was stored farther from 1970 is a lie: sums with what is nearer do not overflow. */
#define STREAM_STORED_MAX (INT64_MAX / 2)

/* A longer message is cut to one byte more than this: it is none. */
#define STREAM_MESSAGE_MAX ((size_t)16 << 20)

/* The longest payload of a source. */
#define STREAM_FRAME_MAX (STREAM_MESSAGE_MAX + STREAM_TOKEN_MAX + 256)

struct stream_message {
    struct text token;
    struct text data; /* any bytes */
    uint64_t sequence;
    int64_t stored;
    uint64_t deliveries;
    uint64_t behind;
};

void stream_message_put(const struct stream_message *message, struct buffer *out); /* a frame */
int stream_message_read(struct text payload, struct stream_message *out);          /* -EPROTO */

/* A verdict as it travels. */
struct stream_settlement {
    enum source_verdict verdict;
    struct text token; /* with a NUL behind it, when it was read */
};

void stream_settlement_put(const struct stream_settlement *settlement, struct buffer *out);
int stream_settlement_read(struct text payload, struct stream_settlement *out); /* -EPROTO */

void stream_pulse_put(enum source_state state, struct buffer *out);
int stream_pulse_read(struct text payload, enum source_state *out); /* -EPROTO */

#endif
