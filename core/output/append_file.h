/* Files that outputs append to: opened by their path, and renamed away to begin another. */
#ifndef PICKET_OUTPUT_APPEND_FILE_H
#define PICKET_OUTPUT_APPEND_FILE_H

#include <stdint.h>

#include "output/file_place.h"

/* The file at PATH, made with mode 0640 (whatever the umask) if it is not there; readable too, if
 * it is a regular one and that is permitted. "-" is standard output. A FIFO has to have a reader.
 * Or -errno (file_place_error()). */
int append_file_open(const char *path);
int append_file_open_at(const struct file_place *place);

/* Renames PLACE's file NAME to NAME.1, what was that to NAME.2 and so on, so that KEEP of them are
 * kept. 0 or -errno: then it is where it was. */
int append_file_shift(const struct file_place *place, uint32_t keep);

#endif
