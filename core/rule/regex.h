/* PCRE2, as every pattern of a rule runs: on bytes (what a process was given need not be UTF-8, and
 * a pattern that fails on a stray byte is a way around a rule), compiled to machine code where
 * that is allowed, and with bounds on what one match may cost.
 *
 * A regex is immutable and shared; a scratch is one thread's. */
#ifndef PICKET_RULE_REGEX_H
#define PICKET_RULE_REGEX_H

#include "base/text.h"

struct regex;
struct regex_scratch;

enum regex_flag {
    REGEX_WHOLE_START = 1 << 0, /* must match from the first byte */
    REGEX_WHOLE_END = 1 << 1,   /* ... up to the last */
    REGEX_NOCASE = 1 << 2,      /* ASCII letters */
    REGEX_MULTILINE = 1 << 3,   /* ^ and $ at every line */
    REGEX_DOTALL = 1 << 4,      /* . matches a newline too */
    REGEX_LITERAL = 1 << 5,     /* the pattern is plain text */
};
#define REGEX_WHOLE (REGEX_WHOLE_START | REGEX_WHOLE_END)

/* A pattern with none of these is plain text, or with '|' a choice of such. */
#define REGEX_META "\\^$.[()?*+{"

struct regex_failure {
    size_t offset; /* in the pattern, where the mistake was noticed; at most its length */
    char reason[160];
};

/* FLAGS: of enum regex_flag. Verbs, "(*...)", are refused. -EINVAL with *failure, or -ENOMEM. */
int regex_new(struct text pattern, unsigned flags, struct regex **out,
              struct regex_failure *failure);
void regex_free(struct regex *regex);

int regex_scratch_new(struct regex_scratch **out); /* -ENOMEM */
void regex_scratch_free(struct regex_scratch *scratch);

/* 1, 0, or -E2BIG when a limit was reached. Allocates nothing. */
int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct text subject);

/* Whether STEPS of PCRE2's interpreter are enough to tell if SUBJECT matches: a measure of cost
 * that is the same on every machine. Allocates. */
bool regex_suffices(const struct regex *regex, struct text subject, uint32_t steps);

#endif
