/* Every code that a diagnostic can have, with what it means: docs/diagnostics.md as a table. The
 * two say the same, and name every code that the sources give, no other: a test reads all three. */
#ifndef PICKET_BASE_DIAG_CODE_H
#define PICKET_BASE_DIAG_CODE_H

#include "base/text.h"

/* What a diagnostic of that code is. */
enum diag_code_level { DIAG_CODE_ERROR, DIAG_CODE_WARNING, DIAG_CODE_EITHER };

struct diag_code {
    const char *name;
    enum diag_code_level level;
    const char *help; /* meaning and remedy, as Markdown */
};

/* All of them, in the order of the documentation; static. */
const struct diag_code *diag_codes(size_t *count);

/* NULL: there is no such code. */
const struct diag_code *diag_code_find(struct text name);

/* The code nearest to NAME, or NULL when none is near. */
const char *diag_code_suggest(struct text name);

#endif
