#include "engine/hashes.h"

#include "base/log.h"

static int open_executable(void *context, const struct exe_file *file, int *out)
{
    struct exe_wanted wanted = {
        .pid = file->pid,
        .device = (uint64_t)file->major << 20 | file->minor,
        .inode = file->inode,
        .ctime = file->ctime,
    };

    return exe_opener_open(context, &wanted, out);
}

static void close_opener(void *context)
{
    exe_opener_free(context);
}

int hashes_new(const struct privileges *privileges, struct exe_opener **opener,
               struct exe_hash **out)
{
    int r = exe_opener_new(privileges->uid, privileges->gid, opener);

    if (r == 0) {
        struct exe_hash_options options = {
            .open = open_executable,
            .close = close_opener,
            .context = *opener,
        };

        r = exe_hash_new(&options, out);
        if (r < 0)
            exe_opener_free(*opener);
    }
    if (r < 0)
        log_error("hashes of executables: %s", strerror(-r));
    return r;
}
