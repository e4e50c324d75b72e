/* The journal that `picket alerts` reads, found and opened; a mistake of the user's is said. */
#ifndef PICKET_CLI_ALERT_SOURCE_H
#define PICKET_CLI_ALERT_SOURCE_H

#include "cli/journal_reader.h"
#include "engine/config.h"

struct alert_source {
    const char *path; /* of --journal; else that of the configuration, else the usual one */
    struct config config;
    bool off;          /* the configuration says that there is no journal */
    unsigned failures; /* of alert_source_renew(), one after another; to be reset by success */
    struct journal_reader *reader;
};

void alert_source_deinit(struct alert_source *source);

/* PATH may be NULL. 0, or the exit status after saying what is wrong. *OUT is to be released even
 * then. */
int alert_source_open(const char *path, struct alert_source *out);

/* Says that reading failed with R. Returns the exit status. */
int alert_source_fail(const struct alert_source *source, int r);

/* Opens what is at the path now, after reading failed with R (0: the file is another one now). The
 * engine may be making it, or have set a damaged one aside: what is wrong is said when it lasts.
 * *NEXT, the seq to go on with, is then the first of another journal. */
void alert_source_renew(struct alert_source *source, int r, int64_t *next);

#endif
