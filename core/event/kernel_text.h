/* How numbers of the kernel are written in fields: the same for what the sensor sees and for what
 * /proc says. */
#ifndef PICKET_EVENT_KERNEL_TEXT_H
#define PICKET_EVENT_KERNEL_TEXT_H

#include "base/buffer.h"

/* The permissions of a st_mode, as in "0755" or "4755". */
void mode_put(struct buffer *out, uint32_t mode);

/* "254:3" */
void device_put(struct buffer *out, uint32_t major, uint32_t minor);

/* A terminal's name in /dev, "pts/0", by its number; from the kernel's
 * Documentation/admin-guide/devices.txt. As device_put() when its driver has no fixed number. */
void tty_put(struct buffer *out, uint32_t major, uint32_t minor);

#endif
