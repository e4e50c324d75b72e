#include "rule/pattern.h"

#include <hs.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/shape.h"

#define FLAGS (HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY)

bool pattern_is_for(const struct predicate *predicate)
{
    switch (predicate->op) {
    case PREDICATE_STARTS:
    case PREDICATE_ENDS:
    case PREDICATE_CONTAINS:
    case PREDICATE_GLOB:
    case PREDICATE_MATCHES:
    case PREDICATE_FINDS:
        return true;
    default:
        return false;
    }
}

static void put_byte(struct buffer *out, char c)
{
    buffer_printf(out, "\\x%02x", (unsigned char)c);
}

static void put_literal(struct buffer *out, struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        put_byte(out, text.ptr[i]);
}

/* As glob_match() reads it: `?` is a character or a byte, and here also more than one that is valid
 * in form alone. */
static void put_glob(struct buffer *out, struct text glob)
{
    for (size_t i = 0; i < glob.len; i++) {
        if (glob.ptr[i] == '*') {
            buffer_put_string(out, ".*");
        } else if (glob.ptr[i] == '?') {
            buffer_put_string(out, "(?:[\\xc2-\\xf4][\\x80-\\xbf]{1,3}|.)");
        } else {
            if (glob.ptr[i] == '\\' && i + 1 < glob.len)
                i++;
            put_byte(out, glob.ptr[i]);
        }
    }
}

static bool has(struct text regex, const char *part)
{
    return text_contains(regex, text_from(part));
}

/* How long the item at the front of a class is, a name of a set ([:alpha:]) being one. */
static size_t class_item(struct text rest)
{
    size_t i = 2;

    if (rest.ptr[0] == '\\')
        return rest.len < 2 ? rest.len : 2;
    if (rest.ptr[0] != '[' || rest.len < 2 || rest.ptr[1] != ':')
        return 1;
    while (i < rest.len && (rest.ptr[i] == '^' || (rest.ptr[i] >= 'a' && rest.ptr[i] <= 'z')))
        i++;
    return i + 1 < rest.len && rest.ptr[i] == ':' && rest.ptr[i + 1] == ']' ? i + 2 : 1;
}

/* How long the item at the front of a regex is: an escape, a class or one byte. */
static size_t regex_item(struct text rest)
{
    size_t i = 1;

    if (rest.ptr[0] == '\\')
        return rest.len < 2 ? rest.len : 2;
    if (rest.ptr[0] != '[')
        return 1;
    i += i < rest.len && rest.ptr[i] == '^';
    i += i < rest.len && rest.ptr[i] == ']';
    while (i < rest.len && rest.ptr[i] != ']')
        i += class_item((struct text){rest.ptr + i, rest.len - i});
    return i < rest.len ? i + 1 : rest.len;
}

static bool is_end(struct text item)
{
    return text_is(item, "$") || text_is(item, "\\z") || text_is(item, "\\Z");
}

/* The regex without what it says of the text's end, which it then matches all the more: see
 * pattern.h. False where quotes or comments make it hard to tell what is what. */
static bool put_endless(struct buffer *out, struct text regex)
{
    if (!has(regex, "$") && !has(regex, "\\z") && !has(regex, "\\Z")) {
        buffer_put_text(out, regex);
        return true;
    }
    if (has(regex, "#") || has(regex, "\\Q") || has(regex, "\\c"))
        return false;
    while (regex.len) {
        struct text item = {regex.ptr, regex_item(regex)};

        if (is_end(item))
            buffer_put_string(out, "(?:)");
        else
            buffer_put_text(out, item);
        regex.ptr += item.len;
        regex.len -= item.len;
    }
    return true;
}

/* What is asked for, and whether from the text's first byte and to its last. */
struct want {
    struct text text;
    bool start, end;
};

static bool is_escaped(struct text text, size_t at)
{
    size_t i = at;

    while (i > 0 && text.ptr[i - 1] == '\\')
        i--;
    return (at - i) % 2 == 1;
}

static void cut_front(struct want *want, size_t count)
{
    want->text.ptr += count;
    want->text.len -= count;
    want->start = false;
}

static void cut_back(struct want *want, size_t count)
{
    want->text.len -= count;
    want->end = false;
}

/* Stars at a glob's ends. */
static void loosen_glob(struct want *want)
{
    struct text glob = want->text;
    size_t front = 0, back = 0;

    while (front < glob.len && glob.ptr[front] == '*')
        front++;
    if (front == glob.len)
        return;
    while (glob.ptr[glob.len - 1 - back] == '*' && !is_escaped(glob, glob.len - 1 - back))
        back++;
    if (front)
        cut_front(want, front);
    if (back)
        cut_back(want, back);
}

