#include "rule/sigma_threshold.h"

#include "base/clock.h"
#include "rule/sigma_value.h"

static void diagnose_key(struct sigma_correlation *correlation, const struct yaml_node *key)
{
    const char *names[CORRELATION_OPERATORS + 2] = {[CORRELATION_OPERATORS] = "field",
                                                    [CORRELATION_OPERATORS + 1] = "percentile"};

    for (int i = 0; i < CORRELATION_OPERATORS; i++)
        names[i] = correlation_operator_name((enum correlation_operator)i);
    diag_error(
        correlation->compiler->diags, key->mark, "unknown-key",
        "unknown key '%.*s' in 'condition' of %s%s (it has gt, gte, lt, lte, eq, neq, field, "
        "percentile)",
        TEXT_ARG(key->text), correlation->draft->scope,
        diag_hint(correlation->compiler->diags,
                  text_nearest(key->text, names, CORRELATION_OPERATORS + 2)));
}

/* How many of something there are is a whole number. */
static bool is_count(double value)
{
    double whole = (double)(int64_t)value;

    return value >= 0 && value >= whole && value <= whole;
}

static bool is_plain_number(const struct yaml_node *node, double *out)
{
    return node->kind == YAML_SCALAR && node->plain && sigma_value_number(node->text, out);
}

static void refuse_bound(struct sigma_correlation *correlation, enum correlation_operator op,
                         const struct yaml_node *node, const char *wanted)
{
    diag_error(correlation->compiler->diags, node->mark, "bad-value",
               "'%s' in 'condition' of %s must be a %s", correlation_operator_name(op),
               correlation->draft->scope, wanted);
}

static void read_bound(struct sigma_correlation *correlation, enum correlation_operator op,
                       const struct yaml_node *node)
{
    struct correlation *made = correlation->made;
    double value = 0;

    if (!correlation_is_numeric(made->type) &&
        !(is_plain_number(node, &value) && is_count(value))) {
        refuse_bound(correlation, op, node, "whole number");
        return;
    }
    correlation->bounds[made->bound_count] = node;
    made->bounds[made->bound_count++] = (struct correlation_bound){.op = op, .value = value};
}

static void read_percentile(struct sigma_correlation *correlation, const struct yaml_node *node)
{
    struct correlation *made = correlation->made;

    if (made->type != CORRELATION_VALUE_PERCENTILE)
        diag_error(correlation->compiler->diags, node->mark, "bad-correlation",
                   "'percentile' is for correlations of the type value_percentile: %s is of %s",
                   correlation->draft->scope, correlation_type_name(made->type));
    else if (node->kind != YAML_SCALAR || !sigma_value_number(node->text, &made->percentile) ||
             made->percentile < 0 || made->percentile > 100)
        diag_error(correlation->compiler->diags, node->mark, "bad-value",
                   "'percentile' in 'condition' of %s must be a number from 0 to 100",
                   correlation->draft->scope);
}

static void read_field(struct sigma_correlation *correlation, const struct yaml_node *node)
{
    enum correlation_type type = correlation->made->type;

    correlation->field = node;
    if (type == CORRELATION_EVENT_COUNT || correlation_is_temporal(type))
        diag_error(correlation->compiler->diags, node->mark, "bad-correlation",
                   "'field' is for correlations of values: %s is of the type %s",
                   correlation->draft->scope, correlation_type_name(type));
    else if (node->kind == YAML_LIST && node->count > 1 && type != CORRELATION_VALUE_COUNT)
        diag_error(correlation->compiler->diags, node->mark, "bad-correlation",
                   "'field' of %s must be one field: only value_count takes several together",
                   correlation->draft->scope);
}

static void read_key(struct sigma_correlation *correlation, const struct yaml_node *key,
                     const struct yaml_node *value)
{
    for (int op = 0; op < CORRELATION_OPERATORS; op++) {
        if (text_is(key->text, correlation_operator_name((enum correlation_operator)op))) {
            read_bound(correlation, (enum correlation_operator)op, value);
            return;
        }
    }
    if (text_is(key->text, "field"))
        read_field(correlation, value);
    else if (text_is(key->text, "percentile"))
        read_percentile(correlation, value);
    else
        diagnose_key(correlation, key);
}

static void require(struct sigma_correlation *correlation, const char *what)
{
    diag_error(correlation->compiler->diags, correlation->condition->mark, "missing-key",
               "'condition' of %s has no %s", correlation->draft->scope, what);
}

/* The least number of at least 1 that all bounds hold for: it is next to one of them. */
static bool find_needed(const struct correlation *made, double *out)
{
    double least = 0;

    for (size_t i = 0; i <= made->bound_count; i++) {
        double near = i < made->bound_count ? made->bounds[i].value : 1;

        for (int step = 0; step <= 1; step++) {
            double candidate = near + step;

            if (candidate < 1 || (least > 0 && candidate >= least) ||
                !correlation_accepts(made, candidate))
                continue;
            least = candidate;
        }
    }
    *out = least;
    return least > 0;
}

/* Whether some number is within all bounds: one of them is, or is the middle of two, or is beyond
 * them all. */
