#include "process/process_entry.h"

#include <errno.h>
#include <stdlib.h>

#include "process/process_fields.h"

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

/* So that at most ENTRY_TEXT_MAX bytes are kept, the NUL behind an argument included, and no
 * half of a UTF-8 character at the end. */
static bool cut(struct text *t)
{
    if (t->len <= ENTRY_TEXT_MAX)
        return false;
    *t = text_clip(*t, ENTRY_TEXT_MAX - 1);
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
    struct field_set left = process->has;
    enum field_id id;
    const struct text *t;
    size_t sum = 0;

    *all_own = true;
    while ((t = process_fields_next_text(process, &left, &id))) {
        sum += t->len + 1;
        *all_own = *all_own && holds(own, *t);
    }
    return sum;
}

static void copy_texts(struct process *process, char *room)
{
    struct field_set left = process->has;
    enum field_id id;
    struct text *t;

    while ((t = process_fields_next_text(process, &left, &id))) {
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
