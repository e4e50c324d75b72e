/* Processes of an alert, drawn: which started which. */
#ifndef PICKET_CLI_LINEAGE_H
#define PICKET_CLI_LINEAGE_H

#include "cli/drawing.h"

/* The process of EVENT beneath its ancestors, and what helps to judge it; NULL: nothing. */
void lineage_put(const struct drawing *drawing, const json_t *event);

/* One process, beneath its parent's name when it is not the first. IS_SUBJECT: it is what it is
 * all about. */
void lineage_put_process(const struct drawing *drawing, const json_t *process, size_t depth,
                         bool is_subject);

#endif
