#include "rule/sigma_threshold.h"

#include "rule/sigma_value.h"

static struct diag_list *diags_of(const struct sigma_correlation *correlation)
{
    return correlation->draft->compiler->diags;
}

static void diagnose_key(struct sigma_correlation *correlation, const struct yaml_node *key)
{
    const char *names[CORRELATION_OPERATORS + 2] = {[CORRELATION_OPERATORS] = "field",
                                                    [CORRELATION_OPERATORS + 1] = "percentile"};

    for (int i = 0; i < CORRELATION_OPERATORS; i++)
        names[i] = correlation_operator_name((enum correlation_operator)i);
    diag_error(
        diags_of(correlation), key->mark, "unknown-key",
        "unknown key '%.*s' in 'condition' of %s%s (it has gt, gte, lt, lte, eq, neq, field, "
        "percentile)",
        TEXT_ARG(key->text), correlation->draft->scope,
        diag_hint(diags_of(correlation),
                  text_nearest(key->text, names, CORRELATION_OPERATORS + 2)));
}

/* How many of something there are is a whole number. */
static bool is_count(double value)
{
    double whole = (double)(int64_t)value;

    return value >= 0 && value >= whole && value <= whole;
}

static void read_bound(struct sigma_correlation *correlation, enum correlation_operator op,
                       const struct yaml_node *node)
{
    struct correlation *made = correlation->made;
    bool numeric = correlation_is_numeric(made->type);
    double value;

    if (node->kind == YAML_SCALAR && node->plain && sigma_value_number(node->text, &value) &&
        (numeric || is_count(value)))
        made->bounds[made->bound_count++] = (struct correlation_bound){.op = op, .value = value};
    else
        diag_error(diags_of(correlation), node->mark, "bad-value",
                   "'%s' in 'condition' of %s must be a %snumber", correlation_operator_name(op),
                   correlation->draft->scope, numeric ? "" : "whole ");
}

static void read_percentile(struct sigma_correlation *correlation, const struct yaml_node *node)
{
    struct correlation *made = correlation->made;

    if (made->type != CORRELATION_VALUE_PERCENTILE)
        diag_error(diags_of(correlation), node->mark, "bad-correlation",
                   "'percentile' is for correlations of the type value_percentile: %s is of %s",
                   correlation->draft->scope, correlation_type_name(made->type));
    else if (node->kind != YAML_SCALAR || !sigma_value_number(node->text, &made->percentile) ||
             made->percentile < 0 || made->percentile > 100)
        diag_error(diags_of(correlation), node->mark, "bad-value",
                   "'percentile' in 'condition' of %s must be a number from 0 to 100",
                   correlation->draft->scope);
}

static void read_field(struct sigma_correlation *correlation, const struct yaml_node *node)
{
    enum correlation_type type = correlation->made->type;

    correlation->field = node;
    if (type == CORRELATION_EVENT_COUNT || correlation_is_temporal(type))
        diag_error(diags_of(correlation), node->mark, "bad-correlation",
                   "'field' is for correlations of values: %s is of the type %s",
                   correlation->draft->scope, correlation_type_name(type));
    else if (node->kind == YAML_LIST && node->count > 1 && type != CORRELATION_VALUE_COUNT)
        diag_error(diags_of(correlation), node->mark, "bad-correlation",
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
    diag_error(diags_of(correlation), correlation->condition->mark, "missing-key",
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

static void set_needed(struct sigma_correlation *correlation)
{
    struct correlation *made = correlation->made;
    struct diag_list *diags = diags_of(correlation);
    bool numeric = correlation_is_numeric(made->type);
    double needed = 1;

    if (numeric ? !has_any(made) : !find_needed(made, &needed)) {
        diag_error(diags, correlation->condition->mark, "bad-correlation",
                   "'condition' of %s contradicts itself: no number%s meets it",
                   correlation->draft->scope, numeric ? "" : " of 1 or more");
        return;
    }
    if (needed > CORRELATION_COUNT_MAX) {
        diag_error(diags, correlation->condition->mark, "bad-correlation",
                   "'condition' of %s asks for more than %d", correlation->draft->scope,
                   CORRELATION_COUNT_MAX);
        return;
    }
    made->needed = (size_t)needed;
    if (needed <= 1 && !numeric)
        diag_warning(diags, correlation->condition->mark, "lone-event",
                     "a single event meets the 'condition' of %s", correlation->draft->scope);
}

void sigma_threshold_read(struct sigma_correlation *correlation)
{
    const struct yaml_node *node = correlation->condition;
    enum correlation_type type = correlation->made->type;
    size_t errors = diags_of(correlation)->errors;
    bool of_values = type != CORRELATION_EVENT_COUNT && !correlation_is_temporal(type);

    for (size_t i = 0; i < node->count; i++)
        read_key(correlation, node->keys[i], node->items[i]);
    if (of_values && !correlation->field)
        require(correlation, "'field', whose values it is about");
    if (type == CORRELATION_VALUE_PERCENTILE && !yaml_get(node, "percentile"))
        require(correlation, "'percentile', a number from 0 to 100");
    if (diags_of(correlation)->errors > errors)
        return;
    if (correlation->made->bound_count)
        set_needed(correlation);
    else
        require(correlation, "number to compare with, as in {gte: 3}");
}
