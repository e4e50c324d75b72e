#include "event/record.h"

#include <errno.h>
#include <stddef.h>

#include "event/kernel_text.h"
#include "wire.h"

#define DEVICE_MAJOR(device) ((device) >> 20)
#define DEVICE_MINOR(device) ((device)&0xfffff)
#define MODE_SETUID          04000
#define MODE_SETGID          02000

/* The part of a record that has not been read yet. */
struct reader {
    const char *at;
    size_t left;
    const char *why; /* set at the first thing that does not add up */
};

static const char *take_bytes(struct reader *reader, size_t len, const char *why)
{
    const char *taken = reader->at;

    if (reader->why || len > reader->left) {
        if (!reader->why)
            reader->why = why;
        return NULL;
    }
    reader->at += len;
    reader->left -= len;
    return taken;
}

/* A string that counts its NUL; empty when there is none. */
static struct text take_string(struct reader *reader, size_t len, const char *why)
{
    const char *taken = take_bytes(reader, len, why);

    if (!taken || len == 0)
        return (struct text){"", 0};
    if (memchr(taken, '\0', len) != taken + len - 1)
        reader->why = why;
    return (struct text){taken, len - 1};
}

void record_scratch_deinit(struct record_scratch *scratch)
{
    buffer_deinit(&scratch->text);
}

/* What has been put since BEGIN. The room was reserved at the start, so nothing moves. */
static struct text put_since(const struct buffer *buffer, size_t begin)
{
    return (struct text){buffer->data + begin, buffer->len - begin};
}

/* Puts together a path from its NAMES, the last of them first, each with a NUL behind it. One that
 * was cut lacks what is before its first name, and so the slash. */
static struct text join_path(struct buffer *out, struct text names, bool cut)
{
    size_t begin = out->len;
    size_t end = names.len;

    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && names.ptr[start - 1] != '\0')
            start--;
        if (!cut || out->len > begin)
            buffer_put_char(out, '/');
        buffer_put(out, names.ptr + start, end - 1 - start);
        end = start;
    }
    if (out->len == begin && !cut)
        buffer_put_char(out, '/');
    return put_since(out, begin);
}

static void set_number(struct process *process, enum field_id id, int64_t *member, int64_t value)
{
    *member = value;
    field_set_add(&process->has, id);
}

static void set_text(struct process *process, enum field_id id, struct text *member,
                     struct text value)
{
    *member = value;
    field_set_add(&process->has, id);
}

static void set_bool(struct process *process, enum field_id id, bool *member, bool value)
{
    *member = value;
    field_set_add(&process->has, id);
}

/* BYTES: where WIRE was copied from; comm is borrowed from there. */
static void decode_process(const char *bytes, const struct wire_process *wire, struct buffer *out,
                           struct record *record)
{
    struct process *process = &record->process;
    const char *comm = bytes + offsetof(struct wire_process, comm);

    record->cpu = wire->header.cpu;
    record->sequence = wire->header.sequence;
    record->boot_time = (int64_t)wire->header.time;
    record->self = (struct identity){wire->tgid, (int64_t)wire->start};
    record->parent = (struct identity){wire->parent_tgid, (int64_t)wire->parent_start};
    set_number(process, FIELD_PID, &process->pid, wire->tgid);
    set_number(process, FIELD_PPID, &process->ppid, wire->parent_tgid);
    set_number(process, FIELD_UID, &process->uid, wire->uid);
    set_number(process, FIELD_EUID, &process->euid, wire->euid);
    set_number(process, FIELD_GID, &process->gid, wire->gid);
    set_number(process, FIELD_EGID, &process->egid, wire->egid);
    set_number(process, FIELD_CGROUP_ID, &process->cgroup_id, (int64_t)wire->cgroup_id);
    set_text(process, FIELD_COMM, &process->comm,
             (struct text){comm, strnlen(comm, sizeof wire->comm)});
    if (!(wire->flags & WIRE_NO_AUDIT)) {
        set_number(process, FIELD_LOGINUID, &process->loginuid, wire->loginuid);
        set_number(process, FIELD_SESSION, &process->session, wire->session);
    }
    if (wire->tty == 0)
        return;
    size_t begin = out->len;

