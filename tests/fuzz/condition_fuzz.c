/* Any text as a condition over five selections, in our own words or in Sigma's, or over five rules
 * in those of a correlation, by the first byte: refused when it is none, and else true of just what
 * it should be, as plainly as that can be said, with and without the index. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/correlation.h"
#include "rule/matcher.h"
#include "rule/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"a", "b", "c_1", "c_2", "_d"};
#define NAMES       5
#define ASSIGNMENTS (1U << NAMES)

enum dialect { NATIVE, SIGMA, CORRELATION };
#define DIALECTS 3

#define RULE(name, field)                                                                        \
    "title: " name "\nname: " name "\nlogsource: {product: linux, category: process_creation}\n" \
    "detection: {s: {" field ": 1}, condition: s}\n---\n"

/* What stands before the condition. Each by a number of its own: texts take long to load. */
static const char *const heads[DIALECTS] = {
    [NATIVE] = "rules:\n- id: x\n  tests: []\n  where:\n    a: {uid: 1}\n    b: {gid: 1}\n"
               "    c_1: {euid: 1}\n    c_2: {egid: 1}\n    _d: {suid: 1}\n"
               "  condition: ",
    [SIGMA] = "title: x\nlogsource: {product: linux, category: process_creation}\n"
              "detection:\n  a: {uid: 1}\n  b: {gid: 1}\n  c_1: {euid: 1}\n"
              "  c_2: {egid: 1}\n  _d: {suid: 1}\n  condition: ",
    [CORRELATION] = RULE("a", "uid") RULE("b", "gid") RULE("c_1", "euid") RULE("c_2", "egid")
        RULE("_d", "suid") "title: x\nid: x\ncorrelation:\n  type: temporal\n  timespan: 1m\n"
                           "  rules: [a, b, c_1, c_2, _d]\n  condition: ",
};

/* What the manual says of conditions. */
struct reading {
    struct text rest, word; /* the word is the next one, not in the rest any more */
    bool cased;             /* words are in lower case */
    unsigned held;          /* a bit for each selection that holds */
    unsigned used;          /* and for each that is named */
    unsigned depth;
    bool bad;     /* it is no condition */
    bool unclear; /* it is beyond what is said here: many brackets, other patterns */
};

static bool ends_word(char c)
{
    return c == ' ' || c == '(' || c == ')' || c == '|';
}

static void next_word(struct reading *reading)
{
    struct text t = reading->rest;
    size_t len = 0;

    while (t.len && t.ptr[0] == ' ')
        t = (struct text){t.ptr + 1, t.len - 1};
    while (len < t.len && !ends_word(t.ptr[len]))
        len++;
    if (len == 0 && t.len)
        len = 1;
    reading->word = (struct text){t.ptr, len};
    reading->rest = (struct text){t.ptr + len, t.len - len};
}

static bool is(const struct reading *reading, const char *word)
{
    return reading->cased ? text_is(reading->word, word)
                          : text_equal_nocase(reading->word, text_from(word));
}

static bool take(struct reading *reading, const char *word)
{
    if (!is(reading, word))
        return false;
    next_word(reading);
    return true;
}

static bool fits(struct text pattern, struct text name)
{
    if (pattern.len == 0)
        return name.len == 0;
    struct text rest = {pattern.ptr + 1, pattern.len - 1};

    if (pattern.ptr[0] != '*')
        return name.len && name.ptr[0] == pattern.ptr[0] &&
               fits(rest, (struct text){name.ptr + 1, name.len - 1});
    for (size_t i = 0; i <= name.len; i++)
        if (fits(rest, (struct text){name.ptr + i, name.len - i}))
            return true;
    return false;
}

/* Behind `1 of` and `all of`. */
static bool read_pattern(struct reading *reading, bool all)
{
    struct text pattern = reading->word;
    bool them = is(reading, "them"), whole = all, found = false;
    size_t stars = 0;

    for (size_t i = 0; i < pattern.len; i++) {
        reading->unclear |= strchr("?\\[", pattern.ptr[i]) != NULL;
        stars += pattern.ptr[i] == '*';
    }
    reading->unclear |= stars > 8;
    for (size_t i = 0; i < NAMES && !reading->unclear; i++) {
        bool holds = reading->held >> i & 1;

        if ((names[i][0] == '_' && !text_starts(pattern, TEXT("_"))) ||
            !(them || fits(pattern, text_from(names[i]))))
            continue;
        found = true;
        reading->used |= 1U << i;
        whole = all ? whole && holds : whole || holds;
    }
    reading->bad |= !found && !reading->unclear;
    next_word(reading);
    return whole;
}

static bool read_name(struct reading *reading)
{
    struct text word = reading->word;

    next_word(reading);
    for (size_t i = 0; i < NAMES; i++) {
        if (!text_is(word, names[i]))
            continue;
        reading->used |= 1U << i;
        return reading->held >> i & 1;
    }
    reading->bad = true;
    return false;
}

static bool read_any(struct reading *reading);

