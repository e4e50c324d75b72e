/* Which files a path stands for, and what is in them. */
#ifndef PICKET_RULE_RULE_FILES_H
#define PICKET_RULE_RULE_FILES_H

#include "rule/compiler.h"

/* Reads a file, or all *.yaml and *.yml of a folder and the folders in it, in bytewise order of
 * their paths. What cannot be read is diagnosed. */
void rule_files_read(struct compiler *compiler, const char *path);

#endif
