/* A source: what reads events and alerts that other engines ship over a distributed log.
 *
 * A shared object that exports the constant `stream_source`. It is no public ABI: a source belongs
 * to the picket it was built with. It runs as output plugins do, in a process of its own without
 * privileges (source_host.h), is told its options by a table like theirs, and knows nothing of what
 * messages say. All callbacks come from one thread, never two at a time; whatever they are given is
 * gone when they return, but for config and host. Memory, confinement and units are as
 * "picket/plugin.h" has them. */
#ifndef PICKET_STREAM_SOURCE_H
#define PICKET_STREAM_SOURCE_H

#include "picket/plugin.h"

struct source_message {
    const char *token; /* by which it is settled; STREAM_TOKEN_MAX bytes at most */
    const char *data;
    size_t len;
    /* Its place in the log, and when it was put there (ns since 1970): the same each time it comes,
     * and no other message's. */
    uint64_t sequence;
    int64_t stored;
    uint64_t deliveries; /* 1: it comes for the first time */
    uint64_t behind;     /* how many wait behind it */
};

/* The host's; calls wait when the engine has no time for more. */
struct source_sink {
    void (*take)(const struct source_sink *sink, const struct source_message *message);
};

/* What is to become of a message. */
enum source_verdict {
    SOURCE_KEPT,    /* what came of it is safe: it is done with */
    SOURCE_REFUSED, /* it is no event: it is not to come again */
    SOURCE_AGAIN    /* it is to come again, in a while */
};

/* How it stands with the log after a reading. */
enum source_state {
    SOURCE_READING,
    SOURCE_FULL, /* as many messages as may be are not settled yet */
    SOURCE_AWAY  /* it cannot be reached: the source has said why, once */
};

struct stream_source {
    struct picket_plugin table; /* has open and close, no deliver nor flush */
    const char *build;          /* PICKET_VERSION */

    /* Hands out what is there, and returns after a second at most when nothing is; sooner as long
     * as something is not settled. */
    enum source_state (*read)(void *instance, const struct source_sink *sink);

    /* Every message that was handed out is settled once, in any order, unless the host ends. */
    void (*settle)(void *instance, const char *token, enum source_verdict verdict);
};

__attribute__((visibility("default"))) extern const struct stream_source stream_source;

#endif
