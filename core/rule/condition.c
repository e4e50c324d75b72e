#include "rule/condition.h"

#include <errno.h>

#include "base/cleanup.h"
#include "rule/glob.h"

#define CONDITION_DEPTH_MAX 64

struct parser {
    struct compiler *compiler;
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

static void advance(struct parser *parser)
{
    struct text text = parser->node->text;
    size_t at = (size_t)(parser->word.ptr - text.ptr) + parser->word.len;

    while (at < text.len && is_space(text.ptr[at]))
        at++;
    parser->word = (struct text){text.ptr + at, end_of_word(text, at) - at};
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
static struct outline *give_up(struct parser *parser)
{
    struct text text = parser->node->text;

    parser->names->mistaken = true;
    parser->lost = true;
    parser->word = (struct text){text.ptr + text.len, 0};
    return NULL;
}

/* At `| count() > 5` or `| near`, which were Sigma's once. */
static struct outline *refuse_aggregation(struct parser *parser)
{
    diag_error(parser->compiler->diags, here(parser), "bad-condition",
               parser->names->cased
                   ? "aggregations are no part of Sigma since its version 2: write a correlation"
                   : "Sigma's aggregations, as in '| count() > 3', are no part of conditions: use "
                     "a correlation of its alerts");
    return give_up(parser);
}

/* Reading goes on as if WHAT had stood there; a word is told once, by the first to stumble. */
static struct outline *expected(struct parser *parser, const char *what)
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

    diag_error(
        compiler->diags, here(parser), "unknown-selection", "unknown selection '%.*s'%s",
        TEXT_ARG(parser->word),
        diag_hint(compiler->diags, compiler_nearest(compiler, &parser->by_name, parser->word)));
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

static void diagnose_none(struct parser *parser)
{
    bool left_out = false;

    for (size_t i = 0; i < parser->names->count; i++)
        left_out |= is_like(parser, parser->names->items[i].key->text);
    diag_error(parser->compiler->diags, here(parser), "unknown-selection",
               left_out ? "'%.*s' leaves out selections whose names begin with '_', and there are "
                          "no others"
                        : "no selection is named like '%.*s'",
               TEXT_ARG(parser->word));
    parser->names->mistaken = true;
}

/* What NAME stands for here. */
static struct outline *meaning(const struct parser *parser, const struct named_selection *name)
{
    return parser->negated && name->negated ? name->negated : name->outline;
}

/* Whether the selection may be used once more here: what a condition unfolds to is bounded while
 * it is read, not once it has been made. */
static bool use_selection(struct parser *parser, struct named_selection *name)
{
    const struct outline *outline = meaning(parser, name);

    name->used = true;
    parser->names->values += outline ? outline->values : 0;
    if (parser->names->values <= OUTLINE_VALUES_MAX)
        return true;
    diag_error(parser->compiler->diags, here(parser), "too-many-values",
               "up to here the condition has more than %d values, those of a selection counted "
               "wherever it is used",
               OUTLINE_VALUES_MAX);
    give_up(parser);
    return false;
}

static struct outline *parse_of(struct parser *parser, bool all);

static struct outline *parse_name(struct parser *parser)
{
    if (at_end(parser))
        return expected(parser, "a selection");
    if (is_keyword(parser)) {
        expected(parser, "a selection");
        advance(parser);
        return NULL;
    }
    struct named_selection *name = map_get(&parser->by_name, parser->word);

    if (name) {
        if (!use_selection(parser, name))
            return NULL;
        advance(parser);
        return meaning(parser, name);
    }
    diagnose_unknown(parser);
    advance(parser);
    if (is_word(parser, "of"))
        parse_of(parser, false);
    return NULL;
}

/* Behind "1" or "all". */
static struct outline *parse_of(struct parser *parser, bool all)
{
    struct compiler *compiler = parser->compiler;
    size_t base = compiler->stack_count;

    if (!accept(parser, "of"))
        expected(parser, "'of'");
    if (at_end(parser) || text_is(parser->word, "("))
        return expected(parser, "'them' or a pattern of selections");
    for (size_t i = 0; i < parser->names->count; i++) {
        struct named_selection *name = &parser->names->items[i];

        if (!is_of(parser, name->key->text))
            continue;
        if (!use_selection(parser, name)) {
            compiler->stack_count = base;
            return NULL;
        }
        compiler_push_part(compiler, meaning(parser, name));
    }
    bool found = compiler->stack_count > base;

    if (!found)
        diagnose_none(parser);
    advance(parser);
    return found ? compiler_join_parts(compiler, base, all) : NULL;
}

static struct outline *parse_or(struct parser *parser);

static struct outline *parse_group(struct parser *parser)
{
    struct outline *inner = parse_or(parser);

    while (parser->word.len && !text_is(parser->word, ")")) {
        inner = expected(parser, "')', 'and' or 'or'");
        skip_operator(parser);
        parse_or(parser);
    }
    return accept(parser, ")") ? inner : expected(parser, "')', 'and' or 'or'");
}

static struct outline *parse_operand(struct parser *parser);

static struct outline *parse_not(struct parser *parser)
{
    parser->negated = !parser->negated;
    struct outline *operand = parse_operand(parser);

    parser->negated = !parser->negated;
    return outline_not(parser->compiler, operand);
}

static struct outline *parse_operand(struct parser *parser)
{
    bool negated = accept(parser, "not");
    struct outline *operand;

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

static struct outline *parse_and(struct parser *parser)
{
    size_t base = parser->compiler->stack_count;

    do
        compiler_push_part(parser->compiler, parse_operand(parser));
    while (accept(parser, "and"));
    return compiler_join_parts(parser->compiler, base, true);
}

static struct outline *parse_or(struct parser *parser)
{
    size_t base = parser->compiler->stack_count;

    do
        compiler_push_part(parser->compiler, parse_and(parser));
    while (accept(parser, "or"));
    return compiler_join_parts(parser->compiler, base, false);
}

static struct outline *parse_whole(struct parser *parser)
{
    struct outline *whole = parse_or(parser);

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

struct outline *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                  struct named_selections *names)
{
    struct parser parser = {
        .compiler = compiler, .node = node, .names = names, .word = {node->text.ptr, 0}};

    for (size_t i = 0; i < names->count; i++)
        if (map_add(&parser.by_name, names->items[i].key->text, &names->items[i]) == -ENOMEM)
            compiler->failed = true;
    advance(&parser);
    struct outline *whole = parse_whole(&parser);

    map_deinit(&parser.by_name);
    return names->mistaken ? NULL : whole;
}
