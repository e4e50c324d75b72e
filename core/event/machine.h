/* A machine on which events happen: what the fields `host.*` say of it. */
#ifndef PICKET_EVENT_MACHINE_H
#define PICKET_EVENT_MACHINE_H

#include "base/arena.h"
#include "base/json.h"
#include "event/field.h"

/* Members are as the catalogue says; a member counts only when HAS holds its field. */
struct machine {
    struct field_set has;
    struct text name, id, kernel, arch, os, os_version;
    bool is_here; /* machine_read() says so: whoever reads it knows where he is */
};

/* The one this runs on, in ARENA: uname(2), machine-id(5), os-release(5). It is meant to be asked
 * once. What cannot be read is left out; it has its name, arch and kernel at least. -ENOMEM. */
int machine_read(struct arena *arena, struct machine *out);

/* Its members as those of a JSON object that is begun already. */
void machine_put_members(struct json_writer *json, const struct machine *machine);

/* HOST, or HERE where that is the same one, or HOST is not known (NULL). */
const struct machine *machine_or_here(const struct machine *host, const struct machine *here);

/* Whether A and B are the same one: by their names, and by their ids where both have one. Machines
 * that were made of one image may share an id. */
bool machine_is_same(const struct machine *a, const struct machine *b);

#endif
