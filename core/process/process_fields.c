#include "process/process_fields.h"

#include <stddef.h>

/* The part of a set of fields that is in its WORD. */
#define BIT(id, word) (FIELD_##id / 64 == (word) ? UINT64_C(1) << (FIELD_##id % 64) : UINT64_C(0))
#define SET(bits)            \
    {                        \
        {                    \
            bits(0), bits(1) \
        }                    \
    }
_Static_assert(FIELD_COUNT > 64 && FIELD_COUNT <= 128, "a set of fields has two words");

#define EVERY_BIT(word) (~UINT64_C(0))
const struct field_set process_fields_every = SET(EVERY_BIT);

#define ATTEMPT_BITS(word)                                                                \
    (BIT(FILENAME, word) | BIT(FILENAME_TRUNCATED, word) | BIT(FILENAME_ABSOLUTE, word) | \
     BIT(SCRIPT, word) | BIT(INTERPRETER, word) | BIT(ARGV, word) | BIT(ARGC, word) |     \
     BIT(CMDLINE, word) | BIT(CMDLINE_LENGTH, word) | BIT(CMDLINE_OMITTED, word) |        \
     BIT(CMDLINE_TRUNCATED, word))
const struct field_set process_fields_attempt = SET(ATTEMPT_BITS);

#define OTHER_BITS(word) (~ATTEMPT_BITS(word))
const struct field_set process_fields_but_attempt = SET(OTHER_BITS);

#define ENV_BITS(word)   (BIT(ENV, word) | BIT(ENV_LENGTH, word) | BIT(ENV_TRUNCATED, word))
#define SHOWN_BITS(word) (ATTEMPT_BITS(word) | ENV_BITS(word))
const struct field_set process_fields_shown = SET(SHOWN_BITS);

#define IMAGE_BITS(word)                                                                      \
    (ATTEMPT_BITS(word) | BIT(COMM, word) | BIT(EXE, word) | BIT(EXE_TRUNCATED, word) |       \
     BIT(EXE_DEVICE, word) | BIT(EXE_INODE, word) | BIT(EXE_FILESYSTEM, word) |               \
     BIT(EXE_SIZE, word) | BIT(EXE_MTIME, word) | BIT(EXE_CTIME, word) | BIT(EXE_AGE, word) | \
     BIT(EXE_MODE, word) | BIT(EXE_UID, word) | BIT(EXE_GID, word) | BIT(EXE_OWNER, word) |   \
     BIT(EXE_NLINK, word) | BIT(EXE_SETUID, word) | BIT(EXE_SETGID, word) |                   \
     BIT(EXE_FILECAPS, word) | BIT(EXE_WRITABLE, word) | BIT(EXE_UPPER, word) |               \
     BIT(EXE_TMPFS, word) | BIT(EXE_MEMFD, word) | BIT(EXE_DELETED, word) |                   \
     BIT(EXE_SHA256, word) | ENV_BITS(word) | BIT(STDIN, word) | BIT(STDOUT, word) |          \
     BIT(STDERR, word))
const struct field_set process_fields_image = SET(IMAGE_BITS);

#define CGROUP_BITS(word) \
    (BIT(CGROUP_PATH, word) | BIT(CONTAINER_ID, word) | BIT(CONTAINER_RUNTIME, word))
const struct field_set process_fields_cgroup = SET(CGROUP_BITS);

/* What the loops below ask of fields, in as few cache lines as there can be: they run for every
 * record. */
#define IS_TEXT(type)            (TYPE_##type == TYPE_TEXT || TYPE_##type == TYPE_TEXT_LIST)
#define IS_BOOL(type)            (TYPE_##type == TYPE_BOOL)
#define BIT_IF(id, word, is)     ((is) ? BIT(id, word) : 0)
#define TEXT_0(id, n, type, ...) | BIT_IF(id, 0, IS_TEXT(type))
#define TEXT_1(id, n, type, ...) | BIT_IF(id, 1, IS_TEXT(type))
#define BOOL_0(id, n, type, ...) | BIT_IF(id, 0, IS_BOOL(type))
#define BOOL_1(id, n, type, ...) | BIT_IF(id, 1, IS_BOOL(type))

static const struct field_set text_fields = {
    {0 FIELD_CATALOGUE(TEXT_0), 0 FIELD_CATALOGUE(TEXT_1)}};
static const struct field_set bool_fields = {
    {0 FIELD_CATALOGUE(BOOL_0), 0 FIELD_CATALOGUE(BOOL_1)}};

#define STRUCT_EVENT                            struct event
#define STRUCT_HOST                             struct machine
#define STRUCT_PROCESS                          struct process
#define OFFSET(id, n, type, scope, member, ...) [FIELD_##id] = offsetof(STRUCT_##scope, member),
static const uint16_t offsets[FIELD_COUNT] = {FIELD_CATALOGUE(OFFSET)};

static struct text *text_member(struct process *process, enum field_id id)
{
    return (struct text *)(void *)((char *)process + offsets[id]);
}

void process_fields_take_text(struct process *into, enum field_id id, struct text said)
{
    if (!field_set_has(&into->has, id) || !text_equal(*text_member(into, id), said))
        *text_member(into, id) = said;
    field_set_add(&into->has, id);
}

/* The next field of a set, which then lacks it; false when there is none left. */
static bool next_field(struct field_set *set, enum field_id *out)
{
    for (size_t i = 0; i < sizeof set->bits / sizeof *set->bits; i++) {
        if (set->bits[i]) {
            *out = (enum field_id)(i * 64 + (unsigned)__builtin_ctzll(set->bits[i]));
            set->bits[i] &= set->bits[i] - 1;
            return true;
        }
    }
    return false;
}

static struct field_set both(const struct field_set *a, const struct field_set *b)
{
    return (struct field_set){{a->bits[0] & b->bits[0], a->bits[1] & b->bits[1]}};
}

void process_fields_take(struct process *into, const struct process *from,
                         const struct field_set *fields)
{
    struct field_set left = both(fields, &from->has);
    struct field_set texts = both(&left, &text_fields), bools = both(&left, &bool_fields);
    enum field_id id;

    while (next_field(&texts, &id))
        process_fields_take_text(
            into, id, *(const struct text *)(const void *)((const char *)from + offsets[id]));
    while (next_field(&bools, &id))
        *((char *)into + offsets[id]) = *((const char *)from + offsets[id]);
    for (size_t i = 0; i < 2; i++) {
        into->has.bits[i] |= left.bits[i];
        left.bits[i] &= ~(text_fields.bits[i] | bool_fields.bits[i]);
    }
    while (next_field(&left, &id))
        memcpy((char *)into + offsets[id], (const char *)from + offsets[id], sizeof(int64_t));
}

void process_fields_forget(struct process *process, const struct field_set *fields)
{
    for (size_t i = 0; i < sizeof fields->bits / sizeof *fields->bits; i++)
        process->has.bits[i] &= ~fields->bits[i];
}

struct text *process_fields_next_text(struct process *process, struct field_set *left,
                                      enum field_id *id)
{
    *left = both(left, &text_fields);
    return next_field(left, id) ? text_member(process, *id) : NULL;
}
