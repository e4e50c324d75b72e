// An output plugin of picket: alerts as lines in a file. See picket-plugin(3).
#include <cerrno>
#include <cstring>
#include <exception>
#include <string>

#include <unistd.h>

#include <picket/plugin.h>

namespace {

// What the options below set.
struct Config {
    int fd;
    int least; // enum picket_severity: the choices are in its order
    const char *prefix;
};

constexpr picket_option options[] = {
    {.name = "path",
     .help = "file to append to",
     .offset = offsetof(Config, fd),
     .type = PICKET_FILE,
     .flags = PICKET_REQUIRED},
    {.name = "least",
     .value = "low",
     .help = "less severe alerts are passed over",
     .choices = "informational|low|medium|high|critical",
     .offset = offsetof(Config, least),
     .type = PICKET_ENUM},
    {.name = "prefix",
     .value = "",
     .help = "text at the beginning of each line",
     .offset = offsetof(Config, prefix),
     .type = PICKET_STRING},
};

class Output {
public:
    Output(const picket_host &host, const Config &config) : host_(host), config_(config) {}

    void deliver(const picket_alert *const *alerts, std::size_t count, picket_verdict &verdict)
    {
        for (; verdict.delivered < count; verdict.delivered++) {
            const picket_alert &alert = *alerts[verdict.delivered];

            if (alert.severity >= config_.least && !write(alert)) {
                // A full disk may have room again in a while.
                verdict.action = PICKET_RETRY;
                verdict.retry_ms = 1000;
                verdict.reason = std::strerror(errno);
                return;
            }
        }
    }

private:
    bool write(const picket_alert &alert)
    {
        const char *message = host_.printable(&host_, alert.message);

        line_ = config_.prefix;
        line_.append(alert.rule).append(": ").append(message ? message : "").append("\n");
        return ::write(config_.fd, line_.data(), line_.size()) ==
               static_cast<ssize_t>(line_.size());
    }

    const picket_host &host_;
    const Config &config_;
    std::string line_;
};

// No exception may leave a callback.

int open_output(const picket_host *host, const void *config, void **instance) noexcept
try {
    *instance = new Output(*host, *static_cast<const Config *>(config));
    return 0;
} catch (const std::exception &failure) {
    host->log(host, PICKET_LOG_ERROR, failure.what());
    return -1;
}

void deliver(void *instance, const picket_alert *const *alerts, std::size_t count,
             picket_verdict *verdict) noexcept
try {
    static_cast<Output *>(instance)->deliver(alerts, count, *verdict);
} catch (const std::exception &) {
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = 1000;
    verdict->reason = "out of memory";
}

void close_output(void *instance) noexcept
{
    delete static_cast<Output *>(instance);
}

} // namespace

const struct picket_plugin picket_plugin = {
    .size = sizeof(struct picket_plugin),
    .abi = PICKET_ABI,
    .needs = 0,
    .name = "@NAME@",
    .version = PLUGIN_VERSION,
    .help = "writes alerts as lines to a file",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(Config),
    .batch_max = 0,
    .open = open_output,
    .deliver = deliver,
    .flush = nullptr,
    .close = close_output,
};
