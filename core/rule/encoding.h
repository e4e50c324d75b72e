/* What the text of a rule is made into before a value is compared with it: `base64`, `windash` and
 * their kin, as Sigma defines them (specification/sigma-appendix-modifiers.md, and pySigma where
 * that is silent). */
#ifndef PICKET_RULE_ENCODING_H
#define PICKET_RULE_ENCODING_H

#include "base/arena.h"

enum encoding {
    ENCODING_UTF16LE,
    ENCODING_UTF16BE,
    ENCODING_UTF16, /* little-endian behind a byte order mark */
    ENCODING_BASE64,
    ENCODING_BASE64_OFFSET, /* as it stands within a longer text, at each of the 3 offsets */
    ENCODING_WINDASH, /* each `-` or `/` at the front of a word also as the other, and as - – — ― */
};

/* How many a key may name, and how many texts may come of one. */
#define ENCODINGS_MAX 4
#define ENCODED_MAX   3125

struct encoded {
    struct text *texts;
    size_t count;
};

/* All that T becomes by the COUNT steps, in order, in ARENA, which T need not outlive: at least one
 * text, but for an empty one under `base64offset`, of which nothing is left.
 * -E2BIG: more than ENCODED_MAX; -EILSEQ: T is not UTF-8, which UTF-16 needs; -ENOMEM. */
int encoding_apply(struct arena *arena, const enum encoding *steps, size_t count, struct text t,
                   struct encoded *out);

#endif
