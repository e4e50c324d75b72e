/* What Sigma calls things, and what that is here: the one table of field names and log sources.
 *
 * Names are those of Sigma's taxonomy (specification/sigma-appendix-taxonomy.md: process_creation
 * is Sysmon's event 1) and auditd's; a name of our own catalogue stands for itself. */
#ifndef PICKET_RULE_SIGMA_FIELD_H
#define PICKET_RULE_SIGMA_FIELD_H

#include "base/yaml.h"
#include "event/field.h"

/* Where the events are from that a rule was written for. */
enum sigma_source {
    SIGMA_PROCESS, /* process_creation of Linux, or nothing that speaks against it */
    SIGMA_AUDITD,  /* auditd: an exec is what its records EXECVE and SYSCALL tell of */
    SIGMA_OTHER,   /* anything else */
};

struct sigma_logsource {
    enum sigma_source source;
    const char *key; /* OTHER: what speaks against it: product, category or service ... */
    struct text value;
    bool vague; /* neither category nor service is given */
};

/* What NODE, a map, says. */
void sigma_logsource_read(const struct yaml_node *node, struct sigma_logsource *out);

/* The kernel's path of a program, and the one that execve was given: as it was given, and where it
 * is relative made absolute. */
#define SIGMA_TRUTHS_MAX 3

struct sigma_field {
    /* The first is what nobody can choose; each may make a match hold, and the first alone an
     * exclusion. */
    struct field_ref refs[SIGMA_TRUTHS_MAX];
    size_t ref_count; /* 0: it is no field of the catalogue, and always has one of ... */
    const char *const *constants;
    size_t constant_count;
};

/* False: Linux process events have no such field. */
bool sigma_field_find(enum sigma_source source, struct text name, struct sigma_field *out);

/* The name nearest to NAME; NULL when none is near. */
const char *sigma_field_suggest(struct text name);

/* The field at INDEX of those that keywords are looked for in; false behind the last one. */
bool sigma_field_of_keywords(size_t index, struct sigma_field *out);

#endif
