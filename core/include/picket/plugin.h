/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin ABI of picket, version 1: all an output plugin needs to know.
 *
 * A plugin is a shared object that exports one symbol, the constant `picket_plugin` declared at the
 * end of this header:
 *
 *     struct config { int fd; };
 *
 *     static const struct picket_option options[] = {
 *         {.name = "path", .type = PICKET_FILE, .value = "-", .help = "the file to append to",
 *          .offset = offsetof(struct config, fd)},
 *     };
 *
 *     const struct picket_plugin picket_plugin = {
 *         .size = sizeof(struct picket_plugin), .abi = PICKET_ABI,
 *         .name = "mine", .version = "1.0", .help = "writes alerts my way",
 *         .options = options, .option_size = sizeof *options, .option_count = 1,
 *         .config_size = sizeof(struct config),
 *         .open = mine_open, .deliver = mine_deliver, .close = mine_close,
 *     };
 *
 * WHERE A PLUGIN RUNS. Each configured output has a process of its own, its host, which loads this
 * one plugin. The host runs as an unprivileged user without any capability, cannot gain privileges,
 * cannot signal, trace or look into any other process, and has /dev/null as its standard input and
 * output and "/" as its working directory. What a plugin does not state in its `needs` it does not
 * get: without PICKET_NEEDS_NETWORK there is no network, without PICKET_NEEDS_PROGRAMS no program
 * or process can be started (threads can). Files can be read as far as the user may, and nothing
 * can be written but through options of type file and folder. Unix sockets that have a path can be
 * connected to whatever the needs. Where the kernel does not let picket make namespaces (in a
 * container, say), the user's permissions are what keeps files from being written to; all else
 * holds there, too.
 *
 * The host is killed when it does not answer within the output's `deadline`, when it breaks this
 * contract, and when the engine ends. Beyond the output's `cpu` it is held up. What is written to
 * standard error appears, escaped and limited in rate, in the engine's log. Memory beyond the
 * output's `memory` is not to be had: malloc() returns NULL. What would pass that limit by (shared
 * anonymous memory, memfd_create, queues of messages) is refused, and who finds another way is
 * killed. There are 1024 descriptors at most, 1024 threads, and 4096 threads and processes for all
 * hosts together (without root: as many as the starter may have). System calls that are newer than
 * the picket fail with ENOSYS. When the machine runs out of memory, hosts are the first to be
 * killed. SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM and SIGXFSZ are
 * ignored, also by programs that are started. Few environment variables are there: LANG, LC_*, TZ,
 * TERM, NO_COLOR, COLORTERM.
 *
 * LIFE. open, then any number of deliver and flush, then close: once each, always from the same
 * thread, never two at a time. A host that was killed or crashed is started again (with growing
 * pauses), and everything begins anew with open; close is not called in a process that dies. Each
 * callback has the output's `deadline`, and close two seconds. The object may be loaded, and left
 * without open, just to read its table. No exception of C++ and no longjmp() may leave a callback.
 *
 * DELIVERY IS AT LEAST ONCE, IN ORDER. Alerts that a verdict has not settled are offered again,
 * to the next process if need be: a receiver can drop repeats by the alert's id. An alert that ends
 * the plugin's process three times when delivered alone is rejected by the core.
 *
 * MEMORY. Whatever a callback is given, or gets of the host's functions, belongs to the core and is
 * gone when the callback returns, except the config and the host, which stay until close returns;
 * it is not to be written to. Where no option is, the config is zero. The host's functions are for
 * the process that was given them, not for its children. Whatever a plugin puts into the
 * instance is its own. Texts are UTF-8 (what was not is U+FFFD) and end with a NUL, no NUL inside.
 * They may hold any other character, chosen by whoever is being watched: show them on a terminal
 * only through printable().
 *
 * AGEING. Every structure begins with its size as its maker knew it, options aside, of which the
 * descriptor tells the size. New members are only ever added at the end; zero in them means what
 * their absence meant. A plugin therefore asks PICKET_HAS() before it uses a member that is newer
 * than the oldest picket it wants to run in. PICKET_ABI changes only when old plugins can no longer
 * run. Values of enumerations are never reused; a type, flag or need that a picket does not know
 * makes it refuse the plugin. Options that every output has in later pickets have a '-' in their
 * name, which a plugin's cannot. Include nothing but this header, link nothing of picket.
 *
 * UNITS. Times and durations are nanoseconds in int64_t, times since 1970 in UTC; sizes are bytes
 * in int64_t. */
