#include <stddef.h>
#include <sys/stat.h>

#include "event/container.h"
#include "event/kernel_text.h"
#include "event/record_reader.h"

/* Of the initial user namespace: PROC_USER_INIT_INO in the kernel's include/linux/proc_ns.h. */
#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU

#define SECURE_NOROOT 1U

/* The texts of an exec's record as they are there. */
struct exec_texts {
    struct text filename, interpreter, exe, cwd, cgroup, argv, argv_tail, env;
};

static void take_texts(const struct wire_exec *wire, struct record_reader *reader,
                       struct exec_texts *out)
{
    out->filename = record_take_string(reader, wire->filename_length, "filename");
    out->interpreter = record_take_string(reader, wire->interpreter_length, "interpreter");
    out->exe = record_take(reader, wire->exe_length, "exe");
    out->cwd = record_take(reader, wire->cwd_length, "cwd");
    out->cgroup = record_take(reader, wire->cgroup_length, "cgroup");
    out->argv = record_take(reader, wire->argv_length, "argv");
    out->argv_tail = record_take(reader, wire->argv_tail_length, "argv tail");
    out->env = record_take(reader, wire->env_length, "env");
}

static bool ends_a_name(struct text names)
{
    return names.len == 0 || names.ptr[names.len - 1] == '\0';
}

static void check(const struct wire_exec *wire, const struct exec_texts *texts,
                  struct record_reader *reader)
{
    if (reader->why)
        return;
    if (texts->argv.len + texts->argv_tail.len > wire->args_length)
        reader->why = "argv";
    else if (!ends_a_name(texts->exe))
        reader->why = "exe";
    else if (!ends_a_name(texts->cwd))
        reader->why = "cwd";
    else if (!ends_a_name(texts->cgroup))
        reader->why = "cgroup";
    else if (texts->env.len > wire->env_total && !(wire->process.flags & WIRE_NO_ENV))
        reader->why = "env";
}

/* Puts together a path from its NAMES, the last of them first, each with a NUL behind it. One that
 * was cut lacks what is before its first name, and so the slash. */
static struct text join_path(struct record_reader *reader, struct text names, bool cut)
{
    struct buffer *out = reader->out;
    size_t begin = out->len;
    size_t end = names.len;

    while (end > 0) {
        const char *before = memrchr(names.ptr, '\0', end - 1);
        size_t start = before ? (size_t)(before - names.ptr) + 1 : 0;

        if (!cut || out->len > begin)
            buffer_put_char(out, '/');
        buffer_put(out, names.ptr + start, end - 1 - start);
        end = start;
    }
    if (out->len == begin && !cut)
        buffer_put_char(out, '/');
    return record_put_since(reader, begin);
}

static void set_filesystem(struct text name, struct process *process)
{
    if (name.len == 0)
        return;
    process_set_text(process, FIELD_EXE_FILESYSTEM, &process->exe_filesystem, name);
    process_set_bool(process, FIELD_EXE_TMPFS, &process->exe_tmpfs, filesystem_is_memory(name));
}

/* What the file is called: its path, device and file system. BYTES: as in decode_process(). */
static void decode_path(const char *bytes, const struct wire_exec *wire, struct text names,
                        struct record_reader *reader, struct process *process)
{
    const char *filesystem = bytes + offsetof(struct wire_exec, filesystem);
    bool cut = wire->process.flags & WIRE_EXE_CUT;

    process_set_text(process, FIELD_EXE, &process->exe, join_path(reader, names, cut));
    process_set_bool(process, FIELD_EXE_TRUNCATED, &process->exe_truncated, cut);
    size_t begin = reader->out->len;

    device_put(reader->out, WIRE_MAJOR(wire->device), WIRE_MINOR(wire->device));
    process_set_text(process, FIELD_EXE_DEVICE, &process->exe_device,
                     record_put_since(reader, begin));
    set_filesystem((struct text){filesystem, strnlen(filesystem, sizeof wire->filesystem)},
                   process);
}

static void decode_inode(const struct wire_exec *wire, struct record_reader *reader,
                         struct process *process)
{
    uint32_t flags = wire->process.flags;
    size_t begin = reader->out->len;

