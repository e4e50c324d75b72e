/* Why a rule fired: of what its author wrote, the values that hold and made it so, with what each
 * of them saw. What stands under a `not` or an `unless` is no evidence. */
#ifndef PICKET_RULE_EVIDENCE_H
#define PICKET_RULE_EVIDENCE_H

#include "base/json.h"
#include "rule/matcher.h"
#include "rule/outline.h"

/* Bounds, so that neither a long rule nor a hostile event makes an alert too long to be delivered:
 * items; bytes of a value, a pattern and a place; bytes of all as JSON. */
#define EVIDENCE_MAX      32
#define EVIDENCE_LOOK_MAX 4096 /* parts of a rule that are looked at: a list may be far longer */
#define EVIDENCE_TEXT_MAX ((size_t)512)
#define EVIDENCE_JSON_MAX ((size_t)64 << 10)

struct evidence_item {
    const struct outline *part;        /* a VALUE */
    const struct predicate *predicate; /* NULL: it is so, or not, of every event */
    bool has_value;                    /* the event has the field */
    unsigned generation;               /* of an ancestor: which one has it */
    struct value value;                /* of a list or a set, the one text that fits */
};

/* Borrows the event's texts. */
struct evidence {
    struct evidence_item items[EVIDENCE_MAX];
    size_t count;
    bool truncated; /* there is more */
};

/* Right after matcher_match(), or after matcher_begin(), of EVENT; RULE holds for it. Allocates
 * nothing. */
void evidence_collect(struct matcher *matcher, const struct event *event, const struct rule *rule,
                      struct evidence *out);

/* What PART, a VALUE, sees in EVENT, and whether it holds: the value that makes it hold when there
 * is one, else the first there is. Likewise after a match of EVENT. */
bool evidence_see(struct matcher *matcher, const struct event *event, const struct outline *part,
                  struct evidence_item *out);

/* The field as it was found: "cmdline", "parent.exe", "ancestor[3].comm". There is a predicate. */
void evidence_put_field(const struct evidence_item *item, struct buffer *out);

/* The value as text, at most EVIDENCE_TEXT_MAX bytes of it (then "..." follows): any bytes. */
void evidence_put_value(const struct evidence_item *item, struct buffer *out);

/* Two members of an object, as JSON without its braces: "matched", and "matched_truncated" when
 * something was left out. SCRATCH is cleared and used. */
void evidence_put_json(struct buffer *out, const struct evidence *evidence, struct buffer *scratch);

#endif
