/* Any bytes into record_decode(). Each text of what it accepts lies in those bytes or in the
 * scratch, whole. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "event/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sums the bytes, so that one outside of its memory is noticed. */
static unsigned text_touch(struct text t)
{
    unsigned sum = 0;

    for (size_t i = 0; i < t.len; i++)
        sum += (unsigned char)t.ptr[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const environment[] = {"LD_PRELOAD", "EMPTY"};
    CLEANUP(record_scratch_deinit)
    struct record_scratch scratch = {.environment = environment, .environment_count = 2};
    struct record record;
    const char *why = NULL;
    int r = record_decode(data, size, &scratch, &record, &why);

    if ((r == 0) != (why == NULL))
        abort(); /* a refusal has a reason */
    for (int id = 0; r == 0 && id < FIELD_COUNT; id++) {
        struct value value;

        if (field_catalogue[id].scope == SCOPE_PROCESS &&
            process_value(&record.process, &field_catalogue[id], &value) &&
            (value.type == TYPE_TEXT || value.type == TYPE_TEXT_LIST))
            __asm__ volatile("" : : "r"(text_touch(value.text))); /* or it is left out */
    }
    return 0;
}
