/* What match_fuzz.c has done so far. */
#ifndef PICKET_TESTS_MATCH_FUZZ_H
#define PICKET_TESTS_MATCH_FUZZ_H

#include <stdint.h>

/* A rule and an event that were compared; rules that held; sets of rules that were refused. */
extern uint64_t match_fuzz_pairs, match_fuzz_hits, match_fuzz_refused;

#endif
