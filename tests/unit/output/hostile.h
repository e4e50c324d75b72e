/* A server that means no good: a process that says the same to whoever connects, whatever is said
 * to it, and goes on as it likes. Every function asserts. */
#ifndef PICKET_TESTS_HOSTILE_H
#define PICKET_TESTS_HOSTILE_H

#include <sys/types.h>

enum hostility {
    HOSTILE_SILENT,  /* says its greeting, then nothing more */
    HOSTILE_SLOW,    /* then an x each 20 ms */
    HOSTILE_ENDLESS, /* then x for ever */
    HOSTILE_ABRUPT   /* says it when it was said something, then resets the connection */
};

struct hostile {
    pid_t pid; /* 0: stopped */
    int port;
};

void hostile_start(struct hostile *hostile, enum hostility hostility, const char *greeting);
void hostile_stop(struct hostile *hostile);

#endif
