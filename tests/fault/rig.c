#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "host/host.h"
#include "plugin/output_config.h"

/* Long enough for any machine; nothing waits this long unless it fails. */
#define PATIENCE (60 * NS_PER_S)

void rig_init(struct rig *rig)
{
    *rig = (struct rig){.dir = "/tmp/picket-rig-XXXXXX"};
    assert_non_null(mkdtemp(rig->dir));
    assert_int_equal(0, chmod(rig->dir, 0755));
}

void rig_stop(struct rig *rig)
{
    delivery_free(rig->delivery);
    rig->delivery = NULL;
}

void rig_deinit(struct rig *rig)
{
    rig_stop(rig);
    journal_free(rig->journal);
    if (rig->count[0])
        unlink(rig->count); /* which outlives the journal by design */
    DIR *dir = opendir(rig->dir);
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    assert_int_equal(0, rmdir(rig->dir));
    buffer_deinit(&rig->shown);
    diag_list_deinit(&rig->diags);
    arena_deinit(&rig->arena);
}

static char *with_folder(struct rig *rig, const char *argument)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    for (; *argument; argument++)
        if (argument[0] == '@' && argument[1] == '/')
            buffer_put_string(&out, rig->dir);
        else
            buffer_put_char(&out, *argument);
    return arena_string(&rig->arena, buffer_string(&out));
}

static int start(struct rig *rig, const char *const *arguments, size_t count)
{
    const char **whole = arena_array(&rig->arena, count, sizeof *whole);
    struct output_config *configs;
    size_t config_count;

    for (size_t i = 0; i < count; i++)
        whole[i] = with_folder(rig, arguments[i]);
    assert_int_equal(
        0, output_config_parse(whole, count, &rig->arena, &rig->diags, &configs, &config_count));
    const struct delivery_options options = {
        .outputs = configs,
        .output_count = config_count,
        .plugin_dir = RIG_PLUGIN_DIR,
        .journal = rig->journal,
        .live = rig->live,
        .patient = rig->patient,
    };

    if (rig->diags.errors)
        return -EINVAL;
    int r = delivery_new(&options, &rig->diags, &rig->delivery);

    if (r < 0)
        return r;
    rig->journal = NULL;
    return delivery_start(rig->delivery);
}

void rig_open_journal(struct rig *rig, const char *path, int64_t size)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    const struct journal_options options = {
        .path = with_folder(rig, path),
        .size = size,
        .age = INT64_MAX, /* rig_push() is always of the same time */
        .uid = getuid(),
        .gid = getgid()};

    struct stat lock;

    if (journal_new(&options, &why, &rig->journal) < 0)
        fail_msg("%s", buffer_string(&why));
    buffer_clear(&why);
    buffer_printf(&why, "%s.lock", options.path);
    assert_int_equal(0, stat(buffer_string(&why), &lock));
    snprintf(rig->count, sizeof rig->count, "/dev/shm/picket-%llx-%llx",
             (unsigned long long)lock.st_dev, (unsigned long long)lock.st_ino);
}

static const char *show(struct rig *rig)
{
    buffer_clear(&rig->shown);
    diag_render_all(&rig->diags, false, &rig->shown);
    return buffer_string(&rig->shown);
}

void rig_start(struct rig *rig, const char *const *arguments, size_t count)
{
    int r = start(rig, arguments, count);

    if (r < 0)
        fail_msg("%s\n%s", strerror(-r), show(rig));
}

const char *rig_refuse(struct rig *rig, const char *const *arguments, size_t count)
{
    assert_int_equal(-EINVAL, start(rig, arguments, count));
    assert_null(rig->delivery);
    return show(rig);
}

int rig_push_json(struct rig *rig, const char *message, const char *json)
{
    const char *id = arena_printf(&rig->arena, "%06u", ++rig->pushed);
    const struct delivery_alert alert = {.id = text_from(id),
                                         .host = TEXT("h"),
                                         .rule = TEXT("tmp-binary"),
                                         .title = TEXT("A program was run from /tmp"),
                                         .message = text_from(message),
                                         .json = text_from(json),
                                         .time = 1767225600 * NS_PER_S,
                                         .severity = 3};

    return delivery_push(rig->delivery, &alert, DELIVERY_ALL, false);
}

void rig_push(struct rig *rig, unsigned count, bool wait)
{
    while (count--) {
        char id[16], json[256];

        snprintf(id, sizeof id, "%06u", ++rig->pushed);
        snprintf(json, sizeof json,
                 "{\"id\":\"%s\",\"rule\":{\"id\":\"tmp-binary\",\"severity\":\"high\"},"
                 "\"message\":\"m\",\"event\":{\"pid\":%u,\"comm\":\"x\"}}",
                 id, rig->pushed);
        const struct delivery_alert alert = {.id = text_from(id),
                                             .host = TEXT("h"),
                                             .rule = TEXT("tmp-binary"),
                                             .title = TEXT("t"),
                                             .message = TEXT("m"),
                                             .json = text_from(json),
                                             .time = 1767225600 * NS_PER_S,
                                             .severity = 3};

        assert_int_equal(0, delivery_push(rig->delivery, &alert, DELIVERY_ALL, wait));
    }
}

