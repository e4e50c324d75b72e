#include "process/process_entry.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct texts {
    unsigned users;
    size_t size;
    char bytes[];
};

struct process_entry *process_entry_new(struct identity self, size_t *footprint)
{
    struct process_entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        return NULL;
    entry->self = self;
    entry->footprint = footprint;
    *footprint += sizeof *entry;
    LIST_INIT(&entry->children);
    return entry;
}

static void release_texts(struct process_entry *entry)
{
    struct texts *texts = entry->texts;

    entry->texts = NULL;
    if (!texts || --texts->users > 0)
        return;
    *entry->footprint -= sizeof *texts + texts->size;
    free(texts);
}

void process_entry_free(struct process_entry *entry)
{
    if (!entry)
        return;
    release_texts(entry);
    *entry->footprint -= sizeof *entry;
    free(entry);
}

void process_entry_adopt(struct process_entry *parent, struct process_entry *child)
{
    child->parent = parent;
    child->process.parent = &parent->process;
    child->generation = parent->generation + 1;
    LIST_INSERT_HEAD(&parent->children, child, sibling);
}

void process_entry_orphan(struct process_entry *child)
{
    LIST_REMOVE(child, sibling);
    child->parent = NULL;
    child->process.parent = NULL;
    child->generation = 0;
}

void process_entry_inherit(struct process_entry *entry, const struct process_entry *parent)
{
    struct process own = entry->process;

    entry->process = parent->process;
    entry->process.pid = own.pid;
    entry->process.start_time = own.start_time;
    entry->process.parent = own.parent;
    field_set_remove(&entry->process.has, FIELD_VPID);
    entry->hash_sought = parent->hash_sought;
    entry->texts = parent->texts;
    if (entry->texts)
        entry->texts->users++;
}

void process_forget(struct process *process, const struct field_set *fields)
{
    for (size_t i = 0; i < sizeof fields->bits / sizeof *fields->bits; i++)
        process->has.bits[i] &= ~fields->bits[i];
}

/* What the loops below ask of fields, in as few cache lines as there can be: they run for every
 * record. */
#define IS_TEXT(type)            (TYPE_##type == TYPE_TEXT || TYPE_##type == TYPE_TEXT_LIST)
#define IS_BOOL(type)            (TYPE_##type == TYPE_BOOL)
#define BIT(id, word, is)        ((is) && FIELD_##id / 64 == (word) ? 1ULL << FIELD_##id % 64 : 0)
#define TEXT_0(id, n, type, ...) | BIT(id, 0, IS_TEXT(type))
#define TEXT_1(id, n, type, ...) | BIT(id, 1, IS_TEXT(type))
#define BOOL_0(id, n, type, ...) | BIT(id, 0, IS_BOOL(type))
#define BOOL_1(id, n, type, ...) | BIT(id, 1, IS_BOOL(type))

_Static_assert(FIELD_COUNT > 64 && FIELD_COUNT <= 128, "a set of fields has two words");
static const struct field_set text_fields = {
    {0 FIELD_CATALOGUE(TEXT_0), 0 FIELD_CATALOGUE(TEXT_1)}};
static const struct field_set bool_fields = {
    {0 FIELD_CATALOGUE(BOOL_0), 0 FIELD_CATALOGUE(BOOL_1)}};

#define STRUCT_EVENT                            struct event
#define STRUCT_PROCESS                          struct process
#define OFFSET(id, n, type, scope, member, ...) [FIELD_##id] = offsetof(STRUCT_##scope, member),
static const uint16_t offsets[FIELD_COUNT] = {FIELD_CATALOGUE(OFFSET)};

static struct text *text_member(struct process *process, enum field_id id)
{
    return (struct text *)(void *)((char *)process + offsets[id]);
}

void process_take_text(struct process *into, enum field_id id, struct text said)
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

