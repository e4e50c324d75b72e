/* As much of the schemas that alerts and events are presented in as they can have of them: which
 * members there are, of which type, which must be there. Written down from
 *     https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html and
 *     https://schema.ocsf.io/1.5.0/classes/detection_finding?profiles=host,container and
 *     https://schema.ocsf.io/1.5.0/classes/process_activity?profiles=host,container
 * not from what the code does. */
#ifndef PICKET_TEST_ALERT_SCHEMAS_H
#define PICKET_TEST_ALERT_SCHEMAS_H

#include "base/json.h"

/* Puts a line into OUT for each thing that the schema does not allow. */
void ecs_check(const json_t *document, struct buffer *out);
void ocsf_check(const json_t *document, struct buffer *out);

#endif
