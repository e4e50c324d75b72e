/* A failed attempt whose filename and arguments are taken away, forbidden or rewritten while the
 * kernel is at it. They are read from the caller's memory afterwards, so they can be forged; that
 * it was tried, by whom, and how it ended can not, and what could not be read is flagged. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#define PAGE 4096

/* The filename and the first argument have a page each; so has the last argument, which is not
 * there yet: the kernel, which has the filename by then, waits for it. Meanwhile SPOIL is done. */
static struct {
    int faults;
    char *filename, *first, *last;
    void (*spoil)(void);
} held;

static void *page_serve(void *argument)
{
    struct pollfd poll_fd = {.fd = held.faults, .events = POLLIN};
    static char contents[PAGE] = "last";
    struct uffd_msg message;

    if (poll(&poll_fd, 1, -1) < 0 || read(held.faults, &message, sizeof message) < 0)
        return NULL;
    held.spoil();
    ioctl(held.faults, UFFDIO_COPY,
          &(struct uffdio_copy){
              .dst = (unsigned long)held.last, .src = (unsigned long)contents, .len = PAGE});
    return NULL;
}

static char *page_new(const char *text)
{
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED && text)
        memcpy(page, text, strlen(text) + 1);
    return page;
}

static int page_hold(void)
{
    held.faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {.range = {(unsigned long)held.last, PAGE},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};

    return ioctl(held.faults, UFFDIO_API, &api) < 0 ? -1
                                                    : ioctl(held.faults, UFFDIO_REGISTER, &range);
}

/* ENOEXEC is found only when all arguments have been copied. */
static int trick_spoiled(void *spoil)
{
    pthread_t server;

    held.spoil = *(void (**)(void))spoil;
    held.filename = page_new(stage_path("garbage"));
    held.first = page_new("the truth");
    held.last = page_new(NULL);
    if (page_hold() < 0 || pthread_create(&server, NULL, page_serve, NULL) != 0)
        return -1;
    const char *argv[] = {held.first, held.last, NULL};

    execv(held.filename, (char *const *)argv);
    _exit(errno == ENOEXEC ? 0 : 1);
}

static const struct sighting *play(void (*spoil)(void))
{
    int fd = open(stage_path("garbage"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    CLEANUP(closep) int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    pid_t pid;

    if (faults < 0)
        stage_skip("the kernel is built without CONFIG_USERFAULTFD");
    assert_int_equal(write(fd, "garbage", 7), 7);
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    assert_int_equal(stage_play_mute(trick_spoiled, &spoil, &pid), 0);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, pid, 0);

    assert_non_null(failed);
    assert_int_equal(failed->record.retval, -ENOEXEC);
    assert_int_equal(failed->ancestors[0]->pid, getpid());
    assert_true(text_contains(failed->process.exe, TEXT("failed_race")));
    return failed;
}

static void filename_unmap(void)
{
    munmap(held.filename, PAGE);
}

static void test_filename_is_gone(void **state)
{
    const struct process *process = &play(filename_unmap)->process;

    assert_true(process->filename_truncated);
    assert_false(field_set_has(&process->has, FIELD_FILENAME));
    assert_true(text_starts(process->cmdline, TEXT("the truth")));
}

static void filename_forbid(void)
{
    mprotect(held.filename, PAGE, PROT_NONE);
}

static void test_filename_is_forbidden(void **state)
{
    const struct process *process = &play(filename_forbid)->process;

    assert_true(process->filename_truncated);
    assert_false(field_set_has(&process->has, FIELD_FILENAME));
}

static void filename_rewrite(void)
{
    memcpy(held.filename, "/bin/harmless", 14);
    memcpy(held.first, "a lie", 6);
}

/* Nobody ever brought the arguments in: not the kernel either, where it looks for the file first.
 */
static int trick_untouched(void *argument)
{
    const char *name = stage_path("arguments");
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (write(fd, "unread", 7) != 7)
        return -1;
    const char *argv[] = {mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), NULL};

    execv("/no/such/program", (char *const *)argv);
    _exit(0);
}

static void test_arguments_not_in_memory(void **state)
{
    pid_t pid;

    assert_int_equal(stage_play_mute(trick_untouched, NULL, &pid), 0);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, pid, 0);

    assert_non_null(failed);
    assert_int_equal(failed->record.retval, -ENOENT);
    if (!failed->process.cmdline_truncated)
        stage_assert_text(failed->process.cmdline, "unread");
}

/* The limit of what can be known of a failure. */
static void test_rewritten(void **state)
{
    const struct process *process = &play(filename_rewrite)->process;

    stage_assert_text(process->filename, "/bin/harmless");
    stage_assert_text(process->cmdline, "a lie last");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filename_is_gone),
        cmocka_unit_test(test_filename_is_forbidden),
        cmocka_unit_test(test_arguments_not_in_memory),
        cmocka_unit_test(test_rewritten),
    };

    return STAGE_RUN("failed_race", tests);
}
