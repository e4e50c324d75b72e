/* Entries as a real journald takes them and a real journalctl shows them, in a namespace of
 * journald's own. */
#include "rig.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

#define JOURNALD  "/lib/systemd/systemd-journald"
#define NAMESPACE "picket"
#define SOCKET    "/run/systemd/journal." NAMESPACE "/socket"

#define EVENT                                                                                  \
    "{\"rule\":{\"tags\":[\"attack.execution\"]},\"event\":{\"type\":\"exec\",\"pid\":42,"     \
    "\"uid\":0,\"exe\":\"/tmp/a\",\"cmdline\":\"/tmp/a\\nPRIORITY=0\",\"parent\":{\"pid\":41," \
    "\"comm\":\"sh\"}}}"

struct journal_rig {
    struct rig rig;
    pid_t daemon;
};

/* What the daemon makes is in folders that only this process and its children see. */
static const char *const folders[] = {"/run", "/var/log"};
#define FOLDERS (sizeof folders / sizeof *folders)

static bool can_hide_folders(void)
{
    return access(JOURNALD, X_OK) == 0 && access("/etc/machine-id", R_OK) == 0 &&
           unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static pid_t start_journald(void)
{
    char *const arguments[] = {(char *)"systemd-journald", (char *)NAMESPACE, NULL};
    pid_t pid = 0;

    assert_int_equal(0, posix_spawn(&pid, JOURNALD, NULL, NULL, arguments, environ));
    while (access(SOCKET, W_OK) < 0) {
        assert_int_equal(0, waitpid(pid, NULL, WNOHANG));
        usleep(1000);
    }
    return pid;
}

static void stop(pid_t daemon)
{
    kill(daemon, SIGTERM);
    assert_int_equal(daemon, waitpid(daemon, NULL, 0));
}

static int set_up(void **state)
{
    static struct journal_rig journal;

    rig_init(&journal.rig);
    for (size_t i = 0; i < FOLDERS; i++)
        assert_int_equal(0, mount("tmpfs", folders[i], "tmpfs", 0, "mode=755"));
    journal.daemon = start_journald();
    *state = &journal;
    return 0;
}

static int tear_down(void **state)
{
    struct journal_rig *journal = *state;

    if (journal->daemon)
        stop(journal->daemon);
    rig_deinit(&journal->rig);
    for (size_t i = 0; i < FOLDERS; i++)
        assert_int_equal(0, umount2(folders[i], MNT_DETACH));
    return 0;
}

static void start(struct rig *rig, const char *options)
{
    const char *argument = arena_printf(&rig->arena, "journald,socket=" SOCKET "%s", options);

    rig_start(rig, &argument, 1);
}

/* All there is of picket's, a JSON object a line. What was sent before is in there. */
static struct text read_journal(struct rig *rig)
{
    const char *command = arena_printf(&rig->arena,
                                       "journalctl --namespace " NAMESPACE " --sync && "
                                       "journalctl --namespace " NAMESPACE " --all -q -o json "
                                       "MESSAGE_ID=4adf0de191af4535b0d9a2ccbfc3edaf >%s",
                                       rig_path(rig, "entries"));

    assert_int_equal(0, system(command)); /* NOLINT(cert-env33-c): names of ours only */
    return rig_read(rig, "entries");
}

static json_t *next_entry(struct text *entries)
{
    json_t *entry = NULL;
    struct json_failure failure;

    assert_true(entries->len > 0);
    assert_int_equal(0, json_parse(text_split(entries, '\n'), &entry, &failure));
    return entry;
}

static void expect_field(const json_t *entry, const char *name, const char *value)
{
    struct text got = json_as_text(json_object_get(entry, name));

    if (!text_is(got, value))
        fail_msg("%s is '%.*s', not '%s'", name, TEXT_ARG(got), value);
}

static void alerts_become_fields(void **state)
{
    struct journal_rig *journal = *state;
    struct rig *rig = &journal->rig;

    start(rig, ",format=text,template=%{event.pid}");
    assert_int_equal(0, rig_push_json(rig, "first\nsecond", EVENT));
    rig_drain(rig);
    struct text entries = read_journal(rig);
    CLEANUP(json_freep) json_t *entry = next_entry(&entries);

    expect_field(entry, "MESSAGE", "first\nsecond");
    expect_field(entry, "PRIORITY", "3");
    expect_field(entry, "SYSLOG_IDENTIFIER", "picket");
    expect_field(entry, "PICKET_ALERT_ID", "000001");
    expect_field(entry, "PICKET_RULE_ID", "tmp-binary");
    expect_field(entry, "PICKET_RULE_TITLE", "A program was run from /tmp");
    expect_field(entry, "PICKET_SEVERITY", "high");
    expect_field(entry, "PICKET_HOST", "h");
    expect_field(entry, "PICKET_PID", "42");
    expect_field(entry, "PICKET_EXE", "/tmp/a");
    expect_field(entry, "PICKET_CMDLINE", "/tmp/a\nPRIORITY=0");
    expect_field(entry, "PICKET_PARENT_COMM", "sh");
    expect_field(entry, "PICKET_TAGS", "[\"attack.execution\"]");
    expect_field(entry, "PICKET_ALERT", "42");
}

static bool is_too_large(size_t len)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/sys/net/core/wmem_max", "re");
    char line[32] = "";

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    return strtoul(line, NULL, 10) * 2 < len;
}

/* More than the kernel lets a datagram hold: the fields come all the same. */
static void what_is_too_large_comes_without_the_whole(void **state)
{
    struct journal_rig *journal = *state;
    struct rig *rig = &journal->rig;
    size_t len = 3 << 20;
    char *json = arena_alloc(&rig->arena, len + 1);

    assert_non_null(json);
    memset(json, ' ', len);
    memcpy(json, EVENT, strlen(EVENT));
    json[len] = '\0';
    start(rig, "");
    assert_int_equal(0, rig_push_json(rig, "large", json));
    rig_drain(rig);
    struct text entries = read_journal(rig);
    CLEANUP(json_freep) json_t *entry = next_entry(&entries);

    expect_field(entry, "MESSAGE", "large");
    expect_field(entry, "PICKET_EXE", "/tmp/a");
    assert_true(is_too_large(len) == (json_object_get(entry, "PICKET_ALERT") == NULL));
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

static void journald_may_be_away(void **state)
{
    struct journal_rig *journal = *state;
    struct rig *rig = &journal->rig;

    start(rig, "");
    rig_push(rig, 500, true);
    rig_drain(rig);
    read_journal(rig);
    stop(journal->daemon);
    rig_push(rig, 500, true);
    while (rig_counters(rig, 0).retries == 0)
        usleep(1000);
    journal->daemon = start_journald();
    rig_drain(rig);
    assert_int_equal(1000, rig_counters(rig, 0).delivered);
    struct text entries = read_journal(rig);

    for (unsigned i = 1; i <= 1000; i++) {
        CLEANUP(json_freep) json_t *entry = next_entry(&entries);

        expect_field(entry, "PICKET_ALERT_ID", arena_printf(&rig->arena, "%06u", i));
    }
    assert_int_equal(0, entries.len);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(alerts_become_fields),
        TEST(what_is_too_large_comes_without_the_whole),
        TEST(journald_may_be_away),
    };

    if (!can_hide_folders())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
