/* Processes as objects of OCSF (https://schema.ocsf.io/1.5.0/objects/process). */
#ifndef PICKET_PRESENTATION_OCSF_PROCESS_H
#define PICKET_PRESENTATION_OCSF_PROCESS_H

#include "presentation/alert_mapping.h"

/* Whether PROCESS, an event or a parent, is one for the schema: that needs a pid. */
bool ocsf_process_is(const json_t *process);

/* PROCESS and its ancestors at PATH; it ran on HOST. */
void ocsf_process_put(struct nest *nest, const char *path, const json_t *process, struct text host);

/* `actor`, who did EVENT: the parent, and the user of the process. */
void ocsf_actor_put(struct nest *nest, const json_t *event, struct text host);

#endif
