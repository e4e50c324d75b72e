/* What is excluded in the kernel: it leaves nothing but a bare record of each exec, the rest is not
 * touched, and nobody can change it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "capture.h"
#include "scene.h"

#define EXCLUDED_UID 54321

static struct capture capture;
static struct sensor_filter filters[SENSOR_FILTER_KINDS];
static size_t filter_count;
static char excluded[256];
static char cgroup[256]; /* its folder; "" where no v2 hierarchy is mounted */

static void filter_add(enum sensor_filter_kind kind, const char *value)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    if (sensor_filter_resolve(kind, value, &filters[filter_count], &why) < 0) {
        fprintf(stderr, "%s\n", buffer_string(&why));
        exit(1);
    }
    filter_count++;
}

static void cgroup_make(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    static char path[64];

    snprintf(path, sizeof path, "/picket-filter-%d", getpid());
    for (size_t i = 0; i < 2 && !cgroup[0]; i++) {
        snprintf(cgroup, sizeof cgroup, "%s/cgroup.procs", places[i]);
        bool unified = access(cgroup, F_OK) == 0;

        snprintf(cgroup, sizeof cgroup, "%s%s", places[i], path);
        if (!unified || mkdir(cgroup, 0755) < 0)
            cgroup[0] = '\0';
    }
    if (cgroup[0])
        filter_add(SENSOR_FILTER_CGROUP, path);
}

static int group_setup(void **state)
{
    scene_open();
    scene_probe("excluded", 0755);
    snprintf(excluded, sizeof excluded, "%s", scene_path("excluded"));
    filter_add(SENSOR_FILTER_EXE, excluded);
    filter_add(SENSOR_FILTER_USER, "54321");
    cgroup_make();
    capture_open(&capture, &(struct sensor_options){.failures = SENSOR_FAILURES_NATIVE,
                                                    .filters = filters,
                                                    .filter_count = filter_count});
    return 0;
}

static int group_teardown(void **state)
{
    capture_close(&capture);
    scene_close();
    if (cgroup[0])
        rmdir(cgroup);
    return 0;
}

static int execute(const char *path)
{
    execl("/no/such/file", "none", NULL);
    execl(path, path, "argument", NULL);
    return -1;
}

/* Runs CHILD, which ends in execute(); returns the record of its exec. */
static const struct record *run(int (*child)(void *), const char *path, pid_t *pid)
{
    struct truth truth;

    capture_clear(&capture);
    *pid = scene_run(child, (void *)path, &truth);
    capture_until_exit(&capture, *pid);
    const struct record *record = capture_find(&capture, EVENT_EXEC, *pid, 0);

    assert_non_null(record);
    assert_non_null(capture_find(&capture, EVENT_FORK, *pid, 0));
    assert_identities(record, &truth);
    return record;
}

static int child_plain(void *path)
{
    return execute(path);
}

static void assert_excluded(const struct record *record)
{
    assert_true(record->filtered);
    assert_false(field_set_has(&record->process.has, FIELD_EXE));
    assert_false(field_set_has(&record->process.has, FIELD_ARGV));
    assert_false(field_set_has(&record->process.has, FIELD_CWD));
}

/* The file, whatever path leads to it; only what executes it, not what it was before. */
static void test_exe(void **state)
{
    pid_t pid;

    assert_excluded(run(child_plain, scene_path("excluded"), &pid));
    assert_non_null(capture_find(&capture, EVENT_EXEC_FAILED, pid, 0));
    assert_int_equal(symlink("excluded", scene_path("symbolic")), 0);
    assert_excluded(run(child_plain, scene_path("symbolic"), &pid));
}

/* Once it was changed it is another file, as is the next one with its inode's number. Even a new
 * name changes it. */
static void test_changed_exe(void **state)
{
    pid_t pid;

    assert_int_equal(link(scene_path("excluded"), scene_path("other name")), 0);
    const struct record *record = run(child_plain, scene_path("other name"), &pid);

    assert_false(record->filtered);
    assert_true(text_is(record->process.filename, scene_path("other name")));
}

static void test_others_are_not_touched(void **state)
{
    pid_t pid;

    scene_probe("copy", 0755);
    const struct record *record = run(child_plain, scene_path("copy"), &pid);

    assert_false(record->filtered);
    assert_true(text_is(record->process.filename, scene_path("copy")));
    assert_non_null(capture_find(&capture, EVENT_EXEC_FAILED, pid, 0));
}

