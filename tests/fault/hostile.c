/* A plugin that does, as its option `mode` says, what a plugin must not. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "picket/plugin.h"

#ifndef HOSTILE_NEEDS
#define HOSTILE_NEEDS 0
#endif

/* Where the core keeps its socket to the engine: a plugin is not told, but can find out. */
#define SOCKET 3

enum mode {
    MODE_ABORT,         /* at every alert */
    MODE_ABORT_AT,      /* at the alert whose id is `at` */
    MODE_ABORT_TENTH,   /* at the tenth of each life */
    MODE_SLEEP,         /* for ever */
    MODE_EXIT,          /* while delivering */
    MODE_MANY,          /* says it delivered more than it was given */
    MODE_MANY_REJECTED, /* says it rejects more than it was given */
    MODE_MOST_REJECTED, /* says it rejects as many as there are numbers */
    MODE_ONE_TOO_MANY,  /* says it delivered all, and rejects one more */
    MODE_NONE,          /* says all is well, and that it delivered nothing */
    MODE_ACTION,        /* an action there is not */
    MODE_FRAME,         /* bytes that are no frame */
    MODE_LONG_FRAME,    /* a frame that claims to be 4 GB long */
    MODE_FOREIGN,       /* a frame a host does not send */
    MODE_CLOSE_SOCKET,  /* and goes on */
    MODE_SPAM,          /* 20,000 lines of log an alert */
    MODE_STDERR,        /* 2 MB on standard error */
    MODE_LAST_WORDS,    /* on standard error, without a newline */
    MODE_OPEN_FAILS,
    MODE_OPEN_SLEEPS,
    MODE_SLOW,            /* one alert a call, a millisecond each */
    MODE_REJECT,          /* the alert `at` */
    MODE_REJECT_HALF,     /* the later half of a batch, once it has `at` alerts */
    MODE_RETRY,           /* the alert `at`, three times */
    MODE_HOARD,           /* takes memory until there is none, then delivers */
    MODE_HOARD_READ_ONLY, /* memory of which RLIMIT_DATA does not know any more, then sleeps */
    MODE_HOARD_ZERO,      /* memory of /dev/zero, likewise */
    MODE_CROWD,           /* leaves processes behind that say lines of log for ever, and dies */
    MODE_FORESEE,         /* reads no further batch, and says of each that it is delivered */
    MODE_ROTATE,          /* asks for its file to be begun anew, for ever, waiting for no answer */
    MODE_DESCRIPTORS,     /* writes to each that there is */
    MODE_BURN,            /* in a thread, from the first alert on, and delivers */
    MODE_CLOSE_ABORTS,
    MODE_CLOSE_CLOSES, /* what is the core's */
    MODE_NONBLOCKING,  /* makes it so, what is the core's */
    MODE_FLUSH_FAILS,
    MODE_CLINGS,  /* to the file that it was given first */
    MODE_THREADS, /* as many as it can have */
    MODE_BABBLE,  /* lines of log, for ever */
    MODE_REJECT_SILENTLY,
    MODE_FAULTLESS
};

struct config {
    int mode;
    int fd;
    int64_t at;
};

static const struct picket_option options[] = {
    {.name = "mode",
     .type = PICKET_ENUM,
     .choices =
         "abort|abort_at|abort_tenth|sleep|exit|many|many_rejected|most_rejected|one_too_many|none|"
         "action|frame|long_frame|foreign|close_socket|"
         "spam|stderr|last_words|open_fails|open_sleeps|slow|reject|reject_half|retry|"
         "hoard|hoard_read_only|hoard_zero|crowd|foresee|rotate|"
         "descriptors|burn|close_aborts|close_closes|"
         "nonblocking|flush_fails|clings|threads|babble|reject_silently|faultless",
     .flags = PICKET_REQUIRED,
     .help = "what to do",
     .offset = offsetof(struct config, mode)},
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_ROTATES,
     .help = "gets the JSON of what is delivered",
     .offset = offsetof(struct config, fd)},
    {.name = "at",
     .type = PICKET_INT,
     .value = "0",
     .help = "number of an alert",
     .offset = offsetof(struct config, at)},
};

struct hostile {
    const struct picket_host *host;
    const struct config *config;
    int retries;
    unsigned taken;
};

static void sleep_forever(void)
{
    for (;;)
        pause();
}

static void send_bytes(const void *bytes, size_t len)
{
    ssize_t sent = send(SOCKET, bytes, len, MSG_NOSIGNAL);

    (void)sent;
    sleep_forever();
}