static bool read_operand(struct reading *reading)
{
    bool holds;

    reading->unclear |= ++reading->depth > 50;
    if (reading->unclear || reading->bad)
        return false;
    if (take(reading, "not")) {
        holds = !read_operand(reading);
    } else if (take(reading, "(")) {
        holds = read_any(reading);
        reading->bad |= !take(reading, ")");
    } else if (is(reading, "1") || is(reading, "any") || is(reading, "all")) {
        bool all = is(reading, "all");

        next_word(reading);
        reading->bad |= !take(reading, "of");
        holds = read_pattern(reading, all);
    } else {
        holds = read_name(reading);
    }
    reading->depth--;
    return holds;
}

static bool read_all(struct reading *reading)
{
    bool holds = read_operand(reading);

    while (take(reading, "and"))
        holds &= read_operand(reading);
    return holds;
}

static bool read_any(struct reading *reading)
{
    bool holds = read_all(reading);

    while (take(reading, "or"))
        holds |= read_all(reading);
    return holds;
}

/* What CONDITION is, and with the selections HELD whether it holds. */
static struct reading read_whole(struct text condition, enum dialect dialect, unsigned held,
                                 bool *holds)
{
    struct reading reading = {.rest = condition, .cased = dialect != NATIVE, .held = held};

    next_word(&reading);
    *holds = read_any(&reading);
    reading.bad |= reading.word.len > 0;
    if (dialect == CORRELATION) /* all of its rules must be named */
        reading.bad |= reading.used != ASSIGNMENTS - 1;
    return reading;
}

/* Whether YAML has T between quotes as it is: line breaks become blanks. */
static bool is_plain(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.ptr[i] < ' ' || (unsigned char)t.ptr[i] > '~')
            return false;
    return true;
}

static struct ruleset *load(struct text condition, enum dialect dialect)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer text = {0}, rendered = {0};
    struct rule_source source = {.path = "fuzz.yaml"};
    struct ruleset *ruleset = NULL;

    buffer_put_string(&text, heads[dialect]);
    buffer_put_char(&text, '\'');
    for (size_t i = 0; i < condition.len; i++) {
        if (condition.ptr[i] == '\'')
            buffer_put_char(&text, '\'');
        buffer_put_char(&text, condition.ptr[i]);
    }
    buffer_put_string(&text, "'\n");
    source.content = buffer_text(&text);
    int r = ruleset_load(&source, 1, &diags, &ruleset);

    if ((r == -EINVAL) != (diags.errors > 0) || (r == 0) != (ruleset != NULL))
        abort();
    diag_render_all(&diags, false, &rendered);
    return ruleset;
}

static bool match(struct matcher *matcher, unsigned held)
{
    struct process process = {0};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *hits;

    process_set_number(&process, FIELD_UID, &process.uid, held & 1);
    process_set_number(&process, FIELD_GID, &process.gid, held >> 1 & 1);
    process_set_number(&process, FIELD_EUID, &process.euid, held >> 2 & 1);
    process_set_number(&process, FIELD_EGID, &process.egid, held >> 3 & 1);
    process_set_number(&process, FIELD_SUID, &process.suid, held >> 4 & 1);
    size_t indexed = matcher_match(matcher, &event, &hits);

    if (indexed != matcher_match_plainly(matcher, &event, &hits))
        abort();
    return indexed > 0;
}

/* The correlation is the last of the rules. */
static bool correlate(const struct ruleset *ruleset, unsigned held)
{
    const struct correlation *correlation = ruleset->rules[ruleset->count - 1]->correlation;
    bool seen[NAMES] = {false};

    for (size_t i = 0; i < correlation->member_count; i++)
        for (size_t k = 0; k < NAMES; k++)
            if (text_is(correlation->members[i].rule->name, names[k]))
                seen[i] = held >> k & 1;
    return correlation_holds(correlation, seen);
}

static void complain(struct text condition, enum dialect dialect, const char *what)
{
    static const char *const dialects[DIALECTS] = {
        [NATIVE] = "native", [SIGMA] = "Sigma's", [CORRELATION] = "a correlation's"};

    fprintf(stderr, "%s condition '%.*s' %s\n", dialects[dialect], TEXT_ARG(condition), what);
    abort();
}

static void try_all(const struct ruleset *ruleset, struct text condition, enum dialect dialect)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    bool expected;

    if (matcher_new(ruleset, &matcher) < 0)
        abort();
    for (unsigned held = 0; held < ASSIGNMENTS; held++) {
        bool holds = dialect == CORRELATION ? correlate(ruleset, held) : match(matcher, held);

        read_whole(condition, dialect, held, &expected);
        if (holds != expected)
            complain(condition, dialect, expected ? "should hold" : "should not hold");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;

    if (size == 0)
        return 0;
    struct text condition = {(const char *)data + 1, size - 1};
    enum dialect dialect = data[0] % DIALECTS;
    bool unused;

    ruleset = load(condition, dialect);
    struct reading reading = read_whole(condition, dialect, 0, &unused);

    if (!is_plain(condition) || reading.unclear)
        return 0;
    if ((ruleset != NULL) == reading.bad)
        complain(condition, dialect, ruleset ? "is none" : "is one");
    if (ruleset)
        try_all(ruleset, condition, dialect);
    return 0;
}
