/* The alerts an output's host has been sent: which they are, what a verdict means for them, and
 * what the host's death does. Of the delivery thread, as all of struct output. */
#ifndef PICKET_OUTPUT_OUTPUT_BATCH_H
#define PICKET_OUTPUT_OUTPUT_BATCH_H

#include "output/output.h"

/* Puts the next batch into OUT as a frame; false when nothing is queued. */
bool output_batch_put(struct output *output, struct buffer *out);

/* Takes from the queue what VERDICT settles, counts it, and tells people what they should know.
 * When to go on is the caller's matter. -EPROTO: it cannot be a verdict about what was sent. */
int output_batch_settle(struct output *output, const struct verdict *verdict);

/* The host died with the batch, as output->loss says. An alert that was sent alone may be why, and
 * is rejected the third time; of several, each is sent alone next. */
void output_batch_fail(struct output *output);

#endif