    tty_put(out, DEVICE_MAJOR(wire->tty), DEVICE_MINOR(wire->tty));
    set_text(process, FIELD_TTY, &process->tty, put_since(out, begin));
}

static void decode_executable(const struct wire_exec *wire, struct text names, struct buffer *out,
                              struct process *process)
{
    bool cut = wire->process.flags & WIRE_EXE_CUT;

    set_text(process, FIELD_EXE, &process->exe, join_path(out, names, cut));
    set_bool(process, FIELD_EXE_TRUNCATED, &process->exe_truncated, cut);
    set_number(process, FIELD_EXE_INODE, &process->exe_inode, (int64_t)wire->inode);
    set_number(process, FIELD_EXE_NLINK, &process->exe_nlink, wire->nlink);
    set_bool(process, FIELD_EXE_SETUID, &process->exe_setuid, wire->mode & MODE_SETUID);
    set_bool(process, FIELD_EXE_SETGID, &process->exe_setgid, wire->mode & MODE_SETGID);
    set_bool(process, FIELD_EXE_MEMFD, &process->exe_memfd, wire->process.flags & WIRE_MEMFD);
    set_bool(process, FIELD_EXE_DELETED, &process->exe_deleted, wire->nlink == 0);
    size_t begin = out->len;

    device_put(out, DEVICE_MAJOR(wire->device), DEVICE_MINOR(wire->device));
    set_text(process, FIELD_EXE_DEVICE, &process->exe_device, put_since(out, begin));
    begin = out->len;
    mode_put(out, wire->mode);
    set_text(process, FIELD_EXE_MODE, &process->exe_mode, put_since(out, begin));
}

/* LENGTH as in the record, where 0 is "none": an empty FILENAME is one too. */
static void decode_filename(struct text filename, uint16_t length, uint32_t flags,
                            struct process *process)
{
    set_bool(process, FIELD_FILENAME_TRUNCATED, &process->filename_truncated,
             flags & WIRE_FILENAME_CUT);
    if (length > 0)
        set_text(process, FIELD_FILENAME, &process->filename, filename);
}

static void decode_folder(struct text names, uint32_t flags, struct buffer *out,
                          struct process *process)
{
    bool cut = flags & WIRE_CWD_CUT;

    set_text(process, FIELD_CWD, &process->cwd, join_path(out, names, cut));
    set_bool(process, FIELD_CWD_TRUNCATED, &process->cwd_truncated, cut);
}

static void decode_argv(struct text argv, uint32_t flags, struct buffer *out,
                        struct process *process)
{
    size_t begin = out->len;
    bool cut = flags & (WIRE_ARGV_CUT | WIRE_ARGV_FAULT);

    set_bool(process, FIELD_CMDLINE_TRUNCATED, &process->cmdline_truncated, cut);
    if (argv.len == 0 && cut)
        return;
    if (argv.len > 0 && argv.ptr[argv.len - 1] != '\0') {
        buffer_put_text(out, argv);
        buffer_put_char(out, '\0');
        argv = put_since(out, begin);
    }
    set_text(process, FIELD_ARGV, &process->argv, argv);
    begin = out->len;
    cmdline_put(out, argv);
    set_text(process, FIELD_CMDLINE, &process->cmdline, put_since(out, begin));
}

static void decode_exec(const char *bytes, struct reader *reader, struct buffer *out,
                        struct record *record)
{
    struct process *process = &record->process;
    struct wire_exec wire;

    memcpy(&wire, bytes, sizeof wire);
    struct text filename = take_string(reader, wire.filename_length, "filename");
    struct text interpreter = take_string(reader, wire.interpreter_length, "interpreter");
    struct text exe = {take_bytes(reader, wire.exe_length, "exe"), wire.exe_length};
    struct text cwd = {take_bytes(reader, wire.cwd_length, "cwd"), wire.cwd_length};
    struct text argv = {take_bytes(reader, wire.argv_length, "argv"), wire.argv_length};

