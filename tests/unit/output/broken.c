/* Plugins that are none: what is wrong with each is chosen when it is compiled. */
#include "picket/plugin.h"

struct config {
    int64_t number;
    int flag;
};

static const struct picket_option options[] = {
    {.name = "number", .type = BROKEN_TYPE, .help = "h", .offset = BROKEN_OFFSET},
    {.name = BROKEN_OPTION,
     .type = PICKET_BOOL,
     .help = "h",
     .offset = offsetof(struct config, flag)},
};

static int broken_open(const struct picket_host *host, const void *config, void **instance)
{
    (void)host;
    (void)config;
    (void)instance;
    return 0;
}

static void broken_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                           struct picket_verdict *verdict)
{
    (void)instance;
    (void)alerts;
    verdict->delivered = count;
}

/* A descriptor from the future has members this header does not know. */
struct later {
    struct picket_plugin known;
    uint64_t unknown;
};

__attribute__((visibility("default"))) extern const struct later
    later_plugin __asm__(BROKEN_SYMBOL);

const struct later later_plugin = {
    .known = {.size = BROKEN_SIZE,
              .abi = BROKEN_ABI,
              .needs = BROKEN_NEEDS,
              .name = BROKEN_NAME,
              .version = "1",
              .help = "h",
              .options = options,
              .option_size = sizeof *options,
              .option_count = 2,
              .config_size = sizeof(struct config),
              .open = broken_open,
              .deliver = broken_deliver},
    .unknown = BROKEN_TAIL,
};
