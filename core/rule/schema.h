/* The rule language as a JSON Schema (draft 7, the one that editors know best), made of the tables
 * that rules are read by: the field catalogue, the modifiers, the keys of a rule. What it refuses
 * is a mistake; not every mistake is something that a schema can see. */
#ifndef PICKET_RULE_SCHEMA_H
#define PICKET_RULE_SCHEMA_H

#include "base/json.h"

/* 0 or -ENOMEM. The result is the caller's: json_decref(). */
int schema_make(json_t **out);

#endif
