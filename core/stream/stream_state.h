/* A stream from within: what its parts share. */
#ifndef PICKET_STREAM_STREAM_STATE_H
#define PICKET_STREAM_STREAM_STATE_H

#include "host/host_process.h"
#include "host/plugin_voice.h"
#include "stream/stream.h"
#include "stream/stream_settings.h"

#define STREAM_NONSENSE "it does not speak the protocol"

enum stream_phase {
    PHASE_DOWN,    /* to be started when due */
    PHASE_LOADING, /* awaits hello */
    PHASE_OPENING, /* awaits opened */
    PHASE_OPEN,
    PHASE_ENDING, /* awaits flushed */
    PHASE_ENDED,  /* reads no more; takes what becomes of what it read */
    PHASE_DYING,  /* killed, awaits its end */
    PHASE_FAILED  /* for good, at the start */
};

enum stream_loss { LOSS_CRASH, LOSS_HANG, LOSS_GARBAGE, LOSS_FAILED };

enum stream_place { PLACE_SOCKET, PLACE_ERRORS, PLACE_PIDFD, PLACE_LAUNCHER, PLACE_COUNT };

struct stream {
    struct option_reader reader; /* while starting */
    struct arena arena;
    const char *path;
    int module;
    struct stream_settings settings;
    struct plugin_info info;
    struct buffer hello; /* the first one: later hosts must say the same */
    struct launcher launcher;
    struct host_process host;
    struct plugin_voice voice;
    struct buffer settling; /* frames for the host, when there is one that is open */
    int epoll;
    enum stream_phase phase;
    int64_t due;   /* when the phase has lasted too long, or is over; monotonic */
    int64_t heard; /* of the source, while it is open */
    bool was_open, held, broken;
    bool end_asked;
    enum source_state state;
    unsigned failures; /* losses since it last read */
    enum stream_loss loss;
    struct buffer loss_reason; /* said once the host has been reaped */
    struct stream_counters counters;
};

/* A mistake of the user's, while starting. */
void stream_diagnose(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* PHASE begins, and may last so many nanoseconds. */
void stream_expect(struct stream *stream, enum stream_phase phase, int64_t within);

/* Kills the host, for a reason that is said when it has been reaped. */
void stream_lose(struct stream *stream, enum stream_loss loss, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool stream_has_host(const struct stream *stream);

/* Only messages are held up: how a source begins is seen to at once. */
bool stream_is_held(const struct stream *stream);

/* Has the socket be watched as it is to be now: for room only while something waits to be sent. */
void stream_watch(struct stream *stream);
int stream_watch_place(const struct stream *stream, int fd, enum stream_place place); /* -errno */

void stream_transmit(struct stream *stream);

/* How long to wait before another host is started, ns. */
int64_t stream_backoff(const struct stream *stream);

/* When one is due; what goes wrong is another loss. */
void stream_start_host(struct stream *stream);

/* Anything the host says but a message. */
void stream_on_frame(struct stream *stream, const struct frame *frame);

void stream_ask_to_end(struct stream *stream);

/* What was settled, to a host that can be told. */
void stream_send_settled(struct stream *stream);

#endif
