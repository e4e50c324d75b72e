/* A process that is none of picket's: an orphan, which sleeps until it is killed. */
#ifndef PICKET_TESTS_STRANGER_H
#define PICKET_TESTS_STRANGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

pid_t stranger_start(void);

/* What such a one does. */
_Noreturn void stranger_sleep(void);

/* When PID began, boot time in ns, to the tick; 0: it is not there. */
int64_t stranger_began(pid_t pid);

/* Whether its state, or '-' without a process, is one of STATES; waits until it is. */
bool stranger_is(pid_t pid, const char *states);
void stranger_await(pid_t pid, const char *states);

#endif