static void spam(const struct hostile *hostile)
{
    char line[64];

    for (int i = 0; i < 20000; i++) {
        snprintf(line, sizeof line, "line %d \033[2J of very many", i);
        hostile->host->log(hostile->host, PICKET_LOG_WARNING, line);
    }
}

static void shout(void)
{
    char line[1025];

    memset(line, '!', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 2048; i++)
        if (write(STDERR_FILENO, line, sizeof line) < 0)
            _exit(1);
}

/* By mmap(), as malloc() may be a sanitizer's, which takes no for an end. */
static void hoard(void)
{
    const size_t size = 1 << 20;
    char *pieces[4096];
    size_t count = 0;

    while (count < sizeof pieces / sizeof *pieces) {
        pieces[count] =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pieces[count] == MAP_FAILED)
            break;
        pieces[count++][0] = 1;
    }
    if (count == sizeof pieces / sizeof *pieces)
        abort();
    while (count)
        munmap(pieces[--count], size);
}

#define PIECE  ((size_t)16 << 20)
#define PIECES 48

/* A gigabyte nearly, a piece at a time, of what MAKE takes. */
static void hoard_pieces(char *(*make)(size_t size))
{
    for (int i = 0; i < PIECES; i++) {
        char *piece = make(PIECE);

        if (piece)
            for (size_t at = 0; at < PIECE; at += 4096)
                (void)*(volatile char *)(piece + at);
    }
    sleep_forever();
}

/* What is not to be written to any more is nobody's private memory to RLIMIT_DATA. */
static char *make_read_only(size_t size)
{
    char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (piece == MAP_FAILED)
        return NULL;
    memset(piece, 1, size);
    return mprotect(piece, size, PROT_READ) == 0 ? piece : NULL;
}

static char *make_of_zero(size_t size)
{
    int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
    char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);

    close(zero);
    return piece == MAP_FAILED ? NULL : piece;
}

/* More lines at once than anybody can read while the next are written. */
static void talk_forever(void)
{
    static const unsigned char line[] = {10, 0, 0, 0, 10, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 'x', 0};
    static char lines[sizeof line * 4096];

    for (size_t at = 0; at < sizeof lines; at += sizeof line)
        memcpy(lines + at, line, sizeof line);
    for (;;)
        if (send(SOCKET, lines, sizeof lines, MSG_NOSIGNAL) < 0)
            _exit(0);
}

static void babble(const struct hostile *hostile)
{
    for (;;)
        hostile->host->log(hostile->host, PICKET_LOG_DEBUG, "x");
}

__attribute__((no_sanitize("address", "thread"))) static int wait_forever(void *nothing)
{
    for (;;)
        syscall(SYS_pause);
    return nothing != NULL;
}

