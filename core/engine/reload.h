/* Reads the rules anew while the engine runs: when it is asked to (SIGHUP), and when their files
 * changed, if that is wanted.
 *
 * A thread of its own and of low priority loads and compiles them, runs their own tests and looks
 * up their outputs. The result, a new book or what is wrong, it offers to the detection thread,
 * which takes it between two events, and gives the old book back. Neither waits for the other; the
 * next load begins when the last one's result was taken. On any mistake the rules in force stay. */
#ifndef PICKET_ENGINE_RELOAD_H
#define PICKET_ENGINE_RELOAD_H

#include "alert/internal_alert.h"
#include "base/clock.h"
#include "engine/rule_watch.h"

/* Files are read when nothing happened to them for RELOAD_QUIET, but at the latest RELOAD_LATEST
 * after the first thing that did. ns */
#define RELOAD_QUIET  (100 * NS_PER_MS)
#define RELOAD_LATEST (2 * NS_PER_S)

/* How nice the thread is, as nice(1) has it. */
#define RELOAD_NICE 10

/* How many mistakes are said, and how many the alert has. */
#define RELOAD_SAID_MAX    20
#define RELOAD_ALERTED_MAX 5

struct reload;

struct reload_options {
    const struct rule_paths *paths; /* outlives the reload, as do */
    struct delivery *delivery;      /* these */
    const struct rulebook *book;    /* the one in force */
    struct rule_watch *watch;       /* looked at before BOOK was loaded; NULL: on request alone */
    bool hashes;                    /* whether events can have exe.sha256 */
};

/* What came of a load. */
struct reload_offer {
    struct rulebook *book; /* to be taken, and the one before to be put here; NULL: rejected */
    struct internal_alert alert;
    bool alerts; /* whether there is one */
    struct buffer message, detail;
};

/* 0 or -errno. */
int reload_new(const struct reload_options *options, struct reload **out);

/* Starts the thread: once privileges are given up, for what a thread may do is its own. 0 or
 * -errno. */
int reload_start(struct reload *reload);

/* Waits for a load that is under way. NULL is fine. */
void reload_free(struct reload *reload);
DEFINE_FREEP(struct reload, reload)

/* Has the rules read anew. Any thread; never waits. */
void reload_ask(struct reload *reload);

/* A descriptor that has an event (EPOLLET: nobody reads it) when there is an offer. */
int reload_bell(const struct reload *reload);

/* The offer, or NULL: cheap enough to ask before each event. To be given back with
 * reload_return(). One thread at a time; never waits. */
struct reload_offer *reload_take(struct reload *reload);
void reload_return(struct reload *reload, struct reload_offer *offer);

struct reload_counters {
    uint64_t taken; /* loads that came into force */
    uint64_t rejected;
};

struct reload_counters reload_counters(const struct reload *reload);

#endif
