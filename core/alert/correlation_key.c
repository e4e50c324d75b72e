#include "alert/correlation_key.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Everybody's ancestor. */
#define INIT_PID 1

/* A longer text is no number. */
#define NUMBER_LEN_MAX 64

void correlation_key_deinit(struct correlation_key *key)
{
    arena_deinit(&key->arena);
    buffer_deinit(&key->scratch);
}

static bool is_bare(enum field_type type)
{
    return type == TYPE_NUMBER || type == TYPE_DURATION || type == TYPE_BOOL;
}

static int as_text(struct correlation_key *key, const struct value *value,
                   struct correlation_value *out)
{
    out->bare = is_bare(value->type);
    if (value->type == TYPE_TEXT && value->text.ptr) {
        out->text = value->text;
        return 0;
    }
    buffer_clear(&key->scratch);
    value_put(&key->scratch, value);
    out->text = arena_text(&key->arena, buffer_text(&key->scratch));
    return out->text.ptr && !buffer_failed(&key->scratch) ? 0 : -ENOMEM;
}

static int read_value(struct correlation_key *key, const struct correlation_source *source,
                      const struct correlation_origin *origin, struct correlation_value *out)
{
    struct value value;

    *out = (struct correlation_value){0};
    if (source->key >= 0) {
        *out = origin->below->values[source->key];
        return 0;
    }
    return event_value(origin->event, &source->ref, &value) ? as_text(key, &value, out) : 0;
}

static bool is_init(const struct process *process)
{
    return field_set_has(&process->has, FIELD_PID) && process->pid == INIT_PID;
}

static bool is_known(const struct correlation_key *key, struct text text)
{
    for (size_t i = 0; i < key->spread_count; i++)
        if (text_equal(key->spread[i].text, text))
            return true;
    return false;
}

static int read_ancestors(struct correlation_key *key, const struct field *field,
                          const struct event *event)
{
    const struct process *process = event_ancestor(event, 1);

    key->spread_count = 0;
    for (int i = 0; process && i < ANCESTOR_MAX; process = process->parent, i++) {
        struct correlation_value *next = &key->spread[key->spread_count];
        struct value value;

        if (is_init(process) || !process_value(process, field, &value))
            continue;
        if (as_text(key, &value, next) < 0)
            return -ENOMEM;
        key->spread_count += !is_known(key, next->text);
    }
    return 0;
}

static bool is_of_any_ancestor(const struct correlation_source *source)
{
    return source->key < 0 && source->ref.owner == OWNER_ANY_ANCESTOR;
}

int correlation_key_read(struct correlation_key *key, const struct correlation *correlation,
                         const struct correlation_member *member,
                         const struct correlation_origin *origin)
{
    arena_clear(&key->arena);
    key->spread_count = 0;
    for (size_t i = 0; i < correlation->key_count; i++) {
        const struct correlation_source *source = &member->keys[i];
        int r = is_of_any_ancestor(source) ? read_ancestors(key, source->ref.field, origin->event)
                                           : read_value(key, source, origin, &key->values[i]);

        if (r < 0)
            return r;
        if (i == correlation->spread && !is_of_any_ancestor(source))
            key->spread[key->spread_count++] = key->values[i];
    }
    if (key->spread_count == 0)
        key->spread[key->spread_count++] = (struct correlation_value){0};
    return 0;
}

void correlation_key_spread(struct correlation_key *key, const struct correlation *correlation,
                            size_t index)
{
    if (correlation->spread < correlation->key_count)
        key->values[correlation->spread] = key->spread[index];
}

static void hash_text(struct sip_hash *hash, struct text text)
{
    sip_hash_put_number(hash, text.ptr ? text.len : UINT64_MAX);
    sip_hash_put(hash, text);
}

void correlation_key_hash(const struct correlation_key *key, size_t count, struct sip_hash *hash)
{
    for (size_t i = 0; i < count; i++)
        hash_text(hash, key->values[i].text);
}

int correlation_key_hash_counted(struct correlation_key *key, const struct correlation *correlation,
                                 const struct correlation_member *member,
                                 const struct correlation_origin *origin, struct sip_hash *hash)
{
    bool any = false;

    for (size_t i = 0; i < correlation->value_count; i++) {
        struct correlation_value value;

        if (read_value(key, &member->values[i], origin, &value) < 0)
            return -ENOMEM;
        hash_text(hash, value.text);
        any |= value.text.ptr != NULL;
    }
    return any ? 0 : -ENODATA;
}

static bool parse_number(struct text text, double *out)
{
    char digits[NUMBER_LEN_MAX + 1], *end;

    if (text.len == 0 || text.len > NUMBER_LEN_MAX || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    *out = strtod(digits, &end);
    return *end == '\0' && isfinite(*out);
}

int correlation_key_number(struct correlation_key *key, const struct correlation_member *member,
                           const struct correlation_origin *origin, double *out)
{
    struct correlation_value value;

    if (read_value(key, &member->values[0], origin, &value) < 0)
        return -ENOMEM;
    return value.text.ptr && parse_number(value.text, out) ? 0 : -ENODATA;
}
