/* The detection thread goes before others when it wakes: what it has to do is short, and an alert
 * waits for it. So does the delivery thread, which it starts: what is not journalled in time is
 * lost. Threads that have more time make themselves nicer again. */
#ifndef PICKET_ENGINE_PRIORITY_H
#define PICKET_ENGINE_PRIORITY_H

/* As nice(1) has it: on a CPU that is wanted by another process, 9 parts of 10 are ours when we
 * want them all. Not real-time: a thread that ran wild would otherwise take the machine. */
#define PRIORITY_NICE (-10)

/* How long it wants to run at a time, ns: the least the scheduler grants. A short slice makes a
 * thread that wakes go first, from Linux 6.12. */
#define PRIORITY_SLICE 100000

/* Needs root, or CAP_SYS_NICE. Somebody who gave the engine another priority than the usual one
 * is left his choice. 0 or -errno. */
int priority_raise(void);

#endif
