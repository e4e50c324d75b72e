#include "event/container.h"

/* Of the ids that docker and its relatives draw. */
#define HEX_LEN 64

enum id_form {
    ID_HEX,     /* HEX_LEN hexadecimal digits */
    ID_NAME,    /* whatever the user called it */
    ID_ESCAPED, /* the same, as systemd.unit(5) has it: "\x2d" for '-' */
};

/* What a runtime calls the cgroup of a container: PREFIX id SUFFIX, in a cgroup called PARENT. */
struct naming {
    const char *runtime;
    enum id_form form;
    struct text parent; /* "": any; with a '*' at its end: what begins so */
    struct text prefix, suffix;
};

#define NAMING(runtime, form, parent, prefix, suffix)                                   \
    {                                                                                   \
        runtime, ID_##form, {parent, sizeof(parent) - 1}, {prefix, sizeof(prefix) - 1}, \
        {                                                                               \
            suffix, sizeof(suffix) - 1                                                  \
        }                                                                               \
    }

/* What stands beside containers (conmon's scopes, lxc.monitor) fits none of these. */
static const struct naming namings[] = {
    NAMING("docker", HEX, "", "docker-", ".scope"),
    NAMING("docker", HEX, "docker", "", ""),
    NAMING("containerd", HEX, "", "cri-containerd-", ".scope"),
    NAMING("containerd", HEX, "", "nerdctl-", ".scope"),
    NAMING("containerd", HEX, "default", "", ""),
    NAMING("containerd", HEX, "k8s.io", "", ""),
    NAMING("cri-o", HEX, "", "crio-", ".scope"),
    NAMING("cri-o", HEX, "", "crio-", ""),
    NAMING("podman", HEX, "", "libpod-", ".scope"),
    NAMING("podman", HEX, "", "libpod-", ""),
    NAMING("podman", HEX, "", "libpod-payload-", ".scope"),
    NAMING("podman", HEX, "", "libpod-payload-", ""),
    NAMING("kubernetes", HEX, "pod*", "", ""),
    NAMING("kubernetes", HEX, "kubepods*", "", ""),
    NAMING("lxc", ESCAPED, "machine.slice", "machine-lxc\\x2d", ".scope"),
    NAMING("nspawn", ESCAPED, "machine.slice", "machine-", ".scope"),
    NAMING("nspawn", ESCAPED, "", "systemd-nspawn@", ".service"),
    NAMING("lxc", NAME, "lxc", "", ""),
    NAMING("lxc", NAME, "lxc.payload", "", ""),
    NAMING("lxc", NAME, "", "lxc.payload.", ""),
};

#define NAMINGS (sizeof namings / sizeof *namings)

/* A virtual machine's, of libvirt. */
#define MACHINE_QEMU "machine-qemu\\x2d"

static bool is_hex(struct text t)
{
    if (t.len != HEX_LEN)
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (!((t.ptr[i] >= '0' && t.ptr[i] <= '9') || (t.ptr[i] >= 'a' && t.ptr[i] <= 'f')))
            return false;
    return true;
}

static bool is_parent(const struct naming *naming, struct text parent)
{
    struct text wanted = naming->parent;

    if (wanted.len > 0 && wanted.ptr[wanted.len - 1] == '*')
        return text_starts(parent, (struct text){wanted.ptr, wanted.len - 1});
    return wanted.len == 0 || text_equal(parent, wanted);
}

static bool fits(const struct naming *naming, struct text name, struct text parent, struct text *id)
{
    size_t around = naming->prefix.len + naming->suffix.len;

    if (name.len <= around || (naming->form == ID_HEX && name.len != around + HEX_LEN) ||
        !is_parent(naming, parent) || !text_starts(name, naming->prefix) ||
        !text_ends(name, naming->suffix))
        return false;
    *id = (struct text){name.ptr + naming->prefix.len, name.len - around};
    return naming->form != ID_HEX || is_hex(*id);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape at the beginning of T stands for; 0 when there is none. */
static unsigned escaped_byte(struct text t)
{
    if (t.len < 4 || t.ptr[0] != '\\' || t.ptr[1] != 'x')
        return 0;
    int high = hex_digit(t.ptr[2]), low = hex_digit(t.ptr[3]);

    return high < 0 || low < 0 ? 0 : (unsigned)high << 4 | (unsigned)low;
}

static struct text unescape(struct text name, struct buffer *room)
{
    size_t begin = room->len;

    while (name.len > 0) {
        unsigned byte = escaped_byte(name);
        size_t step = byte ? 4 : 1;

        if (byte)
            buffer_put_char(room, (char)byte);
        else
            buffer_put_char(room, name.ptr[0]);
        name = (struct text){name.ptr + step, name.len - step};
    }
    return (struct text){room->data + begin, room->len - begin};
}

/* "kubepods-pod1.slice:cri-containerd:ID": how runc reads a cgroup that is meant for systemd, when
 * systemd was not asked. */
static bool find_colons(struct text name, struct container *out)
{
    const char *last = memrchr(name.ptr, ':', name.len);
    const char *first = last ? memrchr(name.ptr, ':', (size_t)(last - name.ptr)) : NULL;

    if (!first || !is_hex((struct text){last + 1, (size_t)(name.ptr + name.len - last - 1)}))
        return false;
    struct text driver = {first + 1, (size_t)(last - first - 1)};

    for (size_t i = 0; i < NAMINGS; i++) {
        struct text prefix = namings[i].prefix;

        if (prefix.len == driver.len + 1 && text_starts(prefix, driver)) {
            *out = (struct container){{last + 1, HEX_LEN}, namings[i].runtime};
            return true;
        }
    }
    return false;
}

static bool find_one(struct text name, struct text parent, struct buffer *room,
                     struct container *out)
{
    struct text id;

    if (text_starts(name, TEXT(MACHINE_QEMU)))
        return false;
    for (size_t i = 0; i < NAMINGS; i++) {
        if (!fits(&namings[i], name, parent, &id))
            continue;
        if (namings[i].form == ID_ESCAPED && memchr(id.ptr, '\\', id.len))
            id = unescape(id, room);
        *out = (struct container){id, namings[i].runtime};
        return true;
    }
    if (name.len > HEX_LEN)
        return find_colons(name, out);
    /* Of a parent that the user chose. A pod of podman's is a folder of containers, and none. */
    if (!is_hex(name) || text_is(parent, "libpod_parent"))
        return false;
    *out = (struct container){name, NULL};
    return true;
}

/* Takes the last name off *PATH. */
static struct text take_last(struct text *path)
{
    const char *slash = path->len ? memrchr(path->ptr, '/', path->len) : NULL;
    size_t start = slash ? (size_t)(slash - path->ptr) + 1 : 0;
    struct text name = {path->ptr + start, path->len - start};

    path->len = slash ? start - 1 : 0;
    return name;
}

bool container_find(struct text path, struct buffer *room, struct container *out)
{
    struct text name = take_last(&path);

    while (name.len > 0 || path.len > 0) {
        struct text parent = take_last(&path);

        if (name.len > 0 && find_one(name, parent, room, out))
            return true;
        name = parent;
    }
    return false;
}
