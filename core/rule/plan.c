#include "rule/plan.h"

#include "rule/correlation_summary.h"
#include "rule/expression.h"
#include "rule/index.h"

#define LABEL_WIDTH 12

struct plan {
    struct buffer *out;
    const struct rule *rule;
    const struct predicate *const *witnesses;
    size_t witness_count;
};

static const char *operator_name(enum predicate_operator op)
{
    static const char *const names[] = {
        [PREDICATE_EXISTS] = "exists",
        [PREDICATE_EQUAL] = "=",
        [PREDICATE_LESS] = "<",
        [PREDICATE_LESS_EQUAL] = "<=",
        [PREDICATE_GREATER] = ">",
        [PREDICATE_GREATER_EQUAL] = ">=",
        [PREDICATE_IS] = "is",
        [PREDICATE_STARTS] = "startswith",
        [PREDICATE_ENDS] = "endswith",
        [PREDICATE_CONTAINS] = "contains",
        [PREDICATE_GLOB] = "glob",
        [PREDICATE_MATCHES] = "matches",
        [PREDICATE_FINDS] = "re",
        [PREDICATE_CIDR] = "cidr",
        [PREDICATE_IS_FIELD] = "is field",
        [PREDICATE_STARTS_FIELD] = "startswith field",
        [PREDICATE_ENDS_FIELD] = "endswith field",
        [PREDICATE_CONTAINS_FIELD] = "contains field",
    };

    return names[op];
}

/* A number as its field's values are written. */
static void put_number(struct buffer *out, const struct predicate *predicate)
{
    struct value value = {.type = predicate->ref.field->type, .number = predicate->number};

    if (value.type == TYPE_BOOL)
        value.boolean = predicate->number != 0;
    value_put(out, &value);
}

static void put_predicate(struct buffer *out, const struct predicate *predicate)
{
    field_ref_put(out, &predicate->ref);
    buffer_printf(out, " %s", operator_name(predicate->op));
    if (predicate->flags & REGEX_NOCASE)
        buffer_put_string(out, " nocase");
    if (predicate->flags & REGEX_MULTILINE)
        buffer_put_string(out, " multiline");
    if (predicate->flags & REGEX_DOTALL)
        buffer_put_string(out, " dotall");
    if (predicate->op == PREDICATE_EXISTS)
        return;
    buffer_put_char(out, ' ');
    if (!predicate_is_of_text(predicate->op)) {
        put_number(out, predicate);
        return;
    }
    if (predicate_is_of_field(predicate->op)) {
        field_ref_put(out, &predicate->other);
        return;
    }
    buffer_put_char(out, '\'');
    buffer_put_printable(out, predicate->text);
    buffer_put_char(out, '\'');
}

static bool is_witness(const struct plan *plan, const struct predicate *predicate)
{
    for (size_t i = 0; i < plan->witness_count; i++)
        if (plan->witnesses[i] == predicate)
            return true;
    return false;
}

/* In the order in which they are asked, which is that of their cost. */
static void put_expression(const struct plan *plan, const struct expression *expression,
                           unsigned depth)
{
    static const char *const names[] = {
        [EXPRESSION_NEVER] = "never", [EXPRESSION_ALWAYS] = "always", [EXPRESSION_NOT] = "not",
        [EXPRESSION_ALL] = "all of",  [EXPRESSION_ANY] = "any of",
    };

    buffer_printf(plan->out, "%6u  %*s", expression->cost, (int)(2 * depth), "");
    if (expression->kind == EXPRESSION_PREDICATE) {
        put_predicate(plan->out, expression->predicate);
        if (is_witness(plan, expression->predicate))
            buffer_put_string(plan->out, "  (witness)");
    } else {
        buffer_put_string(plan->out, names[expression->kind]);
    }
    buffer_put_char(plan->out, '\n');
    for (size_t i = 0; i < expression->count; i++)
        put_expression(plan, expression->items[i], depth + 1);
}

static void put_label(struct buffer *out, const char *label)
{
    buffer_printf(out, "%-*s", LABEL_WIDTH, label);
}

static void put_head(const struct plan *plan)
{
    const struct rule *rule = plan->rule;
    struct buffer *out = plan->out;

    put_label(out, "rule");
    buffer_put_text(out, rule->id);
    buffer_put_char(out, '\n');
    put_label(out, "at");
    buffer_put_printable(out, text_from(rule->mark.file));
    buffer_printf(out, ":%u:%u\n", rule->mark.line, rule->mark.column);
    if (rule->feed_count) {
        put_label(out, "feeds");
        correlation_summary_put_feeds(out, rule);
        buffer_put_string(out, rule->silent ? ", without an alert of its own\n" : "\n");
    }
    if (rule->correlation) {
        put_label(out, "correlation");
        correlation_summary_put(out, rule->correlation);
        buffer_put_char(out, '\n');
        return;
    }
    put_label(out, "on");
    buffer_printf(out, "%s\n", event_type_name(rule->on));
}

static void put_witnesses(const struct plan *plan)
{
    put_label(plan->out, "found by");
    if (plan->witness_count == 0) {
        buffer_put_string(plan->out, "nothing: no event can make it hold\n");
        return;
    }
    buffer_put_string(plan->out, plan->witness_count == 1 ? "this predicate, when it holds\n"
                                                          : "one of these predicates that holds\n");
    for (size_t i = 0; i < plan->witness_count; i++) {
        const char *lookup = index_lookup_name(plan->witnesses[i]);

        buffer_printf(plan->out, "  %-10s", lookup ? lookup : "");
        put_predicate(plan->out, plan->witnesses[i]);
        buffer_put_char(plan->out, '\n');
    }
}

void plan_put(struct buffer *out, const struct ruleset *ruleset, const struct rule *rule)
{
    struct plan plan = {.out = out, .rule = rule};
    bool found = rule->enabled && !rule->correlation &&
                 ruleset_witness(ruleset, rule, &plan.witnesses, &plan.witness_count);

    put_head(&plan);
    if (rule->correlation)
        return;
    if (found) {
        put_witnesses(&plan);
    } else {
        put_label(out, "found by");
        buffer_put_string(out, rule->enabled ? "nothing: every event of its type evaluates it\n"
                                             : "nothing: it is not enabled\n");
    }
    put_label(out, "evaluated");
    buffer_put_string(out, "in this order, until it is decided, each with its cost\n");
    put_expression(&plan, rule->expression, 0);
}
