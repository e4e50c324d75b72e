/* SHA-256 of executables, of the file that was run and no other.
 *
 * A thread of its own opens and reads: a file system may be slow, or let the reader wait on purpose
 * (FUSE, the network), and detection waits EXE_HASH_WAIT for it at most. A hash that comes later is
 * there the next time; the event goes on without it, counted. After such a time-out nobody waits
 * for EXE_HASH_PAUSE: one hanging file costs one wait, not one an event.
 *
 * The file comes through OPEN, from the process that runs it; when that is gone already, by its
 * path. Before and after reading it must be the file of the kernel's record: device, inode, size,
 * and ctime, which nobody can set. What was replaced or changed meanwhile has no hash. Files of
 * scripts are not hashed: the executable is their interpreter. */
#ifndef PICKET_PROCESS_EXE_HASH_H
#define PICKET_PROCESS_EXE_HASH_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/event.h"

#define EXE_HASH_SIZE_MAX (64LL << 20)      /* a larger file has no hash */
#define EXE_HASH_WAIT     (100 * NS_PER_MS) /* the most that detection waits for one */
#define EXE_HASH_PAUSE    NS_PER_S          /* for so long nobody waits after that */
#define EXE_HASH_ENTRIES  4096              /* hashes kept, those least lately used go first */
#define EXE_HASH_QUEUE    16                /* files waiting to be read */

/* A file that changed less than this ago is not kept: the kernel's clock for ctime has ticks, so
 * the next contents may come with the same one. */
#define EXE_HASH_SETTLED NS_PER_S

#define EXE_HASH_LEN 64 /* hexadecimal digits */

/* The file as the kernel's record has it. */
struct exe_file {
    int64_t pid;
    uint32_t major, minor;
    uint64_t inode;
    int64_t ctime; /* ns since 1970 */
    int64_t size;
};

struct exe_hash_options {
    /* Opens what the process runs, for reading, into *OUT: 0 or -errno. Called by the thread of the
     * hashes, one call at a time. */
    int (*open)(void *context, const struct exe_file *file, int *out);
    /* Called once nothing uses CONTEXT any more: at the latest when the process ends. NULL is fine.
     * From when exe_hash_new() succeeds, CONTEXT is the hashes' own. */
    void (*close)(void *context);
    void *context;
    /* 0: those above. */
    int64_t size_max, wait;
    size_t entries_max;
};

struct exe_hash_counters {
    uint64_t cached;    /* found among those kept */
    uint64_t hashed;    /* read */
    uint64_t too_large; /* larger than EXE_HASH_SIZE_MAX */
    uint64_t changed;   /* no longer the file that was run */
    uint64_t failed;    /* could not be opened or read */
    uint64_t late;      /* not there in time; the next one may have it */
};

struct exe_hash;

/* 0 or -ENOMEM. */
int exe_hash_new(const struct exe_hash_options *options, struct exe_hash **out);

/* Starts the thread; until then there is no hash. To be called once privileges are given up: what
 * a thread may do is its own. 0 or -errno. */
int exe_hash_start(struct exe_hash *hash);

/* A thread that hangs in a file is left behind with what it needs: the process is to end soon. */
void exe_hash_free(struct exe_hash *hash);
DEFINE_FREEP(struct exe_hash, exe_hash)

/* Puts the hash of the executable in HEX. PATH: where it was ("" or cut: unknown). One thread at a
 * time. 0; -EFBIG: too large; -ESTALE: changed; -ETIMEDOUT: not yet; or -errno of opening and
 * reading. */
int exe_hash_get(struct exe_hash *hash, const struct exe_file *file, struct text path,
                 char hex[static EXE_HASH_LEN]);

void exe_hash_count(struct exe_hash *hash, struct exe_hash_counters *out);

#endif
