/* Opens the files of outputs again for an engine that may open none for writing any more: a broker
 * (broker/broker.h). It has the engine's user, and knows since before it was forked which paths
 * there are; the engine says numbers. */
#ifndef PICKET_OUTPUT_FILE_KEEPER_H
#define PICKET_OUTPUT_FILE_KEEPER_H

#include "broker/broker.h"

struct output;

struct file_keeper {
    struct broker broker; /* of no pid: there is no file to keep */
};

#define FILE_KEEPER_NONE      \
    (struct file_keeper)      \
    {                         \
        .broker = BROKER_NONE \
    }

/* For the files that the options of OUTPUTS name, which are known by now; runs as UID and GID where
 * that is to be chosen. For a process of one thread. -errno. */
int file_keeper_start(struct file_keeper *keeper, const struct output *outputs, size_t count,
                      uid_t uid, gid_t gid);
void file_keeper_deinit(struct file_keeper *keeper);

/* The file that an output's option names now, in *OUT. -errno; -EPIPE: the keeper is gone. One
 * thread at a time, of this and the next. */
int file_keeper_open(struct file_keeper *keeper, size_t output, size_t option, int *out);

struct rotation {
    uint32_t keep; /* how many that were before */
    dev_t device;  /* of the file that is to be renamed: if its name leads to another by now, */
    ino_t inode;   /* somebody has done it already */
};

/* Has it renamed (append_file.h) and opens a new one. */
int file_keeper_rotate(struct file_keeper *keeper, size_t output, size_t option,
                       const struct rotation *rotation, int *out);

#endif
