#include "output/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/alert_batch.h"
#include "output/confinement.h"
#include "output/plugin_config.h"
#include "output/protocol.h"

struct host;

/* The table a plugin sees, and behind it the way back to the host. */
struct services {
    struct picket_host table;
    struct host *host;
};

struct host {
    struct services services;
    pthread_t thread;
    pthread_mutex_t lock; /* of what goes out: plugins log from any thread */
    struct buffer out;
    struct buffer printable;
    char *last_error; /* what the plugin logged as such */
    struct frame_decoder decoder;
    struct frame_decoder kept; /* the batch's bytes, while it is being delivered */
    bool delivers;             /* or flushes: its thread is within such a callback */
    struct alert_batch batch;
    struct arena arena; /* as long as the plugin: its config and what it points to */
    struct plugin_module module;
    void *instance;
    struct received_files files;
    struct plugin_config config;
};

static bool is_confined = true;

/* No engine, no host: there is nobody to answer to, nor anything to tidy but memory. A tool that
 * looks for leaks does so in exit(). */
_Noreturn static void leave(int status)
{
    if (!is_confined)
        exit(status);
    _exit(status);
}

static void send_out(struct host *host)
{
    struct text rest = buffer_text(&host->out);

    if (buffer_failed(&host->out))
        leave(EXIT_FAILURE);
    while (rest.len) {
        ssize_t sent = send(OUTPUT_HOST_SOCKET, rest.ptr, rest.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            leave(EXIT_FAILURE);
        rest.ptr += sent;
        rest.len -= (size_t)sent;
    }
    buffer_clear(&host->out);
}

/* The longest text of a log line, or of a reason. */
#define SAID_MAX 4096

static struct text said(const char *text)
{
    return (struct text){text, text ? strnlen(text, SAID_MAX) : 0};
}

static void send_line(struct host *host, enum frame_type type, uint32_t level, struct text text)
{
    const struct log_line line = {.level = level, .text = text};

    pthread_mutex_lock(&host->lock);
    log_line_put(&line, type, &host->out);
    send_out(host);
    pthread_mutex_unlock(&host->lock);
}

_Noreturn static void fail(struct host *host, const char *reason)
{
    send_line(host, FRAME_FAILED, PICKET_LOG_ERROR, said(reason));
    leave(EXIT_FAILURE);
}

static struct host *host_of(const struct picket_host *table)
{
    return ((const struct services *)table)->host;
}

static void service_log(const struct picket_host *table, int level, const char *text)
{
    struct host *host = host_of(table);
    struct text line = said(text);

    if (level < PICKET_LOG_ERROR || level > PICKET_LOG_DEBUG)
        level = PICKET_LOG_INFO;
    if (level == PICKET_LOG_ERROR) {
        pthread_mutex_lock(&host->lock);
        free(host->last_error);
        host->last_error = line.ptr ? strndup(line.ptr, line.len) : NULL;
        pthread_mutex_unlock(&host->lock);
    }
    send_line(host, FRAME_LOG, (uint32_t)level, line);
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
        leave(EXIT_FAILURE);
    ssize_t got = recvmsg(OUTPUT_HOST_SOCKET, &message, MSG_CMSG_CLOEXEC);

    if (got == 0 || (got < 0 && errno != EINTR))
        leave(EXIT_FAILURE);
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
        leave(EXIT_FAILURE);
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
        leave(EXIT_FAILURE);
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
    pthread_mutex_lock(&host->lock);
    size_t begin = frame_begin(&host->out, FRAME_ROTATE);

    payload_put_u32(&host->out, (uint32_t)option);
    payload_put_u32(&host->out, keep);
    frame_end(&host->out, begin);
    send_out(host);
    pthread_mutex_unlock(&host->lock);
    for (bool answered = false; !answered;) {
        struct frame frame = next_frame(host);

        if (frame.type != FRAME_FILE)
            leave(EXIT_FAILURE);
        answered = take_file(host, frame.payload, &result);
    }
    return (int)result;
}

/* What the user wants alerts to look like was checked by the engine. */
static void present_alerts(struct host *host)
{
    const struct alert_look *look = &host->config.look;
    struct presentation_mistake mistake;

    if (look->format == PRESENTATION_PICKET && look->redact_count == 0)
        return;
    if (presentation_new(look, &host->batch.presentation, &mistake) < 0)
        fail(host, "its alerts cannot be made to look as they should");
}

static void open_plugin(struct host *host)
{
    struct frame frame = next_frame(host);

    if (frame.type != FRAME_OPEN || plugin_config_read(frame.payload, &host->module, &host->files,
                                                       &host->arena, &host->config) < 0)
        fail(host, "the engine's options for the plugin cannot be read");
    present_alerts(host);
    if (host->module.plugin.open(&host->services.table, host->config.config, &host->instance) < 0)
        fail(host, host->last_error ? host->last_error : OUTPUT_NO_REASON);
    send_line(host, FRAME_OPENED, 0, TEXT(""));
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
                                    .reason = said(verdict->reason)};

    pthread_mutex_lock(&host->lock);
    verdict_put(&message, &host->out);
    send_out(host);
    pthread_mutex_unlock(&host->lock);
}