/* By clone(), as pthread_create() may be a sanitizer's, which has its own idea of how many. */
static void start_threads(void)
{
    const int flags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    const size_t stack = 4096, most = 5000;
    char *stacks =
        mmap(NULL, most * stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (stacks == MAP_FAILED)
        abort();
    for (size_t i = 1; i <= most && clone(wait_forever, stacks + i * stack, flags, NULL) >= 0; i++)
        continue;
    sleep_forever();
}

static void shout_forever(void)
{
    static char bytes[65536];

    memset(bytes, '\n', sizeof bytes);
    for (;;)
        if (write(STDERR_FILENO, bytes, sizeof bytes) < 0)
            _exit(0);
}

/* One alone at the socket: several would talk across each other. */
static void leave_a_crowd(void)
{
    if (fork() == 0)
        talk_forever();
    for (int i = 0; i < 3; i++)
        if (fork() == 0)
            shout_forever();
    usleep(100000);
    _exit(3);
}

static void foresee(void)
{
    unsigned char verdict[] = {29, 0, 0, 0, 8, 0, 1, 0, /* header */
                               1,  0, 0, 0, 0, 0, 0, 0, /* batch */
                               1,  0, 0, 0, 0, 0, 0, 0, /* delivered, rejected */
                               0,  0, 0, 0, 0, 0, 0, 0, /* action, pause */
                               0,  0, 0, 0, 0};         /* reason */

    for (; send(SOCKET, verdict, sizeof verdict, MSG_NOSIGNAL) > 0; verdict[8]++)
        usleep(50000);
    sleep_forever();
}

static void ask_to_rotate_forever(void)
{
    static const unsigned char wish[] = {8,    0,    0, 0, 11, 0, 1, 0, /* header */
                                         1,    0,    0, 0,              /* path */
                                         0xe8, 0x03, 0, 0};             /* 1000 to be kept */
    char answer[65536];

    while (send(SOCKET, wish, sizeof wish, MSG_NOSIGNAL) > 0)
        while (recv(SOCKET, answer, sizeof answer, MSG_DONTWAIT) > 0)
            continue;
    sleep_forever();
}

static void write_everywhere(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (write(fd, "garbage\n", 8) < 0)
            continue;
}

static void *burn(void *nothing)
{
    for (volatile unsigned long i = 0;; i++)
        continue;
    return nothing;
}

static void burn_from_now_on(void)
{
    static pthread_t thread;

    if (!thread && pthread_create(&thread, NULL, burn, NULL) != 0)
        abort();
}

static int keep(const struct hostile *hostile, const struct picket_alert *alert)
{
    static int first = -1;

    if (hostile->config->fd < 0)
        return 0;
    if (first < 0)
        first = fcntl(hostile->config->fd, F_DUPFD_CLOEXEC, 0);
    return dprintf(hostile->config->mode == MODE_CLINGS ? first : hostile->config->fd, "%s\n",
                   alert->json) < 0
               ? -errno
               : 0;
}

static int is_at(const struct hostile *hostile, const struct picket_alert *alert)
{
    return strtoll(alert->id, NULL, 10) == hostile->config->at;
}

static void deliver_all(const struct hostile *hostile, const struct picket_alert *const *alerts,
                        size_t count, struct picket_verdict *verdict)
{
    while (verdict->delivered < count && keep(hostile, alerts[verdict->delivered]) == 0)
        verdict->delivered++;
}

/* Up to the alert it is about. */
static int deliver_until(struct hostile *hostile, const struct picket_alert *const *alerts,
                         size_t count, struct picket_verdict *verdict)
{
    size_t i = 0;

    while (i < count && !is_at(hostile, alerts[i]))
        i++;
    deliver_all(hostile, alerts, i, verdict);
    return i < count;
}

static void fail_at(struct hostile *hostile, const struct picket_alert *const *alerts, size_t count,
                    struct picket_verdict *verdict)
{
    static const char *const why = "not \033[31mthis\033[0m one";

    if (!deliver_until(hostile, alerts, count, verdict))
        return;
    if (hostile->config->mode == MODE_ABORT_AT)
        abort();
    if (hostile->config->mode == MODE_RETRY && hostile->retries++ == 3) {
        verdict->delivered++;
        keep(hostile, alerts[verdict->delivered - 1]);
        return;
    }
    verdict->reason = why;
    verdict->retry_ms = 20;
    verdict->action = hostile->config->mode == MODE_RETRY ? PICKET_RETRY : PICKET_REJECT;
}

static void abort_at_tenth(struct hostile *hostile, const struct picket_alert *const *alerts,
                           size_t count, struct picket_verdict *verdict)
{
    hostile->taken += count;
    if (hostile->taken >= 10)
        abort();
    deliver_all(hostile, alerts, count, verdict);
}

static void reject_half(const struct hostile *hostile, const struct picket_alert *const *alerts,
                        size_t count, struct picket_verdict *verdict)
{
    verdict->action = PICKET_RETRY;
    if ((int64_t)count < hostile->config->at)
        return;
    deliver_all(hostile, alerts, count / 2, verdict);
    verdict->action = PICKET_REJECT;
    verdict->rejected = count - verdict->delivered;
}

static void misbehave(struct hostile *hostile, size_t count, struct picket_verdict *verdict)
{
    static const unsigned char long_frame[] = {0xff, 0xff, 0xff, 0xff, 8, 0, 1, 0};
    static const unsigned char foreign[] = {0, 0, 0, 0, 4, 0, 1, 0};

    switch ((enum mode)hostile->config->mode) {
    case MODE_ABORT:
        abort();
    case MODE_LAST_WORDS:
        fputs("and then it was dark", stderr);
        abort();
    case MODE_SLEEP:
        sleep_forever();
        break;
    case MODE_EXIT:
        exit(7);
    case MODE_MANY:
        verdict->delivered = count + 1;
        break;
    case MODE_MANY_REJECTED:
        verdict->action = PICKET_REJECT;
        verdict->rejected = count + 1;
        break;
    case MODE_MOST_REJECTED:
        verdict->action = PICKET_REJECT;
        verdict->rejected = SIZE_MAX;
        break;
    case MODE_ONE_TOO_MANY:
        verdict->delivered = count;
        verdict->action = PICKET_REJECT;
        break;
    case MODE_ACTION:
        verdict->delivered = count;
        verdict->action = 77;
        break;
    case MODE_FRAME:
        send_bytes("HTTP/1.1 200 OK\r\n\r\n", 19);
        break;
    case MODE_LONG_FRAME:
        send_bytes(long_frame, sizeof long_frame);
        break;
    case MODE_FOREIGN:
        send_bytes(foreign, sizeof foreign);
        break;
    case MODE_CLOSE_SOCKET:
        close(SOCKET);
        sleep_forever();
        break;
    case MODE_HOARD_READ_ONLY:
        hoard_pieces(make_read_only);
        break;
    case MODE_HOARD_ZERO:
        hoard_pieces(make_of_zero);
        break;
    case MODE_THREADS:
        start_threads();
        break;
    case MODE_CROWD:
        leave_a_crowd();
        break;
    case MODE_FORESEE:
        foresee();
        break;
    case MODE_ROTATE:
        ask_to_rotate_forever();
        break;
    case MODE_DESCRIPTORS:
        write_everywhere();
        sleep_forever();
        break;
    default: /* MODE_NONE: a verdict that says nothing */
        break;
    }
}

static void hostile_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    struct hostile *hostile = instance;

    switch ((enum mode)hostile->config->mode) {
    case MODE_ABORT_AT:
    case MODE_REJECT:
    case MODE_RETRY:
        fail_at(hostile, alerts, count, verdict);
        return;
    case MODE_ABORT_TENTH:
        abort_at_tenth(hostile, alerts, count, verdict);
        return;
    case MODE_REJECT_HALF:
        reject_half(hostile, alerts, count, verdict);
        return;
    case MODE_SLOW:
        nanosleep(&moment, NULL);
        deliver_all(hostile, alerts, 1, verdict);
        return;
    case MODE_BABBLE:
        babble(hostile);
        break;
    case MODE_SPAM:
        spam(hostile);
        break;
    case MODE_STDERR:
        shout();
        break;
    case MODE_HOARD:
        hoard();
        break;
    case MODE_BURN:
        burn_from_now_on();
        break;
    case MODE_NONBLOCKING:
        fcntl(hostile->config->fd, F_SETFL, O_APPEND | O_NONBLOCK);
        break;
    case MODE_REJECT_SILENTLY:
        verdict->action = PICKET_REJECT;
        return;
    case MODE_CLOSE_ABORTS:
    case MODE_CLOSE_CLOSES:
    case MODE_FLUSH_FAILS:
    case MODE_CLINGS:
    case MODE_FAULTLESS:
        break;
    default:
        misbehave(hostile, count, verdict);
        return;
    }
    deliver_all(hostile, alerts, count, verdict);
}

