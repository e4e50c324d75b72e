#include "presentation/redaction.h"

#include <errno.h>
#include <stdlib.h>

#include "presentation/secret_finder.h"

/* Of the alert's list of what was masked. */
#define FIELDS_MAX   32
#define PATH_MAX_LEN 512

/* Texts up to this long are masked first: who fills an argument with what is expensive to search
 * shall not have the rest of the alert masked for want of time. */
#define SHORT_MAX 1024

struct redaction {
    struct secret_finder *finder;

    /* Of the alert at hand. */
    struct buffer text, path;
    json_t *fields;
    int count, whole;
    bool is_short; /* it is the turn of short texts, else of arguments and long ones */
    bool failed;   /* out of memory */
};

static int refuse(struct redaction_mistake *mistake, size_t item, size_t offset, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

static int refuse(struct redaction_mistake *mistake, size_t item, size_t offset, const char *format,
                  ...)
{
    va_list args;

    mistake->item = item;
    mistake->offset = offset;
    va_start(args, format);
    vsnprintf(mistake->reason, sizeof mistake->reason, format, args);
    va_end(args);
    return -EINVAL;
}

/* A plain word can only be meant as a class: as a pattern it would mask the word "password" and
 * leave the password. */
static bool is_word(struct text item)
{
    for (size_t i = 0; i < item.len; i++)
        if ((item.ptr[i] < 'a' || item.ptr[i] > 'z') && item.ptr[i] != '-' && item.ptr[i] != '_')
            return false;
    return true;
}

static int add_pattern(struct redaction *redaction, struct text source, size_t item,
                       struct redaction_mistake *mistake)
{
    struct secret_pattern_mistake wrong;
    int r = secret_finder_add_pattern(redaction->finder, source, &wrong);

    return r == -EINVAL ? refuse(mistake, item, wrong.offset, "not a pattern: %s", wrong.reason)
                        : r;
}

static int add_item(struct redaction *redaction, struct text item, size_t number,
                    struct redaction_mistake *mistake)
{
    if (text_is(item, "passwords"))
        return secret_finder_add_class(redaction->finder, SECRET_PASSWORDS);
    if (text_is(item, "tokens"))
        return secret_finder_add_class(redaction->finder, SECRET_TOKENS);
    if (item.len == 0)
        return refuse(mistake, number, 0, "an empty pattern matches everywhere");
    if (item.len > REDACTION_PATTERN_MAX)
        return refuse(mistake, number, REDACTION_PATTERN_MAX, "a pattern of more than %d bytes",
                      REDACTION_PATTERN_MAX);
    if (is_word(item))
        return refuse(mistake, number, 0,
                      "'%.*s' is none of the classes 'passwords' and 'tokens'; a pattern that is a "
                      "plain word is written in parentheses",
                      item.len < 40 ? (int)item.len : 40, item.ptr);
    return add_pattern(redaction, item, number, mistake);
}

int redaction_new(const struct text *items, size_t count, struct redaction **out,
                  struct redaction_mistake *mistake)
{
    if (count > REDACTION_ITEMS_MAX)
        return refuse(mistake, REDACTION_ITEMS_MAX, 0, "more than %d patterns",
                      REDACTION_ITEMS_MAX);
    CLEANUP(redaction_freep) struct redaction *redaction = calloc(1, sizeof *redaction);
    int r = redaction ? secret_finder_new(&redaction->finder) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_item(redaction, items[i], i, mistake);
    if (r < 0)
        return r;
    *out = redaction;
    redaction = NULL;
    return 0;
}

void redaction_free(struct redaction *redaction)
{
    if (!redaction)
        return;
    secret_finder_free(redaction->finder);
    buffer_deinit(&redaction->text);
    buffer_deinit(&redaction->path);
    json_decref(redaction->fields);
    free(redaction);
}

/* The secrets of arguments are learned before anything that tells them is masked. */
static void learn_list(struct redaction *redaction, const json_t *list)
{
    struct secret_arguments arguments = secret_finder_arguments(redaction->finder);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item))
            continue;
        secret_finder_look(redaction->finder, json_as_text(item), false, &arguments);
        redaction->failed |= secret_finder_keep(redaction->finder, json_as_text(item)) < 0;
    }
}

