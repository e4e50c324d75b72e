#include "engine/rule_watch.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/digest.h"

/* What can make a folder's files others. A file counts once its writer closed it. */
#define EVENTS \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

/* As many links in a row as the kernel follows. */
#define LINKS_MAX 40

struct rule_watch {
    const struct rule_paths *paths;
    int fd;
    uint64_t files; /* what they looked like */
    char failure[PATH_MAX];
};

/* One look under way. */
struct look {
    struct rule_watch *watch;
    int fd;
    uint64_t files;
    int error;
};

int rule_watch_new(const struct rule_paths *paths, struct rule_watch **out)
{
    struct rule_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return -ENOMEM;
    watch->paths = paths;
    watch->fd = -1;
    *out = watch;
    return 0;
}

void rule_watch_free(struct rule_watch *watch)
{
    if (!watch)
        return;
    closep(&watch->fd);
    free(watch);
}

static void fail(struct look *look, const char *path, int error)
{
    if (look->error == 0) {
        snprintf(look->watch->failure, sizeof look->watch->failure, "%s", path);
        look->error = error;
    }
}

/* What went away meanwhile is an event in the folder above. */
static void watch_folder(struct look *look, const char *path)
{
    if (inotify_add_watch(look->fd, path, EVENTS) < 0 && errno != ENOENT && errno != ENOTDIR)
        fail(look, path, -errno);
}

static void follow(struct look *look, const char *path, unsigned links);

/* Watches the folder where the last component of PATH is looked up, and goes where it leads. False
 * when it is not there. */
static bool follow_component(struct look *look, const char *path, unsigned links)
{
    char folder[PATH_MAX], target[PATH_MAX], joined[2 * PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat status;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    watch_folder(look, folder);
    if (lstat(path, &status) < 0)
        return false;
    if (!S_ISLNK(status.st_mode) || links == LINKS_MAX)
        return true;
    ssize_t length = readlink(path, target, sizeof target - 1);

    if (length < 0)
        return false;
    target[length] = '\0';
    snprintf(joined, sizeof joined, "%s/%s", target[0] == '/' ? "" : folder, target);
    follow(look, joined, links + 1);
    return true;
}

/* All components of PATH, one after the other. */
static void follow(struct look *look, const char *path, unsigned links)
{
    char front[PATH_MAX];

    for (const char *end = path; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        if (snprintf(front, sizeof front, "%.*s", (int)(end - path), path) >= (int)sizeof front)
            return;
        if (!follow_component(look, front, links))
            return;
        end += strspn(end, "/");
    }
}

static uint64_t digest_file(const char *path, const struct stat *status)
{
    uint64_t state = digest_text(0, text_from(path));

    state = digest_number(state, status->st_dev);
    state = digest_number(state, status->st_ino);
    state = digest_number(state, (uint64_t)status->st_size);
    state = digest_number(state, (uint64_t)status->st_mtim.tv_sec);
    state = digest_number(state, (uint64_t)status->st_mtim.tv_nsec);
    state = digest_number(state, (uint64_t)status->st_ctim.tv_sec);
    return digest_number(state, (uint64_t)status->st_ctim.tv_nsec);
}

static bool is_rule_file(const FTSENT *entry)
{
    struct text name = {entry->fts_name, entry->fts_namelen};

    return entry->fts_level == FTS_ROOTLEVEL || text_ends(name, TEXT(".yaml")) ||
           text_ends(name, TEXT(".yml"));
}

/* The same files as rule/rule_files.h reads, in whatever order: so their digests are summed. */
static void look_at_entry(struct look *look, FTS *walk, FTSENT *entry)
{
    if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.') {
        fts_set(walk, entry, FTS_SKIP);
        return;
    }
    switch (entry->fts_info) {
    case FTS_SL:
        follow(look, entry->fts_path, 0);
        fts_set(walk, entry, FTS_FOLLOW);
        break;
    case FTS_D:
        watch_folder(look, entry->fts_path);
        break;
    case FTS_F:
        if (is_rule_file(entry))
            look->files += digest_file(entry->fts_path, entry->fts_statp);
        break;
    case FTS_DNR:
        fail(look, entry->fts_path, -entry->fts_errno);
        break;
    default:
        break;
    }
}

static int look_at(struct look *look, const char *path)
{
    char *const roots[] = {(char *)path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);

    if (!walk)
        return -errno;
    follow(look, path, 0);
    for (FTSENT *entry; (entry = fts_read(walk));)
        look_at_entry(look, walk, entry);
    fts_close(walk);
    return 0;
}

int rule_watch_look(struct rule_watch *watch, bool *changed)
{
    struct look look = {.watch = watch, .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .files = 1};

    *changed = true;
    watch->failure[0] = '\0';
    if (look.fd < 0)
        return -errno;
    for (size_t i = 0; i < watch->paths->count; i++) {
        int r = look_at(&look, watch->paths->paths[i]);

        if (r < 0)
            fail(&look, watch->paths->paths[i], r);
    }
    closep(&watch->fd);
    watch->fd = look.fd;
    *changed = look.files != watch->files;
    watch->files = look.files;
    return look.error;
}

const char *rule_watch_failure(const struct rule_watch *watch)
{
    return watch->failure;
}

int rule_watch_fd(const struct rule_watch *watch)
{
    return watch->fd;
}

void rule_watch_clear(struct rule_watch *watch)
{
    char events[4096];

    while (read(watch->fd, events, sizeof events) > 0)
        ;
}
