/* The source host: the process in which one source runs, without privileges. The engine starts it
 * as it does output hosts (host/host.h), by another verb. */
#ifndef PICKET_STREAM_SOURCE_HOST_H
#define PICKET_STREAM_SOURCE_HOST_H

#define SOURCE_HOST_VERB "source-host"

/* The verb. ARGV[0] is the verb itself. Does not return before the engine ends it; the result is an
 * exit status. */
int source_host_main(int argc, char **argv);

#endif
