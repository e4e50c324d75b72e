#include "plugin/plugin_module.h"

#include <dlfcn.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_OF_MEMORY "out of memory"

/* Zero, so that a structure of a newer maker says nothing this picket would have to know. */
static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Copies what both sides know of a structure that says it is SIZE long. */
static bool copy_sized(void *to, size_t known, const void *from, size_t size)
{
    memset(to, 0, known);
    memcpy(to, from, size < known ? size : known);
    return size <= known || is_zero((const char *)from + known, size - known);
}

#define DESCRIPTOR_MAX 4096

/* What version 1 began with: this picket may know more, and what was made before does not. */
#define PLUGIN_LEAST \
    (offsetof(struct picket_plugin, close) + sizeof(((struct picket_plugin *)0)->close))
#define OPTION_LEAST (offsetof(struct picket_option, flags) + sizeof(uint32_t))

static const char *copy_descriptor(const void *symbol, struct arena *arena,
                                   struct picket_plugin *out)
{
    size_t size;
    uint32_t abi;

    memcpy(&size, symbol, sizeof size);
    memcpy(&abi, (const char *)symbol + offsetof(struct picket_plugin, abi), sizeof abi);
    if (size < PLUGIN_LEAST || size > DESCRIPTOR_MAX)
        return "it is no plugin: the size in its 'picket_plugin' cannot be";
    if (abi != PICKET_ABI) {
        const char *why = arena_printf(arena, "it is made for version %u of the plugin ABI, not %u",
                                       abi, PICKET_ABI);
        return why ? why : OUT_OF_MEMORY;
    }
    if (!copy_sized(out, sizeof *out, symbol, size))
        return "it needs a newer picket";
    if (!out->name || !out->version || !out->help || !out->open)
        return "its descriptor lacks a name, version, help or open";
    if (out->option_count > PLUGIN_OPTIONS_MAX || (out->option_count && !out->options) ||
        (out->option_count &&
         (out->option_size < OPTION_LEAST || out->option_size > DESCRIPTOR_MAX)))
        return "its table of options is none: too many, absent, or of an impossible size";
    return NULL;
}

struct layout {
    size_t size, align;
};

static struct layout layout_of(uint32_t type)
{
    switch (type) {
    case PICKET_STRING:
    case PICKET_STRINGS:
        return (struct layout){sizeof(const char *), alignof(const char *)};
    case PICKET_BOOL:
    case PICKET_ENUM:
    case PICKET_FILE:
    case PICKET_FOLDER:
    case PICKET_SOCKET:
        return (struct layout){sizeof(int), alignof(int)};
    default:
        return (struct layout){sizeof(int64_t), alignof(int64_t)};
    }
}

/* More than any batch has stays so. */
static uint32_t clamp(size_t count)
{
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

#define CONFIG_MAX ((size_t)64 << 10)

static const char *check_layout(const struct plugin_module *module)
{
    size_t size = module->plugin.config_size;

    if (size > CONFIG_MAX)
        return "its config structure is too large";
    for (size_t i = 0; i < module->info.option_count; i++) {
        struct layout layout = layout_of(module->info.options[i].type);
        size_t offset = module->offsets[i];

        if (offset % layout.align || offset > size || size - offset < layout.size)
            return "an option lies outside its config structure, or is not aligned";
    }
    return NULL;
}

static struct text optional(const char *string)
{
    return string ? text_from(string) : (struct text){NULL, 0};
}

static const char *copy_options(struct plugin_module *module, struct arena *arena)
{
    size_t count = module->plugin.option_count;
    const char *next = (const char *)module->plugin.options;

    module->info.options = arena_array(arena, count ? count : 1, sizeof *module->info.options);
    if (!module->info.options)
        return OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++, next += module->plugin.option_size) {
        struct picket_option option;

        if (!copy_sized(&option, sizeof option, next, module->plugin.option_size))
            return "it needs a newer picket: an option has more to it than is known here";
        module->offsets[i] = option.offset;
        module->info.options[i] = (struct plugin_option){.name = optional(option.name),
                                                         .help = optional(option.help),
                                                         .value = optional(option.value),
                                                         .choices = optional(option.choices),
                                                         .min = option.min,
                                                         .max = option.max,
                                                         .type = option.type,
                                                         .flags = option.flags};
    }
    module->info.option_count = count;
    return NULL;
}

const char *plugin_module_read(const struct picket_plugin *descriptor, struct arena *arena,
                               struct plugin_module *module)
{
    *module = (struct plugin_module){0};
    const char *why = copy_descriptor(descriptor, arena, &module->plugin);

    if (why)
        return why;
    module->info = (struct plugin_info){.name = text_from(module->plugin.name),
                                        .version = text_from(module->plugin.version),
                                        .help = text_from(module->plugin.help),
                                        .needs = module->plugin.needs,
                                        .batch_max = clamp(module->plugin.batch_max)};
    why = copy_options(module, arena);
    if (!why)
        why = plugin_info_check(&module->info);
    return why ? why : check_layout(module);
}

static bool leads_to(const char *path, int fd)
{
    struct stat by_path, by_fd;

    return access(path, R_OK) == 0 && stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
           by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino;
}

const char *plugin_module_open(const char *path, int fd, struct arena *arena, void **out)
{
    char by_fd[64];

    /* The engine could open what this user may not reach: a plugin in somebody's home. */
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", fd);
    *out = dlopen(leads_to(path, fd) ? path : by_fd, RTLD_NOW | RTLD_LOCAL);
    return *out ? NULL : arena_string(arena, dlerror());
}

const char *plugin_module_load(const char *path, int fd, struct arena *arena,
                               struct plugin_module *out)
{
    void *handle;
    const char *why = plugin_module_open(path, fd, arena, &handle);

    if (why)
        return why;
    const void *symbol = dlsym(handle, "picket_plugin");

    if (!symbol)
        return "it is no plugin: it exports no symbol 'picket_plugin'";
    why = plugin_module_read(symbol, arena, out);
    return why || out->plugin.deliver ? why : "its descriptor lacks deliver";
}
