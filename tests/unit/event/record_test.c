#include "event/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "wire.h"

/* A record in the making, at an odd address as in a ring. */
struct sample {
    char before;
    char bytes[WIRE_RECORD_MAX];
    size_t len;
};

static struct sample sample;
static struct record_scratch scratch;

static int teardown(void **state)
{
    record_scratch_deinit(&scratch);
    return 0;
}

static struct wire_process process_of(enum wire_type type)
{
    return (struct wire_process){
        .header = {.type = (uint8_t)type,
                   .version = WIRE_VERSION,
                   .cpu = 3,
                   .sequence = 77,
                   .time = 5000000000},
        .start = 4000000000,
        .parent_start = 1000000000,
        .tgid = 100,
        .parent_tgid = 50,
        .cgroup_id = 9,
        .uid = 1,
        .euid = 2,
        .gid = 3,
        .egid = 4,
        .loginuid = 4294967295,
        .session = 6,
        .comm = "name",
    };
}

static void put(const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(sample.bytes + sample.len, bytes, len);
    sample.len += len;
}

/* Begins a sample with a fixed part, which begins with a struct wire_process. */
static void begin(const void *fixed, size_t len)
{
    sample.len = 0;
    put(fixed, len);
}

static int decode_len(size_t len, struct record *record)
{
    const char *why = NULL;
    int r = record_decode(sample.bytes, len, &scratch, record, &why);

    assert_true((r == 0) == (why == NULL));
    return r;
}

/* Sets the header's length to what has been put and decodes. */
static int decode(struct record *record)
{
    struct wire_header header;

    memcpy(&header, sample.bytes, sizeof(header));
    header.length = (uint16_t)sample.len;
    memcpy(sample.bytes, &header, sizeof(header));
    return decode_len(sample.len, record);
}

#define LITERAL(text) (text), sizeof(text) - 1

/* An exec with these texts; NULs that end them are in the literals. */
struct texts {
    struct text filename, interpreter, exe, cwd, argv;
};

static struct wire_exec exec_of(const struct texts *texts)
{
    return (struct wire_exec){
        .process = process_of(WIRE_EXEC),
        .inode = 1234,
        .args_length = texts->argv.len,
        .device = 254 << 20 | 3,
        .mode = 0104755,
        .nlink = 1,
        .argc = 2,
        .filename_length = (uint16_t)texts->filename.len,
        .interpreter_length = (uint16_t)texts->interpreter.len,
        .exe_length = (uint16_t)texts->exe.len,
        .cwd_length = (uint16_t)texts->cwd.len,
        .argv_length = (uint16_t)texts->argv.len,
    };
}

static void exec_put(const struct wire_exec *exec, const struct texts *texts)
{
    begin(exec, sizeof(*exec));
    put(texts->filename.ptr, texts->filename.len);
    put(texts->interpreter.ptr, texts->interpreter.len);
    put(texts->exe.ptr, texts->exe.len);
    put(texts->cwd.ptr, texts->cwd.len);
    put(texts->argv.ptr, texts->argv.len);
}

static const struct texts script = {
    .filename = {LITERAL("./s\0")},
    .interpreter = {LITERAL("/bin/sh\0")},
    .exe = {LITERAL("dash\0bin\0usr\0")},
    .cwd = {LITERAL("b\0a\0")},
    .argv = {LITERAL("/bin/sh\0./s\0")},
};

static void assert_text(struct text seen, const char *expected)
{
    assert_int_equal(seen.len, strlen(expected));
    assert_memory_equal(seen.ptr, expected, seen.len);
}

static void test_exec(void **state)
{
    struct wire_exec exec = exec_of(&script);
    struct record record;

    exec_put(&exec, &script);
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_EXEC);
    assert_int_equal(record.cpu, 3);
    assert_int_equal(record.sequence, 77);
    assert_int_equal(record.boot_time, 5000000000);
    assert_true(record.self.pid == 100 && record.self.start == 4000000000);
    assert_true(record.parent.pid == 50 && record.parent.start == 1000000000);
    const struct process *process = &record.process;
    assert_true(process->pid == 100 && process->ppid == 50);
    assert_true(process->uid == 1 && process->euid == 2 && process->gid == 3 && process->egid == 4);
    assert_true(process->loginuid == 4294967295 && process->session == 6);
    assert_int_equal(process->cgroup_id, 9);
    assert_text(process->comm, "name");
    assert_text(process->filename, "./s");
    assert_text(process->interpreter, "/bin/sh");
    assert_text(process->exe, "/usr/bin/dash");
    assert_text(process->exe_device, "254:3");
    assert_text(process->exe_mode, "4755");
    assert_true(process->exe_inode == 1234 && process->exe_nlink == 1);
    assert_true(process->exe_setuid && !process->exe_setgid && !process->exe_deleted);
    assert_true(!process->exe_memfd && !process->exe_truncated && !process->cmdline_truncated);
    assert_text(process->cwd, "/a/b");
    assert_true(field_set_has(&process->has, FIELD_CWD_TRUNCATED) && !process->cwd_truncated);
    assert_true(field_set_has(&process->has, FIELD_FILENAME_TRUNCATED));
    assert_false(process->filename_truncated);
    assert_true(text_equal(process->argv, script.argv));
    assert_text(process->cmdline, "/bin/sh ./s");
    assert_true(process->argc == 2 && process->cmdline_length == 11);
    assert_false(field_set_has(&process->has, FIELD_TTY));
    assert_false(field_set_has(&process->has, FIELD_START_TIME));
}

