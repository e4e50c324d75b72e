#include "rule/draft.h"

#include <errno.h>

#include "rule/condition.h"
#include "rule/rule_name.h"
#include "rule/selection.h"
#include "rule/suppress.h"
#include "rule/test_event.h"

/* What reads the value of a key. */
typedef void draft_reader(struct draft *draft, const struct yaml_node *key,
                          const struct yaml_node *value);

struct draft_key {
    const char *name;
    draft_reader *read;
    bool overridable;
    enum rule_shape shape;
    const char *help;
};

static void diagnose_type(struct draft *draft, const struct yaml_node *key,
                          const struct yaml_node *value, const char *wanted)
{
    diag_error(draft->compiler->diags, value->mark, "wrong-type", "'%.*s' in %s must be %s",
               TEXT_ARG(key->text), draft->scope, wanted);
}

static struct text keep(struct draft *draft, struct text text)
{
    struct text kept = arena_text(&draft->compiler->ruleset->arena, text);

    if (!kept.ptr)
        draft->compiler->failed = true;
    return kept;
}

static bool is_text(const struct yaml_node *value)
{
    return value->kind == YAML_SCALAR && value->text.len > 0;
}

static void read_text(struct draft *draft, const struct yaml_node *key,
                      const struct yaml_node *value, struct text *out)
{
    if (is_text(value))
        *out = keep(draft, value->text);
    else
        diagnose_type(draft, key, value, "a text");
}

static void read_title(struct draft *draft, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    read_text(draft, key, value, &draft->rule.title);
}

static void read_description(struct draft *draft, const struct yaml_node *key,
                             const struct yaml_node *value)
{
    read_text(draft, key, value, &draft->rule.description);
}

static void read_author(struct draft *draft, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    read_text(draft, key, value, &draft->rule.author);
}

static void read_texts(struct draft *draft, const struct yaml_node *key,
                       const struct yaml_node *value, struct rule_texts *out)
{
    struct arena *arena = &draft->compiler->ruleset->arena;

    if (value->kind != YAML_LIST) {
        diagnose_type(draft, key, value, "a list of texts");
        return;
    }
    struct text *items = arena_array(arena, value->count, sizeof *items);

    if (!items) {
        draft->compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (is_text(value->items[i]))
            items[i] = keep(draft, value->items[i]->text);
        else
            diagnose_type(draft, key, value->items[i], "a list of texts");
    }
    *out = (struct rule_texts){.items = items, .count = value->count};
}

static void read_tags(struct draft *draft, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    read_texts(draft, key, value, &draft->rule.tags);
}

static void read_references(struct draft *draft, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    read_texts(draft, key, value, &draft->rule.references);
}

static void read_false_positives(struct draft *draft, const struct yaml_node *key,
                                 const struct yaml_node *value)
{
    read_texts(draft, key, value, &draft->rule.false_positives);
}

static void read_outputs(struct draft *draft, const struct yaml_node *key,
                         const struct yaml_node *value)
{
    read_texts(draft, key, value, &draft->rule.outputs);
    if (value->kind == YAML_LIST && value->count == 0)
        diagnose_type(draft, key, value, "left out for every output, or name some");
}

static void read_severity(struct draft *draft, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    const char *names[SEVERITIES];

    for (int i = 0; i < SEVERITIES; i++)
        names[i] = severity_name((enum severity)i);
    if (!is_text(value))
        diagnose_type(draft, key, value, "informational, low, medium, high or critical");
    else if (severity_parse(value->text, &draft->rule.severity) < 0)
        diag_error(draft->compiler->diags, value->mark, "unknown-severity",
                   "unknown severity '%.*s' in %s%s (they are: informational, low, medium, high, "
                   "critical)",
                   TEXT_ARG(value->text), draft->scope,
                   diag_hint(draft->compiler->diags, text_nearest(value->text, names, SEVERITIES)));
}

