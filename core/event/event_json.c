#include "event/event_json.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* How many ancestors were left out of an event, when some were. */
#define OMITTED_KEY "ancestors_omitted"

#define ORIGIN_KEY "origin"

static void put_list(struct json_writer *json, struct text list,
                     void (*put)(struct json_writer *, struct text))
{
    struct text item;

    json_begin(json, '[');
    while (text_list_next(&list, &item))
        put(json, item);
    json_end(json, ']');
}

static void put_name(void *context, struct text name)
{
    json_text(context, name);
}

static void put_flags(struct json_writer *json, const struct value *value)
{
    json_begin(json, '[');
    flag_names_write(value->names, (uint64_t)value->number, put_name, json);
    json_end(json, ']');
}

static void put_value(struct json_writer *json, const struct value *value)
{
    switch (value->type) {
    case TYPE_TEXT:
        json_text(json, value->text);
        break;
    case TYPE_TEXT_LIST:
        put_list(json, value->text, json_text);
        break;
    case TYPE_NUMBER:
    case TYPE_DURATION:
        json_int(json, value->number);
        break;
    case TYPE_BOOL:
        json_bool(json, value->boolean);
        break;
    case TYPE_TIME:
        json_time(json, value->number);
        break;
    case TYPE_FLAGS:
        put_flags(json, value);
        break;
    }
}

/* Writes fields one after another, opening and closing the object of a group around its own. */
struct field_writer {
    struct json_writer *json;
    const char *group;
    size_t group_len;
};

static void writer_enter(struct field_writer *writer, const struct field *field)
{
    bool same = writer->group_len == field->group &&
                (field->group == 0 || memcmp(writer->group, field->name, field->group) == 0);

    if (same)
        return;
    if (writer->group_len)
        json_end(writer->json, '}');
    writer->group = field->name;
    writer->group_len = field->group;
    if (field->group) {
        json_key(writer->json, (struct text){field->name, field->group});
        json_begin(writer->json, '{');
    }
}

static void writer_put(struct field_writer *writer, const struct field *field,
                       const struct value *value)
{
    writer_enter(writer, field);
    json_key(writer->json, text_from(field->name + (field->group ? field->group + 1 : 0)));
    put_value(writer->json, value);
}

static void writer_finish(struct field_writer *writer)
{
    if (writer->group_len)
        json_end(writer->json, '}');
}

static bool is_lossless(const struct value *value)
{
    return (value->type != TYPE_TEXT && value->type != TYPE_TEXT_LIST) || text_is_utf8(value->text);
}

static void put_raw(struct json_writer *json, const struct process *process,
                    const struct field_set *lossy)
{
    json_key(json, TEXT("raw"));
    json_begin(json, '{');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];
        struct value value;

        if (!field_set_has(lossy, field->id) || !process_value(process, field, &value))
            continue;
        json_key(json, text_from(field->name));
        if (value.type == TYPE_TEXT_LIST)
            put_list(json, value.text, json_base64);
        else
            json_base64(json, value.text);
    }
    json_end(json, '}');
}

static void put_process(struct field_writer *writer, const struct process *process)
{
    struct field_set lossy = {0};
    bool any_lossy = false;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];
        struct value value;

        if (field->scope != SCOPE_PROCESS || !process_value(process, field, &value))
            continue;
        writer_put(writer, field, &value);
        if (!is_lossless(&value)) {
            field_set_add(&lossy, field->id);
            any_lossy = true;
        }
    }
    writer_finish(writer);
    if (any_lossy)
        put_raw(writer->json, process, &lossy);
}

/* Each ancestor is an object inside its child's, at most MAX of them. Returns how many were left
 * out. */
static int64_t put_ancestors(struct json_writer *json, const struct process *process, unsigned max)
{
    size_t begin = json->buffer->len;
    unsigned depth = 0, omitted = 0;

    for (; process && depth < max; process = process->parent, depth++) {
        struct field_writer writer = {.json = json};

        if (json->buffer->len - begin > EVENT_ANCESTORS_MAX)
            break;
        json_key(json, TEXT("parent"));
        json_begin(json, '{');
        put_process(&writer, process);
    }
    for (unsigned i = 0; i < depth; i++)
        json_end(json, '}');
    for (; process && depth + omitted < ANCESTOR_MAX; process = process->parent)
        omitted++;
    return omitted;
}

