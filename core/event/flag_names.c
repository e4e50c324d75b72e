#include "event/flag_names.h"

#include <errno.h>
#include <stdio.h>

#define BITS_MAX  64
#define NAME_SIZE 64

/* From 5.9 on (cap_checkpoint_restore) every kernel has exactly the first 41. */
#define CAPABILITIES_ALL ((UINT64_C(1) << 41) - 1)

static const char *const capability_names[BITS_MAX] = {
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
    "cap_41",
    "cap_42",
    "cap_43",
    "cap_44",
    "cap_45",
    "cap_46",
    "cap_47",
    "cap_48",
    "cap_49",
    "cap_50",
    "cap_51",
    "cap_52",
    "cap_53",
    "cap_54",
    "cap_55",
    "cap_56",
    "cap_57",
    "cap_58",
    "cap_59",
    "cap_60",
    "cap_61",
    "cap_62",
    "cap_63",
};

static const char *const securebit_names[] = {
    "noroot",
    "noroot_locked",
    "no_setuid_fixup",
    "no_setuid_fixup_locked",
    "keep_caps",
    "keep_caps_locked",
    "no_cap_ambient_raise",
    "no_cap_ambient_raise_locked",
    "exec_restrict_file",
    "exec_restrict_file_locked",
    "exec_deny_interactive",
    "exec_deny_interactive_locked",
    "securebit_12",
    "securebit_13",
    "securebit_14",
    "securebit_15",
    "securebit_16",
    "securebit_17",
    "securebit_18",
    "securebit_19",
    "securebit_20",
    "securebit_21",
    "securebit_22",
    "securebit_23",
    "securebit_24",
    "securebit_25",
    "securebit_26",
    "securebit_27",
    "securebit_28",
    "securebit_29",
    "securebit_30",
    "securebit_31",
};

static const struct flag_names capabilities = {capability_names, BITS_MAX, CAPABILITIES_ALL};
static const struct flag_names securebits = {securebit_names,
                                             sizeof securebit_names / sizeof *securebit_names, 0};

const struct flag_names *flag_names_of(enum field_id id)
{
    if (field_catalogue[id].type != TYPE_FLAGS)
        return NULL;
    return id == FIELD_SECUREBITS ? &securebits : &capabilities;
}

bool flag_names_next(const struct flag_names *names, uint64_t *left, struct text *name)
{
    if (*left == 0)
        return false;
    unsigned bit = (unsigned)__builtin_ctzll(*left);

    if (bit >= names->count)
        return false;
    *name = text_from(names->names[bit]);
    *left &= *left - 1;
    return true;
}

static void write_missing(const struct flag_names *names, uint64_t missing,
                          void (*put)(void *context, struct text name), void *context)
{
    char with_sign[NAME_SIZE];
    struct text name;

    while (flag_names_next(names, &missing, &name)) {
        int len = snprintf(with_sign, sizeof with_sign, "-%.*s", TEXT_ARG(name));

        put(context, (struct text){with_sign, (size_t)len});
    }
}

void flag_names_write(const struct flag_names *names, uint64_t set,
                      void (*put)(void *context, struct text name), void *context)
{
    uint64_t there = set & names->all, left = set;
    struct text name;

    if (2 * __builtin_popcountll(there) > __builtin_popcountll(names->all)) {
        put(context, TEXT("all"));
        write_missing(names, names->all & ~set, put, context);
        left = set & ~names->all;
    }
    while (flag_names_next(names, &left, &name))
        put(context, name);
}

static uint64_t bits_of(const struct flag_names *names, struct text name)
{
    if (text_is(name, "all"))
        return names->all;
    for (unsigned bit = 0; bit < names->count; bit++)
        if (text_is(name, names->names[bit]))
            return UINT64_C(1) << bit;
    return 0;
}

int flag_names_read(const struct flag_names *names, struct text name, int64_t *set)
{
    bool missing = text_starts(name, TEXT("-"));
    uint64_t bits = bits_of(names, (struct text){name.ptr + missing, name.len - missing});

    if (bits == 0 || (missing && (!names->all || bits == names->all)))
        return -EINVAL;
    *set = (int64_t)(missing ? (uint64_t)*set & ~bits : (uint64_t)*set | bits);
    return 0;
}

const char *flag_names_suggest(const struct flag_names *names, struct text name)
{
    return text_nearest(name, names->names, names->count);
}
