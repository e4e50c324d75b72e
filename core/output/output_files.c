#include "output/output_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/append_file.h"
#include "output/output.h"
#include "plugin/plugin_config.h"

#define ROTATED_MAX 1000

/* Bytes of answers that may wait for a host to read them. */
#define ANSWERS_MAX 4096

/* One that was made here is USER's. */
static int open_or_make_folder(const struct file_place *place, const struct host_user *user)
{
    bool made = mkdirat(place->folder, place->name, 0750) == 0;
    int fd =
        openat(place->folder, place->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | place->no_follow);
    struct stat status;

    if (fd < 0)
        return -errno;
    if (made && geteuid() == 0 &&
        (fstat(fd, &status) < 0 || status.st_uid != 0 || fchown(fd, user->uid, user->gid) < 0)) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

/* A mount of its own: there is no way out of it, and hosts, to whom all else is read-only, can
 * write to it. */
static int open_folder(const struct file_place *place, const struct host_user *user)
{
    int fd = open_or_make_folder(place, user);

    if (fd < 0)
        return fd;
    int apart = (int)syscall(SYS_open_tree, fd, "",
                             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (unsigned)AT_EMPTY_PATH);

    if (apart < 0)
        return fd;
    close(fd);
    return apart;
}

static bool is_left_behind(const struct sockaddr_un *address, socklen_t len)
{
    struct stat status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = stat(address->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
                   connect(fd, (const struct sockaddr *)address, len) < 0 && errno == ECONNREFUSED;

    closep(&fd);
    return refused;
}

/* Its group is that of the folder, as the files in a folder of set-group-id have it. Whose folder
 * it is may have put something else there by now. */
static int share(const struct file_place *place)
{
    CLEANUP(closep)
    int fd = openat(place->folder, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat folder, made;

    if (fd < 0 || fstat(place->folder, &folder) < 0 || fstat(fd, &made) < 0)
        return -errno;
    if (!S_ISSOCK(made.st_mode) || made.st_uid != geteuid() || made.st_nlink != 1)
        return -ESTALE;
    return fchownat(fd, "", (uid_t)-1, folder.st_gid, AT_EMPTY_PATH) < 0 && errno != EPERM ? -errno
                                                                                           : 0;
}

static int bind_socket(int fd, const char *path, const struct file_place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const socklen_t len = sizeof address;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    if (is_left_behind(&address, len))
        unlinkat(place->folder, place->name, 0);
    mode_t before = umask(0117);
    int r = bind(fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;

    umask(before);
    if (r == 0)
        r = share(place);
    return r < 0 || listen(fd, SOMAXCONN) == 0 ? r : -errno;
}

static int open_socket(const char *path, const struct file_place *place)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 ? -errno : bind_socket(fd, path, place);

    if (r < 0) {
        closep(&fd);
        return r;
    }
    return fd;
}

static int open_any(const struct output *output, size_t index)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(file_place_deinit) struct file_place place = {.folder = -1};
    const char *path = arena_text(&arena, output->settings.values[index].text).ptr;
    uint32_t type = output->info.options[index].type;

    if (!path)
        return -ENOMEM;
    if (type == PICKET_FILE)
        return append_file_open(path);
    int r = file_place_find(path, &place);

    if (r < 0)
        return r;
    return type == PICKET_FOLDER ? open_folder(&place, &output->user) : open_socket(path, &place);
}

static bool is_set(const struct output *output, size_t index)
{
    return plugin_config_is_file(output->info.options[index].type) &&
           output->settings.values[index].set;
}

void output_files_open(struct output *output)
{
    for (size_t i = 0; i < output->info.option_count; i++) {
        const struct option_value *value = &output->settings.values[i];

        if (!is_set(output, i))
            continue;
        int fd = open_any(output, i);

        if (fd < 0)
            diag_error(output->group->diags, value->mark, "cannot-open-file",
                       "output '%s': '%.*s' cannot be opened: %s", output->name,
                       TEXT_ARG(value->text), file_place_error(fd));
        else
            output->files[output->file_count++] = fd;
    }
}

void output_files_close(struct output *output)
{
    while (output->file_count)
        close(output->files[--output->file_count]);
}

/* Where the descriptor of option INDEX is. */
static int *file_of(struct output *output, size_t index)
{
    size_t place = 0;

    for (size_t i = 0; i < index; i++)
        place += is_set(output, i);
    return &output->files[place];
}

static bool leads_to(const char *path, int fd)
{
    struct stat by_path, by_fd;

    return stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 && by_path.st_dev == by_fd.st_dev &&
           by_path.st_ino == by_fd.st_ino;
}

/* Tells the host what became of the file of option INDEX, which goes along when RESULT is 0. */
static void tell(struct output *output, size_t index, enum file_news news, int result)
{
    struct host_process *host = &output->host;
    size_t begin = frame_begin(&host->sending, FRAME_FILE);

    payload_put_u32(&host->sending, (uint32_t)index);
    payload_put_u32(&host->sending, news);
    payload_put_i64(&host->sending, result);
    frame_end(&host->sending, begin);
    if (result == 0)
        host->files[host->file_count++] = *file_of(output, index);
}

static void replace(struct output *output, size_t index, int fd)
{
    int *file = file_of(output, index);

    close(*file);
    *file = fd;
}

/* Standard output, and what is there under its name still, stay. */
static bool has_moved(struct output *output, size_t index, const char *path)
{
    return output->info.options[index].type == PICKET_FILE && strcmp(path, "-") != 0 &&
           !leads_to(path, *file_of(output, index));
}

static void reopen(struct output *output, size_t index, bool told)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char *path = arena_text(&arena, output->settings.values[index].text).ptr;
    int fd;

    if (!path || !has_moved(output, index, path))
        return;
    int r = file_keeper_open(&output->group->keeper, output->index, index, &fd);

    if (r < 0) {
        log_error("output %s: %s cannot be opened again, the file it was stays in use: %s",
                  output->name, path, file_place_error(r));
        return;
    }
    replace(output, index, fd);
    if (told)
        tell(output, index, FILE_REOPENED, 0);
}

void output_files_reopen(struct output *output, bool tell)
{
    for (size_t i = 0; i < output->info.option_count; i++)
        if (is_set(output, i))
            reopen(output, i, tell);
}

/* Renames that an output may ask for at once, and a second. */
#define RENAMES 1000

static bool may_rename(struct output *output, uint32_t count)
{
    int64_t now = clock_monotonic();
    int64_t gained = (now - output->renamed) / (NS_PER_S / RENAMES);

    /* What is left of them shows as how long ago the last seems to be. */
    if (gained > RENAMES)
        output->renamed = now - NS_PER_S;
    if (gained < count)
        return false;
    output->renamed += count * (NS_PER_S / RENAMES);
    return true;
}

static int rotate(struct output *output, size_t index, uint32_t keep)
{
    struct stat status;
    int fd;

    if (fstat(*file_of(output, index), &status) < 0 || !S_ISREG(status.st_mode) ||
        text_is(output->settings.values[index].text, "-"))
        return -EINVAL;
    if (host_process_has_to_send(&output->host))
        return -EBUSY;
    if (!may_rename(output, keep))
        return -EAGAIN;
    const struct rotation rotation = {
        .keep = keep, .device = status.st_dev, .inode = status.st_ino};
    int r = file_keeper_rotate(&output->group->keeper, output->index, index, &rotation, &fd);

    if (r == 0)
        replace(output, index, fd);
    return r;
}

static void complain(struct output *output, struct text path, int failure)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    buffer_printf(&line, "%.*s cannot be begun anew: %s", TEXT_ARG(path),
                  file_place_error(failure));
    plugin_voice_say(&output->voice, PICKET_LOG_WARNING, buffer_text(&line));
}

int output_files_rotate(struct output *output, struct text payload)
{
    struct payload rest = {.rest = payload};
    size_t index = payload_u32(&rest);
    uint32_t keep = payload_u32(&rest);

    if (!payload_complete(&rest) || index >= output->info.option_count || keep == 0 ||
        keep > ROTATED_MAX || !is_set(output, index) ||
        !(output->info.options[index].flags & PICKET_ROTATES))
        return -EPROTO;
    /* Who reads no answer is not to have more of them kept. */
    if (output->host.sending.len - output->host.sent > ANSWERS_MAX)
        return -EPROTO;
    int r = rotate(output, index, keep);

    if (r < 0)
        complain(output, output->settings.values[index].text, r);
    tell(output, index, FILE_ROTATED, r);
    return 0;
}
