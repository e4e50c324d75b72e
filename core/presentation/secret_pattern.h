/* A PCRE2 pattern that finds what is to be masked in a text, at a bounded cost.
 *
 * Patterns work on bytes, as those of rules do; what of a pattern is to stay is left out of the
 * match with a lookaround or \K. A pattern is immutable; a search is one thread's. */
#ifndef PICKET_PRESENTATION_SECRET_PATTERN_H
#define PICKET_PRESENTATION_SECRET_PATTERN_H

#include "base/cleanup.h"
#include "base/text.h"

/* Longer texts are not searched: they count as too expensive. */
#define SECRET_TEXT_MAX ((size_t)256 << 10)

/* CPU time, in ns, that the searches since secret_search_begin() may take; a little more when one
 * pattern alone takes long. */
#define SECRET_TIME_MAX 10000000LL

struct secret_pattern;
struct secret_search;

struct secret_span {
    size_t begin, end;
};

struct secret_pattern_mistake {
    size_t offset;
    char reason[160];
};

/* -EINVAL with *MISTAKE, also for a pattern that matches the empty text; -ENOMEM. */
int secret_pattern_new(struct text source, struct secret_pattern **out,
                       struct secret_pattern_mistake *mistake);
void secret_pattern_free(struct secret_pattern *pattern);
DEFINE_FREEP(struct secret_pattern, secret_pattern)

int secret_search_new(struct secret_search **out); /* -ENOMEM */
void secret_search_free(struct secret_search *search);
DEFINE_FREEP(struct secret_search, secret_search)

/* Time begins to count anew. */
void secret_search_begin(struct secret_search *search);

/* Whether there is time left; WORK, bytes of a text that are about to be looked at, is counted. */
bool secret_search_afford(struct secret_search *search, size_t work);

/* The first match at FROM or behind it: 1 and *OUT, never empty; 0; -E2BIG: it would cost too much
 * to tell. Allocates nothing. */
int secret_search_find(struct secret_search *search, const struct secret_pattern *pattern,
                       struct text subject, size_t from, struct secret_span *out);

#endif
