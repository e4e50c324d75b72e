/* One run of a program: a text on its standard input, and how it ended. */
#ifndef PICKET_PLUGIN_EXEC_PROGRAM_H
#define PICKET_PLUGIN_EXEC_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

struct program {
    const char *const *arguments; /* the first is its path; a NULL behind the last */
    char *const *environment;
    const char *input; /* need not be read */
    size_t input_len;
    int64_t timeout; /* in ns: then it is killed, with all of its process group */
};

enum program_end {
    PROGRAM_EXITED, /* with .status */
    PROGRAM_KILLED, /* by the signal .status */
    PROGRAM_LATE,   /* its timeout was over */
    PROGRAM_FAILED  /* it did not start: errno is .status */
};

struct program_outcome {
    enum program_end end;
    int status;
};

/* Runs it and waits for its end. Its standard output is the caller's, its standard error as well.
 * For a process of one thread that has no other children, ignores SIGPIPE and blocks SIGCHLD. */
void program_run(const struct program *program, struct program_outcome *outcome);

#endif