void process_take(struct process *into, const struct process *from, const struct field_set *fields)
{
    struct field_set left = both(fields, &from->has);
    struct field_set texts = both(&left, &text_fields), bools = both(&left, &bool_fields);
    enum field_id id;

    while (next_field(&texts, &id))
        process_take_text(into, id,
                          *(const struct text *)(const void *)((const char *)from + offsets[id]));
    while (next_field(&bools, &id))
        *((char *)into + offsets[id]) = *((const char *)from + offsets[id]);
    for (size_t i = 0; i < 2; i++) {
        into->has.bits[i] |= left.bits[i];
        left.bits[i] &= ~(text_fields.bits[i] | bool_fields.bits[i]);
    }
    while (next_field(&left, &id))
        memcpy((char *)into + offsets[id], (const char *)from + offsets[id], sizeof(int64_t));
}

/* So that at most ENTRY_TEXT_MAX bytes are kept, the NUL behind an argument included, and no
 * half of a UTF-8 character at the end. */
static bool cut(struct text *t)
{
    if (t->len <= ENTRY_TEXT_MAX)
        return false;
    t->len = ENTRY_TEXT_MAX - 1;
    for (unsigned back = 0; back < 3 && ((unsigned char)t->ptr[t->len] & 0xc0) == 0x80; back++)
        t->len--;
    return true;
}

/* The end of a long command line goes too, so what is missing is no longer in its middle. */
static void cut_texts(struct process *process)
{
    bool was_cut = false;

    if (field_set_has(&process->has, FIELD_ARGV) && cut(&process->argv))
        was_cut = true;
    if (field_set_has(&process->has, FIELD_CMDLINE) && cut(&process->cmdline))
        was_cut = true;
    if (was_cut) {
        process_set_bool(process, FIELD_CMDLINE_TRUNCATED, &process->cmdline_truncated, true);
        field_set_remove(&process->has, FIELD_CMDLINE_OMITTED);
    }
    if (field_set_has(&process->has, FIELD_ENV) && cut(&process->env))
        process_set_bool(process, FIELD_ENV_TRUNCATED, &process->env_truncated, true);
}

static bool holds(const struct texts *texts, struct text t)
{
    return t.len == 0 || (texts && (uintptr_t)t.ptr >= (uintptr_t)texts->bytes &&
                          (uintptr_t)t.ptr < (uintptr_t)texts->bytes + texts->size);
}

/* The room that the texts take, each with a NUL behind it, which also ends a cut argv. */
static size_t measure(struct process *process, const struct texts *own, bool *all_own)
{
    struct field_set left = both(&process->has, &text_fields);
    enum field_id id;
    size_t sum = 0;

    *all_own = true;
    while (next_field(&left, &id)) {
        sum += text_member(process, id)->len + 1;
        *all_own = *all_own && holds(own, *text_member(process, id));
    }
    return sum;
}

static void copy_texts(struct process *process, char *room)
{
    struct field_set left = both(&process->has, &text_fields);
    enum field_id id;

    while (next_field(&left, &id)) {
        struct text *t = text_member(process, id);

        if (t->len)
            memcpy(room, t->ptr, t->len);
        room[t->len] = '\0';
        t->ptr = room;
        room += t->len + 1;
        if ((id == FIELD_ARGV || id == FIELD_ENV) && t->len && t->ptr[t->len - 1] != '\0')
            t->len++;
    }
}

int process_entry_set(struct process_entry *entry, struct process *fields)
{
    bool all_own;

    cut_texts(fields);
    fields->parent = entry->process.parent;
    size_t size = measure(fields, entry->texts, &all_own);

    if (!all_own) {
        struct texts *texts = malloc(sizeof *texts + size);

        if (!texts)
            return -ENOMEM;
        texts->users = 1;
        texts->size = size;
        copy_texts(fields, texts->bytes);
        release_texts(entry);
        entry->texts = texts;
        *entry->footprint += sizeof *texts + size;
    }
    entry->process = *fields;
    return 0;
}