static void read_on(struct draft *draft, const struct yaml_node *key, const struct yaml_node *value)
{
    const char *names[EVENT_TYPES];
    enum event_type type;

    for (int i = 0; i < EVENT_TYPES; i++)
        names[i] = event_type_name((enum event_type)i);
    if (!is_text(value))
        diagnose_type(draft, key, value, "exec, exec_failed or exit");
    else if (event_type_parse(value->text, &type) < 0 || type >= EVENT_TYPES)
        diag_error(
            draft->compiler->diags, value->mark, "unknown-event",
            "unknown event '%.*s' in %s%s (they are: exec, exec_failed, exit)",
            TEXT_ARG(value->text), draft->scope,
            diag_hint(draft->compiler->diags, text_nearest(value->text, names, EVENT_TYPES)));
    else
        draft->rule.on = type;
}

static void read_enabled(struct draft *draft, const struct yaml_node *key,
                         const struct yaml_node *value)
{
    if (!yaml_is_bool(value, &draft->rule.enabled))
        diagnose_type(draft, key, value, "true or false");
}

static void read_message(struct draft *draft, const struct yaml_node *key,
                         const struct yaml_node *value)
{
    struct compiler *compiler = draft->compiler;

    if (!is_text(value))
        diagnose_type(draft, key, value, "a text");
    else if (message_compile(value, &compiler->ruleset->arena, compiler->diags,
                             &draft->rule.message) < 0)
        compiler->failed = true;
}

static void read_suppress(struct draft *draft, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    suppress_read(draft->compiler, draft->scope, value, &draft->rule.suppress);
}

static void read_id(struct draft *draft, const struct yaml_node *key, const struct yaml_node *value)
{
    if (!is_text(value)) {
        diagnose_type(draft, key, value, "a text");
        return;
    }
    draft->id = value;
    if (text_starts(value->text, TEXT("picket.")))
        diag_error(draft->compiler->diags, value->mark, "bad-id",
                   "ids that begin with 'picket.' are those of alerts about picket itself");
    for (size_t i = 0; i < value->text.len; i++) {
        char c = value->text.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';

        if (!good) {
            diag_error(draft->compiler->diags, yaml_mark_inside(value, i, 1), "bad-id",
                       "an id is made of letters, digits, '-', '_' and '.'");
            return;
        }
    }
}

static void keep_match(struct draft *draft, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    draft->match = value;
}

static void keep_unless(struct draft *draft, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    draft->unless = value;
}

static void keep_where(struct draft *draft, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    if (value->kind == YAML_MAP && value->count)
        draft->where = value;
    else
        diagnose_type(draft, key, value, "a map of named selections");
}

static void keep_condition(struct draft *draft, const struct yaml_node *key,
                           const struct yaml_node *value)
{
    if (is_text(value))
        draft->condition = value;
    else
        diagnose_type(draft, key, value, "a text, as in 'a and not b'");
}

static void keep_tests(struct draft *draft, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    draft->tests = value;
}

static const struct draft_key keys[] = {
    {"id", read_id, false, RULE_ID, "unique among all rules: letters, digits, '-', '_', '.'"},
    {"title", read_title, true, RULE_TEXT, "one line for people"},
    {"description", read_description, true, RULE_TEXT, "what the rule is about"},
    {"author", read_author, true, RULE_TEXT, "who wrote it"},
    {"severity", read_severity, true, RULE_SEVERITY, "how bad it is; medium when not said"},
    {"tags", read_tags, true, RULE_TEXTS, "for what receives the alerts, as in attack.t1059"},
    {"on", read_on, false, RULE_EVENT, "which events it looks at; exec when not said"},
    {"match", keep_match, false, RULE_SELECTION, "what must hold"},
    {"unless", keep_unless, true, RULE_SELECTION, "exceptions: none of them may hold"},
    {"where", keep_where, false, RULE_SELECTIONS, "named selections, which the condition combines"},
    {"condition", keep_condition, false, RULE_TEXT, "as in: shell and not 1 of filter_*"},
    {"message", read_message, true, RULE_TEXT,
     "what the alert says, with %{field} in it; %% is a percent sign"},
    {"suppress", read_suppress, true, RULE_SUPPRESS,
     "after an alert, hold back those with the same values of these fields for a time"},
    {"outputs", read_outputs, true, RULE_NAMES, "names of outputs; all when not said"},
    {"enabled", read_enabled, true, RULE_BOOLEAN,
     "false: it is loaded and tested, and never alerts"},
    {"references", read_references, true, RULE_TEXTS, "where to read on"},
    {"false_positives", read_false_positives, true, RULE_TEXTS, "what it may alert on by mistake"},
    {"tests", keep_tests, false, RULE_TESTS, "events that it must alert on, or must not"},
};
#define KEYS (sizeof keys / sizeof *keys)

