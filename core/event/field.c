#include "event/field.h"

#include <errno.h>
#include <stdio.h>

#include "event/event.h"

#define STRUCT_EVENT   struct event
#define STRUCT_HOST    struct machine
#define STRUCT_PROCESS struct process

const struct field field_catalogue[FIELD_COUNT] = {
#define FIELD(id, name, type, scope, member, group, unit, help, source, cost, kernels)         \
    [FIELD_##                                                                                  \
        id] = {FIELD_##id, name, TYPE_##type, SCOPE_##scope, offsetof(STRUCT_##scope, member), \
               group,      unit, help,        source,        cost,                             \
               kernels},
    FIELD_CATALOGUE(FIELD)
#undef FIELD
};

const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {"text", "list of texts", "number",      "boolean",
                                        "time", "duration",      "set of names"};

    return names[type];
}

const struct field *field_find(struct text name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (text_is(name, field_catalogue[i].name))
            return &field_catalogue[i];
    return NULL;
}

/* Takes "parent", "ancestor" or "ancestor[N]" off the front of *NAME; what is left begins at its
 * dot, or is empty. */
static int take_owner(struct text *name, struct field_ref *out)
{
    struct text rest = *name;
    struct text front = text_split(&rest, '.');
    int64_t generation;

    *out = (struct field_ref){.owner = OWNER_SELF};
    if (text_is(front, "parent")) {
        *out = (struct field_ref){.owner = OWNER_ANCESTOR, .generation = 1};
    } else if (text_is(front, "ancestor")) {
        out->owner = OWNER_ANY_ANCESTOR;
    } else if (text_starts(front, TEXT("ancestor["))) {
        struct text number = {front.ptr + 9, front.len - 9};

        if (!text_ends(number, TEXT("]")))
            return -EINVAL;
        number.len--;
        if (text_to_int(number, &generation) < 0)
            return -EINVAL;
        if (generation < 1 || generation > ANCESTOR_MAX)
            return -ERANGE;
        *out = (struct field_ref){.owner = OWNER_ANCESTOR, .generation = (unsigned)generation};
    } else {
        return 0;
    }
    *name = rest.ptr ? rest : TEXT("comm");
    return 0;
}

int field_ref_parse(struct text name, struct field_ref *out)
{
    struct field_ref ref;
    int r = take_owner(&name, &ref);

    if (r < 0)
        return r;
    ref.field = field_find(name);
    if (!ref.field)
        return -ENOENT;
    if (ref.owner != OWNER_SELF && ref.field->scope != SCOPE_PROCESS)
        return -EDOM;
    *out = ref;
    return 0;
}

/* `parent.parent.comm` and `ancestor[x].comm`: a relation that there is, when the field is one. */
static const char *suggest_ancestor(struct text name, char workspace[static 64])
{
    struct text rest = name;
    struct field_ref ref;
    int generation = 0;

    if (text_starts(name, TEXT("ancestor["))) {
        text_split(&rest, '.');
        name = rest;
        generation = 2;
    }
    while (name.ptr && text_is(text_split(&rest, '.'), "parent")) {
        name = rest;
        generation++;
    }
    if (generation < 2)
        return NULL;
    snprintf(workspace, 64, name.ptr ? "ancestor[%d].%.*s" : "ancestor[%d]%.*s", generation,
             TEXT_ARG(name));
    return field_ref_parse(text_from(workspace), &ref) < 0 ? NULL : workspace;
}

const char *field_suggest(struct text name, char workspace[static 64])
{
    const char *candidates[FIELD_COUNT + 2];
    struct field_ref ref;
    struct text whole = name;
    const char *ancestor = suggest_ancestor(name, workspace);

    if (ancestor)
        return ancestor;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        candidates[i] = field_catalogue[i].name;
    candidates[FIELD_COUNT] = "parent";
    candidates[FIELD_COUNT + 1] = "ancestor";
    if (take_owner(&name, &ref) == 0 && ref.owner != OWNER_SELF) {
        const char *nearest = text_nearest(name, candidates, FIELD_COUNT);

        if (!nearest)
            return NULL;
        snprintf(workspace, 64, "%.*s%s", (int)(whole.len - name.len), whole.ptr, nearest);
        return workspace;
    }
    return text_nearest(name, candidates, FIELD_COUNT + 2);
}
