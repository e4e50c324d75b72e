/* What tests of outputs share: a delivery with its outputs as `-o` would have them, a folder for
 * their files, numbered alerts to push. Every function asserts. The test program is its own output
 * host: rig_main() sees to it. */
#ifndef PICKET_TESTS_RIG_H
#define PICKET_TESTS_RIG_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "host/isolation.h"
#include "output/delivery.h"

struct rig {
    char dir[64];
    struct arena arena;
    struct diag_list diags;
    struct delivery *delivery;
    struct journal *journal; /* until a delivery has it */
    char count[64];          /* the file in memory where its alerts are counted */
    bool live;    /* what is started next takes alerts for this machine's of now; false at first */
    bool patient; /* likewise: who pushes is kept waiting for the journal */
    unsigned pushed;
    struct buffer shown; /* diagnostics, after rig_refuse() */
};

void rig_init(struct rig *rig);
void rig_deinit(struct rig *rig);

/* Starts outputs; in an argument '@' before a '/' stands for the rig's folder. */
void rig_start(struct rig *rig, const char *const *arguments, size_t count);

/* Opens the journal at PATH ('@' as above) for what is started next. */
void rig_open_journal(struct rig *rig, const char *path, int64_t size);

/* Ends the delivery, as the engine's end does; another can be started. */
void rig_stop(struct rig *rig);

/* Expects them not to start, and returns the diagnostics. */
const char *rig_refuse(struct rig *rig, const char *const *arguments, size_t count);

/* Pushes COUNT alerts, ids 000001, 000002, ... throughout the rig's life, to all outputs. */
void rig_push(struct rig *rig, unsigned count, bool wait);
/* One of the caller's making; its result. */
int rig_push_json(struct rig *rig, const char *message, const char *json);

/* Waits until everything is settled and flushed. */
void rig_drain(struct rig *rig);

struct delivery_counters rig_counters(struct rig *rig, size_t index);
/* Waits until the output is in STATE with a host, and returns its pid. */
pid_t rig_await_host(struct rig *rig, size_t index);

/* The path of NAME in the rig's folder; the content of such a file. Valid as long as the rig. */
const char *rig_path(struct rig *rig, const char *name);
struct text rig_read(struct rig *rig, const char *name);
/* A new one, for its owner alone. */
void rig_write(struct rig *rig, const char *name, const char *text);

/* NAME holds, as JSON lines, alerts 1 to COUNT in order; repeats only where REPEATS. */
enum rig_repeats { ONCE, REPEATS };
void rig_expect(struct rig *rig, const char *name, unsigned count, enum rig_repeats repeats);

/* What the engine writes on standard error while ACTION runs. */
struct text rig_logged(struct rig *rig, void (*action)(struct rig *rig));
size_t rig_count_lines(struct text t);

/* Offered is the sum of the rest; and it is what was pushed. */
void rig_expect_sum(struct rig *rig, size_t index);

/* Of the first output: likewise; so many are delivered and rejected, and its host never failed. */
void rig_expect_settled(struct rig *rig, unsigned delivered, unsigned rejected);

/* Until the first output has asked so many times to be tried again. */
void rig_await_retries(struct rig *rig, uint64_t count);

/* What of its isolation a host cannot get here (enum isolation). */
unsigned rig_isolation(void);

/* A main() for cmocka tests that is also the output host; a pattern chooses among them. */
int rig_main(int argc, char **argv, int (*tests)(void));

#endif
