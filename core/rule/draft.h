/* A rule being made: what a file says of it, read key by key, then compiled; and what overrides
 * change. */
#ifndef PICKET_RULE_DRAFT_H
#define PICKET_RULE_DRAFT_H

#include "rule/compiler.h"

struct draft {
    struct compiler *compiler;
    struct rule rule;
    struct outline *outline;           /* the rule's */
    const char *scope;                 /* "rule 'x'" */
    const struct yaml_node *logsource; /* of a Sigma rule; NULL: a native one */
    const struct yaml_node *filter;    /* the filter that narrowed it last; NULL: none did */
    const struct yaml_node *id, *match, *unless, *where, *condition, *tests; /* NULL: not given */
    struct rule *made;                     /* where RULE goes, in the ruleset; NULL: not filed */
    struct sigma_correlation *correlation; /* NULL: a rule about single events */
    const char *omitted;                   /* why it was left out after all; NULL: it was not */
    bool unsupported;                      /* not merely skipped */
    /* Of correlations that are loaded and refer to it: */
    const struct sigma_correlation *silenced_by; /* the first; NULL: there is none */
    bool raised;                                 /* one says `generate` */
    bool fed;                                    /* one is enabled */
    bool muted;                                  /* else it would alert, but none is enabled */
    const struct sigma_correlation *counted_by;  /* the last that looked, and as which member */
    size_t member;
    struct rule_feed *feeds; /* MADE's, as they are listed */
    size_t feed_count;       /* how many they are to be */
};

/* A rule of which nothing is known yet but SCOPE, what it is called in diagnostics; in the load's
 * arena. NULL: out of memory, which sticks in the compiler. */
struct draft *draft_new(struct compiler *compiler, const char *scope);

/* Reads VALUE as what the native key of that NAME takes; KEY is what it is called there. */
void draft_read_key(struct draft *draft, const char *name, const struct yaml_node *key,
                    const struct yaml_node *value);

/* WHOLE, which may be NULL, becomes what the rule is. */
void draft_set_outline(struct draft *draft, struct outline *whole);

/* PART, which may be NULL, must hold as well; what the rule is as written stays. */
void draft_narrow(struct draft *draft, struct outline *part);

/* NAME, a text, is what it can be referred to by, as well as by its id. */
void draft_set_name(struct draft *draft, const struct yaml_node *name);

/* Files it in the compiler by its id; without one it is left out. */
void draft_file(struct draft *draft);

/* Reads and compiles the rule that NODE is and files it in the compiler by its id. */
void draft_read(struct compiler *compiler, const struct yaml_node *node);

/* Applies one entry of `overrides`. */
void draft_override(struct compiler *compiler, const struct yaml_node *id,
                    const struct yaml_node *changes);

/* What the value of a rule's key is. */
enum rule_shape {
    RULE_ID,
    RULE_TEXT,
    RULE_TEXTS,
    RULE_NAMES, /* as TEXTS, one at least */
    RULE_SEVERITY,
    RULE_EVENT,
    RULE_SELECTION,
    RULE_SELECTIONS, /* by name */
    RULE_SUPPRESS,
    RULE_BOOLEAN,
    RULE_TESTS,
};

/* A key of a rule, for the language's schema. */
struct rule_key {
    const char *name, *help;
    enum rule_shape shape;
    bool overridable;
};

/* The key at INDEX; false behind the last one. */
bool draft_describe(size_t index, struct rule_key *out);

#endif
