/* Sigma correlations (specification/sigma-correlation-rules-specification.md): documents read, in
 * the second life of a load, for what can be told of each alone. What depends on the rules that it
 * refers to comes when all have been read: rule/sigma_chain.h. */
#ifndef PICKET_RULE_SIGMA_CORRELATION_H
#define PICKET_RULE_SIGMA_CORRELATION_H

#include "rule/correlation.h"
#include "rule/draft.h"
#include "rule/sigma_field.h"

/* A name among `rules`, or in the condition. */
struct sigma_reference {
    const struct yaml_node *node;
    struct draft *draft; /* NULL: not known, or not loaded */
};

/* A correlation being made. */
struct sigma_correlation {
    struct compiler *compiler;
    struct draft *draft;
    const struct yaml_node *root;
    const struct yaml_node *type, *rules, *group_by, *timespan, *condition, *aliases; /* or NULL */
    const struct yaml_node *field; /* of the condition */
    const struct yaml_node **keys; /* of the group: made->key_count of them */
    unsigned *types;               /* by key, of what types (1 << enum field_type) its values are */
    const struct yaml_node *values[CORRELATION_KEYS_MAX]; /* those that `field` names */
    size_t value_count;
    unsigned value_types;                                  /* likewise, of all of them */
    const struct yaml_node *bounds[CORRELATION_OPERATORS]; /* what made->bounds are read from */
    bool *used_aliases;
    enum sigma_source source; /* whose names for fields it goes by */
    struct correlation *made; /* in the ruleset's arena */
    struct sigma_reference *references;
    size_t reference_count;
    struct draft **members; /* distinct ones */
    unsigned depth;         /* how long the chain is that it ends; 0: not known yet */
    bool mistaken;          /* what is told of it need not be all that is to be told */
    unsigned walk;          /* in which it was met, of those that look for circles; 0: in none */
    bool impossible;        /* what it needs cannot be */
    bool native;            /* it is made of native rules alone */
    struct sigma_correlation *next;
};

/* Reads the document ROOT, files it by its id and lists it in the compiler. */
void sigma_correlation_read(struct compiler *compiler, const struct yaml_node *root);

#endif
