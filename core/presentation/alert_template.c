#include "presentation/alert_template.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "event/field.h"
#include "presentation/alert_tree.h"

enum part_kind {
    PART_LITERAL,
    PART_ID,
    PART_TIME,
    PART_HOST,
    PART_RULE,
    PART_TITLE,
    PART_SEVERITY,
    PART_MESSAGE,
    PART_PATH
};

struct part {
    enum part_kind kind;
    struct text text; /* the literal, or the path */
};

struct alert_template {
    struct arena arena;
    struct part *parts;
    size_t count;
    bool plain;
};

/* Paths that need no tree. */
static const struct {
    const char *path;
    enum part_kind kind;
} direct[] = {
    {"id", PART_ID},          {"time", PART_TIME},        {"host.name", PART_HOST},
    {"rule.id", PART_RULE},   {"rule.title", PART_TITLE}, {"rule.severity", PART_SEVERITY},
    {"message", PART_MESSAGE}};

/* The members of an alert, and of an event: those beneath them, or NULL where any may be. See
 * docs/events.md. */
static const struct member {
    const char *name;
    const char *below; /* "a|b"; "": none */
} members[] = {
    {"id", ""},
    {"time", ""},
    {"host", "name|id|kernel|arch|os|filters"},
    {"engine", "name|id"},
    {"rule", "id|title|severity|tags|description|author|references|false_positives"},
    {"message", ""},
    {"folded", "count|since"},
    {"matched", NULL},
    {"matched_truncated", ""},
    {"correlation", NULL},
    {"event", NULL},
    {"detail", NULL},
    {"redacted", NULL},
};

#define MEMBERS (sizeof members / sizeof *members)

static bool is_among(struct text word, const char *words)
{
    for (struct text rest = text_from(words); rest.ptr;)
        if (text_equal(word, text_split(&rest, '|')))
            return true;
    return false;
}

/* "cgroup" is, before "cgroup.path". */
static bool begins_field(struct text name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        struct text field = text_from(field_catalogue[i].name);

        if (text_starts(field, name) && field.len > name.len && field.ptr[name.len] == '.')
            return true;
    }
    return false;
}

/* NAME less the number of a list's item at its end. */
static struct text without_index(struct text name)
{
    const char *dot = memrchr(name.ptr, '.', name.len);
    int64_t index;
    size_t len = dot ? (size_t)(dot - name.ptr) : name.len;
    struct text tail = {name.ptr + len + 1, dot ? name.len - len - 1 : 0};

    return text_to_int(tail, &index) == 0 ? (struct text){name.ptr, len} : name;
}

static bool is_of_event(struct text path)
{
    struct text rest = path;

    while (rest.ptr && text_is(text_split(&rest, '.'), "parent"))
        path = rest;
    if (!path.ptr)
        return true;
    rest = path;
    if (is_among(text_split(&rest, '.'), "meta|raw|ancestors_omitted"))
        return true;
    return field_find(path) || field_find(without_index(path)) || begins_field(path);
}

static bool is_known(struct text path)
{
    struct text rest = path;
    struct text name = text_split(&rest, '.');

    for (size_t i = 0; i < MEMBERS; i++) {
        if (!text_is(name, members[i].name))
            continue;
        if (!rest.ptr)
            return true;
        if (text_is(name, "event"))
            return is_of_event(rest);
        return !members[i].below || is_among(text_split(&rest, '.'), members[i].below);
    }
    return false;
}

/* What PATH seems to mean, into ROOM; false when nothing is near. */
static bool suggest(struct text path, char *room, size_t size)
{
    static const char event[] = "event.";
    struct text field =
        text_starts(path, TEXT("event.")) ? (struct text){path.ptr + 6, path.len - 6} : path;
    const char *names[MEMBERS];
    char workspace[64];

    for (size_t i = 0; i < MEMBERS; i++) {
        names[i] = members[i].name;
        if (field.ptr == path.ptr && text_starts(path, text_from(names[i])) &&
            path.len > strlen(names[i]) && path.ptr[strlen(names[i])] == '.')
            return false;
    }
    const char *nearest = text_nearest(path, names, MEMBERS);

    if (!nearest && (field_find(field) || (nearest = field_suggest(field, workspace)))) {
        snprintf(room, size, "%s%.*s", event, nearest ? (int)strlen(nearest) : (int)field.len,
                 nearest ? nearest : field.ptr);
        return true;
    }
    return nearest && snprintf(room, size, "%s", nearest) > 0;
}

struct reader {
    struct alert_template *template;
    struct text source;
    struct alert_template_mistake *mistake;
};

static int refuse(struct reader *reader, struct text at, const char *reason)
{
    reader->mistake->offset = (size_t)(at.ptr - reader->source.ptr);
    reader->mistake->len = at.len;
    if (reason)
        snprintf(reader->mistake->reason, sizeof reader->mistake->reason, "%s", reason);
    return -EINVAL;
}

static int refuse_path(struct reader *reader, struct text path)
{
    char nearest[96];
    bool any = suggest(path, nearest, sizeof nearest);

    snprintf(reader->mistake->reason, sizeof reader->mistake->reason, "alerts have no '%.*s'%s%s%s",
             path.len < 60 ? (int)path.len : 60, path.ptr, any ? "; did you mean '" : "",
             any ? nearest : "", any ? "'?" : "");
    return refuse(reader, path, NULL);
}

static int add(struct reader *reader, enum part_kind kind, struct text t)
{
    struct alert_template *template = reader->template;
    struct text copy = arena_text(&template->arena, t);

    if (!copy.ptr)
        return -ENOMEM;
    template->parts[template->count++] = (struct part){.kind = kind, .text = copy};
    template->plain &= kind != PART_PATH;
    return 0;
}