static void put_origin(struct json_writer *json, const struct event *event)
{
    char boot[17];

    if (event->origin[0] == 0)
        return;
    snprintf(boot, sizeof boot, "%016llx", (unsigned long long)event->origin[0]);
    json_key(json, TEXT(ORIGIN_KEY));
    json_begin(json, '{');
    json_key(json, TEXT("boot"));
    json_text(json, text_from(boot));
    json_key(json, TEXT("cpu"));
    json_int(json, (int64_t)event->origin[1]);
    json_key(json, TEXT("seq"));
    json_int(json, (int64_t)event->origin[2]);
    json_end(json, '}');
}

/* What is written of an event besides its own. */
struct parts {
    bool host, origin;
    unsigned ancestors; /* at most */
};

static void put_fields(struct field_writer *writer, const struct event *event, bool host)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        struct field_ref ref = {.field = &field_catalogue[i]};
        struct value value;

        if (ref.field->scope == SCOPE_PROCESS || (ref.field->scope == SCOPE_HOST && !host))
            continue;
        if (event_value(event, &ref, &value))
            writer_put(writer, ref.field, &value);
    }
}

static void put_event(struct json_writer *json, const struct event *event,
                      const struct parts *parts)
{
    struct field_writer writer = {.json = json};
    int64_t omitted = 0;

    json_begin(json, '{');
    put_fields(&writer, event, parts->host);
    if (event->process) {
        put_process(&writer, event->process);
        omitted = put_ancestors(json, event->process->parent, parts->ancestors);
    } else {
        writer_finish(&writer);
    }
    if (omitted) {
        json_key(json, TEXT(OMITTED_KEY));
        json_int(json, omitted);
    }
    if (event->meta) {
        json_key(json, TEXT("meta"));
        if (json_tree(json, event->meta) < 0)
            json->buffer->failed = true;
    }
    if (parts->origin)
        put_origin(json, event);
    json_end(json, '}');
}

void event_put_json(struct json_writer *json, const struct event *event)
{
    put_event(json, event, &(struct parts){.ancestors = ANCESTOR_MAX});
}

void event_put_line(struct json_writer *json, const struct event *event)
{
    put_event(json, event, &(struct parts){true, true, ANCESTOR_MAX});
}

void event_put_json_within(struct json_writer *json, const struct event *event, unsigned ancestors)
{
    bool host = event->host && !event->host->is_here;

    put_event(json, event, &(struct parts){.host = host, .ancestors = ancestors});
}

/* Reading. One of these for each process object. */
struct reader {
    struct arena *arena;
    struct event_failure *failure;
    struct event *event;     /* NULL while an ancestor is read */
    struct machine *host;    /* the event's, once it has one */
    struct process *process; /* whose fields these are */
    unsigned depth;
};

/* Longest "group.name" looked up. */
#define NAME_MAX_LEN 64

__attribute__((format(printf, 2, 3))) static int refuse(struct reader *reader, const char *format,
                                                        ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reader->failure->reason, sizeof reader->failure->reason, format, args);
    va_end(args);
    return -EINVAL;
}

static const char *json_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}

static int refuse_type(struct reader *reader, const struct field *field, const json_t *value)
{
    static const char *const wanted[] = {
        [TYPE_TEXT] = "a text",
        [TYPE_TEXT_LIST] = "a list of texts",
        [TYPE_NUMBER] = "a whole number",
        [TYPE_BOOL] = "true or false",
        [TYPE_TIME] = "a time as in 2026-01-01T00:00:00Z",
        [TYPE_DURATION] = "a whole number of nanoseconds",
        [TYPE_FLAGS] = "a list of names",
    };

    return refuse(reader, "field '%s' wants %s, not %s", field->name, wanted[field->type],
                  json_type_name(value));
}

static int copy_text(struct reader *reader, struct text t, struct text *out)
{
    *out = arena_text(reader->arena, t);
    return out->ptr ? 0 : -ENOMEM;
}

/* A NUL is in no text of the kernel, and could not be written again. */
static int read_base64(struct text t, struct buffer *out)
{
    int r = base64_decode(t, out);

    return r == 0 && out->len && memchr(out->data, '\0', out->len) ? -EINVAL : r;
}

