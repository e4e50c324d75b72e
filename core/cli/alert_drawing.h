/* One alert of the journal, drawn for people: what it says and why, which process started which,
 * what led to it. */
#ifndef PICKET_CLI_ALERT_DRAWING_H
#define PICKET_CLI_ALERT_DRAWING_H

#include "cli/drawing.h"

/* ALERT is its JSON, as docs/events.md has it; what it lacks, or has as something else, is left
 * out. */
void alert_drawing_put(const struct drawing *drawing, const json_t *alert);

#endif
