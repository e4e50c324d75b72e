#include "cli/alert_filter.h"

#include <errno.h>
#include <fnmatch.h>

#include "base/json.h"

/* A rule's id as a string, for fnmatch(). */
#define RULE_MAX 512

int alert_filter_prepare(struct alert_filter *filter)
{
    struct json_writer json = {.buffer = &filter->quoted};

    json_text(&json, filter->search);
    return buffer_failed(&filter->quoted) ? -ENOMEM : 0;
}

void alert_filter_deinit(struct alert_filter *filter)
{
    buffer_deinit(&filter->quoted);
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool contains(struct text whole, struct text part)
{
    if (part.len == 0)
        return true;
    for (int first = lower(*part.ptr); whole.len >= part.len; whole.ptr++, whole.len--)
        if (lower(*whole.ptr) == first &&
            text_equal_nocase((struct text){whole.ptr, part.len}, part))
            return true;
    return false;
}

static bool has_number(const json_t *value, struct text part)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));

    return contains((struct text){digits, (size_t)len}, part);
}

/* In the values alone: every alert has the words that are its keys. */
static bool tree_contains(const json_t *tree, struct text part)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(tree))
        return contains(json_as_text(tree), part);
    if (json_is_integer(tree))
        return has_number(tree, part);
    json_object_foreach((json_t *)tree, key, item)
    {
        if (tree_contains(item, part))
            return true;
    }
    json_array_foreach(tree, i, item)
    {
        if (tree_contains(item, part))
            return true;
    }
    return false;
}

static bool is_found(const struct alert_filter *filter, struct text json)
{
    CLEANUP(json_freep) json_t *tree = NULL;
    struct json_failure failure;
    /* Without its quotes. */
    struct text quoted = {filter->quoted.data + 1, filter->quoted.len - 2};

    if (!contains(json, quoted)) /* which most alerts end with, and which is cheap */
        return false;
    return json_parse(json, &tree, &failure) < 0 || tree_contains(tree, filter->search);
}

static bool is_wanted_rule(const struct alert_filter *filter, struct text rule)
{
    char id[RULE_MAX];

    if (filter->rule_count == 0)
        return true;
    snprintf(id, sizeof id, "%.*s", TEXT_ARG(rule));
    for (size_t i = 0; i < filter->rule_count; i++)
        if (fnmatch(filter->rules[i], id, 0) == 0)
            return true;
    return false;
}

bool alert_filter_passes(const struct alert_filter *filter, const struct journal_alert *alert)
{
    return alert->time >= filter->since && alert->time <= filter->until &&
           alert->severity >= (int)filter->severity && is_wanted_rule(filter, alert->rule) &&
           (filter->search.len == 0 || is_found(filter, alert->json));
}