/* How long the ".*" is that a regex begins with. */
static size_t any_front(struct text regex)
{
    static const char quantifiers[] = {'*', '+', '?', '{'};
    size_t len = 2;

    if (!text_starts(regex, TEXT(".*")))
        return 0;
    len += len < regex.len && (regex.ptr[len] == '?' || regex.ptr[len] == '+');
    return len < regex.len && !memchr(quantifiers, regex.ptr[len], sizeof quantifiers) ? len : 0;
}

/* ".*" at a regex's ends; of a ".+" behind it the dot stays. All branches are loosened by what one
 * of them begins or ends with. */
static void loosen_regex(struct want *want)
{
    struct text regex = want->text;
    size_t front = any_front(regex), back = 0;

    if (has(regex, "\\Q") || has(regex, "\\c"))
        return;
    if (regex.len > front + 2 && regex.ptr[regex.len - 2] == '.' &&
        !is_escaped(regex, regex.len - 2)) {
        if (regex.ptr[regex.len - 1] == '*')
            back = 2;
        else if (regex.ptr[regex.len - 1] == '+')
            back = 1;
    }
    if (front)
        cut_front(want, front);
    if (back)
        cut_back(want, back);
}

static struct want want_of(const struct predicate *predicate)
{
    enum predicate_operator op = predicate->op;
    bool whole = op == PREDICATE_GLOB || op == PREDICATE_MATCHES;
    struct want want = {predicate->text, whole || op == PREDICATE_STARTS,
                        whole || op == PREDICATE_ENDS};

    if (op == PREDICATE_GLOB)
        loosen_glob(&want);
    else if (op == PREDICATE_MATCHES)
        loosen_regex(&want);
    return want;
}

static bool put_expression(const struct predicate *predicate, bool anchored, struct buffer *out)
{
    struct want want = want_of(predicate);
    bool said = true;

    if (anchored && want.start)
        buffer_put_char(out, '^');
    if (predicate->op == PREDICATE_GLOB) {
        put_glob(out, want.text);
    } else if (predicate->op == PREDICATE_MATCHES) {
        buffer_put_string(out, "(?:");
        said = put_endless(out, want.text);
        buffer_put_char(out, ')');
    } else if (predicate->op == PREDICATE_FINDS) {
        said = put_endless(out, want.text);
    } else {
        put_literal(out, want.text);
    }
    if (want.end)
        put_byte(out, '\0');
    return said;
}

static unsigned flags_of(const struct predicate *predicate, bool regex)
{
    unsigned flags = FLAGS;

    if (predicate->flags & REGEX_NOCASE)
        flags |= HS_FLAG_CASELESS;
    if (predicate->op != PREDICATE_FINDS || predicate->flags & REGEX_DOTALL)
        flags |= HS_FLAG_DOTALL;
    if (predicate->op == PREDICATE_FINDS && predicate->flags & REGEX_MULTILINE)
        flags |= HS_FLAG_MULTILINE;
    /* Look-around and back-references are passed over, and nothing else is lost by it. */
    return regex ? flags | HS_FLAG_PREFILTER : flags;
}

bool pattern_put(const struct predicate *predicate, bool anchored, struct buffer *expression,
                 struct pattern *out)
{
    struct text text = predicate->text;
    bool regex = predicate->op == PREDICATE_MATCHES || predicate->op == PREDICATE_FINDS;
    struct shape shape = {.literal = text.len};

    if (regex)
        shape = shape_of_regex(text);
    else if (predicate->op == PREDICATE_GLOB)
        shape = shape_of_glob(text);
    /* Hyperscan takes expressions as strings. */
    if (shape.positions > PATTERN_POSITIONS_MAX || text.len > PATTERN_POSITIONS_MAX ||
        (regex && memchr(text.ptr, '\0', text.len)))
        return false;
    if (!put_expression(predicate, anchored, expression))
        return false;
    buffer_put_char(expression, '\0');
    out->flags = flags_of(predicate, regex);
    out->literal = shape.literal;
    out->positions = regex ? shape.positions : 0;
    return !buffer_failed(expression);
}

bool pattern_check(const struct predicate *predicate, struct pattern *out)
{
    CLEANUP(buffer_deinit) struct buffer expression = {0};
    hs_compile_error_t *error = NULL;
    hs_expr_info_t *info = NULL;

    if (!pattern_put(predicate, true, &expression, out))
        return false;
    int r = hs_expression_info(expression.data, out->flags, &info, &error);

    free(info);
    hs_free_compile_error(error);
    return r == HS_SUCCESS;
}
