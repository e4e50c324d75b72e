/* Whether it is an alert's fault that a receiver does not take it: a filter for attacks that finds
 * one in it, a bug that it sets off. Such an alert must not keep the others back for ever; nor must
 * one be lost because a token has expired. So others are tried: an alert is at fault when it is
 * refused again after another was taken. */
#ifndef PICKET_PLUGIN_DOUBT_H
#define PICKET_PLUGIN_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

#define DOUBT_ID    64
#define DOUBT_TAKEN 8

/* Zeroed it is one of nothing. */
struct doubt {
    char suspect[DOUBT_ID];
    unsigned failures;                 /* of it alone */
    unsigned misses;                   /* since another was taken */
    unsigned strikes;                  /* times that it failed after another was taken */
    long long proof;                   /* when another was taken, in ns; 0: never, or used up */
    char taken[DOUBT_TAKEN][DOUBT_ID]; /* ids of those that were taken before their turn */
    size_t next;
};

/* The alert ID failed when it was alone, NOW. REFUSED: for a reason that does not come and go.
 * Whether it is at fault. */
bool doubt_weigh(struct doubt *doubt, const char *id, bool refused, long long now);

/* Whether another is to be tried now: of a failure that comes and goes, not at the first. */
bool doubt_wants_another(const struct doubt *doubt, bool refused);

/* Another was taken before its turn. */
void doubt_prove(struct doubt *doubt, const char *id, long long now);

/* Whether it was; when its turn has come, that is forgotten. */
bool doubt_has(const struct doubt *doubt, const char *id);
bool doubt_forget(struct doubt *doubt, const char *id);

#endif
