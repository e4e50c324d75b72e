#include "sensor/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>

#include "base/cleanup.h"

#define CHUNK 65536

struct replay {
    gzFile file;
    char chunk[CHUNK];
    struct text rest; /* of the chunk, not looked at yet */
    struct buffer line;
    uint64_t number;
    struct arena arena;
    json_t *root; /* of the event last returned */
};

int replay_open(const char *path, struct replay **out)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    struct replay *replay = calloc(1, sizeof *replay);

    if (replay)
        replay->file = gzdopen(fd, "rb");
    if (!replay || !replay->file) {
        close(fd);
        free(replay);
        return -ENOMEM;
    }
    gzbuffer(replay->file, CHUNK);
    *out = replay;
    return 0;
}

void replay_free(struct replay *replay)
{
    if (!replay)
        return;
    gzclose(replay->file);
    buffer_deinit(&replay->line);
    arena_deinit(&replay->arena);
    json_decref(replay->root);
    free(replay);
}

uint64_t replay_line(const struct replay *replay)
{
    return replay->number;
}

struct text replay_text(const struct replay *replay)
{
    return buffer_text(&replay->line);
}

/* More bytes into the chunk: 1, 0 at the end, -EIO. */
static int fill(struct replay *replay)
{
    int len = gzread(replay->file, replay->chunk, sizeof replay->chunk);
    int error = Z_OK;

    /* A file that ends too early still gives what it has, with the error already set. */
    gzerror(replay->file, &error);
    if (len < 0 || (len == 0 && error != Z_OK && error != Z_STREAM_END))
        return -EIO;
    replay->rest = (struct text){replay->chunk, (size_t)len};
    return len > 0;
}

/* The next line into replay->line, cut at REPLAY_LINE_MAX + 1 bytes: 1, 0 at the end, -EIO. */
static int read_line(struct replay *replay)
{
    bool any = false;

    buffer_clear(&replay->line);
    for (;;) {
        if (replay->rest.len == 0) {
            int r = fill(replay);

            if (r <= 0)
                return r < 0 ? r : any;
        }
        any = true;
        const char *end = memchr(replay->rest.ptr, '\n', replay->rest.len);
        size_t len = end ? (size_t)(end - replay->rest.ptr) : replay->rest.len;
        size_t room = REPLAY_LINE_MAX + 1 - replay->line.len;

        buffer_put(&replay->line, replay->rest.ptr, len < room ? len : room);
        replay->rest.ptr += len + (end != NULL);
        replay->rest.len -= len + (end != NULL);
        if (end)
            return 1;
    }
}

static enum replay_result refuse(struct event_failure *failure, enum replay_result result,
                                 const char *reason)
{
    *failure = (struct event_failure){0};
    snprintf(failure->reason, sizeof failure->reason, "%s", reason);
    return result;
}

/* What zlib says, without the descriptor it puts in front. */
static const char *broken_reason(const struct replay *replay)
{
    int error = Z_OK;
    const char *said = gzerror(replay->file, &error);
    const char *reason = strstr(said, ": ");

    if (error == Z_ERRNO)
        return strerror(errno);
    return reason ? reason + 2 : said;
}

static enum replay_result read_event(struct replay *replay, struct event *event,
                                     struct event_failure *failure)
{
    int r =
        event_read_json(buffer_text(&replay->line), &replay->arena, event, &replay->root, failure);

    if (r == -ENOMEM)
        return refuse(failure, REPLAY_REFUSED, "out of memory");
    if (r == -ENODATA)
        return REPLAY_PASSED;
    if (r < 0)
        return REPLAY_REFUSED;
    if (event->origin[0] == 0)
        event->origin[2] = replay->number;
    return REPLAY_EVENT;
}

enum replay_result replay_next(struct replay *replay, struct event *event,
                               struct event_failure *failure)
{
    json_decref(replay->root);
    replay->root = NULL;
    arena_clear(&replay->arena);
    do {
        int r = read_line(replay);

        if (r < 0)
            return refuse(failure, REPLAY_BROKEN, broken_reason(replay));
        if (r == 0)
            return REPLAY_END;
        replay->number++;
    } while (text_trim(buffer_text(&replay->line)).len == 0);

    if (buffer_failed(&replay->line))
        return refuse(failure, REPLAY_REFUSED, "out of memory");
    if (replay->line.len > REPLAY_LINE_MAX)
        return refuse(failure, REPLAY_REFUSED, "longer than 16 MiB");
    return read_event(replay, event, failure);
}
