#include "journal/journal_keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "broker/system_calls.h"

#define KEEPER_TIME 10000 /* ms; a disk may take its time */

/* What databases are called that were set aside, and how many files of them, their logs among them,
 * are kept. */
#define ASIDE     ".corrupt-"
#define ASIDE_MAX 6

enum { OPERATION_OPEN, OPERATION_DELETE, OPERATION_SET_ASIDE };
enum { ARGUMENT_FILE, ARGUMENT_FLAGS };
enum { ARGUMENT_TIME };

static const char *const suffixes[JOURNAL_FILES] = {
    [JOURNAL_DATABASE] = "",     [JOURNAL_LOG] = "-wal",   [JOURNAL_INDEX] = "-shm",
    [JOURNAL_UNDO] = "-journal", [JOURNAL_LOCK] = ".lock",
};

/* SQLite's hooks have no context. */
static struct journal_keeper *serving;

/* The keeper's own, once it is forked. */
struct keeper_service {
    int folder;
    uid_t user;       /* whom the keeper is */
    uid_t owner;      /* of the folder */
    const char *name; /* of the database */
};

static const struct call_rule calls[] = {
    {"recvfrom recv sendmsg close fstat fstat64 exit_group rt_sigreturn restart_syscall"},
    {"openat", {CALL_BITS(2, O_NOFOLLOW, O_NOFOLLOW)}},
    {"renameat renameat2 unlinkat fsync getdents64 lseek _llseek"},
    /* memory, which a sanitizer's free() asks for; none to run */
    {"mmap mmap2", {CALL_BITS(2, PROT_EXEC, 0)}},
    {"newfstatat", {CALL_BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)}}, /* as fstat */
    {"write", {{0, SCMP_CMP_EQ, STDERR_FILENO}}},
    {"sigaltstack gettid"},
};

static int confine(void *context)
{
    umask(027);
    return system_calls_allow(calls, sizeof calls / sizeof *calls);
}

static int put_name(const struct keeper_service *service, int64_t file, char out[static NAME_MAX])
{
    if (file < 0 || file >= JOURNAL_FILES)
        return -EINVAL;
    int len = snprintf(out, NAME_MAX, "%s%s", service->name, suffixes[file]);

    return len < NAME_MAX ? 0 : -ENAMETOOLONG;
}

/* Somebody else's database, in a folder where many may make files, is read by nobody. */
static bool is_trusted(const struct keeper_service *service, const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == service->user ||
           status->st_uid == service->owner;
}

static int open_file(const struct keeper_service *service, const int64_t *arguments,
                     struct broker_answer *out)
{
    int flags = (int)arguments[ARGUMENT_FLAGS] & (O_CREAT | O_EXCL);
    char name[NAME_MAX];
    struct stat status;
    int r = put_name(service, arguments[ARGUMENT_FILE], name);

    if (r < 0)
        return r;
    int fd = openat(service->folder, name,
                    flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

    if (fd < 0)
        return -errno;
    r = fstat(fd, &status) < 0          ? -errno
        : !S_ISREG(status.st_mode)      ? -EINVAL
        : !is_trusted(service, &status) ? -EPERM
                                        : 0;
    if (r < 0) {
        close(fd);
        return r;
    }
    out->files[out->file_count++] = fd;
    return 0;
}

static int delete_file(const struct keeper_service *service, int64_t file)
{
    char name[NAME_MAX];
    int r = put_name(service, file, name);

    if (r == 0 && unlinkat(service->folder, name, 0) < 0)
        r = -errno;
    return r;
}

static bool is_aside(const struct keeper_service *service, const char *name)
{
    size_t len = strlen(service->name);

    return strncmp(name, service->name, len) == 0 &&
           strncmp(name + len, ASIDE, sizeof ASIDE - 1) == 0;
}

/* The one that was set aside first, as their names say; how many there are. */
static size_t find_first_aside(const struct keeper_service *service, int folder,
                               char out[static NAME_MAX + 1])
{
    _Alignas(struct dirent64) char bytes[4096];
    size_t count = 0;
    ssize_t got;

    lseek(folder, 0, SEEK_SET);
    while ((got = getdents64(folder, bytes, sizeof bytes)) > 0)
        for (const char *at = bytes; at < bytes + got;) {
            const struct dirent64 *entry = (const void *)at;

            at += entry->d_reclen;
            if (!is_aside(service, entry->d_name))
                continue;
            if (count++ == 0 || strcmp(entry->d_name, out) < 0)
                snprintf(out, NAME_MAX + 1, "%s", entry->d_name);
        }
    return count;
}

/* A disk that damages one after the other would be full of them. */
static void prune(const struct keeper_service *service)
{
    CLEANUP(closep)
    int folder = openat(service->folder, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char first[NAME_MAX + 1];

    while (folder >= 0 && find_first_aside(service, folder, first) > ASIDE_MAX)
        if (unlinkat(service->folder, first, 0) < 0)
            return;
}

static int set_aside(const struct keeper_service *service, int64_t time)
{
    time_t seconds = (time_t)(time / NS_PER_S);
    char from[NAME_MAX], to[NAME_MAX + sizeof ASIDE "20260101T000000Z"], stamp[32];
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm))
        return -EINVAL;
    /* The log first: one that meets a new database of that name must not be. */
    static const enum journal_file moved[] = {JOURNAL_LOG, JOURNAL_DATABASE};

    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        int r = put_name(service, moved[i], from);