    if (reader->why)
        return;
    if (wire.argv_length > wire.args_length)
        reader->why = "argv";
    if (exe.len > 0 && exe.ptr[exe.len - 1] != '\0')
        reader->why = "exe";
    if (cwd.len > 0 && cwd.ptr[cwd.len - 1] != '\0')
        reader->why = "cwd";
    decode_filename(filename, wire.filename_length, wire.process.flags, process);
    if (wire.interpreter_length > 0)
        set_text(process, FIELD_INTERPRETER, &process->interpreter, interpreter);
    decode_executable(&wire, exe, out, process);
    decode_folder(cwd, wire.process.flags, out, process);
    decode_argv(argv, wire.process.flags, out, process);
    if (!(wire.process.flags & WIRE_NO_ARGC))
        set_number(process, FIELD_ARGC, &process->argc, wire.argc);
    /* The NUL of the last argument is not part of the command line. */
    set_number(process, FIELD_CMDLINE_LENGTH, &process->cmdline_length,
               wire.args_length > 0 ? (int64_t)(wire.args_length - 1) : 0);
}

static void decode_exec_failed(const char *bytes, struct reader *reader, struct buffer *out,
                               struct record *record)
{
    struct process *process = &record->process;
    struct wire_exec_failed wire;

    memcpy(&wire, bytes, sizeof wire);
    struct text filename = take_string(reader, wire.filename_length, "filename");
    struct text argv = {take_bytes(reader, wire.argv_length, "argv"), wire.argv_length};

    if (reader->why)
        return;
    record->retval = wire.retval;
    decode_filename(filename, wire.filename_length, wire.process.flags, process);
    decode_argv(argv, wire.process.flags, out, process);
    if (process->cmdline_truncated)
        return;
    set_number(process, FIELD_ARGC, &process->argc, wire.argc);
    set_number(process, FIELD_CMDLINE_LENGTH, &process->cmdline_length,
               (int64_t)process->cmdline.len);
}

static void decode_exit(const char *bytes, struct record *record)
{
    struct wire_exit wire;

    memcpy(&wire, bytes, sizeof wire);
    record->exit_status = wire.status;
}

/* What each type is in our vocabulary, and the bytes of its fixed part. */
static const struct {
    enum event_type type;
    size_t size;
} types[WIRE_TYPES] = {
    [WIRE_EXEC] = {EVENT_EXEC, sizeof(struct wire_exec)},
    [WIRE_EXEC_FAILED] = {EVENT_EXEC_FAILED, sizeof(struct wire_exec_failed)},
    [WIRE_EXIT] = {EVENT_EXIT, sizeof(struct wire_exit)},
    [WIRE_FORK] = {EVENT_FORK, sizeof(struct wire_fork)},
};

static const char *check_header(const struct wire_header *header, size_t len)
{
    if (header->version != WIRE_VERSION)
        return "version";
    if (header->type >= WIRE_TYPES)
        return "type";
    if (header->length > len || header->length < types[header->type].size)
        return "length";
    return NULL;
}

static void decode_body(const char *bytes, const struct wire_process *wire, struct reader *reader,
                        struct buffer *out, struct record *record)
{
    decode_process(bytes, wire, out, record);
    switch (record->type) {
    case EVENT_EXEC:
        decode_exec(bytes, reader, out, record);
        break;
    case EVENT_EXEC_FAILED:
        decode_exec_failed(bytes, reader, out, record);
        break;
    case EVENT_EXIT:
        decode_exit(bytes, record);
        break;
    case EVENT_FORK:
        break;
    }
    if (!reader->why && reader->left > 0)
        reader->why = "bytes behind the last text";
}

int record_decode(const void *bytes, size_t len, struct record_scratch *scratch, struct record *out,
                  const char **why)
{
    struct wire_process wire;

    if (len < sizeof wire) {
        *why = "length";
        return -EBADMSG;
    }
    memcpy(&wire, bytes, sizeof wire);
    *why = check_header(&wire.header, len);
    if (*why)
        return -EBADMSG;
    size_t size = types[wire.header.type].size;
    struct reader reader = {.at = (const char *)bytes + size, .left = wire.header.length - size};
    struct record record = {.type = types[wire.header.type].type};

    /* Room for everything, so that no text moves while others are put: paths take a slash a name
     * where there was a NUL, argv may be put twice, the rest are short. */
    buffer_clear(&scratch->text);
    if (!buffer_reserve(&scratch->text, 2 * (size_t)wire.header.length + 256))
        return -ENOMEM;
    decode_body(bytes, &wire, &reader, &scratch->text, &record);
    if (reader.why) {
        *why = reader.why;
        return -EBADMSG;
    }
    *out = record;
    return 0;
}
