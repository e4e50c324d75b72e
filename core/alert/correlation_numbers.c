#include "alert/correlation_numbers.h"

#include <errno.h>
#include <string.h>

#define LEAST_SIZE 4

void correlation_numbers_deinit(struct correlation_numbers *numbers,
                                struct correlation_memory *memory)
{
    correlation_memory_give(memory, numbers->sorted);
    *numbers = (struct correlation_numbers){0};
}

static int grow(struct correlation_numbers *numbers, struct correlation_memory *memory)
{
    uint32_t size = numbers->size ? numbers->size * 2 : LEAST_SIZE;
    double *sorted = correlation_memory_resize(memory, numbers->sorted, size * sizeof *sorted);

    if (!sorted)
        return -ENOMEM;
    numbers->sorted = sorted;
    numbers->size = size;
    return 0;
}

/* How many are less than NUMBER. */
static size_t rank(const struct correlation_numbers *numbers, double number)
{
    size_t low = 0, high = numbers->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (numbers->sorted[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int correlation_numbers_add(struct correlation_numbers *numbers, struct correlation_memory *memory,
                            enum correlation_type type, double number)
{
    if (type == CORRELATION_VALUE_PERCENTILE || type == CORRELATION_VALUE_MEDIAN) {
        if (numbers->count == numbers->size && grow(numbers, memory) < 0)
            return -ENOMEM;
        double *at = numbers->sorted + rank(numbers, number);

        memmove(at + 1, at, (size_t)(numbers->sorted + numbers->count - at) * sizeof *at);
        *at = number;
    }
    numbers->sum += number;
    numbers->count++;
    return 0;
}

void correlation_numbers_remove(struct correlation_numbers *numbers, double number)
{
    numbers->count--;
    /* What rounding left behind goes with the last of them. */
    numbers->sum = numbers->count ? numbers->sum - number : 0;
    if (!numbers->sorted)
        return;
    double *at = numbers->sorted + rank(numbers, number);

    memmove(at, at + 1, (size_t)(numbers->sorted + numbers->count - at) * sizeof *at);
}

static double percentile(const struct correlation_numbers *numbers, double percent)
{
    long double hundredths = (long double)percent * (numbers->count - 1);
    size_t below = (size_t)(hundredths / 100);
    size_t above = below + 1 < numbers->count ? below + 1 : below;
    long double low = numbers->sorted[below], high = numbers->sorted[above];

    /* Divided last, it is what a person would write down. */
    return (double)((low * 100 + (hundredths - (long double)below * 100) * (high - low)) / 100);
}

double correlation_numbers_value(const struct correlation_numbers *numbers,
                                 const struct correlation *correlation)
{
    switch (correlation->type) {
    case CORRELATION_VALUE_AVG:
        return (double)(numbers->sum / numbers->count);
    case CORRELATION_VALUE_PERCENTILE:
        return percentile(numbers, correlation->percentile);
    case CORRELATION_VALUE_MEDIAN:
        return percentile(numbers, 50);
    default:
        return (double)numbers->sum;
    }
}