    process_set_number(process, FIELD_EXE_INODE, &process->exe_inode, (int64_t)wire->inode);
    process_set_number(process, FIELD_EXE_NLINK, &process->exe_nlink, wire->nlink);
    process_set_number(process, FIELD_EXE_SIZE, &process->exe_size, (int64_t)wire->size);
    process_set_number(process, FIELD_EXE_MTIME, &process->exe_mtime, (int64_t)wire->mtime);
    process_set_number(process, FIELD_EXE_CTIME, &process->exe_ctime, (int64_t)wire->ctime);
    process_set_number(process, FIELD_EXE_UID, &process->exe_uid, wire->owner);
    process_set_number(process, FIELD_EXE_GID, &process->exe_gid, wire->group);
    process_set_bool(process, FIELD_EXE_SETUID, &process->exe_setuid, wire->mode & S_ISUID);
    process_set_bool(process, FIELD_EXE_SETGID, &process->exe_setgid, wire->mode & S_ISGID);
    process_set_bool(process, FIELD_EXE_WRITABLE, &process->exe_writable, wire->mode & S_IWOTH);
    process_set_bool(process, FIELD_EXE_MEMFD, &process->exe_memfd, flags & WIRE_MEMFD);
    process_set_bool(process, FIELD_EXE_UPPER, &process->exe_upper, flags & WIRE_UPPER);
    process_set_bool(process, FIELD_EXE_DELETED, &process->exe_deleted, wire->nlink == 0);
    mode_put(reader->out, wire->mode);
    process_set_text(process, FIELD_EXE_MODE, &process->exe_mode, record_put_since(reader, begin));
}

/* capabilities(7), "Transformation of capabilities during execve()": without root and without
 * capabilities of the file, what is permitted afterwards is the ambient set alone. Root is who is
 * user 0 of the process's own user namespace, which is known of the initial one only. */
static void decode_filecaps(const struct wire_exec *wire, struct process *process)
{
    const struct wire_credentials *credentials = &wire->process.credentials;
    bool gained = credentials->permitted & ~credentials->ambient;
    bool may_be_root = !(credentials->securebits & SECURE_NOROOT);

    if (wire->namespaces.user == USER_NAMESPACE_INITIAL) {
        bool is_root = may_be_root && (credentials->uid == 0 || credentials->euid == 0);

        process_set_bool(process, FIELD_EXE_FILECAPS, &process->exe_filecaps, gained && !is_root);
    } else if (!gained || !may_be_root) {
        process_set_bool(process, FIELD_EXE_FILECAPS, &process->exe_filecaps, gained);
    }
}

static void decode_folder(const struct wire_exec *wire, struct text names,
                          struct record_reader *reader, struct process *process)
{
    bool cut = wire->process.flags & WIRE_CWD_CUT;

    process_set_text(process, FIELD_CWD, &process->cwd, join_path(reader, names, cut));
    process_set_bool(process, FIELD_CWD_TRUNCATED, &process->cwd_truncated, cut);
}

static void decode_relative(struct record_reader *reader, struct process *process)
{
    size_t begin = reader->out->len;

    if (!process_has_relative_filename(process))
        return;
    path_put(reader->out, process->cwd, process->filename);
    process_set_text(process, FIELD_FILENAME_ABSOLUTE, &process->filename_absolute,
                     record_put_since(reader, begin));
}

/* The interpreter starts the file that execve was given: a relative path was looked up in the
 * working directory, and one that began at a descriptor is "/dev/fd/N/..." to the kernel too. */
static void decode_script(struct record_reader *reader, struct process *process)
{
    size_t begin = reader->out->len;

    if (field_set_has(&process->has, FIELD_FILENAME_ABSOLUTE)) {
        process_set_text(process, FIELD_SCRIPT, &process->script, process->filename_absolute);
        return;
    }
    if (!field_set_has(&process->has, FIELD_FILENAME) || process->filename_truncated ||
        !text_starts(process->filename, TEXT("/")))
        return;
    path_put(reader->out, TEXT(""), process->filename);
    process_set_text(process, FIELD_SCRIPT, &process->script, record_put_since(reader, begin));
}

static void decode_arguments(const struct wire_exec *wire, const struct exec_texts *texts,
                             struct record_reader *reader, struct record *record)
{
    struct process *process = &record->process;
    uint32_t flags = wire->process.flags;

    record_set_argv(record, reader, texts->argv, texts->argv_tail, flags);
    if (!(flags & WIRE_NO_ARGC))
        process_set_number(process, FIELD_ARGC, &process->argc, wire->argc);
    /* The NUL of the last argument is not part of the command line. */
    process_set_number(process, FIELD_CMDLINE_LENGTH, &process->cmdline_length,
                       wire->args_length > 0 ? (int64_t)(wire->args_length - 1) : 0);
    process_set_number(process, FIELD_CMDLINE_OMITTED, &process->cmdline_omitted,
                       (int64_t)(wire->args_length - texts->argv.len - texts->argv_tail.len));
}

