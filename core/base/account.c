#include "base/account.h"

#include <errno.h>
#include <pwd.h>

#include "base/cleanup.h"
#include "base/text.h"

int account_find(const char *who, struct account *out)
{
    CLEANUP(fclosep) FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *entry;
    struct account numbered = {0};
    bool is_known = false;
    int64_t number;
    bool is_number = text_to_int(text_from(who), &number) == 0 && number >= 0 &&
                     number < UINT32_MAX; /* which stands for nobody: chown(2) */

    while (file && (entry = fgetpwent(file))) {
        if (strcmp(entry->pw_name, who) == 0) {
            *out = (struct account){entry->pw_uid, entry->pw_gid};
            return 0;
        }
        if (is_number && !is_known && entry->pw_uid == (uid_t)number) {
            numbered = (struct account){entry->pw_uid, entry->pw_gid};
            is_known = true;
        }
    }
    if (!is_number)
        return -ENOENT;
    *out = is_known ? numbered : (struct account){(uid_t)number, (gid_t)number};
    return 0;
}
