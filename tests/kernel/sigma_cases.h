/* What Sigma's published rules are shown on: programs under the names and with the arguments that
 * the rules look for. The rules themselves are the corpus's; here are their ids. */
#ifndef PICKET_TESTS_SIGMA_CASES_H
#define PICKET_TESTS_SIGMA_CASES_H

#include <stddef.h>

struct sigma_case {
    const char *rules; /* the ids of all that are to alert, a space between them; NULL: none */
    const char *image; /* what execve is given */
    const char *const *argv;
    const char *file;        /* IMAGE is a link to it; NULL: IMAGE is the file */
    const char *parent;      /* what the parent runs; NULL: the player itself starts it */
    const char *const *line; /* the parent's argv */
    const char *folder;      /* to be in; NULL: the root */
    unsigned uid;
    int login; /* 1: root has logged in (loginuid 0) */
};

extern const struct sigma_case sigma_cases[];
extern const size_t sigma_case_count;

#endif
