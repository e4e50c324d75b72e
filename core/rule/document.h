/* The first life of a load: what a file's documents hold, filed for the second. */
#ifndef PICKET_RULE_DOCUMENT_H
#define PICKET_RULE_DOCUMENT_H

#include "rule/compiler.h"

/* Reads a file's CONTENT. Mistakes are diagnosed. */
void document_read_all(struct compiler *compiler, const char *file, struct text content);

#endif
