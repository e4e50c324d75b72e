/* The alerts that librdkafka has, or had and were not taken, in order: those that picket offers
 * next are recognized here, so that nothing is sent twice because an acknowledgement took longer
 * than a deadline. */
#ifndef PICKET_PLUGIN_KAFKA_WINDOW_H
#define PICKET_PLUGIN_KAFKA_WINDOW_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "picket/plugin.h"

#define WINDOW 1024

enum entry_state {
    ENTRY_OUTSIDE, /* librdkafka has it not, or no more */
    ENTRY_WAITING,
    ENTRY_STORED,
    ENTRY_REFUSED /* for good */
};

struct entry {
    enum entry_state state;
    bool alone;   /* it was too large together with others, perhaps */
    bool undated; /* its own time is none that the topic takes */
    rd_kafka_resp_err_t error;
    char id[];
};

struct window {
    struct entry *entries[WINDOW]; /* librdkafka has the address of those that wait */
    size_t count;
};

/* Whether the first of ALERTS are those of the window. */
bool window_fits(const struct window *window, const struct picket_alert *const *alerts,
                 size_t count);

/* The entry of the alert ID at PLACE, which is in the window or just behind it; NULL when out of
 * memory. */
struct entry *window_find(struct window *window, size_t place, const char *id);

/* The first NUMBER are settled. */
void window_advance(struct window *window, size_t number);

/* What became of one that was handed over, or could not be. */
void entry_judge(struct entry *entry, rd_kafka_resp_err_t error);

/* As the broker says it, of all that was sent with it. */
void entry_report(struct entry *entry, rd_kafka_resp_err_t error);

#endif