static int child_user(void *path)
{
    return setresuid(EXCLUDED_UID, 0, 0) < 0 ? -1 : execute(path);
}

static int child_effective(void *path)
{
    return setresuid(0, EXCLUDED_UID, 0) < 0 ? -1 : execute(path);
}

/* By the real uid. Attempts that fail are dropped, and counted. */
static void test_user(void **state)
{
    struct sensor_counters before, after;
    pid_t pid;

    sensor_counters(capture.sensor, &before);
    assert_excluded(run(child_user, scene_path("probe"), &pid));
    assert_null(capture_find(&capture, EVENT_EXEC_FAILED, pid, 0));
    sensor_counters(capture.sensor, &after);
    assert_int_equal(after.filtered[EVENT_EXEC], before.filtered[EVENT_EXEC] + 1);
    assert_int_equal(after.filtered[EVENT_EXEC_FAILED], before.filtered[EVENT_EXEC_FAILED] + 1);
    assert_false(run(child_effective, scene_path("probe"), &pid)->filtered);
    assert_non_null(capture_find(&capture, EVENT_EXEC_FAILED, pid, 0));
}

static int child_cgroup(void *path)
{
    char procs[300];

    snprintf(procs, sizeof procs, "%s/cgroup.procs", cgroup);
    CLEANUP(closep) int fd = open(procs, O_WRONLY | O_CLOEXEC);

    return dprintf(fd, "0") != 1 ? -1 : execute(path);
}

static void test_cgroup(void **state)
{
    pid_t pid;

    if (!cgroup[0]) {
        fprintf(stderr, "skipped: no v2 hierarchy of cgroups is mounted\n");
        skip();
    }
    assert_excluded(run(child_cgroup, scene_path("probe"), &pid));
    assert_null(capture_find(&capture, EVENT_EXEC_FAILED, pid, 0));
}

/* Not even through the sensor's own descriptors. */
static void test_nobody_adds_one(void **state)
{
    int maps = 0;

    for (int fd = 3; fd < 256; fd++) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof info;
        char key[64] = "", value = 1;

        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || strncmp(info.name, "filter_", 7) != 0)
            continue;
        maps++;
        assert_true(bpf_map_update_elem(fd, key, &value, BPF_ANY) < 0);
        assert_int_equal(errno, EPERM);
    }
    assert_int_equal(maps, 3);
}

static void test_as_text(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    sensor_filter_put(&filters[1], &text);
    assert_string_equal(buffer_string(&text), "user 54321 (54321)");
    buffer_clear(&text);
    sensor_filter_put(&filters[0], &text);
    assert_true(text_starts(buffer_text(&text), TEXT("exe /")));
    assert_true(text_contains(buffer_text(&text), TEXT("/excluded (")));
}

static void check_refusal(enum sensor_filter_kind kind, const char *value, int error,
                          const char *words)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor_filter filter;

    assert_int_equal(sensor_filter_resolve(kind, value, &filter, &why), error);
    assert_true(text_contains(buffer_text(&why), text_from(words)));
}

static void test_what_is_not_there(void **state)
{
    check_refusal(SENSOR_FILTER_EXE, "/no/such/file", -ENOENT, "'/no/such/file' cannot be");
    check_refusal(SENSOR_FILTER_EXE, "/", -EINVAL, "is not a file");
    check_refusal(SENSOR_FILTER_USER, "no such user", -ENOENT, "no user 'no such user'");
    check_refusal(SENSOR_FILTER_USER, "-1", -ENOENT, "no user '-1'");
    check_refusal(SENSOR_FILTER_CGROUP, "relative", -EINVAL, "begins with /");
    if (cgroup[0])
        check_refusal(SENSOR_FILTER_CGROUP, "/no/such", -ENOENT, "no cgroup '/no/such'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exe),
        cmocka_unit_test(test_changed_exe),
        cmocka_unit_test(test_others_are_not_touched),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_cgroup),
        cmocka_unit_test(test_nobody_adds_one),
        cmocka_unit_test(test_as_text),
        cmocka_unit_test(test_what_is_not_there),
    };
    int skipped = scene_skip();

    return skipped ? skipped : cmocka_run_group_tests(tests, group_setup, group_teardown);
}
