/* The output host: the process in which one plugin runs, without privileges.
 *
 * The engine starts it from its own executable as
 *
 *     picket output-host NAME PATH UID GID MEMORY DEADLINE NEEDS APART PARENT
 *
 * (of the output and of the plugin; whom to become; bytes; nanoseconds a callback may take; enum
 * picket_need, or'ed; whether it is in a pid namespace of its parent's; its parent's pid, or 0 not
 * to be confined, for who looks for a plugin's mistakes) with the descriptors below, /dev/null as
 * standard input and output, and a pipe to the engine as standard error. */
#ifndef PICKET_HOST_HOST_H
#define PICKET_HOST_HOST_H

#define OUTPUT_HOST_VERB "output-host"

/* What is said of plugins that fail without a reason, or at their end. */
#define OUTPUT_NO_REASON    "it did not say why"
#define OUTPUT_BROKEN_CLOSE "closing its plugin went wrong"
#define OUTPUT_NO_VERDICT   "its plugin says no more"
#define OUTPUT_BROKEN_FLUSH "its plugin could not flush"

#define OUTPUT_HOST_SOCKET 3 /* of the protocol */
#define OUTPUT_HOST_MODULE 4 /* the plugin's shared object, open for reading */

/* The verb. ARGV[0] is the verb itself. Does not return before the engine ends it; the result is an
 * exit status. */
int output_host_main(int argc, char **argv);

#endif
