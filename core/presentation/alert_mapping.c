#include "presentation/alert_mapping.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "presentation/alert_tree.h"

/* How many objects are open behind PATH, whose last name is a key. */
static size_t depth(struct text path)
{
    size_t count = 0;

    for (size_t i = 0; i < path.len; i++)
        count += path.ptr[i] == '.';
    return count;
}

/* How many of the names in front of the last of each A and B have in common. */
static size_t common_depth(struct text a, struct text b)
{
    size_t count = 0;

    for (size_t i = 0; i < a.len && i < b.len && a.ptr[i] == b.ptr[i]; i++)
        count += a.ptr[i] == '.';
    return count;
}

static void close_to(struct nest *nest, size_t left)
{
    for (size_t open = depth(nest->path); open > left; open--)
        json_end(nest->json, '}');
}

void nest_key(struct nest *nest, const char *path)
{
    struct text rest = text_from(path);
    size_t common = common_depth(nest->path, rest);

    close_to(nest, common);
    nest->path = rest;
    for (size_t i = 0; rest.ptr; i++) {
        struct text name = text_split(&rest, '.');

        if (i < common)
            continue;
        json_key(nest->json, name);
        if (rest.ptr)
            json_begin(nest->json, '{');
    }
}

void nest_close(struct nest *nest)
{
    close_to(nest, 0);
    nest->path = (struct text){NULL, 0};
}

void nest_text(struct nest *nest, const char *path, struct text value)
{
    if (!value.ptr)
        return;
    nest_key(nest, path);
    json_text(nest->json, value);
}

void nest_int(struct nest *nest, const char *path, int64_t value)
{
    nest_key(nest, path);
    json_int(nest->json, value);
}

bool mapping_time(const json_t *value, int64_t *out)
{
    return json_is_string(value) && time_parse(json_as_text(value), out) == 0;
}

static void put_as_text(struct nest *nest, const char *path, const json_t *value)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    if (json_is_string(value)) {
        nest_text(nest, path, json_as_text(value));
    } else if (json_is_integer(value)) {
        buffer_put_int(&text, json_integer_value(value));
        nest_text(nest, path, buffer_text(&text));
    }
}

static void put_file_name(struct nest *nest, const char *path, struct text file)
{
    const char *slash = memrchr(file.ptr, '/', file.len);
    size_t from = slash ? (size_t)(slash - file.ptr) + 1 : 0;

    nest_text(nest, path, (struct text){file.ptr + from, file.len - from});
}

void nest_put(struct nest *nest, const char *path, const json_t *value, enum mapping_kind kind)
{
    int64_t time;

    if (!value || json_is_null(value))
        return;
    switch (kind) {
    case MAPPING_AS_IS:
        nest_key(nest, path);
        if (json_tree(nest->json, value) < 0)
            nest->json->buffer->failed = true;
        break;
    case MAPPING_TEXT:
        put_as_text(nest, path, value);
        break;
    case MAPPING_MILLISECONDS:
        if (mapping_time(value, &time))
            nest_int(nest, path, time / NS_PER_MS);
        break;
    case MAPPING_FILE_NAME:
        if (json_is_string(value))
            put_file_name(nest, path, json_as_text(value));
        break;
    case MAPPING_NONE:
        break;
    }
}

void mapping_put(const struct mapping_table *table, const json_t *object, struct nest *nest)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct mapping *mapping = &table->items[i];

        nest_put(nest, mapping->to, alert_tree_find(object, text_from(mapping->from)),
                 mapping->kind);
    }
}

/* Whether TABLE takes what is at the path FRONT.KEY, or (FRONT NULL) at KEY. */
static bool takes(const struct mapping_table *table, const char *front, const char *key)
{
    size_t len = front ? strlen(front) : 0;

    for (size_t i = 0; i < table->count; i++) {
        const char *from = table->items[i].from;

        if (front && strncmp(from, front, len) == 0 && from[len] == '.' &&
            strcmp(from + len + 1, key) == 0)
            return true;
        if (!front && strcmp(from, key) == 0)
            return true;
    }
    return false;
}

struct rest {
    const struct mapping_table *table;
    struct json_writer *json;
};

/* A member of an object, or of the object FRONT in it. Objects are begun when there is something to
 * put into them. */
static bool put_rest_member(struct rest *rest, const char *key, const json_t *value, bool begun)
{
    if (!begun)
        json_begin(rest->json, '{');
    json_key(rest->json, text_from(key));
    if (json_tree(rest->json, value) < 0)
        rest->json->buffer->failed = true;
    return true;
}

static bool put_rest_object(struct rest *rest, const char *key, const json_t *object, bool begun)
{
    const char *name;
    json_t *value;
    bool inner = false;

    json_object_foreach((json_t *)object, name, value)
    {
        if (takes(rest->table, key, name))
            continue;
        if (!inner && !begun)
            json_begin(rest->json, '{');
        if (!inner)
            json_key(rest->json, text_from(key));
        inner = put_rest_member(rest, name, value, inner);
    }
    if (inner)
        json_end(rest->json, '}');
    return begun || inner;
}

void mapping_put_rest(const struct mapping_table *table, const json_t *object, struct nest *nest,
                      const char *path)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct json_writer json = {.buffer = &text};
    struct rest rest = {.table = table, .json = &json};
    const char *key;
    json_t *value;
    bool begun = false;

    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "parent") == 0 || takes(table, NULL, key))
            continue;
        begun = json_is_object(value) ? put_rest_object(&rest, key, value, begun)
                                      : put_rest_member(&rest, key, value, begun);
    }
    if (!begun)
        return;
    json_end(&json, '}');
    nest->json->buffer->failed |= buffer_failed(&text);
    nest_key(nest, path);
    json_raw(nest->json, buffer_text(&text));
}

void mapping_put_process_id(struct nest *nest, const char *path, struct text host,
                            const json_t *process)
{
    CLEANUP(buffer_deinit) struct buffer id = {0};
    const json_t *pid = json_object_get(process, "pid");
    struct text start = alert_tree_text(process, TEXT("start_time"));

    if (!json_is_integer(pid) || !start.ptr)
        return;
    buffer_printf(&id, "%.*s/%lld@%.*s", TEXT_ARG(host), (long long)json_integer_value(pid),
                  TEXT_ARG(start));
    nest->json->buffer->failed |= buffer_failed(&id);
    nest_text(nest, path, buffer_text(&id));
}
