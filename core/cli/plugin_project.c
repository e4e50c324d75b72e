#include "cli/plugin_project.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define PLACEHOLDER "@NAME@"

const char *plugin_project_refuse(const char *name)
{
    struct text t = text_from(name);

    if (t.len == 0 || t.len > 64 || t.ptr[0] < 'a' || t.ptr[0] > 'z')
        return "begins with a lower-case letter and has 64 characters at most";
    for (size_t i = 0; i < t.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", t.ptr[i]))
            return "is of lower-case letters, digits, '_' and '-'";
    return NULL;
}

/* TEMPLATE with NAME in it. */
static void put_filled(struct buffer *out, const char *template, const char *name)
{
    for (const char *next; (next = strstr(template, PLACEHOLDER));) {
        buffer_put(out, template, (size_t)(next - template));
        buffer_put_string(out, name);
        template = next + strlen(PLACEHOLDER);
    }
    buffer_put_string(out, template);
}

/* The source has the plugin's name, and what git reads begins with a dot. */
static void put_name(struct buffer *out, const struct project_file *file, const char *name)
{
    if (text_starts(text_from(file->name), TEXT("plugin.")))
        buffer_printf(out, "%s%s", name, file->name + strlen("plugin"));
    else
        buffer_printf(out, "%s%s", strcmp(file->name, "gitignore") == 0 ? "." : "", file->name);
}

static int write_file(int folder, const struct project_file *file, const char *name)
{
    CLEANUP(buffer_deinit) struct buffer path = {0};
    CLEANUP(buffer_deinit) struct buffer content = {0};
    mode_t mode = text_ends(text_from(file->name), TEXT(".sh")) ? 0755 : 0644;

    put_name(&path, file, name);
    put_filled(&content, file->content, name);
    if (buffer_failed(&path) || buffer_failed(&content))
        return -ENOMEM;
    CLEANUP(closep)
    int fd = openat(folder, buffer_string(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, content.data, content.len);

    return written < 0 ? -errno : (size_t)written < content.len ? -ENOSPC : 0;
}

int plugin_project_write(const char *name, const char *language)
{
    int r = mkdir(name, 0755) < 0 ? -errno : 0;
    CLEANUP(closep) int folder = r < 0 ? -1 : open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (r == 0 && folder < 0)
        r = -errno;
    for (const struct project_file *file = project_files; r == 0 && file->name; file++)
        if (strcmp(file->language, language) == 0)
            r = write_file(folder, file, name);
    return r;
}
