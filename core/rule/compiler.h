/* A load under way: what the files said, and what is being made of it. The parts of the loader
 * share it; nothing outside core/rule sees it.
 *
 * Two lives: first every file is read (document.h) and its pieces are filed here; then, when all
 * names are known, lists, macros, rules and overrides are compiled into the ruleset. Mistakes go
 * to DIAGS and never stop either. Out of memory sticks in FAILED. */
#ifndef PICKET_RULE_COMPILER_H
#define PICKET_RULE_COMPILER_H

#include "base/yaml.h"
#include "rule/expression.h"
#include "rule/outline.h"
#include "rule/ruleset.h"

/* A list or a macro. */
struct definition {
    const struct yaml_node *key;
    const struct yaml_node *value;
    bool used;
    bool open;               /* being compiled: to meet it again is a circle */
    bool compiled;           /* of a list: checked */
    struct outline *outline; /* of a macro; NULL also when it has a mistake */
};

/* A piece of a document, kept for the second life. */
struct piece {
    const struct yaml_node *key; /* of an override, the rule's id; NULL for a rule */
    const struct yaml_node *value;
    bool sigma; /* a Sigma rule */
    struct piece *next;
};

struct piece_list {
    struct piece *first, **last;
};

struct draft;
struct sigma_correlation;

struct correlation_list {
    struct sigma_correlation *first, **last;
};

struct compiler {
    struct ruleset *ruleset;
    struct diag_list *diags;
    struct ruleset_options options;
    struct mark mark;   /* of all that is loaded, when that is one file or folder */
    struct arena arena; /* YAML and all that lasts no longer than the load */
    struct predicate_table predicates;
    struct expression_table expressions;
    struct map lists, macros; /* to struct definition */
    struct map drafts;        /* by id, to struct draft; rules with mistakes are there too */
    struct map rule_names;    /* to struct rule_name */
    struct map
        omissions[2]; /* by reason, to struct ruleset_omission; [1]: of what is unsupported */
    struct map files; /* names of files, in the ruleset's arena */
    struct map names; /* of keys, lists, macros, selections, likewise */
    struct piece_list rules, filters, overrides;
    struct correlation_list correlations;
    struct ruleset_omission **omitted_last; /* of the reasons met so far, in their order */
    const struct expression **stack;        /* expressions not yet of a whole */
    struct outline **parts; /* the outlines of those that have one, at the same places */
    size_t stack_count, stack_size;
    unsigned list_depth, macro_depth;
    size_t value_count;   /* of the key being compiled */
    size_t candidates;    /* names looked through for hints */
    size_t errors_before; /* in DIAGS when the load began */
    bool failed;
};

int compiler_init(struct compiler *compiler, struct diag_list *diags); /* -ENOMEM */
void compiler_deinit(struct compiler *compiler);

/* The second life. Takes the ruleset out of the compiler when all went well. -EINVAL, -ENOMEM. */
int compiler_finish(struct compiler *compiler, struct ruleset **out);

/* Adds PIECE to LIST, one of the compiler's. */
void compiler_file(struct compiler *compiler, struct piece_list *list, struct piece piece);

/* MARK with its file's name in the ruleset's arena. */
struct mark compiler_keep_mark(struct compiler *compiler, struct mark mark);

/* NAME in the ruleset's arena, where equal ones are one. */
struct text compiler_keep_name(struct compiler *compiler, struct text name);

/* Whether that place has been told of with that code: what stands in a list is met wherever the
 * list is used, and told once. */
bool compiler_has_told(const struct compiler *compiler, struct mark mark, const char *code);

/* Pushes onto the stack; NULL too. */
void compiler_push(struct compiler *compiler, const struct expression *expression);

/* Takes off all that was pushed since BASE and joins it, by ALL or else by ANY. */
const struct expression *compiler_join(struct compiler *compiler, size_t base, bool all);

/* The same with outlines: of parts as they are written. */
void compiler_push_part(struct compiler *compiler, struct outline *part);
struct outline *compiler_join_parts(struct compiler *compiler, size_t base, bool all);

/* The key of MAP nearest to WORD, or NULL: there is none, or enough has been looked through. */
const char *compiler_nearest(struct compiler *compiler, const struct map *map, struct text word);

#endif
