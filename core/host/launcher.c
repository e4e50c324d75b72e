#include "host/launcher.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/confinement.h"
#include "picket/plugin.h"

/* Starting a program takes a machine under load a while. */
#define CALL_TIME 10000 /* ms */

/* How often in a row orphans are looked for. */
#define ROUNDS_MAX 100

enum { OPERATION_START, OPERATION_KILL, OPERATION_REAP, OPERATION_STOP, OPERATION_CONTINUE };
enum { ARGUMENT_HOST };

/* The order of an answer's descriptors. */
enum { FILE_PIDFD, FILE_SOCKET, FILE_ERRORS, FILE_COUNT };
_Static_assert(FILE_COUNT <= BROKER_FILES, "an answer has room for them");

/* A host's process. */
struct child {
    pid_t pid; /* 0: none, or one that has ended */
    bool ended;
    int status;
};

/* What the launcher has, once it is forked. */
struct launcher_service {
    const struct launcher_options *options;
    bool apart; /* it is the first process of a pid namespace */
    struct child children[LAUNCHER_HOSTS_MAX];
};

/* Who looks for a plugin's mistakes looks at more than it may see. */
static bool has_tool(const struct launcher_service *service)
{
    return service->options->count && service->options->launches->tool;
}

static int64_t prepare(void *context, bool apart)
{
    struct launcher_service *service = context;

    service->apart = apart;
    if (has_tool(service))
        return 0;
    /* Without a pid namespace, too, what hosts leave behind is left to us. */
    if (!apart && service->options->needs & PICKET_NEEDS_PROGRAMS)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    return isolation_enter(service->options->needs) | (apart ? 0U : (unsigned)ISOLATION_PIDS);
}

/* Its first host: NULL when it has none. */
static const struct host_launch *first_launch(const struct launcher_options *options)
{
    for (size_t i = 0; i < options->count; i++)
        if (options->own >> i & 1)
            return &options->launches[i];
    return NULL;
}

static int confine(void *context)
{
    const struct launcher_service *service = context;
    const struct host_launch *launch = first_launch(service->options);

    return launch && !has_tool(service) ? confinement_enter_launcher(launch->uid, launch->gid) : 0;
}

/* A host may have started programs: then all there is in its pid namespace is its own. */
static bool has_programs(const struct launcher_service *service)
{
    return service->apart && service->options->needs & PICKET_NEEDS_PROGRAMS;
}

/* Until it is reaped its pid is nobody else's. */
static int signal_child(const struct launcher_service *service, const struct child *child,
                        int number)
{
    pid_t whom = has_programs(service) ? -1 : child->pid;

    return child->pid && kill(whom, number) < 0 ? -errno : 0;
}

static struct child *find_child(struct launcher_service *service, pid_t pid)
{
    for (size_t i = 0; i < service->options->count; i++)
        if (service->children[i].pid == pid)
            return &service->children[i];
    return NULL;
}

static bool has_host(const struct launcher_service *service)
{
    for (size_t i = 0; i < service->options->count; i++)
        if (service->children[i].pid)
            return true;
    return false;
}

/* Kills those there are now, some at least; false when there is none. */
static bool kill_children(void)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/thread-self/children", "re");
    char line[4096];
    struct text rest = file && fgets(line, sizeof line, file) ? text_from(line) : TEXT("");
    bool any = false;
    int64_t pid;

    /* Behind each is a space: what has none is cut off. */
    while (rest.ptr) {
        struct text number = text_split(&rest, ' ');

        if (rest.ptr && text_to_int(number, &pid) == 0)
            any |= kill((pid_t)pid, SIGKILL) == 0;
    }
    return any;
}

/* Programs whose host is gone, where no namespace ends with it. Each that dies may leave others.
 * What takes longer is seen to at the next request. */
static void end_orphans(const struct launcher_service *service)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    if (service->apart || !(service->options->needs & PICKET_NEEDS_PROGRAMS) || has_host(service))
        return;
    for (int round = 0; round < ROUNDS_MAX && kill_children(); round++) {
        nanosleep(&moment, NULL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
}

/* Hosts, and what they leave behind: the first process of a namespace gets everybody's orphans. */
static void collect(struct launcher_service *service)
{
    int status;

    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *child = find_child(service, pid);

        if (!child)
            continue;
        if (has_programs(service))
            kill(-1, SIGKILL);
        *child = (struct child){.ended = true, .status = status};
    }
    end_orphans(service);
}

static int answer_reap(struct child *child, struct broker_answer *out)
{
    if (child->pid)
        return -EAGAIN;
    if (!child->ended)
        return -ECHILD;
    child->ended = false;
    out->value = child->status;
    return 0;
}

