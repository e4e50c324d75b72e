/* Rules and events made of the input's bytes: what the indexed matcher finds must be what the
 * evaluation of every rule finds, in the same order. match_random.c feeds it random bytes. */
#include "match_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "event/event_json.h"
#include "rule/matcher.h"
#include "rule/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint64_t match_fuzz_pairs, match_fuzz_hits, match_fuzz_refused;

#define RULES_MAX  240
#define RULES_FEW  40
#define EVENTS_MAX 24

#define SIGMA_RULES_MAX 12
#define ANCESTORS_MAX   5
#define NESTING_MAX     3

/* The input, one byte at a time; zeros behind its end. */
struct dice {
    const uint8_t *next, *end;
    bool narrow; /* many rules on one field */
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    return dice->next < dice->end ? *dice->next++ % sides : 0;
}

#define PICK(dice, array) ((array)[roll(dice, sizeof(array) / sizeof *(array))])

/* Few and alike, so that rules and events meet often. */
static const char *const words[] = {
    "a",  "b",     "ab",        "sh", "bash", "/",        "bin",          "A", "SH",
    " ",  "\n",    "-",         "x",  "\xff", "\xc3\xa9", "\xe6\x97\xa5", "0", "root",
    "10", "nginx", "/usr/bin/", ".",  "aa",   "\r",       "Bash"};

static const char *const atoms[] = {"a",        "b",           "sh",
                                    "A",        ".",           "\\d",
                                    "\\w",      "\\s",         "\\S",
                                    "\\W",      "[ab]",        "[^a]",
                                    "[a-z0-9]", "x",           "0",
                                    "\\x61",    "\\/",         "\\.",
                                    "^",        "$",           "\\b",
                                    "\\B",      "\\A",         "\\z",
                                    "\\Z",      "\\n",         "\\h",
                                    "\\H",      "\\v",         "\\R",
                                    "\\N",      "[[:alpha:]]", "[[:^digit:]]",
                                    "\\x{ff}",  "[\\w-]",      "\\Qa.b\\E",
                                    "(?i)",     "(?-i)",       "(?s)",
                                    "(?m)",     "(?x) ",       "(?=a)",
                                    "(?!a)",    "(?<=a)",      "(?<!sh)",
                                    "\\1",      "(?>a+)",      "(?|a|b)",
                                    "\\K",      "\xff",        "\\e",
                                    "\\t",      "(?#c)",       "(?(1)a|b)",
                                    "\\V",      "\\D",         "bash",
                                    "/",        "-",           " ",
                                    "\\G",      "(?R)?",       "\\077",
                                    "\\cA",     "[]a]",        "[^]a]",
                                    "\\o{141}", "(*FAIL)",     "(*ACCEPT)",
                                    "(?U)",     "a{,2}"};

static const char *const repeats[] = {"",    "",     "",   "",      "",    "?",     "*",
                                      "+",   "*?",   "+?", "??",    "{2}", "{1,3}", "++",
                                      "{0}", "{2,}", "?+", "{0,2}", "*+"};

static void put_regex(struct dice *dice, struct buffer *out, unsigned depth)
{
    for (unsigned i = 0, count = 1 + roll(dice, 4); i < count; i++) {
        unsigned kind = roll(dice, 16);

        if (kind < 3 && depth < NESTING_MAX) {
            buffer_put_string(out, kind == 0 ? "(" : kind == 1 ? "(?:" : "(?i:");
            put_regex(dice, out, depth + 1);
            buffer_put_char(out, ')');
        } else if (kind == 3) {
            buffer_put_char(out, '|');
            continue;
        } else {
            buffer_put_string(out, PICK(dice, atoms));
        }
        buffer_put_string(out, PICK(dice, repeats));
    }
}

static void put_words(struct dice *dice, struct buffer *out, unsigned most)
{
    for (unsigned i = 0, count = roll(dice, most + 1); i < count; i++)
        buffer_put_string(out, PICK(dice, words));
}

static bool is_regex(struct text pattern)
{
    struct regex_failure failure;
    struct regex *regex = NULL;
    bool good = regex_new(pattern, REGEX_DOTALL, &regex, &failure) == 0;

    regex_free(regex);
    return good;
}

static void put_quoted(struct buffer *out, struct text text)
{
    buffer_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= 0x80) /* YAML is Unicode: the rule asks for U+00FF */
            buffer_printf(out, "\\u00%02x", c);
        else if (c < ' ' || c == '"' || c == '\\')
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_put_char(out, (char)c);
    }
    buffer_put_char(out, '"');
}

enum value_kind { VALUE_WORDS, VALUE_GLOB, VALUE_REGEX };

