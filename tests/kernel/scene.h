/* Where the scenarios play: a folder with the probe in it, and processes that run it. */
#ifndef PICKET_TESTS_KERNEL_SCENE_H
#define PICKET_TESTS_KERNEL_SCENE_H

#include <stdbool.h>
#include <sys/types.h>

#include "truth.h"

/* What ctest takes for "skipped" when this is not root; 1 then when the environment has CI set;
 * 0: go on. */
#define SCENE_SKIPPED 77
int scene_skip(void);

/* True on kernels where classic tracepoints can do the work (from 6.12). */
bool scene_has_classic(void);

/* Makes the folder, which everybody may enter, with "probe" in it; ends the program when it
 * cannot. scene_close() removes it. */
void scene_open(void);
void scene_close(void);

/* The path of NAME in the folder; valid until four calls later. */
const char *scene_path(const char *name);

/* Puts a copy of the probe at NAME. */
void scene_probe(const char *name, mode_t mode);

/* Puts a script at NAME whose first line is "#!", the probe and ARGUMENT. */
void scene_script(const char *name, const char *argument);

/* Copies the file at PATH to FD. */
void scene_copy(const char *path, int fd);

/* Runs CHILD(ARGUMENT) in a new process, waits for its end and returns its pid. It has TRUTH_FD
 * open; what is told there is *TRUTH, and a silent end fails the test. */
pid_t scene_run(int (*child)(void *), void *argument, struct truth *truth);

/* Executes that program in a child by vfork(2), waits for its end and exits. */
_Noreturn void scene_vfork(const char *filename, const char *const *argv);

#endif
