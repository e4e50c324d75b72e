/* The field catalogue: the one vocabulary of rules, alerts, messages, replay files and docs.
 *
 * A field belongs to the event itself (`time`, `retval`) or to a process (`exe`, `uid`); a process
 * field is asked of the event's own process, of its parent (`parent.exe`), of any of its
 * ancestors (`ancestor.exe`) or of one of them (`ancestor[2].exe`; `ancestor[1]` is the parent).
 * `parent` alone is short for `parent.comm`, `ancestor` for `ancestor.comm`. */
#ifndef PICKET_EVENT_FIELD_H
#define PICKET_EVENT_FIELD_H

#include "base/text.h"

enum field_type {
    TYPE_TEXT,
    TYPE_TEXT_LIST, /* argv; a predicate on it holds when it does for one of the texts */
    TYPE_NUMBER,
    TYPE_BOOL,
    TYPE_TIME,     /* ns since 1970; JSON and text: RFC 3339 */
    TYPE_DURATION, /* ns */
};

enum field_scope { SCOPE_EVENT, SCOPE_PROCESS };

/* id, name, type, scope, member of struct event or struct process, group, help, source.
 * JSON keys are the names: those of a group (`exit`, `cgroup`: its length is given) stand in an
 * object of the group's name, the others keep their dots (`exe.inode` stands beside `exe`, which is
 * a text and can hold nothing). Fields of one group follow each other. */
/* clang-format off */
#define FIELD_CATALOGUE(FIELD)                                                                                          \
    FIELD(TYPE,              "type",              TEXT,      EVENT,   type_name,         0, "what happened: exec, exec_failed or exit", "the hook") \
    FIELD(TIME,              "time",              TIME,      EVENT,   time,              0, "when it happened", "boot-time clock at the hook, made real time by the engine") \
    FIELD(RETVAL,            "retval",            NUMBER,    EVENT,   retval,            0, "exec: 0; exec_failed: the negative errno; exit: the exit code", "sys_exit; task_struct.exit_code") \
    FIELD(ERROR,             "error",             TEXT,      EVENT,   error,             0, "exec_failed: the errno's name, as in ENOENT", "retval") \
    FIELD(IS_EXIT,           "is_exit",           BOOL,      EVENT,   is_exit,           0, "true for exit events", "the hook") \
    FIELD(EXIT_CODE,         "exit.code",         NUMBER,    EVENT,   exit_code,         4, "exit: what the process returned, 0 to 255", "task_struct.exit_code") \
    FIELD(EXIT_SIGNAL,       "exit.signal",       NUMBER,    EVENT,   exit_signal,       4, "exit: the signal that killed it; absent when none did", "task_struct.exit_code") \
    FIELD(DURATION,          "duration",          DURATION,  EVENT,   duration,          0, "exit: how long the process lived, in nanoseconds", "boot-time clock less start_boottime") \
    FIELD(PID,               "pid",               NUMBER,    PROCESS, pid,               0, "process id, as the initial pid namespace counts", "task_struct.tgid") \
    FIELD(PPID,              "ppid",              NUMBER,    PROCESS, ppid,              0, "process id of the parent at the time of the event", "task_struct.real_parent") \
    FIELD(START_TIME,        "start_time",        TIME,      PROCESS, start_time,        0, "when the process began; with pid it names a process for good", "task_struct.start_boottime") \
    FIELD(COMM,              "comm",              TEXT,      PROCESS, comm,              0, "the kernel's short name, at most 15 bytes; a process may change it", "task_struct.comm") \
    FIELD(EXE,               "exe",               TEXT,      PROCESS, exe,               0, "absolute path of the executable file, as the kernel knows it", "mm_struct.exe_file") \
    FIELD(EXE_TRUNCATED,     "exe.truncated",     BOOL,      PROCESS, exe_truncated,     0, "true when exe was cut in capture", "capture") \
    FIELD(EXE_DEVICE,        "exe.device",        TEXT,      PROCESS, exe_device,        0, "device of the executable, as in 254:0", "super_block.s_dev") \
    FIELD(EXE_INODE,         "exe.inode",         NUMBER,    PROCESS, exe_inode,         0, "inode of the executable", "inode.i_ino") \
    FIELD(EXE_MODE,          "exe.mode",          TEXT,      PROCESS, exe_mode,          0, "permission bits of the executable in octal, as in 0755 or 4755", "inode.i_mode") \
    FIELD(EXE_NLINK,         "exe.nlink",         NUMBER,    PROCESS, exe_nlink,         0, "hard links to the executable; 0 once deleted", "inode.i_nlink") \
    FIELD(EXE_SETUID,        "exe.setuid",        BOOL,      PROCESS, exe_setuid,        0, "true when the executable's setuid bit is set", "inode.i_mode") \
    FIELD(EXE_SETGID,        "exe.setgid",        BOOL,      PROCESS, exe_setgid,        0, "true when the executable's setgid bit is set", "inode.i_mode") \
    FIELD(EXE_MEMFD,         "exe.memfd",         BOOL,      PROCESS, exe_memfd,         0, "true when the executable lives in memory only (memfd_create)", "dentry and inode") \
    FIELD(EXE_DELETED,       "exe.deleted",       BOOL,      PROCESS, exe_deleted,       0, "true when the executable had no name left at exec", "inode.i_nlink") \
    FIELD(FILENAME,          "filename",          TEXT,      PROCESS, filename,          0, "the path that execve was given, as it was given", "linux_binprm.filename") \
    FIELD(FILENAME_TRUNCATED, "filename.truncated", BOOL,    PROCESS, filename_truncated, 0, "true when filename was cut in capture or could not be read", "capture") \
    FIELD(INTERPRETER,       "interpreter",       TEXT,      PROCESS, interpreter,       0, "the interpreter named by a script's #! line; absent when no script", "linux_binprm.interp") \
    FIELD(ARGV,              "argv",              TEXT_LIST, PROCESS, argv,              0, "the arguments, argv[0] included", "mm_struct.arg_start") \
    FIELD(ARGC,              "argc",              NUMBER,    PROCESS, argc,              0, "how many arguments there were, cut ones included", "linux_binprm.argc") \
    FIELD(CMDLINE,           "cmdline",           TEXT,      PROCESS, cmdline,           0, "the arguments joined by one space", "argv") \
    FIELD(CMDLINE_LENGTH,    "cmdline.length",    NUMBER,    PROCESS, cmdline_length,    0, "length of the whole command line in bytes, cut or not", "mm_struct.arg_end") \
    FIELD(CMDLINE_TRUNCATED, "cmdline.truncated", BOOL,      PROCESS, cmdline_truncated, 0, "true when argv and cmdline were cut in capture or could not be read", "capture") \
    FIELD(CWD,               "cwd",               TEXT,      PROCESS, cwd,               0, "working directory", "fs_struct.pwd") \
    FIELD(CWD_TRUNCATED,     "cwd.truncated",     BOOL,      PROCESS, cwd_truncated,     0, "true when cwd was cut in capture or could not be read", "capture") \
    FIELD(UID,               "uid",               NUMBER,    PROCESS, uid,               0, "real user id", "cred.uid") \
    FIELD(USER,              "user",              TEXT,      PROCESS, user,              0, "name of uid in /etc/passwd; absent when it has none", "engine") \
    FIELD(EUID,              "euid",              NUMBER,    PROCESS, euid,              0, "effective user id", "cred.euid") \
    FIELD(GID,               "gid",               NUMBER,    PROCESS, gid,               0, "real group id", "cred.gid") \
    FIELD(EGID,              "egid",              NUMBER,    PROCESS, egid,              0, "effective group id", "cred.egid") \
    FIELD(LOGINUID,          "loginuid",          NUMBER,    PROCESS, loginuid,          0, "user id of the login, kept through su and sudo; 4294967295: none", "task_struct.loginuid") \
    FIELD(SESSION,           "session",           NUMBER,    PROCESS, session,           0, "audit session of the login; 4294967295: none", "task_struct.sessionid") \
    FIELD(TTY,               "tty",               TEXT,      PROCESS, tty,               0, "controlling terminal, as in pts/0; absent when none", "signal_struct.tty") \
    FIELD(CGROUP_ID,         "cgroup.id",         NUMBER,    PROCESS, cgroup_id,         6, "id of the cgroup (v2)", "bpf_get_current_cgroup_id")
