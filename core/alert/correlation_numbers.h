/* The numbers of a group of a value_sum, value_avg, value_percentile or value_median, as they come
 * and go. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_NUMBERS_H
#define PICKET_ALERT_CORRELATION_NUMBERS_H

#include <stdint.h>

#include "alert/correlation_memory.h"
#include "rule/correlation.h"

/* Zero: none. */
struct correlation_numbers {
    long double sum;
    double *sorted; /* for percentiles alone */
    uint32_t count, size;
};

void correlation_numbers_deinit(struct correlation_numbers *numbers,
                                struct correlation_memory *memory);

/* 0 or -ENOMEM. A search and a move of at most CORRELATION_COUNT_MAX numbers. */
int correlation_numbers_add(struct correlation_numbers *numbers, struct correlation_memory *memory,
                            enum correlation_type type, double number);
void correlation_numbers_remove(struct correlation_numbers *numbers, double number);

/* What CORRELATION asks for, of one number at least. A percentile between two numbers is between
 * them in proportion; the median is the 50th. */
double correlation_numbers_value(const struct correlation_numbers *numbers,
                                 const struct correlation *correlation);

#endif
