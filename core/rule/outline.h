/* A rule as its author wrote it: its selections, keys and values as a tree, with what became of
 * each and where it stands, through lists, macros and overrides. Expressions forget all that:
 * equal ones are one, in the order of their cost. For evidence, coverage and explanations.
 *
 * A macro's outline is shared by its users, so the tree is an acyclic graph; how far it unfolds is
 * bounded when it is made (OUTLINE_VALUES_MAX). Immutable, in its ruleset's arena. */
#ifndef PICKET_RULE_OUTLINE_H
#define PICKET_RULE_OUTLINE_H

#include "base/yaml.h"
#include "rule/expression.h"
#include "rule/rule.h"

/* How many values a rule may have as written, lists and macros opened wherever they are used. */
#define OUTLINE_VALUES_MAX 200000

enum outline_kind { OUTLINE_VALUE, OUTLINE_NOT, OUTLINE_ALL, OUTLINE_ANY };

/* What a part is called, and so what NAME is. */
enum outline_role {
    OUTLINE_PLAIN,     /* nothing */
    OUTLINE_KEY,       /* of a VALUE, or of a key's values: "cmdline|contains" */
    OUTLINE_LIST,      /* the values that a list brought in: "$shells" */
    OUTLINE_MACRO,     /* the macro's name */
    OUTLINE_SELECTION, /* the selection's name */
    OUTLINE_MATCH,     /* `match` */
    OUTLINE_CONDITION, /* `condition` */
    OUTLINE_UNLESS,    /* `unless` of the rule; beneath a NOT */
    OUTLINE_OVERRIDE,  /* `unless` of an override; beneath a NOT */
    OUTLINE_FILTER,    /* the title of a Sigma filter */
};

struct outline {
    enum outline_kind kind;
    enum outline_role role;
    struct text name;
    struct text value; /* of a VALUE, as written */
    struct mark mark;  /* a value's own place: in a list, that in the list */
    const struct expression *expression;
    const struct outline *const *items;
    size_t count;
    size_t values; /* VALUEs in it, each use counted; at most OUTLINE_VALUES_MAX + 1 */
};

/* The modifiers of a VALUE's key: "contains|all"; what says none "matches". */
struct text outline_operator(const struct outline *value);

/* What it is called, for people: "match", "macro in_container", "$shells", "cmdline|contains". */
void outline_put_name(const struct outline *part, struct buffer *out);

/* The same with what is in it, in short: "cmdline|contains: curl", "comm|is: $shells, any of 13",
 * "comm and cmdline|re" for keys that belong together. */
void outline_put_label(const struct outline *part, struct buffer *out);

/* "rules/web.yaml:14:13" */
void mark_put(struct buffer *out, struct mark mark);

struct compiler;

/* Making it. NULL in is NULL out, as with expressions; so is out of memory, which sticks in the
 * compiler. Texts and marks are copied. */
struct outline *outline_value(struct compiler *compiler, struct text key,
                              const struct yaml_node *value, const struct expression *expression);
struct outline *outline_not(struct compiler *compiler, struct outline *item);

/* EXPRESSION is ITEMS joined by ALL or else by ANY; one item alone is returned as it is. */
struct outline *outline_join(struct compiler *compiler, const struct expression *expression,
                             struct outline *const *items, size_t count, bool all);

/* Gives ITEM a role, and NODE's text and place. One that has a role already goes beneath. */
struct outline *outline_as(struct compiler *compiler, struct outline *item, enum outline_role role,
                           const struct yaml_node *node);

/* Sets RULE's origins from its outline. */
void outline_set_origins(struct compiler *compiler, struct rule *rule);

#endif