/* clang-format on */

enum field_id {
#define FIELD(id, ...) FIELD_##id,
    FIELD_CATALOGUE(FIELD)
#undef FIELD
        FIELD_COUNT
};

struct field {
    enum field_id id;
    const char *name;
    enum field_type type;
    enum field_scope scope;
    size_t offset; /* into struct event or struct process */
    size_t group;  /* bytes of the name that are its group in JSON; 0: none */
    const char *help;
    const char *source;
};

extern const struct field field_catalogue[FIELD_COUNT];

const char *field_type_name(enum field_type type);

/* Which fields something has. */
struct field_set {
    uint64_t bits[(FIELD_COUNT + 63) / 64];
};

static inline bool field_set_has(const struct field_set *set, enum field_id id)
{
    return set->bits[id / 64] >> (id % 64) & 1;
}

static inline void field_set_add(struct field_set *set, enum field_id id)
{
    set->bits[id / 64] |= UINT64_C(1) << (id % 64);
}

static inline void field_set_remove(struct field_set *set, enum field_id id)
{
    set->bits[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

/* A field and whose it is. */
enum field_owner { OWNER_SELF, OWNER_ANCESTOR, OWNER_ANY_ANCESTOR };

struct field_ref {
    const struct field *field;
    enum field_owner owner;
    unsigned generation; /* OWNER_ANCESTOR: 1 = parent, 2 = its parent, ...  */
};

/* The furthest ancestor that an event has for rules, messages and JSON. */
#define ANCESTOR_MAX 64

/* Resolves a name as a user writes it. -ENOENT: no such field; -EINVAL: not the form of a name;
 * -EDOM: a field of events asked of an ancestor; -ERANGE: ancestor[N] with N not 1..ANCESTOR_MAX.
 */
int field_ref_parse(struct text name, struct field_ref *out);

/* The catalogue name nearest to NAME, with its "parent." or "ancestor." front; NULL when none is
 * near. WORKSPACE holds the result when it has a front. */
const char *field_suggest(struct text name, char workspace[static 64]);

/* The field of that bare name (no parent., no ancestor.), or NULL. */
const struct field *field_find(struct text name);

/* A value as a rule or a message sees it. */
struct value {
    enum field_type type;
    union {
        struct text text; /* TEXT; TEXT_LIST: the texts, each with a NUL behind it */
        int64_t number;   /* NUMBER, TIME, DURATION */
        bool boolean;
    };
};

#endif
