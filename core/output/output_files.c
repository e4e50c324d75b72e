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

#include "base/log.h"
#include "output/append_file.h"
#include "output/output.h"
#include "output/plugin_config.h"

#define ROTATED_MAX 1000

/* A mount of its own: there is no way out of it, and hosts, to whom all else is read-only, can
 * write to it. */
static int open_folder(const char *name, const struct host_user *user)
{
    if (mkdir(name, 0750) == 0 && geteuid() == 0 && chown(name, user->uid, user->gid) < 0)
        return -errno;
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
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

/* Its group is that of the folder, as the files in a folder of set-group-id have it. */
static int share(const char *name)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char *slash = strrchr(name, '/');
    const char *folder = slash ? arena_printf(&arena, "%.*s/", (int)(slash - name), name)
                               : arena_string(&arena, ".");
    struct stat status;

    if (!folder)
        return -ENOMEM;
    if (stat(folder, &status) < 0 || chmod(name, 0660) < 0)
        return -errno;
    return chown(name, (uid_t)-1, status.st_gid) < 0 && errno != EPERM ? -errno : 0;
}

static int bind_socket(int fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const socklen_t len = sizeof address;

    if (strlen(name) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, name, strlen(name));
    if (is_left_behind(&address, len))
        unlink(name);
    if (bind(fd, (const struct sockaddr *)&address, len) < 0)
        return -errno;
    int r = share(name);

    return r < 0 || listen(fd, SOMAXCONN) == 0 ? r : -errno;
}

static int open_socket(const char *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 ? -errno : bind_socket(fd, name);

    if (r < 0) {
        closep(&fd);
        return r;
    }
    return fd;
}

static int open_any(const struct output *output, size_t index, const struct host_user *user)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char *name = arena_text(&arena, output->settings.values[index].text).ptr;

    if (!name)
        return -ENOMEM;
    switch (output->info.options[index].type) {
    case PICKET_FOLDER:
        return open_folder(name, user);
    case PICKET_SOCKET:
        return open_socket(name);
    default:
        return append_file_open(name);
    }
}

static bool is_set(const struct output *output, size_t index)
{
    return plugin_config_is_file(output->info.options[index].type) &&
           output->settings.values[index].set;
}

void output_files_open(struct output *output, const struct host_user *user)
{
    for (size_t i = 0; i < output->info.option_count; i++) {
        const struct option_value *value = &output->settings.values[i];

        if (!is_set(output, i))
            continue;
        int fd = open_any(output, i, user);

        if (fd < 0)
            diag_error(output->group->diags, value->mark, "cannot-open-file",
                       "output '%s': '%.*s' cannot be opened: %s", output->name,
                       TEXT_ARG(value->text), strerror(-fd));
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
                  output->name, path, strerror(-r));
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

static int rotate(struct output *output, size_t index, uint32_t keep)
{
    struct stat status;
    int fd;

    if (fstat(*file_of(output, index), &status) < 0 || !S_ISREG(status.st_mode) ||
        text_is(output->settings.values[index].text, "-"))
        return -EINVAL;
    const struct rotation rotation = {
        .keep = keep, .device = status.st_dev, .inode = status.st_ino};
    int r = file_keeper_rotate(&output->group->keeper, output->index, index, &rotation, &fd);

    if (r == 0)
        replace(output, index, fd);
    return r;
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
    int r = host_process_has_to_send(&output->host) ? -EBUSY : rotate(output, index, keep);

    if (r < 0)
        log_warning("output %s: %.*s cannot be begun anew: %s", output->name,
                    TEXT_ARG(output->settings.values[index].text), strerror(-r));
    tell(output, index, FILE_ROTATED, r);
    return 0;
}
