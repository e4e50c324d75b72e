#include "rule/condition.h"

#include <errno.h>

#include "base/cleanup.h"
#include "rule/glob.h"

#define CONDITION_DEPTH_MAX 64

struct parser {
    struct compiler *compiler;
    struct arena *arena; /* of what is made */
    const struct yaml_node *node;
    struct named_selections *names;
    struct map by_name; /* to struct named_selection */
    struct text word;   /* the one ahead; len 0: the end */
    unsigned depth;
    bool negated;     /* under an odd number of `not` */
    const char *told; /* the word that the last mistake is at */
    bool lost;        /* nothing more can be said */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_bracket(char c)
{
    return c == '(' || c == ')';
}

/* Words are parted by spaces, brackets and '|', which is Sigma's; "||" is one word. */
static size_t end_of_word(struct text text, size_t at)
{
    if (at < text.len && is_bracket(text.ptr[at]))
        return at + 1;
    if (at < text.len && text.ptr[at] == '|')
        return at + 1 + (at + 1 < text.len && text.ptr[at + 1] == '|');
    while (at < text.len && !is_space(text.ptr[at]) && !is_bracket(text.ptr[at]) &&
           text.ptr[at] != '|')
        at++;
    return at;
}

/* The word at or behind AT; len 0: there is none. */
static struct text word_at(struct text text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return (struct text){text.ptr + at, end_of_word(text, at) - at};
}

static void advance(struct parser *parser)
{
    struct text text = parser->node->text;

    parser->word = word_at(text, (size_t)(parser->word.ptr - text.ptr) + parser->word.len);
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->names->cased ? text_is(parser->word, word)
                                : text_equal_nocase(parser->word, text_from(word));
}

static bool accept(struct parser *parser, const char *word)
{
    if (!is_word(parser, word))
        return false;
    advance(parser);
    return true;
}

static struct mark here(const struct parser *parser)
{
    return yaml_mark_inside(parser->node, (size_t)(parser->word.ptr - parser->node->text.ptr),
                            parser->word.len);
}

/* All the rest is given up: what has been told is enough. */
static struct condition *give_up(struct parser *parser)
{
    struct text text = parser->node->text;

    parser->names->mistaken = true;
    parser->lost = true;
    parser->word = (struct text){text.ptr + text.len, 0};
    return NULL;
}

/* At `| count() > 5` or `| near`, which were Sigma's once. */
static struct condition *refuse_aggregation(struct parser *parser)
{
    diag_error(parser->compiler->diags, here(parser), "bad-condition",
               parser->names->cased
                   ? "aggregations are no part of Sigma since its version 2: write a correlation"
                   : "Sigma's aggregations, as in '| count() > 3', are no part of conditions: use "
                     "a correlation of its alerts");
    return give_up(parser);
}

/* Reading goes on as if WHAT had stood there; a word is told once, by the first to stumble. */
static struct condition *expected(struct parser *parser, const char *what)
{
    struct text word = parser->word;

