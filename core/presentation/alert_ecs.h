/* An alert, or an event, in the Elastic Common Schema, version ECS_VERSION:
 * https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html
 *
 * What the schema has no field for is in the object `picket`. */
#ifndef PICKET_PRESENTATION_ALERT_ECS_H
#define PICKET_PRESENTATION_ALERT_ECS_H

#include "base/json.h"
#include "picket/plugin.h"

#define ECS_VERSION "8.11.0"

/* TREE is that of ALERT's JSON; of an event, of what an alert about it would have. */
void alert_ecs_put(const json_t *tree, const struct picket_alert *alert, struct json_writer *json);

#endif
