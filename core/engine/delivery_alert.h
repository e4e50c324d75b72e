/* Alerts about what became of alerts: news of the delivery, as docs/events.md has them. */
#ifndef PICKET_ENGINE_DELIVERY_ALERT_H
#define PICKET_ENGINE_DELIVERY_ALERT_H

#include "engine/detector.h"

/* Raises what is due at NOW (CLOCK_MONOTONIC; INT64_MAX: all). By the detector's thread; cheap when
 * there is nothing. */
void delivery_alert_raise(struct delivery *delivery, struct detector *detector, int64_t now);

#endif
