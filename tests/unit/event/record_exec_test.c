/* What only the record of a successful exec says. */
#include "wire_records.h"

#include <sys/socket.h>
#include <sys/stat.h>

static void decode_exec(const struct wire_exec *exec, const struct texts *texts,
                        struct record *record)
{
    exec_put(exec, texts);
    assert_int_equal(decode(record), 0);
}

static void test_the_file(void **state)
{
    struct wire_exec exec = exec_of(&script);
    struct record record;
    const struct process *process = &record.process;

    exec.size = 5000000000;
    exec.mtime = 1700000000000000001;
    exec.ctime = 1700000000000000002;
    exec.owner = 4294967295;
    exec.group = 12;
    exec.mode = S_IFREG | 0757;
    exec.process.flags = WIRE_UPPER;
    memcpy(exec.filesystem, "sixteen-bytes-xx", 16); /* no NUL */
    decode_exec(&exec, &script, &record);
    assert_int_equal(process->exe_size, 5000000000);
    assert_int_equal(process->exe_mtime, 1700000000000000001);
    assert_int_equal(process->exe_ctime, 1700000000000000002);
    assert_true(process->exe_uid == 4294967295 && process->exe_gid == 12);
    assert_true(process->exe_writable && process->exe_upper);
    assert_false(process->exe_tmpfs);
    assert_text(process->exe_filesystem, "sixteen-bytes-xx");
    assert_false(has(&record, FIELD_EXE_AGE) || has(&record, FIELD_EXE_OWNER));
    exec = exec_of(&script);
    memcpy(exec.filesystem, "tmpfs", 6);
    decode_exec(&exec, &script, &record);
    assert_true(process->exe_tmpfs);
    assert_false(process->exe_writable || process->exe_upper);
    exec = exec_of(&script);
    decode_exec(&exec, &script, &record);
    assert_false(has(&record, FIELD_EXE_FILESYSTEM) || has(&record, FIELD_EXE_TMPFS));
}

static void test_namespaces(void **state)
{
    struct wire_exec exec = exec_of(&script);
    struct record record;
    const struct process *process = &record.process;

    exec.namespaces = (struct wire_namespaces){
        .cgroup = 1, .ipc = 2, .mnt = 3, .net = 4, .pid = 5, .user = 6, .uts = 4294967295};
    exec.vpid = 77;
    decode_exec(&exec, &script, &record);
    assert_true(process->ns_cgroup == 1 && process->ns_ipc == 2 && process->ns_mnt == 3);
    assert_true(process->ns_net == 4 && process->ns_pid == 5 && process->ns_user == 6);
    assert_int_equal(process->ns_uts, 4294967295);
    assert_int_equal(process->vpid, 77);
    exec.namespaces.net = 0;
    exec.vpid = 0;
    decode_exec(&exec, &script, &record);
    assert_false(has(&record, FIELD_NS_NET) || has(&record, FIELD_VPID));
}

static void test_descriptors(void **state)
{
    static const struct {
        struct wire_stdio file;
        const char *kind;
    } kinds[] = {
        {{.mode = 0}, "closed"},
        {{.mode = 0600}, "anon"},
        {{.mode = S_IFIFO | 0600}, "pipe"},
        {{.mode = S_IFREG | 0644}, "file"},
        {{.mode = S_IFREG}, "file"},
        {{.mode = S_IFDIR | 0755}, "directory"},
        {{.mode = S_IFCHR | 0666, .device = 1 << 20 | 3}, "null"},
        {{.mode = S_IFCHR | 0666, .device = 1 << 20 | 5}, "device"},
        {{.mode = S_IFBLK | 0660, .device = 136 << 20}, "device"},
        {{.mode = S_IFCHR | 0620, .device = 136 << 20 | 9}, "tty"},
        {{.mode = S_IFCHR | 0620, .device = 143 << 20 | 1}, "tty"},
        {{.mode = S_IFCHR | 0620, .device = 5 << 20 | 1}, "tty"},
        {{.mode = S_IFCHR | 0620, .device = 4 << 20 | 64}, "tty"},
        {{.mode = S_IFCHR | 0620, .device = 144 << 20}, "device"},
        {{.mode = S_IFSOCK | 0777, .family = AF_INET}, "inet"},
        {{.mode = S_IFSOCK | 0777, .family = AF_INET6}, "inet"},
        {{.mode = S_IFSOCK | 0777, .family = AF_UNIX}, "unix"},
        {{.mode = S_IFSOCK | 0777, .family = AF_NETLINK}, "netlink"},
        {{.mode = S_IFSOCK | 0777, .family = AF_VSOCK}, "socket"},
        {{.mode = S_IFSOCK | 0777, .family = 65535}, "socket"},
    };
    struct record record;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct wire_exec exec = exec_of(&script);

        exec.stdio[i % 3] = kinds[i].file;
        decode_exec(&exec, &script, &record);
        const struct text seen[] = {record.process.stdin, record.process.stdout,
                                    record.process.stderr};

        for (size_t k = 0; k < 3; k++)
            assert_text(seen[k], k == i % 3 ? kinds[i].kind : "closed");
    }
}

