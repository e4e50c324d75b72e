/* Reading the files of one process's folder in /proc; for proc_scan.c and proc_image.c alone. DIR
 * is that folder. */
#ifndef PICKET_PROCESS_PROC_FILE_H
#define PICKET_PROCESS_PROC_FILE_H

#include <limits.h>

#include "process/proc_scan.h"

/* Reads NAME into scan->file. 0; 1 when there was more than PROC_FILE_MAX; -ESRCH, -ENOMEM, or
 * -errno of reading. */
int proc_file_read(struct proc_scan *scan, int dir, const char *name);

/* The target of a link. The kernel marks what has no name left; GONE says whether it may have done
 * so here, as a file can be named like that too. False when it cannot be read. */
bool proc_file_link(int dir, const char *name, bool gone, char path[static PATH_MAX],
                    struct text *out);

/* Sets a copy of VALUE; nothing when out of memory. */
void proc_file_set(struct proc_scan *scan, struct process *process, enum field_id id,
                   struct text value);

/* The same, of what was put together in BUFFER, which is then empty. */
void proc_file_set_put(struct proc_scan *scan, struct process *process, enum field_id id,
                       struct buffer *buffer);

#endif
