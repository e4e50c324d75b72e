#include "plugin/secret.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* What is freed is for others to find. */
static void wipe(struct buffer *content)
{
    if (content->data)
        explicit_bzero(content->data, content->size);
    buffer_deinit(content);
}

static const char *read_file(const char *path, struct arena *arena, struct text *out)
{
    CLEANUP(wipe) struct buffer content = {0};
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    /* All of it at once: a buffer that grows leaves pieces behind. */
    if (fd >= 0 && !buffer_reserve(&content, SECRET_MAX + 1))
        return "out of memory";
    int r = fd < 0 ? -errno : buffer_read_fd(&content, fd, SECRET_MAX);

    if (r < 0)
        return arena_printf(arena, "%s: %s", path, strerror(-r));
    struct text secret = buffer_text(&content);

    if (text_ends(secret, TEXT("\n")))
        secret.len--;
    if (text_ends(secret, TEXT("\r")))
        secret.len--;
    if (!secret.ptr || secret.len == 0)
        return arena_printf(arena, "%s: is empty", path);
    if (!text_is_utf8(secret) || memchr(secret.ptr, '\0', secret.len))
        return arena_printf(arena, "%s: is no text of UTF-8", path);
    *out = arena_text(arena, secret);
    return NULL;
}

const char *secret_read(const struct output_setting *setting, struct arena *arena, struct text *out)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    const char *name = arena_text(arena, setting->value).ptr;
    const char *path = name;

    *out = (struct text){NULL, 0};
    if (name && setting->source == SETTING_CREDENTIAL) {
        if (!folder)
            return "systemd has given no credentials (LoadCredential= in the unit)";
        if (*name == '\0' || strchr(name, '/'))
            return "a credential has a name without '/'";
        path = arena_printf(arena, "%s/%s", folder, name);
    }
    return path ? read_file(path, arena, out) : "out of memory";
}