static void test_cut_texts(void **state)
{
    struct texts texts = script;
    struct record record;

    texts.argv.len -= 2; /* "/bin/sh\0./" */
    struct wire_exec exec = exec_of(&texts);
    exec.process.flags = WIRE_ARGV_CUT | WIRE_EXE_CUT | WIRE_CWD_CUT | WIRE_FILENAME_CUT;
    exec.args_length = 99;
    exec_put(&exec, &texts);
    assert_int_equal(decode(&record), 0);
    assert_true(record.process.exe_truncated && record.process.cmdline_truncated);
    assert_text(record.process.exe, "usr/bin/dash");
    assert_text(record.process.cwd, "a/b");
    assert_true(record.process.cwd_truncated && record.process.filename_truncated);
    assert_text(record.process.filename, "./s");
    assert_true(text_equal(record.process.argv, (struct text){LITERAL("/bin/sh\0./\0")}));
    assert_text(record.process.cmdline, "/bin/sh ./");
    assert_int_equal(record.process.cmdline_length, 98);
}

static void test_each_flag_is_of_its_own_text(void **state)
{
    static const uint32_t flags[] = {WIRE_EXE_CUT, WIRE_CWD_CUT, WIRE_FILENAME_CUT, WIRE_ARGV_CUT};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct wire_exec exec = exec_of(&script);
        struct record record;

        exec.process.flags = flags[i];
        exec_put(&exec, &script);
        assert_int_equal(decode(&record), 0);
        assert_true(record.process.exe_truncated == (flags[i] == WIRE_EXE_CUT));
        assert_true(record.process.cwd_truncated == (flags[i] == WIRE_CWD_CUT));
        assert_true(record.process.filename_truncated == (flags[i] == WIRE_FILENAME_CUT));
        assert_true(record.process.cmdline_truncated == (flags[i] == WIRE_ARGV_CUT));
    }
}

/* A folder of a tree that is mounted nowhere, and a filename that could not be read. */
static void test_nothing_of_a_text(void **state)
{
    struct texts texts = {.exe = {LITERAL("x\0")}, .argv = {LITERAL("x\0")}};
    struct wire_exec exec = exec_of(&texts);
    struct record record;

    exec.process.flags = WIRE_CWD_CUT | WIRE_FILENAME_CUT;
    exec_put(&exec, &texts);
    assert_int_equal(decode(&record), 0);
    assert_text(record.process.cwd, "");
    assert_true(field_set_has(&record.process.has, FIELD_CWD));
    assert_true(record.process.cwd_truncated);
    assert_false(field_set_has(&record.process.has, FIELD_FILENAME));
    assert_true(field_set_has(&record.process.has, FIELD_FILENAME_TRUNCATED));
    assert_true(record.process.filename_truncated);
}

static void test_root_and_memfd(void **state)
{
    struct texts texts = {.filename = {LITERAL("x\0")}, .exe = {LITERAL("memfd:a/b\0")}};
    struct wire_exec exec = exec_of(&texts);
    struct record record;

    exec.process.flags = WIRE_MEMFD | WIRE_ARGV_FAULT | WIRE_NO_AUDIT | WIRE_NO_ARGC;
    exec.mode = 0102644;
    exec.nlink = 0;
    exec_put(&exec, &texts);
    assert_int_equal(decode(&record), 0);
    assert_text(record.process.cwd, "/");
    assert_text(record.process.exe, "/memfd:a/b");
    assert_text(record.process.exe_mode, "2644");
    assert_true(record.process.exe_memfd && record.process.exe_deleted);
    assert_true(record.process.exe_setgid && !record.process.exe_setuid);
    assert_true(record.process.cmdline_truncated);
    static const enum field_id absent[] = {FIELD_ARGV,     FIELD_CMDLINE, FIELD_ARGC,
                                           FIELD_LOGINUID, FIELD_SESSION, FIELD_INTERPRETER};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_false(field_set_has(&record.process.has, absent[i]));
}

