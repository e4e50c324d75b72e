/* Diagnostics for machines: editors, CI, GitHub's code scanning. */
#ifndef PICKET_BASE_DIAG_REPORT_H
#define PICKET_BASE_DIAG_REPORT_H

#include "base/diag.h"
#include "base/json.h"

/* All of them, sorted, as a list of objects that each have every key:
 *
 *     {"severity":"error","code":"unknown-field","message":"unknown field ...","hint":"parent",
 *      "file":"rules/web.yaml","line":14,"column":7,"end_column":13}
 *
 * hint, file, line, column and end_column are null where they are not known. Columns count bytes
 * from 1; end_column is the first one behind what is meant. */
void diag_put_json(struct json_writer *json, struct diag_list *list);

/* All of them, sorted, as a SARIF 2.1.0 log of one run (OASIS sarif-v2.1.0-os), its rules being the
 * table of codes. Columns count Unicode characters. A diagnostic of a file as a whole is put at its
 * first line, which code scanning asks for; one of no file has no location. */
void diag_put_sarif(struct json_writer *json, struct diag_list *list);

#endif
