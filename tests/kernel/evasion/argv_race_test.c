/* Arguments and filename that another thread rewrites while execve reads them. Who looks at them
 * where execve is entered is shown others than the program gets; picket reads them from the new
 * memory, which nobody else has. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#define PAGE 4096

/* The kernel copies arguments from the last to the first. The last is on a page that has to be
 * asked for, and while the kernel waits for it the others are changed. */
static struct {
    int faults;
    char *page; /* not there yet */
    char command[64], filename[256];
} held;

static void *pages_serve(void *argument)
{
    struct pollfd poll_fd = {.fd = held.faults, .events = POLLIN};
    static char contents[PAGE] = "last";
    struct uffd_msg message;

    if (poll(&poll_fd, 1, -1) < 0 || read(held.faults, &message, sizeof message) < 0)
        return NULL;
    memcpy(held.command, "steal /etc/shadow", 18);
    memcpy(held.filename, "/bin/harmless", 14);
    ioctl(held.faults, UFFDIO_COPY,
          &(struct uffdio_copy){
              .dst = (unsigned long)held.page, .src = (unsigned long)contents, .len = PAGE});
    return NULL;
}

static int page_hold(void)
{
    struct uffdio_api api = {.api = UFFD_API};

    held.faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    held.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register range = {.range = {(unsigned long)held.page, PAGE},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};

    if (ioctl(held.faults, UFFDIO_API, &api) < 0)
        return -1;
    return ioctl(held.faults, UFFDIO_REGISTER, &range);
}

static int trick_held(void *filename)
{
    const char *argv[] = {"witness", held.command, held.page, NULL};
    pthread_t server;

    memcpy(held.command, "list my files", 14);
    snprintf(held.filename, sizeof held.filename, "%s", (char *)filename);
    if (page_hold() < 0 || pthread_create(&server, NULL, pages_serve, NULL) != 0)
        return -1;
    argv[2] = held.page;
    return execv(held.filename, (char *const *)argv);
}

static void test_rewritten_while_the_kernel_waits(void **state)
{
    CLEANUP(closep) int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    struct testimony said;

    if (faults < 0)
        stage_skip("the kernel is built without CONFIG_USERFAULTFD");
    stage_play(trick_held, (void *)stage_witness(), &said);
    const struct sighting *event = stage_assert_true(&said);

    /* It came to what a sensor that looks at the entry would not have seen. */
    stage_assert_text(stage_argument(event, 1), "steal /etc/shadow");
    stage_assert_text(stage_argument(event, 2), "last");
    stage_assert_text(event->process.filename, stage_witness());
}

static void *letters_flip(void *letter)
{
    volatile char *at = letter;

    while (*at)
        *at = *at == 'A' ? 'B' : 'A';
    return NULL;
}

static int trick_flip(void *at_filename)
{
    static char filename[256], argument[] = "A";
    const char *argv[] = {"witness", argument, NULL};
    pthread_t flipper;

    snprintf(filename, sizeof filename, "%s", stage_path("flip-A"));
    char *letter = at_filename ? filename + strlen(filename) - 1 : argument;

    if (pthread_create(&flipper, NULL, letters_flip, letter) != 0)
        return -1;
    while (*(volatile char *)letter == 'A')
        continue; /* until the other is at it */
    return execv(filename, (char *const *)argv);
}

/* Whichever it came to: the event says what the program got. */
static void check_flips(bool at_filename)
{
    stage_witness_at("flip-A", 0755);
    stage_witness_at("flip-B", 0755);
    for (int i = 0; i < 15; i++) {
        struct testimony said;

        stage_play(trick_flip, at_filename ? &said : NULL, &said);
        stage_assert_true(&said);
    }
}

static void test_flipped_argument(void **state)
{
    check_flips(false);
}

static void test_flipped_filename(void **state)
{
    check_flips(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rewritten_while_the_kernel_waits),
        cmocka_unit_test(test_flipped_argument),
        cmocka_unit_test(test_flipped_filename),
    };

    return STAGE_RUN("argv_race", tests);
}
