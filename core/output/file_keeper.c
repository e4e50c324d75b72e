#include "output/file_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "broker/system_calls.h"
#include "output/append_file.h"
#include "output/output.h"

#define CALL_TIME 2000 /* ms */

enum { OPERATION_OPEN, OPERATION_ROTATE };
enum { ARGUMENT_OUTPUT, ARGUMENT_OPTION, ARGUMENT_KEEP, ARGUMENT_DEVICE, ARGUMENT_INODE };

/* The keeper's own, once it is forked. */
struct keeper_service {
    const struct output *outputs;
    size_t count;
};

/* Requests, files, and what the C library does by itself. */
static const struct call_rule calls[] = {
    {"recvfrom recv sendmsg close exit_group rt_sigreturn restart_syscall"},
    {"open openat readlinkat rename renameat renameat2 fchmod fstat fstat64 stat stat64 newfstatat "
     "fstatat64 statx fstatfs fstatfs64 geteuid geteuid32"},
    {"fcntl fcntl64", {CALL_BITS(1, CALL_LOW_WORD, F_SETFL)}},
    {"brk mmap mmap2 munmap mremap mprotect madvise"},
    /* saying what went wrong: the C library, and sanitizers, which ask more */
    {"write", {{0, SCMP_CMP_EQ, STDERR_FILENO}}},
    {"sigaltstack gettid getpid futex sched_yield"},
};

static int confine(void *context)
{
    return system_calls_allow(calls, sizeof calls / sizeof *calls);
}

/* The path of a file that is the outputs' to write to, or NULL. */
static const char *find_path(const struct keeper_service *service, const int64_t *arguments,
                             struct arena *arena)
{
    uint64_t index = (uint64_t)arguments[ARGUMENT_OUTPUT];
    uint64_t option = (uint64_t)arguments[ARGUMENT_OPTION];
    const struct output *output = index < service->count ? &service->outputs[index] : NULL;

    if (!output || option >= output->info.option_count ||
        output->info.options[option].type != PICKET_FILE || !output->settings.values[option].set ||
        text_is(output->settings.values[option].text, "-"))
        return NULL;
    return arena_text(arena, output->settings.values[option].text).ptr;
}

static int rotate(const struct file_place *place, const int64_t *arguments)
{
    struct stat status;

    if (fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if ((int64_t)status.st_dev != arguments[ARGUMENT_DEVICE] ||
        (int64_t)status.st_ino != arguments[ARGUMENT_INODE])
        return 0;
    return S_ISREG(status.st_mode) ? append_file_shift(place, (uint32_t)arguments[ARGUMENT_KEEP])
                                   : -EINVAL;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(file_place_deinit) struct file_place place = {.folder = -1};
    const char *path = find_path(context, request->arguments, &arena);
    int r = path ? file_place_find(path, &place) : -EINVAL;

    if (r == 0 && request->operation == OPERATION_ROTATE)
        r = rotate(&place, request->arguments);
    if (r == 0)
        r = append_file_open_at(&place);
    if (r < 0)
        return r;
    out->files[out->file_count++] = r;
    return 0;
}

static bool has_files(const struct output *output)
{
    for (size_t i = 0; i < output->settings.value_count; i++)
        if (output->info.options[i].type == PICKET_FILE && output->settings.values[i].set &&
            !text_is(output->settings.values[i].text, "-"))
            return true;
    return false;
}

int file_keeper_start(struct file_keeper *keeper, const struct output *outputs, size_t count,
                      uid_t uid, gid_t gid)
{
    struct keeper_service service = {outputs, count};
    bool needed = false;

    *keeper = FILE_KEEPER_NONE;
    for (size_t i = 0; i < count; i++)
        needed |= has_files(&outputs[i]);
    if (!needed)
        return 0;
    return broker_start(&keeper->broker,
                        &(struct broker_service){.name = "picket-files",
                                                 .rights = {.uid = uid, .gid = gid},
                                                 .confine = confine,
                                                 .answer = answer,
                                                 .context = &service});
}

void file_keeper_deinit(struct file_keeper *keeper)
{
    if (keeper->broker.pid)
        broker_deinit(&keeper->broker);
}

static int call(struct file_keeper *keeper, const struct broker_request *request, int *out)
{
    struct broker_answer answer;
    int r = keeper->broker.pid ? broker_call(&keeper->broker, request, CALL_TIME, &answer) : -EPIPE;

    if (r == 0)
        *out = answer.files[0];
    return r;
}

int file_keeper_open(struct file_keeper *keeper, size_t output, size_t option, int *out)
{
    const struct broker_request request = {
        .operation = OPERATION_OPEN,
        .arguments = {[ARGUMENT_OUTPUT] = (int64_t)output, [ARGUMENT_OPTION] = (int64_t)option}};

    return call(keeper, &request, out);
}

int file_keeper_rotate(struct file_keeper *keeper, size_t output, size_t option,
                       const struct rotation *rotation, int *out)
{
    const struct broker_request request = {
        .operation = OPERATION_ROTATE,
        .arguments = {[ARGUMENT_OUTPUT] = (int64_t)output,
                      [ARGUMENT_OPTION] = (int64_t)option,
                      [ARGUMENT_KEEP] = rotation->keep,
                      [ARGUMENT_DEVICE] = (int64_t)rotation->device,
                      [ARGUMENT_INODE] = (int64_t)rotation->inode}};

    return call(keeper, &request, out);
}
