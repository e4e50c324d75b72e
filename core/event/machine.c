#include "event/machine.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define MACHINE_ID_LEN 32

static int set(struct machine *machine, enum field_id id, struct text value, struct arena *arena)
{
    struct text *member = (struct text *)(void *)((char *)machine + field_catalogue[id].offset);

    *member = arena_text(arena, value);
    field_set_add(&machine->has, id);
    return member->ptr ? 0 : -ENOMEM;
}

static int read_system(struct machine *machine, struct arena *arena)
{
    struct utsname system;

    if (uname(&system) < 0)
        return -errno;
    if (set(machine, FIELD_HOST_NAME, text_from(system.nodename), arena) < 0 ||
        set(machine, FIELD_HOST_KERNEL, text_from(system.release), arena) < 0 ||
        set(machine, FIELD_HOST_ARCH, text_from(system.machine), arena) < 0)
        return -ENOMEM;
    return 0;
}

static bool is_machine_id(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!isxdigit((unsigned char)t.ptr[i]))
            return false;
    return t.len == MACHINE_ID_LEN;
}

static int read_id(struct machine *machine, struct arena *arena)
{
    CLEANUP(fclosep) FILE *file = fopen("/etc/machine-id", "re");
    char line[64];

    if (!file || !fgets(line, sizeof line, file))
        return 0;
    struct text id = text_trim(text_from(line));

    return is_machine_id(id) ? set(machine, FIELD_HOST_ID, id, arena) : 0;
}

/* What the shell would make of VALUE, which has no escapes in the two that are read. */
static struct text unquoted(struct text value)
{
    value = text_trim(value);
    if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
        value.ptr[value.len - 1] == value.ptr[0])
        value = (struct text){value.ptr + 1, value.len - 2};
    return value;
}

static int read_os(struct machine *machine, struct arena *arena)
{
    CLEANUP(fclosep) FILE *file = fopen("/etc/os-release", "re");
    char line[512];
    int r = 0;

    if (!file)
        file = fopen("/usr/lib/os-release", "re");
    while (r == 0 && file && fgets(line, sizeof line, file)) {
        struct text value = text_from(line);
        struct text key = text_split(&value, '=');

        if (value.ptr && text_is(key, "ID"))
            r = set(machine, FIELD_HOST_OS, unquoted(value), arena);
        else if (value.ptr && text_is(key, "VERSION_ID"))
            r = set(machine, FIELD_HOST_OS_VERSION, unquoted(value), arena);
    }
    return r;
}

int machine_read(struct arena *arena, struct machine *out)
{
    struct machine machine = {.is_here = true};
    int r = read_system(&machine, arena);

    if (r == 0)
        r = read_id(&machine, arena);
    if (r == 0)
        r = read_os(&machine, arena);
    if (r < 0)
        return r;
    *out = machine;
    return 0;
}

void machine_put_members(struct json_writer *json, const struct machine *machine)
{
    for (size_t i = FIELD_HOST_NAME; i <= FIELD_HOST_OS_VERSION; i++) {
        const struct field *field = &field_catalogue[i];

        if (!field_set_has(&machine->has, field->id))
            continue;
        json_key(json, text_from(field->name + field->group + 1));
        json_text(json,
                  *(const struct text *)(const void *)((const char *)machine + field->offset));
    }
}

bool machine_is_same(const struct machine *a, const struct machine *b)
{
    bool ids = field_set_has(&a->has, FIELD_HOST_ID) && field_set_has(&b->has, FIELD_HOST_ID);

    return a == b || (text_equal(a->name, b->name) && (!ids || text_equal(a->id, b->id)));
}

const struct machine *machine_or_here(const struct machine *host, const struct machine *here)
{
    return host && !machine_is_same(host, here) ? host : here;
}