static int add_path(struct reader *reader, struct text path)
{
    if (!is_known(path))
        return refuse_path(reader, path);
    for (size_t i = 0; i < sizeof direct / sizeof *direct; i++)
        if (text_is(path, direct[i].path))
            return add(reader, direct[i].kind, path);
    return add(reader, PART_PATH, path);
}

/* What begins with '%' at the front of *REST, which is moved behind it. */
static int read_percent(struct reader *reader, struct text *rest)
{
    struct text at = *rest;
    size_t used = 2;
    int r;

    if (at.len > 1 && at.ptr[1] == '%') {
        r = add(reader, PART_LITERAL, TEXT("%"));
    } else if (at.len > 1 && at.ptr[1] == '{') {
        const char *end = memchr(at.ptr, '}', at.len);
        struct text path = {at.ptr + 2, end ? (size_t)(end - at.ptr) - 2 : 0};

        used = path.len + 3;
        r = end ? add_path(reader, path) : refuse(reader, at, "'%{' is never closed");
    } else {
        r = refuse(reader, (struct text){at.ptr, 1},
                   "'%' begins a value, as in %{message}; a percent sign is written '%%'");
    }
    if (r == 0)
        *rest = (struct text){at.ptr + used, at.len - used};
    return r;
}

static int read_parts(struct reader *reader, struct text rest)
{
    int r = 0;

    while (r == 0 && rest.len) {
        const char *percent = memchr(rest.ptr, '%', rest.len);
        size_t plain = percent ? (size_t)(percent - rest.ptr) : rest.len;

        if (plain == 0) {
            r = read_percent(reader, &rest);
        } else {
            r = add(reader, PART_LITERAL, (struct text){rest.ptr, plain});
            rest = (struct text){rest.ptr + plain, rest.len - plain};
        }
    }
    return r;
}

static int check_characters(struct reader *reader)
{
    struct text source = reader->source;

    for (size_t i = 0; i < source.len; i++)
        if ((unsigned char)source.ptr[i] < 0x20 && source.ptr[i] != '\t')
            return refuse(reader, (struct text){source.ptr + i, 1},
                          "a template is one line, without control characters");
    if (!text_is_utf8(source))
        return refuse(reader, source, "a template is text in UTF-8");
    return source.len ? 0 : refuse(reader, source, "a template cannot be empty");
}

int alert_template_new(struct text source, struct alert_template **out,
                       struct alert_template_mistake *mistake)
{
    CLEANUP(alert_template_freep) struct alert_template *template = calloc(1, sizeof *template);
    struct reader reader = {.template = template, .source = source, .mistake = mistake};

    if (!template)
        return -ENOMEM;
    template->plain = true;
    template->parts = arena_array(&template->arena, source.len + 1, sizeof *template->parts);
    if (!template->parts)
        return -ENOMEM;
    int r = check_characters(&reader);

    if (r == 0)
        r = read_parts(&reader, source);
    if (r < 0)
        return r;
    *out = template;
    template = NULL;
    return 0;
}

void alert_template_free(struct alert_template *template)
{
    if (!template)
        return;
    arena_deinit(&template->arena);
    free(template);
}

bool alert_template_is_plain(const struct alert_template *template)
{
    return template->plain;
}

static void put_value(const json_t *value, struct buffer *out);

static void put_list(const json_t *list, struct buffer *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i)
            buffer_put_char(out, ' ');
        put_value(json_array_get(list, i), out);
    }
}

static void put_value(const json_t *value, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer json = {0};
    struct json_writer writer = {.buffer = &json};

    if (!value || json_is_null(value)) {
        buffer_put_char(out, '-');
    } else if (json_is_string(value)) {
        buffer_put_printable(out, json_as_text(value));
    } else if (json_is_array(value) && !json_is_object(json_array_get(value, 0))) {
        put_list(value, out);
    } else if (json_tree(&writer, value) < 0) {
        out->failed = true;
    } else {
        buffer_put_printable(out, buffer_text(&json));
    }
}

static const char *severity_word(int32_t severity)
{
    static const char *const words[] = {"informational", "low", "medium", "high", "critical"};

    return severity >= PICKET_INFORMATIONAL && severity <= PICKET_CRITICAL ? words[severity] : "-";
}

static void put_part(const struct part *part, const struct picket_alert *alert, const json_t *tree,
                     struct buffer *out)
{
    switch (part->kind) {
    case PART_LITERAL:
        buffer_put_text(out, part->text);
        break;
    case PART_ID:
        buffer_put_printable(out, text_from(alert->id));
        break;
    case PART_TIME:
        time_put(out, alert->time);
        break;
    case PART_HOST:
        buffer_put_printable(out, text_from(alert->host));
        break;
    case PART_RULE:
        buffer_put_printable(out, text_from(alert->rule));
        break;
    case PART_TITLE:
        buffer_put_printable(out, text_from(alert->title));
        break;
    case PART_SEVERITY:
        buffer_put_string(out, severity_word(alert->severity));
        break;
    case PART_MESSAGE:
        buffer_put_printable(out, text_from(alert->message));
        break;
    case PART_PATH:
        put_value(alert_tree_of(alert, tree, part->text), out);
        break;
    }
}

void alert_template_put(const struct alert_template *template, const struct picket_alert *alert,
                        const json_t *tree, struct buffer *out)
{
    for (size_t i = 0; i < template->count; i++)
        put_part(&template->parts[i], alert, tree, out);
}
