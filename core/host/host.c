#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/alert_batch.h"
#include "host/host_arguments.h"
#include "host/host_link.h"
#include "plugin/plugin_config.h"
#include "plugin/protocol.h"

struct host;

/* The table a plugin sees, and behind it the way back to the host. */
struct services {
    struct picket_host table;
    struct host *host;
};

struct host {
    struct services services;
    pthread_t thread;
    struct host_link link;
    struct buffer printable;
    struct frame_decoder decoder;
    struct frame_decoder kept; /* the batch's bytes, while it is being delivered */
    bool delivers;             /* or flushes: its thread is within such a callback */
    bool flushes;
    struct alert_batch batch;
    struct arena arena; /* as long as the plugin: its config and what it points to */
    struct plugin_module module;
    void *instance;
    struct received_files files;
    struct plugin_config config;
    uint64_t nonblocking; /* a bit an option: so was its file when the plugin was opened */
};

static struct host *host_of(const struct picket_host *table)
{
    return ((const struct services *)table)->host;
}

static void service_log(const struct picket_host *table, int level, const char *text)
{
    host_link_log(&host_of(table)->link, level, text);
}

static const char *service_value(const struct picket_host *table, const struct picket_alert *alert,
                                 const char *path)
{
    struct host *host = host_of(table);

    return path ? alert_batch_value(&host->batch, alert, path) : NULL;
}

static const char *service_printable(const struct picket_host *table, const char *text)
{
    struct host *host = host_of(table);

    if (!text)
        return NULL;
    buffer_clear(&host->printable);
    buffer_put_printable(&host->printable, text_from(text));
    return buffer_failed(&host->printable)
               ? NULL
               : arena_text(&host->batch.arena, buffer_text(&host->printable)).ptr;
}

static void keep_files(struct host *host, struct msghdr *message)
{
    struct received_files *files = &host->files;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count && files->count < PLUGIN_OPTIONS_MAX; i++)
            memcpy(&files->fds[files->count++], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
    }
}

/* Waits for more from the engine; without one this does not return. */
static void receive(struct host *host)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PLUGIN_OPTIONS_MAX * sizeof(int))];
    } control;
    size_t len;
    char *room = frame_decoder_room(&host->decoder, &len);
    struct iovec into = {room, len};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};

    if (!room)
        host_link_leave(&host->link, EXIT_FAILURE);
    ssize_t got = recvmsg(OUTPUT_HOST_SOCKET, &message, MSG_CMSG_CLOEXEC);

    if (got == 0 || (got < 0 && errno != EINTR))
        host_link_leave(&host->link, EXIT_FAILURE);
    if (got < 0)
        return;
    keep_files(host, &message);
    frame_decoder_filled(&host->decoder, (size_t)got);
}

static struct frame next_frame(struct host *host)
{
    struct frame frame;
    int r;

    while ((r = frame_decoder_next(&host->decoder, &frame)) == 0)
        receive(host);
    if (r < 0)
        host_link_leave(&host->link, EXIT_FAILURE);
    return frame;
}

/* True when it is the answer to what was asked: *RESULT. The file itself comes to be where the one
 * before it was. */
static bool take_file(struct host *host, struct text sent, int64_t *result)
{
    struct payload payload = {.rest = sent};
    size_t option = payload_u32(&payload);
    enum file_news news = (enum file_news)payload_u32(&payload);
    int64_t failure = payload_i64(&payload);
    int file = failure ? -1 : received_files_take(&host->files);

    if (!payload_complete(&payload) || option >= host->module.info.option_count ||
        (failure == 0 && file < 0))
        host_link_leave(&host->link, EXIT_FAILURE);
    if (file >= 0) {
        dup3(file, *plugin_config_file(&host->module, host->config.config, option), O_CLOEXEC);
        close(file);
    }
    if (result)
        *result = failure;
    return news == FILE_ROTATED;
}

static bool may_rotate(const struct host *host, const char *name, uint32_t keep, size_t *option)
{
    const struct plugin_info *info = &host->module.info;

    for (*option = 0; *option < info->option_count; ++*option)
        if (text_is(info->options[*option].name, name))
            break;
    return host->delivers && pthread_equal(host->thread, pthread_self()) &&
           *option < info->option_count && info->options[*option].flags & PICKET_ROTATES &&
           keep >= 1 && keep <= 1000 &&
           *plugin_config_file(&host->module, host->config.config, *option) >= 0;
}

