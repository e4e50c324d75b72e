/* JSON that is one line, laid out on many for people. */
#ifndef PICKET_CLI_JSON_LAYOUT_H
#define PICKET_CLI_JSON_LAYOUT_H

#include "base/buffer.h"

/* Puts JSON with a line for each member and item, two blanks in for each level: its values stay as
 * they are written, every digit of them. */
void json_layout_put(struct buffer *out, struct text json);

#endif
