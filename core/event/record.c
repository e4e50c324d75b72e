#include "event/record.h"

#include <errno.h>
#include <stddef.h>

#include "event/kernel_text.h"
#include "event/record_reader.h"

struct text record_take(struct record_reader *reader, size_t len, const char *why)
{
    struct text taken = {reader->at, len};

    if (reader->why || len > reader->left) {
        if (!reader->why)
            reader->why = why;
        return TEXT("");
    }
    reader->at += len;
    reader->left -= len;
    return taken;
}

struct text record_take_string(struct record_reader *reader, size_t len, const char *why)
{
    struct text taken = record_take(reader, len, why);

    if (taken.len == 0)
        return taken;
    taken.len--;
    if (memchr(taken.ptr, '\0', len) != taken.ptr + taken.len)
        reader->why = why;
    return taken;
}

void record_scratch_deinit(struct record_scratch *scratch)
{
    buffer_deinit(&scratch->text);
}

static void decode_ids(const struct wire_process *wire, struct record *record)
{
    struct process *process = &record->process;

    record->cpu = wire->header.cpu;
    record->sequence = wire->header.sequence;
    record->boot_time = (int64_t)wire->header.time;
    record->self = (struct identity){wire->tgid, (int64_t)wire->start};
    record->parent = (struct identity){wire->parent_tgid, (int64_t)wire->parent_start};
    process_set_number(process, FIELD_PID, &process->pid, wire->tgid);
    process_set_number(process, FIELD_PPID, &process->ppid, wire->parent_tgid);
}

static void decode_credentials(const struct wire_credentials *wire, bool audit,
                               struct process *process)
{
    process_set_number(process, FIELD_UID, &process->uid, wire->uid);
    process_set_number(process, FIELD_EUID, &process->euid, wire->euid);
    process_set_number(process, FIELD_SUID, &process->suid, wire->suid);
    process_set_number(process, FIELD_GID, &process->gid, wire->gid);
    process_set_number(process, FIELD_EGID, &process->egid, wire->egid);
    process_set_number(process, FIELD_SGID, &process->sgid, wire->sgid);
    process_set_number(process, FIELD_CAP_EFFECTIVE, &process->cap_effective,
                       (int64_t)wire->effective);
    process_set_number(process, FIELD_CAP_PERMITTED, &process->cap_permitted,
                       (int64_t)wire->permitted);
    process_set_number(process, FIELD_CAP_INHERITABLE, &process->cap_inheritable,
                       (int64_t)wire->inheritable);
    process_set_number(process, FIELD_CAP_AMBIENT, &process->cap_ambient, (int64_t)wire->ambient);
    process_set_number(process, FIELD_SECUREBITS, &process->securebits, wire->securebits);
    if (!audit)
        return;
    process_set_number(process, FIELD_LOGINUID, &process->loginuid, wire->loginuid);
    process_set_number(process, FIELD_SESSION, &process->session, wire->session);
}

/* BYTES: where WIRE was copied from; comm is borrowed from there. */
static void decode_process(const char *bytes, const struct wire_process *wire,
                           struct record_reader *reader, struct record *record)
{
    struct process *process = &record->process;
    const char *comm = bytes + offsetof(struct wire_process, comm);
    size_t begin = reader->out->len;

    decode_credentials(&wire->credentials, !(wire->flags & WIRE_NO_AUDIT), process);
    process_set_number(process, FIELD_CGROUP_ID, &process->cgroup_id, (int64_t)wire->cgroup_id);
    process_set_text(process, FIELD_COMM, &process->comm,
                     (struct text){comm, strnlen(comm, sizeof wire->comm)});
    /* The kernel's own threads are in no group and no session. */
    if (wire->pgid)
        process_set_number(process, FIELD_PGID, &process->pgid, wire->pgid);
    if (wire->sid)
        process_set_number(process, FIELD_SID, &process->sid, wire->sid);
    if (wire->tty == 0)
        return;
    tty_put(reader->out, WIRE_MAJOR(wire->tty), WIRE_MINOR(wire->tty));
    process_set_text(process, FIELD_TTY, &process->tty, record_put_since(reader, begin));
}

void record_set_filename(struct record *record, struct text filename, uint16_t length,
                         uint32_t flags)
{
    struct process *process = &record->process;

    process_set_bool(process, FIELD_FILENAME_TRUNCATED, &process->filename_truncated,
                     flags & WIRE_FILENAME_CUT);
    if (length > 0)
        process_set_text(process, FIELD_FILENAME, &process->filename, filename);
}