static int service_rotate(const struct picket_host *table, const char *name, uint32_t keep)
{
    struct host *host = host_of(table);
    int64_t result = -EINVAL;
    size_t option;

    if (!name || !may_rotate(host, name, keep, &option)) {
        service_log(table, PICKET_LOG_ERROR, "rotate() is not for that, or not for now");
        return -EINVAL;
    }
    pthread_mutex_lock(&host->link.lock);
    size_t begin = frame_begin(&host->link.out, FRAME_ROTATE);

    payload_put_u32(&host->link.out, (uint32_t)option);
    payload_put_u32(&host->link.out, keep);
    frame_end(&host->link.out, begin);
    host_link_send(&host->link);
    pthread_mutex_unlock(&host->link.lock);
    for (bool answered = false; !answered;) {
        struct frame frame = next_frame(host);

        if (frame.type != FRAME_FILE)
            host_link_leave(&host->link, EXIT_FAILURE);
        answered = take_file(host, frame.payload, &result);
    }
    return (int)result;
}

/* The place of ALERT in the batch; its count when it has none. */
static uint32_t find_alert(const struct alert_batch *batch, const struct picket_alert *alert)
{
    uint32_t index = 0;

    while (index < batch->count && batch->alerts[index] != alert)
        index++;
    return index;
}

static int64_t await_response(struct host *host)
{
    for (;;) {
        struct frame frame = next_frame(host);
        struct payload payload = {.rest = frame.payload};

        if (frame.type == FRAME_FILE && !take_file(host, frame.payload, NULL))
            continue;
        int64_t answer = payload_i64(&payload);

        if (frame.type != FRAME_RESPONSE || !payload_complete(&payload))
            host_link_leave(&host->link, EXIT_FAILURE);
        return answer;
    }
}

static int service_respond(const struct picket_host *table, const struct picket_alert *alert,
                           uint32_t measure)
{
    struct host *host = host_of(table);
    uint32_t index = find_alert(&host->batch, alert);

    if (!(host->module.info.needs & PICKET_NEEDS_RESPONSE) || !host->delivers || host->flushes ||
        !pthread_equal(host->thread, pthread_self()) || index == host->batch.count ||
        (measure != PICKET_STOP && measure != PICKET_KILL)) {
        service_log(table, PICKET_LOG_ERROR, "respond() is not for that, or not for now");
        return -EINVAL;
    }
    pthread_mutex_lock(&host->link.lock);
    size_t begin = frame_begin(&host->link.out, FRAME_RESPOND);

    payload_put_i64(&host->link.out, host->batch.number);
    payload_put_u32(&host->link.out, index);
    payload_put_u32(&host->link.out, measure);
    frame_end(&host->link.out, begin);
    host_link_send(&host->link);
    pthread_mutex_unlock(&host->link.lock);
    return (int)await_response(host);
}

/* What the user wants alerts to look like was checked by the engine. */
static void present_alerts(struct host *host)
{
    static const char *const formats[] = {"picket", "ecs", "ocsf", "text"};
    const struct alert_look *look = &host->config.look;
    struct presentation_mistake mistake;

    host->services.table.format = formats[look->format];
    if (look->format == PRESENTATION_PICKET && look->redact_count == 0)
        return;
    if (presentation_new(look, &host->batch.presentation, &mistake) < 0)
        host_link_fail(&host->link, "its alerts cannot be made to look as they should");
}

