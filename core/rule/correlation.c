#include "rule/correlation.h"

#include "rule/condition.h"

static const char *const type_names[CORRELATION_TYPES] = {
    [CORRELATION_EVENT_COUNT] = "event_count",
    [CORRELATION_VALUE_COUNT] = "value_count",
    [CORRELATION_VALUE_SUM] = "value_sum",
    [CORRELATION_VALUE_AVG] = "value_avg",
    [CORRELATION_VALUE_PERCENTILE] = "value_percentile",
    [CORRELATION_VALUE_MEDIAN] = "value_median",
    [CORRELATION_TEMPORAL] = "temporal",
    [CORRELATION_TEMPORAL_ORDERED] = "temporal_ordered",
};

static const char *const operator_names[CORRELATION_OPERATORS] = {
    [CORRELATION_GT] = "gt",   [CORRELATION_GTE] = "gte", [CORRELATION_LT] = "lt",
    [CORRELATION_LTE] = "lte", [CORRELATION_EQ] = "eq",   [CORRELATION_NEQ] = "neq",
};

const char *correlation_type_name(enum correlation_type type)
{
    return type_names[type];
}

const char *correlation_operator_name(enum correlation_operator op)
{
    return operator_names[op];
}

bool correlation_is_temporal(enum correlation_type type)
{
    return type == CORRELATION_TEMPORAL || type == CORRELATION_TEMPORAL_ORDERED;
}

bool correlation_is_numeric(enum correlation_type type)
{
    return !correlation_is_temporal(type) && type != CORRELATION_EVENT_COUNT &&
           type != CORRELATION_VALUE_COUNT;
}

bool correlation_holds(const struct correlation *correlation, const bool *seen)
{
    size_t count = 0;

    if (correlation->condition)
        return condition_holds(correlation->condition, seen);
    for (size_t i = 0; i < correlation->member_count; i++)
        count += seen[i];
    return count >= correlation->needed;
}

static bool accepts(const struct correlation_bound *bound, double value)
{
    switch (bound->op) {
    case CORRELATION_GT:
        return value > bound->value;
    case CORRELATION_GTE:
        return value >= bound->value;
    case CORRELATION_LT:
        return value < bound->value;
    case CORRELATION_LTE:
        return value <= bound->value;
    case CORRELATION_EQ:
        return value >= bound->value && value <= bound->value;
    default:
        return value < bound->value || value > bound->value;
    }
}

bool correlation_accepts(const struct correlation *correlation, double value)
{
    for (size_t i = 0; i < correlation->bound_count; i++)
        if (!accepts(&correlation->bounds[i], value))
            return false;
    return true;
}