static int hostile_open(const struct picket_host *host, const void *config, void **instance)
{
    struct hostile *hostile = calloc(1, sizeof *hostile);

    if (!hostile)
        return -1;
    hostile->host = host;
    hostile->config = config;
    if (hostile->config->mode == MODE_OPEN_SLEEPS)
        sleep_forever();
    if (hostile->config->mode == MODE_OPEN_FAILS) {
        host->log(host, PICKET_LOG_ERROR, "the moon is not in the right phase");
        free(hostile);
        return -1;
    }
    *instance = hostile;
    return 0;
}

static int hostile_flush(void *instance)
{
    const struct hostile *hostile = instance;

    return hostile->config->mode == MODE_FLUSH_FAILS ? -1 : 0;
}

static void hostile_close(void *instance)
{
    struct hostile *hostile = instance;

    if (hostile->config->mode == MODE_CLOSE_ABORTS)
        abort();
    if (hostile->config->mode == MODE_CLOSE_CLOSES)
        close(hostile->config->fd);
    if (hostile->config->mode == MODE_FAULTLESS && hostile->config->fd >= 0)
        dprintf(hostile->config->fd, "closed\n");
    free(hostile);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = HOSTILE_NEEDS,
    .name = "hostile",
    .version = "1.0",
    .help = "breaks every promise a plugin makes",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = hostile_open,
    .deliver = hostile_deliver,
    .flush = hostile_flush,
    .close = hostile_close,
};
