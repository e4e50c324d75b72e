#include "host/host_arguments.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "host/host.h"

enum argument {
    ARG_VERB,
    ARG_NAME,
    ARG_PATH,
    ARG_UID,
    ARG_GID,
    ARG_MEMORY,
    ARG_DEADLINE,
    ARG_NEEDS,
    ARG_APART,
    ARG_PARENT,
    ARG_COUNT
};

static bool read_numbers(char **argv, struct host_arguments *out)
{
    int64_t numbers[ARG_COUNT] = {0};

    for (int i = ARG_UID; i < ARG_COUNT; i++)
        if (text_to_int(text_from(argv[i]), &numbers[i]) < 0)
            return false;
    *out = (struct host_arguments){.name = argv[ARG_NAME],
                                   .path = argv[ARG_PATH],
                                   .deadline = numbers[ARG_DEADLINE],
                                   .confinement = {.uid = (uid_t)numbers[ARG_UID],
                                                   .gid = (gid_t)numbers[ARG_GID],
                                                   .memory = numbers[ARG_MEMORY],
                                                   .needs = (uint32_t)numbers[ARG_NEEDS],
                                                   .apart = numbers[ARG_APART] != 0,
                                                   .parent = (pid_t)numbers[ARG_PARENT]}};
    return true;
}

static bool is_socket(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

bool host_arguments_read(int argc, char **argv, struct host_arguments *out)
{
    if (argc == ARG_COUNT && is_socket(OUTPUT_HOST_SOCKET) && read_numbers(argv, out))
        return true;
    fprintf(stderr, "picket: %s is the engine's own: it starts them itself\n", argv[ARG_VERB]);
    return false;
}

bool host_arguments_confined(const struct host_arguments *arguments)
{
    return arguments->confinement.parent != 0;
}

int host_arguments_obey(const struct host_arguments *arguments)
{
    /* Not "exe", what the engine starts it by. */
    prctl(PR_SET_NAME, "picket-host");
    fcntl(OUTPUT_HOST_SOCKET, F_SETFD, FD_CLOEXEC);
    if (!host_arguments_confined(arguments))
        return 0;
    close_range(OUTPUT_HOST_MODULE + 1, ~0U, 0);
    return confinement_enter(&arguments->confinement);
}
