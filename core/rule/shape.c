#include "rule/shape.h"

/* Beyond it a pattern is as large as can be told. */
#define DEPTH_MAX 64

/* How often an item is repeated. */
struct repeat {
    uint64_t least, most;
};

struct item {
    struct shape shape;
    bool plain; /* one byte that stands for itself */
};

static uint64_t times(uint64_t a, uint64_t b)
{
    return a && b > SHAPE_POSITIONS_MAX / a ? SHAPE_POSITIONS_MAX : a * b;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a + b < SHAPE_POSITIONS_MAX ? a + b : SHAPE_POSITIONS_MAX;
}

static char peek(const struct text *rest)
{
    if (rest->len == 0)
        return '\0';
    return rest->ptr[0];
}

static void skip(struct text *rest, size_t count)
{
    count = count < rest->len ? count : rest->len;
    rest->ptr += count;
    rest->len -= count;
}

static bool take_number(struct text *rest, uint64_t *out)
{
    bool any = false;

    for (*out = 0; peek(rest) >= '0' && peek(rest) <= '9'; skip(rest, 1), any = true)
        *out = plus(times(*out, 10), (uint64_t)(peek(rest) - '0'));
    return any;
}

/* {n}, {n,} or {n,m}; anything else in braces is plain text. */
static bool take_braces(struct text *rest, struct repeat *out)
{
    struct text ahead = *rest;

    skip(&ahead, 1);
    if (!take_number(&ahead, &out->least))
        return false;
    out->most = out->least;
    if (peek(&ahead) == ',') {
        skip(&ahead, 1);
        if (!take_number(&ahead, &out->most))
            out->most = out->least + 1;
    }
    if (peek(&ahead) != '}')
        return false;
    skip(&ahead, 1);
    *rest = ahead;
    return true;
}

static struct repeat take_repeat(struct text *rest)
{
    struct repeat repeat = {1, 1};
    char c = peek(rest);

    if (c == '*' || c == '?' || c == '+') {
        repeat.least = c == '+';
        skip(rest, 1);
    } else if (c != '{' || !take_braces(rest, &repeat)) {
        return (struct repeat){1, 1};
    }
    if (peek(rest) == '?' || peek(rest) == '+')
        skip(rest, 1);
    return repeat;
}

static void skip_class(struct text *rest)
{
    skip(rest, peek(rest) == '^' ? 2 : 1);
    while (rest->len && peek(rest) != ']')
        skip(rest, peek(rest) == '\\' ? 2 : 1);
    skip(rest, 1);
}

static struct shape read_branches(struct text *rest, unsigned depth);

static struct item take_item(struct text *rest, unsigned depth)
{
    struct item item = {.shape = {1, 0}};
    char c = peek(rest);

    skip(rest, 1);
    if (c == '(') {
        item.shape = read_branches(rest, depth + 1);
        skip(rest, 1);
    } else if (c == '[') {
        skip_class(rest);
    } else if (c == '\\') {
        c = peek(rest);
        item.plain = !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
        skip(rest, 1);
    } else {
        item.plain = c != '.' && c != '^' && c != '$';
    }
    return item;
}

static struct shape read_branch(struct text *rest, unsigned depth)
{
    struct shape branch = {0};
    size_t run = 0;

    while (rest->len && peek(rest) != '|' && peek(rest) != ')') {
        struct item item = take_item(rest, depth);
        struct text before = *rest;
        struct repeat repeat = take_repeat(rest);

        branch.positions = plus(branch.positions, times(item.shape.positions, repeat.most));
        run = item.plain && repeat.least ? run + 1 : 0;
        if (repeat.least && item.shape.literal > branch.literal)
            branch.literal = item.shape.literal;
        branch.literal = run > branch.literal ? run : branch.literal;
        if (before.ptr != rest->ptr)
            run = 0;
    }
    return branch;
}

/* What says how a group is meant stands between its parenthesis and a colon, and would be read as
 * plain bytes. A group that only looks (?=...) promises no bytes. */
static bool skip_meaning(struct text *rest)
{
    if (peek(rest) != '?')
        return true;
    skip(rest, 1);
    if (peek(rest) != ':')
        return false;
    skip(rest, 1);
    return true;
}

static struct shape read_branches(struct text *rest, unsigned depth)
{
    struct shape whole = {.literal = SIZE_MAX};

    if (depth > DEPTH_MAX) {
        skip(rest, rest->len);
        return (struct shape){.positions = SHAPE_POSITIONS_MAX};
    }
    bool promises = depth == 0 || skip_meaning(rest);

    for (;;) {
        struct shape branch = read_branch(rest, depth);

        whole.positions = plus(whole.positions, branch.positions);
        whole.literal = branch.literal < whole.literal ? branch.literal : whole.literal;
        if (peek(rest) != '|')
            break;
        skip(rest, 1);
    }
    if (!promises)
        whole.literal = 0;
    return whole;
}

struct shape shape_of_regex(struct text pattern)
{
    return read_branches(&pattern, 0);
}

/* A `?` may be a character of four bytes. */
#define CHARACTER_POSITIONS 5

struct shape shape_of_glob(struct text glob)
{
    struct shape shape = {0};
    size_t run = 0;

    for (size_t i = 0; i < glob.len; i++) {
        bool is_wildcard = glob.ptr[i] == '*' || glob.ptr[i] == '?';

        i += glob.ptr[i] == '\\' && i + 1 < glob.len;
        run = is_wildcard ? 0 : run + 1;
        shape.literal = run > shape.literal ? run : shape.literal;
        shape.positions += glob.ptr[i] == '?' && is_wildcard ? CHARACTER_POSITIONS : 1;
    }
    return shape;
}
