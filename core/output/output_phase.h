/* What moves an output from one phase to the next, for its own sources: output.c does what is due,
 * output_frames.c what its host says. Of the delivery thread, as all of struct output. */
#ifndef PICKET_OUTPUT_OUTPUT_PHASE_H
#define PICKET_OUTPUT_OUTPUT_PHASE_H

#include "output/output.h"

/* While starting: an error where the user named the output. */
void output_diagnose(struct output *output, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* It is in PHASE, which may last so long (ns). */
void output_expect(struct output *output, enum output_phase phase, int64_t within);

/* What others see of it. */
void output_come_to(struct output *output, enum delivery_state state);

/* Its host has to go: it is killed. What its death means is settled when it has been reaped. */
void output_lose(struct output *output, enum output_loss loss, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* It ends for good. */
void output_end(struct output *output);

/* Sends the host what waits to be sent, as far as it takes it now. */
void output_transmit(struct output *output);

/* Watches the host's socket and its standard error as they are to be watched now. */
void output_watch_all(struct output *output);

#endif
