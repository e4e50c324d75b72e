#include <string.h>

#include "alert_schemas.h"

enum kind {
    STRING,
    INTEGER,
    TIME /* milliseconds since 1970 */,
    BOOLEAN,
    STRINGS,
    OBJECT,
    OBJECTS,
    ANY
};

struct attribute {
    const char *name;
    enum kind kind;
    const char *object; /* of OBJECT, OBJECTS */
    enum { OPTIONAL, REQUIRED, ONE_OF /* one of those is required */ } requirement;
};

static const struct object {
    const char *name;
    struct attribute attributes[32];
} objects[] = {
    {"detection_finding",
     {{"activity_id", INTEGER, NULL, REQUIRED},
      {"activity_name", STRING},
      {"category_uid", INTEGER, NULL, REQUIRED},
      {"category_name", STRING},
      {"class_uid", INTEGER, NULL, REQUIRED},
      {"class_name", STRING},
      {"type_uid", INTEGER, NULL, REQUIRED},
      {"type_name", STRING},
      {"severity_id", INTEGER, NULL, REQUIRED},
      {"severity", STRING},
      {"status_id", INTEGER},
      {"status", STRING},
      {"is_alert", BOOLEAN},
      {"time", TIME, NULL, REQUIRED},
      {"message", STRING},
      {"count", INTEGER},
      {"start_time", TIME},
      {"end_time", TIME},
      {"metadata", OBJECT, "metadata", REQUIRED},
      {"finding_info", OBJECT, "finding_info", REQUIRED},
      {"device", OBJECT, "device", REQUIRED}, /* by the profile host */
      {"evidences", OBJECTS, "evidences"},
      {"unmapped", ANY}}},
    {"process_activity",
     {{"activity_id", INTEGER, NULL, REQUIRED},
      {"activity_name", STRING},
      {"category_uid", INTEGER, NULL, REQUIRED},
      {"category_name", STRING},
      {"class_uid", INTEGER, NULL, REQUIRED},
      {"class_name", STRING},
      {"type_uid", INTEGER, NULL, REQUIRED},
      {"type_name", STRING},
      {"severity_id", INTEGER, NULL, REQUIRED},
      {"severity", STRING},
      {"status_id", INTEGER},
      {"status", STRING},
      {"status_code", STRING},
      {"exit_code", INTEGER},
      {"time", TIME, NULL, REQUIRED},
      {"message", STRING},
      {"metadata", OBJECT, "metadata", REQUIRED},
      {"device", OBJECT, "device", REQUIRED}, /* by the profile host */
      {"actor", OBJECT, "actor", REQUIRED},
      {"process", OBJECT, "process", REQUIRED},
      {"unmapped", ANY}}},
    {"metadata",
     {{"version", STRING, NULL, REQUIRED},
      {"product", OBJECT, "product", REQUIRED},
      {"uid", STRING},
      {"profiles", STRINGS}}},
    {"product",
     {{"name", STRING, NULL, ONE_OF},
      {"vendor_name", STRING, NULL, REQUIRED},
      {"version", STRING}}},
    {"finding_info",
     {{"uid", STRING, NULL, REQUIRED},
      {"title", STRING, NULL, REQUIRED}, /* by versions before 1.3 */
      {"desc", STRING},
      {"src_url", STRING},
      {"analytic", OBJECT, "analytic"},
      {"created_time", TIME},
      {"first_seen_time", TIME},
      {"related_events_count", INTEGER},
      {"attacks", OBJECTS, "attack"}}},
    {"analytic",
     {{"type_id", INTEGER, NULL, REQUIRED},
      {"type", STRING},
      {"uid", STRING, NULL, ONE_OF},
      {"name", STRING, NULL, ONE_OF}}},
    {"attack",
     {{"tactic", OBJECT, "entity", ONE_OF},
      {"technique", OBJECT, "entity", ONE_OF},
      {"sub_technique", OBJECT, "entity", ONE_OF}}},
    {"entity", {{"uid", STRING, NULL, ONE_OF}, {"name", STRING, NULL, ONE_OF}}},
    {"device",
     {{"type_id", INTEGER, NULL, REQUIRED},
      {"type", STRING},
      {"uid", STRING, NULL, ONE_OF},
      {"hostname", STRING, NULL, ONE_OF},
      {"os", OBJECT, "os"}}},
    {"os",
     {{"name", STRING, NULL, REQUIRED},
      {"type_id", INTEGER, NULL, REQUIRED},
      {"type", STRING},
      {"version", STRING},
      {"kernel_release", STRING}}},
    {"evidences",
     {{"name", STRING},
      {"data", ANY, NULL, ONE_OF},
      {"actor", OBJECT, "actor", ONE_OF},
      {"process", OBJECT, "process", ONE_OF}}},
    {"actor", {{"process", OBJECT, "process", ONE_OF}, {"user", OBJECT, "entity", ONE_OF}}},
    {"process",
     {{"pid", INTEGER, NULL, ONE_OF},
      {"uid", STRING, NULL, ONE_OF},
      {"name", STRING},
      {"cmd_line", STRING},
      {"working_directory", STRING},
      {"created_time", TIME},
      {"terminated_time", TIME},
      {"user", OBJECT, "entity"},
      {"container", OBJECT, "container"},
      {"file", OBJECT, "file"},
      {"environment_variables", OBJECTS, "environment_variable"},
      {"parent_process", OBJECT, "process"},
      {"ancestry", OBJECTS, "process_entity"}}},
    {"process_entity",
     {{"pid", INTEGER, NULL, ONE_OF},
      {"uid", STRING, NULL, ONE_OF},
      {"name", STRING, NULL, ONE_OF},
      {"path", STRING, NULL, ONE_OF},
      {"cmd_line", STRING, NULL, ONE_OF},
      {"created_time", TIME}}},
    {"container", {{"uid", STRING, NULL, ONE_OF}, {"runtime", STRING}}},
    {"environment_variable", {{"name", STRING, NULL, REQUIRED}, {"value", STRING, NULL, REQUIRED}}},
    {"file",
     {{"name", STRING, NULL, REQUIRED},
      {"type_id", INTEGER, NULL, REQUIRED},
      {"type", STRING},
      {"path", STRING},
      {"size", INTEGER},
      {"modified_time", TIME},
      {"is_deleted", BOOLEAN},
      {"owner", OBJECT, "entity"},
      {"hashes", OBJECTS, "fingerprint"}}},
    {"fingerprint",
     {{"algorithm_id", INTEGER, NULL, REQUIRED},
      {"algorithm", STRING},
      {"value", STRING, NULL, REQUIRED}}},
};

