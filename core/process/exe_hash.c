#include "process/exe_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "process/hash_cache.h"

/* Read at once. */
#define CHUNK (128U << 10)

struct request {
    struct exe_file file;
    uint64_t serial;
    char path[PATH_MAX]; /* "": unknown */
};

struct exe_hash {
    struct exe_hash_options options;
    pthread_t thread;
    bool started;
    uint64_t asked;    /* the last serial given out; the asking thread's alone */
    int64_t no_wait;   /* until then nobody waits, monotonic; the asking thread's alone */
    struct request at; /* what is being read; the hashing thread's alone */
    unsigned char chunk[CHUNK];
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t asked_for, answered;
    struct request queue[EXE_HASH_QUEUE];
    size_t first, count;
    uint64_t done; /* the serial of the last answer */
    int result;
    char hex[EXE_HASH_LEN];
    bool stopping, left_behind, ended;
    struct hash_cache cache;
    struct exe_hash_counters counters;
};

static void release(struct exe_hash *hash)
{
    hash_cache_deinit(&hash->cache);
    pthread_cond_destroy(&hash->asked_for);
    pthread_cond_destroy(&hash->answered);
    pthread_mutex_destroy(&hash->lock);
    if (hash->options.close)
        hash->options.close(hash->options.context);
    free(hash);
}

int exe_hash_new(const struct exe_hash_options *options, struct exe_hash **out)
{
    struct exe_hash *hash = calloc(1, sizeof *hash);
    pthread_condattr_t clock;

    if (!hash)
        return -ENOMEM;
    hash->options = *options;
    if (!hash->options.size_max)
        hash->options.size_max = EXE_HASH_SIZE_MAX;
    if (!hash->options.wait)
        hash->options.wait = EXE_HASH_WAIT;
    pthread_mutex_init(&hash->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&hash->asked_for, NULL);
    pthread_cond_init(&hash->answered, &clock);
    pthread_condattr_destroy(&clock);
    size_t entries = options->entries_max ? options->entries_max : EXE_HASH_ENTRIES;

    if (hash_cache_init(&hash->cache, entries) < 0) {
        hash->options.close = NULL;
        release(hash);
        return -ENOMEM;
    }
    *out = hash;
    return 0;
}

static int64_t nanoseconds(struct timespec time)
{
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* stat(2) shows another device than the superblock's on some file systems (btrfs, overlays);
 * STRICT says whether that will do. */
static bool is_wanted(int fd, const struct exe_file *file, bool strict)
{
    struct stat seen;

    return fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode) && seen.st_ino == file->inode &&
           seen.st_size == file->size && nanoseconds(seen.st_ctim) == file->ctime &&
           (!strict || (major(seen.st_dev) == file->major && minor(seen.st_dev) == file->minor));
}