#ifndef PICKET_PLUGIN_H
#define PICKET_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PICKET_ABI 1U

/* Whether the structure at POINTER, made by another version of picket, has MEMBER. */
#define PICKET_HAS(pointer, member) \
    ((pointer)->size >= (size_t)((const char *)(&(pointer)->member + 1) - (const char *)(pointer)))

/* How grave an alert is: Sigma's levels, under the names an alert's JSON has for them. */
enum picket_severity {
    PICKET_INFORMATIONAL = 0,
    PICKET_LOW = 1,
    PICKET_MEDIUM = 2,
    PICKET_HIGH = 3,
    PICKET_CRITICAL = 4
};

enum picket_log_level {
    PICKET_LOG_ERROR = 0,
    PICKET_LOG_WARNING = 1,
    PICKET_LOG_INFO = 2,
    PICKET_LOG_DEBUG = 3
};

/* What a user writes for an option, and what stands at .offset in the config then. Descriptors are
 * the core's: do not close them. Programs that are started do not get them. */
enum picket_option_type {
    PICKET_STRING = 0,   /* any text            const char * (NULL without a value) */
    PICKET_INT = 1,      /* 10, -3, 0x1f        int64_t */
    PICKET_BOOL = 2,     /* true/false, yes/no  int, 1 or 0 */
    PICKET_SIZE = 3,     /* 512, 10KiB, 3MB     int64_t, bytes */
    PICKET_DURATION = 4, /* 250ms, 10s, 1h30m   int64_t, nanoseconds */
    PICKET_ENUM = 5,     /* a word of .choices  int, its place among them, from 0 */
    /* A path, or "-" for picket's standard output     int, a file descriptor (-1 without a value).
     * The engine opens it, as the user who started picket, for appending, and makes it with mode
     * 0640 if it is not there: so a plugin writes where its own user could not. A regular file
     * can be read too, if the user may. Blocking, and perhaps shared with others: do not change its
     * flags. Between two callbacks (SIGUSR1 to the engine, for logrotate), or within rotate(), the
     * same descriptor may come to be another file of that path. */
    PICKET_FILE = 6,
    /* Texts: a list in the configuration, or one; with -o the key repeated.
     * const char *const *, their end a NULL; never NULL itself. .value is one text. */
    PICKET_STRINGS = 7,
    /* The path of a folder, made if it is not there     int, a directory to use with openat() and
     * the like (-1 without a value). What is beneath it can be written to, as far as the user that
     * the host runs as may (one that picket makes is his), and cannot be left through "..". */
    PICKET_FOLDER = 8,
    /* A path          int, a Unix stream socket that is bound there and listens (-1 without a
     * value): accept() from it. The engine binds it; its mode is 0660, its group that of the folder
     * it is in. It outlives the host: connections wait for the next one. Does not block. */
    PICKET_SOCKET = 9
};

enum picket_option_flag {
    PICKET_REQUIRED = 1, /* the user must give it; .value is not used */
    /* PICKET_STRING and _STRINGS: a password. The user names a file or a credential of systemd that
     * holds it, and the engine reads it, as the user who started picket, without the line break at
     * its end: {file: PATH}, {credential: NAME}, or with -o KEY.file=PATH. It is never shown in a
     * message or a listing, and masked in what the plugin logs. */
    PICKET_SECRET = 2,
    PICKET_ROTATES = 4 /* PICKET_FILE: the plugin may ask rotate() for it */
};

/* An option the output takes, from the configuration or from `-o NAME,key=value`. The core checks
 * what the user wrote and shows mistakes with their place; the plugin sees only valid values. Texts
 * are UTF-8 of 512 bytes at most and hold no line break. */
struct picket_option {
    /* Lower-case letters, digits and '_', a letter first, 64 at most. None that every output has:
     * name, deadline, queue, queue_size, batch, memory, cpu, run_as, sha256, format, template,
     * redact, forward, respond_to, dry_run, respond_limit. */
    const char *name;
    const char *value;   /* the default, written as a user would; NULL: zero, NULL or -1 */
    const char *help;    /* one line */
    const char *choices; /* PICKET_ENUM: "auto|always|never" */
    int64_t min, max;    /* PICKET_INT, _SIZE, _DURATION: inclusive; both 0: any */
    size_t offset;       /* offsetof() in the config; aligned for its type */
    uint32_t type;       /* enum picket_option_type */
    uint32_t flags;      /* enum picket_option_flag, or'ed */
};

