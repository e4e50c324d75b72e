/* Where a path leads: a folder, held open, and a name in it. What is made, opened or renamed by
 * that cannot be led elsewhere meanwhile.
 *
 * On the way a symbolic link is followed only if it is root's or this process's user's own. Others
 * may own a folder that an output writes in; they must not choose by a link what root, or whoever
 * owns the journal, writes to instead. */
#ifndef PICKET_OUTPUT_FILE_PLACE_H
#define PICKET_OUTPUT_FILE_PLACE_H

#include <limits.h>

struct file_place {
    int folder; /* O_PATH */
    char name[NAME_MAX + 1];
    int no_follow; /* for openat(): O_NOFOLLOW, or 0 for a link of /proc, whose target has no path
                    */
};

/* Whether anything has the name is another matter. -errno; -ELOOP: a link that is somebody else's,
 * or too many of them. */
int file_place_find(const char *path, struct file_place *out);
void file_place_deinit(const struct file_place *place);

/* Why, for people: -errno of these, or of what was done with a place. */
const char *file_place_error(int error);

#endif
