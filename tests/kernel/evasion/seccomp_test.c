/* A filter of system calls on the way of execve: it refuses, it kills, or it hands the call to a
 * supervisor, who rewrites the arguments and lets it go on. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

/* ACTION for execve, all else is allowed. A listener's descriptor, where the action wants one. */
static int filter_install(unsigned action, unsigned flags)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static int trick_refused(void *start)
{
    if (filter_install(SECCOMP_RET_ERRNO | EXDEV, 0) < 0)
        return -1;
    trick_execve(start);
    _exit(errno == EXDEV ? 0 : 1);
}

static void test_refused(void **state)
{
    struct start start = {stage_witness(), just_witness};
    pid_t pid;

    assert_int_equal(stage_play_mute(trick_refused, &start, &pid), 0);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, pid, 0);

    assert_non_null(failed);
    assert_int_equal(failed->record.retval, -EXDEV);
    stage_assert_text(failed->process.filename, stage_witness());
    assert_null(stage_find(EVENT_EXEC, pid, 0));
}

static int trick_killed(void *start)
{
    return filter_install(SECCOMP_RET_KILL_PROCESS, 0) < 0 ? -1 : trick_execve(start);
}

/* There is no return from that call, so there is no failure; there is the end. */
static void test_killed(void **state)
{
    struct start start = {stage_witness(), just_witness};
    pid_t pid;
    int status = stage_play_mute(trick_killed, &start, &pid);

    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(stage_find(EVENT_EXIT, pid, 0)->record.exit_status, status);
    assert_null(stage_find(EVENT_EXEC, pid, 0));
}

static char argument[] = "list my files    ";

/* The supervisor is a child: it has the listener and is older than the exec. */
static int call_supervise(int listener, pid_t caller)
{
    static char truth[] = "steal /etc/shadow";
    struct seccomp_notif call = {0};
    struct iovec from = {truth, sizeof truth}, to = {argument, sizeof truth};

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0 ||
        process_vm_writev(caller, &from, 1, &to, 1, 0) < 0)
        return 1;
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0;
}

static int trick_supervised(void *start)
{
    int listener = filter_install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    pid_t caller = getpid();

    if (listener < 0)
        return -1;
    if (fork() == 0)
        _exit(call_supervise(listener, caller));
    close(listener);
    return trick_execve(start);
}

static void test_rewritten_by_a_supervisor(void **state)
{
    const char *argv[] = {"witness", argument, NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    stage_play(trick_supervised, &start, &said);
    stage_assert_text(stage_argument(stage_assert_true(&said), 1), "steal /etc/shadow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_rewritten_by_a_supervisor),
    };

    return STAGE_RUN("seccomp", tests);
}