        if (r < 0)
            return r;
        snprintf(to, sizeof to, "%s" ASIDE "%s%s", service->name, stamp, suffixes[moved[i]]);
        if (renameat(service->folder, from, service->folder, to) < 0 && errno != ENOENT)
            return -errno;
    }
    delete_file(service, JOURNAL_INDEX);
    delete_file(service, JOURNAL_UNDO);
    prune(service);
    return 0;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    const struct keeper_service *service = context;

    switch (request->operation) {
    case OPERATION_OPEN:
        return open_file(service, request->arguments, out);
    case OPERATION_DELETE:
        return delete_file(service, request->arguments[ARGUMENT_FILE]);
    case OPERATION_SET_ASIDE:
        return set_aside(service, request->arguments[ARGUMENT_TIME]);
    default:
        return -EINVAL;
    }
}

/* For that user alone, and its group to look at. */
static int make_folder(const char *folder, uid_t uid, gid_t gid)
{
    if (mkdir(folder, 0750) < 0)
        return errno == EEXIST ? 0 : -errno;
    if (geteuid() == 0 && lchown(folder, uid, gid) < 0)
        return -errno;
    return 0;
}

/* The file's folder, without links on the way to it: as SQLite names the files. *NAME is in PATH.
 */
static int find_folder(const char *path, uid_t uid, gid_t gid, char out[static PATH_MAX],
                       const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    char folder[PATH_MAX] = ".";

    *name = slash ? slash + 1 : path;
    if (!**name)
        return -EISDIR;
    if (len >= sizeof folder)
        return -ENAMETOOLONG;
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", len ? (int)len : 1, path);
    int r = slash ? make_folder(folder, uid, gid) : 0;

    if (r < 0)
        return r;
    return realpath(folder, out) ? 0 : -errno;
}

static int start_broker(struct journal_keeper *keeper, const struct keeper_service *service,
                        uid_t uid, gid_t gid)
{
    struct keeper_service copy = *service;

    return broker_start(&keeper->broker, &(struct broker_service){
                                             .name = "picket-keeper",
                                             .rights = {.uid = uid, .gid = gid},
                                             .files = &copy.folder,
                                             .file_count = 1,
                                             .confine = confine,
                                             .answer = answer,
                                             .context = &copy,
                                         });
}

int journal_keeper_start(struct journal_keeper *keeper, const char *path, uid_t uid, gid_t gid)
{
    char folder[PATH_MAX];
    const char *name;
    int r = find_folder(path, uid, gid, folder, &name);

    *keeper = JOURNAL_KEEPER_NONE;
    if (r < 0)
        return r;
    CLEANUP(closep) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (asprintf(&keeper->path, "%s/%s", strcmp(folder, "/") ? folder : "", name) < 0) {
        keeper->path = NULL;
        return -ENOMEM;
    }
    struct keeper_service service = {
        .folder = fd, .user = geteuid() ? geteuid() : uid, .owner = status.st_uid, .name = name};

    r = start_broker(keeper, &service, uid, gid);
    if (r < 0)
        journal_keeper_deinit(keeper);
    return r;
}

void journal_keeper_deinit(struct journal_keeper *keeper)
{
    if (serving == keeper)
        journal_keeper_serve(NULL);
    broker_deinit(&keeper->broker);
    free(keeper->path);
    keeper->path = NULL;
}

static int call(struct journal_keeper *keeper, uint32_t operation, int64_t first, int64_t second,
                struct broker_answer *out)
{
    const struct broker_request request = {.operation = operation, .arguments = {first, second}};

    return broker_call(&keeper->broker, &request, KEEPER_TIME, out);
}

int journal_keeper_open(struct journal_keeper *keeper, enum journal_file file, int flags)
{
    struct broker_answer answer;
    int r = call(keeper, OPERATION_OPEN, file, flags, &answer);

    return r < 0 ? r : answer.files[0];
}

int journal_keeper_delete(struct journal_keeper *keeper, enum journal_file file)
{
    struct broker_answer answer;

    return call(keeper, OPERATION_DELETE, file, 0, &answer);
}

int journal_keeper_set_aside(struct journal_keeper *keeper, int64_t time)
{
    struct broker_answer answer;

    return call(keeper, OPERATION_SET_ASIDE, time, 0, &answer);
}

/* JOURNAL_FILES: it is none of the keeper's. */
static enum journal_file find_file(const char *path)
{
    size_t len = serving ? strlen(serving->path) : 0;
    int file = 0;

    if (!serving || strncmp(path, serving->path, len) != 0)
        return JOURNAL_FILES;
    while (file < JOURNAL_FILES && strcmp(path + len, suffixes[file]) != 0)
        file++;
    return (enum journal_file)file;
}

static int fail(int r)
{
    errno = -r;
    return -1;
}

static int open_for_sqlite(const char *path, int flags, int mode)
{
    enum journal_file file = find_file(path);

    if (file == JOURNAL_FILES || (flags & O_ACCMODE) == O_RDONLY)
        return open(path, flags | O_CLOEXEC, mode);
    int fd = journal_keeper_open(serving, file, flags);

    return fd < 0 ? fail(fd) : fd;
}

static int delete_for_sqlite(const char *path)
{
    enum journal_file file = find_file(path);

    if (file == JOURNAL_FILES)
        return unlink(path);
    int r = journal_keeper_delete(serving, file);

    return r < 0 ? fail(r) : 0;
}

void journal_keeper_serve(struct journal_keeper *keeper)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    serving = keeper;
    if (!vfs)
        return;
    vfs->xSetSystemCall(vfs, "open", keeper ? (sqlite3_syscall_ptr)open_for_sqlite : NULL);
    vfs->xSetSystemCall(vfs, "unlink", keeper ? (sqlite3_syscall_ptr)delete_for_sqlite : NULL);
}
