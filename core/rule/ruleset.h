/* Rules, loaded and compiled: immutable, shared by any number of matchers and threads.
 *
 * All of a load's mistakes are collected in one pass (docs/diagnostics.md lists their codes). One
 * error is enough for there to be no ruleset: an engine that reloads keeps the one it has. */
#ifndef PICKET_RULE_RULESET_H
#define PICKET_RULE_RULESET_H

#include "base/cleanup.h"
#include "rule/rule.h"

struct index;
struct predicate;

/* Read-only for its users. */
struct ruleset {
    struct arena arena;
    const struct rule **rules; /* as loaded, disabled ones included */
    size_t count;
    /* Those about single events that are enabled, by what they are on, in the same order. */
    const struct rule **by_type[EVENT_TYPES];
    size_t by_type_count[EVENT_TYPES];
    /* Every distinct (field, operator, value) of all rules, by index. */
    const struct predicate **predicates;
    size_t predicate_count;
    size_t expression_count;            /* distinct ones; each has its index */
    struct index *indexes[EVENT_TYPES]; /* of by_type (rule/index.h) */
    size_t files;                       /* that were read */
    /* Sigma documents that were passed over, each with a warning: those that are not for what we
     * see, and those that ask for what it can never have. And rules that are tried on it although
     * they are for something else. */
    size_t skipped, unsupported, foreign;
    struct ruleset_omission *omissions; /* the reasons, in the order they were met */
};

/* Why Sigma documents were passed over, and how many for that reason. */
struct ruleset_omission {
    const char *reason;
    bool unsupported; /* else skipped */
    size_t count;
    struct ruleset_omission *next;
};

struct ruleset_options {
    bool any_logsource;      /* Sigma rules of other log sources are tried on execs */
    enum severity min_level; /* rules beneath are disabled */
};

/* Where rules come from: a file or folder, or (CONTENT.ptr not NULL) a text that PATH names. */
struct rule_source {
    const char *path;
    struct text content;
};

/* Loads all sources, in their order, as one ruleset. A folder is read recursively, its *.yaml and
 * *.yml in bytewise order of their paths; what begins with a dot is passed over. DIAGS gets the
 * mistakes and must outlive nothing but itself: the ruleset borrows nothing of it.
 * 0; -EINVAL when DIAGS got an error (a file that cannot be read is one, and that there is no rule
 * at all); -ENOMEM. */
int ruleset_load(const struct rule_source *sources, size_t count, struct diag_list *diags,
                 struct ruleset **out);

/* The same with OPTIONS. */
int ruleset_load_with(const struct rule_source *sources, size_t count,
                      const struct ruleset_options *options, struct diag_list *diags,
                      struct ruleset **out);

/* How many rules of that type have no witness and are evaluated for each event. */
size_t ruleset_always(const struct ruleset *ruleset, enum event_type type);

/* The predicates of which one holds whenever RULE, which is enabled, does: what it is found by.
 * False when there are none such, or it is a correlation. They live as long as the ruleset. */
bool ruleset_witness(const struct ruleset *ruleset, const struct rule *rule,
                     const struct predicate *const **predicates, size_t *count);

/* Whether any rule asks for that field: in what it matches, says, counts by or suppresses by, of
 * whichever process. What is dear to know is made only then. */
bool ruleset_asks(const struct ruleset *ruleset, enum field_id id);

void ruleset_free(struct ruleset *ruleset);
DEFINE_FREEP(struct ruleset, ruleset)

#endif