enum picket_kind {
    PICKET_KIND_ALERT = 0,
    PICKET_KIND_EVENT = 1 /* something happened, whatever rules say of it */
};

struct picket_alert {
    size_t size;
    const char *id;      /* unique; repeats of the same alert have the same */
    int64_t time;        /* when what it tells of happened */
    const char *host;    /* the name of the machine */
    const char *rule;    /* id of the rule, "tmp-binary" */
    const char *title;   /* of the rule, one line for people */
    const char *message; /* of this alert, one line for people */
    const char *json;    /* the whole alert, one object on one line, no newline behind it */
    size_t json_len;     /* strlen(json) */
    /* The alert as the user wants to see it at this output (its settings `format`, `template`), one
     * line, no newline behind it: what to write where there is no reason to write something else.
     * Where `redact` is set, secrets are masked in it, in the JSON and in the message alike. */
    const char *text;
    size_t text_len;  /* strlen(text) */
    int32_t severity; /* enum picket_severity */
    /* enum picket_kind. An event comes where the user set `forward: events`: its JSON is that of
     * the event itself; its rule and title are "", its message says what happened; its severity is
     * PICKET_INFORMATIONAL. It is delivered as an alert is, and so is what comes to be of another
     * kind later. */
    uint32_t kind;
};

/* What the core does for a plugin. The functions take the host they belong to. */
struct picket_host {
    size_t size;
    const char *output;  /* the name of this output in the user's configuration */
    const char *version; /* of picket, "0.1.0" */
    int64_t deadline;    /* how long a callback may take: wait for nobody longer than that */

    /* Says TEXT (copied; one line, escaped for terminals) in the engine's log, behind the output's
     * name. Beyond some 20 lines a second, lines are counted and not shown. From any thread. */
    void (*log)(const struct picket_host *host, int level, const char *text);

    /* The value at a dotted PATH in the alert's JSON, "event.parent.comm", "rule.tags.0", as text:
     * a string as it is, numbers and booleans as JSON has them, lists and objects as JSON. NULL
     * when there is none, or null. Within deliver only, from its thread, for its alerts. */
    const char *(*value)(const struct picket_host *host, const struct picket_alert *alert,
                         const char *path);

    /* TEXT made fit for a terminal: control characters, changes of writing direction and bytes
     * that are not UTF-8 escaped. Within a callback only, from its thread; valid until the callback
     * returns. NULL when out of memory, or when TEXT is NULL. */
    const char *(*printable)(const struct picket_host *host, const char *text);

    /* Begins the file of OPTION (PICKET_FILE with PICKET_ROTATES) anew: PATH is renamed to PATH.1,
     * what was PATH.1 to PATH.2 and so on, KEEP of them (1 to 1000) are kept; the descriptor then
     * is a new PATH. 0, or a negative number and all is as before: the log says why, and a plugin
     * had better go on writing. That it is no file to be renamed (a pipe, "-") is such a reason.
     * Within deliver and flush only, from their thread. */
    int (*rotate)(const struct picket_host *host, const char *option, uint32_t keep);

    /* Asks for MEASURE (enum picket_measure) against the process that ALERT is about: of its event
     * the one that pid and start_time name, also when it executes another program by now. A plugin
     * can only ask. The engine decides, by what it knows itself and not by what the plugin says of
     * it: the alert was given to this output and is not settled, its rule is in the output's
     * `respond_to`, its event is of this machine and a minute old at most, and there were fewer
     * than `respond_limit` within a minute. A process of its own then makes sure that it is still
     * the very process, none of picket's and none of the system's, and signals it. Every decision
     * is in the engine's log, and an alert of its own.
     *
     * Returns an enum picket_response; or a negative number: the measure could not be taken, or
     * may not be asked for: not an alert of this batch, no such measure, or PICKET_NEEDS_RESPONSE
     * is not stated. Whatever is returned, the alert is dealt with: for one alert only the first
     * question is decided, each further one in a batch is refused. Takes a second at most.
     * Within deliver only, from its thread. */
    int (*respond)(const struct picket_host *host, const struct picket_alert *alert,
                   uint32_t measure);

