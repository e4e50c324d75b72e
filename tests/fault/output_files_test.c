/* Files, folders and sockets that the core opens for plugins. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"

/* Somebody who is neither root nor whom the engine becomes. */
#define STRANGER 12345

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    /* Whom the engine becomes makes files here. */
    assert_int_equal(0, chmod(rig.dir, 0777));
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

/* Nothing that is opened later is opened as root. */
static void expect_owner(struct rig *rig, const char *name)
{
    struct stat status;

    assert_int_equal(0, stat(rig_path(rig, name), &status));
    assert_int_equal(0640, status.st_mode & 07777);
    assert_int_equal(getuid() ? getuid() : 65534, status.st_uid);
}

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
}

static void deliver(struct rig *rig, unsigned count)
{
    while (count--) {
        rig_push(rig, 1, false);
        rig_drain(rig);
    }
}

static void expect_content(struct rig *rig, const char *name, const char *content)
{
    struct text got = rig_read(rig, name);

    if (!text_is(got, content))
        fail_msg("%s has '%.*s'", name, TEXT_ARG(got));
}

static void move(struct rig *rig, const char *from, const char *to)
{
    assert_int_equal(0, rename(rig_path(rig, from), rig_path(rig, to)));
}

/* The delivery thread reopens before it hands out what was pushed later. */
static void moved_files_are_opened_again(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",path=@/a");
    deliver(rig, 1);
    move(rig, "a", "a.old");
    deliver(rig, 1);
    delivery_reopen(rig->delivery);
    deliver(rig, 1);
    expect_content(rig, "a.old", "usual 000001\nusual 000002\n");
    expect_content(rig, "a", "usual 000003\n");
    expect_owner(rig, "a");
    delivery_reopen(rig->delivery); /* nothing has moved */
    deliver(rig, 1);
    expect_content(rig, "a", "usual 000003\nusual 000004\n");
    assert_int_equal(0, rig_counters(rig, 0).restarts);
}

/* Also by hosts that are started later. */
static void new_hosts_get_the_new_files(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",path=@/a");
    deliver(rig, 1);
    move(rig, "a", "a.old");
    delivery_reopen(rig->delivery);
    deliver(rig, 1);
    kill(rig_await_host(rig, 0), SIGKILL);
    deliver(rig, 1);
    expect_content(rig, "a", "usual 000002\nusual 000003\n");
}

static void reopen_in_vain(struct rig *rig)
{
    delivery_reopen(rig->delivery);
    deliver(rig, 1);
}

static void files_that_cannot_be_opened_stay(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",path=@/a");
    deliver(rig, 1);
    move(rig, "a", "b");
    assert_int_equal(0, mkdir(rig_path(rig, "a"), 0700));
    struct text said = rig_logged(rig, reopen_in_vain);

    assert_int_equal(0, rmdir(rig_path(rig, "a")));
    if (!text_contains(said, TEXT("cannot be opened again, the file it was stays in use")))
        fail_msg("it said '%.*s'", TEXT_ARG(said));
    expect_content(rig, "b", "usual 000001\nusual 000002\n");
}

static void make_link_of_stranger(struct rig *rig, const char *target, const char *name)
{
    const char *link = rig_path(rig, name);

    assert_int_equal(0, symlink(rig_path(rig, target), link));
    assert_int_equal(0, lchown(link, STRANGER, STRANGER));
}

static void make_secret(struct rig *rig)
{
    FILE *file = fopen(rig_path(rig, "secret"), "we");

    assert_non_null(file);
    fputs("secret\n", file);
    fclose(file);
    assert_int_equal(0, chmod(rig_path(rig, "secret"), 0666));
}

/* Who owns the folder does not choose what is written to instead: at the start, as root, */
static void links_of_others_are_refused(void **state)
{
    static const char *const arguments[] = {RIG_FILER ",path=@/link",
                                            RIG_FILER ",folder=@/link,name=b",
                                            RIG_FILER ",socket=@/link,name=c"};
    struct rig *rig = *state;

    if (getuid() != 0)
        skip();
    make_secret(rig);
    make_link_of_stranger(rig, "secret", "link");
    for (size_t i = 0; i < 3; i++) {
        const char *shown = rig_refuse(rig, &arguments[i], 1);

        if (!strstr(shown, "a symbolic link on its way belongs to somebody else"))
            fail_msg("%s", shown);
    }
    expect_content(rig, "secret", "secret\n");
}

/* nor later, as who owns the journal. */
static void links_of_others_are_not_opened_again(void **state)
{
    struct rig *rig = *state;

    if (getuid() != 0)
        skip();
    make_secret(rig);
    start(rig, RIG_FILER ",path=@/a");
    deliver(rig, 1);
    move(rig, "a", "b");
    make_link_of_stranger(rig, "secret", "a");
    struct text said = rig_logged(rig, reopen_in_vain);

    if (!text_contains(said, TEXT("a symbolic link on its way belongs to somebody else")))
        fail_msg("it said '%.*s'", TEXT_ARG(said));
    expect_content(rig, "secret", "secret\n");
    expect_content(rig, "b", "usual 000001\nusual 000002\n");
}