static const struct object *find_object(const char *name)
{
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (strcmp(objects[i].name, name) == 0)
            return &objects[i];
    return NULL;
}

static const struct attribute *find_attribute(const struct object *object, const char *name)
{
    for (const struct attribute *attribute = object->attributes; attribute->name; attribute++)
        if (strcmp(attribute->name, name) == 0)
            return attribute;
    return NULL;
}

static void check_object(const json_t *value, const char *name, struct buffer *out);

/* From 2000 to 2100: seconds and nanoseconds are not. */
static bool is_time(const json_t *value)
{
    return json_integer_value(value) > 946684800000 && json_integer_value(value) < 4102444800000;
}

static bool is_of(const json_t *value, const struct attribute *attribute, struct buffer *out)
{
    switch (attribute->kind) {
    case STRING:
        return json_is_string(value);
    case INTEGER:
        return json_is_integer(value);
    case TIME:
        return is_time(value);
    case BOOLEAN:
        return json_is_boolean(value);
    case STRINGS:
        return json_is_string(json_array_get(value, 0));
    case OBJECT:
        check_object(value, attribute->object, out);
        return json_is_object(value);
    case OBJECTS:
        for (size_t i = 0; i < json_array_size(value); i++)
            check_object(json_array_get(value, i), attribute->object, out);
        return json_array_size(value) > 0;
    case ANY:
        break;
    }
    return true;
}

static void check_requirements(const json_t *value, const struct object *object, struct buffer *out)
{
    bool any = false, wanted = false;

    for (const struct attribute *attribute = object->attributes; attribute->name; attribute++) {
        bool there = json_object_get(value, attribute->name);

        if (attribute->requirement == REQUIRED && !there)
            buffer_printf(out, "%s.%s is missing\n", object->name, attribute->name);
        wanted |= attribute->requirement == ONE_OF;
        any |= attribute->requirement == ONE_OF && there;
    }
    if (wanted && !any)
        buffer_printf(out, "%s has none of those it needs one of\n", object->name);
}

static void check_object(const json_t *value, const char *name, struct buffer *out)
{
    const struct object *object = find_object(name);
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)value, key, member)
    {
        const struct attribute *attribute = find_attribute(object, key);

        if (!attribute)
            buffer_printf(out, "%s.%s: no such attribute\n", name, key);
        else if (!is_of(member, attribute, out))
            buffer_printf(out, "%s.%s: of another type\n", name, key);
    }
    check_requirements(value, object, out);
}

static int64_t number(const json_t *document, const char *name)
{
    return json_integer_value(json_object_get(document, name));
}

void ocsf_check(const json_t *document, struct buffer *out)
{
    bool activity = number(document, "class_uid") == 1007;

    check_object(document, activity ? "process_activity" : "detection_finding", out);
    if (activity ? number(document, "category_uid") != 1
                 : number(document, "class_uid") != 2004 || number(document, "category_uid") != 2)
        buffer_put_string(out, "of another class or category\n");
    if (number(document, "type_uid") !=
        number(document, "class_uid") * 100 + number(document, "activity_id"))
        buffer_put_string(out, "type_uid is not that of class and activity\n");
    if (number(document, "severity_id") < 1 || number(document, "severity_id") > 5)
        buffer_put_string(out, "severity_id is none of the schema's\n");
}
