/* Scope-bound release: `CLEANUP(buffer_deinit) struct buffer text = {0};` The function gets the
 * variable's address, so it fits every noun_deinit(); for heap objects declare a noun_freep(). */
#ifndef PICKET_BASE_CLEANUP_H
#define PICKET_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Declares noun_freep(noun **) for a noun_free(noun *) that takes NULL. */
#define DEFINE_FREEP(type, noun)                                                             \
    static inline void noun##_freep(type **pointer) /* NOLINT(bugprone-macro-parentheses) */ \
    {                                                                                        \
        noun##_free(*pointer);                                                               \
    }

static inline void freep(void *pointer)
{
    free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void fclosep(FILE **file)
{
    if (*file)
        fclose(*file);
}

static inline void closedirp(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

#endif