/* The item's text, base64 when RAW, appended to OUT with a NUL behind it. */
static int append_item(struct buffer *out, const json_t *item, bool raw)
{
    CLEANUP(buffer_deinit) struct buffer bytes = {0};

    if (!json_is_string(item))
        return -EINVAL;
    if (raw) {
        if (read_base64(json_as_text(item), &bytes) < 0)
            return -EINVAL;
        buffer_put_text(out, buffer_text(&bytes));
    } else {
        buffer_put_text(out, json_as_text(item));
    }
    buffer_put_char(out, '\0');
    return 0;
}

static int read_list(struct reader *reader, const struct field *field, const json_t *value,
                     bool raw, struct text *out)
{
    CLEANUP(buffer_deinit) struct buffer list = {0};

    if (!json_is_array(value))
        return refuse_type(reader, field, value);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (append_item(&list, json_array_get(value, i), raw) < 0)
            return refuse(reader, "field '%s': item %zu is not %s", field->name, i + 1,
                          raw ? "a text in base64" : "a text");
    return buffer_failed(&list) ? -ENOMEM : copy_text(reader, buffer_text(&list), out);
}

static int read_number(struct reader *reader, const struct field *field, const json_t *value,
                       int64_t *out)
{
    if (field->type == TYPE_TIME) {
        if (!json_is_string(value))
            return refuse_type(reader, field, value);
        return time_parse(json_as_text(value), out) < 0
                   ? refuse(reader, "field '%s': '%.40s' is not a time as in 2026-01-01T00:00:00Z",
                            field->name, json_string_value(value))
                   : 0;
    }
    if (!json_is_integer(value))
        return refuse_type(reader, field, value);
    *out = json_integer_value(value);
    return 0;
}

static int read_flags(struct reader *reader, const struct field *field, const json_t *value,
                      int64_t *out)
{
    const struct flag_names *names = flag_names_of(field->id);

    if (!json_is_array(value))
        return refuse_type(reader, field, value);
    *out = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);

        if (!json_is_string(item))
            return refuse(reader, "field '%s': item %zu is not a text", field->name, i + 1);
        if (flag_names_read(names, json_as_text(item), out) < 0)
            return refuse(reader, "field '%s': '%.40s' is none of its names", field->name,
                          json_string_value(item));
    }
    return 0;
}

/* Puts the value where the field lives, in an event or a process. */
static int read_member(struct reader *reader, const struct field *field, const json_t *value,
                       void *object)
{
    void *member = (char *)object + field->offset;

    switch (field->type) {
    case TYPE_TEXT:
        if (!json_is_string(value))
            return refuse_type(reader, field, value);
        return copy_text(reader, json_as_text(value), member);
    case TYPE_TEXT_LIST:
        return read_list(reader, field, value, false, member);
    case TYPE_NUMBER:
    case TYPE_TIME:
    case TYPE_DURATION:
        return read_number(reader, field, value, member);
    case TYPE_BOOL:
        if (!json_is_boolean(value))
            return refuse_type(reader, field, value);
        *(bool *)member = json_is_true(value);
        return 0;
    case TYPE_FLAGS:
        return read_flags(reader, field, value, member);
    }
    return -EINVAL;
}

static int read_host_field(struct reader *reader, const struct field *field, const json_t *value)
{
    if (!reader->host)
        reader->host = arena_alloc(reader->arena, sizeof *reader->host);
    if (!reader->host)
        return -ENOMEM;
    reader->event->host = reader->host;
    int r = read_member(reader, field, value, reader->host);

    if (r == 0)
        field_set_add(&reader->host->has, field->id);
    return r;
}

static int read_field(struct reader *reader, const struct field *field, const json_t *value)
{
    bool of_process = field->scope == SCOPE_PROCESS;

    if (json_is_null(value))
        return 0;
    if (!of_process && !reader->event)
        return refuse(reader, "field '%s' belongs to the event, not to a parent", field->name);
    if (field->scope == SCOPE_HOST)
        return read_host_field(reader, field, value);
    int r = read_member(reader, field, value,
                        of_process ? (void *)reader->process : (void *)reader->event);

    if (r < 0)
        return r;
    field_set_add(of_process ? &reader->process->has : &reader->event->has, field->id);
    return 0;
}

