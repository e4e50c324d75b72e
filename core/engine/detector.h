/* From an event to the outputs: match, correlate, fold, render, hand over. The same for live events
 * and for replayed ones. One thread's. */
#ifndef PICKET_ENGINE_DETECTOR_H
#define PICKET_ENGINE_DETECTOR_H

#include "alert/internal_alert.h"
#include "alert/loss.h"
#include "alert/suppression.h"
#include "engine/rulebook.h"
#include "output/delivery.h"

struct detector;

struct detector_options {
    struct rulebook *book; /* with routes; the detector's own from when detector_new() succeeds */
    struct delivery *delivery; /* outlives the detector */
    /* Replay waits for room in an output's queue; the live engine never does: it counts. */
    bool wait;
    bool many_machines;         /* events are of several, whose times are in no order */
    struct alert_engine engine; /* for the alerts' host record; all outlives the detector */
};

/* 0 or -ENOMEM. */
int detector_new(const struct detector_options *options, struct detector **out);
void detector_free(struct detector *detector);
DEFINE_FREEP(struct detector, detector)

const struct rulebook *detector_rulebook(const struct detector *detector);

/* Goes over to BOOK, which rulebook_compare() has made fit for it and which becomes the detector's;
 * returns the one before, which is the caller's. What its rules fold and count goes on being so by
 * those that BOOK says, else summaries come now and counts begin anew. Between two events: each
 * meets one book, whole. */
struct rulebook *detector_exchange(struct detector *detector, struct rulebook *book);

/* One that does not say where it happened did so on this engine's machine. */
void detector_on_event(struct detector *detector, const struct event *event);

/* EVENT came with an alert of the rule of that id, which another engine raised and which is
 * delivered as it came: a rule here of the same id counts for correlations, and raises nothing. */
void detector_on_alert(struct detector *detector, const struct event *event, struct text rule);

/* Alerts all outputs about picket itself. */
void detector_raise_internal(struct detector *detector, const struct internal_alert *alert);

/* Takes what was missed, on the machine's boot that is named BOOT: an alert follows when it is due
 * (alert/loss.h). */
void detector_on_loss(struct detector *detector, const struct loss *loss, uint64_t boot);

/* Lets summaries out whose windows end by NOW (INT64_MAX: all), the losses that are due, what
 * regexes were given up on and what correlations had to forget. */
void detector_tick(struct detector *detector, int64_t now);

struct detector_counters {
    uint64_t events[EVENT_TYPES];
    uint64_t alerts;    /* raised, summaries included */
    uint64_t unwritten; /* lost for lack of memory, forwarded events among them */
    struct matcher_counters matcher;
    struct suppression_counters suppression;
    struct correlator_counters correlator;
};

struct detector_counters detector_counters(const struct detector *detector);

#endif
