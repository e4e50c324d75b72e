#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/process_table.h"
#include "testimony.h"

#define WAIT_SECONDS 20

const char *const just_witness[] = {"witness", NULL};

static struct {
    bool classic;
    struct capture capture; /* its sensor and its arena; the records are kept here */
    struct process_table *table;
    struct sighting *sightings;
    size_t count, size;
    int64_t *tracked;
    size_t tracked_count, tracked_size;
    int64_t watched_inode;
    int64_t ns_user; /* inode of our user namespace */
    int64_t last_time;
    size_t tests, skipped;
} stage;

static void grow(void **array, size_t count, size_t *size, size_t element)
{
    if (count < *size)
        return;
    *size = *size * 2 + 16;
    *array = realloc(*array, *size * element);
    assert_non_null(*array);
}

static bool is_tracked(int64_t pid)
{
    for (size_t i = 0; i < stage.tracked_count; i++)
        if (stage.tracked[i] == pid)
            return true;
    return pid == getpid();
}

static void track(int64_t pid)
{
    grow((void **)&stage.tracked, stage.tracked_count, &stage.tracked_size, sizeof(int64_t));
    stage.tracked[stage.tracked_count++] = pid;
}

/* Texts of PROCESS that last as long as the arena. */
static struct process process_copy(const struct process *process)
{
    struct process copy = *process;

    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field *field = &field_catalogue[id];
        struct text *text = (struct text *)(void *)((char *)&copy + field->offset);

        if (field->scope == SCOPE_PROCESS &&
            (field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST))
            *text = field_set_has(&copy.has, field->id) ? arena_text(&stage.capture.arena, *text)
                                                        : (struct text){NULL, 0};
    }
    copy.parent = NULL;
    return copy;
}

static void sighting_keep(const struct record *record, const struct event *event)
{
    grow((void **)&stage.sightings, stage.count, &stage.size, sizeof *stage.sightings);
    struct sighting *sighting = &stage.sightings[stage.count++];
    const struct process *above;

    *sighting = (struct sighting){.record = *record, .process = process_copy(event->process)};
    sighting->record.process = process_copy(&record->process);
    while (sighting->ancestor_count < SIGHTING_ANCESTORS &&
           (above = event_ancestor(event, (unsigned)sighting->ancestor_count + 1))) {
        struct process *copy = arena_alloc(&stage.capture.arena, sizeof *copy);

        *copy = process_copy(above);
        sighting->ancestors[sighting->ancestor_count++] = copy;
    }
}

static bool is_ours(const struct record *record, const struct event *event)
{
    const struct process *parent = event_ancestor(event, 1);

    if (is_tracked(record->self.pid))
        return true;
    if ((parent && is_tracked(parent->pid)) ||
        (record->type == EVENT_EXEC && record->process.exe_inode == stage.watched_inode)) {
        track(record->self.pid);
        return true;
    }
    return false;
}

static void on_record(void *context, const struct record *record)
{
    struct event event;

    assert_true(record->boot_time >= stage.last_time);
    stage.last_time = record->boot_time;
    if (process_table_apply(stage.table, record, &event) == 0 && is_ours(record, &event))
        sighting_keep(record, &event);
}

/* The variables that are asked for. */
static const char *const environment[] = {"LD_PRELOAD", "SSH_CONNECTION"};

void stage_start_with(const struct sensor_options *wanted)
{
    struct sensor_options options = *wanted;

    options.classic = stage.classic;
    if (options.failures == SENSOR_FAILURES_NONE)
        options.failures = SENSOR_FAILURES_NATIVE;
    options.environment = environment;
    options.environment_count = sizeof environment / sizeof environment[0];
    capture_open(&stage.capture, &options);
    assert_int_equal(process_table_new(NULL, &stage.table), 0);
    assert_int_equal(process_table_scan(stage.table), 0);
    stage.last_time = 0;
}

void stage_start(void)
{
    stage_start_with(&(struct sensor_options){0});
}

void stage_counters(struct sensor_counters *out)
{
    sensor_counters(stage.capture.sensor, out);
}

void stage_stop(void)
{
    process_table_free(stage.table);
    capture_close(&stage.capture);
    stage.table = NULL;
    stage.count = stage.tracked_count = 0;
}

static int group_setup(void **state)
{
    struct stat namespace;

    assert_int_equal(stat("/proc/self/ns/user", &namespace), 0);
    stage.ns_user = (int64_t) namespace.st_ino;
    scene_open();
    stage_witness_at("witness", 0755);
    stage_watch(stage_witness());
    stage_start();
    return 0;
}

static int group_teardown(void **state)
{
    stage_stop();
    scene_close();
    return 0;
}

bool stage_has_classic_alone(void)
{
    return stage.classic;
}

/* From Linux 7.0 the classic tracepoints are part of the sensor's own choice. */
static bool chooses_classic(void)
{
    struct utsname name;
    unsigned major = 0;

    uname(&name);
    sscanf(name.release, "%u", &major); /* NOLINT(cert-err34-c): 0 will do */
    return major >= 7;
}

static bool has_second_choice(void)
{
    return scene_has_classic() && !chooses_classic();
}