/* What other engines call things. */
static const char *alias_of(struct text key)
{
    static const char *const aliases[][2] = {
        {"level", "severity"}, {"priority", "severity"}, {"name", "id"},
        {"rule", "id"},        {"desc", "description"},  {"output", "message"},
        {"when", "on"},        {"event", "on"},          {"exceptions", "unless"},
        {"except", "unless"},  {"detection", "where"},   {"selection", "match"},
        {"test", "tests"},     {"exclude", "unless"},    {"disabled", "enabled"},
    };

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (text_is(key, aliases[i][0]))
            return aliases[i][1];
    return NULL;
}

static const struct draft_key *find_key(struct text name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (text_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static void diagnose_key(struct draft *draft, const struct yaml_node *key)
{
    const char *names[KEYS];

    for (size_t i = 0; i < KEYS; i++)
        names[i] = keys[i].name;
    const char *nearest = alias_of(key->text);

    if (!nearest)
        nearest = text_nearest(key->text, names, KEYS);
    diag_error(draft->compiler->diags, key->mark, "unknown-key", "unknown key '%.*s' in %s%s",
               TEXT_ARG(key->text), draft->scope, diag_hint(draft->compiler->diags, nearest));
}

static void read_keys(struct draft *draft, const struct yaml_node *node, bool overriding)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct draft_key *key = find_key(node->keys[i]->text);

        if (!key)
            diagnose_key(draft, node->keys[i]);
        else if (overriding && !key->overridable)
            diag_error(draft->compiler->diags, node->keys[i]->mark, "not-overridable",
                       "'%s' cannot be overridden", key->name);
        else
            key->read(draft, node->keys[i], node->items[i]);
    }
}

static struct named_selections read_where(struct draft *draft)
{
    struct compiler *compiler = draft->compiler;
    const struct yaml_node *where = draft->where;
    struct named_selections names = {
        .items = arena_array(&compiler->arena, where->count, sizeof *names.items),
        .count = where->count};

    if (!names.items) {
        compiler->failed = true;
        return (struct named_selections){0};
    }
    for (size_t i = 0; i < where->count; i++) {
        const struct yaml_node *key = where->keys[i];

        if (condition_is_keyword(key->text))
            diag_error(compiler->diags, key->mark, "bad-name",
                       "'%.*s' means something in conditions: name the selection otherwise",
                       TEXT_ARG(key->text));
        names.items[i].key = key;
        names.items[i].outline =
            outline_as(compiler, selection_compile(compiler, draft->scope, where->items[i]),
                       OUTLINE_SELECTION, key);
    }
    return names;
}

static struct outline *compile_where(struct draft *draft)
{
    struct named_selections names = read_where(draft);

    if (!draft->condition)
        return NULL;
    struct outline *whole = condition_compile(draft->compiler, draft->condition, &names);

    for (size_t i = 0; !names.mistaken && i < names.count; i++)
        if (!names.items[i].used)
            diag_warning(draft->compiler->diags, names.items[i].key->mark, "unused-selection",
                         "the condition of %s does not use '%.*s'", draft->scope,
                         TEXT_ARG(names.items[i].key->text));
    return outline_as(draft->compiler, whole, OUTLINE_CONDITION, draft->condition);
}

static struct mark mark_of(const struct draft *draft, const struct yaml_node *node)
{
    return draft->id ? draft->id->mark : node->mark;
}

