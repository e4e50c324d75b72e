/* Delivery: hands alerts to the output plugins, each in a host process of its own.
 *
 *     engine thread ─ delivery_push() ─▶ a bounded queue an output ─▶ delivery thread ═▶ hosts
 *
 * The delivery thread owns hosts, sockets and timers; it alone waits. A host that crashes,
 * hangs or talks nonsense is killed and started again, and costs the other outputs nothing. Hosts
 * are children of a broker (launcher.h): who delivers needs no privileges after delivery_new().
 * Delivery is at least once and in order, as long as the engine lives; what does not fit a queue is
 * dropped and counted. For every output, at any moment:
 *
 *     offered = delivered + rejected + dropped + queued
 *
 * All functions may be called from any thread; delivery_free() by the last one: no push or drain
 * may be under way in it. */
#ifndef PICKET_OUTPUT_DELIVERY_H
#define PICKET_OUTPUT_DELIVERY_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "output/output_config.h"

/* Outputs an engine may have: a route is a bit an output. */
#define DELIVERY_OUTPUTS_MAX 64
#define DELIVERY_ALL         UINT64_MAX

/* An alert whose texts, its JSON among them, are longer in all is rejected by every output. */
#define DELIVERY_ALERT_MAX ((size_t)4 << 20)

struct delivery_options {
    const struct output_config *outputs; /* borrowed until delivery_new() returns */
    size_t output_count;
    const char *plugin_dir; /* where plugins are looked for; NULL: see plugin_path.h */
    /* Whom hosts become, and the process that starts them, when this one may choose (it is root);
     * 0: 65534, "nobody". */
    uid_t uid, launcher_uid;
    gid_t gid, launcher_gid;
};

/* All borrowed until delivery_push() returns. The members besides `json` say what it says: plugins
 * get them without parsing. */
struct delivery_alert {
    struct text id, host, rule, title, message;
    struct text json; /* one line, valid JSON */
    int64_t time;
    int severity; /* enum picket_severity, "picket/plugin.h" */
};

enum delivery_state {
    DELIVERY_STARTING, /* the host loads and opens the plugin */
    DELIVERY_READY,
    DELIVERY_WAITING, /* the plugin asked to be tried again later */
    DELIVERY_DOWN     /* the host died, or was killed and is dying; another will be started */
};

struct delivery_counters {
    const char *output; /* its name; valid as long as the delivery */
    const char *plugin; /* path of its plugin; likewise */
    enum delivery_state state;
    pid_t pid; /* of the host, also while it is dying; 0 without one */
    uint64_t offered, delivered, rejected, dropped, queued;
    uint64_t retries;    /* verdicts that asked for one */
    uint64_t crashes;    /* hosts that died of themselves or of a stranger's signal */
    uint64_t hangs;      /* hosts killed for missing a deadline */
    uint64_t garbage;    /* hosts killed for breaking the protocol or the contract */
    uint64_t restarts;   /* hosts started after the first */
    uint64_t suppressed; /* log lines beyond the rate */
};

struct delivery;

/* Starts a host an output, checks every option against the plugin's table, then opens all, and the
 * files they name. Mistakes are diagnosed, those of all outputs in one pass: then the result is
 * -EINVAL and nothing is left running. Blocks until all are open, or have missed their deadline.
 * -errno for what is not the user's doing. For a process of one thread: it forks, and starts none.
 */
int delivery_new(const struct delivery_options *options, struct diag_list *diags,
                 struct delivery **out);

/* Starts the thread: nothing is delivered before. Once. -errno. */
int delivery_start(struct delivery *delivery);

/* Stops all hosts: those that are idle get a moment to close their plugin. NULL is fine. What is
 * queued then is lost; delivery_counters() before says how much. */
void delivery_free(struct delivery *delivery);
DEFINE_FREEP(struct delivery, delivery)

/* Whether an output's user wants exe.sha256 in its alerts. */
bool delivery_asks_sha256(const struct delivery *delivery);

/* Whether nothing can be delivered any more, nor will be: the launcher is gone. Said once. */
bool delivery_is_broken(struct delivery *delivery);

/* Offers ALERT to the outputs of ROUTE, a bit an output (1 << index, or DELIVERY_ALL). Never blocks
 * unless WAIT: then it waits for room in all their queues, unless the delivery is broken. 0;
 * -EMSGSIZE: too long, counted as rejected; -ENOMEM: counted as dropped. */
int delivery_push(struct delivery *delivery, const struct delivery_alert *alert, uint64_t route,
                  bool wait);

/* Waits until every queue is empty and every plugin flushed. -ETIMEDOUT after TIMEOUT nanoseconds;
 * -EPIPE: broken. */
int delivery_drain(struct delivery *delivery, int64_t timeout);

/* Outputs have the order of the options. */
size_t delivery_output_count(const struct delivery *delivery);
void delivery_counters(struct delivery *delivery, size_t index, struct delivery_counters *out);

#endif
