#include "event/event.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Everybody's ancestor. */
#define INIT_PID 1

static const char *const type_names[] = {
    [EVENT_EXEC] = "exec",
    [EVENT_EXEC_FAILED] = "exec_failed",
    [EVENT_EXIT] = "exit",
    [EVENT_FORK] = "fork",
};

const char *event_type_name(enum event_type type)
{
    return type_names[type];
}

int event_type_parse(struct text name, enum event_type *out)
{
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (text_is(name, type_names[i])) {
            *out = (enum event_type)i;
            return 0;
        }
    }
    return -EINVAL;
}

static bool member_value(const void *object, const struct field_set *has, const struct field *field,
                         struct value *out)
{
    const char *member = (const char *)object + field->offset;

    if (!field_set_has(has, field->id))
        return false;
    out->type = field->type;
    switch (field->type) {
    case TYPE_TEXT:
    case TYPE_TEXT_LIST:
        out->text = *(const struct text *)(const void *)member;
        break;
    case TYPE_FLAGS:
        out->names = flag_names_of(field->id);
        __attribute__((fallthrough));
    case TYPE_NUMBER:
    case TYPE_TIME:
    case TYPE_DURATION:
        out->number = *(const int64_t *)(const void *)member;
        break;
    case TYPE_BOOL:
        out->boolean = *(const bool *)member;
        break;
    }
    return true;
}

bool process_value(const struct process *process, const struct field *field, struct value *out)
{
    return member_value(process, &process->has, field, out);
}

const struct process *event_ancestor(const struct event *event, unsigned generation)
{
    const struct process *process = event->process;

    while (process && generation-- > 0)
        process = process->parent;
    return process;
}

static bool is_init(const struct process *process)
{
    return field_set_has(&process->has, FIELD_PID) && process->pid == INIT_PID;
}

static void pass_init(struct lineage *lineage)
{
    while (lineage->next && lineage->left > 0 && is_init(lineage->next)) {
        lineage->next = lineage->next->parent;
        lineage->left--;
    }
    if (lineage->left == 0)
        lineage->next = NULL;
}

struct lineage lineage_of(const struct event *event)
{
    struct lineage lineage = {event_ancestor(event, 1), ANCESTOR_MAX};

    pass_init(&lineage);
    return lineage.next ? lineage : (struct lineage){event->process, 1};
}

const struct process *lineage_next(struct lineage *lineage)
{
    const struct process *process = lineage->next;

    if (process) {
        lineage->next = process->parent;
        lineage->left--;
        pass_init(lineage);
    }
    return process;
}

void field_ref_put(struct buffer *buffer, const struct field_ref *ref)
{
    if (ref->owner == OWNER_ANY_ANCESTOR)
        buffer_put_string(buffer, "ancestor.");
    else if (ref->owner == OWNER_ANCESTOR && ref->generation == 1)
        buffer_put_string(buffer, "parent.");
    else if (ref->owner == OWNER_ANCESTOR)
        buffer_printf(buffer, "ancestor[%u].", ref->generation);
    buffer_put_string(buffer, ref->field->name);
    if (ref->item)
        buffer_printf(buffer, "[%u]", ref->item - 1);
}

static bool take_item(unsigned item, struct value *value)
{
    struct text list = value->text;

    value->type = TYPE_TEXT;
    while (item && text_list_next(&list, &value->text))
        item--;
    return item == 0;
}

bool event_value(const struct event *event, const struct field_ref *ref, struct value *out)
{
    if (ref->field->scope == SCOPE_EVENT)
        return member_value(event, &event->has, ref->field, out);
    if (ref->field->scope == SCOPE_HOST)
        return event->host && member_value(event->host, &event->host->has, ref->field, out);
    const struct process *process = event_ancestor(event, ref->generation);

    return process && process_value(process, ref->field, out) &&
           (ref->item == 0 || take_item(ref->item, out));
}

bool text_list_next(struct text *rest, struct text *item)
{
    if (rest->len == 0)
        return false;
    *item = text_split(rest, '\0');
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    switch (a->type) {
    case TYPE_TEXT:
    case TYPE_TEXT_LIST:
        return text_equal(a->text, b->text);
    case TYPE_BOOL:
        return a->boolean == b->boolean;
    default:
        return a->number == b->number;
    }
}

void cmdline_put(struct buffer *buffer, struct text argv)
{
    struct text item;

    for (bool first = true; text_list_next(&argv, &item); first = false) {
        if (!first)
            buffer_put_char(buffer, ' ');
        buffer_put_text(buffer, item);
    }
}

