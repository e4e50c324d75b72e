/* An alert's JSON told in the terms of another schema: tables of what becomes what, and the writing
 * of nested objects from them. */
#ifndef PICKET_PRESENTATION_ALERT_MAPPING_H
#define PICKET_PRESENTATION_ALERT_MAPPING_H

#include "base/json.h"

enum mapping_kind {
    MAPPING_AS_IS,
    MAPPING_TEXT,         /* a number as a text */
    MAPPING_MILLISECONDS, /* a time as milliseconds since 1970 */
    MAPPING_FILE_NAME,    /* what stands behind the last slash of a path */
    MAPPING_NONE          /* nothing: it is told elsewhere */
};

struct mapping {
    const char *from; /* see alert_tree_find() */
    /* A dotted path. Those with a front in common stand together: an object is begun once. */
    const char *to;
    enum mapping_kind kind;
};

struct mapping_table {
    const struct mapping *items;
    size_t count;
};

/* clang-format off */
#define MAPPING_TABLE(array) {(array), sizeof(array) / sizeof *(array)}
/* clang-format on */

/* Writes an object whose members are told with dotted paths. Begins as zero but for `json`. */
struct nest {
    struct json_writer *json;
    struct text path; /* of the last key: all but its last name is open */
};

void nest_key(struct nest *nest, const char *path);
void nest_text(struct nest *nest, const char *path, struct text value); /* ptr NULL: nothing */
void nest_int(struct nest *nest, const char *path, int64_t value);
void nest_close(
    struct nest *nest); /* the objects that are open: a last key may follow at the top */

/* VALUE at PATH, as KIND wants it; nothing when there is no value, or not such a one. */
void nest_put(struct nest *nest, const char *path, const json_t *value, enum mapping_kind kind);

/* What TABLE takes of OBJECT. */
void mapping_put(const struct mapping_table *table, const json_t *object, struct nest *nest);

/* The members of OBJECT that TABLE does not take and that are not `parent`, an object's each by
 * itself: as one object at PATH, or nothing. */
void mapping_put_rest(const struct mapping_table *table, const json_t *object, struct nest *nest,
                      const char *path);

/* What names a process on all machines and for good: "web1/4711@2026-01-01T00:00:00.000000000Z".
 * Nothing when its start is not known. */
void mapping_put_process_id(struct nest *nest, const char *path, struct text host,
                            const json_t *process);

/* Nanoseconds since 1970; false when VALUE is no time. */
bool mapping_time(const json_t *value, int64_t *out);

#endif
