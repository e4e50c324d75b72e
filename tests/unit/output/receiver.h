/* A real server that tests of outputs start and stop: a program in Python, http_server.py or
 * smtp_server.py, which keeps what it gets in the rig's folder. Every function asserts. */
#ifndef PICKET_TESTS_RECEIVER_H
#define PICKET_TESTS_RECEIVER_H

#include <jansson.h>

#include "rig.h"

struct receiver {
    struct rig *rig;
    const char *script;
    pid_t pid; /* 0: stopped */
    int port;  /* the same in each life */
};

/* Whether SCRIPT can run here; when it cannot and CI is set, the test fails. */
bool receiver_is_possible(const char *script);

/* Starts it with ARGUMENTS, to a NULL, as zeroed or stopped before; returns when it listens. In an
 * argument '@' stands for the rig's folder. */
void receiver_start(struct receiver *receiver, const char *const *arguments);
void receiver_stop(struct receiver *receiver);

/* What it wrote into the rig's file NAME, a JSON object a line, as an array; the caller's. */
json_t *receiver_read(struct rig *rig, const char *name);

/* The string NAME of what it got, and of the headers of that; NULL: none. */
const char *receiver_member(const json_t *got, const char *name);
const char *receiver_header(const json_t *got, const char *name);

/* NAME in the rig's folder, a new certificate of 127.0.0.1, and its key behind it; NAME.key, the
 * key alone. It vouches for itself. */
void receiver_make_certificate(struct rig *rig, const char *name);

#endif
