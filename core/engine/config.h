/* The configuration file, picket.yaml (docs/configuration.md):
 *
 *     rules: [/usr/share/picket/rules, /etc/picket/rules.d]
 *     watch: true
 *     outputs:
 *       - console
 *       - {plugin: json, name: siem, path: /var/log/picket.jsonl}
 *     user: picket
 *     journal: {path: /var/lib/picket/alerts.db, size: 1GiB, age: 30d}
 *     sensor:
 *       ring: 16MiB
 *       failures: true
 *       environment: [LD_PRELOAD, SSH_CONNECTION]
 *       exclude:
 *         - cgroup: /system.slice/backup.service
 *
 * or, for events of other machines, sensor: {nats: {servers: nats://stream.example, stream: FLEET}}
 */
#ifndef PICKET_ENGINE_CONFIG_H
#define PICKET_ENGINE_CONFIG_H

#include "base/diag.h"
#include "plugin/output_config.h"
#include "rule/rule.h"
#include "sensor/sensor_bpf.h"

/* What the sensor is to leave out: a hole, made on purpose. */
enum config_exclusion_kind { EXCLUDE_CGROUP, EXCLUDE_USER, EXCLUDE_EXE };

struct config_exclusion {
    enum config_exclusion_kind kind;
    struct text value; /* a path below the root of cgroups, a user's name or number, a path */
    struct mark mark;
};

/* Where alerts are kept (journal/journal.h). */
struct config_journal {
    bool wanted, given; /* not false; said at all */
    const char *path;
    int64_t size, age; /* bytes, ns */
    struct mark mark;
};

struct config {
    struct arena arena;
    /* Files and folders; relative ones are made relative to the file's folder. */
    const char **rules;
    size_t rule_count;
    enum severity min_level; /* rules beneath it are disabled */
    bool watch;              /* whether rules are read anew when their files change */
    struct output_config *outputs;
    size_t output_count;
    const char *user; /* whom the engine becomes; NULL: privileges_default() */
    struct mark user_mark;
    struct config_journal journal;
    struct output_config *source; /* of events of other machines; NULL: this machine's */
    int64_t ring;                 /* bytes of ring a CPU; 0: by the machine's memory */
    enum sensor_failures failures;
    const char *const *environment; /* names of the variables that are captured */
    size_t environment_count;
    struct config_exclusion *exclusions;
    size_t exclusion_count;
};

/* What an absent file means. */
void config_init(struct config *config);
void config_deinit(struct config *config);

/* Reads the file at PATH into CONFIG, which is initialised. Mistakes are diagnosed, all in one
 * pass. 0; -EINVAL when DIAGS got an error (a file that cannot be read is one); -ENOMEM. */
int config_read(struct config *config, const char *path, struct diag_list *diags);

#endif
