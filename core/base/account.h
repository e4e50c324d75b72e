/* Who a user is, by /etc/passwd alone and never the name services: those may ask the network and
 * load modules, into a process that is root here. Users of LDAP and the like are known by their
 * numbers only. */
#ifndef PICKET_BASE_ACCOUNT_H
#define PICKET_BASE_ACCOUNT_H

#include <sys/types.h>

struct account {
    uid_t uid;
    gid_t gid;
};

/* WHO is a name or, when nobody is called so, a number; one that is not in the file is taken as it
 * is, for the group as well. 0 or -ENOENT. At start only: one thread. */
int account_find(const char *who, struct account *out);

#endif
