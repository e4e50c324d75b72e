#include "rule/condition.h"

#include <errno.h>

#include "base/cleanup.h"
#include "rule/glob.h"

#define CONDITION_DEPTH_MAX 64

struct parser {
    struct compiler *compiler;
    const struct yaml_node *node;
    struct named_selections *names;
    struct text word; /* the one ahead; len 0: the end */
    unsigned depth;
    const char *told; /* the word that the last mistake is at */
    bool lost;        /* nothing more can be said */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void advance(struct parser *parser)
{
    struct text text = parser->node->text;
    size_t at = (size_t)(parser->word.ptr - text.ptr) + parser->word.len;

    while (at < text.len && is_space(text.ptr[at]))
        at++;
    size_t end = at;

    if (end < text.len && (text.ptr[end] == '(' || text.ptr[end] == ')'))
        end++;
    else
        while (end < text.len && !is_space(text.ptr[end]) && text.ptr[end] != '(' &&
               text.ptr[end] != ')')
            end++;
    parser->word = (struct text){text.ptr + at, end - at};
}

static bool accept(struct parser *parser, const char *word)
{
    if (!text_equal_nocase(parser->word, text_from(word)))
        return false;
    advance(parser);
    return true;
}

static struct mark here(const struct parser *parser)
{
    return yaml_mark_inside(parser->node, (size_t)(parser->word.ptr - parser->node->text.ptr),
                            parser->word.len);
}

/* Reading goes on as if WHAT had stood there; a word is told once, by the first to stumble. */
static const struct expression *expected(struct parser *parser, const char *what)
{
    struct text word = parser->word;

    if (!parser->lost && word.ptr != parser->told)
        diag_error(parser->compiler->diags, here(parser), "bad-condition",
                   word.len ? "expected %s here, not '%.*s'" : "expected %s at the end%.*s", what,
                   TEXT_ARG(word));
    parser->told = word.ptr;
    parser->names->mistaken = true;
    return NULL;
}

static bool at_operator(const struct parser *parser)
{
    return text_equal_nocase(parser->word, TEXT("and")) ||
           text_equal_nocase(parser->word, TEXT("or"));
}

/* At what ends an operand, and so cannot be one. */
static bool at_end(const struct parser *parser)
{
    return parser->word.len == 0 || text_is(parser->word, ")") || at_operator(parser);
}

bool condition_is_keyword(struct text word)
{
    static const char *const keywords[] = {"and", "or", "not", "of", "them", "all", "any", "1"};

    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (text_equal_nocase(word, text_from(keywords[i])))
            return true;
    return false;
}

static void diagnose_unknown(struct parser *parser, bool pattern)
{
    CLEANUP(map_deinit) struct map names = {0};
    const char *hint = "";

    for (size_t i = 0; i < parser->names->count; i++)
        if (map_add(&names, parser->names->items[i].key->text, NULL) == -ENOMEM)
            parser->compiler->failed = true;
    if (!pattern)
        hint = diag_hint(parser->compiler->diags,
                         compiler_nearest(parser->compiler, &names, parser->word));
    diag_error(parser->compiler->diags, here(parser), "unknown-selection",
               pattern ? "no selection is named like '%.*s'%s" : "unknown selection '%.*s'%s",
               TEXT_ARG(parser->word), hint);
    parser->names->mistaken = true;
}

static const struct expression *parse_of(struct parser *parser, bool all);

static const struct expression *parse_name(struct parser *parser)
{
    if (at_end(parser))
        return expected(parser, "a selection");
    if (condition_is_keyword(parser->word)) {
        expected(parser, "a selection");
        advance(parser);
        return NULL;
    }
    for (size_t i = 0; i < parser->names->count; i++) {
        struct named_selection *name = &parser->names->items[i];

        if (text_equal(name->key->text, parser->word)) {
            name->used = true;
            advance(parser);
            return name->expression;
        }
    }
    diagnose_unknown(parser, false);
    advance(parser);
    if (text_equal_nocase(parser->word, TEXT("of")))
        parse_of(parser, false);
    return NULL;
}

/* `them` is every selection whose name does not begin with '_' (Sigma's rule). */
static bool is_of(const struct parser *parser, struct text name)
{
    if (text_equal_nocase(parser->word, TEXT("them")))
        return !text_starts(name, TEXT("_"));
    return glob_match(parser->word, name, false);
}

/* Behind "1" or "all". */
static const struct expression *parse_of(struct parser *parser, bool all)
{
    struct compiler *compiler = parser->compiler;
    size_t base = compiler->stack_count;

    if (!accept(parser, "of"))
        expected(parser, "'of'");
    if (at_end(parser) || text_is(parser->word, "("))
        return expected(parser, "'them' or a pattern of selections");
    for (size_t i = 0; i < parser->names->count; i++) {
        struct named_selection *name = &parser->names->items[i];

        if (is_of(parser, name->key->text)) {
            name->used = true;
            compiler_push(compiler, name->expression);
        }
    }
    bool found = compiler->stack_count > base;

    if (!found)
        diagnose_unknown(parser, true);
    advance(parser);
    return found ? compiler_join(compiler, base, all) : NULL;
}

static const struct expression *parse_or(struct parser *parser);

static const struct expression *parse_group(struct parser *parser)
{
    const struct expression *inner = parse_or(parser);

    while (parser->word.len && !text_is(parser->word, ")")) {
        inner = expected(parser, "')', 'and' or 'or'");
        parse_or(parser);
    }
    return accept(parser, ")") ? inner : expected(parser, "')', 'and' or 'or'");
}

/* Beyond what can be read: all the rest is given up. */
static const struct expression *give_up(struct parser *parser)
{
    struct text text = parser->node->text;

    expected(parser, "fewer nested parts");
    parser->lost = true;
    parser->word = (struct text){text.ptr + text.len, 0};
    return NULL;
}

static const struct expression *parse_operand(struct parser *parser)
{
    bool negated = accept(parser, "not");
    const struct expression *operand;

    if (parser->depth++ == CONDITION_DEPTH_MAX)
        return give_up(parser);
    if (negated)
        operand = expression_not(&parser->compiler->expressions, parse_operand(parser));
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

static const struct expression *parse_and(struct parser *parser)
{
    size_t base = parser->compiler->stack_count;

    do
        compiler_push(parser->compiler, parse_operand(parser));
    while (accept(parser, "and"));
    return compiler_join(parser->compiler, base, true);
}

static const struct expression *parse_or(struct parser *parser)
{
    size_t base = parser->compiler->stack_count;

    do
        compiler_push(parser->compiler, parse_and(parser));
    while (accept(parser, "or"));
    return compiler_join(parser->compiler, base, false);
}

const struct expression *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                           struct named_selections *names)
{
    struct parser parser = {
        .compiler = compiler, .node = node, .names = names, .word = {node->text.ptr, 0}};

    advance(&parser);
    const struct expression *whole = parse_or(&parser);

    while (parser.word.len) {
        expected(&parser, "'and' or 'or'");
        while (accept(&parser, ")"))
            ;
        if (at_operator(&parser))
            advance(&parser);
        else if (parser.word.len == 0)
            break;
        parse_or(&parser);
    }
    return names->mistaken ? NULL : whole;
}
