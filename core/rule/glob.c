#include "rule/glob.h"

static unsigned char fold(char c, bool nocase)
{
    return (unsigned char)(nocase && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* How long the character of SUBJECT at AT is. */
static size_t character(struct text subject, size_t at)
{
    uint32_t code;
    size_t len = 1;

    if ((unsigned char)subject.ptr[at] >= 0x80)
        len = text_utf8((struct text){subject.ptr + at, subject.len - at}, &code);
    return len ? len : 1;
}

/* Where one is in the glob and in the subject. */
struct place {
    size_t glob, subject;
};

/* Goes over what stands in both; false when that is not the same. */
static bool step(struct text glob, struct text subject, struct place *at, bool nocase)
{
    if (at->glob >= glob.len)
        return false;
    if (glob.ptr[at->glob] == '?') {
        at->glob++;
        at->subject += character(subject, at->subject);
        return true;
    }
    size_t escape = glob.ptr[at->glob] == '\\' && at->glob + 1 < glob.len ? 1 : 0;

    if (fold(glob.ptr[at->glob + escape], nocase) != fold(subject.ptr[at->subject], nocase))
        return false;
    at->glob += escape + 1;
    at->subject++;
    return true;
}

bool glob_match(struct text glob, struct text subject, bool nocase)
{
    struct place at = {0};
    struct place star = {SIZE_MAX, 0}; /* the last `*`, and what it has not swallowed yet */

    while (at.subject < subject.len) {
        if (at.glob < glob.len && glob.ptr[at.glob] == '*') {
            star = at;
            at.glob++;
        } else if (!step(glob, subject, &at, nocase)) {
            if (star.glob == SIZE_MAX)
                return false;
            star.subject += character(subject, star.subject);
            at = (struct place){star.glob + 1, star.subject};
        }
    }
    while (at.glob < glob.len && glob.ptr[at.glob] == '*')
        at.glob++;
    return at.glob == glob.len;
}
