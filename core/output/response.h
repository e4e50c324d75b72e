/* What comes of a plugin's asking to stop or kill the process of an alert (respond() of the plugin
 * ABI): decided here, in the engine, by what it knows of the alert itself; done by the responder
 * (broker/responder.h). Who asks may have been taken over: all it gets to say is which alert of the
 * batch that it was sent, and what of two things. Of the delivery thread, as all of struct output.
 *
 * A signal, also one that a dry run would have given, is told of in the log and by an alert each
 * time; so are the first RESPONSE_TOLD other decisions within RESPONSE_TOLD_WINDOW, and how many
 * more there were. */
#ifndef PICKET_OUTPUT_RESPONSE_H
#define PICKET_OUTPUT_RESPONSE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"
#include "broker/rate_limit.h"
#include "broker/responder.h"
#include "plugin/settings.h"

/* What happened longer ago is left as it is: by then somebody else may have dealt with it. */
#define RESPONSE_AGE_MAX 60000000000LL /* ns */

#define RESPONSE_TOLD        20
#define RESPONSE_TOLD_WINDOW 10000000000LL /* ns */

struct output;

/* An output's. */
struct response {
    struct rate_limit signals, told;
    uint64_t asked[SETTINGS_BATCH_MAX / 64]; /* of its batch, a bit an alert: asked for already */
};

struct response_options {
    bool live; /* alerts are of what happens on this machine now; else every question is refused */
    uid_t uid; /* whom the responder becomes, where that is to be chosen */
    gid_t gid;
};

/* The responder for OUTPUTS, whose settings and plugins are known; *OUT is NULL when none of them
 * may have one. For a process of one thread. -errno. */
int response_start(struct output *outputs, size_t count, const struct response_options *options,
                   struct responder **out);
void response_deinit(struct response *response);

/* Whether alerts of RULE are for the output: where its plugin responds, those it may respond to. */
bool response_takes(const struct output *output, struct text rule);

/* The next batch is sent. */
void response_begin(struct response *response);

/* Decides what its host asks for, while it delivers, and answers it. -EPROTO: no host of ours asks
 * so. */
int response_answer(struct output *output, struct text payload);

#endif
