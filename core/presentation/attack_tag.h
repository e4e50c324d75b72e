/* Tags of rules that name tactics and techniques of MITRE ATT&CK, as Sigma writes them:
 * "attack.defense_evasion" (also with dashes), "attack.t1059", "attack.t1059.004". */
#ifndef PICKET_PRESENTATION_ATTACK_TAG_H
#define PICKET_PRESENTATION_ATTACK_TAG_H

#include "base/text.h"

struct attack_tag {
    const char *tactic;      /* its id, "TA0005"; NULL: the tag is of a technique */
    const char *tactic_name; /* "Defense Evasion" */
    char technique[8];       /* "T1059" */
    char sub_technique[16];  /* "T1059.004", or "" */
};

/* False: TAG names neither, or a tactic that is not known here. */
bool attack_tag_read(struct text tag, struct attack_tag *out);

#endif
