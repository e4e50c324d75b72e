/* What was missed, on its way to becoming alerts.
 *
 * Losses come in crowds, and an alert for each would lose more. The ledger sums them by their kind
 * and lets the sum of a kind out at most once in LOSS_PAUSE; none is forgotten. One thread's. */
#ifndef PICKET_ALERT_LOSS_H
#define PICKET_ALERT_LOSS_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"

#define LOSS_PAUSE NS_PER_S

enum loss_kind {
    LOSS_LOST,      /* a CPU's ring was full */
    LOSS_LATE_CPU,  /* the same, of a CPU that came online after the open: its ring is small */
    LOSS_FOLDED,    /* over the budget of a cgroup */
    LOSS_UNSEEN,    /* the kernel side could make no record */
    LOSS_RECURSION, /* the kernel skipped a program that was running already on that CPU */
    LOSS_REFUSED,   /* a record came that did not decode */
    LOSS_STARVED,   /* the same, but for want of memory */
};
#define LOSS_KINDS 7

#define LOSS_CPU_ANY (-1) /* which CPU is not known */

struct loss {
    enum loss_kind kind;
    int cpu;
    int64_t from, until; /* ns since 1970: not before, not after */
    uint64_t count;
};

/* The losses of a kind. CPUS has those of which the CPU is known, by the CPU's number; COUNT 0 is a
 * CPU without. */
struct loss_sum {
    struct loss total;
    const struct loss *cpus;
    size_t cpu_count;
    uint64_t before; /* events of the kind in the sums before this one */
};

struct loss_ledger;

int loss_ledger_new(struct loss_ledger **out); /* 0 or -ENOMEM */
void loss_ledger_free(struct loss_ledger *ledger);
DEFINE_FREEP(struct loss_ledger, loss_ledger)

/* Out of memory costs the CPU's number, not the count. */
void loss_ledger_add(struct loss_ledger *ledger, const struct loss *loss);

/* The next sum that is due at NOW (CLOCK_MONOTONIC; INT64_MAX: all are), or NULL. Borrowed until
 * the next call. Cheap when there was no loss. */
const struct loss_sum *loss_ledger_take(struct loss_ledger *ledger, int64_t now);

/* A sentence for people: how many, where, when, and what to do. */
void loss_put_message(struct buffer *out, const struct loss_sum *sum);

/* One JSON object, as docs/events.md has it. */
void loss_put_json(struct json_writer *json, const struct loss_sum *sum);

#endif