    /* What the output's setting `format` says of the alerts' text: "text" is a line of the user's
     * making, anything else ("picket", "ecs", "ocsf") a JSON object. */
    const char *format;
};

/* What can be done to a process. */
enum picket_measure {
    PICKET_STOP = 1, /* SIGSTOP: it waits until somebody sends it SIGCONT */
    PICKET_KILL = 2  /* SIGKILL */
};

/* What became of a question. A picket to come may know others: take them for PICKET_REFUSED. */
enum picket_response {
    PICKET_RESPONDED = 0, /* the process has got the signal */
    PICKET_DRY_RUN = 1,   /* it would have, but the output is set to `dry_run` */
    PICKET_GONE = 2,      /* it has ended, or its pid is another process's by now */
    PICKET_REFUSED = 3    /* what the user or picket allows forbids it */
};

enum picket_action {
    PICKET_OK = 0,    /* the first .delivered are delivered; if some are left, they come again */
    PICKET_RETRY = 1, /* those too; offer the others again in .retry_ms */
    /* Those too; the next .rejected can never be delivered: count them, go on behind them. */
    PICKET_REJECT = 2
};

/* What became of a batch. Zeroed before deliver is called, but for its size: a plugin that sets
 * .delivered to the number of alerts it was given has said all. */
struct picket_verdict {
    size_t size;
    size_t delivered; /* how many from the front of the batch need no more care */
    /* PICKET_REJECT: how many after the delivered ones can never be delivered; 0 counts as 1. A
     * receiver that is gone for good is a reason to reject all that is left of the batch. */
    size_t rejected;
    uint32_t action;   /* enum picket_action, about what follows them */
    uint32_t retry_ms; /* PICKET_RETRY: what is not from 10 to 3,600,000 becomes the nearest */
    /* For people, one line: why retry or reject. Read when deliver returns. NULL with PICKET_RETRY:
     * nothing is wrong, and the log tells nothing. */
    const char *reason;
};

/* What a plugin cannot do without. */
enum picket_need {
    PICKET_NEEDS_NETWORK = 1, /* sockets of IPv4 and IPv6, in the machine's network */
    /* Starting programs and processes, which get what the host has: user, limits, network if that
     * is needed too. They see no process but their own kind, may write what the user may, and are
     * killed with the host. */
    PICKET_NEEDS_PROGRAMS = 2,
    /* Asking to respond(). The user must name the rules, in the output's `respond_to`: it gets the
     * alerts of these alone, and none about picket itself. */
    PICKET_NEEDS_RESPONSE = 4
};

struct picket_plugin {
    size_t size;         /* sizeof(struct picket_plugin) */
    uint32_t abi;        /* PICKET_ABI */
    uint32_t needs;      /* enum picket_need, or'ed */
    const char *name;    /* "syslog": as an option's, or with '-' */
    const char *version; /* of the plugin */
    const char *help;    /* one line: what it does with alerts */

    const struct picket_option *options;
    size_t option_size;  /* sizeof(struct picket_option) */
    size_t option_count; /* 64 at most */
    size_t config_size;  /* of the plugin's config structure, 64 KiB at most */

    /* The most alerts one deliver should get, 0 for the core's own choice. A plugin that
     * takes long over one alert wants few: the deadline is that of the whole batch. */
    size_t batch_max;

    /* Makes *INSTANCE (may stay NULL) from CONFIG. 0, or any negative number: then the text last
     * logged at PICKET_LOG_ERROR is shown to the user as the reason, and close is not called. Fail
     * for what the user must put right; a receiver that is merely away is a matter for deliver. */
    int (*open)(const struct picket_host *host, const void *config, void **instance);

    /* Delivers COUNT alerts (1 at least), oldest first. To take only some of them and return is
     * good manners when a receiver is slow. Neither more delivered and rejected than given, nor
     * none delivered with PICKET_OK: such a verdict breaks the contract, and the host is killed. */
    void (*deliver)(void *instance, const struct picket_alert *const *alerts, size_t count,
                    struct picket_verdict *verdict);

    /* Brings what was delivered to where it survives, before picket ends. 0 or a negative number
     * (say why through log). NULL: nothing to do. */
    int (*flush)(void *instance);

    /* Ends the instance. NULL: nothing to do. */
    void (*close)(void *instance);
};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct picket_plugin picket_plugin;

#ifdef __cplusplus
}
#endif

#endif