static int answer_start(struct launcher_service *service, size_t host, struct broker_answer *out)
{
    struct host_launch launch = service->options->launches[host];
    struct host_ends ends;

    if (service->children[host].pid)
        return -EBUSY;
    launch.needs = service->options->needs;
    launch.apart = service->apart;
    int r = host_spawn(&launch, &ends);

    if (r < 0)
        return r;
    /* One whose descriptors never arrived has ended of itself. */
    service->children[host] = (struct child){.pid = ends.pid};
    *out = (struct broker_answer){
        .files =
            {[FILE_PIDFD] = ends.pidfd, [FILE_SOCKET] = ends.socket, [FILE_ERRORS] = ends.errors},
        .file_count = FILE_COUNT};
    return 0;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    struct launcher_service *service = context;
    uint64_t host = (uint64_t)request->arguments[ARGUMENT_HOST];

    collect(service);
    if (host >= service->options->count || !(service->options->own >> host & 1))
        return -EINVAL;
    struct child *child = &service->children[host];

    switch (request->operation) {
    case OPERATION_START:
        return answer_start(service, host, out);
    case OPERATION_KILL:
        return signal_child(service, child, SIGKILL);
    case OPERATION_STOP:
        return signal_child(service, child, SIGSTOP);
    case OPERATION_CONTINUE:
        return signal_child(service, child, SIGCONT);
    case OPERATION_REAP:
        return answer_reap(child, out);
    default:
        return -EINVAL;
    }
}

int launcher_start(struct launcher *launcher, const struct launcher_options *options)
{
    const uint64_t to_hosts = RIGHT(CAP_SETUID) | RIGHT(CAP_SETGID);
    struct launcher_service service = {.options = options};
    int modules[LAUNCHER_HOSTS_MAX];

    *launcher = LAUNCHER_NONE;
    if (options->count > LAUNCHER_HOSTS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < options->count; i++)
        modules[i] = options->own >> i & 1 ? options->launches[i].module : -1;
    return broker_start(&launcher->broker,
                        &(struct broker_service){.name = "picket-launcher",
                                                 .rights = {.uid = options->uid,
                                                            .gid = options->gid,
                                                            .kept = to_hosts | RIGHT(CAP_KILL),
                                                            .passed_on = to_hosts},
                                                 .files = modules,
                                                 .file_count = options->count,
                                                 .own_pids = true,
                                                 .prepare = prepare,
                                                 .confine = confine,
                                                 .answer = answer,
                                                 .context = &service});
}

void launcher_deinit(struct launcher *launcher)
{
    broker_deinit(&launcher->broker);
}

static int call(struct launcher *launcher, uint32_t operation, size_t host,
                struct broker_answer *out)
{
    const struct broker_request request = {.operation = operation,
                                           .arguments = {[ARGUMENT_HOST] = (int64_t)host}};

    return broker_call(&launcher->broker, &request, CALL_TIME, out);
}

/* The number that the process has here, whatever it is to its launcher. 1, nobody's of ours, when
 * it is not to be had: it serves to tell people of the process. */
static pid_t pid_of(int pidfd)
{
    char path[32], line[64];
    int64_t pid;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    CLEANUP(fclosep) FILE *file = fopen(path, "re");

    while (file && fgets(line, sizeof line, file)) {
        struct text value = text_from(line);

        if (text_is(text_split(&value, ':'), "Pid") && text_to_int(text_trim(value), &pid) == 0)
            return pid > 0 ? (pid_t)pid : 1;
    }
    return 1;
}

int launcher_start_host(struct launcher *launcher, size_t index, struct host_ends *out)
{
    struct broker_answer answer;
    int r = call(launcher, OPERATION_START, index, &answer);

    if (r == 0)
        *out = (struct host_ends){.pid = pid_of(answer.files[FILE_PIDFD]),
                                  .pidfd = answer.files[FILE_PIDFD],
                                  .socket = answer.files[FILE_SOCKET],
                                  .errors = answer.files[FILE_ERRORS]};
    return r;
}

void launcher_kill_host(struct launcher *launcher, size_t index)
{
    struct broker_answer nothing;

    call(launcher, OPERATION_KILL, index, &nothing); /* fails for the dead alone */
}

void launcher_hold_host(struct launcher *launcher, size_t index, bool hold)
{
    struct broker_answer nothing;

    call(launcher, hold ? OPERATION_STOP : OPERATION_CONTINUE, index, &nothing);
}

int launcher_reap_host(struct launcher *launcher, size_t index, int *status)
{
    struct broker_answer answer;
    int r = call(launcher, OPERATION_REAP, index, &answer);

    if (r == 0)
        *status = (int)answer.value;
    return r;
}