void stage_skip_in_chroot(void)
{
    struct statx root;

    if (statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &root) == 0 &&
        !(root.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        stage_skip("not in a chroot");
}

int stage_run(const char *trick, const struct CMUnitTest *tests, size_t count)
{
    char name[64];
    int failed = 0, skipped = scene_skip();

    if (skipped)
        return skipped;
    for (int round = 0; round <= has_second_choice(); round++) {
        stage.classic = round > 0;
        snprintf(name, sizeof name, "%s, %s hooks", trick, round > 0 ? "classic" : "chosen");
        failed += _cmocka_run_group_tests(name, tests, count, group_setup, group_teardown);
        stage.tests += count;
    }
    free(stage.sightings);
    free(stage.tracked);
    if (failed)
        return 1;
    return stage.skipped == stage.tests ? SCENE_SKIPPED : 0;
}

void stage_skip(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("skipped: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    stage.skipped++;
    skip();
    abort(); /* skip() does not return */
}

const char *stage_path(const char *name)
{
    static char paths[32][512];
    static unsigned next;
    char *path = paths[next++ % 32];

    snprintf(path, sizeof paths[0], "%s", scene_path(name));
    return path;
}

const char *stage_witness(void)
{
    return stage_path("witness");
}

void stage_witness_at(const char *name, mode_t mode)
{
    CLEANUP(closep) int fd = open(scene_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    scene_copy(WITNESS_PATH, fd);
    assert_int_equal(fchmod(fd, mode), 0);
}

void stage_watch(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    stage.watched_inode = (int64_t)st.st_ino;
}

static void forget(void)
{
    stage.count = stage.tracked_count = 0;
    arena_clear(&stage.capture.arena);
}

static void read_once(void)
{
    sensor_read(stage.capture.sensor, &(struct sensor_reader){.on_record = on_record});
}

static void fail_late(enum event_type type, int64_t pid)
{
    struct sensor_counters counters;

    stage_counters(&counters);
    fail_msg("%s of %lld: told %zu times (lost: %llu, folded: %llu)", event_type_name(type),
             (long long)pid, stage_count(type), (unsigned long long)counters.lost[type],
             (unsigned long long)counters.folded[type]);
}

/* Reads until there are COUNT events of TYPE, of one process or (PID 0) of all. */
static void read_until(enum event_type type, int64_t pid, size_t count)
{
    int64_t deadline = clock_monotonic() + WAIT_SECONDS * NS_PER_S;
    struct pollfd poll_fd = {.fd = sensor_fd(stage.capture.sensor), .events = POLLIN};

    for (read_once(); pid ? !stage_find(type, pid, 0) : stage_count(type) < count; read_once()) {
        if (clock_monotonic() > deadline)
            fail_late(type, pid);
        poll(&poll_fd, 1, 1000);
    }
}

void stage_until_exit(int64_t pid)
{
    read_until(EVENT_EXIT, pid, 1);
}

void stage_until(enum event_type type, size_t count)
{
    read_until(type, 0, count);
}

/* Cuts the next LENGTH bytes off *REST. */
static struct text words_take(struct text *rest, uint64_t length)
{
    struct text taken = {rest->ptr, length};

    assert_true(length <= rest->len);
    rest->ptr += length;
    rest->len -= length;
    return taken;
}

static void testimony_parse(struct text words, struct testimony *said)
{
    struct testimony_lengths lengths;

    memcpy(&said->truth, words_take(&words, sizeof said->truth).ptr, sizeof said->truth);
    memcpy(&lengths, words_take(&words, sizeof lengths).ptr, sizeof lengths);
    said->filename = words_take(&words, lengths.filename).ptr;
    struct text list = words_take(&words, lengths.argv), item;
    const char **argv =
        arena_array(&stage.capture.arena, lengths.argc + 1, sizeof *argv); /* zeroed */

    said->env = words_take(&words, lengths.env);
    said->argv = argv;
    for (size_t i = 0; text_list_next(&list, &item); i++) {
        assert_true(i < lengths.argc);
        argv[i] = item.ptr;
    }
}

struct act stage_begin(int (*trick)(void *), void *argument)
{
    int pipes[2];

    if (stage.capture.sensor) {
        read_once();
        forget();
    }
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();

    if (pid == 0) {
        dup2(pipes[1], TRUTH_FD);
        close(pipes[0]);
        close(pipes[1]);
        trick(argument);
        perror("the trick came back");
        _exit(1);
    }
    close(pipes[1]);
    return (struct act){pid, pipes[0]};
}

void stage_end(struct act *act, struct testimony *said)
{
    CLEANUP(buffer_deinit) struct buffer words = {0};

    assert_int_equal(buffer_read_fd(&words, act->words, 64UL << 20), 0);
    close(act->words);
    if (act->pid)
        waitpid(act->pid, NULL, 0);
    if (words.len < sizeof said->truth + sizeof(struct testimony_lengths))
        fail_msg("the witness said nothing");
    testimony_parse(arena_text(&stage.capture.arena, buffer_text(&words)), said);
    if (act->pid)
        stage_until_exit(act->pid);
    stage_until_exit(said->truth.pid);
}

void stage_play(int (*trick)(void *), void *argument, struct testimony *said)
{
    struct act act = stage_begin(trick, argument);

    stage_end(&act, said);
}

int stage_play_mute(int (*trick)(void *), void *argument, pid_t *pid)
{
    CLEANUP(buffer_deinit) struct buffer words = {0};
    struct act act = stage_begin(trick, argument);
    int status;

    /* At its end everybody who had the descriptor is gone. */
    assert_int_equal(buffer_read_fd(&words, act.words, 1UL << 20), 0);
    close(act.words);
    assert_int_equal(waitpid(act.pid, &status, 0), act.pid);
    stage_until_exit(act.pid);
    *pid = act.pid;
    return status;
}

const struct sighting *stage_sightings(size_t *count)
{
    *count = stage.count;
    return stage.sightings;
}

const struct sighting *stage_find(enum event_type type, int64_t pid, unsigned n)
{
    for (size_t i = 0; i < stage.count; i++)
        if (stage.sightings[i].record.type == type && stage.sightings[i].record.self.pid == pid &&
            n-- == 0)
            return &stage.sightings[i];
    return NULL;
}

size_t stage_count(enum event_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < stage.count; i++)
        count += stage.sightings[i].record.type == type;
    return count;
}

struct process stage_expect(const struct testimony *said)
{
    struct process expected = capture_expect(&stage.capture, &said->truth);

    capture_expect_exec(&stage.capture, &said->truth, said->filename, said->argv, &expected);
    field_set_remove(&expected.has, FIELD_ENV); /* we ask for others than the truth tells */
    /* With all capabilities of its namespace, and not root of the machine's: nobody can tell. */
    if (said->truth.ns_user != stage.ns_user)
        field_set_remove(&expected.has, FIELD_EXE_FILECAPS);
    return expected;
}

void stage_assert_fields(const struct process *seen, const struct process *expected)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        CLEANUP(buffer_deinit) struct buffer a = {0}, b = {0};
        const struct field *field = &field_catalogue[id];
        struct value value;

        if (field->scope != SCOPE_PROCESS || !process_value(expected, field, &value))
            continue;
        value_put(&b, &value);
        if (process_value(seen, field, &value))
            value_put(&a, &value);
        if (!field_set_has(&seen->has, field->id) || !text_equal(buffer_text(&a), buffer_text(&b)))
            fail_msg("%s is '%.200s', expected '%.200s'", field->name, buffer_string(&a),
                     buffer_string(&b));
    }
    /* As values the texts of a list are joined by spaces: that hides where they end. */
    if (field_set_has(&expected->has, FIELD_ARGV))
        assert_true(text_equal(seen->argv, expected->argv));
}

