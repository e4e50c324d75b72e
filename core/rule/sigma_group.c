#include "rule/sigma_group.h"

#include "rule/rule_name.h"
#include "rule/sigma_field.h"

/* A name whose values are looked for in each member's events. */
struct lookup {
    struct sigma_correlation *correlation;
    const struct yaml_node *name;
    const struct yaml_node **fields; /* of an alias, by member; NULL: it is none */
};

/* The texts of NODE, a text or a list, each once; CORRELATION_KEYS_MAX at most. */
static size_t read_names(struct sigma_correlation *correlation, const char *key,
                         const struct yaml_node *node, const struct yaml_node **out)
{
    size_t count = 0;
    bool list = node->kind == YAML_LIST;

    for (size_t i = 0; i < (list ? node->count : 1); i++) {
        const struct yaml_node *item = list ? node->items[i] : node;
        bool known = false;

        if (!yaml_is_text(item)) {
            diag_error(correlation->compiler->diags, item->mark, "wrong-type",
                       "'%s' of %s must be a field or a list of fields", key,
                       correlation->draft->scope);
            continue;
        }
        for (size_t k = 0; k < count; k++)
            known |= text_equal(out[k]->text, item->text);
        if (!known && count == CORRELATION_KEYS_MAX) {
            diag_error(correlation->compiler->diags, item->mark, "too-many-values",
                       "'%s' of %s has more than %d fields", key, correlation->draft->scope,
                       CORRELATION_KEYS_MAX);
            break;
        }
        if (!known)
            out[count++] = item;
    }
    return count;
}

void sigma_group_read(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    const struct yaml_node *names[CORRELATION_KEYS_MAX];
    size_t count = correlation->group_by
                       ? read_names(correlation, "group-by", correlation->group_by, names)
                       : 0;
    struct text *keys = arena_array(&compiler->ruleset->arena, count, sizeof *keys);

    correlation->keys = arena_array(&compiler->arena, count, sizeof(struct yaml_node *));
    correlation->types = arena_array(&compiler->arena, count, sizeof *correlation->types);
    if (!keys || !correlation->keys || !correlation->types) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = compiler_keep_name(compiler, names[i]->text);
        correlation->keys[i] = names[i];
    }
    correlation->made->keys = keys;
    correlation->made->key_count = count;
    if (correlation->field)
        correlation->value_count =
            read_names(correlation, "field", correlation->field, correlation->values);
}

/* The log source that the fields of a rule's events are named after. */
static enum sigma_source source_of(const struct draft *draft)
{
    struct sigma_logsource read;

    if (draft->correlation)
        return draft->correlation->source;
    if (!draft->logsource)
        return SIGMA_PROCESS;
    sigma_logsource_read(draft->logsource, &read);
    return read.source;
}

/* Which of the keys of DRAFT, when it is a correlation, has that name; -1: none. */
static int key_of(const struct draft *draft, struct text name)
{
    const struct correlation *inner = draft->rule.correlation;

    for (size_t i = 0; inner && i < inner->key_count; i++)
        if (text_equal(inner->keys[i], name))
            return (int)i;
    return -1;
}

static const struct yaml_node *alias_of(const struct sigma_correlation *correlation,
                                        struct text name, size_t *index)
{
    const struct yaml_node *aliases = correlation->aliases;

    for (size_t i = 0; aliases && aliases->kind == YAML_MAP && i < aliases->count; i++) {
        if (!text_equal(aliases->keys[i]->text, name) || aliases->items[i]->kind != YAML_MAP)
            continue;
        *index = i;
        return aliases->items[i];
    }
    return NULL;
}

