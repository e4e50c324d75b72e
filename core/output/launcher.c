#include "output/launcher.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/wait.h>

#include "output/confinement.h"

/* Starting a program takes a machine under load a while. */
#define CALL_TIME 10000 /* ms */

enum { OPERATION_START, OPERATION_KILL, OPERATION_REAP };
enum { ARGUMENT_HOST };

/* The order of an answer's descriptors. */
enum { FILE_PIDFD, FILE_SOCKET, FILE_ERRORS, FILE_COUNT };
_Static_assert(FILE_COUNT <= BROKER_FILES, "an answer has room for them");

/* What the launcher has, once it is forked. */
struct launcher_service {
    const struct host_launch *launches;
    size_t count;
    pid_t pids[LAUNCHER_HOSTS_MAX]; /* 0: none */
};

static int confine(void *context)
{
    const struct launcher_service *service = context;

    return service->count
               ? confinement_enter_launcher(service->launches->uid, service->launches->gid)
               : 0;
}

static int answer_reap(struct launcher_service *service, size_t host, struct broker_answer *out)
{
    int status = 0;
    pid_t pid = service->pids[host] ? waitpid(service->pids[host], &status, WNOHANG) : -1;

    if (pid == 0)
        return -EAGAIN;
    if (pid < 0)
        return -ECHILD;
    service->pids[host] = 0;
    out->value = status;
    return 0;
}

static int answer_start(struct launcher_service *service, size_t host, struct broker_answer *out)
{
    struct host_ends ends;

    /* One whose descriptors never arrived has ended of itself. */
    if (service->pids[host] && waitpid(service->pids[host], NULL, WNOHANG) == 0)
        return -EBUSY;
    service->pids[host] = 0;
    int r = host_spawn(&service->launches[host], &ends);

    if (r < 0)
        return r;
    service->pids[host] = ends.pid;
    *out = (struct broker_answer){
        .value = ends.pid,
        .files =
            {[FILE_PIDFD] = ends.pidfd, [FILE_SOCKET] = ends.socket, [FILE_ERRORS] = ends.errors},
        .file_count = FILE_COUNT};
    return 0;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    struct launcher_service *service = context;
    uint64_t host = (uint64_t)request->arguments[ARGUMENT_HOST];

    if (host >= service->count)
        return -EINVAL;
    switch (request->operation) {
    case OPERATION_START:
        return answer_start(service, host, out);
    case OPERATION_KILL: /* until it is reaped its pid is nobody else's */
        return service->pids[host] && kill(service->pids[host], SIGKILL) < 0 ? -errno : 0;
    case OPERATION_REAP:
        return answer_reap(service, host, out);
    default:
        return -EINVAL;
    }
}

int launcher_start(struct launcher *launcher, const struct launcher_options *options)
{
    const uint64_t to_hosts = RIGHT(CAP_SETUID) | RIGHT(CAP_SETGID);
    struct launcher_service service = {.launches = options->launches, .count = options->count};
    int modules[LAUNCHER_HOSTS_MAX];

    *launcher = LAUNCHER_NONE;
    if (options->count > LAUNCHER_HOSTS_MAX)
        return -E2BIG;
    for (size_t i = 0; i < options->count; i++)
        modules[i] = options->launches[i].module;
    return broker_start(&launcher->broker,
                        &(struct broker_service){.name = "picket-launcher",
                                                 .rights = {.uid = options->uid,
                                                            .gid = options->gid,
                                                            .kept = to_hosts | RIGHT(CAP_KILL),
                                                            .passed_on = to_hosts},
                                                 .files = modules,
                                                 .file_count = options->count,
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

int launcher_start_host(struct launcher *launcher, size_t index, struct host_ends *out)
{
    struct broker_answer answer;
    int r = call(launcher, OPERATION_START, index, &answer);

    if (r == 0)
        *out = (struct host_ends){.pid = (pid_t)answer.value,
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

int launcher_reap_host(struct launcher *launcher, size_t index, int *status)
{
    struct broker_answer answer;
    int r = call(launcher, OPERATION_REAP, index, &answer);

    if (r == 0)
        *status = (int)answer.value;
    return r;
}
