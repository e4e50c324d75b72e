/* Delivery: hands alerts to the output plugins, each in a host process of its own.
 *
 *     engine thread ─ delivery_push() ─▶ intake ─▶ delivery thread ─▶ journal
 *                                                    └─▶ a bounded queue an output ═▶ hosts
 *
 * The delivery thread owns the journal, hosts, sockets and timers; it alone waits. A host that
 * crashes, hangs or talks nonsense is killed and started again, and costs the other outputs
 * nothing. Hosts are children of a broker (launcher.h): who delivers needs no privileges after
 * delivery_new().
 *
 * Delivery is at least once and in order, from the alert's commit to the journal on: across
 * crashes of hosts, of the engine and of the machine (backlog.h). Without a journal it is so as
 * long as the engine lives; what does not fit an output's queue is then dropped. For every output,
 * at any moment:
 *
 *     offered = delivered + rejected + dropped + expired + queued
 *
 * All functions may be called from any thread; delivery_free() by the last one: no push or drain
 * may be under way in it. */
#ifndef PICKET_OUTPUT_DELIVERY_H
#define PICKET_OUTPUT_DELIVERY_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "host/host_spawn.h"
#include "journal/journal.h"
#include "picket/plugin.h"
#include "plugin/alert_frame.h"
#include "plugin/output_config.h"

/* Outputs an engine may have: a route is a bit an output. */
#define DELIVERY_OUTPUTS_MAX 64
#define DELIVERY_ALL         UINT64_MAX

struct delivery_options {
    const struct output_config *outputs; /* borrowed until delivery_new() returns */
    size_t output_count;
    const char *plugin_dir; /* where plugins are looked for; NULL: see plugin_path.h */
    /* Whom hosts become whose output does not say (run_as), and the process that starts them, when
     * this one may choose (it is root); 0: 65534, "nobody". */
    uid_t uid, launcher_uid;
    gid_t gid, launcher_gid;
    const struct host_tool *tool; /* what to run hosts under, unconfined; NULL: nothing. Borrowed */
    /* Where alerts are kept, from when delivery_new() succeeds the delivery's own; NULL: they wait
     * in queues alone. */
    struct journal *journal;
    /* Alerts are of what happens on this machine now: else no output responds to any (response.h).
     */
    bool live;
    /* What alerts are raised from can wait: who pushes them is kept until the journal has taken
     * some, as long as it works, for DELIVERY_PATIENCE at most. */
    bool patient;
};

#define DELIVERY_PATIENCE 5000000000LL /* ns */

enum delivery_state {
    DELIVERY_STARTING, /* the host loads and opens the plugin */
    DELIVERY_READY,
    DELIVERY_WAITING, /* the plugin asked to be tried again later */
    DELIVERY_DOWN     /* the host died, or was killed and is dying; another will be started */
};

