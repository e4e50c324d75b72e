/* Files of PICKET_CORPUS, for tests that read them. Includers include <cmocka.h> first. */
#ifndef PICKET_TESTS_CORPUS_H
#define PICKET_TESTS_CORPUS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one of that NAME, to be closed. Where there is none the test is skipped: call it before
 * anything is there that has to be freed. In CI it fails. */
static inline FILE *corpus_open(const char *name)
{
    const char *folder = getenv("PICKET_CORPUS");
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder ? folder : PICKET_CORPUS, name);
    FILE *file = fopen(path, "re");

    if (!file && getenv("CI"))
        fail_msg("%s: %s", path, strerror(errno));
    if (!file)
        skip();
    return file;
}

#endif
