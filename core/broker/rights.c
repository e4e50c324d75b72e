#include "broker/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sets of a process, as capget(2) has them: the lower and the upper 32 bits. */
struct sets {
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static int get_held(uint64_t *out)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct sets sets;

    if (syscall(SYS_capget, &header, &sets) < 0)
        return -errno;
    *out = (uint64_t)sets.words[1].permitted << 32 | sets.words[0].permitted;
    return 0;
}

static int hold(uint64_t held, uint64_t inheritable)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct sets sets;

    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t word = (uint32_t)(held >> 32 * i);

        sets.words[i] = (struct __user_cap_data_struct){
            .effective = word, .permitted = word, .inheritable = (uint32_t)(inheritable >> 32 * i)};
    }
    return syscall(SYS_capset, &header, &sets) < 0 ? -errno : 0;
}

static int empty_bounding_set(void)
{
    for (int cap = 0;; cap++) {
        int bound = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

        if (bound < 0) /* the kernel has no more */
            return 0;
        if (bound && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return -errno;
    }
}

/* CAP_SETPCAP is still needed afterwards. */
static int become(const struct rights *rights, uint64_t held)
{
    uid_t uid = rights->uid;
    gid_t gid = rights->gid;

    if ((rights->kept | RIGHT(CAP_SETPCAP)) & held && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return 0;
}

static int set_ambient(uint64_t passed_on)
{
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -errno;
    for (int cap = 0; passed_on >> cap; cap++)
        if (passed_on >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return -errno;
    return 0;
}

/* The user id 0 means nothing any more, and none of this can be undone. */
static int lock_securebits(void)
{
    const unsigned bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                          SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                          SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    int now = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

    if (now < 0)
        return -errno;
    unsigned all = ((unsigned)now & ~SECBIT_KEEP_CAPS) | bits;

    return prctl(PR_SET_SECUREBITS, (unsigned long)all, 0, 0, 0) < 0 ? -errno : 0;
}

static int reduce_capabilities(const struct rights *rights, uint64_t held)
{
    uint64_t passed_on = rights->passed_on & held;
    uint64_t setpcap = RIGHT(CAP_SETPCAP) & held;
    int r = hold((rights->kept & held) | setpcap, passed_on);

    if (r == 0)
        r = set_ambient(passed_on);
    /* The bounding set after what is passed on, which could not be raised beyond it. */
    if (r == 0 && setpcap)
        r = empty_bounding_set();
    if (r == 0 && setpcap)
        r = lock_securebits();
    return r < 0 ? r : hold(rights->kept & held, passed_on);
}

static int seal(const struct rights *rights, bool changed)
{
    const struct rlimit none = {0, 0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        setrlimit(RLIMIT_CORE, &none) < 0)
        return -errno;
    /* A kernel that lets us return has not done what it said. */
    if (changed && !(rights->kept & RIGHT(CAP_SETUID)) && setresuid(0, 0, 0) == 0)
        return -EPERM;
    return 0;
}

static bool includes_choice(uint64_t held)
{
    return held & RIGHT(CAP_SETUID) && held & RIGHT(CAP_SETGID);
}

bool rights_include_choice(void)
{
    uint64_t held = 0;

    return get_held(&held) == 0 && includes_choice(held);
}

int rights_reduce(const struct rights *rights)
{
    uint64_t held = 0;
    int r = get_held(&held);
    bool changes = includes_choice(held);

    if (r < 0)
        return r;
    /* Before anything is given up: others of the same user must not look in. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    /* A kernel without keys, or a filter that forbids them, has none to give up. */
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    if (changes)
        r = become(rights, held);
    if (r == 0)
        r = reduce_capabilities(rights, held);
    return r < 0 ? r : seal(rights, changes && rights->uid != 0);
}