static bool is_nonblocking(const struct host *host, size_t option)
{
    int fd = *plugin_config_file(&host->module, host->config.config, option);

    return host->module.info.options[option].type == PICKET_FILE && fd >= 0 &&
           fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static void open_plugin(struct host *host)
{
    struct frame frame = next_frame(host);

    if (frame.type != FRAME_OPEN || plugin_config_read(frame.payload, &host->module, &host->files,
                                                       &host->arena, &host->config) < 0)
        host_link_fail(&host->link, "the engine's options for the plugin cannot be read");
    present_alerts(host);
    for (size_t i = 0; i < host->module.info.option_count; i++)
        host->nonblocking |= (uint64_t)is_nonblocking(host, i) << i;
    if (host->module.plugin.open(&host->services.table, host->config.config, &host->instance) < 0)
        host_link_fail(&host->link,
                       host->link.last_error ? host->link.last_error : OUTPUT_NO_REASON);
    host_link_say(&host->link, FRAME_OPENED, 0, TEXT(""));
}

/* More than any batch has stays so. */
static uint32_t clamp(size_t count)
{
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static void send_verdict(struct host *host, const struct picket_verdict *verdict)
{
    const struct verdict message = {.batch = host->batch.number,
                                    .delivered = clamp(verdict->delivered),
                                    .rejected = clamp(verdict->rejected),
                                    .action = verdict->action,
                                    .retry_ms = verdict->retry_ms,
                                    .reason = host_link_text(verdict->reason)};

    pthread_mutex_lock(&host->link.lock);
    verdict_put(&message, &host->link.out);
    host_link_send(&host->link);
    pthread_mutex_unlock(&host->link.lock);
}

static void deliver(struct host *host, struct text payload)
{
    struct picket_verdict verdict = {.size = sizeof verdict};

    /* More may have to be received before the batch is done with. */
    if (frame_decoder_keep(&host->decoder, &host->kept) < 0 ||
        alert_batch_read(&host->batch, payload) < 0)
        host_link_leave(&host->link, EXIT_FAILURE);
    host->delivers = true;
    host->module.plugin.deliver(host->instance, host->batch.alerts, host->batch.count, &verdict);
    host->delivers = false;
    send_verdict(host, &verdict);
}

static void flush(struct host *host)
{
    const struct picket_plugin *plugin = &host->module.plugin;

    host->delivers = host->flushes = true;
    int r = plugin->flush ? plugin->flush(host->instance) : 0;

    host->delivers = host->flushes = false;
    host_link_say(&host->link, FRAME_FLUSHED, r < 0 ? PICKET_LOG_WARNING : PICKET_LOG_INFO,
                  TEXT(""));
}

/* The descriptors of its options are the core's; who closes one may close another's next time. */
static const char *find_breach(const struct host *host)
{
    const struct plugin_info *info = &host->module.info;

    for (size_t i = 0; i < info->option_count; i++) {
        if (!plugin_config_is_file(info->options[i].type))
            continue;
        int fd = *plugin_config_file(&host->module, host->config.config, i);

        if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
            return OUTPUT_BROKEN_CLOSE ": it has closed a descriptor of the core's";
        if (is_nonblocking(host, i) != (host->nonblocking >> i & 1))
            return OUTPUT_BROKEN_CLOSE ": it has changed the flags of a descriptor of the core's";
    }
    return NULL;
}

static void close_plugin(struct host *host)
{
    if (host->module.plugin.close)
        host->module.plugin.close(host->instance);
    const char *breach = find_breach(host);

    if (breach)
        host_link_say(&host->link, FRAME_LOG, PICKET_LOG_WARNING, text_from(breach));
}

_Noreturn static void serve(struct host *host)
{
    for (;;) {
        struct frame frame = next_frame(host);

        switch (frame.type) {
        case FRAME_ALERTS:
            deliver(host, frame.payload);
            break;
        case FRAME_FLUSH:
            flush(host);
            break;
        case FRAME_FILE:
            take_file(host, frame.payload, NULL);
            break;
        case FRAME_CLOSE:
            close_plugin(host);
            host_link_leave(&host->link, EXIT_SUCCESS);
        default:
            host_link_leave(&host->link, EXIT_FAILURE);
        }
    }
}

static void load_plugin(struct host *host, const char *path)
{
    const char *why = plugin_module_load(path, OUTPUT_HOST_MODULE, &host->arena, &host->module);

    if (why)
        host_link_fail(&host->link, why);
    close(OUTPUT_HOST_MODULE);
    /* Nobody's directory is kept from being unmounted. */
    if (chdir("/") < 0)
        host_link_fail(&host->link, "cannot change to the root directory");
    host_link_hello(&host->link, &host->module.info);
}

int output_host_main(int argc, char **argv)
{
    static struct host host = {.link.lock = PTHREAD_MUTEX_INITIALIZER,
                               .decoder = {.limit = FRAME_ENGINE_MAX},
                               .services.table = {.size = sizeof(struct picket_host),
                                                  .version = PICKET_VERSION,
                                                  .log = service_log,
                                                  .value = service_value,
                                                  .printable = service_printable,
                                                  .rotate = service_rotate,
                                                  .respond = service_respond}};
    struct host_arguments arguments;

    if (!host_arguments_read(argc, argv, &arguments))
        return 2;
    host.services.table.output = arguments.name;
    host.services.table.deadline = arguments.deadline;
    host.services.host = &host;
    host.thread = pthread_self();
    host.link.tidies = !host_arguments_confined(&arguments);
    int r = host_arguments_obey(&arguments);

    if (r < 0)
        host_link_fail(&host.link,
                       arena_printf(&host.arena, "its host cannot be confined: %s", strerror(-r)));
    load_plugin(&host, arguments.path);
    open_plugin(&host);
    serve(&host);
}
