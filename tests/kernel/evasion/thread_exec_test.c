/* A thread that is not the first one starts the program, while others run and begin and end. It
 * takes over the process, number and all. */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage.h"

static void *thread_ends(void *argument)
{
    return NULL;
}

static void *threads_begin(void *argument)
{
    pthread_t thread;

    for (;;)
        if (pthread_create(&thread, NULL, thread_ends, NULL) == 0)
            pthread_join(thread, NULL);
    return NULL;
}

static void *thread_execve(void *start)
{
    prctl(PR_SET_NAME, "some-thread");
    usleep(2000);
    trick_execve(start);
    return NULL;
}

static int trick_thread(void *start)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++)
        if (pthread_create(&thread, NULL, threads_begin, NULL) != 0)
            return -1;
    if (pthread_create(&thread, NULL, thread_execve, start) != 0)
        return -1;
    pause();
    return -1;
}

/* The first thread is gone by then. */
static int trick_leaderless(void *start)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, thread_execve, start) != 0)
        return -1;
    syscall(SYS_exit, 0); /* of this thread alone */
    return -1;
}

static void check(int (*trick)(void *))
{
    struct start start = {stage_witness(), just_witness};

    for (int i = 0; i < 5; i++) {
        struct testimony said;

        stage_play(trick, &start, &said);
        const struct sighting *event = stage_assert_true(&said);

        assert_int_equal(event->ancestors[0]->pid, getpid());
        assert_null(stage_find(EVENT_EXIT, said.truth.pid, 1));
    }
}

static void test_while_others_run(void **state)
{
    check(trick_thread);
}

static void test_without_the_leader(void **state)
{
    check(trick_leaderless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_others_run),
        cmocka_unit_test(test_without_the_leader),
    };

    return STAGE_RUN("thread_exec", tests);
}
