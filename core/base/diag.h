/* A user's mistakes: collected, all of a file in one pass, then shown as compilers do.
 *
 *     rules/web.yaml:14:13: error: unknown field 'parnet'; did you mean 'parent'? [unknown-field]
 *        14 |       parnet: nginx
 *           |       ^~~~~~
 *
 * Codes are stable words in kebab-case: base/diag_code.h has them all. base/diag_report.h shows the
 * same to machines. */
#ifndef PICKET_BASE_DIAG_H
#define PICKET_BASE_DIAG_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"

/* A place in a file. FILE is borrowed; a diagnostic that is made of it keeps its own. */
struct mark {
    const char *file;
    unsigned line;   /* 1-based; 0: the file as a whole */
    unsigned column; /* 1-based, in bytes; 0: the line as a whole */
    unsigned width;  /* bytes to underline; 0 or 1: only the caret */
};

enum diag_severity { DIAG_WARNING, DIAG_ERROR };

struct diag {
    enum diag_severity severity;
    const char *code; /* static */
    struct mark mark;
    const char *message; /* the list's */
    const char *hint;    /* what seems to be meant instead (the list's), or NULL */
    unsigned order;      /* in which it was found */
    size_t rank;         /* of its file, once they are sorted */
};

/* Where rendering finds the source lines. */
struct diag_source {
    const char *file;
    struct text content;
    size_t rank; /* among the files, in the order they were added */
};

struct diag_list {
    struct arena arena;
    struct diag *items;
    size_t count, size;
    size_t errors, warnings;
    struct map sources; /* by file, to struct diag_source */
    const char *hint;   /* of the diagnostic that is being made */
    bool failed;        /* out of memory: something is missing */
};

void diag_list_deinit(struct diag_list *list);

/* Keeps a copy of a file's CONTENT, for the source lines; of a file added again, the new one.
 * Returns the list's own copy of FILE, or NULL: out of memory, which sticks. */
const char *diag_add_source(struct diag_list *list, const char *file, struct text content);

void diag_error(struct diag_list *list, struct mark mark, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_warning(struct diag_list *list, struct mark mark, const char *code, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* The tail of a message: "; did you mean 'x'?", or "" when NEAREST is NULL. Lives as long as LIST;
 * the next diagnostic has NEAREST as its hint. */
const char *diag_hint(struct diag_list *list, const char *nearest);

/* Takes out the warnings of that code; returns how many there were. */
size_t diag_allow(struct diag_list *list, const char *code);

/* Has what MARK underlines shown as asterisks from now on, in whatever is said of its line. */
void diag_hide(struct diag_list *list, struct mark mark);

/* The line of the source that MARK is on, without its end; false when it is not known. */
bool diag_source_line(const struct diag_list *list, struct mark mark, struct text *out);

/* Orders by file (as first seen), line, column, then as found. */
void diag_sort(struct diag_list *list);

/* One diagnostic as above, without colour; with it when COLOUR. */
void diag_render(const struct diag_list *list, const struct diag *diag, bool colour,
                 struct buffer *out);

/* All of them, sorted. */
void diag_render_all(struct diag_list *list, bool colour, struct buffer *out);

#endif
