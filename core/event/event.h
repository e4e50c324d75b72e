/* What happened, and to which process.
 *
 * Plain data: nothing here owns memory. The texts, the parent and meta are borrowed from whoever
 * made the event (the process table, the replay reader) and live until its next event. */
#ifndef PICKET_EVENT_EVENT_H
#define PICKET_EVENT_EVENT_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "event/flag_names.h"
#include "event/machine.h"

/* FORK never reaches rules: it feeds the process table. */
enum event_type { EVENT_EXEC, EVENT_EXEC_FAILED, EVENT_EXIT, EVENT_FORK };
#define EVENT_TYPES 3 /* those a rule can be on */

/* "exec", "exec_failed", "exit", "fork" */
const char *event_type_name(enum event_type type);
int event_type_parse(struct text name, enum event_type *out); /* -EINVAL */

/* A process, or what one event says of it. Members are as the catalogue says; a member counts only
 * when HAS holds its field. */
struct process {
    struct field_set has;
    int64_t pid, ppid, vpid, pgid, sid, start_time;
    int64_t exe_inode, exe_nlink, exe_size, exe_mtime, exe_ctime, exe_age, exe_uid, exe_gid;
    int64_t argc, cmdline_length, cmdline_omitted, env_length;
    int64_t uid, euid, suid, gid, egid, sgid, loginuid, session;
    int64_t cap_effective, cap_permitted, cap_inheritable, cap_ambient, securebits;
    int64_t ns_cgroup, ns_ipc, ns_mnt, ns_net, ns_pid, ns_user, ns_uts, cgroup_id;
    struct text comm, exe, exe_device, exe_filesystem, exe_mode, exe_owner, exe_sha256;
    struct text filename, filename_absolute, script, interpreter, cmdline, cwd, tty, stdin, stdout,
        stderr;
    struct text user, euser, group, loginuser, cgroup_path, container_id, container_runtime;
    struct text argv, env; /* each text with a NUL behind it */
    bool exe_truncated, exe_setuid, exe_setgid, exe_filecaps, exe_writable, exe_upper, exe_tmpfs;
    bool exe_memfd, exe_deleted;
    bool filename_truncated, cmdline_truncated, env_truncated, cwd_truncated;
    const struct process *parent; /* NULL: unknown */
};

/* Whether filename is all there and relative, and cwd tells to what. */
bool process_has_relative_filename(const struct process *process);

/* Sets a member, which is that of the field ID. */
static inline void process_set_number(struct process *process, enum field_id id, int64_t *member,
                                      int64_t value)
{
    *member = value;
    field_set_add(&process->has, id);
}

static inline void process_set_bool(struct process *process, enum field_id id, bool *member,
                                    bool value)
{
    *member = value;
    field_set_add(&process->has, id);
}

static inline void process_set_text(struct process *process, enum field_id id, struct text *member,
                                    struct text value)
{
    *member = value;
    field_set_add(&process->has, id);
}

struct event {
    enum event_type type;
    struct field_set has;
    struct text type_name, error;
    int64_t time, retval, exit_code, exit_signal, duration;
    bool is_exit;
    const struct machine *host; /* where it happened; NULL: not said, which means here */
    const struct process *process;
    const json_t *meta; /* carried along, matched by nothing; NULL: none */
    /* Names this event among all: the boot, the CPU and the sequence number there; or without a
     * boot (0) the line of a file. For alert ids. */
    uint64_t origin[3];
};

/* The value of a field of the event, its host, its process or (OWNER_ANCESTOR) one ancestor. False
 * when it has none. OWNER_ANY_ANCESTOR has no single value: iterate with event_ancestor(), or with
 * lineage_next(). */
bool event_value(const struct event *event, const struct field_ref *ref, struct value *out);

/* Puts the field as it is asked for: "argv", "parent.exe", "ancestor.comm", "ancestor[2].uid", and
 * of the first item alone "argv[0]". */
void field_ref_put(struct buffer *buffer, const struct field_ref *ref);

/* The GENERATION-th ancestor (0: the process itself), or NULL. */
const struct process *event_ancestor(const struct event *event, unsigned generation);

/* The ancestors by which an event belongs to what came of them, nearest first, at most
 * ANCESTOR_MAX. Process 1 is none of them: it is everybody's. Who has no other is its own origin:
 * it is the one of its lineage. */
struct lineage {
    const struct process *next;
    unsigned left;
};

struct lineage lineage_of(const struct event *event);
const struct process *lineage_next(struct lineage *lineage); /* NULL: that was all */

/* The value of a process field; false when it has none. */
bool process_value(const struct process *process, const struct field *field, struct value *out);

/* Takes the next text off a TEXT_LIST's bytes; false at its end. */
bool text_list_next(struct text *rest, struct text *item);

/* The value as text, as a regex over a number or a message sees it: numbers in decimal, true and
 * false, times as RFC 3339, lists and the names of sets joined by one space. */
void value_put(struct buffer *buffer, const struct value *value);

/* Whether two values of one field are the same. */
bool value_equal(const struct value *a, const struct value *b);

/* Puts the arguments of ARGV joined by one space. */
void cmdline_put(struct buffer *buffer, struct text argv);

/* Puts PATH, which was looked up in CWD when it is relative, without "." and doubled slashes. ".."
 * stays: what it leads to is the file system's to say. */
void path_put(struct buffer *buffer, struct text cwd, struct text path);

/* Puts those variables of ENV whose names are among NAMES, as a TEXT_LIST. */
void environment_choose(struct text env, const char *const *names, size_t count,
                        struct buffer *out);

/* Adds what argv, which is whole, says of fields that PROCESS has not: cmdline, argc and
 * cmdline.length; and filename.absolute. In ARENA. 0 or -ENOMEM. */
int process_derive(struct process *process, struct arena *arena);

#endif
