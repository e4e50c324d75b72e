/* Writes alerts as whole lines to a descriptor that is not the plugin's own: a file, a pipe, a
 * terminal. What a full disk or a reader that does not read cut off in the middle is completed
 * first thing the next time, and a line nobody knows the rest of is ended before another begins;
 * nothing waits longer than a second. Once the reader is gone for good, all is rejected unseen.
 * Between two batches the descriptor may come to be another file, or its file be cut short: a line
 * that was begun in what there was is then written anew, whole. */
#ifndef PICKET_PLUGIN_LINE_WRITER_H
#define PICKET_PLUGIN_LINE_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "picket/plugin.h"

struct line_writer {
    int fd;
    /* Puts an alert's lines, newlines included, with line_writer_put(). */
    void (*render)(void *instance, const struct picket_alert *alert);
    void *instance;

    char *data; /* of this batch */
    size_t len, size;
    bool failed;  /* out of memory */
    dev_t device; /* of the file */
    ino_t inode;
    off_t end; /* of what was written, where that is within a line */
    bool may_block;
    bool reader_may_return; /* a pipe with a name: whoever reads it can be started anew */
    bool cut;               /* what is written ends within a line whose rest is lost */
    int gone;               /* why nothing can be written any more, an errno, or 0 */
    char *torn;             /* what is left of a line that was cut, or NULL */
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
