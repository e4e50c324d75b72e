/* Writes alerts as whole lines to a descriptor that is not the plugin's own: a file, a pipe, a
 * terminal. What a full disk or a reader that does not read cut off in the middle is completed
 * first thing the next time; nothing waits longer than a batch's deadline allows. */
#ifndef PICKET_PLUGIN_LINE_WRITER_H
#define PICKET_PLUGIN_LINE_WRITER_H

#include <stdbool.h>

#include "picket/plugin.h"

struct line_writer {
    int fd;
    /* Puts an alert's lines, newlines included, with line_writer_put(). */
    void (*render)(void *instance, const struct picket_alert *alert);
    void *instance;

    char *data; /* of this batch */
    size_t len, size;
    bool failed; /* out of memory */
    bool may_block;
    char *torn; /* what is left of a line that was cut, or NULL */
    size_t torn_len;
    char *torn_id; /* whose */
};

/* FD, RENDER and INSTANCE are set before; the rest is zero. */
void line_writer_init(struct line_writer *writer);
void line_writer_deinit(struct line_writer *writer);

void line_writer_put(struct line_writer *writer, const char *bytes, size_t len);
void line_writer_put_string(struct line_writer *writer, const char *string); /* NULL is nothing */

/* A plugin's deliver(). */
void line_writer_deliver(struct line_writer *writer, const struct picket_alert *const *alerts,
                         size_t count, struct picket_verdict *verdict);

#endif
