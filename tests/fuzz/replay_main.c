/* Feeds every file of the folders it is given to a fuzz target: what the fuzzer once found is part
 * of every test run. Fails when a folder holds nothing, so that a corpus cannot get lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_whole(const char *path, struct buffer *out)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    buffer_clear(out);
    return fd < 0 ? -errno : buffer_read_fd(out, fd, SIZE_MAX / 8);
}

/* A block of exactly its size, so that a sanitizer sees the first byte read beyond. */
static int replay_file(const char *path)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    int r = read_whole(path, &content);

    if (r < 0)
        return r;
    uint8_t *exact = malloc(content.len ? content.len : 1);

    if (!exact)
        return -ENOMEM;
    if (content.len)
        memcpy(exact, content.data, content.len);
    LLVMFuzzerTestOneInput(exact, content.len);
    free(exact);
    return 0;
}

static int replay_folder(const char *folder, unsigned *count)
{
    CLEANUP(closedirp) DIR *dir = opendir(folder);
    CLEANUP(buffer_deinit) struct buffer path = {0};

    if (!dir)
        return -errno;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        buffer_clear(&path);
        buffer_printf(&path, "%s/%s", folder, entry->d_name);
        int r = replay_file(buffer_string(&path));

        if (r < 0)
            return r;
        ++*count;
    }
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        unsigned count = 0;
        int r = replay_folder(argv[i], &count);

        if (r < 0 || count == 0) {
            fprintf(stderr, "%s: %s\n", argv[i], r < 0 ? strerror(-r) : "no inputs");
            return EXIT_FAILURE;
        }
        printf("%s: %u inputs\n", argv[i], count);
    }
    return EXIT_SUCCESS;
}
