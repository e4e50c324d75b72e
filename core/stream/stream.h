/* A stream of events and alerts of other engines, as the engine reads it: a source in a process of
 * its own, which is started, watched, killed and started again, and its messages, of which each is
 * settled once. One thread's; nothing here waits but for the start and the end. */
#ifndef PICKET_STREAM_STREAM_H
#define PICKET_STREAM_STREAM_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "plugin/output_config.h"
#include "stream/message.h"

struct stream_options {
    const struct output_config *config; /* .plugin is the source's name; borrowed by stream_new() */
    /* Whom the source's host becomes, and the process that starts it, when this one may choose (it
     * is root); 0: 65534, "nobody". */
    uid_t uid, launcher_uid;
    gid_t gid, launcher_gid;
};

struct stream;

/* Starts the source and checks every option. Mistakes are diagnosed: then the result is -EINVAL.
 * That the log cannot be reached is none. Blocks until the source is open. For a process of one
 * thread: it forks. -errno. */
int stream_new(const struct stream_options *options, struct diag_list *diags, struct stream **out);

/* A source that was asked to end gets a moment to. NULL is fine. */
void stream_free(struct stream *stream);
DEFINE_FREEP(struct stream, stream)

/* Readable when stream_step() has something to do, or stream_next() something to hand out. */
int stream_fd(const struct stream *stream);

/* Does what is to be done at NOW (monotonic), and by when it is to be called again. */
void stream_step(struct stream *stream, int64_t now);
int64_t stream_due(const struct stream *stream);

/* The next message, valid until the next call of anything here; false: there is none now. */
bool stream_next(struct stream *stream, struct stream_message *out);

/* What is to become of the message of TOKEN. */
void stream_settle(struct stream *stream, struct text token, enum source_verdict verdict);

/* Nothing is handed out, nor read, until it is held no more: messages wait where they are. */
void stream_hold(struct stream *stream, bool hold);

/* Asks the source to read no more. Once stream_has_ended(), all it had read was handed out. */
void stream_end(struct stream *stream);
bool stream_has_ended(const struct stream *stream);

/* Nobody can start a source any more. Said once. */
bool stream_is_broken(const struct stream *stream);

struct stream_counters {
    const char *name;                           /* as long as the stream */
    const char *state;                          /* for people: "reading" */
    uint64_t received;                          /* messages; of them */
    uint64_t repeated;                          /* were not delivered for the first time */
    uint64_t kept, refused;                     /* are done with; */
    uint64_t again;                             /* were given back */
    uint64_t behind;                            /* wait in the log behind the last one */
    uint64_t crashes, hangs, garbage, restarts; /* of the source's host */
};

struct stream_counters stream_counters(const struct stream *stream);

#endif
