#include "rule/sigma_chain.h"

#include "rule/condition.h"
#include "rule/rule_name.h"
#include "rule/sigma_correlation.h"
#include "rule/sigma_document.h"
#include "rule/sigma_group.h"
#include "rule/sigma_threshold.h"
#include "rule/sigma_words.h"
#include "rule/test_event.h"

/* The names that `rules`, a text or a list, has. */
static void read_rules(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    const struct yaml_node *rules = correlation->rules;
    bool list = rules->kind == YAML_LIST;
    size_t count = list ? rules->count : 1;

    correlation->references = arena_array(&compiler->arena, count, sizeof(struct sigma_reference));
    if (!correlation->references) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *node = list ? rules->items[i] : rules;

        if (yaml_is_text(node))
            correlation->references[correlation->reference_count++].node = node;
        else
            diag_error(compiler->diags, node->mark, "wrong-type",
                       "'rules' of %s must be a name or an id, or a list of them",
                       correlation->draft->scope);
    }
    if (count == 0)
        diag_error(compiler->diags, rules->mark, "empty-selection", "'rules' of %s is empty",
                   correlation->draft->scope);
}

/* What REFERENCE is to is not loaded: nor is what refers to it. */
static void inherit_omission(struct sigma_correlation *correlation,
                             const struct sigma_reference *reference, const char *reason,
                             bool unsupported)
{
    struct compiler *compiler = correlation->compiler;

    if (correlation->draft->omitted)
        return;
    correlation->draft->unsupported = unsupported;
    correlation->draft->omitted = arena_printf(
        &compiler->arena, "'%.*s', which it refers to, is %s: %s", TEXT_ARG(reference->node->text),
        unsupported ? "not loaded" : "skipped", reason);
    compiler->failed |= !correlation->draft->omitted;
}

static void find_rule(struct sigma_correlation *correlation, struct sigma_reference *reference)
{
    const struct rule_name *name =
        rule_name_resolve(correlation->compiler, correlation->draft->scope, reference->node);

    if (!name)
        return;
    reference->draft = name->draft;
    if (name->reason)
        inherit_omission(correlation, reference, name->reason, name->unsupported);
}

/* Says of all members which they are. */
static void stamp_members(struct sigma_correlation *correlation)
{
    for (size_t i = 0; i < correlation->made->member_count; i++) {
        correlation->members[i]->counted_by = correlation;
        correlation->members[i]->member = i;
    }
}

static void warn_twice(struct sigma_correlation *correlation,
                       const struct sigma_reference *reference)
{
    if (correlation->made->type != CORRELATION_TEMPORAL_ORDERED && correlation->rules)
        diag_warning(correlation->compiler->diags, reference->node->mark, "repeated-rule",
                     "'%.*s' stands in 'rules' of %s before: a rule is one of them once",
                     TEXT_ARG(reference->node->text), correlation->draft->scope);
}

/* What the references are to, each rule once. */
static void list_members(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    struct correlation *made = correlation->made;
    size_t count = correlation->reference_count;
    size_t *order = arena_array(&compiler->ruleset->arena, count, sizeof *order);

    correlation->members = arena_array(&compiler->arena, count, sizeof(struct draft *));
    if (!order || !correlation->members) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct draft *draft = correlation->references[i].draft;

        if (!draft)
            continue;
        if (draft->counted_by == correlation) {
            warn_twice(correlation, &correlation->references[i]);
        } else {
            draft->counted_by = correlation;
            draft->member = made->member_count;
            correlation->members[made->member_count++] = draft;
        }
        order[made->order_count++] = draft->member;
    }
    made->order = order;
}

static void find_rules(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    size_t errors = compiler->diags->errors;

    if (correlation->rules)
        read_rules(correlation);
    else if (yaml_is_text(correlation->condition))
        sigma_words_read_references(correlation);
    if (correlation->reference_count > CORRELATION_MEMBERS_MAX) {
        diag_error(compiler->diags, correlation->references[CORRELATION_MEMBERS_MAX].node->mark,
                   "too-many-values", "%s refers to more than %d rules", correlation->draft->scope,
                   CORRELATION_MEMBERS_MAX);
        correlation->reference_count = CORRELATION_MEMBERS_MAX;
    }
    for (size_t i = 0; i < correlation->reference_count; i++)
        find_rule(correlation, &correlation->references[i]);
    list_members(correlation);
    correlation->mistaken |= compiler->diags->errors > errors;
}

