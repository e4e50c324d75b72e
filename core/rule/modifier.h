/* `field|modifier|modifier`: what the key of a selection asks. */
#ifndef PICKET_RULE_MODIFIER_H
#define PICKET_RULE_MODIFIER_H

#include "rule/compiler.h"
#include "rule/encoding.h"

struct field_key {
    const struct yaml_node *node;
    struct text name; /* of the field, as written */
    struct field_ref ref;
    enum predicate_operator op; /* without a modifier: MATCHES */
    const char *said;           /* the modifier that gave the operator; NULL: none */
    unsigned flags;             /* REGEX_NOCASE, REGEX_MULTILINE, REGEX_DOTALL */
    bool all;
    bool expand;                            /* `%name%` in values stands for the values of a list */
    bool fieldref;                          /* values are names of fields; OP is one of *_FIELD */
    enum encoding encodings[ENCODINGS_MAX]; /* of values, in this order */
    size_t encoding_count;
};

/* Reads KEY. False when it has mistakes, all diagnosed; SCOPE says where, as in "rule 'x'". */
bool field_key_read(struct compiler *compiler, const char *scope, const struct yaml_node *key,
                    struct field_key *out);

/* Resolves NAME, which is all or a part of the scalar NODE, with a diagnostic when it is no field.
 */
bool field_name_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                     struct text name, struct field_ref *out);

/* What a modifier makes of the values of its key. */
enum modifier_values {
    MODIFIER_VALUES_SAME,    /* nothing else than they were */
    MODIFIER_VALUES_BOOLEAN, /* true or false */
    MODIFIER_VALUES_ORDERED, /* a number, size, time or duration */
    MODIFIER_VALUES_TEXT,    /* any text */
    MODIFIER_VALUES_FIELD,   /* the name of a field */
};

/* The modifier at INDEX, for the language's schema; false behind the last one. TYPES has the bit
 * 1 << enum field_type for each type that it can be used on. */
bool modifier_describe(size_t index, const char **name, unsigned *types,
                       enum modifier_values *values);

#endif
