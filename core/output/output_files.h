/* What an output's options name that its plugin cannot open itself: files, folders and sockets,
 * opened by the engine as who it is then. They outlive hosts. All by the delivery thread. */
#ifndef PICKET_OUTPUT_OUTPUT_FILES_H
#define PICKET_OUTPUT_OUTPUT_FILES_H

#include <sys/types.h>

#include "base/text.h"

struct output;

struct host_user {
    uid_t uid;
    gid_t gid;
};

/* Opens them, in the order of their options, and diagnoses what cannot be. While starting. Folders
 * that are made become its user's. */
void output_files_open(struct output *output);
void output_files_close(struct output *output);

/* Opens the files that the paths lead to now, where these are others: those that do not open stay
 * as they are, which is said. Has the host get them, if there is one that has the old ones (TELL):
 * not while something waits to be sent to it. */
void output_files_reopen(struct output *output, bool tell);

/* A host's wish (picket_host.rotate), answered to it. -EPROTO: it is none. */
int output_files_rotate(struct output *output, struct text payload);

#endif