struct delivery_counters {
    const char *output; /* its name; valid as long as the delivery */
    bool forwards;      /* events */
    const char *plugin; /* path of its plugin; likewise */
    enum delivery_state state;
    pid_t pid;        /* of the host, also while it is dying; 0 without one */
    uint64_t offered; /* at start: what it has not got yet of what is journalled for it */
    uint64_t delivered, rejected;
    uint64_t dropped;    /* no room */
    uint64_t expired;    /* retention took it from the journal before */
    uint64_t queued;     /* not settled yet, in the journal or in memory */
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
 * queued then is delivered by the next run, from the journal; without one it is lost, and
 * delivery_counters() before says how much. */
void delivery_free(struct delivery *delivery);
DEFINE_FREEP(struct delivery, delivery)

/* Has outputs go on in the files that their paths lead to now: somebody has moved the old ones. */
void delivery_reopen(struct delivery *delivery);

/* The outputs that forward events, a bit an output: the route of events. */
uint64_t delivery_forwarding(const struct delivery *delivery);

/* The ids of the rules that output INDEX may respond to, *COUNT of them; they live as long as the
 * delivery. None where its plugin does not respond. */
const struct text *delivery_respond_to(const struct delivery *delivery, size_t index,
                                       size_t *count);

/* Whether an output's user wants exe.sha256 in its alerts. */
bool delivery_asks_sha256(const struct delivery *delivery);

/* Whether nothing can be delivered any more, nor will be: the launcher is gone. Said once. */
bool delivery_is_broken(struct delivery *delivery);

/* Offers ALERT to the outputs of ROUTE, a bit an output (1 << index, or DELIVERY_ALL). Outputs that
 * forward events get events and alerts that are this engine's own, and nothing else; none of it by
 * way of the journal: what their queues have no room for is dropped, events a little before alerts
 * so that these can tell of it. Others get alerts. Never blocks
 * unless the delivery is patient, or unless WAIT and there is no journal: then it waits for room in
 * all their queues, unless the delivery is broken. 0; -EMSGSIZE: too long, counted as rejected;
 * -ENOMEM, -ENOBUFS (the delivery thread cannot keep up): counted as dropped. */
int delivery_push(struct delivery *delivery, const struct delivery_alert *alert, uint64_t route,
                  bool wait);

/* Stands for all that was pushed until now. */
uint64_t delivery_mark(struct delivery *delivery);

/* Whether all that was pushed before MARK is committed to the journal: whatever it was raised from
 * need not come again. Of nothing new while the journal fails; without one, of nothing. Lost: some
 * of it is not in the journal and never will be, as there was no room for it while the disk failed
 * or could not keep up: what it was raised from has to come again, under another mark. That is said
 * of all older marks, too. An alert too long for delivery_push() counts as kept: it would be so
 * each time. */
bool delivery_is_kept(struct delivery *delivery, uint64_t mark);
bool delivery_is_lost(struct delivery *delivery, uint64_t mark);

/* Waits until nothing is queued and every plugin flushed. -ETIMEDOUT after TIMEOUT nanoseconds;
 * -EPIPE: broken. */
int delivery_drain(struct delivery *delivery, int64_t timeout);

/* Outputs have the order of the options. */
size_t delivery_output_count(const struct delivery *delivery);
void delivery_counters(struct delivery *delivery, size_t index, struct delivery_counters *out);

/* What happened to alerts, or to the journal, that is to be alerted on. */
enum delivery_news_kind {
    DELIVERY_JOURNAL_FAILED,   /* alerts are not journalled any more: `why` */
    DELIVERY_JOURNAL_WORKS,    /* they are again; `count` were not */
    DELIVERY_JOURNAL_REPLACED, /* it was damaged (`why`) and set aside; another was begun */
    DELIVERY_ENDED,            /* the run before ended with `count` alerts not journalled */
    DELIVERY_ENDED_UNKNOWN,    /* likewise, and nobody knows how many: the machine went down */
    DELIVERY_OVERRUN,          /* `count` were raised faster than the delivery thread took them */
    DELIVERY_EXPIRED,          /* output `index` did not get `count` in time, */
    DELIVERY_DROPPED,          /* or had no room for them */
    DELIVERY_RESPONSE, /* the `count`th: output `index` stopped or killed a process, or not */
    DELIVERY_REFUSED,  /* likewise `count` times more, and did not */
};

struct delivery_news {
    enum delivery_news_kind kind;
    size_t index;
    uint64_t count;
    char why[256];
    char *message, *detail; /* DELIVERY_RESPONSE: in words and as JSON; the taker's, to free() */
};

/* The next piece of news that is due at NOW (CLOCK_MONOTONIC; INT64_MAX: all are); false: none is.
 * Cheap then. */
bool delivery_take_news(struct delivery *delivery, int64_t now, struct delivery_news *out);

/* Of the journal. */
struct delivery_journal {
    bool there;            /* whether there is one */
    bool fails;            /* now, or its disk does not answer */
    uint64_t journalled;   /* alerts */
    uint64_t unjournalled; /* that were to be and could not; those of outputs are among them */
    uint64_t overrun;      /* that the delivery thread had no room for */
    uint64_t waiting;      /* not journalled yet */
};

void delivery_journal(struct delivery *delivery, struct delivery_journal *out);

#endif
