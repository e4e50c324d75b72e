#include "rule/regex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Some ten milliseconds at the worst; a sane pattern needs a few thousand. */
#define MATCH_LIMIT 1000000
#define HEAP_LIMIT  8192 /* KiB, where no machine code is allowed */

#define STACK_START 32768
#define STACK_MAX   1048576

struct regex {
    pcre2_code *code;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static uint32_t options_of(unsigned flags)
{
    static const struct {
        enum regex_flag flag;
        uint32_t option;
    } map[] = {
        {REGEX_WHOLE_START, PCRE2_ANCHORED}, {REGEX_WHOLE_END, PCRE2_ENDANCHORED},
        {REGEX_NOCASE, PCRE2_CASELESS},      {REGEX_MULTILINE, PCRE2_MULTILINE},
        {REGEX_DOTALL, PCRE2_DOTALL},        {REGEX_LITERAL, PCRE2_LITERAL},
    };
    uint32_t options = 0;

    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (flags & map[i].flag)
            options |= map[i].option;
    if (flags & REGEX_LITERAL)
        return options;
    /* Patterns are of bytes: see the header. */
    return options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
}

/* PCRE2's verbs, "(*ACCEPT)" and the like, tell the matcher how to go about it, and so break what
 * is promised of every pattern: that all of a value must match, on bytes, within bounds. Read on
 * the safe side: "(*" in a class or between \Q and \E counts as well. */
static bool find_verb(struct text pattern, size_t *offset)
{
    for (size_t at = 0; at + 1 < pattern.len; at++) {
        if (pattern.ptr[at] == '(' && pattern.ptr[at + 1] == '*') {
            *offset = at;
            return true;
        }
        /* What is behind \ is no beginning of a verb, nor what makes one character with \c. */
        if (pattern.ptr[at] == '\\')
            at += pattern.ptr[at + 1] == 'c' ? 2 : 1;
    }
    return false;
}

int regex_new(struct text pattern, unsigned flags, struct regex **out,
              struct regex_failure *failure)
{
    PCRE2_SIZE offset = 0;
    int error = 0;

    if (!(flags & REGEX_LITERAL) && find_verb(pattern, &failure->offset)) {
        snprintf(failure->reason, sizeof failure->reason,
                 "'(*' begins a verb, which patterns cannot have; a parenthesis is written '\\('");
        return -EINVAL;
    }
    struct regex *regex = malloc(sizeof *regex);

    if (!regex)
        return -ENOMEM;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options_of(flags), &error,
                                &offset, NULL);
    if (!regex->code) {
        free(regex);
        if (error == PCRE2_ERROR_HEAP_FAILED)
            return -ENOMEM;
        failure->offset = offset < pattern.len ? offset : pattern.len;
        pcre2_get_error_message(error, (PCRE2_UCHAR *)failure->reason, sizeof failure->reason);
        return -EINVAL;
    }
    /* Without machine code (forbidden by the system, or a construct it lacks) the interpreter does
     * the same, more slowly. */
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    *out = regex;
    return 0;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

int regex_scratch_new(struct regex_scratch **out)
{
    struct regex_scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch)
        return -ENOMEM;
    /* Only whether a pattern matches is asked: one pair, for all of the match, is enough. */
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
    if (!scratch->data || !scratch->context || !scratch->stack) {
        regex_scratch_free(scratch);
        return -ENOMEM;
    }
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_LIMIT);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    *out = scratch;
    return 0;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct text subject)
{
    const char *bytes = subject.ptr ? subject.ptr : "";
    int r = pcre2_match(regex->code, (PCRE2_SPTR)bytes, subject.len, 0, 0, scratch->data,
                        scratch->context);

    if (r >= 0)
        return 1;
    return r == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}

bool regex_suffices(const struct regex *regex, struct text subject, uint32_t steps)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int r = PCRE2_ERROR_NOMEMORY;

    if (data && context) {
        pcre2_set_match_limit(context, steps);
        pcre2_set_heap_limit(context, HEAP_LIMIT);
        r = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, 0, PCRE2_NO_JIT, data,
                        context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return r >= 0 || r == PCRE2_ERROR_NOMATCH;
}
