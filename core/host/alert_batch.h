/* A batch of alerts as a plugin sees it, made of a payload that outlives it. The JSON of an alert
 * is parsed when something is first wanted of it: by its format, to be masked, or by the plugin. */
#ifndef PICKET_HOST_ALERT_BATCH_H
#define PICKET_HOST_ALERT_BATCH_H

#include "base/arena.h"
#include "plugin/protocol.h"
#include "presentation/presentation.h"

struct alert_entry;

struct alert_batch {
    struct presentation *presentation; /* of its alerts, borrowed; NULL: as they came */
    int64_t number;
    size_t count;
    const struct picket_alert **alerts;
    struct alert_entry *entries;
    struct arena arena; /* also of the values handed out */
};

/* Forgets the batch before, reads the next. -EPROTO, -ENOMEM. */
int alert_batch_read(struct alert_batch *batch, struct text payload);
void alert_batch_deinit(struct alert_batch *batch);

/* picket_host.value(): NULL also for an ALERT that is not of this batch. */
const char *alert_batch_value(struct alert_batch *batch, const struct picket_alert *alert,
                              const char *path);

#endif
