/* What the witness says behind its truth: the program that it was started as. */
#ifndef PICKET_TESTS_EVASION_TESTIMONY_H
#define PICKET_TESTS_EVASION_TESTIMONY_H

#include <stdint.h>

/* Written to TRUTH_FD after struct truth; then the texts in this order. */
struct testimony_lengths {
    uint64_t argc;
    uint64_t filename; /* AT_EXECFN: the copy that the kernel made of execve's path */
    uint64_t argv;     /* each argument with its NUL */
    uint64_t env;      /* each variable with its NUL */
};

#endif
