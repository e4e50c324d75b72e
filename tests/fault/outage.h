/* An output's server that is away for a while amid alerts that are journalled. PICKET_OUTAGE says
 * how many seconds (default 2), PICKET_ALERTS how many alerts there are (default 2000). */
#ifndef PICKET_TESTS_OUTAGE_H
#define PICKET_TESTS_OUTAGE_H

#include "rig.h"

struct outage {
    struct rig *rig; /* its first output is the one; it has pushed nothing yet */
    void *server;
    void (*stop)(void *server);
    void (*start)(void *server);
};

/* Pushes alerts before the server stops, all the while it is away, and after it came back; returns
 * when they are settled. Asserts that all were delivered. */
void outage_run(const struct outage *outage);

/* Waits until each line of NAME in the rig's folder, with an alert's number after BEFORE, makes a
 * whole: no number is missing, and they are in order, but for those that come again. Says how many
 * did. */
void outage_expect(const struct outage *outage, const char *name, const char *before);

/* How many alerts there are. */
unsigned outage_alerts(void);

#endif
