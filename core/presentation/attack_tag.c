#include "presentation/attack_tag.h"

#include <stdio.h>

/* https://attack.mitre.org/tactics/enterprise/ */
static const struct {
    const char *tag, *id, *name;
} tactics[] = {
    {"reconnaissance", "TA0043", "Reconnaissance"},
    {"resource_development", "TA0042", "Resource Development"},
    {"initial_access", "TA0001", "Initial Access"},
    {"execution", "TA0002", "Execution"},
    {"persistence", "TA0003", "Persistence"},
    {"privilege_escalation", "TA0004", "Privilege Escalation"},
    {"defense_evasion", "TA0005", "Defense Evasion"},
    {"credential_access", "TA0006", "Credential Access"},
    {"discovery", "TA0007", "Discovery"},
    {"lateral_movement", "TA0008", "Lateral Movement"},
    {"collection", "TA0009", "Collection"},
    {"command_and_control", "TA0011", "Command and Control"},
    {"exfiltration", "TA0010", "Exfiltration"},
    {"impact", "TA0040", "Impact"},
};

static bool is_tactic(struct text name, const char *tag)
{
    size_t i = 0;

    for (; i < name.len && tag[i]; i++)
        if (name.ptr[i] != tag[i] && !(tag[i] == '_' && name.ptr[i] == '-'))
            return false;
    return i == name.len && !tag[i];
}

/* COUNT digits at the front of *T, which is moved behind them. */
static bool take_digits(struct text *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (i == t->len || t->ptr[i] < '0' || t->ptr[i] > '9')
            return false;
    t->ptr += count;
    t->len -= count;
    return true;
}

static bool read_technique(struct text name, struct attack_tag *out)
{
    struct text rest = {name.ptr + 1, name.len - 1};

    if ((name.ptr[0] != 't' && name.ptr[0] != 'T') || !take_digits(&rest, 4))
        return false;
    snprintf(out->technique, sizeof out->technique, "T%.4s", name.ptr + 1);
    if (rest.len == 0)
        return true;
    rest = (struct text){rest.ptr + 1, rest.len - 1};
    if (name.ptr[5] != '.' || !take_digits(&rest, 3) || rest.len)
        return false;
    snprintf(out->sub_technique, sizeof out->sub_technique, "T%.8s", name.ptr + 1);
    return true;
}

bool attack_tag_read(struct text tag, struct attack_tag *out)
{
    struct text name = tag;

    *out = (struct attack_tag){.tactic = NULL};
    if (!text_equal_nocase(text_split(&name, '.'), TEXT("attack")) || !name.ptr || name.len < 2)
        return false;
    for (size_t i = 0; i < sizeof tactics / sizeof *tactics; i++)
        if (is_tactic(name, tactics[i].tag)) {
            out->tactic = tactics[i].id;
            out->tactic_name = tactics[i].name;
            return true;
        }
    return read_technique(name, out);
}
