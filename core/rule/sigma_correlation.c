#include "rule/sigma_correlation.h"

#include "base/clock.h"
#include "rule/sigma_document.h"
#include "rule/sigma_group.h"
#include "rule/sigma_metadata.h"
#include "rule/sigma_threshold.h"

static const char *scope_of(const struct sigma_correlation *correlation)
{
    return correlation->draft->scope;
}

/* Where its parts stand. What is not known here would be missing elsewhere: it is no custom key. */
static const struct {
    const char *name;
    size_t offset; /* of struct sigma_correlation; 0: it is read otherwise */
} keys[] = {
    {"type", offsetof(struct sigma_correlation, type)},
    {"rules", offsetof(struct sigma_correlation, rules)},
    {"group-by", offsetof(struct sigma_correlation, group_by)},
    {"timespan", offsetof(struct sigma_correlation, timespan)},
    {"condition", offsetof(struct sigma_correlation, condition)},
    {"aliases", offsetof(struct sigma_correlation, aliases)},
    {"generate", 0},
};
#define KEYS (sizeof keys / sizeof *keys)

static void diagnose_key(struct sigma_correlation *correlation, const struct yaml_node *key)
{
    static const char *const others[][2] = {{"timeframe", "timespan"},
                                            {"window", "timespan"},
                                            {"by", "group-by"},
                                            {"field", "condition"}};
    const char *names[KEYS], *nearest = NULL;

    for (size_t i = 0; i < KEYS; i++)
        names[i] = keys[i].name;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_is(key->text, others[i][0]))
            nearest = others[i][1];
    if (!nearest)
        nearest = text_nearest(key->text, names, KEYS);
    diag_error(correlation->compiler->diags, key->mark, "unknown-key",
               "unknown key '%.*s' in 'correlation' of %s%s", TEXT_ARG(key->text),
               scope_of(correlation), diag_hint(correlation->compiler->diags, nearest));
}

static void keep_key(struct sigma_correlation *correlation, const struct yaml_node *key,
                     const struct yaml_node *value)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (!text_is(key->text, keys[i].name))
            continue;
        if (keys[i].offset && !yaml_is_null(value))
            *(const struct yaml_node **)((char *)correlation + keys[i].offset) = value;
        return;
    }
    diagnose_key(correlation, key);
}

static void read_type(struct sigma_correlation *correlation)
{
    const struct yaml_node *node = correlation->type;
    const char *names[CORRELATION_TYPES];

    for (int i = 0; i < CORRELATION_TYPES; i++) {
        names[i] = correlation_type_name((enum correlation_type)i);
        if (node->kind != YAML_SCALAR || !text_equal_nocase(node->text, text_from(names[i])))
            continue;
        correlation->made->type = (enum correlation_type)i;
        return;
    }
    correlation->type = NULL;
    if (node->kind == YAML_SCALAR)
        diag_error(correlation->compiler->diags, node->mark, "bad-correlation",
                   "unknown type '%.*s' of %s%s (they are: event_count, value_count, value_sum, "
                   "value_avg, value_percentile, value_median, temporal, temporal_ordered)",
                   TEXT_ARG(node->text), scope_of(correlation),
                   diag_hint(correlation->compiler->diags,
                             text_nearest(node->text, names, CORRELATION_TYPES)));
    else
        diag_error(correlation->compiler->diags, node->mark, "wrong-type",
                   "'type' of %s must be a text", scope_of(correlation));
}

/* Seconds of what a timespan is counted in; 0: no such unit. Months and years are those of
 * pySigma. */
static int64_t seconds_of(char unit)
{
    static const struct {
        char name;
        int64_t seconds;
    } units[] = {{'s', 1},      {'m', 60},      {'h', 3600},    {'d', 86400},
                 {'w', 604800}, {'M', 2629746}, {'y', 31556952}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].name == unit)
            return units[i].seconds;
    return 0;
}