static void join(struct buffer *out, const json_t *list)
{
    buffer_clear(out);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i)
            buffer_put_char(out, ' ');
        buffer_put_text(out, json_as_text(json_array_get(list, i)));
    }
}

/* Patterns know command lines: what they find there may be parts of several arguments. */
static void learn_joined(struct redaction *redaction, const json_t *list)
{
    size_t begin = 0;

    join(&redaction->text, list);
    redaction->failed |= buffer_failed(&redaction->text);
    secret_finder_look(redaction->finder, buffer_text(&redaction->text), false, NULL);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct text item = json_as_text(json_array_get(list, i));

        redaction->failed |= secret_finder_keep_part(redaction->finder, item, begin) < 0;
        begin += item.len + 1;
    }
}

static bool is_list_of_arguments(const char *key, const json_t *value)
{
    return json_is_array(value) && (strcmp(key, "argv") == 0 || strcmp(key, "env") == 0);
}

static void learn(struct redaction *redaction, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach((json_t *)value, i, member) learn(redaction, member);
    json_object_foreach((json_t *)value, key, member)
    {
        if (is_list_of_arguments(key, member)) {
            learn_list(redaction, member);
            if (strcmp(key, "argv") == 0)
                learn_joined(redaction, member);
        } else if (strcmp(key, "raw") != 0) {
            learn(redaction, member);
        }
    }
}

static void mask_into(struct redaction *redaction, struct text t, const struct secret_finds *finds)
{
    struct buffer *out = &redaction->text;
    size_t from = 0;

    buffer_clear(out);
    if (finds->whole) {
        buffer_put_string(out, REDACTION_MARK);
        redaction->count++;
        redaction->whole++;
        return;
    }
    for (size_t i = 0; i < finds->count; i++) {
        buffer_put(out, t.ptr + from, finds->items[i].begin - from);
        buffer_put_string(out, REDACTION_MARK);
        from = finds->items[i].end;
        redaction->count++;
    }
    buffer_put(out, t.ptr + from, t.len - from);
}

static void note_field(struct redaction *redaction)
{
    struct text path = buffer_text(&redaction->path);

    if (json_array_size(redaction->fields) >= FIELDS_MAX || path.len > PATH_MAX_LEN)
        return;
    for (size_t i = 0; i < json_array_size(redaction->fields); i++)
        if (text_equal(json_as_text(json_array_get(redaction->fields, i)), path))
            return;
    redaction->failed |=
        json_array_append_new(redaction->fields, json_stringn(path.ptr, path.len)) < 0;
}

/* Whether something of STRING was masked. ARGUMENTS: it is one. */
static bool mask_string(struct redaction *redaction, json_t *string, bool told,
                        struct secret_arguments *arguments)
{
    struct text t = json_as_text(string);

    if (t.len == 0 || redaction->is_short != (!arguments && t.len <= SHORT_MAX))
        return false;
    const struct secret_finds *finds = secret_finder_look(redaction->finder, t, told, arguments);

    if (finds->count == 0 && !finds->whole)
        return false;
    mask_into(redaction, t, finds);
    redaction->failed |= buffer_failed(&redaction->text) ||
                         json_string_setn(string, redaction->text.data, redaction->text.len) < 0;
    note_field(redaction);
    return true;
}

static bool mask_list(struct redaction *redaction, json_t *list)
{
    struct secret_arguments arguments = secret_finder_arguments(redaction->finder);
    bool masked = false;

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);

        if (json_is_string(item))
            masked |= mask_string(redaction, item, true, &arguments);
    }
    return masked;
}

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

