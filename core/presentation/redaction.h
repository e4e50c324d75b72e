/* Masking of secrets in an alert, before any output's plugin sees it.
 *
 * What is to be found is a list of the user's: the classes `passwords` and `tokens`, and PCRE2
 * patterns. Each find is replaced by REDACTION_MARK. What is found in an argument or a variable of
 * a process is masked wherever arguments are told again: in command lines, the alert's message,
 * what matched. A text that is too expensive to search is masked as a whole. Rules and the names of
 * members are not touched. */
#ifndef PICKET_PRESENTATION_REDACTION_H
#define PICKET_PRESENTATION_REDACTION_H

#include "base/cleanup.h"
#include "base/json.h"

#define REDACTION_MARK "[redacted]"

/* Items of the list, and bytes of one. */
#define REDACTION_ITEMS_MAX   32
#define REDACTION_PATTERN_MAX 4096

struct redaction;

struct redaction_mistake {
    size_t item;   /* of the list */
    size_t offset; /* in it */
    char reason[240];
};

/* -EINVAL with *MISTAKE: a word that is no class, a pattern that does not compile or matches an
 * empty text, too many or too long ones. -ENOMEM. */
int redaction_new(const struct text *items, size_t count, struct redaction **out,
                  struct redaction_mistake *mistake);
void redaction_free(struct redaction *redaction);
DEFINE_FREEP(struct redaction, redaction)

/* Masks what is found in the tree of an ALERT, and says so in its member `redacted`, as
 * docs/events.md has it. How many places were masked, or -ENOMEM: the tree is to be shown to nobody
 * then. */
int redaction_apply(struct redaction *redaction, json_t *alert);

#endif
