/* What a process of /proc runs: its executable, arguments, environment, working directory and
 * standard descriptors. */
#ifndef PICKET_PROCESS_PROC_IMAGE_H
#define PICKET_PROCESS_PROC_IMAGE_H

#include "process/proc_scan.h"

/* DIR is the process's folder. What cannot be read is not set. */
void proc_image_read(struct proc_scan *scan, int dir, struct process *process);

#endif
