/* What the engine says about itself, to people. One line a call, on standard error:
 * "picket: warning: ...". Each failure is logged once, by the one who handles it; libraries below
 * the engine return errors instead. Safe from any thread. */
#ifndef PICKET_BASE_LOG_H
#define PICKET_BASE_LOG_H

#include <stdbool.h>

#include "base/text.h"

/* Whether saying something may wait for whoever reads standard error; true at start. A live engine
 * must not: a terminal that is stopped would stop detection with it. Then what cannot be written
 * at once is dropped, and the next line that can is preceded by how many were. */
void log_set_waiting(bool waiting);

/* Whether log_debug() says anything; false at start. */
void log_set_verbose(bool verbose);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whole lines as they are, in one piece if at all. */
void log_lines(struct text lines);

#endif
