#include "broker/system_calls.h"

#include <errno.h>

#include "base/text.h"

#define NAME_MAX_LEN 32

static int allow_call(scmp_filter_ctx filter, struct text name, const struct scmp_arg_cmp *compares)
{
    char terminated[NAME_MAX_LEN + 1] = "";
    unsigned count = 0;

    if (name.len > NAME_MAX_LEN)
        return -EINVAL;
    memcpy(terminated, name.ptr, name.len);
    while (count < 2 && compares[count].op)
        count++;
    int number = seccomp_syscall_resolve_name(terminated);
    int r = number == __NR_SCMP_ERROR
                ? -EDOM
                : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, compares);

    return r == -EDOM ? 0 : r; /* a call of other machines */
}

static int allow_calls(scmp_filter_ctx filter, const struct call_rule *rule)
{
    struct text rest = text_from(rule->names);
    int r = 0;

    while (r == 0 && rest.ptr)
        r = allow_call(filter, text_split(&rest, ' '), rule->compares);
    return r;
}

int system_calls_allow(const struct call_rule *rules, size_t count)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int r = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = allow_calls(filter, &rules[i]);
    if (r == 0)
        r = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return r;
}
