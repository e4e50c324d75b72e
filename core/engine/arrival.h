/* What came over a stream, on its way to the detector and the outputs: an event of another machine,
 * or an alert that another engine has raised (docs/central.md). One thread's. */
#ifndef PICKET_ENGINE_ARRIVAL_H
#define PICKET_ENGINE_ARRIVAL_H

#include "engine/detector.h"
#include "event/event_json.h"
#include "stream/message.h"

struct arrival {
    const struct machine *machine; /* this one */
    struct detector *detector;
    struct delivery *delivery;
    struct arena arena;
    struct buffer line;
    uint64_t events, alerts;
    int64_t time; /* of the last event, ns since 1970 */
};

void arrival_deinit(struct arrival *arrival);

/* An event is matched. An alert goes to the journal and the outputs as it came (those of the rule
 * of its id, where there is one here), and its event is matched for what other rules say of it. 0;
 * -EINVAL: it is neither, for the reason in FAILURE; -ENOMEM. */
int arrival_take(struct arrival *arrival, const struct stream_message *message,
                 struct event_failure *failure);

#endif