const struct sighting *stage_assert_true(const struct testimony *said)
{
    const struct sighting *event = stage_find(EVENT_EXEC, said->truth.pid, 0);
    struct process expected = stage_expect(said);

    assert_non_null(event);
    assert_identities(&event->record, &said->truth);
    stage_assert_fields(&event->record.process, &expected);
    stage_assert_fields(&event->process, &expected);
    return event;
}

void stage_assert_text(struct text seen, const char *expected)
{
    if (!seen.ptr || !text_is(seen, expected))
        fail_msg("'%.*s' instead of '%s'", TEXT_ARG(seen), expected);
}

struct text stage_argument(const struct sighting *event, unsigned n)
{
    struct text list = event->process.argv, item;

    while (text_list_next(&list, &item))
        if (n-- == 0)
            return item;
    return (struct text){NULL, 0};
}

int trick_execve(void *start)
{
    struct start *program = start;

    return execve(program->filename, (char *const *)program->argv,
                  program->env ? (char *const *)program->env : environ);
}

/* Who enters a mount namespace, be it his own, is put at its root: out of a chroot(2), in which
 * neither a user namespace can be made nor a mount be made private. Returns what was the root. */
static int chroot_leave(void)
{
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    return setns(namespace, CLONE_NEWNS) < 0 ? -1 : root;
}

static int chroot_return(int root)
{
    return fchdir(root) < 0 ? -1 : chroot(".");
}

static int unshare_anywhere(int flags)
{
    if (unshare(flags) == 0)
        return 0;
    int root = chroot_leave();

    return root < 0 || unshare(flags) < 0 ? -1 : chroot_return(root);
}

int trick_unshare(int flags)
{
    if (unshare_anywhere(flags & ~CLONE_NEWNS) < 0)
        return -1;
    if (!(flags & CLONE_NEWNS))
        return 0;
    if (unshare(CLONE_NEWNS) < 0)
        return -1;
    int root = chroot_leave();

    if (root < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return chroot_return(root);
}

static int line_write(const char *path, const char *line)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

    return write(fd, line, strlen(line)) < 0 ? -1 : 0;
}

int trick_map_root(void)
{
    if (line_write("/proc/self/setgroups", "deny") < 0 ||
        line_write("/proc/self/uid_map", "0 0 1") < 0)
        return -1;
    return line_write("/proc/self/gid_map", "0 0 1");
}
