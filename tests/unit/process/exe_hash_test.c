/* Real files, changed at the wrong moment; what is expected was made by sha256sum(1). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "process/exe_hash.h"
#include "process/process_table.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define XYZ "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"

/* How the opener behaves. */
struct world {
    struct exe_hash *hash;
    char path[64];
    int error;                /* what opening gives; 0: the file */
    int fd;                   /* given instead of the file at the path; -1: none */
    unsigned opened;          /* how often */
    const char *replace_with; /* written to the file while it is open */
    int gate[2];              /* holds up the first opening */
};

static void write_file(const char *path, const char *content)
{
    CLEANUP(fclosep) FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
}

static int open_world(void *context, const struct exe_file *file, int *out)
{
    struct world *world = context;

    world->opened++;
    if (world->error)
        return world->error;
    *out = world->fd >= 0 ? dup(world->fd) : open(world->path, O_RDONLY | O_CLOEXEC);
    if (world->replace_with)
        write_file(world->path, world->replace_with);
    return *out < 0 ? -errno : 0;
}

static struct exe_file file_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return (struct exe_file){.pid = 1,
                             .major = major(st.st_dev),
                             .minor = minor(st.st_dev),
                             .inode = st.st_ino,
                             .ctime = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec,
                             .size = st.st_size};
}

static struct exe_file file_at(const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return file_of(fd);
}

static int set_up_with(void **state, const struct exe_hash_options *options)
{
    struct world *world = calloc(1, sizeof *world);
    struct exe_hash_options own = *options;

    if (!world)
        return -1;
    *state = world;
    world->fd = -1;
    strcpy(world->path, "/tmp/picket-hash-XXXXXX");
    int fd = mkostemp(world->path, O_CLOEXEC);

    if (fd < 0)
        return -1;
    close(fd);
    write_file(world->path, "abc");
    own.open = open_world;
    own.context = world;
    own.wait = own.wait ? own.wait : 30 * NS_PER_S;
    return exe_hash_new(&own, &world->hash) < 0 ? -1 : exe_hash_start(world->hash);
}

static int set_up(void **state)
{
    return set_up_with(state, &(struct exe_hash_options){0});
}

static int tear_down(void **state)
{
    struct world *world = *state;

    exe_hash_free(world->hash);
    unlink(world->path);
    free(world);
    return 0;
}

static struct exe_hash_counters count(struct world *world)
{
    struct exe_hash_counters counters;

    exe_hash_count(world->hash, &counters);
    return counters;
}

static int get(struct world *world, const struct exe_file *file, char hex[static EXE_HASH_LEN + 1])
{
    memset(hex, 0, EXE_HASH_LEN + 1);
    return exe_hash_get(world->hash, file, text_from(world->path), hex);
}

/* As if it had been changed long ago: ctime cannot be set, so the clock of the test waits. */
static void let_it_settle(const struct exe_file *file)
{
    while (clock_realtime() - file->ctime <= EXE_HASH_SETTLED)
        usleep(20000);
}

static void a_file_is_read_once(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    char hex[EXE_HASH_LEN + 1];

    let_it_settle(&file);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(get(world, &file, hex), 0);
        assert_string_equal(hex, ABC);
    }
    assert_int_equal(world->opened, 1);
    assert_int_equal(count(world).hashed, 1);
    assert_int_equal(count(world).cached, 2);
}

/* The next contents may come with the same ctime: not kept. */
static void a_file_that_just_changed_is_read_again(void **state)
{
    struct world *world = *state;
    char hex[EXE_HASH_LEN + 1];

    write_file(world->path, "xyz");
    struct exe_file file = file_at(world->path);

    assert_int_equal(get(world, &file, hex), 0);
    assert_string_equal(hex, XYZ);
    assert_int_equal(get(world, &file, hex), 0);
    assert_int_equal(world->opened, 2);
    assert_int_equal(count(world).cached, 0);
}

static void what_was_replaced_has_no_hash(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    char hex[EXE_HASH_LEN + 1], other[80];

    snprintf(other, sizeof other, "%s.new", world->path);
    write_file(other, "xyz");
    assert_int_equal(rename(other, world->path), 0);
    assert_int_equal(get(world, &file, hex), -ESTALE);
    assert_int_equal(hex[0], 0);
    assert_int_equal(count(world).changed, 1);
}