/* Numbers of members, which `condition` says or which are all. */
static const char *check_needed(struct sigma_correlation *correlation)
{
    struct correlation *made = correlation->made;
    bool ordered = made->type == CORRELATION_TEMPORAL_ORDERED;
    size_t count = ordered ? made->order_count : made->member_count;

    if (!correlation->condition)
        made->needed = count;
    if (!correlation->condition && count == 1)
        sigma_threshold_warn_lone(correlation, correlation->rules->mark);
    if (made->needed > count)
        diag_error(correlation->compiler->diags, correlation->condition->mark, "bad-correlation",
                   "'condition' of %s asks for %zu rules, and it refers to %zu",
                   correlation->draft->scope, made->needed, count);
    else if (ordered && made->needed < count)
        return "an order is known only of rules that must all hit: its condition asks for fewer";
    return NULL;
}

/* What the condition is of a correlation that asks which members hit. How many they are is not
 * known where some are not. */
static const char *resolve_condition(struct sigma_correlation *correlation)
{
    const struct correlation *made = correlation->made;

    if (!correlation->type || !correlation_is_temporal(made->type))
        return NULL;
    if (yaml_is_text(correlation->condition))
        return sigma_words_resolve(correlation);
    return made->order_count == correlation->reference_count ? check_needed(correlation) : NULL;
}

static struct correlation_member *make_members(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    size_t count = correlation->made->member_count;
    struct correlation_member *members =
        arena_array(&compiler->ruleset->arena, count, sizeof *members);

    compiler->failed |= !members;
    for (size_t i = 0; members && i < count; i++)
        members[i].rule = correlation->members[i]->made;
    return members;
}

static void inherit(struct sigma_correlation *correlation)
{
    struct draft *draft = correlation->draft;

    for (size_t i = 0; i < correlation->reference_count; i++) {
        const struct draft *member = correlation->references[i].draft;

        if (member && member->omitted)
            inherit_omission(correlation, &correlation->references[i], member->omitted,
                             member->unsupported);
        correlation->mistaken |= member && member->correlation && member->correlation->mistaken;
    }
    if (correlation->made->member_count == 0)
        return;
    const struct draft *first = correlation->members[0];
    struct sigma_logsource source = {0};

    if (first->correlation)
        source.source = first->correlation->source;
    else if (first->logsource)
        sigma_logsource_read(first->logsource, &source);
    correlation->source = source.source;
    correlation->native = true;
    for (size_t i = 0; i < correlation->made->member_count; i++) {
        const struct draft *member = correlation->members[i];

        correlation->native &=
            member->correlation ? member->correlation->native : !member->logsource;
    }
    if (draft->rule.message == message_default(draft->rule.on))
        draft->rule.message = message_default(first->rule.on);
    draft->rule.on = first->rule.on;
}

/* Completes it; those that it refers to are complete. */
static void complete(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    struct draft *draft = correlation->draft;
    struct correlation_member *members = make_members(correlation);
    size_t errors = compiler->diags->errors;

    if (!members)
        return;
    stamp_members(correlation);
    inherit(correlation);
    const char *condition = resolve_condition(correlation);
    const char *group = draft->omitted ? NULL : sigma_group_resolve(correlation, members);

    correlation->made->members = members;
    if (!draft->omitted && !group && correlation_is_numeric(correlation->made->type))
        sigma_threshold_resolve(correlation);
    if (!draft->omitted && (condition || group)) {
        draft->omitted = condition ? condition : group;
        draft->unsupported = true;
    }
    if (draft->tests && !draft->omitted)
        test_events_read(compiler, draft->scope, draft->tests, &draft->rule);
    correlation->mistaken |= compiler->diags->errors > errors;
    if (draft->omitted && !correlation->mistaken)
        sigma_document_omit(compiler, correlation->root, draft->unsupported, draft->omitted);
}

/* The reference to the first member that is itself not complete. */
static const struct sigma_reference *find_open(const struct sigma_correlation *correlation)
{
    for (size_t i = 0; i < correlation->reference_count; i++) {
        const struct draft *draft = correlation->references[i].draft;

        if (draft && draft->correlation && draft->correlation->depth == 0)
            return &correlation->references[i];
    }
    return NULL;
}

/* The reference to the correlation that has the longest chain behind it, and how long it is. */
static const struct sigma_reference *find_deepest(const struct sigma_correlation *correlation,
                                                  unsigned *depth)
{
    const struct sigma_reference *deepest = NULL;

    *depth = 0;
    for (size_t i = 0; i < correlation->reference_count; i++) {
        const struct draft *draft = correlation->references[i].draft;

        if (!draft || !draft->correlation || draft->correlation->depth <= *depth)
            continue;
        *depth = draft->correlation->depth;
        deepest = &correlation->references[i];
    }
    return deepest;
}