static bool is_digits(struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

static void read_timespan(struct sigma_correlation *correlation)
{
    const struct yaml_node *node = correlation->timespan;
    struct text number = node->text;
    int64_t count = 0, seconds = 0;

    if (node->kind == YAML_SCALAR && number.len > 1) {
        number.len--;
        seconds = seconds_of(number.ptr[number.len]);
    }
    if (!seconds || !is_digits(number) || text_to_int(number, &count) < 0 || count == 0 ||
        count > CORRELATION_TIMESPAN_MAX / NS_PER_S / seconds) {
        diag_error(correlation->compiler->diags, node->mark, "bad-value",
                   "'timespan' of %s must be a number and one of s, m, h, d, w, M (months), y, as "
                   "in 5m: more than 0, and 100y at most",
                   scope_of(correlation));
        return;
    }
    correlation->made->timespan = count * seconds * NS_PER_S;
}

/* It stands in `correlation`, and in the JSON schema of Sigma beside it. */
static void read_generate(struct sigma_correlation *correlation, const struct yaml_node *map)
{
    const struct yaml_node *node = yaml_get(map, "generate");
    bool generate = false;

    if (!node || yaml_is_null(node))
        return;
    if (!yaml_is_bool(node, &generate))
        diag_error(correlation->compiler->diags, node->mark, "wrong-type",
                   "'generate' of %s must be true or false", scope_of(correlation));
    correlation->made->generate |= generate;
}

/* At the key, since what is missing has no place. */
static void require(struct sigma_correlation *correlation, const char *missing)
{
    const struct yaml_node *root = correlation->root;

    for (size_t i = 0; i < root->count; i++) {
        struct mark mark = root->keys[i]->mark;

        if (root->items[i] == yaml_get(root, "correlation"))
            diag_error(correlation->compiler->diags, mark, "missing-key",
                       "'correlation' of %s has no '%s'", scope_of(correlation), missing);
    }
}

/* The condition has been read as far as that can be before the rules are known. */
static void read_condition(struct sigma_correlation *correlation)
{
    const struct yaml_node *node = correlation->condition;
    bool temporal = correlation_is_temporal(correlation->made->type);

    if (!node && !temporal)
        require(correlation, "condition");
    if (!node)
        return;
    if (node->kind == YAML_MAP)
        sigma_threshold_read(correlation);
    else if (!yaml_is_text(node))
        diag_error(correlation->compiler->diags, node->mark, "wrong-type",
                   "'condition' of %s must be a map, as in {gte: 3}%s", scope_of(correlation),
                   temporal ? ", or a text, as in 'a and not b'" : "");
    else if (!temporal)
        diag_error(correlation->compiler->diags, node->mark, "bad-correlation",
                   "a condition in words is for temporal correlations: 'condition' of %s must be a "
                   "map, as in {gte: 3}",
                   scope_of(correlation));
}

static void read_body(struct sigma_correlation *correlation, const struct yaml_node *body)
{
    if (body->kind != YAML_MAP) {
        diag_error(correlation->compiler->diags, body->mark, "wrong-type",
                   "'correlation' of %s must be a map", scope_of(correlation));
        return;
    }
    for (size_t i = 0; i < body->count; i++)
        keep_key(correlation, body->keys[i], body->items[i]);
    read_generate(correlation, body);
    read_generate(correlation, correlation->root);
    if (correlation->timespan)
        read_timespan(correlation);
    else
        require(correlation, "timespan");
    if (!correlation->type)
        require(correlation, "type");
    else
        read_type(correlation);
    if (correlation->type)
        read_condition(correlation);
    sigma_group_read(correlation);
    if (!correlation->rules && !yaml_is_text(correlation->condition))
        require(correlation, "rules");
}

/* Keys of native rules that a correlation may have as well: what alerts say and where they go. */
static void read_extensions(struct draft *draft, const struct yaml_node *root)
{
    static const char *const names[] = {"message", "suppress", "outputs", "enabled", "tests"};

    for (size_t i = 0; i < root->count; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (text_is(root->keys[i]->text, names[j]))
                draft_read_key(draft, names[j], root->keys[i], root->items[i]);
}

static struct sigma_correlation *new_correlation(struct compiler *compiler,
                                                 const struct yaml_node *root)
{
    struct sigma_correlation *correlation = arena_alloc(&compiler->arena, sizeof *correlation);
    struct correlation *made = arena_alloc(&compiler->ruleset->arena, sizeof *made);
    struct draft *draft = draft_new(compiler, sigma_document_scope(compiler, root));

    if (!correlation || !made || !draft) {
        compiler->failed = true;
        return NULL;
    }
    *correlation = (struct sigma_correlation){
        .compiler = compiler, .draft = draft, .root = root, .made = made};
    draft->correlation = correlation;
    draft->rule.correlation = made;
    return correlation;
}

void sigma_correlation_read(struct compiler *compiler, const struct yaml_node *root)
{
    struct sigma_correlation *correlation = new_correlation(compiler, root);
    size_t errors = compiler->diags->errors;

    if (!correlation)
        return;
    struct draft *draft = correlation->draft;

    sigma_metadata_read(draft, root);
    read_extensions(draft, root);
    read_body(correlation, yaml_get(root, "correlation"));
    draft_set_outline(draft, compiler_join_parts(compiler, compiler->stack_count, false));
    draft->rule.written = draft->rule.expression;
    draft_file(draft);
    correlation->mistaken = compiler->diags->errors > errors;
    *compiler->correlations.last = correlation;
    compiler->correlations.last = &correlation->next;
}
