/* Records as the sensor would decode them, for the tests of the process table. */
#ifndef PICKET_TESTS_RECORDS_H
#define PICKET_TESTS_RECORDS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "process/process_table.h"

#define SET_TEXT(process, id, member, string)       \
    do {                                            \
        (process)->member = text_from(string);      \
        field_set_add(&(process)->has, FIELD_##id); \
    } while (0)

#define SET(process, id, member, value)             \
    do {                                            \
        (process)->member = (value);                \
        field_set_add(&(process)->has, FIELD_##id); \
    } while (0)

static inline struct record record_of(enum event_type type, struct identity self,
                                      struct identity parent, int64_t boot_time)
{
    struct record record = {
        .type = type,
        .cpu = 1,
        .sequence = (uint64_t)boot_time,
        .boot_time = boot_time,
        .self = self,
        .parent = parent,
    };

    SET(&record.process, PID, pid, self.pid);
    SET(&record.process, PPID, ppid, parent.pid);
    return record;
}

/* ARGV: its bytes, each argument with a NUL behind it. */
static inline void record_set_image(struct record *record, const char *exe, struct text argv)
{
    const char *slash = strrchr(exe, '/');

    SET_TEXT(&record->process, EXE, exe, exe);
    SET_TEXT(&record->process, FILENAME, filename, exe);
    SET_TEXT(&record->process, COMM, comm, slash ? slash + 1 : exe);
    SET(&record->process, ARGV, argv, argv);
}

static inline void assert_text(struct text t, const char *expected)
{
    if (t.len != strlen(expected) || memcmp(t.ptr, expected, t.len) != 0)
        fail_msg("'%.*s' is not '%s'", TEXT_ARG(t), expected);
}

static inline bool has(const struct process *process, enum field_id id)
{
    return field_set_has(&process->has, id);
}

/* A procfs in which nobody lives, for tables whose processes are all made up. */
static inline const char *empty_proc(void)
{
    static char path[] = "/tmp/picket-no-proc-XXXXXX";
    static bool made;

    if (!made && !mkdtemp(path))
        fail_msg("mkdtemp: %d", errno);
    made = true;
    return path;
}

static inline int remove_empty_proc(void **state)
{
    return rmdir(empty_proc());
}

#endif
