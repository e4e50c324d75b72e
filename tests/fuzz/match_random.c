/* match_random PAIRS [SEED]: match_fuzz.c on random bytes until so many pairs of a rule and an
 * event were compared. Stops at a difference, having printed the rules. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "match_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_SIZE 32768

/* xorshift64* */
static uint8_t next_byte(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint8_t)(*state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
}

int main(int argc, char **argv)
{
    static uint8_t input[INPUT_SIZE];
    uint64_t pairs = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    uint64_t state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 2 + 1;

    while (match_fuzz_pairs < pairs) {
        for (size_t i = 0; i < sizeof input; i++)
            input[i] = next_byte(&state);
        LLVMFuzzerTestOneInput(input, sizeof input);
    }
    printf("%" PRIu64 " pairs, %" PRIu64 " hits, %" PRIu64 " sets of rules refused\n",
           match_fuzz_pairs, match_fuzz_hits, match_fuzz_refused);
    return match_fuzz_hits > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
