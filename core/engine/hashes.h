/* exe.sha256 for the events of a running engine: the thread that reads executables (exe_hash.h),
 * fed by a process that may open them (exe_opener.h). */
#ifndef PICKET_ENGINE_HASHES_H
#define PICKET_ENGINE_HASHES_H

#include "broker/exe_opener.h"
#include "engine/privileges.h"
#include "process/exe_hash.h"

/* Call it while there still are privileges; exe_hash_start() once they are given up. *OPENER is
 * *OUT's and goes with it: to be asked whether it is gone. -errno after saying why. */
int hashes_new(const struct privileges *privileges, struct exe_opener **opener,
               struct exe_hash **out);

#endif