static void test_capabilities_of_the_file(void **state)
{
    enum { INITIAL_NS, OTHER_NS };
    static const struct {
        uint32_t uid, euid, user_namespace, securebits;
        uint64_t permitted, ambient;
        int expected; /* -1: cannot be told */
    } cases[] = {
        {1000, 1000, INITIAL_NS, 0, 0, 0, 0},
        {1000, 1000, INITIAL_NS, 0, 8, 0, 1},
        {1000, 1000, INITIAL_NS, 0, 8, 8, 0},
        {1000, 1000, INITIAL_NS, 0, 12, 8, 1},
        {0, 0, INITIAL_NS, 0, 8, 0, 0},
        {1000, 0, INITIAL_NS, 0, 8, 0, 0},
        {0, 1000, INITIAL_NS, 0, 8, 0, 0},
        {0, 0, INITIAL_NS, 1, 8, 0, 1},
        {0, 0, INITIAL_NS, 1, 8, 8, 0},
        {1000, 1000, OTHER_NS, 0, 0, 0, 0},
        {1000, 1000, OTHER_NS, 0, 8, 0, -1},
        {1000, 1000, OTHER_NS, 1, 8, 0, 1},
        {1000, 1000, INITIAL_NS, 0, 1ULL << 40, 0, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire_exec exec = exec_of(&script);
        struct wire_credentials *credentials = &exec.process.credentials;
        struct record record;

        credentials->uid = cases[i].uid;
        credentials->euid = cases[i].euid;
        credentials->securebits = cases[i].securebits;
        credentials->permitted = cases[i].permitted;
        credentials->ambient = cases[i].ambient;
        if (cases[i].user_namespace == OTHER_NS)
            exec.namespaces.user = 4026532000;
        decode_exec(&exec, &script, &record);
        assert_int_equal(has(&record, FIELD_EXE_FILECAPS), cases[i].expected >= 0);
        if (cases[i].expected >= 0)
            assert_int_equal(record.process.exe_filecaps, cases[i].expected);
    }
}

static void assert_script(struct text filename, struct text cwd, uint32_t flags,
                          const char *expected)
{
    struct texts texts = script;
    struct record record;

    texts.filename = filename;
    texts.cwd = cwd;
    struct wire_exec exec = exec_of(&texts);

    exec.process.flags = flags;
    decode_exec(&exec, &texts, &record);
    assert_int_equal(has(&record, FIELD_SCRIPT), expected != NULL);
    if (expected)
        assert_text(record.process.script, expected);
}

#define BYTES(literal) ((struct text){LITERAL(literal)})

static void test_scripts(void **state)
{
    struct texts texts = script;
    struct record record;

    assert_script(BYTES("./s\0"), BYTES("b\0a\0"), 0, "/a/b/s");
    assert_script(BYTES("s\0"), BYTES(""), 0, "/s");
    assert_script(BYTES("s\0"), BYTES("b\0"), WIRE_CWD_CUT, NULL);
    assert_script(BYTES("../x//./s\0"), BYTES("b\0a\0"), 0, "/a/b/../x/s");
    assert_script(BYTES("/opt/s\0"), BYTES("b\0"), WIRE_CWD_CUT, "/opt/s");
    assert_script(BYTES("/dev/fd/5\0"), BYTES("b\0"), 0, "/dev/fd/5");
    assert_script(BYTES("/dev/fd/5/./sub/s\0"), BYTES("b\0"), 0, "/dev/fd/5/sub/s");
    assert_script(BYTES("/opt/s\0"), BYTES("b\0"), WIRE_FILENAME_CUT, NULL);
    assert_script(BYTES("\0"), BYTES("b\0"), 0, NULL);
    assert_script(BYTES(""), BYTES("b\0"), 0, NULL);
    texts.interpreter = BYTES("");
    struct wire_exec exec = exec_of(&texts);

    decode_exec(&exec, &texts, &record);
    assert_false(has(&record, FIELD_SCRIPT));
}

static void test_relative_filenames(void **state)
{
    struct texts texts = script;
    struct record record;

    texts.interpreter = BYTES("");
    texts.filename = BYTES("./x/../sh\0");
    texts.cwd = BYTES("b\0a\0");
    struct wire_exec exec = exec_of(&texts);

    decode_exec(&exec, &texts, &record);
    assert_text(record.process.filename, "./x/../sh");
    assert_text(record.process.filename_absolute, "/a/b/x/../sh");
    exec.process.flags = WIRE_CWD_CUT;
    decode_exec(&exec, &texts, &record);
    assert_false(has(&record, FIELD_FILENAME_ABSOLUTE));
    texts.filename = BYTES("/bin/sh\0");
    exec = exec_of(&texts);
    decode_exec(&exec, &texts, &record);
    assert_false(has(&record, FIELD_FILENAME_ABSOLUTE));
}

static void test_both_ends_of_long_arguments(void **state)
{
    struct texts texts = script;
    struct record record;

    texts.argv = BYTES("sh\0-c\0begin"); /* cut within the third */
    texts.argv_tail = BYTES("end\0last\0");
    struct wire_exec exec = exec_of(&texts);

    exec.args_length = 1000;
    exec.process.flags = WIRE_ARGV_CUT;
    decode_exec(&exec, &texts, &record);
    assert_true(text_equal(record.process.argv, TEXT("sh\0-c\0begin\0end\0last\0")));
    assert_text(record.process.cmdline, "sh -c begin end last");
    assert_int_equal(record.process.cmdline_length, 999);
    assert_int_equal(record.process.cmdline_omitted, 1000 - 11 - 9);
    assert_true(record.process.cmdline_truncated);
    texts.argv = BYTES(""); /* all that is there is the end */
    texts.argv_tail = BYTES("x");
    exec = exec_of(&texts);
    exec.process.flags = WIRE_ARGV_CUT;
    decode_exec(&exec, &texts, &record);
    assert_true(text_equal(record.process.argv, TEXT("x\0")));
    exec = exec_of(&script);
    decode_exec(&exec, &script, &record);
    assert_true(has(&record, FIELD_CMDLINE_OMITTED));
    assert_int_equal(record.process.cmdline_omitted, 0);
}

static void test_chosen_environment(void **state)
{
    static const char *const names[] = {"LD_PRELOAD", "EMPTY", "SSH", "NONE"};
    struct wire_exec exec = exec_of(&script);
    struct record record;

    scratch.environment = names;
    scratch.environment_count = sizeof(names) / sizeof(names[0]);
    exec.env_total = 999;
    exec.process.flags = WIRE_ENV_CUT;
    decode_exec(&exec, &script, &record);
    assert_true(text_equal(record.process.env, TEXT("LD_PRELOAD=x.so\0EMPTY=\0")));
    assert_int_equal(record.process.env_length, 999);
    assert_true(record.process.env_truncated);
    scratch.environment = names + 3;
    scratch.environment_count = 1;
    exec = exec_of(&script);
    decode_exec(&exec, &script, &record);
    assert_false(has(&record, FIELD_ENV));
    assert_true(has(&record, FIELD_ENV_TRUNCATED));
    assert_false(record.process.env_truncated);
    scratch.environment_count = 0;
    struct texts texts = script;

    texts.env = BYTES("");
    exec = exec_of(&texts);
    exec.process.flags = WIRE_NO_ENV;
    decode_exec(&exec, &texts, &record);
    assert_false(has(&record, FIELD_ENV) || has(&record, FIELD_ENV_LENGTH));
    assert_false(has(&record, FIELD_ENV_TRUNCATED));
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_cgroups(void **state)
{
    struct texts texts = script;
    struct wire_exec exec = exec_of(&texts);
    struct record record;

    decode_exec(&exec, &texts, &record);
    assert_text(record.process.cgroup_path, "/system.slice/ssh.service");
    assert_false(has(&record, FIELD_CONTAINER_ID) || has(&record, FIELD_CONTAINER_RUNTIME));
    texts.cgroup = BYTES("docker-" ID ".scope\0system.slice\0");
    exec = exec_of(&texts);
    decode_exec(&exec, &texts, &record);
    assert_text(record.process.container_id, ID);
    assert_text(record.process.container_runtime, "docker");
    texts.cgroup = BYTES("");
    exec = exec_of(&texts);
    decode_exec(&exec, &texts, &record);
    assert_text(record.process.cgroup_path, "/");
    exec.process.flags = WIRE_CGROUP_CUT;
    decode_exec(&exec, &texts, &record);
    assert_false(has(&record, FIELD_CGROUP_PATH));
    texts.cgroup = BYTES("machine-a\\x2db.scope\0machine.slice\0");
    exec = exec_of(&texts);
    exec.process.flags = WIRE_CGROUP_CUT;
    decode_exec(&exec, &texts, &record);
    assert_text(record.process.cgroup_path, "machine.slice/machine-a\\x2db.scope");
    assert_text(record.process.container_id, "a-b");
}

static void test_what_a_filter_left_out(void **state)
{
    static const struct texts none;
    struct wire_exec exec = exec_of(&none);
    struct record record;

    exec.process.flags = WIRE_FILTERED;
    decode_exec(&exec, &none, &record);
    assert_true(record.filtered);
    assert_true(record.self.pid == 100 && record.parent.pid == 50);
    assert_true(has(&record, FIELD_PID) && has(&record, FIELD_PPID));
    field_set_remove(&record.process.has, FIELD_PID);
    field_set_remove(&record.process.has, FIELD_PPID);
    assert_true(record.process.has.bits[0] == 0 && record.process.has.bits[1] == 0);
    exec = exec_of(&script);
    decode_exec(&exec, &script, &record);
    assert_false(record.filtered);
}

/* Everything as long as a record can have it: nothing moves while it is put together. */
static void test_the_longest_texts(void **state)
{
    static const char *const names[] = {"A"};
    static char names_of_one[16000], path[16000], arguments[15000], env[6000];
    struct texts texts = {.interpreter = BYTES("i\0")};
    struct record record;

    for (size_t i = 0; i < sizeof(names_of_one); i += 2)
        names_of_one[i] = 'n';
    memset(path, 'f', sizeof(path) - 1);
    memset(env, 'e', sizeof(env));
    env[0] = 'A';
    env[1] = '=';
    texts.filename = (struct text){path, sizeof(path)};
    texts.cwd = (struct text){names_of_one, sizeof(names_of_one)};
    texts.argv = (struct text){arguments, sizeof(arguments)}; /* empty ones */
    texts.exe = (struct text){names_of_one, 8000};
    texts.env = (struct text){env, sizeof(env)};
    struct wire_exec exec = exec_of(&texts);

    scratch.environment = names;
    scratch.environment_count = 1;
    record_scratch_deinit(&scratch);
    exec.process.flags = WIRE_ENV_CUT;
    decode_exec(&exec, &texts, &record);
    assert_int_equal(record.process.script.len, 16000 + 1 + 15999);
    assert_true(text_starts(record.process.script, TEXT("/n/n/")));
    assert_text((struct text){record.process.exe.ptr, 4}, "/n/n");
    assert_int_equal(record.process.cmdline.len, sizeof(arguments) - 1);
    assert_int_equal(record.process.env.len, sizeof(env) + 1);
    assert_true(text_starts(record.process.env, TEXT("A=ee")));
    assert_text(record.process.exe_mode, "4755");
    scratch.environment_count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_capabilities_of_the_file),
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_relative_filenames),
        cmocka_unit_test(test_both_ends_of_long_arguments),
        cmocka_unit_test(test_chosen_environment),
        cmocka_unit_test(test_cgroups),
        cmocka_unit_test(test_what_a_filter_left_out),
        cmocka_unit_test(test_the_longest_texts),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