/* What the engine made, or a rule says. Whatever is in `meta` came with a recording. */
static bool is_left_alone(const struct redaction *redaction, const char *key, size_t depth)
{
    static const char *const of_alert[] = {"id",   "host",     "engine", "origin",
                                           "rule", "redacted", NULL};
    static const char *const of_correlation[] = {"rule", "title", NULL};
    static const char *const anywhere[] = {"type",     "time",       "start_time", "since",
                                           "from",     "until",      "exe.mtime",  "exe.ctime",
                                           "operator", "pattern",    "field",      "at",
                                           "raw",      "exe.sha256", "origin",     NULL};
    struct text path = buffer_text(&redaction->path);

    if (depth == 0)
        return is_one_of(key, of_alert) || is_one_of(key, anywhere);
    if (text_contains(path, TEXT("meta")))
        return false;
    return is_one_of(key, anywhere) ||
           (text_starts(path, TEXT("correlation")) && is_one_of(key, of_correlation));
}

/* What may tell arguments again. */
static bool tells_arguments(const char *key)
{
    static const char *const keys[] = {"cmdline", "message", "value", "group", NULL};

    return is_one_of(key, keys);
}

static bool mask(struct redaction *redaction, json_t *value, size_t depth, bool told);

static bool mask_member(struct redaction *redaction, const char *key, json_t *member, size_t depth,
                        bool told)
{
    size_t len = redaction->path.len;

    if (len)
        buffer_put_char(&redaction->path, '.');
    buffer_put_string(&redaction->path, key);
    bool masked = is_list_of_arguments(key, member)
                      ? mask_list(redaction, member)
                      : mask(redaction, member, depth + 1, told || tells_arguments(key));

    redaction->path.len = len;
    return masked;
}

static bool mask_object(struct redaction *redaction, json_t *object, size_t depth, bool told)
{
    json_t *raw = json_object_get(object, "raw");
    const char *key;
    json_t *member;
    bool any = false;

    json_object_foreach(object, key, member)
    {
        if (is_left_alone(redaction, key, depth) ||
            !mask_member(redaction, key, member, depth, told))
            continue;
        any = true;
        /* Its bytes would be told beside it, in base64. */
        json_object_del(raw, key);
    }
    if (any && json_is_object(raw) && json_object_size(raw) == 0)
        json_object_del(object, "raw");
    return any;
}

/* Whether something in VALUE was masked. */
static bool mask(struct redaction *redaction, json_t *value, size_t depth, bool told)
{
    bool masked = false;

    if (json_is_string(value))
        return mask_string(redaction, value, told, NULL);
    for (size_t i = 0; i < json_array_size(value); i++)
        masked |= mask(redaction, json_array_get(value, i), depth + 1, told);
    return json_is_object(value) ? mask_object(redaction, value, depth, told) : masked;
}

static void begin(struct redaction *redaction)
{
    secret_finder_begin(redaction->finder);
    buffer_clear(&redaction->path);
    redaction->count = redaction->whole = 0;
    json_decref(redaction->fields);
    redaction->fields = json_array();
    redaction->failed = !redaction->fields;
}

static int say(struct redaction *redaction, json_t *alert)
{
    json_t *said = json_object();
    int r = json_object_set_new(said, "count", json_integer(redaction->count));

    if (r == 0 && redaction->whole)
        r = json_object_set_new(said, "whole", json_integer(redaction->whole));
    if (r == 0)
        r = json_object_set(said, "fields", redaction->fields);
    if (r == 0)
        return json_object_set_new(alert, "redacted", said) < 0 ? -ENOMEM : 0;
    json_decref(said);
    return -ENOMEM;
}

int redaction_apply(struct redaction *redaction, json_t *alert)
{
    begin(redaction);
    learn(redaction, alert);
    secret_finder_rest(redaction->finder);
    redaction->is_short = true;
    mask(redaction, alert, 0, false);
    redaction->is_short = false;
    mask(redaction, alert, 0, false);
    if (redaction->failed || buffer_failed(&redaction->path))
        return -ENOMEM;
    int r = redaction->count ? say(redaction, alert) : 0;

    return r < 0 ? r : redaction->count;
}
