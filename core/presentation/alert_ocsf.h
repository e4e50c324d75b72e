/* An alert as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework, version
 * OCSF_VERSION, with the profile host: https://schema.ocsf.io/1.5.0/classes/detection_finding
 * And an event as a Process Activity (class 1007):
 * https://schema.ocsf.io/1.5.0/classes/process_activity
 *
 * What the schema has no attribute for is in the object `unmapped`. */
#ifndef PICKET_PRESENTATION_ALERT_OCSF_H
#define PICKET_PRESENTATION_ALERT_OCSF_H

#include "base/json.h"
#include "picket/plugin.h"

#define OCSF_VERSION "1.5.0"

/* TREE is that of ALERT's JSON; of an event, of what an alert about it would have. */
void alert_ocsf_put(const json_t *tree, const struct picket_alert *alert, struct json_writer *json);

#endif
