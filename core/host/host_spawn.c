#include "host/host_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "host/host.h"

/* What a plugin may need of the engine's environment; the rest is none of its business. */
static bool is_passed_on(const char *variable)
{
    static const char *const names[] = {"LANG=", "LC_", "TZ=", "TERM=", "NO_COLOR=", "COLORTERM="};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(text_from(variable), text_from(names[i])))
            return true;
    return false;
}

static size_t count_strings(const char *const *strings)
{
    size_t count = 0;

    while (strings && strings[count])
        count++;
    return count;
}

static char **make_environment(const struct host_launch *launch, struct arena *arena)
{
    const char *const *more = launch->tool ? launch->tool->environment : NULL;
    const char *const *all = (const char *const *)environ;
    size_t count = count_strings(all), added = count_strings(more), kept = 0;
    const char **environment = arena_array(arena, count + added + 1, sizeof *environment);

    for (size_t i = 0; environment && i < count; i++)
        if (is_passed_on(all[i]))
            environment[kept++] = all[i];
    if (environment && more)
        memcpy(environment + kept, more, added * sizeof *more);
    return (char **)environment;
}

/* By which a tool, too, can start this program. */
static const char *own_path(struct arena *arena)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    return len < 0 ? NULL : arena_text(arena, (struct text){path, (size_t)len}).ptr;
}

static const char **make_arguments(const struct host_launch *launch, struct arena *arena)
{
    const char *const *tool = launch->tool ? launch->tool->arguments : NULL;
    const char *const arguments[] = {count_strings(tool) ? own_path(arena) : "picket",
                                     launch->verb ? launch->verb : OUTPUT_HOST_VERB,
                                     launch->name,
                                     launch->path,
                                     arena_printf(arena, "%u", launch->uid),
                                     arena_printf(arena, "%u", launch->gid),
                                     arena_printf(arena, "%lld", (long long)launch->memory),
                                     arena_printf(arena, "%lld", (long long)launch->deadline),
                                     arena_printf(arena, "%u", launch->needs),
                                     arena_printf(arena, "%d", launch->apart),
                                     arena_printf(arena, "%d", launch->tool ? 0 : getpid())};
    size_t count = sizeof arguments / sizeof *arguments, before = count_strings(tool);
    const char **copy = arena_array(arena, before + count + 1, sizeof *copy);

    for (size_t i = 0; i < count; i++)
        if (!arguments[i])
            return NULL;
    if (copy && before)
        memcpy(copy, tool, before * sizeof *tool);
    if (copy)
        memcpy(copy + before, arguments, sizeof arguments);
    return copy;
}

/* The child's ends, above any number it will be given them as. */
struct child_ends {
    int socket, errors, module;
};

static int set_actions(posix_spawn_file_actions_t *actions, const struct child_ends *ends)
{
    int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->errors, STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->socket, OUTPUT_HOST_SOCKET);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->module, OUTPUT_HOST_MODULE);
    return r;
}

static void destroy_actions(posix_spawn_file_actions_t *actions)
{
    posix_spawn_file_actions_destroy(actions);
}

static void destroy_attributes(posix_spawnattr_t *attributes)
{
    posix_spawnattr_destroy(attributes);
}

static int spawn(const struct child_ends *ends, const struct host_launch *launch, pid_t *pid)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(destroy_actions) posix_spawn_file_actions_t actions;
    CLEANUP(destroy_attributes) posix_spawnattr_t attributes;
    const char **arguments = make_arguments(launch, &arena);
    char **environment = make_environment(launch, &arena);
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!arguments || !environment)
        return -ENOMEM;
    bool own = !launch->tool || count_strings(launch->tool->arguments) == 0;
    int r = set_actions(&actions, ends);

    if (r == 0)
        r = posix_spawnp(pid, own ? "/proc/self/exe" : arguments[0], &actions, &attributes,
                         (char *const *)arguments, environment);
    return -r;
}

/* Takes *FD to a number no action of the child writes over. */
static int lift(int *fd)
{
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, OUTPUT_HOST_MODULE + 1);

    if (lifted < 0)
        return -errno;
    close(*fd);
    *fd = lifted;
    return 0;
}

static void discard(const struct host_ends *ends)
{
    if (ends->pid) {
        kill(ends->pid, SIGKILL);
        /* It has only just been started: nothing can hold up its end. */
        waitpid(ends->pid, NULL, 0);
    }
    closep(&ends->pidfd);
    closep(&ends->socket);
    closep(&ends->errors);
}

/* Both ends of what it is talked to through: THEIRS as it is to have them. */
static int open_ends(struct host_ends *ours, struct child_ends *theirs)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ours->socket = pair[0];
    theirs->socket = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    ours->errors = pair[0];
    theirs->errors = pair[1];
    if (fcntl(ours->socket, F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(ours->errors, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    int r = lift(&theirs->socket);

    return r < 0 ? r : lift(&theirs->errors);
}

static void close_child_ends(const struct child_ends *ends)
{
    closep(&ends->socket);
    closep(&ends->errors);
    closep(&ends->module);
}

int host_spawn(const struct host_launch *launch, struct host_ends *out)
{
    CLEANUP(close_child_ends)
    struct child_ends theirs = {.socket = -1,
                                .errors = -1,
                                .module =
                                    fcntl(launch->module, F_DUPFD_CLOEXEC, OUTPUT_HOST_MODULE + 1)};
    struct host_ends ours = {.pidfd = -1, .socket = -1, .errors = -1};
    int r = theirs.module < 0 ? -errno : open_ends(&ours, &theirs);

    if (r == 0)
        r = spawn(&theirs, launch, &ours.pid);
    if (r == 0) {
        ours.pidfd = pidfd_open(ours.pid, 0);
        r = ours.pidfd < 0 ? -errno : 0;
    }
    if (r < 0) {
        discard(&ours);
        return r;
    }
    *out = ours;
    return 0;
}
