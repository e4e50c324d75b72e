#include "presentation/ocsf_process.h"

#include "presentation/alert_tree.h"

/* Numbers of the schema. */
enum {
    FILE_REGULAR = 1,
    HASH_SHA256 = 3,
};

static const struct mapping process_items[] = {
    {"pid", "pid", MAPPING_AS_IS},
    {"comm", "name", MAPPING_AS_IS},
    {"cmdline", "cmd_line", MAPPING_AS_IS},
    {"cwd", "working_directory", MAPPING_AS_IS},
    {"start_time", "created_time", MAPPING_MILLISECONDS},
    {"uid", "user.uid", MAPPING_TEXT},
    {"user", "user.name", MAPPING_AS_IS},
    {"container.id", "container.uid", MAPPING_AS_IS},
    {"container.runtime", "container.runtime", MAPPING_AS_IS},
};

static const struct mapping file_items[] = {
    {"exe", "file.name", MAPPING_FILE_NAME},
    {"exe", "file.path", MAPPING_AS_IS},
    {"exe.size", "file.size", MAPPING_AS_IS},
    {"exe.mtime", "file.modified_time", MAPPING_MILLISECONDS},
    {"exe.deleted", "file.is_deleted", MAPPING_AS_IS},
    {"exe.uid", "file.owner.uid", MAPPING_TEXT},
    {"exe.owner", "file.owner.name", MAPPING_AS_IS},
};

static const struct mapping entity_items[] = {
    {"pid", "pid", MAPPING_AS_IS},
    {"comm", "name", MAPPING_AS_IS},
    {"exe", "path", MAPPING_AS_IS},
    {"cmdline", "cmd_line", MAPPING_AS_IS},
    {"start_time", "created_time", MAPPING_MILLISECONDS},
};

static const struct mapping_table process_table = MAPPING_TABLE(process_items);
static const struct mapping_table file_table = MAPPING_TABLE(file_items);
static const struct mapping_table entity_table = MAPPING_TABLE(entity_items);

static void put_file(struct nest *nest, const json_t *process)
{
    struct text hash = alert_tree_text(process, TEXT("exe.sha256"));

    if (!json_is_string(json_object_get(process, "exe")))
        return;
    nest_int(nest, "file.type_id", FILE_REGULAR);
    nest_text(nest, "file.type", TEXT("Regular File"));
    if (hash.ptr) {
        struct nest inner = {.json = nest->json};

        nest_key(nest, "file.hashes");
        json_begin(nest->json, '[');
        json_begin(nest->json, '{');
        nest_int(&inner, "algorithm_id", HASH_SHA256);
        nest_text(&inner, "algorithm", TEXT("SHA-256"));
        nest_text(&inner, "value", hash);
        json_end(nest->json, '}');
        json_end(nest->json, ']');
    }
    mapping_put(&file_table, process, nest);
}

static void put_environment(struct nest *nest, const json_t *list)
{
    if (json_array_size(list) == 0)
        return;
    nest_key(nest, "environment_variables");
    json_begin(nest->json, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct nest inner = {.json = nest->json};
        const json_t *item = json_array_get(list, i);
        struct text value = json_is_string(item) ? json_as_text(item) : TEXT("");
        struct text name = text_split(&value, '=');

        json_begin(nest->json, '{');
        nest_text(&inner, "name", name);
        nest_text(&inner, "value", value.ptr ? value : TEXT(""));
        json_end(nest->json, '}');
    }
    json_end(nest->json, ']');
}

static void put_ancestry(struct nest *nest, const json_t *parent, struct text host)
{
    if (!json_is_object(parent))
        return;
    nest_key(nest, "ancestry");
    json_begin(nest->json, '[');
    for (; json_is_object(parent); parent = json_object_get(parent, "parent")) {
        struct nest inner = {.json = nest->json};

        json_begin(nest->json, '{');
        mapping_put_process_id(&inner, "uid", host, parent);
        mapping_put(&entity_table, parent, &inner);
        nest_close(&inner);
        json_end(nest->json, '}');
    }
    json_end(nest->json, ']');
}

/* The members of a process: it needs a pid, or a uid. */
static void put_process_members(struct nest *nest, const json_t *process, struct text host)
{
    mapping_put_process_id(nest, "uid", host, process);
    mapping_put(&process_table, process, nest);
    put_file(nest, process);
    put_environment(nest, json_object_get(process, "env"));
}

bool ocsf_process_is(const json_t *process)
{
    return json_is_integer(json_object_get(process, "pid"));
}

void ocsf_process_put(struct nest *nest, const char *path, const json_t *process, struct text host)
{
    const json_t *parent = json_object_get(process, "parent");
    struct nest inner = {.json = nest->json};

    nest_key(nest, path);
    json_begin(nest->json, '{');
    put_process_members(&inner, process, host);
    if (text_equal(alert_tree_text(process, TEXT("type")), TEXT("exit")))
        nest_put(&inner, "terminated_time", json_object_get(process, "time"), MAPPING_MILLISECONDS);
    if (ocsf_process_is(parent)) {
        struct nest of_parent = {.json = nest->json};

        nest_key(&inner, "parent_process");
        json_begin(nest->json, '{');
        put_process_members(&of_parent, parent, host);
        nest_close(&of_parent);
        json_end(nest->json, '}');
    }
    put_ancestry(&inner, parent, host);
    nest_close(&inner);
    json_end(nest->json, '}');
}

void ocsf_actor_put(struct nest *nest, const json_t *event, struct text host)
{
    const json_t *parent = json_object_get(event, "parent");

    if (ocsf_process_is(parent)) {
        struct nest inner = {.json = nest->json};

        nest_key(nest, "actor.process");
        json_begin(nest->json, '{');
        put_process_members(&inner, parent, host);
        nest_close(&inner);
        json_end(nest->json, '}');
    }
    nest_put(nest, "actor.user.uid", json_object_get(event, "uid"), MAPPING_TEXT);
    nest_put(nest, "actor.user.name", json_object_get(event, "user"), MAPPING_AS_IS);
}
