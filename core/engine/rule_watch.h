/* Notices that rules on disk may be others by now.
 *
 * Every folder on the way to a rule file is watched, those that symbolic links lead through
 * included: so files may be written, replaced, renamed, come and go, and a link anywhere on the way
 * may come to lead elsewhere, as a ConfigMap's does. What else happens in these folders is told
 * from that by the files' inodes, sizes and times. One thread at a time. */
#ifndef PICKET_ENGINE_RULE_WATCH_H
#define PICKET_ENGINE_RULE_WATCH_H

#include "engine/rulebook.h"

struct rule_watch;

/* PATHS is borrowed. 0 or -ENOMEM. */
int rule_watch_new(const struct rule_paths *paths, struct rule_watch **out);
void rule_watch_free(struct rule_watch *watch);
DEFINE_FREEP(struct rule_watch, rule_watch)

/* Looks at all files, and watches what there is now. *CHANGED: they are not as they were at the
 * last look (the first finds them changed). Whoever reads the rules after that is told of all that
 * happens to them later. 0; -errno: something is not watched, of which rule_watch_failure() says
 * the path. */
int rule_watch_look(struct rule_watch *watch, bool *changed);
const char *rule_watch_failure(const struct rule_watch *watch);

/* Readable when something happened in the folders: look again, once it is quiet. Another one after
 * each look. -1: none yet. */
int rule_watch_fd(const struct rule_watch *watch);

/* Forgets what happened so far. */
void rule_watch_clear(struct rule_watch *watch);

#endif