static void diagnose_conflict(struct draft *draft, const struct yaml_node *where,
                              const struct yaml_node *condition)
{
    diag_error(draft->compiler->diags, (where ? where : condition)->mark, "conflicting-keys",
               "%s has 'match' and %s", draft->scope,
               !condition ? "'where': choose one, 'where' goes with a 'condition'"
               : where    ? "'where' with 'condition': choose one"
                          : "'condition': choose one, 'condition' goes with a 'where'");
}

/* Whether the rule is made of match, or of where and condition. A key that is there and has a
 * mistake is not missing as well. */
static bool check_form(struct draft *draft, const struct yaml_node *node)
{
    const struct yaml_node *where = yaml_get(node, "where");
    const struct yaml_node *condition = yaml_get(node, "condition");
    const char *lacks = !where && !condition ? "no 'match' (nor 'where' and 'condition')"
                        : !condition         ? "'where' and no 'condition'"
                        : !where             ? "'condition' and no 'where'"
                                             : NULL;

    if (draft->match && (where || condition)) {
        diagnose_conflict(draft, where, condition);
        return false;
    }
    if (!draft->match && lacks) {
        diag_error(draft->compiler->diags, mark_of(draft, node), "missing-key", "%s has %s",
                   draft->scope, lacks);
        return false;
    }
    return true;
}

static struct outline *compile_match(struct draft *draft)
{
    return outline_as(draft->compiler,
                      selection_compile(draft->compiler, draft->scope, draft->match), OUTLINE_MATCH,
                      draft->match);
}

void draft_set_outline(struct draft *draft, struct outline *whole)
{
    draft->outline = whole;
    draft->rule.outline = whole;
    draft->rule.expression = whole ? whole->expression : NULL;
    if (whole && whole->values > OUTLINE_VALUES_MAX)
        diag_error(draft->compiler->diags, draft->rule.mark, "too-many-values",
                   "%s has more than %d values, its macros opened", draft->scope,
                   OUTLINE_VALUES_MAX);
}

void draft_narrow(struct draft *draft, struct outline *part)
{
    struct compiler *compiler = draft->compiler;
    size_t base = compiler->stack_count;

    compiler_push_part(compiler, draft->outline);
    compiler_push_part(compiler, part);
    draft_set_outline(draft, compiler_join_parts(compiler, base, true));
}

/* What the rule is so far, and none of the exceptions. */
static struct outline *except(struct draft *draft, struct outline *whole, enum outline_role role)
{
    struct compiler *compiler = draft->compiler;
    size_t base = compiler->stack_count;
    struct outline *unless = selection_compile(compiler, draft->scope, draft->unless);

    compiler_push_part(compiler, whole);
    compiler_push_part(compiler,
                       outline_not(compiler, outline_as(compiler, unless, role, draft->unless)));
    return compiler_join_parts(compiler, base, true);
}

/* All that is there is compiled, also where it does not go together: mistakes come in one pass. */
static struct outline *compile_form(struct draft *draft, const struct yaml_node *node)
{
    bool good = check_form(draft, node);
    struct outline *match = draft->match ? compile_match(draft) : NULL;
    struct outline *where = draft->where ? compile_where(draft) : NULL;

    if (!good)
        return NULL;
    return draft->match ? match : where;
}

static void compile(struct draft *draft, const struct yaml_node *node)
{
    struct outline *whole = compile_form(draft, node);

    if (draft->unless)
        whole = except(draft, whole, OUTLINE_UNLESS);
    draft->rule.mark = compiler_keep_mark(draft->compiler, mark_of(draft, node));
    draft_set_outline(draft, whole);
    draft->rule.written = draft->rule.expression;
    if (draft->tests)
        test_events_read(draft->compiler, draft->scope, draft->tests, &draft->rule);
    else
        diag_warning(draft->compiler->diags, mark_of(draft, node), "missing-tests",
                     "%s has no tests", draft->scope);
}

void draft_set_name(struct draft *draft, const struct yaml_node *name)
{
    draft->rule.name = keep(draft, name->text);
    rule_name_add(draft->compiler, draft->rule.name, draft);
}

