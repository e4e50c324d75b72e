/* One alert of the journal, drawn for people: what it says and why, which process started which,
 * what led to it. */
#ifndef PICKET_CLI_ALERT_DRAWING_H
#define PICKET_CLI_ALERT_DRAWING_H

#include "base/buffer.h"
#include "base/json.h"

struct alert_drawing {
    struct buffer *out;
    bool colour;
};

/* ALERT is its JSON, as docs/events.md has it; what it lacks, or has as something else, is left
 * out. Texts are shown printable, and cut behind DRAWING_TEXT_MAX bytes. */
#define DRAWING_TEXT_MAX 4096
void alert_drawing_put(const struct alert_drawing *drawing, const json_t *alert);

/* A heading, and beneath it rows: "  LABEL     VALUE". */
void alert_drawing_heading(const struct alert_drawing *drawing, const char *heading);
void alert_drawing_row(const struct alert_drawing *drawing, struct text label, struct text value);

#endif
