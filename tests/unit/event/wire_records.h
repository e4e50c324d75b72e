/* Records as the kernel side makes them, put together by hand. */
#ifndef PICKET_TESTS_WIRE_RECORDS_H
#define PICKET_TESTS_WIRE_RECORDS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "event/record.h"
#include "wire.h"

/* A record in the making, at an odd address as in a ring. */
struct sample {
    char before;
    char bytes[WIRE_RECORD_MAX];
    size_t len;
};

static struct sample sample;
static struct record_scratch scratch;

static inline int teardown(void **state)
{
    record_scratch_deinit(&scratch);
    return 0;
}

static inline struct wire_process process_of(enum wire_type type)
{
    return (struct wire_process){
        .header = {.type = (uint8_t)type,
                   .version = WIRE_VERSION,
                   .cpu = 3,
                   .sequence = 77,
                   .time = 5000000000},
        .start = 4000000000,
        .parent_start = 1000000000,
        .tgid = 100,
        .parent_tgid = 50,
        .cgroup_id = 9,
        .pgid = 99,
        .sid = 98,
        .credentials = {.uid = 1,
                        .euid = 2,
                        .suid = 7,
                        .gid = 3,
                        .egid = 4,
                        .sgid = 8,
                        .securebits = 1 << 4,
                        .loginuid = 4294967295,
                        .session = 6,
                        .effective = 1 << 13,
                        .permitted = 1ULL << 40,
                        .inheritable = 1ULL << 63,
                        .ambient = 5},
        .comm = "name",
    };
}

static inline void put(const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(sample.bytes + sample.len, bytes, len);
    sample.len += len;
}

/* Begins a sample with a fixed part, which begins with a struct wire_process. */
static inline void begin(const void *fixed, size_t len)
{
    sample.len = 0;
    put(fixed, len);
}

static inline int decode_len(size_t len, struct record *record)
{
    const char *why = NULL;
    int r = record_decode(sample.bytes, len, &scratch, record, &why);

    assert_true((r == 0) == (why == NULL));
    return r;
}

/* Sets the header's length to what has been put and decodes. */
static inline int decode(struct record *record)
{
    struct wire_header header;

    memcpy(&header, sample.bytes, sizeof(header));
    header.length = (uint16_t)sample.len;
    memcpy(sample.bytes, &header, sizeof(header));
    return decode_len(sample.len, record);
}

#define LITERAL(text) (text), sizeof(text) - 1

/* An exec with these texts; NULs that end them are in the literals. */
struct texts {
    struct text filename, interpreter, exe, cwd, cgroup, argv, argv_tail, env;
};

static inline struct wire_exec exec_of(const struct texts *texts)
{
    return (struct wire_exec){
        .process = process_of(WIRE_EXEC),
        .inode = 1234,
        .namespaces = {.user = 0xEFFFFFFD, .mnt = 7},
        .args_length = texts->argv.len + texts->argv_tail.len,
        .env_total = texts->env.len,
        .device = 254 << 20 | 3,
        .mode = 0104755,
        .nlink = 1,
        .argc = 2,
        .filename_length = (uint16_t)texts->filename.len,
        .interpreter_length = (uint16_t)texts->interpreter.len,
        .exe_length = (uint16_t)texts->exe.len,
        .cwd_length = (uint16_t)texts->cwd.len,
        .cgroup_length = (uint16_t)texts->cgroup.len,
        .argv_length = (uint16_t)texts->argv.len,
        .argv_tail_length = (uint16_t)texts->argv_tail.len,
        .env_length = (uint16_t)texts->env.len,
    };
}

static inline void exec_put(const struct wire_exec *exec, const struct texts *texts)
{
    begin(exec, sizeof(*exec));
    put(texts->filename.ptr, texts->filename.len);
    put(texts->interpreter.ptr, texts->interpreter.len);
    put(texts->exe.ptr, texts->exe.len);
    put(texts->cwd.ptr, texts->cwd.len);
    put(texts->cgroup.ptr, texts->cgroup.len);
    put(texts->argv.ptr, texts->argv.len);
    put(texts->argv_tail.ptr, texts->argv_tail.len);
    put(texts->env.ptr, texts->env.len);
}

static const struct texts script = {
    .filename = {LITERAL("./s\0")},
    .interpreter = {LITERAL("/bin/sh\0")},
    .exe = {LITERAL("dash\0bin\0usr\0")},
    .cwd = {LITERAL("b\0a\0")},
    .cgroup = {LITERAL("ssh.service\0system.slice\0")},
    .argv = {LITERAL("/bin/sh\0./s\0")},
    .env = {LITERAL("PATH=/bin\0LD_PRELOAD=x.so\0LD_PRELOADED=no\0EMPTY=\0SSH\0")},
};

static inline void assert_text(struct text seen, const char *expected)
{
    assert_int_equal(seen.len, strlen(expected));
    assert_memory_equal(seen.ptr, expected, seen.len);
}

static inline bool has(const struct record *record, enum field_id id)
{
    return field_set_has(&record->process.has, id);
}

#endif
