/* Names by number, from one file in the form of passwd(5) or group(5).
 *
 * /etc/passwd and /etc/group alone and never NSS: a name service may ask the network, and detection
 * waits for nothing but the kernel. So users of LDAP and the like have no name here. One thread at
 * a time. */
#ifndef PICKET_PROCESS_ID_NAMES_H
#define PICKET_PROCESS_ID_NAMES_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* How often, at most, the file is looked at for a change; and the most of it that is read. */
#define ID_NAMES_CHECK_NS  NS_PER_S
#define ID_NAMES_BYTES_MAX (64UL * 1024 * 1024)

struct id_names;

/* PATH is copied. A file that is missing or unreadable means no names until it is there.
 * 0 or -ENOMEM. */
int id_names_new(const char *path, struct id_names **out);
void id_names_free(struct id_names *names);
DEFINE_FREEP(struct id_names, id_names)

/* The name of ID, the file's first one as getpwuid(3) and getgrgid(3) have it; ptr NULL: none.
 * Borrowed until the next call. NOW is any clock's nanoseconds, always the same clock's: the file
 * is looked at anew once ID_NAMES_CHECK_NS have gone by (or the clock went backwards), and read
 * anew when its device, inode, size or times changed. */
struct text id_names_get(struct id_names *names, int64_t id, int64_t now);

#endif
