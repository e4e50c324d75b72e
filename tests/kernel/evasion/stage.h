/* The stage that tricks against the sensor are played on: a live sensor, and behind it the process
 * table that the engine has. Whoever is started here is watched, with all that descends from it.
 *
 * A trick runs in a process of its own and ends in the witness, a program that says by itself what
 * it is and how it was started; stage_assert_true() compares the event with that. Each program of
 * tests is played twice: with the sensor's own choice of hooks, and with the classic tracepoints
 * where the kernel can. */
#ifndef PICKET_TESTS_EVASION_STAGE_H
#define PICKET_TESTS_EVASION_STAGE_H

/* cmocka.h wants these three before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "capture.h"
#include "scene.h"

/* What the witness said. Texts last until the next trick. */
struct testimony {
    struct truth truth;
    const char *filename;
    const char *const *argv; /* NULL behind the last */
    struct text env;         /* each variable with its NUL */
};

#define SIGHTING_ANCESTORS 8

/* One record, and what the engine made of it. */
struct sighting {
    struct record record;
    struct process process;                              /* as rules see it */
    const struct process *ancestors[SIGHTING_ANCESTORS]; /* the parent first */
    size_t ancestor_count;
};

/* A program to be executed. */
struct start {
    const char *filename;
    const char *const *argv;
    const char *const *env; /* NULL: ours */
};

extern const char *const just_witness[]; /* arguments */

/* Plays the tests of one trick on each set of hooks; the exit status for main(). */
int stage_run(const char *trick, const struct CMUnitTest *tests, size_t count);
#define STAGE_RUN(trick, tests) stage_run(trick, tests, sizeof(tests) / sizeof(tests)[0])

/* Leaves a test that cannot be done on this machine. The program counts as skipped when none of
 * its tests could be. */
_Noreturn void stage_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same in a chroot, where the kernel grants neither user namespaces nor another root, and its
 * helpers see other paths. */
void stage_skip_in_chroot(void);

/* The path of NAME in the scene, and of the witness there; valid until 32 calls later. */
const char *stage_path(const char *name);
const char *stage_witness(void);
/* Puts a copy of the witness at NAME in the scene. */
void stage_witness_at(const char *name, mode_t mode);

/* True while the classic tracepoints are tested that are never alone where they are chosen. */
bool stage_has_classic_alone(void);

/* Ends the sensor and begins a new one, as an engine that is started late. */
void stage_stop(void);
void stage_start(void);
/* One with other options; those that the stage itself needs are its own. */
void stage_start_with(const struct sensor_options *wanted);

void stage_counters(struct sensor_counters *out);

/* Plays TRICK(ARGUMENT), which is to end in a witness, in a new process; waits until both have
 * ended and the sensor has told it. What was seen before is forgotten. */
void stage_play(int (*trick)(void *), void *argument, struct testimony *said);

/* The same in two steps, for a trick that needs something done meanwhile; also without a sensor
 * when it begins. */
struct act {
    pid_t pid; /* 0: its end is not waited for */
    int words; /* read end of what the witness says */
};
struct act stage_begin(int (*trick)(void *), void *argument);
void stage_end(struct act *act, struct testimony *said);

/* Starts a trick that ends in no witness, waits for it and what it left; its status as wait(2)
 * has it. */
int stage_play_mute(int (*trick)(void *), void *argument, pid_t *pid);

/* Executions of the file at PATH are ours too, whoever's they are; so are those of the witness,
 * as long as there is no other. */
void stage_watch(const char *path);

/* Reads until the exit of PID has been told; fails the test after some seconds. */
void stage_until_exit(int64_t pid);
/* Reads until COUNT events of TYPE have been told. */
void stage_until(enum event_type type, size_t count);

/* The Nth event (from 0) of that type and process, or NULL. */
const struct sighting *stage_find(enum event_type type, int64_t pid, unsigned n);
/* All that were seen, in the order told. */
const struct sighting *stage_sightings(size_t *count);
size_t stage_count(enum event_type type);

/* The witness was seen once, and every field is what it says of itself: file, filename, arguments,
 * users, parent, folder and identity. Returns the event. */
const struct sighting *stage_assert_true(const struct testimony *said);
/* Compares the fields that EXPECTED has. */
void stage_assert_fields(const struct process *seen, const struct process *expected);
/* What stage_assert_true() expects, to be changed where a trick hides it from the witness. */
struct process stage_expect(const struct testimony *said);

void stage_assert_text(struct text seen, const char *expected);

/* The Nth argument that EVENT has; its ptr is NULL when it has none. */
struct text stage_argument(const struct sighting *event, unsigned n);

/* Tricks and parts of them: they run in the new process and return only on failure. */
int trick_execve(void *start);
/* Namespaces, in a chroot(2) too; CLONE_NEWNS also makes all mounts private. 0 or -1. */
int trick_unshare(int flags);
/* The uid and gid 0 of a new user namespace are ours. 0 or -1. */
int trick_map_root(void);

#endif
