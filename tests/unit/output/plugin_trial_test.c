/* The conformance kit: what comes with picket passes it, what breaks the contract does not. */
#include "receiver.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "output/plugin_trial.h"

struct outcome {
    unsigned passed;
    struct buffer failures; /* "check: why\n" */
};

static void outcome_deinit(struct outcome *outcome)
{
    buffer_deinit(&outcome->failures);
}

static void on_check(void *context, const char *check, const char *failure, struct text said)
{
    struct outcome *outcome = context;

    outcome->passed += failure == NULL;
    if (failure)
        buffer_printf(&outcome->failures, "%s: %s\n%.*s", check, failure, TEXT_ARG(said));
}

static int try(const char *argument, struct outcome *outcome)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct output_config *configs;
    size_t count;

    assert_int_equal(0, output_config_parse(&argument, 1, &arena, &diags, &configs, &count));
    assert_int_equal(1, count);
    return plugin_trial_run(
        &(struct plugin_trial){.config = configs, .report = on_check, .context = outcome});
}

static void expect_pass(const char *argument, unsigned least)
{
    CLEANUP(outcome_deinit) struct outcome outcome = {0};
    int failures = try(argument, &outcome);

    if (failures)
        fail_msg("%s: %s", argument, buffer_string(&outcome.failures));
    assert_true(outcome.passed >= least);
}

static void expect_failure(const char *argument, const char *why)
{
    CLEANUP(outcome_deinit) struct outcome outcome = {0};

    assert_true(try(argument, &outcome) > 0);
    if (!strstr(buffer_string(&outcome.failures), why))
        fail_msg("%s: not '%s' but %s", argument, why, buffer_string(&outcome.failures));
}

static void console_passes(void **state)
{
    expect_pass(RIG_PLUGIN_DIR "/console.so,path=/dev/null", 20);
}

static void json_passes(void **state)
{
    expect_pass(RIG_PLUGIN_DIR "/json.so,path=/dev/null", 15);
}

/* Reads and forgets, as long as this process lives. */
static pid_t start_listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    static char bytes[1 << 20];

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(0, bind(fd, (const struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, chmod(path, 0666));
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (recv(fd, bytes, sizeof bytes, 0) >= 0)
            continue;
        _exit(0);
    }
    close(fd);
    return pid;
}

static void syslog_passes(void **state)
{
    struct rig rig;

    rig_init(&rig);
    pid_t pid = start_listener(rig_path(&rig, "log"));

    expect_pass(
        arena_printf(&rig.arena, RIG_PLUGIN_DIR "/syslog.so,socket=%s", rig_path(&rig, "log")), 25);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rig_deinit(&rig);
}

/* The plugin as ARGUMENT says, the port of SCRIPT's server at its end. */
static void expect_pass_with(const char *script, const char *argument, unsigned least)
{
    const char *const none[] = {NULL};
    struct rig rig;
    struct receiver receiver = {.rig = &rig, .script = script};

    if (!receiver_is_possible(script))
        skip();
    rig_init(&rig);
    receiver_start(&receiver, none);
    expect_pass(arena_printf(&rig.arena, "%s/%s:%d", RIG_PLUGIN_DIR, argument, receiver.port),
                least);
    receiver_stop(&receiver);
    rig_deinit(&rig);
}

static void webhook_passes(void **state)
{
    expect_pass_with(HTTP_SERVER, "webhook.so,url=http://127.0.0.1", 60);
}

static void smtp_passes(void **state)
{
    expect_pass_with(SMTP_SERVER,
                     "smtp.so,every=0s,tls=never,from=a@b,to=c@d,server=smtp://127.0.0.1", 35);
}

static void journald_passes(void **state)
{
    struct rig rig;

    rig_init(&rig);
    pid_t pid = start_listener(rig_path(&rig, "log"));

    expect_pass(
        arena_printf(&rig.arena, RIG_PLUGIN_DIR "/journald.so,socket=%s", rig_path(&rig, "log")),
        20);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rig_deinit(&rig);
}

static void unix_passes(void **state)
{
    struct rig rig;

    rig_init(&rig);
    expect_pass(arena_printf(&rig.arena, RIG_PLUGIN_DIR "/unix.so,path=%s", rig_path(&rig, "s")),
                20);
    rig_deinit(&rig);
}

static void respond_passes(void **state)
{
    expect_pass(RIG_PLUGIN_DIR "/respond.so", 15);
}

static void exec_passes(void **state)
{
    expect_pass(RIG_PLUGIN_DIR "/exec.so,command=/bin/cat", 20);
}

static void files_are_moved_under_its_feet(void **state)
{
    struct rig rig;

    rig_init(&rig);
    assert_int_equal(0, chmod(rig.dir, 0777));
    expect_pass(arena_printf(&rig.arena, RIG_FILER ",path=%s", rig_path(&rig, "a")), 10);
    expect_failure(
        arena_printf(&rig.arena, RIG_HOSTILE ",mode=clings,path=%s", rig_path(&rig, "b")),
        "it goes on in the old one");
    assert_int_equal(-1, access(rig_path(&rig, "a.moved"), F_OK));
    rig_deinit(&rig);
}

static void breaches_are_found(void **state)
{
    expect_failure("/etc/passwd", "has a table: ");
    expect_failure(RIG_HOSTILE ",mode=open_fails", "the moon is not in the right phase");
    expect_failure(RIG_HOSTILE ",mode=open_sleeps,deadline=200ms", "did not answer within");
    expect_failure(RIG_HOSTILE ",mode=abort", "takes an alert: it ends its process");
    expect_failure(RIG_HOSTILE ",mode=sleep,deadline=200ms",
                   "takes an alert: it does not come back");
    expect_failure(RIG_HOSTILE ",mode=many", "takes an alert: it gives a verdict that cannot be");
    expect_failure(RIG_HOSTILE ",mode=descriptors,path=/dev/null", "takes an alert: it gives a");
    expect_failure(RIG_HOSTILE ",mode=close_aborts", "it does not close as it should");
    expect_failure(RIG_HOSTILE ",mode=close_closes,path=/dev/null", "closed a descriptor");
    expect_failure(RIG_HOSTILE ",mode=nonblocking,path=/dev/null", "changed the flags");
    expect_failure(RIG_HOSTILE ",mode=flush_fails", "it does not flush");
    expect_failure(RIG_HOSTILE ",mode=reject_silently", "it rejects");
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(console_passes),
        cmocka_unit_test(json_passes),
        cmocka_unit_test(syslog_passes),
        cmocka_unit_test(webhook_passes),
        cmocka_unit_test(smtp_passes),
        cmocka_unit_test(journald_passes),
        cmocka_unit_test(unix_passes),
        cmocka_unit_test(exec_passes),
        cmocka_unit_test(respond_passes),
        cmocka_unit_test(breaches_are_found),
        cmocka_unit_test(files_are_moved_under_its_feet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
