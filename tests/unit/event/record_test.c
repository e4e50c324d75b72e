#include "wire_records.h"

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
    assert_true(process->suid == 7 && process->sgid == 8);
    assert_true(process->pgid == 99 && process->sid == 98);
    assert_true(process->securebits == 1 << 4 && process->cap_effective == 1 << 13);
    assert_true(process->cap_permitted == 1LL << 40 && process->cap_ambient == 5);
    assert_int_equal(process->cap_inheritable, INT64_MIN); /* bit 63 */
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
        struct wire_fork forked = {.process = process_of(WIRE_FORK)};
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

static const enum field_id of_every_record[] = {
    FIELD_PID,
    FIELD_PPID,
    FIELD_COMM,
    FIELD_UID,
    FIELD_EUID,
    FIELD_SUID,
    FIELD_GID,
    FIELD_EGID,
    FIELD_SGID,
    FIELD_LOGINUID,
    FIELD_SESSION,
    FIELD_PGID,
    FIELD_SID,
    FIELD_CGROUP_ID,
    FIELD_CAP_EFFECTIVE,
    FIELD_CAP_PERMITTED,
    FIELD_CAP_INHERITABLE,
    FIELD_CAP_AMBIENT,
    FIELD_SECUREBITS,
};

static void test_exit_and_fork(void **state)
{
    struct wire_exit ended = {.process = process_of(WIRE_EXIT), .status = 0x8b};
    struct wire_fork forked = {.process = process_of(WIRE_FORK)};
    struct record record;

    forked.creator_tgid = 51;
    forked.creator_start = 2000000000;
    memset(forked.process.comm, 'c', sizeof(forked.process.comm)); /* no NUL */
    begin(&ended, sizeof(ended));
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_EXIT);
    assert_int_equal(record.exit_status, 0x8b);
    begin(&forked, sizeof(forked));
    assert_int_equal(decode(&record), 0);
    assert_int_equal(record.type, EVENT_FORK);
    assert_true(record.creator.pid == 51 && record.creator.start == 2000000000);
    assert_text(record.process.comm, "cccccccccccccccc");
    struct field_set left = record.process.has;

    for (size_t i = 0; i < sizeof(of_every_record) / sizeof(of_every_record[0]); i++) {
        assert_true(has(&record, of_every_record[i]));
        field_set_remove(&left, of_every_record[i]);
    }
    assert_true(left.bits[0] == 0 && left.bits[1] == 0); /* and no others */
    forked.process.pgid = forked.process.sid = 0;        /* a thread of the kernel */
    begin(&forked, sizeof(forked));
    assert_int_equal(decode(&record), 0);
    assert_false(has(&record, FIELD_PGID) || has(&record, FIELD_SID));
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
    exec.env_total = exec.env_length - 1;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.cwd_length--;
    exec.cgroup_length++;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.cgroup_length--;
    exec.argv_length++;
    exec.args_length++;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.argv_tail_length = exec.env_length; /* beyond what all arguments are */
    exec.env_length = 0;
    assert_refused(exec);
    exec = exec_of(&script);
    exec.process.flags = WIRE_FILTERED; /* those have no texts */
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
