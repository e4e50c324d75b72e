/* Opens the journal's files for an engine that may open none for writing any more: a broker
 * (broker/broker.h). It has the engine's user and knows five names in one folder. */
#ifndef PICKET_JOURNAL_JOURNAL_KEEPER_H
#define PICKET_JOURNAL_JOURNAL_KEEPER_H

#include "broker/broker.h"

enum journal_file {
    JOURNAL_DATABASE,
    JOURNAL_LOG,   /* "-wal": SQLite's, as are the next two */
    JOURNAL_INDEX, /* "-shm" */
    JOURNAL_UNDO,  /* "-journal": while there is no log yet */
    JOURNAL_LOCK,  /* ".lock": held by the engine that has the journal */
    JOURNAL_FILES
};

struct journal_keeper {
    struct broker broker;
    char *path; /* of the database, absolute, as SQLite names it; the keeper's */
};

#define JOURNAL_KEEPER_NONE   \
    (struct journal_keeper)   \
    {                         \
        .broker = BROKER_NONE \
    }

/* Makes the folder of the file PATH when only that is missing, for that user; forks the keeper,
 * which becomes the user when it may. For a process of one thread. -errno. */
int journal_keeper_start(struct journal_keeper *keeper, const char *path, uid_t uid, gid_t gid);
void journal_keeper_deinit(struct journal_keeper *keeper);

/* A descriptor of FILE, for reading and writing, close-on-exec; -errno. FLAGS may have O_CREAT and
 * O_EXCL; no symbolic link is followed. One thread at a time, of all three. */
int journal_keeper_open(struct journal_keeper *keeper, enum journal_file file, int flags);
int journal_keeper_delete(struct journal_keeper *keeper, enum journal_file file);

/* Renames the database and its log to NAME.corrupt-TIME (ns since 1970, to the second), and removes
 * what else SQLite keeps beside it. The last three that were set aside are kept. -errno. */
int journal_keeper_set_aside(struct journal_keeper *keeper, int64_t time);

/* From here on, SQLite opens and deletes these files by the keeper, which outlives that; NULL: as
 * any program does. There can be one such keeper in a process. */
void journal_keeper_serve(struct journal_keeper *keeper);

#endif