static void what_changes_while_it_is_read_has_no_hash(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    char hex[EXE_HASH_LEN + 1];

    let_it_settle(&file); /* so that the change has another ctime */
    world->replace_with = "xyz";
    assert_int_equal(get(world, &file, hex), -ESTALE);
    world->replace_with = "longer than it was";
    file = file_at(world->path);
    let_it_settle(&file);
    assert_int_equal(get(world, &file, hex), -ESTALE);
    assert_int_equal(count(world).changed, 2);
    assert_int_equal(count(world).hashed, 0);
}

static void a_deleted_file_is_read_through_its_process(void **state)
{
    struct world *world = *state;
    char hex[EXE_HASH_LEN + 1];

    world->fd = open(world->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink(world->path), 0);
    struct exe_file file = file_of(world->fd);

    assert_int_equal(get(world, &file, hex), 0);
    assert_string_equal(hex, ABC);
    close(world->fd);
    world->fd = memfd_create("payload", MFD_CLOEXEC);
    assert_int_equal(write(world->fd, "xyz", 3), 3);
    assert_int_equal(lseek(world->fd, 0, SEEK_SET), 0);
    file = file_of(world->fd);
    assert_int_equal(get(world, &file, hex), 0);
    assert_string_equal(hex, XYZ);
    close(world->fd);
}

static void the_file_of_a_process_that_is_gone_is_where_it_was(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    char hex[EXE_HASH_LEN + 1];

    world->error = -ESRCH;
    assert_int_equal(get(world, &file, hex), 0);
    assert_string_equal(hex, ABC);
    file.inode++; /* and when it is another one, it is not */
    assert_int_equal(get(world, &file, hex), -ESTALE);
    file.inode--;
    file.minor++;
    assert_int_equal(get(world, &file, hex), -ESTALE);
    world->error = -EACCES;
    assert_int_equal(get(world, &file, hex), -EACCES);
    assert_int_equal(count(world).failed, 1);
    assert_int_equal(unlink(world->path), 0);
    assert_int_equal(mkfifo(world->path, 0600), 0); /* nobody writes: it must not wait */
    world->error = -ESRCH;
    assert_int_equal(get(world, &file, hex), -ESTALE);
}

static void too_large_files_are_not_read(void **state)
{
    struct world *world = *state;
    char hex[EXE_HASH_LEN + 1];

    assert_int_equal(truncate(world->path, EXE_HASH_SIZE_MAX + 1), 0);
    struct exe_file file = file_at(world->path);

    assert_int_equal(get(world, &file, hex), -EFBIG);
    assert_int_equal(world->opened, 0);
    assert_int_equal(count(world).too_large, 1);
}

static int set_up_small(void **state)
{
    return set_up_with(state, &(struct exe_hash_options){.entries_max = 2});
}

static void the_least_lately_used_go_first(void **state)
{
    struct world *world = *state;
    struct exe_file files[3];
    char path[3][80], hex[EXE_HASH_LEN + 1];

    for (int i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "%s-%d", world->path, i);
        write_file(path[i], "abc");
        files[i] = file_at(path[i]);
    }
    let_it_settle(&files[2]);
    world->error = -ESRCH;
    const int order[] = {0, 1, 0, 2, 0, 1};
    const bool known[] = {false, false, true, false, true, false};

    for (int i = 0; i < 6; i++) {
        uint64_t before = count(world).cached;

        assert_int_equal(
            exe_hash_get(world->hash, &files[order[i]], text_from(path[order[i]]), hex), 0);
        assert_int_equal(count(world).cached - before, known[i]);
    }
    for (int i = 0; i < 3; i++)
        unlink(path[i]);
}

static int set_up_impatient(void **state)
{
    return set_up_with(state, &(struct exe_hash_options){.wait = NS_PER_MS});
}

static int open_never(void *context, const struct exe_file *file, int *out)
{
    int *pipes = context;
    char byte;

    /* As a file system that does not answer, until the test writes. */
    if (read(pipes[0], &byte, 1) < 0)
        return -errno;
    return -EIO;
}

static int closed[2];

static void tell_closed(void *context)
{
    if (write(closed[1], "x", 1) < 0)
        abort();
}