static bool has_any(const struct correlation *made)
{
    const struct correlation_bound *bounds = made->bounds;

    for (size_t i = 0; i < made->bound_count; i++) {
        double at = bounds[i].value, step = 1 + (at < 0 ? -at : at);

        if (correlation_accepts(made, at) || correlation_accepts(made, at + step) ||
            correlation_accepts(made, at - step))
            return true;
        for (size_t k = 0; k < made->bound_count; k++) {
            double far = bounds[k].value;

            if (correlation_accepts(made, at / 2 + far / 2) ||
                correlation_accepts(made, at / 4 + far / 4 * 3))
                return true;
        }
    }
    return false;
}

static void refuse_contradiction(struct sigma_correlation *correlation, const char *of)
{
    diag_error(correlation->compiler->diags, correlation->condition->mark, "bad-correlation",
               "'condition' of %s contradicts itself: no number%s meets it",
               correlation->draft->scope, of);
}

void sigma_threshold_warn_lone(struct sigma_correlation *correlation, struct mark mark)
{
    diag_warning(correlation->compiler->diags, mark, "lone-event",
                 "a single event is all that %s takes", correlation->draft->scope);
}

static void set_needed(struct sigma_correlation *correlation)
{
    struct correlation *made = correlation->made;
    struct diag_list *diags = correlation->compiler->diags;
    double needed;

    if (!find_needed(made, &needed)) {
        refuse_contradiction(correlation, " of 1 or more");
        return;
    }
    if (needed > CORRELATION_COUNT_MAX) {
        diag_error(diags, correlation->condition->mark, "bad-correlation",
                   "'condition' of %s asks for more than %d", correlation->draft->scope,
                   CORRELATION_COUNT_MAX);
        return;
    }
    made->needed = (size_t)needed;
    if (needed <= 1)
        sigma_threshold_warn_lone(correlation, correlation->condition->mark);
}

/* As rules compare with such a field; what is not so is refused by what it is to be. */
static const char *read_measure(enum field_type type, const struct yaml_node *node, double *out)
{
    int64_t number = 0;
    bool plain = is_plain_number(node, out), good = false;

    if (type == TYPE_NUMBER && plain)
        return NULL;
    if (node->kind == YAML_SCALAR)
        good = (plain && text_is(node->text, "0")) ||
               (type == TYPE_NUMBER     ? text_to_size(node->text, &number)
                : type == TYPE_DURATION ? text_to_duration(node->text, &number)
                                        : time_parse(node->text, &number)) == 0;
    *out = (double)number;
    return good                    ? NULL
           : type == TYPE_NUMBER   ? "number or size (as in 10MiB)"
           : type == TYPE_DURATION ? "duration (as in 250ms, 10s, 5m)"
                                   : "time (as in 2026-01-31T12:00:00Z)";
}

/* NUMBER, DURATION or TIME; false: fields of several types, or none, where there is a mistake. */
static bool find_type(struct sigma_correlation *correlation, enum field_type *out)
{
    unsigned types = correlation->value_types;

    if (types == 0)
        return false;
    enum field_type first = (enum field_type)__builtin_ctz(types);

    *out = (enum field_type)(31 - __builtin_clz(types));
    if (first == *out)
        return true;
    diag_error(correlation->compiler->diags, correlation->field->mark, "bad-field",
               "'field' of %s is a %s in one rule and a %s in another", correlation->draft->scope,
               field_type_name(first), field_type_name(*out));
    return false;
}

/* A sum of nothing or of one is what the first event makes. */
static void check_bounds(struct sigma_correlation *correlation)
{
    const struct correlation *made = correlation->made;

    if (!has_any(made))
        refuse_contradiction(correlation, "");
    else if (correlation_accepts(made, 0) || correlation_accepts(made, 1))
        sigma_threshold_warn_lone(correlation, correlation->condition->mark);
}

void sigma_threshold_resolve(struct sigma_correlation *correlation)
{
    struct correlation *made = correlation->made;
    size_t errors = correlation->compiler->diags->errors;

    made->needed = 1;
    if (!find_type(correlation, &made->value_type))
        return;
    for (size_t i = 0; i < made->bound_count; i++) {
        struct correlation_bound *bound = &made->bounds[i];
        const char *wanted = read_measure(made->value_type, correlation->bounds[i], &bound->value);

        if (wanted)
            refuse_bound(correlation, bound->op, correlation->bounds[i], wanted);
    }
    if (made->bound_count && correlation->compiler->diags->errors == errors)
        check_bounds(correlation);
}

void sigma_threshold_read(struct sigma_correlation *correlation)
{
    const struct yaml_node *node = correlation->condition;
    enum correlation_type type = correlation->made->type;
    size_t errors = correlation->compiler->diags->errors;
    bool of_values = type != CORRELATION_EVENT_COUNT && !correlation_is_temporal(type);

    for (size_t i = 0; i < node->count; i++)
        read_key(correlation, node->keys[i], node->items[i]);
    if (of_values && !correlation->field)
        require(correlation, "'field', whose values it is about");
    if (type == CORRELATION_VALUE_PERCENTILE && !yaml_get(node, "percentile"))
        require(correlation, "'percentile', a number from 0 to 100");
    if (correlation->compiler->diags->errors > errors)
        return;
    if (correlation->made->bound_count && !correlation_is_numeric(type))
        set_needed(correlation);
    else if (correlation->made->bound_count == 0)
        require(correlation, "number to compare with, as in {gte: 3}");
}
