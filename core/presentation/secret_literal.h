/* A secret that is known to the letter, looked for where arguments are told again: in a command
 * line, in a message made for people, in what matched, which may be cut. */
#ifndef PICKET_PRESENTATION_SECRET_LITERAL_H
#define PICKET_PRESENTATION_SECRET_LITERAL_H

#include "presentation/secret_pattern.h"

struct secret_literal {
    struct text text; /* borrowed; not empty */
    bool odd;         /* people are shown it in another way: buffer_put_printable() */
};

struct secret_literal secret_literal_make(struct text t);

/* The first place of the literal in T from FROM on, as it is or as people are shown it: 1 and *OUT;
 * 0; -E2BIG: it would cost too much to tell. A short one is found only where no letter or digit
 * stands beside it. */
int secret_literal_find(const struct secret_literal *literal, struct text t, size_t from,
                        struct secret_span *out);

/* What T, a text that was cut, has at its end of the beginning of the literal. */
bool secret_literal_find_cut(const struct secret_literal *literal, struct text t,
                             struct secret_span *out);

#endif
