/* A source that does as it is told by its option `mode`: it hands out messages "1", "2", ... of
 * which each tells what became of the one before, or misbehaves. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/source.h"

#define SOCKET 3 /* to the engine, as host/host.h has it */

enum mode {
    MODE_MESSAGES,
    MODE_REFUSE,
    MODE_CRASH,
    MODE_HANG,
    MODE_GARBAGE,
    MODE_CHATTER,
    MODE_DEAF
};

struct config {
    int mode;
};

static const struct picket_option options[] = {
    {.name = "mode",
     .type = PICKET_ENUM,
     .choices = "messages|refuse|crash|hang|garbage|chatter|deaf",
     .value = "messages",
     .help = "what it does",
     .offset = offsetof(struct config, mode)},
};

struct pretender {
    enum mode mode;
    unsigned handed, settled;
    enum source_verdict verdict; /* of the last */
};

static int pretender_open(const struct picket_host *host, const void *config, void **instance)
{
    struct pretender *pretender = calloc(1, sizeof *pretender);

    if (!pretender)
        return -1;
    pretender->mode = (enum mode)((const struct config *)config)->mode;
    if (pretender->mode == MODE_REFUSE) {
        host->log(host, PICKET_LOG_ERROR, "it does not want to");
        free(pretender);
        return -1;
    }
    *instance = pretender;
    return 0;
}

static void hand_out(struct pretender *pretender, const struct source_sink *sink)
{
    static const char *const words[] = {"kept", "refused", "again"};
    char data[32];
    int len = snprintf(data, sizeof data, "%u %s", ++pretender->handed,
                       pretender->settled ? words[pretender->verdict] : "first");
    const struct source_message message = {.token = "token",
                                           .data = data,
                                           .len = (size_t)len,
                                           .sequence = pretender->handed,
                                           .stored = 1,
                                           .deliveries = 1};

    sink->take(sink, &message);
}

static enum source_state pretender_read(void *instance, const struct source_sink *sink)
{
    struct pretender *pretender = instance;

    if (pretender->mode == MODE_CHATTER)
        return SOURCE_READING;
    while (pretender->mode == MODE_DEAF)
        hand_out(pretender, sink);
    if (pretender->handed > pretender->settled)
        return SOURCE_FULL;
    if (pretender->handed && pretender->mode == MODE_CRASH)
        abort();
    if (pretender->handed && pretender->mode == MODE_GARBAGE && write(SOCKET, "garbage!", 8) < 0)
        abort();
    while (pretender->handed && pretender->mode == MODE_HANG)
        sleep(1);
    hand_out(pretender, sink);
    return SOURCE_READING;
}

static void pretender_settle(void *instance, const char *token, enum source_verdict verdict)
{
    struct pretender *pretender = instance;

    if (strcmp(token, "token") != 0)
        abort();
    pretender->settled++;
    pretender->verdict = verdict;
}

const struct stream_source stream_source = {
    .table = {.size = sizeof(struct picket_plugin),
              .abi = PICKET_ABI,
              .name = "pretender",
              .version = "1",
              .help = "a test",
              .options = options,
              .option_size = sizeof *options,
              .option_count = sizeof options / sizeof *options,
              .config_size = sizeof(struct config),
              .open = pretender_open,
              .close = free},
    .build = PICKET_VERSION,
    .read = pretender_read,
    .settle = pretender_settle,
};