/* What an alias that is used says of each member; it must say something of all. */
static bool open_alias(struct lookup *lookup)
{
    struct sigma_correlation *correlation = lookup->correlation;
    struct compiler *compiler = correlation->compiler;
    size_t count = correlation->made->member_count, index;
    const struct yaml_node *alias = alias_of(correlation, lookup->name->text, &index);

    if (!alias)
        return true;
    correlation->used_aliases[index] = true;
    lookup->fields = arena_array(&compiler->arena, count, sizeof(struct yaml_node *));
    if (!lookup->fields) {
        compiler->failed = true;
        return false;
    }
    for (size_t i = 0; i < alias->count; i++) {
        const struct rule_name *name = map_get(&compiler->rule_names, alias->keys[i]->text);

        if (name && name->draft && name->draft->counted_by == correlation &&
            yaml_is_text(alias->items[i]))
            lookup->fields[name->draft->member] = alias->items[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (lookup->fields[i])
            continue;
        diag_error(compiler->diags, lookup->name->mark, "bad-correlation",
                   "the alias '%.*s' of %s does not say which field it is in %s",
                   TEXT_ARG(lookup->name->text), correlation->draft->scope,
                   correlation->members[i]->scope);
        return false;
    }
    return true;
}

static const char *explain_unknown(struct compiler *compiler, struct text name)
{
    char workspace[64];
    const char *nearest = sigma_field_suggest(name);

    if (!nearest)
        nearest = field_suggest(name, workspace);
    const char *why = arena_printf(
        &compiler->arena, "no process execution has a field '%.*s'%s%s%s", TEXT_ARG(name),
        nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");

    compiler->failed |= !why;
    return why ? why : "";
}

/* What published rules for other events name is none of ours; who writes native rules has mistaken
 * a name. */
static void refuse_unknown(const struct lookup *lookup, const struct yaml_node *node,
                           const char **reason)
{
    struct sigma_correlation *correlation = lookup->correlation;
    struct diag_list *diags = correlation->compiler->diags;
    char workspace[64];

    if (correlation->native)
        diag_error(diags, node->mark, "unknown-field", "unknown field '%.*s' in %s%s",
                   TEXT_ARG(node->text), correlation->draft->scope,
                   diag_hint(diags, field_suggest(node->text, workspace)));
    else
        *reason = explain_unknown(correlation->compiler, node->text);
}

/* Where MEMBER has the values; false: nowhere, which is a mistake or has a REASON. */
static bool find_source(const struct lookup *lookup, size_t member, struct correlation_source *out,
                        const char **reason)
{
    struct sigma_correlation *correlation = lookup->correlation;
    const struct draft *draft = correlation->members[member];
    const struct yaml_node *node = lookup->fields ? lookup->fields[member] : lookup->name;
    struct sigma_field field;

    *out = (struct correlation_source){.key = key_of(draft, node->text)};
    if (out->key >= 0)
        return true;
    if (!sigma_field_find(source_of(draft), node->text, &field) || field.ref_count == 0) {
        refuse_unknown(lookup, node, reason);
        return false;
    }
    out->ref = field.refs[0];
    return true;
}

/* Of which types the values are in the end, through chains. */
static unsigned types_of(const struct draft *draft, const struct correlation_source *source)
{
    if (source->key >= 0)
        return draft->correlation->types[source->key];
    return 1U << source->ref.field->type;
}

/* The first of TYPES that is no number; NULL: all are. */
static const char *find_other(unsigned types)
{
    for (unsigned type = 0; types >> type; type++)
        if (types >> type & 1 && !field_type_is_number((enum field_type)type))
            return field_type_name((enum field_type)type);
    return NULL;
}

static bool check_value(const struct lookup *lookup, const struct correlation_source *source,
                        unsigned types)
{
    const struct sigma_correlation *correlation = lookup->correlation;
    const char *other = find_other(types);

    if (correlation_source_spreads(source)) {
        diag_error(correlation->compiler->diags, lookup->name->mark, "bad-field",
                   "'%.*s' has many values: name one ancestor, as in ancestor[2]",
                   TEXT_ARG(lookup->name->text));
        return false;
    }
    if (other && correlation_is_numeric(correlation->made->type)) {
        diag_error(correlation->compiler->diags, lookup->name->mark, "bad-field",
                   "'%.*s' is a %s, and %s is of numbers", TEXT_ARG(lookup->name->text), other,
                   correlation_type_name(correlation->made->type));
        return false;
    }
    return true;
}

/* Sources of all members for NAMES: COUNT by COUNT, one member after the other. */
struct sources {
    struct sigma_correlation *correlation;
    const struct yaml_node *const *names;
    size_t count;
    bool of_values;
    struct correlation_source *items;
};

/* Those of one name. */
static const char *find_sources(struct sources *sources, size_t index)
{
    struct sigma_correlation *correlation = sources->correlation;
    struct lookup lookup = {.correlation = correlation, .name = sources->names[index]};

    if (!open_alias(&lookup))
        return NULL;
    for (size_t i = 0; i < correlation->made->member_count; i++) {
        struct correlation_source *source = &sources->items[i * sources->count + index];
        const char *reason = NULL;

        if (!find_source(&lookup, i, source, &reason))
            return reason;
        unsigned types = types_of(correlation->members[i], source);

        if (sources->of_values && !check_value(&lookup, source, types))
            break;
        *(sources->of_values ? &correlation->value_types : &correlation->types[index]) |= types;
    }
    return NULL;
}

static bool is_same(const struct correlation_source *a, const struct correlation_source *b)
{
    return a->key == b->key && a->ref.field == b->ref.field && a->ref.owner == b->ref.owner &&
           a->ref.generation == b->ref.generation && a->ref.item == b->ref.item;
}

/* What has been found, in the ruleset: most members have the same sources, which are kept once. */
static void keep_sources(const struct sources *sources, struct correlation_member *members)
{
    struct compiler *compiler = sources->correlation->compiler;
    const struct correlation_source *last = NULL;

    for (size_t i = 0; i < sources->correlation->made->member_count; i++) {
        const struct correlation_source *found = &sources->items[i * sources->count];
        size_t same = 0;

        while (last && same < sources->count && is_same(&last[same], &found[same]))
            same++;
        if (!last || same < sources->count) {
            struct correlation_source *kept =
                arena_array(&compiler->ruleset->arena, sources->count, sizeof *kept);

            if (!kept) {
                compiler->failed = true;
                return;
            }
            memcpy(kept, found, sources->count * sizeof *kept);
            last = kept;
        }
        if (sources->of_values)
            members[i].values = last;
        else
            members[i].keys = last;
    }
}

static const char *resolve(struct sources *sources, struct correlation_member *members)
{
    struct compiler *compiler = sources->correlation->compiler;
    size_t count = sources->count * sources->correlation->made->member_count;
    const char *reason = NULL;

    sources->items = calloc(count + 1, sizeof *sources->items);
    if (!sources->items) {
        compiler->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        sources->items[i].key = -1;
    for (size_t i = 0; i < sources->count && !reason; i++)
        reason = find_sources(sources, i);
    if (!reason)
        keep_sources(sources, members);
    free(sources->items);
    return reason;
}

/* Of each alias: that it names members, and that something uses it. */
static void check_alias(struct sigma_correlation *correlation, const struct yaml_node *key,
                        const struct yaml_node *alias, bool used)
{
    struct compiler *compiler = correlation->compiler;

    for (size_t i = 0; alias->kind == YAML_MAP && i < alias->count; i++) {
        const struct rule_name *name =
            rule_name_resolve(compiler, correlation->draft->scope, alias->keys[i]);

        if (!yaml_is_text(alias->items[i]))
            diag_error(compiler->diags, alias->items[i]->mark, "wrong-type",
                       "the alias '%.*s' of %s must say a field for each rule", TEXT_ARG(key->text),
                       correlation->draft->scope);
        if (name && name->draft && name->draft->counted_by != correlation)
            diag_error(compiler->diags, alias->keys[i]->mark, "unknown-rule",
                       "'%.*s' is none of the rules of %s", TEXT_ARG(alias->keys[i]->text),
                       correlation->draft->scope);
    }
    if (alias->kind != YAML_MAP)
        diag_error(compiler->diags, alias->mark, "wrong-type",
                   "the alias '%.*s' of %s must be a map of rules and their fields",
                   TEXT_ARG(key->text), correlation->draft->scope);
    else if (!used)
        diag_warning(compiler->diags, key->mark, "unused-alias", "%s does not use the alias '%.*s'",
                     correlation->draft->scope, TEXT_ARG(key->text));
}

static void check_aliases(struct sigma_correlation *correlation)
{
    const struct yaml_node *aliases = correlation->aliases;

    if (!aliases)
        return;
    if (aliases->kind != YAML_MAP)
        diag_error(correlation->compiler->diags, aliases->mark, "wrong-type",
                   "'aliases' of %s must be a map of names", correlation->draft->scope);
    for (size_t i = 0; aliases->kind == YAML_MAP && i < aliases->count; i++)
        check_alias(correlation, aliases->keys[i], aliases->items[i], correlation->used_aliases[i]);
}

const char *sigma_group_resolve(struct sigma_correlation *correlation,
                                struct correlation_member *members)
{
    struct compiler *compiler = correlation->compiler;
    struct sources keys = {.correlation = correlation,
                           .names = correlation->keys,
                           .count = correlation->made->key_count};
    struct sources values = {.correlation = correlation,
                             .names = correlation->values,
                             .count = correlation->value_count,
                             .of_values = true};

    correlation->used_aliases = arena_array(
        &compiler->arena, correlation->aliases ? correlation->aliases->count : 0, sizeof(bool));
    if (!correlation->used_aliases) {
        compiler->failed = true;
        return NULL;
    }
    correlation->made->value_count = correlation->value_count;
    const char *reason = resolve(&keys, members);
    const char *other = resolve(&values, members);

    check_aliases(correlation);
    return reason ? reason : other;
}
