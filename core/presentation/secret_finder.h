/* Finds what is secret in the texts of an alert: by classes, by patterns of the user's, and, where
 * arguments are told again, by what was found in the arguments before. One thread's. */
#ifndef PICKET_PRESENTATION_SECRET_FINDER_H
#define PICKET_PRESENTATION_SECRET_FINDER_H

#include "presentation/secret_argument.h"

/* Places of secrets in one text; beyond so many all of it counts as secret. */
#define SECRET_FINDS_MAX 256

struct secret_finds {
    struct secret_span items[SECRET_FINDS_MAX]; /* in order, none overlaps another */
    size_t count;
    bool whole; /* all of the text: too many, or too expensive to tell */
};

/* Secrets kept of one alert; with more, all that tells arguments counts as secret. */
#define SECRET_LITERALS_MAX 64

struct secret_finder;

int secret_finder_new(struct secret_finder **out); /* -ENOMEM */
void secret_finder_free(struct secret_finder *finder);
DEFINE_FREEP(struct secret_finder, secret_finder)

int secret_finder_add_class(struct secret_finder *finder, enum secret_class class); /* -ENOMEM */

/* As secret_pattern_new(), which see; -ENOSPC. */
int secret_finder_add_pattern(struct secret_finder *finder, struct text source,
                              struct secret_pattern_mistake *mistake);

/* The next alert begins: nothing is kept, and time begins to count anew. */
void secret_finder_begin(struct secret_finder *finder);

/* Time begins to count anew; what is kept stays. */
void secret_finder_rest(struct secret_finder *finder);

/* The state of a reader of arguments that finds what the finder is to find. */
struct secret_arguments secret_finder_arguments(const struct secret_finder *finder);

/* What is secret in T. TOLD: it may tell arguments again. ARGUMENTS: it is the next of these; NULL:
 * it is none. Valid until the next call. */
const struct secret_finds *secret_finder_look(struct secret_finder *finder, struct text t,
                                              bool told, struct secret_arguments *arguments);

/* Keeps what was found last, in T, to find it in what tells arguments. -ENOMEM. */
int secret_finder_keep(struct secret_finder *finder, struct text t);

/* Likewise of T, an argument that stands at BEGIN in the text that was looked at last. */
int secret_finder_keep_part(struct secret_finder *finder, struct text t, size_t begin);

#endif
