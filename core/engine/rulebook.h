/* The rules as the detection thread has them at hand: compiled, a matcher over them, and where the
 * alerts of each go. Made aside and exchanged whole (engine/reload.h). */
#ifndef PICKET_ENGINE_RULEBOOK_H
#define PICKET_ENGINE_RULEBOOK_H

#include "alert/correlator.h"
#include "alert/limit.h"
#include "alert/suppression.h"
#include "output/delivery.h"
#include "rule/matcher.h"
#include "rule/rule_digest.h"

/* Whoever has it may read it; the matcher, the queues and the limits are one thread's. */
struct rulebook {
    struct ruleset *rules;
    struct matcher *matcher;
    struct limit_ledger *limits;
    struct rule_digest *digests; /* by index of the rule, as are */
    uint64_t *routes;            /* the outputs of its alerts */
    /* From rulebook_compare() on: for a suppression and a correlator that go over to it (then those
     * of the book before, in this one, and in that one); by the index of the rules of that book who
     * goes on with what they fold, and who hits when they did (for what is counted), or NULL; and
     * how many rules are there anew, no more, or not the same. */
    struct suppression_queues *queues;
    struct correlator_rules *correlations;
    const struct rule **became, **hits_as;
    size_t added, removed, changed;
    bool asks_sha256; /* any of the rules */
};

/* Files and folders, read anew each time. */
struct rule_paths {
    const char *const *paths;
    size_t count;
    bool where_there; /* those that are not there are passed over */
    struct ruleset_options options;
};

/* Loads and compiles. 0; -EINVAL when DIAGS got an error; -ENOMEM. */
int rulebook_load(const struct rule_paths *paths, struct diag_list *diags, struct rulebook **out);
void rulebook_free(struct rulebook *book);
DEFINE_FREEP(struct rulebook, rulebook)

/* Looks up the outputs that the rules name, and the rules that outputs are to respond to, before
 * alerts are made of them. A name that leads nowhere is said, and a rule all of whose names do so
 * alerts every output: an alert always goes somewhere. */
void rulebook_route(struct rulebook *book, struct delivery *delivery);

/* Makes BOOK fit to take the place of BEFORE, and counts what is different. Reads BEFORE's rules
 * alone. 0 or -ENOMEM. */
int rulebook_compare(struct rulebook *book, const struct rulebook *before);

#endif