static void put_text_value(struct dice *dice, struct buffer *out, enum value_kind kind)
{
    static const char *const parts[] = {"*", "?", "*", "\\*", "a", "sh", "/", "b", "\xe9", "??"};
    CLEANUP(buffer_deinit) struct buffer text = {0};

    if (kind == VALUE_REGEX) {
        put_regex(dice, &text, 0);
        if (!is_regex(buffer_text(&text))) {
            buffer_clear(&text);
            buffer_put_string(&text, "(a|sh).*");
        }
    } else if (kind == VALUE_GLOB) {
        for (unsigned i = 0, count = 1 + roll(dice, 4); i < count; i++)
            buffer_put_string(&text, PICK(dice, parts));
    } else {
        put_words(dice, &text, 3);
    }
    put_quoted(out, buffer_text(&text));
}

static void put_text_key(struct dice *dice, struct buffer *out, const char *field)
{
    static const struct {
        const char *modifiers;
        enum value_kind kind;
    } ways[] = {
        {"|is", VALUE_WORDS},
        {"|is|nocase", VALUE_WORDS},
        {"|contains", VALUE_WORDS},
        {"|contains|nocase", VALUE_WORDS},
        {"|startswith", VALUE_WORDS},
        {"|endswith", VALUE_WORDS},
        {"|startswith|nocase", VALUE_WORDS},
        {"|endswith|nocase", VALUE_WORDS},
        {"|glob", VALUE_GLOB},
        {"|glob|nocase", VALUE_GLOB},
        {"", VALUE_REGEX},
        {"|re", VALUE_REGEX},
        {"|re|i", VALUE_REGEX},
        {"|re|m", VALUE_REGEX},
        {"|re|s", VALUE_REGEX},
        {"|re|i|m|s", VALUE_REGEX},
        {"|nocase", VALUE_REGEX},
        {"|re", VALUE_REGEX},
    };
    unsigned way = roll(dice, sizeof ways / sizeof *ways);
    unsigned count = 1 + roll(dice, 3);

    buffer_printf(out, "\"%s%s%s\": [", field, ways[way].modifiers,
                  count > 1 && roll(dice, 4) == 0 ? "|all" : "");
    for (unsigned i = 0; i < count; i++) {
        buffer_put_string(out, i ? ", " : "");
        put_text_value(dice, out, ways[way].kind);
    }
    buffer_put_string(out, "]");
}

static void put_number_key(struct dice *dice, struct buffer *out, const char *field)
{
    static const char *const ways[] = {"", "|lt", "|lte", "|gt", "|gte", ""};

    buffer_printf(out, "\"%s%s\": %u", field, PICK(dice, ways), roll(dice, 12));
}

static void put_key(struct dice *dice, struct buffer *out)
{
    static const char *const texts[] = {
        "comm", "exe", "cmdline",       "parent",     "ancestor", "ancestor[2].exe",
        "argv", "env", "ancestor.argv", "parent.exe", "comm",     "cwd",
        "type"};
    static const char *const numbers[] = {"uid", "parent.uid", "ancestor.uid", "pid", "argc"};
    static const char *const capabilities[] = {"cap_.*", "cap_(net_raw|chown)", "all", "cap_ki?ll"};
    static const char *const some[] = {"comm", "uid",           "parent.exe",  "ancestor[3].comm",
                                       "argv", "cap.effective", "ancestor.cwd"};

    if (dice->narrow) {
        put_text_key(dice, out, "comm");
        return;
    }
    switch (roll(dice, 12)) {
    case 0:
        put_number_key(dice, out, PICK(dice, numbers));
        break;
    case 1:
        buffer_printf(out, "\"%s|re\": \"%u\"", PICK(dice, numbers), roll(dice, 12));
        break;
    case 2:
        buffer_printf(out, "exe.setuid: %s", roll(dice, 2) ? "true" : "false");
        break;
    case 3:
        buffer_printf(out, "%s: \"%s\"", roll(dice, 2) ? "cap.effective" : "parent.cap.effective",
                      PICK(dice, capabilities));
        break;
    case 4:
        buffer_printf(out, "\"%s|exists\": %s", PICK(dice, some), roll(dice, 2) ? "true" : "false");
        break;
    default:
        put_text_key(dice, out, PICK(dice, texts));
    }
}

static void put_map(struct dice *dice, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer first = {0};

    put_key(dice, &first);
    buffer_printf(out, "{%s}", buffer_string(&first));
}

/* All of several maps by a condition, any of several as a list. */
static void put_selection(struct dice *dice, struct buffer *out)
{
    unsigned count = 1 + roll(dice, 3);

    buffer_put_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        buffer_put_string(out, i ? ", " : "");
        put_map(dice, out);
    }
    buffer_put_char(out, ']');
}