/* Each name with a slash before it, but for "." and nothing. */
static void put_names(struct buffer *buffer, struct text path)
{
    while (path.ptr) {
        struct text name = text_split(&path, '/');

        if (name.len == 0 || text_is(name, "."))
            continue;
        buffer_put_char(buffer, '/');
        buffer_put_text(buffer, name);
    }
}

void path_put(struct buffer *buffer, struct text cwd, struct text path)
{
    if (!text_starts(path, TEXT("/")))
        put_names(buffer, cwd);
    put_names(buffer, path);
}

bool process_has_relative_filename(const struct process *process)
{
    const struct field_set *has = &process->has;

    return field_set_has(has, FIELD_FILENAME) && process->filename.len > 0 &&
           process->filename.ptr[0] != '/' && !process->filename_truncated &&
           field_set_has(has, FIELD_CWD) && !process->cwd_truncated;
}

static bool is_chosen(struct text variable, const char *const *names, size_t count)
{
    struct text name = text_split(&variable, '=');

    for (size_t i = 0; variable.ptr && i < count; i++)
        if (name.len > 0 && names[i][0] == name.ptr[0] &&
            strncmp(names[i], name.ptr, name.len) == 0 && names[i][name.len] == '\0')
            return true;
    return false;
}

/* An environment has far more variables than are chosen: most are told by their first byte. */
void environment_choose(struct text env, const char *const *names, size_t count, struct buffer *out)
{
    bool begins[UCHAR_MAX + 1] = {0};

    for (size_t i = 0; i < count; i++)
        begins[(unsigned char)names[i][0]] = true;
    for (struct text variable; text_list_next(&env, &variable);) {
        if (variable.len == 0 || !begins[(unsigned char)variable.ptr[0]] ||
            !is_chosen(variable, names, count))
            continue;
        buffer_put_text(out, variable);
        buffer_put_char(out, '\0');
    }
}

static int derive_cmdline(struct process *process, struct arena *arena)
{
    CLEANUP(buffer_deinit) struct buffer joined = {0};

    cmdline_put(&joined, process->argv);
    struct text cmdline = arena_text(arena, buffer_text(&joined));

    if (buffer_failed(&joined) || !cmdline.ptr)
        return -ENOMEM;
    process->cmdline = cmdline;
    field_set_add(&process->has, FIELD_CMDLINE);
    return 0;
}

static int derive_filename(struct process *process, struct arena *arena)
{
    CLEANUP(buffer_deinit) struct buffer path = {0};

    path_put(&path, process->cwd, process->filename);
    struct text absolute = arena_text(arena, buffer_text(&path));

    if (buffer_failed(&path) || !absolute.ptr)
        return -ENOMEM;
    process_set_text(process, FIELD_FILENAME_ABSOLUTE, &process->filename_absolute, absolute);
    return 0;
}

int process_derive(struct process *process, struct arena *arena)
{
    struct field_set *has = &process->has;
    struct text rest = process->argv, item;

    if (!field_set_has(has, FIELD_FILENAME_ABSOLUTE) && process_has_relative_filename(process) &&
        derive_filename(process, arena) < 0)
        return -ENOMEM;
    if (!field_set_has(has, FIELD_ARGV))
        return 0;
    if (!field_set_has(has, FIELD_CMDLINE) && derive_cmdline(process, arena) < 0)
        return -ENOMEM;
    if (!field_set_has(has, FIELD_ARGC)) {
        for (process->argc = 0; text_list_next(&rest, &item);)
            process->argc++;
        field_set_add(has, FIELD_ARGC);
    }
    if (!field_set_has(has, FIELD_CMDLINE_LENGTH)) {
        process->cmdline_length = (int64_t)process->cmdline.len;
        field_set_add(has, FIELD_CMDLINE_LENGTH);
    }
    return 0;
}

struct words {
    struct buffer *buffer;
    bool any;
};

static void put_word(void *context, struct text word)
{
    struct words *words = context;

    if (words->any)
        buffer_put_char(words->buffer, ' ');
    buffer_put_text(words->buffer, word);
    words->any = true;
}

void value_put(struct buffer *buffer, const struct value *value)
{
    switch (value->type) {
    case TYPE_TEXT:
        buffer_put_text(buffer, value->text);
        break;
    case TYPE_TEXT_LIST:
        cmdline_put(buffer, value->text);
        break;
    case TYPE_NUMBER:
    case TYPE_DURATION:
        buffer_put_int(buffer, value->number);
        break;
    case TYPE_BOOL:
        buffer_put_string(buffer, value->boolean ? "true" : "false");
        break;
    case TYPE_TIME:
        time_put(buffer, value->number);
        break;
    case TYPE_FLAGS:
        flag_names_write(value->names, (uint64_t)value->number, put_word,
                         &(struct words){.buffer = buffer});
        break;
    }
}