static void nobody_waits_for_a_file_system_that_hangs(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    struct exe_hash *hash;
    char hex[EXE_HASH_LEN + 1];
    int pipes[2];

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(pipe2(closed, O_CLOEXEC), 0);
    assert_int_equal(exe_hash_new(&(struct exe_hash_options){.open = open_never,
                                                             .close = tell_closed,
                                                             .context = pipes,
                                                             .wait = 20 * NS_PER_MS},
                                  &hash),
                     0);
    assert_int_equal(exe_hash_start(hash), 0);
    int64_t before = clock_monotonic();

    assert_int_equal(exe_hash_get(hash, &file, TEXT(""), hex), -ETIMEDOUT);
    assert_true(clock_monotonic() - before >= 20 * NS_PER_MS);
    struct exe_hash_counters counters;

    /* More than the queue has room for, without waiting again. */
    for (int i = 0; i < 2 * EXE_HASH_QUEUE; i++)
        assert_int_equal(exe_hash_get(hash, &file, TEXT(""), hex), -ETIMEDOUT);
    exe_hash_count(hash, &counters);
    assert_int_equal(counters.late, 1 + 2 * EXE_HASH_QUEUE);
    assert_int_equal(counters.failed, 0);
    exe_hash_free(hash); /* the thread stays behind, and ends by itself */
    assert_int_equal(write(pipes[1], "x", 1), 1);
    char byte;

    assert_int_equal(read(closed[0], &byte, 1), 1); /* with what it had */
    for (int i = 0; i < 2; i++) {
        close(pipes[i]);
        close(closed[i]);
    }
}

static void a_late_hash_is_there_the_next_time(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    char hex[EXE_HASH_LEN + 1];
    int r;

    let_it_settle(&file);
    do
        r = get(world, &file, hex);
    while (r == -ETIMEDOUT);
    assert_int_equal(r, 0);
    assert_string_equal(hex, ABC);
}

static int open_held_up(void *context, const struct exe_file *file, int *out)
{
    struct world *world = context;
    char byte;

    if (world->opened == 0 && read(world->gate[0], &byte, 1) != 1)
        return -EIO;
    return open_world(context, file, out);
}

static void what_was_asked_for_meanwhile_is_read_once(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path), other = file;
    CLEANUP(exe_hash_freep) struct exe_hash *hash = NULL;
    struct exe_hash_counters counters;
    char hex[EXE_HASH_LEN + 1];
    int r;

    let_it_settle(&file);
    other.inode++;
    assert_int_equal(pipe2(world->gate, O_CLOEXEC), 0);
    assert_int_equal(
        exe_hash_new(&(struct exe_hash_options){.open = open_held_up, .context = world, .wait = 1},
                     &hash),
        0);
    assert_int_equal(exe_hash_start(hash), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(exe_hash_get(hash, &file, TEXT(""), hex), -ETIMEDOUT);
    assert_int_equal(write(world->gate[1], "x", 1), 1);
    /* What is behind them all in the queue is answered after them all. */
    do {
        r = exe_hash_get(hash, &other, TEXT(""), hex);
        exe_hash_count(hash, &counters);
    } while (r == -ETIMEDOUT && counters.failed == 0);
    assert_int_equal(exe_hash_get(hash, &file, TEXT(""), hex), 0);
    exe_hash_count(hash, &counters);
    assert_int_equal(counters.hashed, 1);
    close(world->gate[0]);
    close(world->gate[1]);
}

static void without_its_thread_there_is_none(void **state)
{
    struct world *world = *state;
    struct exe_file file = file_at(world->path);
    CLEANUP(exe_hash_freep) struct exe_hash *hash = NULL;
    char hex[EXE_HASH_LEN];

    assert_int_equal(exe_hash_new(&(struct exe_hash_options){.open = open_world}, &hash), 0);
    assert_int_equal(exe_hash_get(hash, &file, TEXT(""), hex), -ETIMEDOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_once),
        TEST(a_file_that_just_changed_is_read_again),
        TEST(what_was_replaced_has_no_hash),
        TEST(what_changes_while_it_is_read_has_no_hash),
        TEST(a_deleted_file_is_read_through_its_process),
        TEST(the_file_of_a_process_that_is_gone_is_where_it_was),
        TEST(too_large_files_are_not_read),
        cmocka_unit_test_setup_teardown(the_least_lately_used_go_first, set_up_small, tear_down),
        cmocka_unit_test_setup_teardown(a_late_hash_is_there_the_next_time, set_up_impatient,
                                        tear_down),
        TEST(nobody_waits_for_a_file_system_that_hangs),
        TEST(what_was_asked_for_meanwhile_is_read_once),
        TEST(without_its_thread_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
