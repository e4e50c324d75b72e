/* What the tests of rules share: loading from a text, asking of one event, finding a diagnostic. */
#ifndef PICKET_TESTS_RULE_FIXTURE_H
#define PICKET_TESTS_RULE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/matcher.h"

struct load {
    struct diag_list diags;
    struct ruleset *ruleset; /* NULL: errors */
    int result;
};

static inline void load_deinit(struct load *load)
{
    ruleset_free(load->ruleset);
    diag_list_deinit(&load->diags);
}

static inline struct load load_text(const char *text)
{
    struct load load = {0};
    struct rule_source source = {.path = "rules.yaml", .content = text_from(text)};

    load.result = ruleset_load(&source, 1, &load.diags, &load.ruleset);
    return load;
}

/* All diagnostics, as a user sees them, for the message of a failed assertion. */
static inline void print_diags(struct load *load)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    diag_render_all(&load->diags, false, &out);
    fputs(buffer_string(&out), stderr);
}

/* One without errors. */
static inline struct load load_good(const char *text)
{
    struct load load = load_text(text);

    if (load.result != 0)
        print_diags(&load);
    assert_int_equal(load.result, 0);
    return load;
}

static inline const struct diag *find_diag(const struct load *load, const char *code)
{
    for (size_t i = 0; i < load->diags.count; i++)
        if (strcmp(load->diags.items[i].code, code) == 0)
            return &load->diags.items[i];
    return NULL;
}

/* The first of that code, which is there. */
static inline const struct diag *diag_of(const struct load *load, const char *code)
{
    const struct diag *diag = find_diag(load, code);

    if (!diag) {
        fail_msg("no '%s'", code);
        abort();
    }
    return diag;
}

static inline void assert_diag(struct load *load, const char *code, unsigned line, unsigned column)
{
    for (size_t i = 0; i < load->diags.count; i++) {
        const struct diag *diag = &load->diags.items[i];

        if (strcmp(diag->code, code) == 0 && diag->mark.line == line && diag->mark.column == column)
            return;
    }
    print_diags(load);
    fail_msg("no '%s' at %u:%u", code, line, column);
}

/* The rule of that id, which is there. */
static inline const struct rule *rule_of(const struct load *load, const char *id)
{
    for (size_t i = 0; i < load->ruleset->count; i++)
        if (text_is(load->ruleset->rules[i]->id, id))
            return load->ruleset->rules[i];
    fail_msg("no rule '%s'", id);
    abort();
}

/* The ids of the rules that EVENT hits, with a blank behind each, in OUT (cleared first). */
static inline const char *hits_of(const struct ruleset *ruleset, const struct event *event,
                                  struct buffer *out)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const struct rule *const *hits;

    assert_int_equal(matcher_new(ruleset, &matcher), 0);
    size_t count = matcher_match(matcher, event, &hits);

    buffer_clear(out);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s ", hits[i]->id.ptr);
    return buffer_string(out);
}

struct question {
    const char *selection;
    const char *answer; /* "yes", "no", or the code of a diagnostic */
};

/* Whether a rule hits EVENT, or what the load of QUESTION's selection said. */
static inline void assert_answer(struct load *load, const struct event *event,
                                 const struct question *question)
{
    CLEANUP(buffer_deinit) struct buffer hits = {0};

    if (load->result < 0) {
        if (!find_diag(load, question->answer)) {
            print_diags(load);
            fail_msg("{%s}: expected '%s'", question->selection, question->answer);
        }
        return;
    }
    const char *answer = *hits_of(load->ruleset, event, &hits) ? "yes" : "no";

    if (strcmp(answer, question->answer) != 0)
        fail_msg("{%s}: %s, expected %s", question->selection, answer, question->answer);
}

/* ask() is the test's own: which event, which rules besides. */
#define ASK_ALL(questions)                                                  \
    for (size_t i_ = 0; i_ < sizeof(questions) / sizeof *(questions); i_++) \
    ask(&(questions)[i_])

#define HAS(object, field) field_set_add(&(object)->has, FIELD_##field)

#endif
