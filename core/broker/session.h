/* What a terminal, a service manager or a person sends to all of a group is the engine's to act on:
 * those that work for it are needed until it has ended. */
#ifndef PICKET_BROKER_SESSION_H
#define PICKET_BROKER_SESSION_H

/* Ignores these signals, for good, and moves the process into a session of its own. */
void session_leave(void);

#endif