static int read_raw(struct reader *reader, const json_t *raw)
{
    const char *key;
    json_t *value;

    if (!json_is_object(raw))
        return refuse(reader, "'raw' wants an object, not %s", json_type_name(raw));
    json_object_foreach((json_t *)raw, key, value)
    {
        const struct field *field = field_find(text_from(key));
        CLEANUP(buffer_deinit) struct buffer bytes = {0};
        bool texts = field && (field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST);

        if (!texts || field->scope != SCOPE_PROCESS)
            return refuse(reader, "'raw' has no place for '%.40s'", key);
        struct text *member = (void *)((char *)reader->process + field->offset);
        int r;

        if (field->type == TYPE_TEXT_LIST)
            r = read_list(reader, field, value, true, member);
        else if (!json_is_string(value) || read_base64(json_as_text(value), &bytes) < 0)
            r = refuse(reader, "'raw' wants base64 in '%s'", field->name);
        else
            r = copy_text(reader, buffer_text(&bytes), member);
        if (r < 0)
            return r;
        field_set_add(&reader->process->has, field->id);
    }
    return 0;
}

static int read_process(struct reader *reader, const json_t *object);

static int read_parent(struct reader *reader, const json_t *value)
{
    struct reader parent = {
        .arena = reader->arena, .failure = reader->failure, .depth = reader->depth + 1};

    if (json_is_null(value))
        return 0;
    if (!json_is_object(value))
        return refuse(reader, "'parent' wants an object, not %s", json_type_name(value));
    if (parent.depth > ANCESTOR_MAX)
        return refuse(reader, "more than %d parents inside each other", ANCESTOR_MAX);
    parent.process = arena_alloc(reader->arena, sizeof *parent.process);
    if (!parent.process)
        return -ENOMEM;
    reader->process->parent = parent.process;
    return read_process(&parent, value);
}

static void note_unknown(struct reader *reader, const char *name)
{
    if (!reader->failure->unknown[0])
        snprintf(reader->failure->unknown, sizeof reader->failure->unknown, "%s", name);
}

/* An object that is no field itself: its keys continue the name of a field. */
static int read_group(struct reader *reader, const char *group, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        char name[NAME_MAX_LEN];

        snprintf(name, sizeof name, "%s.%s", group, key);
        const struct field *field = field_find(text_from(name));
        int r = 0;

        if (field)
            r = read_field(reader, field, value);
        else
            note_unknown(reader, name);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Sixteen digits at most: it is a number for nobody else. */
static int read_boot(struct text t, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < t.len; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = t.ptr[i] ? strchr(digits, t.ptr[i]) : NULL;

        if (!digit)
            return -EINVAL;
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return t.len == 0 || t.len > 16 || *out == 0 ? -EINVAL : 0;
}

static int read_origin(struct reader *reader, const json_t *origin)
{
    const json_t *boot = json_object_get(origin, "boot");
    const json_t *cpu = json_object_get(origin, "cpu"), *seq = json_object_get(origin, "seq");
    uint64_t *numbers = reader->event->origin;

    if (json_is_null(origin))
        return 0;
    if (!json_is_string(boot) || !json_is_integer(cpu) || !json_is_integer(seq) ||
        json_integer_value(cpu) < 0 || json_integer_value(seq) < 0 ||
        read_boot(json_as_text(boot), &numbers[0]) < 0)
        return refuse(reader, "'" ORIGIN_KEY "' wants boot, as in 00007b1ce2f046aa, cpu and seq");
    numbers[1] = (uint64_t)json_integer_value(cpu);
    numbers[2] = (uint64_t)json_integer_value(seq);
    return 0;
}

static int read_key(struct reader *reader, const char *key, const json_t *value)
{
    const struct field *field = field_find(text_from(key));

    if (field)
        return read_field(reader, field, value);
    if (strcmp(key, "parent") == 0)
        return read_parent(reader, value);
    if (strcmp(key, "raw") == 0)
        return 0; /* read last: it wins */
    if ((strcmp(key, OMITTED_KEY) == 0 || strcmp(key, "redacted") == 0) && reader->event)
        return 0; /* said for people: there is nothing to read back */
    if (strcmp(key, ORIGIN_KEY) == 0 && reader->event)
        return read_origin(reader, value);
    if (strcmp(key, "meta") == 0 && reader->event) {
        reader->event->meta = value;
        return 0;
    }
    if (json_is_object(value))
        return read_group(reader, key, value);
    note_unknown(reader, key);
    return 0;
}

static int read_process(struct reader *reader, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        int r = read_key(reader, key, value);

        if (r < 0)
            return r;
    }
    const json_t *raw = json_object_get(object, "raw");
    int r = raw ? read_raw(reader, raw) : 0;

    return r < 0 ? r : process_derive(reader->process, reader->arena);
}