static void put_rule(struct dice *dice, struct buffer *out, unsigned number)
{
    static const char *const conditions[] = {
        "s1",
        "s1 and s2",
        "s1 and not s2",
        "s1 or s2",
        "not s1",
        "not (s1 and not s2)",
        "not (not s1 or s2)",
        "all of s*",
        "1 of s*",
        "s1 and (s2 or not s3)",
        "(s1 or s2) and s3",
        "not 1 of s*",
        "s1 and s2 and s3",
        "not (not s1 or not (s2 and not s3))",
    };

    buffer_printf(out, "- {id: r%u, on: %s, tests: [], condition: \"%s\", where: {", number,
                  roll(dice, 6) ? "exec" : "exit", PICK(dice, conditions));
    for (unsigned i = 1; i <= 3; i++) {
        buffer_printf(out, "%ss%u: ", i > 1 ? ", " : "", i);
        put_selection(dice, out);
    }
    buffer_put_string(out, "}}\n");
}

static void put_sigma_value(struct dice *dice, struct buffer *out)
{
    static const char *const parts[] = {"*", "?",    "\\\\", "\\*", "\\?",  "a", "sh",
                                        "/", "\xe9", "SH",   "-",   "bash", " ", ""};
    CLEANUP(buffer_deinit) struct buffer text = {0};

    for (unsigned i = 0, count = roll(dice, 4); i < count; i++)
        buffer_put_string(&text, PICK(dice, parts));
    put_quoted(out, buffer_text(&text));
}

/* A selection of Sigma's: a map of two keys, or keywords. */
static void put_sigma_selection(struct dice *dice, struct buffer *out)
{
    static const char *const keys[] = {"Image",
                                       "Image|endswith",
                                       "Image|startswith",
                                       "Image|contains|all",
                                       "Image|neq",
                                       "ParentImage",
                                       "ParentImage|contains",
                                       "CommandLine",
                                       "CommandLine|contains",
                                       "CommandLine|windash|endswith",
                                       "CommandLine|cased|startswith",
                                       "CurrentDirectory",
                                       "a0",
                                       "a1|contains",
                                       "a2|endswith",
                                       "Hashes",
                                       "ProcessId",
                                       "Image|fieldref|endswith"};
    bool keywords = roll(dice, 8) == 0;
    const char *first = PICK(dice, keys);

    buffer_put_string(out, keywords ? "[" : "{");
    for (unsigned i = 0; i < 2; i++) {
        const char *key = i == 0 ? first : PICK(dice, keys);

        if (i && !keywords && strcmp(key, first) == 0)
            break;
        buffer_put_string(out, i ? ", " : "");
        if (!keywords)
            buffer_printf(out, "\"%s\": [", key);
        put_sigma_value(dice, out);
        if (!keywords) {
            buffer_put_string(out, ", ");
            put_sigma_value(dice, out);
            buffer_put_char(out, ']');
        }
    }
    buffer_put_string(out, keywords ? "]" : "}");
}

static void put_sigma_rule(struct dice *dice, struct buffer *out, unsigned number)
{
    static const char *const conditions[] = {"a",
                                             "a and not b",
                                             "a or b",
                                             "not (a and not b)",
                                             "all of them",
                                             "a and not (b or not c)",
                                             "1 of b*",
                                             "not a",
                                             "[a, b and not c]",
                                             "a and not 1 of b*"};

    buffer_printf(out, "---\ntitle: s%u\nlogsource: {product: linux%s}\ndetection:\n", number,
                  roll(dice, 2) ? ", service: auditd" : "");
    for (int name = 'a'; name <= 'c'; name++) {
        buffer_printf(out, "  %c: ", name);
        put_sigma_selection(dice, out);
        buffer_put_char(out, '\n');
    }
    buffer_printf(out, "  condition: %s\n", PICK(dice, conditions));
}

static struct text make_text(struct dice *dice, struct arena *arena, unsigned most)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    /* What is near the end of a long text is found in another way than in a short one. */
    for (unsigned i = roll(dice, 3) == 0 ? roll(dice, 256) : 0; i > 0; i--)
        buffer_put_char(&text, 'c');
    put_words(dice, &text, most);
    return arena_text(arena, (struct text){buffer_string(&text), text.len});
}

/* Each with a NUL behind it. */
static struct text make_list(struct dice *dice, struct arena *arena)
{
    CLEANUP(buffer_deinit) struct buffer list = {0};

    for (unsigned i = 0, count = roll(dice, 5); i < count; i++) {
        put_words(dice, &list, 3);
        buffer_put_char(&list, '\0');
    }
    return arena_text(arena, (struct text){buffer_string(&list), list.len});
}

static struct process *make_process(struct dice *dice, struct arena *arena)
{
    struct process *process = arena_alloc(arena, sizeof *process);

