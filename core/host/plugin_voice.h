/* What a plugin says, by its log service or on standard error, on its way into the engine's log: in
 * whole lines, behind its output's name, and no more of them than a person can read. */
#ifndef PICKET_HOST_PLUGIN_VOICE_H
#define PICKET_HOST_PLUGIN_VOICE_H

#include "base/buffer.h"

struct secret_mask;

struct plugin_voice {
    const char *kind;               /* "sensor"; NULL: "output" */
    const char *name;               /* of it, borrowed */
    const struct secret_mask *mask; /* of what it must not say; NULL: nothing. Borrowed */
    struct buffer line;             /* the beginning of one, from standard error */
    int64_t refilled;               /* when `tokens` last were, on the monotonic clock */
    int64_t tokens;                 /* lines it may say now */
    uint64_t unheard;               /* lines since the last that was written */
    uint64_t suppressed;            /* lines not written, ever */
};

void plugin_voice_deinit(struct plugin_voice *voice);

/* LEVEL is an enum picket_log_level. */
void plugin_voice_say(struct plugin_voice *voice, uint32_t level, struct text text);

/* Bytes from standard error; and its end, where a line needs no newline. */
void plugin_voice_hear(struct plugin_voice *voice, struct text bytes);
void plugin_voice_end(struct plugin_voice *voice);

#endif
