/* What the files of the engine share: engine_startup.c makes it, engine.c watches with it,
 * engine_replay.c runs recorded events through it. */
#ifndef PICKET_ENGINE_ENGINE_STATE_H
#define PICKET_ENGINE_ENGINE_STATE_H

#include "engine/centre.h"
#include "engine/config.h"
#include "engine/detector.h"
#include "engine/engine.h"
#include "engine/exclusions.h"
#include "engine/hashes.h"
#include "engine/live.h"
#include "engine/privileges.h"
#include "engine/reload.h"

struct engine {
    struct machine machine; /* in the configuration's arena */
    struct config config;
    bool has_config; /* there was a file */
    struct privileges privileges;
    struct exclusions exclusions;
    struct rule_paths paths; /* of the rules; the options' outlive the engine */
    struct rulebook *book;   /* until the detector has it */
    struct journal *journal; /* until the delivery has it; NULL: alerts wait in memory alone */
    struct delivery *delivery;
    struct detector *detector;
    struct rule_watch *watch; /* NULL: rules are read anew on request alone */
    struct reload *reload;    /* NULL in a replay */
    struct live *live;        /* likewise; and where events come from a stream: */
    struct stream *stream;
    struct centre *centre;
    struct exe_hash *hash;     /* NULL: nobody asks for one */
    struct exe_opener *opener; /* the hash's */
    size_t stats;              /* as the options have it */
    int64_t next_look;         /* whether the opener is there, monotonic */
};

/* Configuration, rules and outputs, of a zeroed ENGINE with its machine and configuration made; as
 * engine_new(). What is there even after an error is engine_free()'s. */
int engine_start(struct engine *engine, const struct engine_options *options,
                 struct diag_list *diags);

/* Starts the delivery's thread. -errno after saying why. */
int engine_start_delivery(struct engine *engine);

/* The end of the events: what is held back comes out, and is waited for. */
void engine_finish(struct engine *engine);

#endif
