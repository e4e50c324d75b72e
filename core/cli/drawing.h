/* What people are shown in rows beneath headings. Texts are shown printable, and cut behind
 * DRAWING_TEXT_MAX bytes. */
#ifndef PICKET_CLI_DRAWING_H
#define PICKET_CLI_DRAWING_H

#include "base/buffer.h"
#include "base/json.h"

#define DRAWING_TEXT_MAX 4096

#define DRAWING_BOLD "\033[1m"
#define DRAWING_DIM  "\033[2m"
#define DRAWING_END  "\033[0m"

struct drawing {
    struct buffer *out;
    bool colour;
};

/* LOOK is one of the above, or ""; without colours, nothing. */
void drawing_look(const struct drawing *drawing, const char *look);

void drawing_indent(const struct drawing *drawing, size_t depth);
void drawing_end_line(const struct drawing *drawing);
void drawing_text(const struct drawing *drawing, struct text t);
/* MOST bytes of it, and how many more there are. */
void drawing_front(const struct drawing *drawing, struct text t, size_t most);
/* A time as people read it; as it stands there when it is none. */
void drawing_time(const struct drawing *drawing, struct text time);

/* A heading, and beneath it rows: "  LABEL     VALUE". */
void drawing_heading(const struct drawing *drawing, const char *heading);
void drawing_label(const struct drawing *drawing, size_t depth, struct text label);
void drawing_row(const struct drawing *drawing, struct text label, struct text value);

/* A row, when there is a value: its ptr is not NULL; it is plain, at PATH of TREE. */
void drawing_member(const struct drawing *drawing, size_t depth, const char *label,
                    struct text value);
void drawing_path(const struct drawing *drawing, size_t depth, const json_t *tree, const char *path,
                  const char *label);

/* No object, nor a list of any, and there. */
bool drawing_is_plain(const json_t *value);
void drawing_plain(const struct drawing *drawing, const json_t *value);

/* Anything: a line for each value, each list's objects apart. */
void drawing_tree(const struct drawing *drawing, size_t depth, const json_t *tree);

/* The text at PATH; ptr NULL: there is none. */
struct text drawing_text_at(const json_t *tree, const char *path);

#endif
