/* What an output's host says, and what is said to it while it comes up. Of the delivery thread, as
 * all of struct output. */
#ifndef PICKET_OUTPUT_OUTPUT_FRAMES_H
#define PICKET_OUTPUT_OUTPUT_FRAMES_H

#include "output/output.h"

/* Has the host open its plugin: its settings are right, and so are all others'. */
void output_open_plugin(struct output *output);

/* Whether what it says still counts. */
bool output_is_listened_to(const struct output *output);

/* Reads once from the host's socket, and from its standard error: one that never stops talking does
 * not keep others waiting. Whether there may be more. */
bool output_listen(struct output *output);
bool output_hear(struct output *output);

#endif