    if (!process)
        abort();
    process->comm = make_text(dice, arena, 2);
    process->exe = make_text(dice, arena, 4);
    process->cmdline = make_text(dice, arena, 6);
    process->cwd = make_text(dice, arena, 3);
    process->filename = make_text(dice, arena, 3);
    process->filename_absolute = make_text(dice, arena, 4);
    process->argv = make_list(dice, arena);
    process->env = make_list(dice, arena);
    process->uid = roll(dice, 12);
    process->pid = roll(dice, 12);
    process->argc = roll(dice, 12);
    process->exe_setuid = roll(dice, 2);
    process->cap_effective = roll(dice, 3) ? roll(dice, 256) : INT64_C(-1);
    for (size_t i = 0; i < sizeof process->has.bits / sizeof *process->has.bits; i++)
        process->has.bits[i] = UINT64_MAX;
    if (roll(dice, 2)) {
        static const enum field_id some[] = {FIELD_COMM,      FIELD_EXE,  FIELD_CMDLINE,
                                             FIELD_UID,       FIELD_ARGV, FIELD_CAP_EFFECTIVE,
                                             FIELD_EXE_SETUID};

        field_set_remove(&process->has, PICK(dice, some));
        field_set_remove(&process->has, PICK(dice, some));
    }
    return process;
}

static void make_event(struct dice *dice, struct arena *arena, struct event *out)
{
    struct process *process = make_process(dice, arena);

    *out = (struct event){.type = roll(dice, 6) ? EVENT_EXEC : EVENT_EXIT, .process = process};
    out->type_name = text_from(event_type_name(out->type));
    field_set_add(&out->has, FIELD_TYPE);
    for (unsigned i = 0, count = roll(dice, ANCESTORS_MAX); i < count; i++) {
        struct process *parent = make_process(dice, arena);

        process->parent = parent;
        process = parent;
    }
    /* Further than rules see. */
    if (roll(dice, 16) == 0)
        process->parent = process;
}

static void print_event(const struct event *event)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct json_writer json = {.buffer = &text};

    event_put_json(&json, event);
    fprintf(stderr, "%s\n", buffer_string(&text));
}

static void compare(struct matcher *matcher, const struct event *event, const char *rules)
{
    const struct rule *found[RULES_MAX + SIGMA_RULES_MAX];
    const struct rule *const *hits;
    size_t count = matcher_match(matcher, event, &hits);

    for (size_t i = 0; i < count; i++)
        found[i] = hits[i];
    size_t plain = matcher_match_plainly(matcher, event, &hits);

    match_fuzz_hits += plain;
    if (count == plain && (count == 0 || memcmp(found, hits, count * sizeof(struct rule *)) == 0))
        return;
    fprintf(stderr, "%zu rules hit by index, %zu plainly\n", count, plain);
    for (size_t i = 0; i < plain; i++)
        fprintf(stderr, "plainly %s\n", hits[i]->id.ptr);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "by index %s\n", found[i]->id.ptr);
    print_event(event);
    fputs(rules, stderr);
    abort();
}

static void match(struct dice *dice, const struct ruleset *ruleset, const char *rules)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct event *events = arena_array(&arena, EVENTS_MAX, sizeof *events);

    if (!events || matcher_new(ruleset, &matcher) < 0)
        abort();
    for (unsigned i = 0; i < EVENTS_MAX; i++)
        make_event(dice, &arena, &events[i]);
    /* The second time from the caches. */
    for (unsigned i = 0; i < EVENTS_MAX * 2; i++) {
        const struct event *event = &events[i % EVENTS_MAX];

        compare(matcher, event, rules);
        match_fuzz_pairs += i < EVENTS_MAX ? ruleset->by_type_count[event->type] : 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    CLEANUP(buffer_deinit) struct buffer rules = {0};
    struct dice dice = {.next = data, .end = data + size};
    struct rule_source source = {.path = "fuzz.yaml"};
    unsigned count = 1 + roll(&dice, RULES_FEW);

    dice.narrow = roll(&dice, 16) == 0;
    count = dice.narrow ? RULES_MAX : count;
    buffer_put_string(&rules, "rules:\n");
    for (unsigned i = 0; i < count; i++)
        put_rule(&dice, &rules, i);
    for (unsigned i = 0, more = roll(&dice, SIGMA_RULES_MAX); i < more; i++)
        put_sigma_rule(&dice, &rules, i);
    source.content = (struct text){buffer_string(&rules), rules.len};
    if (ruleset_load(&source, 1, &diags, &ruleset) < 0) {
        match_fuzz_refused++;
        return 0;
    }
    match(&dice, ruleset, buffer_string(&rules));
    return 0;
}
