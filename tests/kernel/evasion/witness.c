/* What the tricks execute: tells its truth, and with which filename, arguments and environment it
 * was started, from its own memory. Static, so that it runs from anywhere. */
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "testimony.h"
#include "truth.h"

static uint64_t lengths_of(char *const *list)
{
    uint64_t length = 0;

    for (; *list; list++)
        length += strlen(*list) + 1;
    return length;
}

static int tell(const void *bytes, size_t len)
{
    while (len > 0) {
        ssize_t taken = write(TRUTH_FD, bytes, len);

        if (taken < 0)
            return -1;
        bytes = (const char *)bytes + taken;
        len -= (size_t)taken;
    }
    return 0;
}

static int tell_list(char *const *list)
{
    int r = 0;

    for (; *list && r == 0; list++)
        r = tell(*list, strlen(*list) + 1);
    return r;
}

int main(int argc, char **argv)
{
    const char *filename = (const char *)getauxval(AT_EXECFN); /* NOLINT: an address */
    struct testimony_lengths lengths = {(uint64_t)argc, strlen(filename) + 1, lengths_of(argv),
                                        lengths_of(environ)};

    if (truth_tell() < 0 || tell(&lengths, sizeof lengths) < 0 ||
        tell(filename, lengths.filename) < 0)
        return 1;
    return tell_list(argv) < 0 || tell_list(environ) < 0;
}