void draft_file(struct draft *draft)
{
    struct compiler *compiler = draft->compiler;
    struct rule *rule = &draft->rule;

    if (!rule->message)
        rule->message = message_default(rule->on);
    if (!draft->id)
        return;
    rule->id = keep(draft, draft->id->text);
    if (!rule->title.ptr)
        rule->title = rule->id;
    int r = map_add(&compiler->drafts, rule->id, draft);

    if (r == -EEXIST) {
        const struct draft *first = map_get(&compiler->drafts, rule->id);

        diag_error(compiler->diags, draft->id->mark, "duplicate-id",
                   "two rules have the id '%.*s', the other one at %s:%u:%u", TEXT_ARG(rule->id),
                   first->rule.mark.file, first->rule.mark.line, first->rule.mark.column);
        return;
    }
    rule_name_add_id(compiler, rule->id, draft);
    draft->made = arena_alloc(&compiler->ruleset->arena, sizeof *draft->made);
    compiler->failed |= r < 0 || !draft->made;
}

/* "rule 'x'", as far as there is an x. */
static const char *scope_of(struct compiler *compiler, const struct yaml_node *id)
{
    if (!id || !is_text(id))
        return "a rule without id";
    const char *scope = arena_printf(&compiler->arena, "rule '%.*s'", TEXT_ARG(id->text));

    if (!scope)
        compiler->failed = true;
    return scope ? scope : "";
}

struct draft *draft_new(struct compiler *compiler, const char *scope)
{
    struct draft *draft = arena_alloc(&compiler->arena, sizeof *draft);

    if (!draft) {
        compiler->failed = true;
        return NULL;
    }
    draft->compiler = compiler;
    draft->scope = scope;
    draft->rule.severity = SEVERITY_MEDIUM;
    draft->rule.enabled = true;
    return draft;
}

void draft_read_key(struct draft *draft, const char *name, const struct yaml_node *key,
                    const struct yaml_node *value)
{
    const struct draft_key *known = find_key(text_from(name));

    if (known)
        known->read(draft, key, value);
}

void draft_read(struct compiler *compiler, const struct yaml_node *node)
{
    struct draft *draft;

    if (node->kind != YAML_MAP) {
        diag_error(compiler->diags, node->mark, "wrong-type", "a rule must be a map");
        return;
    }
    draft = draft_new(compiler, scope_of(compiler, yaml_get(node, "id")));
    if (!draft)
        return;
    read_keys(draft, node, false);
    compile(draft, node);
    if (!yaml_get(node, "id"))
        diag_error(compiler->diags, node->mark, "missing-key", "a rule has no 'id'");
    draft_file(draft);
}

void draft_override(struct compiler *compiler, const struct yaml_node *id,
                    const struct yaml_node *changes)
{
    struct draft *draft = map_get(&compiler->drafts, id->text);

    if (!draft) {
        diag_error(
            compiler->diags, id->mark, "unknown-rule", "there is no rule '%.*s' to override%s",
            TEXT_ARG(id->text),
            diag_hint(compiler->diags, compiler_nearest(compiler, &compiler->drafts, id->text)));
        return;
    }
    if (changes->kind != YAML_MAP || changes->count == 0) {
        diag_error(compiler->diags, changes->mark, "wrong-type",
                   "an override must be a map of what it changes");
        return;
    }
    draft->unless = NULL;
    read_keys(draft, changes, true);
    if (draft->unless && draft->correlation)
        diag_error(compiler->diags, draft->unless->mark, "not-overridable",
                   "'unless' cannot be given to a correlation: give it to a rule that %s refers to",
                   draft->scope);
    else if (draft->unless)
        draft_set_outline(draft, except(draft, draft->outline, OUTLINE_OVERRIDE));
}

bool draft_describe(size_t index, struct rule_key *out)
{
    if (index >= KEYS)
        return false;
    *out = (struct rule_key){
        .name = keys[index].name,
        .help = keys[index].help,
        .shape = keys[index].shape,
        .overridable = keys[index].overridable,
    };
    return true;
}
