/* What stands beneath an alert's line when its output is to show it: what led to the alert of a
 * correlation, and why its rule alerted. */
#ifndef PICKET_PLUGIN_CONSOLE_DETAILS_H
#define PICKET_PLUGIN_CONSOLE_DETAILS_H

#include "screen.h"

/* The steps of a correlation, a line each, the middle of many left out; nothing for other alerts.
 */
void details_put_steps(struct screen *screen, const struct picket_alert *alert);

/* Each value that made the rule alert, a line each. */
void details_put_reasons(struct screen *screen, const struct picket_alert *alert);

#endif
