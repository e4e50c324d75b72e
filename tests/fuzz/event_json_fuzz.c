/* Any text into event_read_json(). What it accepts is written, read back and written again: the
 * second writing is the first one, byte for byte. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "event/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0 and the event as JSON in OUT, or what event_read_json() says. */
static int rewrite(struct text t, struct buffer *out)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(json_freep) json_t *root = NULL;
    struct event_failure failure;
    struct event event;
    struct json_writer json = {.buffer = out};
    int r = event_read_json(t, &arena, &event, &root, &failure);

    if (r < 0) {
        if (failure.reason[0] == '\0' && r != -ENODATA)
            abort(); /* a refusal has a reason */
        return r;
    }
    event_put_line(&json, &event);
    if (buffer_failed(out))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer_deinit) struct buffer first = {0};
    CLEANUP(buffer_deinit) struct buffer second = {0};

    if (rewrite((struct text){(const char *)data, size}, &first) < 0)
        return 0;
    if (rewrite(buffer_text(&first), &second) < 0 ||
        !text_equal(buffer_text(&first), buffer_text(&second)))
        abort();
    return 0;
}