/* Each argument with a NUL behind it, the cut ones too. Copied only where that takes it. */
static struct text join_argv(struct record_reader *reader, struct text head, struct text tail)
{
    size_t begin = reader->out->len;
    const struct text parts[] = {head, tail};

    if (tail.len == 0 && (head.len == 0 || head.ptr[head.len - 1] == '\0'))
        return head;
    for (size_t i = 0; i < 2; i++) {
        buffer_put_text(reader->out, parts[i]);
        if (parts[i].len > 0 && parts[i].ptr[parts[i].len - 1] != '\0')
            buffer_put_char(reader->out, '\0');
    }
    return record_put_since(reader, begin);
}

void record_set_argv(struct record *record, struct record_reader *reader, struct text head,
                     struct text tail, uint32_t flags)
{
    struct process *process = &record->process;
    bool cut = flags & (WIRE_ARGV_CUT | WIRE_ARGV_FAULT);

    process_set_bool(process, FIELD_CMDLINE_TRUNCATED, &process->cmdline_truncated, cut);
    if (head.len + tail.len == 0 && cut)
        return;
    process_set_text(process, FIELD_ARGV, &process->argv, join_argv(reader, head, tail));
    size_t begin = reader->out->len;

    cmdline_put(reader->out, process->argv);
    process_set_text(process, FIELD_CMDLINE, &process->cmdline, record_put_since(reader, begin));
}

static void decode_exec_failed(const char *bytes, struct record_reader *reader,
                               struct record *record)
{
    struct process *process = &record->process;
    struct wire_exec_failed wire;

    memcpy(&wire, bytes, sizeof wire);
    struct text filename = record_take_string(reader, wire.filename_length, "filename");
    struct text argv = record_take(reader, wire.argv_length, "argv");

    if (reader->why)
        return;
    record->retval = wire.retval;
    record_set_filename(record, filename, wire.filename_length, wire.process.flags);
    record_set_argv(record, reader, argv, (struct text){"", 0}, wire.process.flags);
    if (process->cmdline_truncated)
        return;
    process_set_number(process, FIELD_ARGC, &process->argc, wire.argc);
    process_set_number(process, FIELD_CMDLINE_LENGTH, &process->cmdline_length,
                       (int64_t)process->cmdline.len);
    process_set_number(process, FIELD_CMDLINE_OMITTED, &process->cmdline_omitted, 0);
}

static void decode_exit(const char *bytes, struct record *record)
{
    struct wire_exit wire;

    memcpy(&wire, bytes, sizeof wire);
    record->exit_status = wire.status;
}

static void decode_fork(const char *bytes, struct record *record)
{
    struct wire_fork wire;

    memcpy(&wire, bytes, sizeof wire);
    record->creator = (struct identity){wire.creator_tgid, (int64_t)wire.creator_start};
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

static void decode_body(const char *bytes, const struct wire_process *wire,
                        struct record_reader *reader, struct record *record)
{
    decode_ids(wire, record);
    record->filtered = record->type == EVENT_EXEC && wire->flags & WIRE_FILTERED;
    if (!record->filtered) {
        decode_process(bytes, wire, reader, record);
        if (record->type == EVENT_EXEC)
            record_decode_exec(bytes, reader, record);
        else if (record->type == EVENT_EXEC_FAILED)
            decode_exec_failed(bytes, reader, record);
        else if (record->type == EVENT_EXIT)
            decode_exit(bytes, record);
        else
            decode_fork(bytes, record);
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
    struct record_reader reader = {.at = (const char *)bytes + size,
                                   .left = wire.header.length - size,
                                   .scratch = scratch,
                                   .out = &scratch->text};

    /* Room for everything, so that no text moves while others are put: paths take a slash a name
     * where there was a NUL, argv may be put twice, cwd and filename once more as the path
     * that was meant; the rest are short. */
    buffer_clear(&scratch->text);
    if (!buffer_reserve(&scratch->text, 3 * (size_t)wire.header.length + 512))
        return -ENOMEM;
    struct record record = {.type = types[wire.header.type].type};

    decode_body(bytes, &wire, &reader, &record);
    if (reader.why) {
        *why = reader.why;
        return -EBADMSG;
    }
    *out = record;
    return 0;
}
