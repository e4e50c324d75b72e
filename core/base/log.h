/* What the engine says about itself, to people. One line a call, on standard error:
 * "picket: warning: ...". Each failure is logged once, by the one who handles it; libraries below
 * the engine return errors instead. Safe from any thread. */
#ifndef PICKET_BASE_LOG_H
#define PICKET_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are not written. LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