static void set_depth(struct sigma_correlation *correlation)
{
    unsigned behind;
    const struct sigma_reference *deepest = find_deepest(correlation, &behind);

    correlation->depth = behind + 1;
    if (behind == CORRELATION_DEPTH_MAX)
        diag_error(correlation->compiler->diags, deepest->node->mark, "recursive-name",
                   "%s ends a chain of more than %d correlations", correlation->draft->scope,
                   CORRELATION_DEPTH_MAX);
    correlation->mistaken |= behind >= CORRELATION_DEPTH_MAX;
}

/* Those first that refer to rules, then those that refer to these. A chain as long as may be is
 * through after as many rounds. */
static void complete_all(struct compiler *compiler)
{
    bool again = true;

    for (int round = 0; round <= CORRELATION_DEPTH_MAX && again; round++) {
        again = false;
        for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next) {
            if (at->depth || find_open(at))
                continue;
            set_depth(at);
            complete(at);
            again = true;
        }
    }
}

/* Follows references that lead on; where that comes back to what it has met, there is a circle. */
static void find_circle(struct sigma_correlation *correlation, unsigned walk)
{
    struct sigma_correlation *at = correlation;
    const struct sigma_reference *next = find_open(at);

    while (next && at->walk == 0) {
        at->walk = walk;
        at->mistaken = true;
        at = next->draft->correlation;
        next = find_open(at);
    }
    if (!next || at->walk != walk)
        return;
    bool itself = next->draft == at->draft;

    diag_error(at->compiler->diags, next->node->mark, "recursive-name", "%s refers to itself%s%s",
               at->draft->scope, itself ? "" : ", by way of ", itself ? "" : next->draft->scope);
}

static void find_circles(struct compiler *compiler)
{
    unsigned walk = 0;

    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next)
        if (at->depth == 0 && at->walk == 0)
            find_circle(at, ++walk);
}

/* Whether the members that can hit are enough for the condition: of so many, any that hit. */
#define WORDS_TRIED_MAX 8

static bool can_meet(const struct correlation *made, const bool *hits)
{
    if (made->member_count > WORDS_TRIED_MAX)
        return true;
    for (unsigned set = 1; set < 1U << made->member_count; set++) {
        bool seen[WORDS_TRIED_MAX], possible = true;

        for (size_t i = 0; i < made->member_count; i++) {
            seen[i] = set >> i & 1;
            possible &= !seen[i] || hits[i];
        }
        if (possible && condition_holds(made->condition, seen))
            return true;
    }
    return false;
}

static bool can_hit(const struct draft *draft)
{
    return draft->rule.enabled && (!draft->correlation || !draft->correlation->impossible);
}

static bool is_possible(const struct sigma_correlation *correlation)
{
    const struct correlation *made = correlation->made;
    bool hits[CORRELATION_MEMBERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < made->member_count; i++) {
        hits[i] = can_hit(correlation->members[i]);
        count += hits[i];
    }
    if (made->condition)
        return can_meet(made, hits);
    if (made->type == CORRELATION_TEMPORAL_ORDERED)
        return count == made->member_count;
    return count >= (made->type == CORRELATION_TEMPORAL ? made->needed : 1);
}

static void warn_impossible(struct sigma_correlation *correlation)
{
    struct draft *draft = correlation->draft;

    if (correlation->mistaken || draft->omitted || is_possible(correlation))
        return;
    correlation->impossible = true;
    if (draft->rule.enabled)
        diag_warning(correlation->compiler->diags, draft->rule.mark, "never-matches",
                     "%s can never hold: %s", draft->scope,
                     correlation->made->condition
                         ? "no rules that are enabled meet its condition"
                         : "rules that it needs are disabled, or never hold themselves");
}

static void warn_all(struct compiler *compiler)
{
    for (unsigned depth = 1; depth <= CORRELATION_DEPTH_MAX; depth++)
        for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next)
            if (at->depth == depth)
                warn_impossible(at);
}

/* A correlation that is not there takes nobody's alerts. */
static void silence_members(struct compiler *compiler)
{
    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next) {
        for (size_t i = 0; !at->draft->omitted && i < at->made->member_count; i++) {
            if (!at->members[i]->silenced_by)
                at->members[i]->silenced_by = at;
            at->members[i]->raised |= at->made->generate;
        }
    }
    for (size_t i = 0; i < compiler->drafts.count; i++) {
        struct draft *draft = compiler->drafts.entries[i].value;

        draft->rule.silent = draft->silenced_by && !draft->raised;
    }
}

void sigma_chain_resolve(struct compiler *compiler)
{
    if (!compiler->correlations.first)
        return;
    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next)
        find_rules(at);
    complete_all(compiler);
    find_circles(compiler);
    warn_all(compiler);
    silence_members(compiler);
}
