#include "rule/sigma_field.h"

struct mapping {
    const char *name;
    const char *field;                        /* of the catalogue */
    const char *others[SIGMA_TRUTHS_MAX - 1]; /* what else may make a match hold */
};

static const struct mapping mappings[] = {
    /* process_creation */
    {"Image", "exe", {"filename", "filename.absolute"}},
    {"CommandLine", "cmdline"},
    {"CurrentDirectory", "cwd"},
    {"User", "user"},
    {"LogonId", "loginuid"}, /* as Sysmon for Linux has it: ebpfKern/sysmonProcCreate.c */
    {"TerminalSessionId", "session"},
    {"ProcessId", "pid"},
    {"ParentProcessId", "ppid"},
    {"ParentImage", "parent.exe", {"parent.filename", "parent.filename.absolute"}},
    {"ParentCommandLine", "parent.cmdline"},
    {"ParentUser", "parent.user"},
    {"sha256", "exe.sha256"},
    {"Computer", "host.name"},
    {"ComputerName", "host.name"},
    {"Hostname", "host.name"},
    /* auditd */
    {"node", "host.name"},
    {"auid", "loginuid"},
    {"ses", "session"},
};
#define MAPPINGS (sizeof mappings / sizeof *mappings)

static const char *const records[] = {"EXECVE", "SYSCALL"};
static const char *const calls[] = {"execve", "execveat", "59", "322", "221", "281"};
static const char *const successes[] = {"yes"};

/* What auditd's records of an exec say always. The numbers of calls are those of x86-64 and arm64.
 */
static const struct constant {
    const char *name;
    const char *const *texts;
    size_t count;
} constants[] = {
    {"type", records, sizeof records / sizeof *records},
    {"syscall", calls, sizeof calls / sizeof *calls},
    {"SYSCALL", calls, sizeof calls / sizeof *calls},
    {"success", successes, sizeof successes / sizeof *successes},
};
#define CONSTANTS (sizeof constants / sizeof *constants)

static bool differs(const struct yaml_node *node, const char *key, const char *only,
                    struct sigma_logsource *out)
{
    const struct yaml_node *value = yaml_get(node, key);

    if (!yaml_is_text(value) || (only && text_equal_nocase(value->text, text_from(only))))
        return false;
    out->key = key;
    out->value = value->text;
    return true;
}

void sigma_logsource_read(const struct yaml_node *node, struct sigma_logsource *out)
{
    struct sigma_logsource none = {0};
    bool has_service = differs(node, "service", NULL, &none);

    *out = (struct sigma_logsource){.source = SIGMA_OTHER};
    if (differs(node, "product", "linux", out) ||
        differs(node, "category", "process_creation", out) ||
        differs(node, "service", "auditd", out))
        return;
    out->source = has_service ? SIGMA_AUDITD : SIGMA_PROCESS;
    out->vague = !has_service && !differs(node, "category", NULL, &none);
}

static bool find_constant(struct text name, struct sigma_field *out)
{
    for (size_t i = 0; i < CONSTANTS; i++) {
        if (!text_is(name, constants[i].name))
            continue;
        *out = (struct sigma_field){.constants = constants[i].texts,
                                    .constant_count = constants[i].count};
        return true;
    }
    return false;
}

static bool add_ref(struct text name, struct sigma_field *out)
{
    if (field_ref_parse(name, &out->refs[out->ref_count]) < 0)
        return false;
    out->ref_count++;
    return true;
}

/* An argument as auditd numbers them: a0, a1, ... */
static bool find_argument(struct text name, struct sigma_field *out)
{
    struct text number = {name.ptr + 1, name.len - 1};
    int64_t index;

    if (!text_starts(name, TEXT("a")) || text_to_int(number, &index) < 0 || index < 0 ||
        index >= FIELD_ITEM_MAX)
        return false;
    bool found = add_ref(TEXT("argv"), out);

    out->refs[0].item = (unsigned)index + 1;
    return found;
}

static bool find_mapping(struct text name, struct sigma_field *out)
{
    for (size_t i = 0; i < MAPPINGS; i++) {
        if (!text_is(name, mappings[i].name))
            continue;
        add_ref(text_from(mappings[i].field), out);
        for (size_t j = 0; j < SIGMA_TRUTHS_MAX - 1 && mappings[i].others[j]; j++)
            add_ref(text_from(mappings[i].others[j]), out);
        return true;
    }
    return false;
}

bool sigma_field_find(enum sigma_source source, struct text name, struct sigma_field *out)
{
    bool of_audit = source == SIGMA_AUDITD;

    *out = (struct sigma_field){0};
    return (of_audit && find_constant(name, out)) || (of_audit && find_argument(name, out)) ||
           find_mapping(name, out) || add_ref(name, out);
}

const char *sigma_field_suggest(struct text name)
{
    const char *names[MAPPINGS];

    for (size_t i = 0; i < MAPPINGS; i++)
        names[i] = mappings[i].name;
    return text_nearest(name, names, MAPPINGS);
}

bool sigma_field_of_keywords(size_t index, struct sigma_field *out)
{
    static const char *const names[] = {"Image",        "CommandLine", "CurrentDirectory",
                                        "User",         "ParentImage", "ParentCommandLine",
                                        "ParentUser",   "comm",        "euser",
                                        "loginuser",    "script",      "tty",
                                        "container.id", "parent.comm"};

    return index < sizeof names / sizeof *names &&
           sigma_field_find(SIGMA_PROCESS, text_from(names[index]), out);
}
