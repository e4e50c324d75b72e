#include "process/proc_file.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"

#define DELETED " (deleted)"

int proc_file_read(struct proc_scan *scan, int dir, const char *name)
{
    CLEANUP(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    buffer_clear(&scan->file);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int r = buffer_read_fd(&scan->file, fd, PROC_FILE_MAX);

    return r == -EFBIG ? 1 : r;
}

bool proc_file_link(int dir, const char *name, bool gone, char path[static PATH_MAX],
                    struct text *out)
{
    ssize_t len = readlinkat(dir, name, path, PATH_MAX);

    if (len <= 0 || len == PATH_MAX)
        return false;
    *out = (struct text){path, (size_t)len};
    if (gone && text_ends(*out, TEXT(DELETED)))
        out->len -= sizeof DELETED - 1;
    return true;
}

void proc_file_set(struct proc_scan *scan, struct process *process, enum field_id id,
                   struct text value)
{
    struct text *member = (void *)((char *)process + field_catalogue[id].offset);

    *member = arena_text(&scan->texts, value);
    if (member->ptr)
        field_set_add(&process->has, id);
}

void proc_file_set_put(struct proc_scan *scan, struct process *process, enum field_id id,
                       struct buffer *buffer)
{
    if (!buffer_failed(buffer))
        proc_file_set(scan, process, id, buffer_text(buffer));
    buffer_clear(buffer);
}
