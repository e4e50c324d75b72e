#include "rule/glob.h"

static unsigned char fold(char c, bool nocase)
{
    return (unsigned char)(nocase && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* How much of GLOB at AT one byte C uses up; 0 when it does not match. */
static size_t step(struct text glob, size_t at, char c, bool nocase)
{
    if (at >= glob.len)
        return 0;
    if (glob.ptr[at] == '?')
        return 1;
    size_t escape = glob.ptr[at] == '\\' && at + 1 < glob.len ? 1 : 0;

    return fold(glob.ptr[at + escape], nocase) == fold(c, nocase) ? escape + 1 : 0;
}

bool glob_match(struct text glob, struct text subject, bool nocase)
{
    size_t at = 0, i = 0;
    size_t star = SIZE_MAX, resume = 0; /* the last `*`, and what it has not swallowed yet */

    while (i < subject.len) {
        size_t used = 0;

        if (at < glob.len && glob.ptr[at] == '*') {
            star = at++;
            resume = i;
            continue;
        }
        used = step(glob, at, subject.ptr[i], nocase);
        if (used) {
            at += used;
            i++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < glob.len && glob.ptr[at] == '*')
        at++;
    return at == glob.len;
}
