/* The caller's filename and arguments are in a file, and not in its memory when it calls: the
 * kernel fetches them, a hook at the entry cannot (it gets EFAULT). They are read where they are
 * surely present, in the new program's. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#define PAGE   4096
#define SECOND "an argument that was elsewhere"

/* One page each for the filename and two arguments; an address of a page that was never touched
 * is behind no entry of the page table. */
static char *texts_map(const char *name)
{
    CLEANUP(closep) int fd = open(stage_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const char *texts[] = {stage_witness(), "witness", SECOND};

    for (int i = 0; i < 3; i++)
        if (pwrite(fd, texts[i], strlen(texts[i]) + 1, (off_t)i * PAGE) < 0)
            return MAP_FAILED;
    if (ftruncate(fd, 3L * PAGE) < 0 || fsync(fd) < 0)
        return MAP_FAILED;
    return mmap(NULL, 3L * PAGE, PROT_READ, MAP_SHARED, fd, 0);
}

static int texts_execute(char *texts)
{
    const char *argv[] = {texts + PAGE, texts + 2L * PAGE, NULL};

    return execv(texts, (char *const *)argv);
}

static int trick_untouched(void *argument)
{
    char *texts = texts_map("texts");

    return texts == MAP_FAILED ? -1 : texts_execute(texts);
}

/* They were there, and are driven out. */
static int trick_driven_out(void *argument)
{
    char *texts = texts_map("texts");

    if (texts == MAP_FAILED)
        return -1;
    for (int i = 0; i < 3; i++)
        if (*(volatile char *)(texts + (ptrdiff_t)i * PAGE) == '\0')
            return -1;
    if (madvise(texts, 3L * PAGE, MADV_PAGEOUT) < 0 && madvise(texts, 3L * PAGE, MADV_DONTNEED) < 0)
        return -1;
    return texts_execute(texts);
}

static void check(int (*trick)(void *))
{
    struct testimony said;

    stage_play(trick, NULL, &said);
    const struct sighting *event = stage_assert_true(&said);

    stage_assert_text(event->process.filename, stage_witness());
    stage_assert_text(stage_argument(event, 1), SECOND);
}

static void test_never_touched(void **state)
{
    check(trick_untouched);
}

static void test_driven_out(void **state)
{
    check(trick_driven_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_touched),
        cmocka_unit_test(test_driven_out),
    };

    return STAGE_RUN("paged_out", tests);
}
