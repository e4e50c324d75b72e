/* The field catalogue: the one vocabulary of rules, alerts, messages, replay files and docs.
 *
 * A field belongs to the event itself (`time`, `retval`), to the machine it happened on
 * (`host.name`) or to a process (`exe`, `uid`); a process
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
    TYPE_FLAGS,    /* a set of names; a predicate on it holds when it does for one of them */
};

/* HOST: of the machine where the event happened. */
enum field_scope { SCOPE_EVENT, SCOPE_HOST, SCOPE_PROCESS };

/* id, name, type, scope, member of struct event, struct machine or struct process, group, unit,
 * help, source, cost (time in our programs in the kernel for an exec, as measured on one machine;
 * "": nothing to measure), kernels that have it ("": all from 5.10). JSON keys are the names: those
 * of a group (`exit`, `cgroup`: its length is given) stand in an object of the group's name, the
 * others keep their dots (`exe.inode` stands beside `exe`, which is a text and can hold nothing).
 * Fields of one group follow each other. */
/* clang-format off */
#define FIELD_CATALOGUE(FIELD) \
    FIELD(TYPE, "type", TEXT, EVENT, type_name, 0, "", "what happened: exec, exec_failed or exit", "the hook", "", "") \
    FIELD(TIME, "time", TIME, EVENT, time, 0, "", "when it happened", "boot-time clock at the hook, made real time by the engine", "", "") \
    FIELD(RETVAL, "retval", NUMBER, EVENT, retval, 0, "", "exec: 0; exec_failed: the negative errno; exit: the exit code", "sys_exit; task_struct.exit_code", "", "") \
    FIELD(ERROR, "error", TEXT, EVENT, error, 0, "", "exec_failed: the errno's name, as in ENOENT", "retval", "", "") \
    FIELD(IS_EXIT, "is_exit", BOOL, EVENT, is_exit, 0, "", "true for exit events", "the hook", "", "") \
    FIELD(EXIT_CODE, "exit.code", NUMBER, EVENT, exit_code, 4, "", "exit: what the process returned, 0 to 255", "task_struct.exit_code", "", "") \
    FIELD(EXIT_SIGNAL, "exit.signal", NUMBER, EVENT, exit_signal, 4, "", "exit: the signal that killed it; absent when none did", "task_struct.exit_code", "", "") \
    FIELD(DURATION, "duration", DURATION, EVENT, duration, 0, "ns", "exit: how long the process lived", "boot-time clock less start_boottime", "", "") \
    FIELD(HOST_NAME, "host.name", TEXT, HOST, name, 4, "", "name of the machine where it happened", "uname", "0: asked once", "") \
    FIELD(HOST_ID, "host.id", TEXT, HOST, id, 4, "", "what names that machine for good; absent when it has none", "/etc/machine-id", "0: asked once", "") \
    FIELD(HOST_KERNEL, "host.kernel", TEXT, HOST, kernel, 4, "", "release of its kernel, as in 6.1.0-31-amd64", "uname", "0: asked once", "") \
    FIELD(HOST_ARCH, "host.arch", TEXT, HOST, arch, 4, "", "its architecture, as in x86_64 or aarch64", "uname", "0: asked once", "") \
    FIELD(HOST_OS, "host.os", TEXT, HOST, os, 4, "", "its distribution, as in debian or rhel; absent when it has no os-release", "ID in /etc/os-release", "0: asked once", "") \
    FIELD(HOST_OS_VERSION, "host.os.version", TEXT, HOST, os_version, 4, "", "version of that, as in 12 or 9.4; absent when it has none", "VERSION_ID in /etc/os-release", "0: asked once", "") \
    FIELD(PID, "pid", NUMBER, PROCESS, pid, 0, "", "process id, as the initial pid namespace counts", "task_struct.tgid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(PPID, "ppid", NUMBER, PROCESS, ppid, 0, "", "process id of the parent at the time of the event", "task_struct.real_parent", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(VPID, "vpid", NUMBER, PROCESS, vpid, 0, "", "process id as its own pid namespace counts", "upid.nr", "40-100 ns for all namespaces and vpid", "") \
    FIELD(PGID, "pgid", NUMBER, PROCESS, pgid, 0, "", "process id of the leader of its process group", "signal_struct.pids", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(SID, "sid", NUMBER, PROCESS, sid, 0, "", "process id of the leader of its session", "signal_struct.pids", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(START_TIME, "start_time", TIME, PROCESS, start_time, 0, "", "when the process began; with pid it names a process for good", "task_struct.start_boottime", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(COMM, "comm", TEXT, PROCESS, comm, 0, "", "the kernel's short name, at most 15 bytes; a process may change it", "task_struct.comm", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(EXE, "exe", TEXT, PROCESS, exe, 0, "", "absolute path of the executable file, as the kernel knows it", "mm_struct.exe_file", "160-290 ns for /usr/bin/true", "") \
    FIELD(EXE_TRUNCATED, "exe.truncated", BOOL, PROCESS, exe_truncated, 0, "", "true when exe was cut in capture", "capture", "0: made by the engine", "") \
    FIELD(EXE_DEVICE, "exe.device", TEXT, PROCESS, exe_device, 0, "", "device of the executable, as in 254:0", "super_block.s_dev", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_INODE, "exe.inode", NUMBER, PROCESS, exe_inode, 0, "", "inode of the executable", "inode.i_ino", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_FILESYSTEM, "exe.filesystem", TEXT, PROCESS, exe_filesystem, 0, "", "type of the file system the executable is on, as in ext4, overlay or tmpfs", "file_system_type.name", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_SIZE, "exe.size", NUMBER, PROCESS, exe_size, 0, "bytes", "size of the executable", "inode.i_size", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_MTIME, "exe.mtime", TIME, PROCESS, exe_mtime, 0, "", "when the contents of the executable were changed; its owner may set it", "inode.i_mtime", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_CTIME, "exe.ctime", TIME, PROCESS, exe_ctime, 0, "", "when the executable or its inode was changed; nobody may set it", "inode.i_ctime", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_AGE, "exe.age", DURATION, PROCESS, exe_age, 0, "ns", "how long before the exec exe.ctime was", "exe.ctime", "0: made by the engine", "") \
    FIELD(EXE_MODE, "exe.mode", TEXT, PROCESS, exe_mode, 0, "", "permission bits of the executable in octal, as in 0755 or 4755", "inode.i_mode", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_UID, "exe.uid", NUMBER, PROCESS, exe_uid, 0, "", "user id of the owner of the executable", "inode.i_uid", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_GID, "exe.gid", NUMBER, PROCESS, exe_gid, 0, "", "group id of the executable", "inode.i_gid", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_OWNER, "exe.owner", TEXT, PROCESS, exe_owner, 0, "", "name of exe.uid in /etc/passwd; absent when it has none", "engine", "0: made by the engine", "") \
    FIELD(EXE_NLINK, "exe.nlink", NUMBER, PROCESS, exe_nlink, 0, "", "hard links to the executable; 0 once deleted", "inode.i_nlink", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_SETUID, "exe.setuid", BOOL, PROCESS, exe_setuid, 0, "", "true when the executable's setuid bit is set", "inode.i_mode", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_SETGID, "exe.setgid", BOOL, PROCESS, exe_setgid, 0, "", "true when the executable's setgid bit is set", "inode.i_mode", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_FILECAPS, "exe.filecaps", BOOL, PROCESS, exe_filecaps, 0, "", "true when the process, not root, got capabilities from the executable file; absent in other user namespaces where that cannot be told", "cred.cap_permitted", "0: made by the engine", "") \
    FIELD(EXE_WRITABLE, "exe.writable", BOOL, PROCESS, exe_writable, 0, "", "true when others may write the executable", "inode.i_mode", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_UPPER, "exe.upper", BOOL, PROCESS, exe_upper, 0, "", "true when the executable is in the upper layer of an overlay: made or changed in the container", "ovl_inode.__upperdentry", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_TMPFS, "exe.tmpfs", BOOL, PROCESS, exe_tmpfs, 0, "", "true when the executable is on a tmpfs or ramfs, that of memfd_create too", "file_system_type.name", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_MEMFD, "exe.memfd", BOOL, PROCESS, exe_memfd, 0, "", "true when the executable lives in memory only (memfd_create)", "dentry and inode", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_DELETED, "exe.deleted", BOOL, PROCESS, exe_deleted, 0, "", "true when the executable had no name left at exec", "inode.i_nlink", "40-90 ns with the file's other numbers", "") \
    FIELD(EXE_SHA256, "exe.sha256", TEXT, PROCESS, exe_sha256, 0, "", "SHA-256 of the executable in hexadecimal, of a script its interpreter's; only when a rule or the configuration asks, for files up to 64 MiB", "engine: the file that the process runs", "0; the engine reads each file once", "") \
    FIELD(FILENAME, "filename", TEXT, PROCESS, filename, 0, "", "the path that execve was given, as it was given; of exec_failed racy: the program may change it meanwhile", "linux_binprm.filename", "40-70 ns with the interpreter", "") \
    FIELD(FILENAME_TRUNCATED, "filename.truncated", BOOL, PROCESS, filename_truncated, 0, "", "true when filename was cut in capture or could not be read", "capture", "0: made by the engine", "") \
    FIELD(FILENAME_ABSOLUTE, "filename.absolute", TEXT, PROCESS, filename_absolute, 0, "", "filename made absolute with cwd; absent where it is absolute itself, and of exec_failed", "filename, cwd", "0: made by the engine", "") \
    FIELD(SCRIPT, "script", TEXT, PROCESS, script, 0, "", "path of the script (or other file that has an interpreter) that was started, made absolute with cwd; absent when none", "linux_binprm.filename", "0: made by the engine", "from 7.0 on not when only the classic hook saw the event") \
    FIELD(INTERPRETER, "interpreter", TEXT, PROCESS, interpreter, 0, "", "the interpreter named by a script's #! line; absent when no script", "linux_binprm.interp", "40-70 ns with the filename", "from 7.0 on not when only the classic hook saw the event") \
    FIELD(ARGV, "argv", TEXT_LIST, PROCESS, argv, 0, "", "the arguments, argv[0] included; of exec_failed racy: the program may change them meanwhile", "mm_struct.arg_start", "100-130 ns; 3 µs for 32 KiB", "") \
    FIELD(ARGC, "argc", NUMBER, PROCESS, argc, 0, "", "how many arguments there were, cut ones included", "linux_binprm.argc", "within argv's", "") \
    FIELD(CMDLINE, "cmdline", TEXT, PROCESS, cmdline, 0, "", "the arguments joined by one space; racy as argv", "argv", "0: made by the engine", "") \
    FIELD(CMDLINE_LENGTH, "cmdline.length", NUMBER, PROCESS, cmdline_length, 0, "bytes", "length of the whole command line in bytes, cut or not", "mm_struct.arg_end", "0: made by the engine", "") \
    FIELD(CMDLINE_OMITTED, "cmdline.omitted", NUMBER, PROCESS, cmdline_omitted, 0, "bytes", "how much of a long command line is missing between its beginning and its end", "capture", "0: made by the engine", "") \
    FIELD(CMDLINE_TRUNCATED, "cmdline.truncated", BOOL, PROCESS, cmdline_truncated, 0, "", "true when argv and cmdline were cut in capture or could not be read", "capture", "0: made by the engine", "") \
    FIELD(ENV, "env", TEXT_LIST, PROCESS, env, 0, "", "those environment variables at exec that sensor.environment names, each as NAME=value; absent when it has none of them", "mm_struct.env_start", "110-150 ns for 1.3 KiB", "") \
    FIELD(ENV_LENGTH, "env.length", NUMBER, PROCESS, env_length, 0, "bytes", "length of the whole environment", "mm_struct.env_end", "0: made by the engine", "") \
    FIELD(ENV_TRUNCATED, "env.truncated", BOOL, PROCESS, env_truncated, 0, "", "true when the environment was cut in capture or could not be read", "capture", "0: made by the engine", "") \
    FIELD(CWD, "cwd", TEXT, PROCESS, cwd, 0, "", "working directory", "fs_struct.pwd", "50-80 ns for a path of two names", "") \
    FIELD(CWD_TRUNCATED, "cwd.truncated", BOOL, PROCESS, cwd_truncated, 0, "", "true when cwd was cut in capture or could not be read", "capture", "0: made by the engine", "") \
    FIELD(UID, "uid", NUMBER, PROCESS, uid, 0, "", "real user id", "cred.uid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(USER, "user", TEXT, PROCESS, user, 0, "", "name of uid in /etc/passwd; absent when it has none", "engine", "0: made by the engine", "") \
    FIELD(EUID, "euid", NUMBER, PROCESS, euid, 0, "", "effective user id", "cred.euid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(EUSER, "euser", TEXT, PROCESS, euser, 0, "", "name of euid in /etc/passwd; absent when it has none", "engine", "0: made by the engine", "") \
    FIELD(SUID, "suid", NUMBER, PROCESS, suid, 0, "", "saved user id", "cred.suid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(GID, "gid", NUMBER, PROCESS, gid, 0, "", "real group id", "cred.gid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(GROUP, "group", TEXT, PROCESS, group, 0, "", "name of gid in /etc/group; absent when it has none", "engine", "0: made by the engine", "") \
    FIELD(EGID, "egid", NUMBER, PROCESS, egid, 0, "", "effective group id", "cred.egid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(SGID, "sgid", NUMBER, PROCESS, sgid, 0, "", "saved group id", "cred.sgid", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(LOGINUID, "loginuid", NUMBER, PROCESS, loginuid, 0, "", "user id of the login, kept through su and sudo; 4294967295: none", "task_struct.loginuid", "40-80 ns with ids, capabilities, parent and terminal", "with CONFIG_AUDIT") \
    FIELD(LOGINUSER, "loginuser", TEXT, PROCESS, loginuser, 0, "", "name of loginuid in /etc/passwd; absent when it has none", "engine", "0: made by the engine", "with CONFIG_AUDIT") \
    FIELD(SESSION, "session", NUMBER, PROCESS, session, 0, "", "audit session of the login; 4294967295: none", "task_struct.sessionid", "40-80 ns with ids, capabilities, parent and terminal", "with CONFIG_AUDIT") \
    FIELD(CAP_EFFECTIVE, "cap.effective", FLAGS, PROCESS, cap_effective, 3, "", "effective capabilities, as in cap_net_raw; all: every one there is", "cred.cap_effective", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(CAP_PERMITTED, "cap.permitted", FLAGS, PROCESS, cap_permitted, 3, "", "permitted capabilities, as in cap_net_raw; all: every one there is", "cred.cap_permitted", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(CAP_INHERITABLE, "cap.inheritable", FLAGS, PROCESS, cap_inheritable, 3, "", "inheritable capabilities, as in cap_net_raw; all: every one there is", "cred.cap_inheritable", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(CAP_AMBIENT, "cap.ambient", FLAGS, PROCESS, cap_ambient, 3, "", "ambient capabilities, as in cap_net_raw; all: every one there is", "cred.cap_ambient", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(SECUREBITS, "securebits", FLAGS, PROCESS, securebits, 0, "", "secure bits: noroot, no_setuid_fixup, keep_caps, no_cap_ambient_raise, each also with _locked", "cred.securebits", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(TTY, "tty", TEXT, PROCESS, tty, 0, "", "controlling terminal, as in pts/0; absent when none", "signal_struct.tty", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(STDIN, "stdin", TEXT, PROCESS, stdin, 0, "", "what standard input is at exec: tty, pipe, file, directory, null, device, inet, unix, netlink, socket, anon or closed", "files_struct.fdt", "60-150 ns for all three", "") \
    FIELD(STDOUT, "stdout", TEXT, PROCESS, stdout, 0, "", "what standard output is at exec: tty, pipe, file, directory, null, device, inet, unix, netlink, socket, anon or closed", "files_struct.fdt", "60-150 ns for all three", "") \
    FIELD(STDERR, "stderr", TEXT, PROCESS, stderr, 0, "", "what standard error is at exec: tty, pipe, file, directory, null, device, inet, unix, netlink, socket, anon or closed", "files_struct.fdt", "60-150 ns for all three", "") \
    FIELD(NS_CGROUP, "ns.cgroup", NUMBER, PROCESS, ns_cgroup, 2, "", "inode of its cgroup namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_IPC, "ns.ipc", NUMBER, PROCESS, ns_ipc, 2, "", "inode of its IPC namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_MNT, "ns.mnt", NUMBER, PROCESS, ns_mnt, 2, "", "inode of its mount namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_NET, "ns.net", NUMBER, PROCESS, ns_net, 2, "", "inode of its network namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_PID, "ns.pid", NUMBER, PROCESS, ns_pid, 2, "", "inode of its pid namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_USER, "ns.user", NUMBER, PROCESS, ns_user, 2, "", "inode of its user namespace at exec; 4026531837 is the initial one", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(NS_UTS, "ns.uts", NUMBER, PROCESS, ns_uts, 2, "", "inode of its UTS namespace at exec", "ns_common.inum", "40-100 ns for all namespaces and vpid", "") \
    FIELD(CGROUP_ID, "cgroup.id", NUMBER, PROCESS, cgroup_id, 6, "", "id of the cgroup (v2)", "bpf_get_current_cgroup_id", "40-80 ns with ids, capabilities, parent and terminal", "") \
    FIELD(CGROUP_PATH, "cgroup.path", TEXT, PROCESS, cgroup_path, 6, "", "path of the cgroup at exec: v2, or the memory controller's where v2 is not in use", "kernfs_node.name", "100-180 ns", "") \
    FIELD(CONTAINER_ID, "container.id", TEXT, PROCESS, container_id, 9, "", "id of its container, as the runtime names it; absent outside of one", "cgroup.path", "0: made by the engine", "") \
    FIELD(CONTAINER_RUNTIME, "container.runtime", TEXT, PROCESS, container_runtime, 9, "", "docker, containerd, cri-o, podman, nspawn, lxc, or kubernetes where the path does not tell which; absent when it tells none", "cgroup.path", "0: made by the engine", "")
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
    size_t offset;    /* into struct event, struct machine or struct process */
    size_t group;     /* bytes of the name that are its group in JSON; 0: none */
    const char *unit; /* "": none */
    const char *help;
    const char *source;
    const char *cost;
    const char *kernels;
};

extern const struct field field_catalogue[FIELD_COUNT];

const char *field_type_name(enum field_type type);

/* Whether its values are numbers that can be added up. */
static inline bool field_type_is_number(enum field_type type)
{
    return type == TYPE_NUMBER || type == TYPE_TIME || type == TYPE_DURATION;
}

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

/* One text of a list may be asked for: so many can be named. Not of any ancestor's. */
#define FIELD_ITEM_MAX 1024

struct field_ref {
    const struct field *field;
    enum field_owner owner;
    unsigned generation; /* OWNER_ANCESTOR: 1 = parent, 2 = its parent, ...  */
    unsigned item;       /* of a TEXT_LIST: 0 = all texts, 1 = the first alone, ... */
};

/* Whether it has one value at most: neither several of its own, nor several ancestors'. */
static inline bool field_ref_has_one_value(const struct field_ref *ref)
{
    return ref->owner != OWNER_ANY_ANCESTOR && ref->field->type != TYPE_FLAGS &&
           (ref->field->type != TYPE_TEXT_LIST || ref->item);
}

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

struct flag_names;

/* A value as a rule or a message sees it. */
struct value {
    enum field_type type;
    const struct flag_names *names; /* FLAGS: of its bits (event/flag_names.h) */
    union {
        struct text text; /* TEXT; TEXT_LIST: the texts, each with a NUL behind it */
        int64_t number;   /* NUMBER, TIME, DURATION; FLAGS: a bit for each name */
        bool boolean;
    };
};

#endif
