/* Every count, for people: what was seen, lost, matched, delivered. To standard error. */
#ifndef PICKET_ENGINE_STATUS_H
#define PICKET_ENGINE_STATUS_H

#include "engine/centre.h"
#include "engine/detector.h"
#include "engine/live.h"
#include "engine/reload.h"
#include "process/exe_hash.h"

struct status {
    const struct live_counters *live; /* or else the next */
    const struct centre_counters *centre;
    const struct detector *detector; /* with delivery NULL in watch and record */
    struct delivery *delivery;
    struct exe_hash *hash;       /* NULL: nothing is hashed */
    const struct reload *reload; /* NULL: there is none */
};

void status_print(const struct status *status);

/* One line, and one more for each that did not do all of its work. Whether every alert was written
 * and delivered. */
bool status_print_replay(const struct detector *detector, struct delivery *delivery,
                         uint64_t refused);

#endif