static void decode_environment(const struct wire_exec *wire, struct text env,
                               struct record_reader *reader, struct process *process)
{
    uint32_t flags = wire->process.flags;
    size_t begin = reader->out->len;

    if (flags & WIRE_NO_ENV)
        return;
    environment_choose(env, reader->scratch->environment, reader->scratch->environment_count,
                       reader->out);
    if (reader->out->len > begin)
        process_set_text(process, FIELD_ENV, &process->env, record_put_since(reader, begin));
    process_set_number(process, FIELD_ENV_LENGTH, &process->env_length, (int64_t)wire->env_total);
    process_set_bool(process, FIELD_ENV_TRUNCATED, &process->env_truncated,
                     flags & (WIRE_ENV_CUT | WIRE_ENV_FAULT));
}

static struct text stdio_kind(const struct wire_stdio *file)
{
    return text_from(file_kind_name(&(struct file_kind){
        .mode = file->mode,
        .major = WIRE_MAJOR(file->device),
        .minor = WIRE_MINOR(file->device),
        .family = file->family,
    }));
}

static void decode_stdio(const struct wire_exec *wire, struct process *process)
{
    process_set_text(process, FIELD_STDIN, &process->stdin, stdio_kind(&wire->stdio[0]));
    process_set_text(process, FIELD_STDOUT, &process->stdout, stdio_kind(&wire->stdio[1]));
    process_set_text(process, FIELD_STDERR, &process->stderr, stdio_kind(&wire->stdio[2]));
}

/* A namespace of 0 is one that the kernel was built without. */
static void set_nonzero(struct process *process, enum field_id id, int64_t *member, uint32_t value)
{
    if (value)
        process_set_number(process, id, member, value);
}

static void decode_namespaces(const struct wire_exec *wire, struct process *process)
{
    const struct wire_namespaces *namespaces = &wire->namespaces;

    set_nonzero(process, FIELD_VPID, &process->vpid, wire->vpid);
    set_nonzero(process, FIELD_NS_CGROUP, &process->ns_cgroup, namespaces->cgroup);
    set_nonzero(process, FIELD_NS_IPC, &process->ns_ipc, namespaces->ipc);
    set_nonzero(process, FIELD_NS_MNT, &process->ns_mnt, namespaces->mnt);
    set_nonzero(process, FIELD_NS_NET, &process->ns_net, namespaces->net);
    set_nonzero(process, FIELD_NS_PID, &process->ns_pid, namespaces->pid);
    set_nonzero(process, FIELD_NS_USER, &process->ns_user, namespaces->user);
    set_nonzero(process, FIELD_NS_UTS, &process->ns_uts, namespaces->uts);
}

static void decode_cgroup(const struct wire_exec *wire, struct text names,
                          struct record_reader *reader, struct process *process)
{
    bool cut = wire->process.flags & WIRE_CGROUP_CUT;

    if (cut && names.len == 0)
        return;
    struct container container;
    struct text path = join_path(reader, names, cut);

    process_set_text(process, FIELD_CGROUP_PATH, &process->cgroup_path, path);
    if (!container_find(path, reader->out, &container))
        return;
    process_set_text(process, FIELD_CONTAINER_ID, &process->container_id, container.id);
    if (container.runtime)
        process_set_text(process, FIELD_CONTAINER_RUNTIME, &process->container_runtime,
                         text_from(container.runtime));
}

void record_decode_exec(const char *bytes, struct record_reader *reader, struct record *record)
{
    struct process *process = &record->process;
    struct wire_exec wire;
    struct exec_texts texts;

    memcpy(&wire, bytes, sizeof wire);
    take_texts(&wire, reader, &texts);
    check(&wire, &texts, reader);
    if (reader->why)
        return;
    record_set_filename(record, texts.filename, wire.filename_length, wire.process.flags);
    decode_path(bytes, &wire, texts.exe, reader, process);
    decode_inode(&wire, reader, process);
    decode_filecaps(&wire, process);
    decode_folder(&wire, texts.cwd, reader, process);
    decode_relative(reader, process);
    if (wire.interpreter_length > 0) {
        process_set_text(process, FIELD_INTERPRETER, &process->interpreter, texts.interpreter);
        decode_script(reader, process);
    }
    decode_arguments(&wire, &texts, reader, record);
    decode_environment(&wire, texts.env, reader, process);
    decode_stdio(&wire, process);
    decode_namespaces(&wire, process);
    decode_cgroup(&wire, texts.cgroup, reader, process);
}