/* By its path, as a stranger might have put anything there: nothing of it is waited for. */
static int open_path(const struct request *request, int *out)
{
    int fd =
        *request->path ? open(request->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;

    if (fd < 0)
        return *request->path ? -errno : -ENOENT;
    if (!is_wanted(fd, &request->file, true)) {
        close(fd);
        return -ESTALE;
    }
    *out = fd;
    return 0;
}

static int open_request(struct exe_hash *hash, const struct request *request, int *out)
{
    int r = hash->options.open(hash->options.context, &request->file, out);

    if (r == 0 && !is_wanted(*out, &request->file, false)) {
        close(*out);
        r = -ESTALE;
    }
    /* Gone, or it runs another file by now: the file may be where it was. */
    return r == -ESRCH || r == -ESTALE ? open_path(request, out) : r;
}

static void put_hex(const uint8_t digest[static SHA256_DIGEST_SIZE], char hex[static EXE_HASH_LEN])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

/* All of it, and not a byte more than it is long: it may grow while it is read. */
static int read_whole(struct exe_hash *hash, int fd, struct sha256_ctx *sum)
{
    int64_t left = hash->at.file.size;

    while (left > 0) {
        ssize_t len = read(fd, hash->chunk, left < (int64_t)CHUNK ? (size_t)left : CHUNK);

        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return len < 0 ? -errno : -ESTALE;
        sha256_update(sum, (size_t)len, hash->chunk);
        left -= len;
    }
    return 0;
}

static int hash_request(struct exe_hash *hash, char hex[static EXE_HASH_LEN])
{
    CLEANUP(closep) int fd = -1;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sum;
    int r = open_request(hash, &hash->at, &fd);

    if (r < 0)
        return r;
    sha256_init(&sum);
    r = read_whole(hash, fd, &sum);
    if (r == 0 && !is_wanted(fd, &hash->at.file, false))
        r = -ESTALE;
    if (r < 0)
        return r;
    sha256_digest(&sum, sizeof digest, digest);
    put_hex(digest, hex);
    return 0;
}

/* With the lock held, as what follows. */
static void answer(struct exe_hash *hash, int r, const char hex[static EXE_HASH_LEN])
{
    const struct exe_file *file = &hash->at.file;

    if (r == 0) {
        hash->counters.hashed++;
        memcpy(hash->hex, hex, EXE_HASH_LEN);
        if (clock_realtime() - file->ctime >= EXE_HASH_SETTLED)
            hash_cache_put(&hash->cache, file, hex);
    } else if (r == -ESTALE) {
        hash->counters.changed++;
    } else {
        hash->counters.failed++;
    }
    hash->result = r;
    hash->done = hash->at.serial;
    pthread_cond_signal(&hash->answered);
}

static void take_request(struct exe_hash *hash)
{
    hash->at = hash->queue[hash->first];
    hash->first = (hash->first + 1) % EXE_HASH_QUEUE;
    hash->count--;
}

/* A program that starts often is asked for many times while it is read: once is enough. */
static bool answer_known(struct exe_hash *hash)
{
    const char *known = hash_cache_find(&hash->cache, &hash->at.file);

    if (!known)
        return false;
    memcpy(hash->hex, known, EXE_HASH_LEN);
    hash->result = 0;
    hash->done = hash->at.serial;
    pthread_cond_signal(&hash->answered);
    return true;
}

static void *run(void *context)
{
    struct exe_hash *hash = context;
    char hex[EXE_HASH_LEN];

    pthread_setname_np(pthread_self(), "picket-hash");
    setpriority(PRIO_PROCESS, 0, 0); /* not the detection thread's, which starts this one */
    pthread_mutex_lock(&hash->lock);
    while (!hash->stopping) {
        if (hash->count == 0) {
            pthread_cond_wait(&hash->asked_for, &hash->lock);
            continue;
        }
        take_request(hash);
        if (answer_known(hash))
            continue;
        pthread_mutex_unlock(&hash->lock);
        int r = hash_request(hash, hex);

        pthread_mutex_lock(&hash->lock);
        answer(hash, r, hex);
    }
    bool left_behind = hash->left_behind;

    hash->ended = true;
    pthread_cond_signal(&hash->answered);
    pthread_mutex_unlock(&hash->lock);
    if (left_behind)
        release(hash);
    return NULL;
}

int exe_hash_start(struct exe_hash *hash)
{
    sigset_t all, before;

    /* Signals are for the threads that wait for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&hash->thread, NULL, run, hash);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    hash->started = r == 0;
    return -r;
}

static struct timespec in(int64_t duration)
{
    int64_t until = clock_monotonic() + duration;

    return (struct timespec){.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
}

void exe_hash_free(struct exe_hash *hash)
{
    if (!hash)
        return;
    if (!hash->started) {
        release(hash);
        return;
    }
    struct timespec until = in(hash->options.wait);
    int r = 0;

    pthread_mutex_lock(&hash->lock);
    hash->stopping = true;
    pthread_cond_signal(&hash->asked_for);
    while (!hash->ended && r == 0)
        r = pthread_cond_timedwait(&hash->answered, &hash->lock, &until);
    bool ended = hash->ended;
    pthread_t thread = hash->thread;

    hash->left_behind = !ended;
    pthread_mutex_unlock(&hash->lock);
    if (!ended) {
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    release(hash);
}

/* With the lock held, as what follows. False when there is no room. */
static bool enqueue(struct exe_hash *hash, const struct exe_file *file, struct text path)
{
    if (hash->count == EXE_HASH_QUEUE)
        return false;
    struct request *request = &hash->queue[(hash->first + hash->count++) % EXE_HASH_QUEUE];

    request->file = *file;
    request->serial = ++hash->asked;
    if (path.len == 0 || path.len >= sizeof request->path || path.ptr[0] != '/')
        path.len = 0;
    if (path.len > 0)
        memcpy(request->path, path.ptr, path.len);
    request->path[path.len] = '\0';
    pthread_cond_signal(&hash->asked_for);
    return true;
}

static int await_answer(struct exe_hash *hash)
{
    struct timespec until = in(hash->options.wait);
    int r = 0;

    if (clock_monotonic() < hash->no_wait)
        return -ETIMEDOUT;
    while (hash->done != hash->asked && r == 0)
        r = pthread_cond_timedwait(&hash->answered, &hash->lock, &until);
    if (hash->done == hash->asked)
        return hash->result;
    hash->no_wait = clock_monotonic() + EXE_HASH_PAUSE;
    return -ETIMEDOUT;
}

static int get(struct exe_hash *hash, const struct exe_file *file, struct text path,
               char hex[static EXE_HASH_LEN])
{
    const char *known = hash_cache_find(&hash->cache, file);

    if (known) {
        memcpy(hex, known, EXE_HASH_LEN);
        hash->counters.cached++;
        return 0;
    }
    if (file->size > hash->options.size_max) {
        hash->counters.too_large++;
        return -EFBIG;
    }
    int r = hash->started && enqueue(hash, file, path) ? await_answer(hash) : -ETIMEDOUT;

    if (r == 0)
        memcpy(hex, hash->hex, EXE_HASH_LEN);
    hash->counters.late += r == -ETIMEDOUT;
    return r;
}

int exe_hash_get(struct exe_hash *hash, const struct exe_file *file, struct text path,
                 char hex[static EXE_HASH_LEN])
{
    pthread_mutex_lock(&hash->lock);
    int r = get(hash, file, path, hex);

    pthread_mutex_unlock(&hash->lock);
    return r;
}

void exe_hash_count(struct exe_hash *hash, struct exe_hash_counters *out)
{
    pthread_mutex_lock(&hash->lock);
    *out = hash->counters;
    pthread_mutex_unlock(&hash->lock);
}