static void deliver(struct host *host, struct text payload)
{
    struct picket_verdict verdict = {.size = sizeof verdict};

    /* More may have to be received before the batch is done with. */
    if (frame_decoder_keep(&host->decoder, &host->kept) < 0 ||
        alert_batch_read(&host->batch, payload) < 0)
        leave(EXIT_FAILURE);
    host->delivers = true;
    host->module.plugin.deliver(host->instance, host->batch.alerts, host->batch.count, &verdict);
    host->delivers = false;
    send_verdict(host, &verdict);
}

static void flush(struct host *host)
{
    const struct picket_plugin *plugin = &host->module.plugin;

    host->delivers = true;
    int r = plugin->flush ? plugin->flush(host->instance) : 0;

    host->delivers = false;

    send_line(host, FRAME_FLUSHED, r < 0 ? PICKET_LOG_WARNING : PICKET_LOG_INFO, TEXT(""));
}

/* The descriptors of its options are the core's; who closes one may close another's next time. */
static bool has_its_files(struct host *host)
{
    const struct plugin_info *info = &host->module.info;

    for (size_t i = 0; i < info->option_count; i++) {
        if (!plugin_config_is_file(info->options[i].type))
            continue;
        int fd = *plugin_config_file(&host->module, host->config.config, i);

        if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
            return false;
    }
    return true;
}

static void close_plugin(struct host *host)
{
    if (host->module.plugin.close)
        host->module.plugin.close(host->instance);
    if (!has_its_files(host))
        send_line(host, FRAME_LOG, PICKET_LOG_WARNING,
                  TEXT(OUTPUT_BROKEN_CLOSE ": it has closed a descriptor of the core's"));
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
            leave(EXIT_SUCCESS);
        default:
            leave(EXIT_FAILURE);
        }
    }
}

static void send_hello(struct host *host)
{
    size_t begin = frame_begin(&host->out, FRAME_HELLO);

    plugin_info_put(&host->module.info, &host->out);
    frame_end(&host->out, begin);
    send_out(host);
}

static void load_plugin(struct host *host, const char *path)
{
    const char *why = plugin_module_load(path, OUTPUT_HOST_MODULE, &host->arena, &host->module);

    if (why)
        fail(host, why);
    close(OUTPUT_HOST_MODULE);
    /* Nobody's directory is kept from being unmounted. */
    if (chdir("/") < 0)
        fail(host, "cannot change to the root directory");
    send_hello(host);
}

enum argument {
    ARG_VERB,
    ARG_NAME,
    ARG_PATH,
    ARG_UID,
    ARG_GID,
    ARG_MEMORY,
    ARG_DEADLINE,
    ARG_NEEDS,
    ARG_APART,
    ARG_PARENT,
    ARG_COUNT
};

static bool read_arguments(char **argv, struct picket_host *table, struct confinement *out)
{
    int64_t numbers[ARG_COUNT] = {0};

    for (int i = ARG_UID; i < ARG_COUNT; i++)
        if (text_to_int(text_from(argv[i]), &numbers[i]) < 0)
            return false;
    *out = (struct confinement){.uid = (uid_t)numbers[ARG_UID],
                                .gid = (gid_t)numbers[ARG_GID],
                                .memory = numbers[ARG_MEMORY],
                                .needs = (uint32_t)numbers[ARG_NEEDS],
                                .apart = numbers[ARG_APART] != 0,
                                .parent = (pid_t)numbers[ARG_PARENT]};
    table->output = argv[ARG_NAME];
    table->deadline = numbers[ARG_DEADLINE];
    return true;
}

static bool is_socket(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

int output_host_main(int argc, char **argv)
{
    static struct host host = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .decoder = {.limit = FRAME_ENGINE_MAX},
                               .services.table = {.size = sizeof(struct picket_host),
                                                  .version = PICKET_VERSION,
                                                  .log = service_log,
                                                  .value = service_value,
                                                  .printable = service_printable,
                                                  .rotate = service_rotate}};
    struct confinement confinement;

    if (argc != ARG_COUNT || !is_socket(OUTPUT_HOST_SOCKET) ||
        !read_arguments(argv, &host.services.table, &confinement)) {
        fputs("picket: " OUTPUT_HOST_VERB " is the engine's own: it starts one for each output\n",
              stderr);
        return 2;
    }
    /* Not "exe", what the engine starts it by. */
    prctl(PR_SET_NAME, "picket-host");
    host.services.host = &host;
    host.thread = pthread_self();
    fcntl(OUTPUT_HOST_SOCKET, F_SETFD, FD_CLOEXEC);
    is_confined = confinement.parent != 0;
    int r = 0;

    if (is_confined) {
        close_range(OUTPUT_HOST_MODULE + 1, ~0U, 0);
        r = confinement_enter(&confinement);
    }
    if (r < 0)
        fail(&host, arena_printf(&host.arena, "its host cannot be confined: %s", strerror(-r)));
    load_plugin(&host, argv[ARG_PATH]);
    open_plugin(&host);
    serve(&host);
}
