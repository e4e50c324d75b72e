/* YAML as a tree that knows where each of its nodes stands, by libyaml.
 *
 * Scalars stay text; what type they have is the reader's business (YAML 1.1's `no` is the text
 * "no" unless a reader asks for a boolean). Anchors and aliases are resolved, within the limits
 * below; tags are ignored. Duplicate keys of a mapping are diagnosed, the first one stays. */
#ifndef PICKET_BASE_YAML_H
#define PICKET_BASE_YAML_H

#include "base/diag.h"

/* Beyond these a document is refused with a diagnostic: nesting, and nodes once aliases are
 * resolved (a "billion laughs" document is small on disk). */
#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 2000000

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    struct mark mark;
    bool plain;               /* a scalar without quotes: it may mean a number, a boolean, null */
    bool verbatim;            /* a scalar that stands in the file as its text says, on one line */
    struct text text;         /* of a scalar */
    struct yaml_node **keys;  /* of a map: scalars, in order */
    struct yaml_node **items; /* of a list or a map, in order */
    size_t count;
};

struct yaml_documents {
    struct yaml_node **roots; /* NULL for an empty document */
    size_t count;
};

/* Reads all documents of CONTENT; nodes live in ARENA. FILE and CONTENT are copied into DIAGS as
 * a source; the marks of nodes borrow the file's name from there, nothing else is borrowed. A
 * syntax error is diagnosed at its place and ends the reading: the documents before it are
 * returned. What is not UTF-8 or holds a control character is refused as a whole, with one error.
 * 0 even after diagnostics, -ENOMEM. */
int yaml_read(struct text content, const char *file, struct arena *arena, struct diag_list *diags,
              struct yaml_documents *out);

/* The value of KEY in a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* The place of WIDTH bytes at OFFSET of a scalar's text; all of the node when that cannot be told
 * (a text folded, escaped or on several lines). */
struct mark yaml_mark_inside(const struct yaml_node *node, size_t offset, size_t width);

/* What a scalar says, when it says that: a plain true/false (also yes/no, on/off), a plain null (or
 * ~, or nothing). */
bool yaml_is_bool(const struct yaml_node *node, bool *out);
bool yaml_is_null(const struct yaml_node *node);

/* Whether it is a scalar that says something: neither null nor empty. NODE may be NULL: no. */
bool yaml_is_text(const struct yaml_node *node);

#endif