static void links_of_others_are_not_rotated_into(void **state)
{
    struct rig *rig = *state;

    if (getuid() != 0)
        skip();
    make_secret(rig);
    start(rig, RIG_FILER ",path=@/a,rotate=1");
    move(rig, "a", "b");
    make_link_of_stranger(rig, "secret", "a");
    deliver(rig, 1);
    expect_content(rig, "secret", "secret\n");
    expect_content(rig, "b", "usual 000001\n");
}

static void plugins_rotate_their_files(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",path=@/a,rotate=2,words=x,words=y");
    deliver(rig, 4);
    expect_content(rig, "a", "x y 000004\n");
    expect_content(rig, "a.1", "x y 000003\n");
    expect_content(rig, "a.2", "x y 000002\n");
    assert_int_equal(-1, access(rig_path(rig, "a.3"), F_OK));
    /* Within one batch the alerts stay what they are. */
    rig_push(rig, 50, true);
    rig_drain(rig);
    expect_content(rig, "a", "x y 000054\n");
    expect_content(rig, "a.2", "x y 000052\n");
}

static void rotate_in_vain(struct rig *rig)
{
    deliver(rig, 1);
}

static void what_is_no_file_does_not_rotate(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",path=/dev/null,rotate=1");
    struct text said = rig_logged(rig, rotate_in_vain);

    if (!text_contains(said, TEXT("/dev/null cannot be begun anew: Invalid argument")))
        fail_msg("it said '%.*s'", TEXT_ARG(said));
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

static void folders_can_be_written_to_and_not_left(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",folder=@/new");
    deliver(rig, 2);
    expect_content(rig, "new/000001", "tmp-binary\n");
    expect_content(rig, "new/000002", "tmp-binary\n");
    if (!(rig_isolation() & ISOLATION_FILES))
        assert_int_equal(-1, access(rig_path(rig, "above"), F_OK));
    unlink(rig_path(rig, "new/above")); /* ".." leads nowhere else */
    unlink(rig_path(rig, "new/000001"));
    unlink(rig_path(rig, "new/000002"));
    rmdir(rig_path(rig, "new"));
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(0, connect(fd, (const struct sockaddr *)&address, sizeof address));
    return fd;
}

static void expect_greeting(int fd, const char *greeting)
{
    char got[32] = "";

    assert_true(read(fd, got, sizeof got - 1) > 0);
    assert_string_equal(greeting, got);
    close(fd);
}

/* Who connects while there is no host is greeted by the next. */
static void sockets_outlive_hosts(void **state)
{
    struct rig *rig = *state;
    struct stat status;

    start(rig, RIG_FILER ",socket=@/s");
    assert_int_equal(0, stat(rig_path(rig, "s"), &status));
    assert_int_equal(0660, status.st_mode & 07777);
    int first = connect_to(rig_path(rig, "s"));

    deliver(rig, 1);
    expect_greeting(first, "000001\n");
    kill(rig_await_host(rig, 0), SIGKILL);
    int second = connect_to(rig_path(rig, "s"));

    deliver(rig, 1);
    expect_greeting(second, "000002\n");
}

static void sockets_that_were_left_are_taken(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FILER ",socket=@/s");
    delivery_free(rig->delivery);
    rig->delivery = NULL;
    start(rig, RIG_FILER ",socket=@/s");
    delivery_free(rig->delivery);
    rig->delivery = NULL;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char *const taken[] = {RIG_FILER ",socket=@/t"};
    const char *path = rig_path(rig, "t");

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(0, bind(listener, (const struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(listener, 1));
    const char *shown = rig_refuse(rig, taken, 1);

    if (!strstr(shown, "Address already in use"))
        fail_msg("%s", shown);
    close(listener);
}

static void secrets_are_in_no_log(void **state)
{
    struct rig *rig = *state;
    FILE *file = fopen(rig_path(rig, "secret"), "we");

    fputs("hunter2\n", file);
    fclose(file);
    start(rig, RIG_FILER ",path=@/a,token.file=@/secret");
    struct text said = rig_logged(rig, rotate_in_vain);

    expect_content(rig, "a", "usual 000001hunter2\n");
    assert_false(text_contains(said, TEXT("hunter2")));
    assert_true(text_contains(said, TEXT("output filer: logging in as x:*****\n")));
    assert_true(text_contains(said, TEXT("output filer: ***** has not worked\n")));
    CLEANUP(closep)
    int fd = open(arena_printf(&rig->arena, "/proc/%d/cmdline", (int)rig_await_host(rig, 0)),
                  O_RDONLY | O_CLOEXEC);
    char arguments[4096];
    ssize_t len = read(fd, arguments, sizeof arguments);

    assert_true(len > 0);
    assert_null(memmem(arguments, (size_t)len, "hunter2", 7));
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(moved_files_are_opened_again),
        TEST(new_hosts_get_the_new_files),
        TEST(files_that_cannot_be_opened_stay),
        TEST(links_of_others_are_refused),
        TEST(links_of_others_are_not_opened_again),
        TEST(links_of_others_are_not_rotated_into),
        TEST(plugins_rotate_their_files),
        TEST(what_is_no_file_does_not_rotate),
        TEST(folders_can_be_written_to_and_not_left),
        TEST(sockets_outlive_hosts),
        TEST(sockets_that_were_left_are_taken),
        TEST(secrets_are_in_no_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
