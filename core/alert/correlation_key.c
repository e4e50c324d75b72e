#include "alert/correlation_key.h"

#include <errno.h>

void correlation_reader_clear(struct correlation_reader *reader)
{
    arena_clear(&reader->arena);
}

void correlation_reader_deinit(struct correlation_reader *reader)
{
    arena_deinit(&reader->arena);
    buffer_deinit(&reader->scratch);
}

static int as_text(struct correlation_reader *reader, const struct value *value,
                   struct correlation_value *out)
{
    *out = (struct correlation_value){.type = value->type};
    if (field_type_is_number(value->type))
        out->number = value->number;
    if (value->type == TYPE_TEXT && value->text.ptr) {
        out->text = value->text;
        return 0;
    }
    buffer_clear(&reader->scratch);
    value_put(&reader->scratch, value);
    out->text = arena_text(&reader->arena, buffer_text(&reader->scratch));
    return out->text.ptr && !buffer_failed(&reader->scratch) ? 0 : -ENOMEM;
}

static int read_value(struct correlation_reader *reader, const struct correlation_source *source,
                      const struct correlation_origin *origin, struct correlation_value *out)
{
    struct value value;

    *out = (struct correlation_value){0};
    if (source->key >= 0) {
        *out = origin->below[source->key];
        return 0;
    }
    return event_value(origin->event, &source->ref, &value) ? as_text(reader, &value, out) : 0;
}

/* What PROCESS has for those of COUNT keys that are of any ancestor. 1; 0: none of them; -ENOMEM.
 */
static int read_ancestor(struct correlation_reader *reader,
                         const struct correlation_source *sources, size_t count,
                         const struct process *process, struct correlation_value *out)
{
    struct value value;
    int any = 0;

    for (size_t i = 0; i < count; i++) {
        if (!correlation_source_spreads(&sources[i]) ||
            !process_value(process, sources[i].ref.field, &value))
            continue;
        if (as_text(reader, &value, &out[i]) < 0)
            return -ENOMEM;
        any = 1;
    }
    return any;
}

static bool is_same(const struct correlation_source *sources, size_t count,
                    const struct correlation_value *a, const struct correlation_value *b)
{
    for (size_t i = 0; i < count; i++)
        if (correlation_source_spreads(&sources[i]) &&
            (!a[i].text.ptr != !b[i].text.ptr || !text_equal(a[i].text, b[i].text)))
            return false;
    return true;
}

static bool is_known(const struct correlation_key *key, const struct correlation_source *sources,
                     size_t count, const struct correlation_value *values)
{
    for (size_t i = 0; i < key->group_count; i++)
        if (is_same(sources, count, key->groups[i], values))
            return true;
    return false;
}

/* A group for each ancestor, with COUNT values that are those of SHARED besides. */
static int read_ancestors(struct correlation_reader *reader,
                          const struct correlation_source *sources,
                          const struct correlation_value *shared, size_t count,
                          struct lineage lineage, struct correlation_key *out)
{
    for (const struct process *process; (process = lineage_next(&lineage));) {
        struct correlation_value *values = arena_array(&reader->arena, count, sizeof *values);

        if (!values)
            return -ENOMEM;
        memcpy(values, shared, count * sizeof *values);
        int r = read_ancestor(reader, sources, count, process, values);

        if (r < 0)
            return r;
        if (r > 0 && !is_known(out, sources, count, values))
            out->groups[out->group_count++] = values;
    }
    return 0;
}

int correlation_key_read(struct correlation_reader *reader, const struct correlation *correlation,
                         const struct correlation_member *member,
                         const struct correlation_origin *origin, struct correlation_key *out)
{
    size_t count = correlation->key_count;
    struct correlation_value *values = arena_array(&reader->arena, count, sizeof *values);
    bool spreads = false;
    int r = values ? 0 : -ENOMEM;

    out->group_count = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        spreads |= correlation_source_spreads(&member->keys[i]);
        if (!correlation_source_spreads(&member->keys[i]))
            r = read_value(reader, &member->keys[i], origin, &values[i]);
    }
    if (r == 0 && spreads)
        r = read_ancestors(reader, member->keys, values, count, lineage_of(origin->event), out);
    if (out->group_count == 0)
        out->groups[out->group_count++] = values;
    return r;
}

static void hash_text(struct sip_hash *hash, struct text text)
{
    sip_hash_put_number(hash, text.ptr ? text.len : UINT64_MAX);
    sip_hash_put(hash, text);
}

void correlation_key_hash(const struct correlation_value *values, size_t count,
                          struct sip_hash *hash)
{
    for (size_t i = 0; i < count; i++)
        hash_text(hash, values[i].text);
}

int correlation_key_hash_counted(struct correlation_reader *reader,
                                 const struct correlation *correlation,
                                 const struct correlation_member *member,
                                 const struct correlation_origin *origin, struct sip_hash *hash)
{
    bool any = false;

    for (size_t i = 0; i < correlation->value_count; i++) {
        struct correlation_value value;

        if (read_value(reader, &member->values[i], origin, &value) < 0)
            return -ENOMEM;
        hash_text(hash, value.text);
        any |= value.text.ptr != NULL;
    }
    return any ? 0 : -ENODATA;
}

bool correlation_key_number(const struct correlation_member *member,
                            const struct correlation_origin *origin, double *out)
{
    const struct correlation_source *source = &member->values[0];
    struct value value;

    if (source->key >= 0) {
        const struct correlation_value *below = &origin->below[source->key];

        *out = (double)below->number;
        return field_type_is_number(below->type);
    }
    if (!event_value(origin->event, &source->ref, &value) || !field_type_is_number(value.type))
        return false;
    *out = (double)value.number;
    return true;
}