    if (text_is(word, "|"))
        return refuse_aggregation(parser);
    if (!parser->lost && word.ptr != parser->told)
        diag_error(parser->compiler->diags, here(parser), "bad-condition",
                   word.len ? "expected %s here, not '%.*s'" : "expected %s at the end%.*s", what,
                   TEXT_ARG(word));
    parser->told = word.ptr;
    parser->names->mistaken = true;
    return NULL;
}

/* At an operator, or at what is one elsewhere and has been or will be told of. */
static bool at_operator(const struct parser *parser)
{
    return is_word(parser, "and") || is_word(parser, "or") || text_is(parser->word, "&&") ||
           text_is(parser->word, "||");
}

/* Past an operator, even one in Sigma's wrong case, that stood where none may. */
static bool skip_operator(struct parser *parser)
{
    if (!at_operator(parser) && !text_equal_nocase(parser->word, TEXT("and")) &&
        !text_equal_nocase(parser->word, TEXT("or")))
        return false;
    advance(parser);
    return true;
}

/* At what ends an operand, and so cannot be one. */
static bool at_end(const struct parser *parser)
{
    return parser->word.len == 0 || text_is(parser->word, ")") || text_is(parser->word, "|") ||
           at_operator(parser);
}

static const char *const keywords[] = {"and", "or", "not", "of", "them", "all", "any", "1"};
#define KEYWORDS (sizeof keywords / sizeof *keywords)

bool condition_is_keyword(struct text word)
{
    for (size_t i = 0; i < KEYWORDS; i++)
        if (text_equal_nocase(word, text_from(keywords[i])))
            return true;
    return false;
}

static bool is_keyword(const struct parser *parser)
{
    for (size_t i = 0; i < KEYWORDS; i++)
        if (is_word(parser, keywords[i]))
            return true;
    return false;
}

static void diagnose_unknown(struct parser *parser)
{
    struct compiler *compiler = parser->compiler;
    const char *hint =
        diag_hint(compiler->diags, compiler_nearest(compiler, &parser->by_name, parser->word));

    if (parser->names->rules)
        diag_error(compiler->diags, here(parser), "unknown-rule", "'rules' does not name '%.*s'%s",
                   TEXT_ARG(parser->word), hint);
    else
        diag_error(compiler->diags, here(parser), "unknown-selection", "unknown selection '%.*s'%s",
                   TEXT_ARG(parser->word), hint);
    parser->names->mistaken = true;
}

/* Whether the word ahead means NAME, were it not for its '_'. */
static bool is_like(const struct parser *parser, struct text name)
{
    return is_word(parser, "them") || glob_match(parser->word, name, false);
}

static bool is_of(const struct parser *parser, struct text name)
{
    if (text_starts(name, TEXT("_")) && !text_starts(parser->word, TEXT("_")))
        return false;
    return is_like(parser, name);
}

static const char *noun(const struct parser *parser)
{
    return parser->names->rules ? "rule" : "selection";
}

static void diagnose_none(struct parser *parser)
{
    bool left_out = false;

    for (size_t i = 0; i < parser->names->count; i++)
        left_out |= is_like(parser, parser->names->items[i].key->text);
    diag_error(parser->compiler->diags, here(parser), "unknown-selection",
               left_out ? "'%.*s' leaves out %ss whose names begin with '_', and there are no "
                          "others"
                        : "'%.*s' is like no %s's name",
               TEXT_ARG(parser->word), noun(parser));
    parser->names->mistaken = true;
}

/* What NAME stands for there. */
static struct outline *meaning(const struct named_selection *name, bool negated)
{
    return negated && name->negated ? name->negated : name->outline;
}

/* Whether the selection may be used once more here: what a condition unfolds to is bounded while
 * it is read, not once it has been made. */
static bool use_selection(struct parser *parser, struct named_selection *name)
{
    const struct outline *outline = meaning(name, parser->negated);

    name->used = true;
    parser->names->values += outline ? outline->values : 1;
    if (parser->names->values <= OUTLINE_VALUES_MAX)
        return true;
    diag_error(parser->compiler->diags, here(parser), "too-many-values",
               "up to here the condition has more than %d values, those of a selection counted "
               "wherever it is used",
               OUTLINE_VALUES_MAX);
    give_up(parser);
    return false;
}

static struct condition *new_part(struct parser *parser, enum condition_kind kind)
{
    struct condition *part = arena_alloc(parser->arena, sizeof *part);

    if (part)
        part->kind = kind;
    else
        parser->compiler->failed = true;
    return part;
}

static struct condition *new_name(struct parser *parser, const struct named_selection *name)
{
    struct condition *part = new_part(parser, CONDITION_NAME);

    if (!part)
        return NULL;
    part->name = (size_t)(name - parser->names->items);
    part->negated = parser->negated;
    return part;
}

/* Parts that are being joined, by ALL or ANY. */
struct joint {
    struct condition *first, *last;
    bool mistaken;
};

static void add_part(struct joint *joint, struct condition *part)
{
    if (!part) {
        joint->mistaken = true;
        return;
    }
    if (joint->last)
        joint->last->next = part;
    else
        joint->first = part;
    joint->last = part;
}

static struct condition *end_joint(struct parser *parser, const struct joint *joint, bool all)
{
    if (joint->mistaken || joint->first == joint->last)
        return joint->mistaken ? NULL : joint->first;
    struct condition *whole = new_part(parser, all ? CONDITION_ALL : CONDITION_ANY);

    if (whole)
        whole->first = joint->first;
    return whole;
}

static struct condition *parse_of(struct parser *parser, bool all);

static struct condition *parse_name(struct parser *parser)
{
    if (at_end(parser))
        return expected(parser, parser->names->rules ? "a rule" : "a selection");
    if (is_keyword(parser)) {
        expected(parser, parser->names->rules ? "a rule" : "a selection");
        advance(parser);
        return NULL;
    }
    struct named_selection *name = map_get(&parser->by_name, parser->word);

    if (name) {
        if (!use_selection(parser, name))
            return NULL;
        advance(parser);
        return new_name(parser, name);
    }
    diagnose_unknown(parser);
    advance(parser);
    if (is_word(parser, "of"))
        parse_of(parser, false);
    return NULL;
}

/* Behind "1" or "all". */
static struct condition *parse_of(struct parser *parser, bool all)
{
    struct joint joint = {0};
    bool found = false;

    if (!accept(parser, "of"))
        expected(parser, "'of'");
    if (at_end(parser) || text_is(parser->word, "("))
        return expected(parser, parser->names->rules ? "'them' or a pattern of rules"
                                                     : "'them' or a pattern of selections");
    for (size_t i = 0; i < parser->names->count; i++) {
        struct named_selection *name = &parser->names->items[i];

        if (!is_of(parser, name->key->text))
            continue;
        if (!use_selection(parser, name))
            return NULL;
        add_part(&joint, new_name(parser, name));
        found = true;
    }
    if (!found)
        diagnose_none(parser);
    advance(parser);
    return end_joint(parser, &joint, all);
}

static struct condition *parse_or(struct parser *parser);

static struct condition *parse_group(struct parser *parser)
{
    struct condition *inner = parse_or(parser);

