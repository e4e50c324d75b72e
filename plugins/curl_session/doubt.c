#include "doubt.h"

#include <stdio.h>
#include <string.h>

/* A receiver that has just taken something has not stopped taking anything. */
#define PROOF_LASTS 10000000000LL

/* What comes and goes may do so between an alert and another, but not often in a row. Of two
 * servers behind one address each second request may go to the one that is broken: so it is failing
 * twice that counts. */
#define STRIKES_MOST 4
#define STRIKE       2

bool doubt_weigh(struct doubt *doubt, const char *id, bool refused, long long now)
{
    if (strncmp(doubt->suspect, id, DOUBT_ID - 1) != 0) {
        snprintf(doubt->suspect, DOUBT_ID, "%s", id);
        doubt->strikes = 0;
        doubt->failures = 0;
        if (!refused)
            doubt->proof = 0;
    }
    doubt->failures++;
    if (doubt->proof == 0 || (refused && now - doubt->proof > PROOF_LASTS)) {
        doubt->proof = 0;
        return false;
    }
    if (refused)
        return true;
    if (++doubt->misses < STRIKE)
        return false;
    doubt->proof = 0;
    return ++doubt->strikes >= STRIKES_MOST;
}

bool doubt_wants_another(const struct doubt *doubt, bool refused)
{
    return refused || (doubt->failures > 1 && doubt->proof == 0);
}

void doubt_prove(struct doubt *doubt, const char *id, long long now)
{
    snprintf(doubt->taken[doubt->next], DOUBT_ID, "%s", id);
    doubt->next = (doubt->next + 1) % DOUBT_TAKEN;
    doubt->proof = now;
    doubt->misses = 0;
}

static size_t find(const struct doubt *doubt, const char *id)
{
    size_t i = *id ? 0 : DOUBT_TAKEN;

    while (i < DOUBT_TAKEN && strcmp(doubt->taken[i], id) != 0)
        i++;
    return i;
}

bool doubt_has(const struct doubt *doubt, const char *id)
{
    return find(doubt, id) < DOUBT_TAKEN;
}

bool doubt_forget(struct doubt *doubt, const char *id)
{
    size_t i = find(doubt, id);

    if (i == DOUBT_TAKEN)
        return false;
    doubt->taken[i][0] = '\0';
    return true;
}
