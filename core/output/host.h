/* The output host: the process in which one plugin runs, without privileges.
 *
 * The engine starts it from its own executable as
 *
 *     picket output-host NAME PATH UID GID MEMORY PARENT
 *
 * (of the output and of the plugin; whom to become; bytes; the engine's pid) with the descriptors
 * below, /dev/null as standard input and output, and a pipe to the engine as standard error. */
#ifndef PICKET_OUTPUT_HOST_H
#define PICKET_OUTPUT_HOST_H

#define OUTPUT_HOST_VERB "output-host"

#define OUTPUT_HOST_SOCKET 3 /* of the protocol */
#define OUTPUT_HOST_MODULE 4 /* the plugin's shared object, open for reading */

/* The verb. ARGV[0] is the verb itself. Does not return before the engine ends it; the result is an
 * exit status. */
int output_host_main(int argc, char **argv);

#endif