    while (parser->word.len && !text_is(parser->word, ")")) {
        inner = expected(parser, "')', 'and' or 'or'");
        skip_operator(parser);
        parse_or(parser);
    }
    return accept(parser, ")") ? inner : expected(parser, "')', 'and' or 'or'");
}

static struct condition *parse_operand(struct parser *parser);

static struct condition *parse_not(struct parser *parser)
{
    parser->negated = !parser->negated;
    struct condition *operand = parse_operand(parser);

    parser->negated = !parser->negated;
    struct condition *part = operand ? new_part(parser, CONDITION_NOT) : NULL;

    if (part)
        part->first = operand;
    return part;
}

static struct condition *parse_operand(struct parser *parser)
{
    bool negated = accept(parser, "not");
    struct condition *operand;

    if (parser->depth++ == CONDITION_DEPTH_MAX) {
        expected(parser, "fewer nested parts");
        return give_up(parser);
    }
    if (negated)
        operand = parse_not(parser);
    else if (accept(parser, "("))
        operand = parse_group(parser);
    else if (accept(parser, "1") || accept(parser, "any"))
        operand = parse_of(parser, false);
    else if (accept(parser, "all"))
        operand = parse_of(parser, true);
    else
        operand = parse_name(parser);
    parser->depth--;
    return operand;
}

static struct condition *parse_and(struct parser *parser)
{
    struct joint joint = {0};

    do
        add_part(&joint, parse_operand(parser));
    while (accept(parser, "and"));
    return end_joint(parser, &joint, true);
}

static struct condition *parse_or(struct parser *parser)
{
    struct joint joint = {0};

    do
        add_part(&joint, parse_and(parser));
    while (accept(parser, "or"));
    return end_joint(parser, &joint, false);
}

static struct condition *parse_whole(struct parser *parser)
{
    struct condition *whole = parse_or(parser);

    while (parser->word.len) {
        expected(parser, "'and' or 'or'");
        while (accept(parser, ")"))
            ;
        if (!skip_operator(parser) && parser->word.len == 0)
            break;
        parse_or(parser);
    }
    return whole;
}

const struct condition *condition_parse(struct compiler *compiler, struct arena *arena,
                                        const struct yaml_node *node,
                                        struct named_selections *names)
{
    struct parser parser = {.compiler = compiler,
                            .arena = arena,
                            .node = node,
                            .names = names,
                            .word = {node->text.ptr, 0}};

    for (size_t i = 0; i < names->count; i++)
        if (map_add(&parser.by_name, names->items[i].key->text, &names->items[i]) == -ENOMEM)
            compiler->failed = true;
    advance(&parser);
    const struct condition *whole = parse_whole(&parser);

    map_deinit(&parser.by_name);
    return names->mistaken ? NULL : whole;
}

/* How deep it goes is bounded by CONDITION_DEPTH_MAX. */
static struct outline *compile(struct compiler *compiler, const struct condition *condition,
                               const struct named_selections *names)
{
    size_t base = compiler->stack_count;

    if (condition->kind == CONDITION_NAME)
        return meaning(&names->items[condition->name], condition->negated);
    if (condition->kind == CONDITION_NOT)
        return outline_not(compiler, compile(compiler, condition->first, names));
    for (const struct condition *part = condition->first; part; part = part->next)
        compiler_push_part(compiler, compile(compiler, part, names));
    return compiler_join_parts(compiler, base, condition->kind == CONDITION_ALL);
}

struct outline *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                  struct named_selections *names)
{
    const struct condition *whole = condition_parse(compiler, &compiler->arena, node, names);

    return whole ? compile(compiler, whole, names) : NULL;
}

bool condition_next_name(const struct yaml_node *node, size_t *at, struct text *out)
{
    bool of = false;

    for (;;) {
        struct text word = word_at(node->text, *at);

        if (word.len == 0)
            return false;
        *at = (size_t)(word.ptr - node->text.ptr) + word.len;
        bool names =
            !of && !is_bracket(*word.ptr) && *word.ptr != '|' && !condition_is_keyword(word);

        of = text_is(word, "of");
        *out = word;
        if (names)
            return true;
    }
}

bool condition_holds(const struct condition *condition, const bool *holds)
{
    bool all = condition->kind == CONDITION_ALL;

    if (condition->kind == CONDITION_NAME)
        return holds[condition->name];
    if (condition->kind == CONDITION_NOT)
        return !condition_holds(condition->first, holds);
    for (const struct condition *part = condition->first; part; part = part->next)
        if (condition_holds(part, holds) != all)
            return !all;
    return all;
}
