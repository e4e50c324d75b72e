#include "receiver.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

#define PYTHON       "/usr/bin/python3" /* Debian's: it has what Debian's packages bring */
#define ARGUMENT_MAX 16

static pid_t spawn(const char *const *arguments)
{
    pid_t pid;

    assert_int_equal(
        0, posix_spawn(&pid, arguments[0], NULL, NULL, (char *const *)arguments, environ));
    return pid;
}

static int await(pid_t pid)
{
    int status;

    assert_int_equal(pid, waitpid(pid, &status, 0));
    return status;
}

bool receiver_is_possible(const char *script)
{
    const char *const arguments[] = {PYTHON, script, "--help", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int r = posix_spawn(&pid, PYTHON, &actions, NULL, (char *const *)arguments, environ);

    posix_spawn_file_actions_destroy(&actions);
    if (r == 0 && await(pid) == 0)
        return true;
    if (getenv("CI"))
        fail_msg("%s does not run", script);
    return false;
}

static const char *with_folder(struct rig *rig, const char *argument)
{
    const char *at = strstr(argument, "@/");

    return at ? arena_printf(&rig->arena, "%.*s%s%s", (int)(at - argument), argument, rig->dir,
                             at + 1)
              : argument;
}

void receiver_start(struct receiver *receiver, const char *const *arguments)
{
    struct rig *rig = receiver->rig;
    const char *all[ARGUMENT_MAX] = {PYTHON, receiver->script, rig->dir,
                                     arena_printf(&rig->arena, "%d", receiver->port)};
    size_t count = 4;

    for (; *arguments && count < ARGUMENT_MAX - 1; arguments++)
        all[count++] = with_folder(rig, *arguments);
    unlink(rig_path(rig, "port"));
    receiver->pid = spawn(all);
    while (access(rig_path(rig, "port"), R_OK) < 0) {
        if (waitpid(receiver->pid, NULL, WNOHANG) != 0)
            fail_msg("%s ended", receiver->script);
        usleep(1000);
    }
    receiver->port = (int)strtol(rig_read(rig, "port").ptr, NULL, 10);
}

void receiver_stop(struct receiver *receiver)
{
    if (receiver->pid == 0)
        return;
    kill(receiver->pid, SIGKILL);
    await(receiver->pid);
    receiver->pid = 0;
}

void receiver_make_certificate(struct rig *rig, const char *name)
{
    const char *path = rig_path(rig, name);
    const char *key = arena_printf(&rig->arena, "%s.key", path);
    const char *const command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout \"$1\" -out \"$0\" "
        "2>/dev/null && cat \"$1\" >>\"$0\"";
    const char *const arguments[] = {"/bin/sh", "-c", command, path, key, NULL};

    assert_int_equal(0, await(spawn(arguments)));
}

json_t *receiver_read(struct rig *rig, const char *name)
{
    struct text rest = rig_read(rig, name);
    json_t *all = json_array();

    while (rest.len) {
        struct json_failure failure;
        json_t *one = NULL;

        assert_int_equal(0, json_parse(text_split(&rest, '\n'), &one, &failure));
        assert_int_equal(0, json_array_append_new(all, one));
    }
    return all;
}

const char *receiver_member(const json_t *got, const char *name)
{
    return json_string_value(json_object_get(got, name));
}

const char *receiver_header(const json_t *got, const char *name)
{
    return receiver_member(json_object_get(got, "headers"), name);
}