static int settle_type(struct reader *reader)
{
    struct event *event = reader->event;

    if (!field_set_has(&event->has, FIELD_TYPE)) {
        event->type_name = text_from(event_type_name(EVENT_EXEC));
        field_set_add(&event->has, FIELD_TYPE);
    }
    if (event_type_parse(event->type_name, &event->type) < 0 || event->type == EVENT_FORK)
        return refuse(reader, "type '%.40s' is none of exec, exec_failed and exit",
                      event->type_name.ptr);
    /* What is captured of a failed exec has no cwd. */
    if (event->type == EVENT_EXEC_FAILED)
        field_set_remove(&reader->process->has, FIELD_FILENAME_ABSOLUTE);
    event->is_exit = event->type == EVENT_EXIT;
    field_set_add(&event->has, FIELD_IS_EXIT);
    return 0;
}

static int read_event(struct reader *reader, const json_t *object)
{
    int r;

    reader->process = arena_alloc(reader->arena, sizeof *reader->process);
    if (!reader->process)
        return -ENOMEM;
    reader->event->process = reader->process;
    r = read_process(reader, object);
    return r < 0 ? r : settle_type(reader);
}

/* What tells the events of a machine apart, but for when they happened: ids of alerts have that of
 * their own. The boot is made up of who it was. */
static void make_origin(struct event *event)
{
    uint64_t *origin = event->origin;
    struct text host = event->host ? event->host->id : (struct text){0};

    if (host.len == 0 && event->host)
        host = event->host->name;
    origin[0] = 0xcbf29ce484222325U;
    for (size_t i = 0; i < host.len; i++)
        origin[0] = (origin[0] ^ (unsigned char)host.ptr[i]) * 0x100000001b3U;
    origin[1] = (uint64_t)event->process->pid;
    origin[2] = (uint64_t)event->process->start_time + event->type;
}

static int read_alert(struct reader *reader, const json_t *alert)
{
    const json_t *event = json_object_get(alert, "event");
    const json_t *host = json_object_get(alert, "host");

    if (!json_is_object(event))
        return -ENODATA;
    int r = read_event(reader, event);

    if (r == 0 && json_is_object(host))
        r = read_group(reader, "host", host);
    reader->failure->unknown[0] = '\0'; /* it was written by picket: nothing is misspelt */
    if (r == 0 && reader->event->origin[0] == 0)
        make_origin(reader->event);
    return r;
}

int event_read_tree(const json_t *root, struct arena *arena, struct event *out,
                    struct event_failure *failure)
{
    struct event event = {0};
    struct reader reader = {.arena = arena, .failure = failure, .event = &event};

    *failure = (struct event_failure){0};
    if (!json_is_object(root))
        return refuse(&reader, "an event is an object, not %s", json_type_name(root));
    int r = json_is_object(json_object_get(root, "rule")) ? read_alert(&reader, root)
                                                          : read_event(&reader, root);

    if (r == 0)
        *out = event;
    return r;
}

int event_read_json(struct text t, struct arena *arena, struct event *out, json_t **root,
                    struct event_failure *failure)
{
    CLEANUP(json_freep) json_t *value = NULL;
    struct json_failure syntax;

    *failure = (struct event_failure){0};
    int r = json_parse(t, &value, &syntax);

    if (r == -EINVAL) {
        failure->column = syntax.column;
        snprintf(failure->reason, sizeof failure->reason, "not JSON: %s", syntax.reason);
    }
    if (r == 0)
        r = event_read_tree(value, arena, out, failure);
    if (r < 0)
        return r;
    *root = value;
    value = NULL;
    return 0;
}