void rig_drain(struct rig *rig)
{
    assert_int_equal(0, delivery_drain(rig->delivery, PATIENCE));
}

struct delivery_counters rig_counters(struct rig *rig, size_t index)
{
    struct delivery_counters counters;

    delivery_counters(rig->delivery, index, &counters);
    return counters;
}

pid_t rig_await_host(struct rig *rig, size_t index)
{
    int64_t end = clock_monotonic() + PATIENCE;
    const struct timespec pause = {.tv_nsec = NS_PER_MS};

    for (;;) {
        struct delivery_counters counters = rig_counters(rig, index);

        if (counters.state == DELIVERY_READY && counters.pid)
            return counters.pid;
        assert_true(clock_monotonic() < end);
        nanosleep(&pause, NULL);
    }
}

const char *rig_path(struct rig *rig, const char *name)
{
    return arena_printf(&rig->arena, "%s/%s", rig->dir, name);
}

void rig_write(struct rig *rig, const char *name, const char *text)
{
    int fd = open(rig_path(rig, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(strlen(text), write(fd, text, strlen(text)));
    close(fd);
}

struct text rig_read(struct rig *rig, const char *name)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    CLEANUP(closep) int fd = open(rig_path(rig, name), O_RDONLY | O_CLOEXEC);
    ssize_t got;

    assert_true(fd >= 0);
    do {
        char *room = buffer_reserve(&content, 65536);

        assert_non_null(room);
        got = read(fd, room, 65536);
        assert_true(got >= 0);
        content.len += (size_t)got;
    } while (got);
    return arena_text(&rig->arena, buffer_text(&content));
}

void rig_expect(struct rig *rig, const char *name, unsigned count, enum rig_repeats repeats)
{
    struct text rest = rig_read(rig, name);
    unsigned last = 0;

    assert_true(count == 0 || text_ends(rest, TEXT("\n")));
    while (rest.len) {
        struct text line = text_split(&rest, '\n');
        CLEANUP(json_freep) json_t *alert = NULL;
        struct json_failure failure;
        int64_t number = 0;

        assert_int_equal(0, json_parse(line, &alert, &failure));
        assert_int_equal(0, text_to_int(json_as_text(json_object_get(alert, "id")), &number));
        if (number == last + 1)
            last++;
        else /* a batch that was not settled begins anew */
            assert_true(repeats == REPEATS && number <= last);
    }
    assert_int_equal(count, last);
}

struct text rig_logged(struct rig *rig, void (*action)(struct rig *rig))
{
    int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    CLEANUP(closep) int file = open(rig_path(rig, "log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(before >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    action(rig);
    dup2(before, STDERR_FILENO);
    close(before);
    return rig_read(rig, "log");
}

size_t rig_count_lines(struct text t)
{
    size_t count = 0;

    for (size_t i = 0; i < t.len; i++)
        count += t.ptr[i] == '\n';
    return count;
}

void rig_expect_sum(struct rig *rig, size_t index)
{
    struct delivery_counters counters = rig_counters(rig, index);

    assert_int_equal(rig->pushed, counters.offered);
    assert_int_equal(counters.offered, counters.delivered + counters.rejected + counters.dropped +
                                           counters.expired + counters.queued);
}

void rig_expect_settled(struct rig *rig, unsigned delivered, unsigned rejected)
{
    struct delivery_counters counters = rig_counters(rig, 0);

    rig_expect_sum(rig, 0);
    assert_int_equal(delivered, counters.delivered);
    assert_int_equal(rejected, counters.rejected);
    assert_int_equal(0, counters.hangs + counters.crashes + counters.garbage);
}

void rig_await_retries(struct rig *rig, uint64_t count)
{
    while (rig_counters(rig, 0).retries < count)
        usleep(1000);
}

unsigned rig_isolation(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit((int)(isolation_enter(0) |
                    (unshare(CLONE_NEWPID) < 0 ? (unsigned)ISOLATION_PIDS : 0U)));
    assert_int_equal(pid, waitpid(pid, &status, 0));
    return (unsigned)WEXITSTATUS(status);
}

int rig_main(int argc, char **argv, int (*tests)(void))
{
    if (argc > 1 && strcmp(argv[1], OUTPUT_HOST_VERB) == 0)
        return output_host_main(argc - 1, argv + 1);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return tests();
}
