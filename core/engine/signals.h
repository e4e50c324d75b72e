/* SIGINT, SIGTERM and SIGHUP (stop), SIGUSR1 (open the outputs' files again, as logrotate(8) and
 * others ask for) and SIGUSR2 (print the counts), as a descriptor to wait for.
 * Where SIGHUP is ignored at the start (nohup), it stays so.
 *
 * For whom can reload, SIGHUP asks for that when somebody sent it; from a terminal that is gone, by
 * the kernel, it means what it does otherwise.
 *
 * The signals are blocked in the calling thread and those it makes from then on, so nothing is
 * interrupted anywhere and no handler runs. */
#ifndef PICKET_ENGINE_SIGNALS_H
#define PICKET_ENGINE_SIGNALS_H

#include <stdbool.h>

/* Keeps a SIGHUP for signals_open(true): who manages us may ask for a reload while the rules are
 * still being read for the first time. */
void signals_hold_reload(void);

/* A descriptor that becomes readable with a signal; the caller's. Or -errno. Once. Also ignores
 * SIGPIPE and SIGXFSZ: a reader that went away, and a file that may not grow, are errors of that
 * write. */
int signals_open(bool reloads);

/* Gives the signals their usual meaning back in the calling thread: whoever is not willing to wait
 * for a slow end can end it. But what comes within a second belongs to what asked for the end. */
void signals_release(void);

enum signal_wish { SIGNAL_NONE, SIGNAL_STOP, SIGNAL_STATUS, SIGNAL_REOPEN, SIGNAL_RELOAD };

/* What the next pending signal asks for; SIGNAL_NONE when there is none. */
enum signal_wish signals_next(int fd);

#endif
