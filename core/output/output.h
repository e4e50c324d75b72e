/* One output as the delivery thread drives it: its host started, fed, watched, killed, started
 * again. Everything here belongs to that thread, but for what LOCK of the output's group guards. */
#ifndef PICKET_OUTPUT_OUTPUT_H
#define PICKET_OUTPUT_OUTPUT_H

#include <pthread.h>
#include <signal.h>

#include "host/cpu_limit.h"
#include "host/host_process.h"
#include "host/host_usage.h"
#include "host/launcher_set.h"
#include "host/plugin_voice.h"
#include "output/alert_queue.h"
#include "output/delivery.h"
#include "output/file_keeper.h"
#include "output/output_files.h"
#include "output/response.h"
#include "plugin/secret_mask.h"
#include "plugin/settings.h"

struct dead_letters;
struct news;

/* What the outputs of a delivery have in common. */
struct output_group {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* room in a queue, or an output came to rest */
    unsigned waiting;       /* pushes that wait for room; under lock */
    bool broken;            /* the launcher is gone, and with it the hosts; under lock */
    /* The rest is the delivery thread's. */
    int epoll;
    struct launcher_set launchers;
    struct file_keeper keeper;
    struct diag_list *diags;      /* while starting, else NULL */
    bool hold;                    /* none opens its plugin before all are checked */
    struct dead_letters *letters; /* NULL: nobody keeps them */
    struct responder *responder;  /* NULL: no question of a plugin's is granted */
    struct news *news;
    bool unconfined; /* hosts run under a tool, and take what that takes */
    bool draining, ending;
};

enum output_phase {
    OUTPUT_DOWN,       /* to be started when due */
    OUTPUT_LOADING,    /* awaits hello */
    OUTPUT_CHECKED,    /* its settings are right; awaits the others at start */
    OUTPUT_OPENING,    /* awaits opened */
    OUTPUT_READY,      /* idle */
    OUTPUT_DELIVERING, /* awaits a verdict */
    OUTPUT_RETRYING,   /* to deliver again when due */
    OUTPUT_FLUSHING,   /* awaits flushed */
    OUTPUT_CLOSING,    /* awaits its end */
    OUTPUT_DYING,      /* killed, awaits its end */
    OUTPUT_ENDED       /* for good */
};

/* LOSS_OURS: the engine's own failure, and nobody else's guilt. */
enum output_loss { LOSS_CRASH, LOSS_HANG, LOSS_GARBAGE, LOSS_FAILED, LOSS_OURS };

struct output {
    struct output_group *group;
    size_t index;
    const struct output_config *config; /* while starting */
    const char *path;                   /* of the plugin */
    const char *name;
    struct host_user user; /* whom its hosts become */
    int module;            /* the plugin's shared object */
    bool checked;          /* its settings are right, as far as the first host's table says */
    bool reopen;           /* its files are to be opened again, when it can be told */
    struct settings settings;
    struct secret_mask mask; /* none before its settings are right */
    struct plugin_info info;
    int files[PLUGIN_OPTIONS_MAX]; /* what options of type file opened, in their order */
    size_t file_count;
    int64_t renamed; /* when it asked last for one to be renamed, as it were; monotonic */
    struct arena arena;
    struct buffer hello; /* the first one: later hosts must say the same */
    struct cpu_limit cpu;
    struct response response; /* where its plugin responds */
    struct host_usage usage;

    /* Under the group's lock. */
    struct alert_queue queue;
    struct delivery_counters counters;
    uint64_t waiting; /* with a journal: alerts behind `position`, not in the queue yet */
    bool rested;      /* flushed, and nothing queued since */
    bool idle;        /* the thread waits for an alert and is to be woken by one */

    enum output_phase phase;
    int64_t due; /* when the phase has lasted too long, or is over; monotonic */
    struct host_process host;
    struct plugin_voice voice;
    int64_t deaf_until;      /* it has said too much to be listened to before; 0: it is heard */
    bool was_ready;          /* once */
    bool complained;         /* of a retry, since the last delivery */
    unsigned failures;       /* losses since the last delivery */
    int64_t batch;           /* number of the last one sent */
    size_t sent;             /* alerts in it */
    size_t suspects;         /* alerts at the front of the queue to be sent one by one */
    unsigned deaths;         /* hosts the first alert has cost when sent alone */
    struct buffer rejection; /* the last reason for one, since then */
    enum output_loss loss;
    struct buffer loss_reason; /* said once the host has been reaped */

    /* With a journal (backlog.h). */
    int64_t position;            /* seq up to which it was offered everything, or passed over */
    struct journal_output saved; /* its place as the journal has it */
};

static inline void output_lock(struct output *output)
{
    pthread_mutex_lock(&output->group->lock);
}

static inline void output_unlock(struct output *output)
{
    pthread_mutex_unlock(&output->group->lock);
}

/* Finds and opens the plugin and reads the common settings; who they name is its user. Diagnoses. 0
 * even then; -errno. */
int output_init(struct output *output, const char *plugin_dir);
void output_deinit(struct output *output);

/* While starting, when its settings are right: another launcher is to have its host, which is
 * started anew. */
void output_move(struct output *output);

/* Has its files opened again, as soon as that can be. */
void output_reopen(struct output *output);

/* Does what is to be done at NOW without having heard of the host. */
void output_step(struct output *output, int64_t now);

/* Its host could not be heard for so long (ns): that is not counted to it. */
void output_excuse(struct output *output, int64_t lost);

/* What epoll reports of the host's descriptors. */
enum output_source { SOURCE_SOCKET, SOURCE_ERRORS, SOURCE_PIDFD, SOURCE_COUNT };
void output_on_event(struct output *output, enum output_source source, uint32_t events);

/* When to call output_step() at the latest; INT64_MAX: no need. */
int64_t output_due(const struct output *output);

#endif
