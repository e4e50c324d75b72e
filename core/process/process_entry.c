#include "process/process_entry.h"

#include <errno.h>
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
    entry->texts = parent->texts;
    if (entry->texts)
        entry->texts->users++;
}

void process_forget(struct process *process, const struct field_set *fields)
{
    for (size_t i = 0; i < sizeof fields->bits / sizeof *fields->bits; i++)
        process->has.bits[i] &= ~fields->bits[i];
}

static bool is_text(const struct field *field)
{
    return field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST;
}

static struct text *text_member(struct process *process, const struct field *field)
{
    return (struct text *)(void *)((char *)process + field->offset);
}

static void take_member(struct process *into, const struct process *from, const struct field *field)
{
    char *target = (char *)into + field->offset;
    const char *source = (const char *)from + field->offset;

    if (field->type == TYPE_BOOL) {
        *(bool *)target = *(const bool *)source;
    } else if (!is_text(field)) {
        memcpy(target, source, sizeof(int64_t));
    } else {
        const struct text *said = (const void *)source;

        if (!field_set_has(&into->has, field->id) || !text_equal(*text_member(into, field), *said))
            *text_member(into, field) = *said;
    }
    field_set_add(&into->has, field->id);
}

/* The next field of a set, which then lacks it; false when there is none left. */
static bool next_field(struct field_set *set, const struct field **out)
{
    for (size_t i = 0; i < sizeof set->bits / sizeof *set->bits; i++) {
        if (set->bits[i]) {
            *out = &field_catalogue[i * 64 + (unsigned)__builtin_ctzll(set->bits[i])];
            set->bits[i] &= set->bits[i] - 1;
            return true;
        }
    }
    return false;
}

void process_take(struct process *into, const struct process *from, const struct field_set *fields)
{
    struct field_set left = *fields;
    const struct field *field;

    for (size_t i = 0; i < sizeof left.bits / sizeof *left.bits; i++)
        left.bits[i] &= from->has.bits[i];
    while (next_field(&left, &field))
        take_member(into, from, field);
}

/* So that at most ENTRY_CMDLINE_MAX bytes are kept, the NUL behind an argument included, and no
 * half of a UTF-8 character at the end. */
static bool cut(struct text *t)
{
    if (t->len <= ENTRY_CMDLINE_MAX)
        return false;
    t->len = ENTRY_CMDLINE_MAX - 1;
    for (unsigned back = 0; back < 3 && ((unsigned char)t->ptr[t->len] & 0xc0) == 0x80; back++)
        t->len--;
    return true;
}

static void cut_arguments(struct process *process)
{
    bool was_cut = false;

    if (field_set_has(&process->has, FIELD_ARGV) && cut(&process->argv))
        was_cut = true;
    if (field_set_has(&process->has, FIELD_CMDLINE) && cut(&process->cmdline))
        was_cut = true;
    if (was_cut) {
        process->cmdline_truncated = true;
        field_set_add(&process->has, FIELD_CMDLINE_TRUNCATED);
    }
}

static bool holds(const struct texts *texts, struct text t)
{
    return t.len == 0 || (texts && (uintptr_t)t.ptr >= (uintptr_t)texts->bytes &&
                          (uintptr_t)t.ptr < (uintptr_t)texts->bytes + texts->size);
}

/* The room that the texts take, each with a NUL behind it, which also ends a cut argv. */
static size_t measure(struct process *process, const struct texts *own, bool *all_own)
{
    struct field_set left = process->has;
    const struct field *field;
    size_t sum = 0;

    *all_own = true;
    while (next_field(&left, &field)) {
        if (!is_text(field))
            continue;
        sum += text_member(process, field)->len + 1;
        *all_own = *all_own && holds(own, *text_member(process, field));
    }
    return sum;
}

static void copy_texts(struct process *process, char *room)
{
    struct field_set left = process->has;
    const struct field *field;

    while (next_field(&left, &field)) {
        if (!is_text(field))
            continue;
        struct text *t = text_member(process, field);

        if (t->len)
            memcpy(room, t->ptr, t->len);
        room[t->len] = '\0';
        t->ptr = room;
        room += t->len + 1;
        if (field->type == TYPE_TEXT_LIST && t->len && t->ptr[t->len - 1] != '\0')
            t->len++;
    }
}

int process_entry_set(struct process_entry *entry, const struct process *fields)
{
    struct process process = *fields;
    bool all_own;

    cut_arguments(&process);
    process.parent = entry->process.parent;
    size_t size = measure(&process, entry->texts, &all_own);

    if (!all_own) {
        struct texts *texts = malloc(sizeof *texts + size);

        if (!texts)
            return -ENOMEM;
        texts->users = 1;
        texts->size = size;
        copy_texts(&process, texts->bytes);
        release_texts(entry);
        entry->texts = texts;
        *entry->footprint += sizeof *texts + size;
    }
    entry->process = process;
    return 0;
}
