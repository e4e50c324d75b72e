/* Sigma's documents three ways, by the first byte: any text as a file of them, as a condition over
 * a few selections, as a value. A refusal must say why; what is accepted must be usable, match the
 * same with and without the index, and a value hold for what the specification says it does. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/lint.h"
#include "rule/matcher.h"
#include "rule/plan.h"
#include "rule/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD "title: x\nid: x\nlogsource: {product: linux, category: process_creation}\n"

struct subject {
    struct event event;
    struct process self, parent;
};

static void make_subject(struct text cmdline, struct subject *out)
{
    *out = (struct subject){.event = {.type = EVENT_EXEC, .process = &out->self},
                            .self = {.parent = &out->parent}};
    process_set_text(&out->self, FIELD_CMDLINE, &out->self.cmdline, cmdline);
    process_set_text(&out->self, FIELD_EXE, &out->self.exe, TEXT("/usr/bin/dash"));
    process_set_text(&out->self, FIELD_FILENAME, &out->self.filename, TEXT("sh"));
    process_set_text(&out->self, FIELD_FILENAME_ABSOLUTE, &out->self.filename_absolute,
                     TEXT("/bin/sh"));
    process_set_text(&out->parent, FIELD_EXE, &out->parent.exe, TEXT("/usr/sbin/sshd"));
    process_set_number(&out->self, FIELD_PID, &out->self.pid, 10);
}

/* Whether a rule holds; the index and the evaluation of all must agree. */
static bool match(const struct ruleset *ruleset, const struct event *event)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const struct rule *const *hits;

    if (matcher_new(ruleset, &matcher) < 0)
        abort();
    size_t indexed = matcher_match(matcher, event, &hits);
    size_t plain = matcher_match_plainly(matcher, event, &hits);

    if (indexed != plain)
        abort();
    return plain > 0;
}

static struct ruleset *load(struct text text, bool any)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer rendered = {0};
    struct ruleset_options options = {.any_logsource = any};
    struct rule_source source = {.path = "fuzz.yaml", .content = text};
    struct ruleset *ruleset = NULL;
    int r = ruleset_load_with(&source, 1, &options, &diags, &ruleset);

    if ((r == -EINVAL) != (diags.errors > 0) || (r == 0) != (ruleset != NULL))
        abort();
    if (ruleset)
        lint_run(ruleset, &diags);
    for (size_t i = 0; ruleset && i < ruleset->count; i++)
        plan_put(&rendered, ruleset, ruleset->rules[i]);
    diag_render_all(&diags, false, &rendered);
    return ruleset;
}

static void put_quoted(struct buffer *out, struct text text)
{
    buffer_put_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buffer_put_char(out, '\'');
        buffer_put_char(out, text.ptr[i]);
    }
    buffer_put_char(out, '\'');
}

static void try_file(struct text text, bool any)
{
    CLEANUP(ruleset_freep) struct ruleset *ruleset = load(text, any);
    struct subject subject;

    make_subject(TEXT("sh -c id"), &subject);
    if (ruleset)
        match(ruleset, &subject.event);
}

static void try_condition(struct text text)
{
    CLEANUP(buffer_deinit) struct buffer rule = {0};
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    struct subject subject;

    buffer_put_string(&rule, HEAD "detection:\n  a: {Image|endswith: /sh}\n"
                                  "  b: {Image: /usr/bin/dash}\n  c_1: [id, x]\n"
                                  "  c_2: {CommandLine: null}\n  _d: {Hashes: x}\n  condition: ");
    put_quoted(&rule, text);
    ruleset = load(buffer_text(&rule), false);
    make_subject(TEXT("sh -c id"), &subject);
    if (ruleset)
        match(ruleset, &subject.event);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static size_t character(struct text text)
{
    uint32_t code;
    size_t len = text_utf8(text, &code);

    return len ? len : 1;
}

static struct text behind(struct text text, size_t count)
{
    return (struct text){text.ptr + count, text.len - count};
}

/* What the specification says of wildcards and escapes, as plainly as it can be said. STEPS bounds
 * how long that takes. */
static bool holds(struct text value, struct text subject, unsigned *steps)
{
    if (*steps == 0)
        return false;
    --*steps;
    if (value.len == 0)
        return subject.len == 0;
    if (value.ptr[0] == '*') {
        for (size_t at = 0;; at += character(behind(subject, at))) {
            if (holds(behind(value, 1), behind(subject, at), steps))
                return true;
            if (at == subject.len || *steps == 0)
                return false;
        }
    }
    if (subject.len == 0)
        return false;
    if (value.ptr[0] == '?')
        return holds(behind(value, 1), behind(subject, character(subject)), steps);
    bool escape = value.ptr[0] == '\\' && value.len > 1 && strchr("*?\\", value.ptr[1]);

    return lower(value.ptr[escape]) == lower(subject.ptr[0]) &&
           holds(behind(value, escape + 1U), behind(subject, 1), steps);
}

/* Whether YAML has T between quotes as it is: line breaks become blanks. */
static bool is_plain(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.ptr[i] < ' ')
            return false;
    return !text_contains(t, TEXT("\xc2\x85")) && !text_contains(t, TEXT("\u2028")) &&
           !text_contains(t, TEXT("\u2029"));
}

/* VALUE and SUBJECT are parted by the first newline. */
static void try_value(struct text text, unsigned way)
{
    static const char *const modifiers[] = {"", "|contains", "|startswith", "|endswith"};
    CLEANUP(buffer_deinit) struct buffer rule = {0}, whole = {0};
    struct text rest = text, value = text_split(&rest, '\n');
    struct subject subject;
    unsigned steps = 20000;

    if (!rest.ptr || !is_plain(value))
        return;
    buffer_printf(&rule, HEAD "detection:\n  a:\n    CommandLine%s: ", modifiers[way]);
    put_quoted(&rule, value);
    buffer_put_string(&rule, "\n  condition: a\n");
    CLEANUP(ruleset_freep) struct ruleset *ruleset = load(buffer_text(&rule), false);

    if (!ruleset)
        return;
    buffer_put_string(&whole, way == 1 || way == 3 ? "*" : "");
    buffer_put_text(&whole, value);
    /* What is added is no part of what is written: a backslash before it is itself. */
    if (way == 1 || way == 2) {
        size_t slashes = 0;

        while (slashes < value.len && value.ptr[value.len - 1 - slashes] == '\\')
            slashes++;
        buffer_put_string(&whole, slashes % 2 ? "\\*" : "*");
    }
    make_subject(rest, &subject);
    bool expected = holds(buffer_text(&whole), rest, &steps);

    if (steps && match(ruleset, &subject.event) != expected) {
        fprintf(stderr, "%s'%.*s' on '%.*s' should be %d\n", modifiers[way], TEXT_ARG(value),
                TEXT_ARG(rest), expected);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data + 1, size - 1};

    if (size == 0)
        return 0;
    switch (data[0] % 8) {
    case 0:
    case 1:
        try_file(text, data[0] % 8);
        break;
    case 2:
    case 3:
        try_condition(text);
        break;
    default:
        try_value(text, data[0] % 8 - 4);
    }
    return 0;
}
