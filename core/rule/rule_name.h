/* The names by which documents refer to rules: their ids, and what Sigma rules call `name`. */
#ifndef PICKET_RULE_RULE_NAME_H
#define PICKET_RULE_RULE_NAME_H

#include "rule/compiler.h"

/* What a name stands for. */
struct rule_name {
    struct draft *draft;          /* NULL: what it names is not loaded */
    const struct yaml_node *root; /* then: its document */
    const char *reason;           /* and why it was passed over; NULL: it has a mistake, told */
    bool unsupported;             /* not merely skipped */
    bool is_id;                   /* which goes before what others call `name` */
    bool shared;                  /* two rules have the name */
};

/* The rule of that id, or which is called that, can be found by it from then on. */
void rule_name_add_id(struct compiler *compiler, struct text id, struct draft *draft);
void rule_name_add(struct compiler *compiler, struct text name, struct draft *draft);

/* The same for the document ROOT, by its id and its name, that is not loaded. REASON lives as long
 * as the load. */
void rule_name_omit(struct compiler *compiler, const struct yaml_node *root, bool unsupported,
                    const char *reason);

/* What the scalar NODE names, once all rules have been read; NULL when that is nothing, or more
 * than one rule, which is diagnosed. SCOPE says where, as in "rule 'x'". A draft may still have
 * been left out: see its OMITTED. */
const struct rule_name *rule_name_resolve(struct compiler *compiler, const char *scope,
                                          const struct yaml_node *node);

#endif