static void test_terminals(void **state)
{
    static const struct {
        unsigned major, minor;
        const char *name;
    } terminals[] = {{136, 0, "pts/0"}, {136, 300, "pts/300"}, {137, 1, "pts/257"}, {4, 1, "tty1"},
                     {4, 63, "tty63"},  {4, 64, "ttyS0"},      {204, 64, "204:64"}, {5, 1, "5:1"}};

    for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++) {
        struct wire_fork forked = {process_of(WIRE_FORK)};
        struct record record;

        forked.process.tty = terminals[i].major << 20 | terminals[i].minor;
        begin(&forked, sizeof(forked));
        assert_int_equal(decode(&record), 0);
        assert_text(record.process.tty, terminals[i].name);
    }
}

static void test_exec_failed(void **state)
{
    struct wire_exec_failed failed = {.process = process_of(WIRE_EXEC_FAILED),
                                      .retval = -2,
                                      .argc = 2,
                                      .filename_length = 3,
                                      .argv_length = 5};
    struct record record;

    begin(&failed, sizeof(failed));
    put(LITERAL("/x\0a\0bc\0"));
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_EXEC_FAILED);
    assert_int_equal(record.retval, -2);
    assert_text(record.process.filename, "/x");
    assert_text(record.process.cmdline, "a bc");
    assert_true(record.process.argc == 2 && record.process.cmdline_length == 4);
    assert_false(field_set_has(&record.process.has, FIELD_EXE));
    assert_false(field_set_has(&record.process.has, FIELD_CWD_TRUNCATED));
    assert_true(field_set_has(&record.process.has, FIELD_FILENAME_TRUNCATED));
    assert_false(record.process.filename_truncated);
    failed.process.flags = WIRE_FILENAME_CUT;
    begin(&failed, sizeof(failed));
    put(LITERAL("/x\0a\0bc\0"));
    assert_int_equal(decode(&record), 0);
    assert_true(record.process.filename_truncated);
    assert_text(record.process.filename, "/x");
}

static void test_exit_and_fork(void **state)
{
    struct wire_exit ended = {.process = process_of(WIRE_EXIT), .status = 0x8b};
    struct wire_fork forked = {process_of(WIRE_FORK)};
    struct record record;

    memset(forked.process.comm, 'c', sizeof(forked.process.comm)); /* no NUL */
    begin(&ended, sizeof(ended));
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_EXIT);
    assert_int_equal(record.exit_status, 0x8b);
    begin(&forked, sizeof(forked));
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_FORK);
    assert_text(record.process.comm, "cccccccccccccccc");
}

/* The ring pads a record; what is behind it is not looked at. */
static void test_padding(void **state)
{
    struct wire_exec exec = exec_of(&script);
    struct record record;

    exec_put(&exec, &script);
    assert_int_equal(decode(&record), 0);
    assert_int_equal(decode_len(sample.len + 7, &record), 0);
    assert_text(record.process.cmdline, "/bin/sh ./s");
}

static void test_every_shorter_length_is_refused(void **state)
{
    struct wire_exec exec = exec_of(&script);
    struct record record;

    exec_put(&exec, &script);
    size_t whole = sample.len;
    for (size_t len = 0; len < whole; len++) {
        assert_int_equal(decode_len(len, &record), -EBADMSG);
        sample.len = len;
        if (len >= sizeof(struct wire_header))
            assert_int_equal(decode(&record), -EBADMSG);
    }
}

static void assert_refused(struct wire_exec exec)
{
    struct record record = {.cpu = 4711};

    exec_put(&exec, &script);
    assert_int_equal(decode(&record), -EBADMSG);
    assert_int_equal(record.cpu, 4711); /* untouched */
}

static void test_what_does_not_add_up_is_refused(void **state)
{
    struct wire_exec exec = exec_of(&script);

    exec.process.header.version++;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.process.header.type = WIRE_TYPES;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.argv_length--; /* a byte too many */
    assert_refused(exec);
    exec.argv_length += 2; /* one too few */
    assert_refused(exec);
    exec = exec_of(&script);
    exec.filename_length--; /* each text now ends a byte early, not with a NUL */
    exec.argv_length++;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.exe_length++;
    exec.cwd_length--;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.args_length = exec.argv_length - 1;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.filename_length = 65535;
    exec.interpreter_length = 65535;
    assert_refused(exec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_cut_texts),
        cmocka_unit_test(test_each_flag_is_of_its_own_text),
        cmocka_unit_test(test_nothing_of_a_text),
        cmocka_unit_test(test_root_and_memfd),
        cmocka_unit_test(test_terminals),
        cmocka_unit_test(test_exec_failed),
        cmocka_unit_test(test_exit_and_fork),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_every_shorter_length_is_refused),
        cmocka_unit_test(test_what_does_not_add_up_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
