/* What plugins there are and what they take, as `picket plugin list` prints it. */
#ifndef PICKET_CLI_PLUGIN_LISTING_H
#define PICKET_CLI_PLUGIN_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct plugin_listing {
    const char *const
        *plugins; /* names or paths; none: all that there are, and the common options */
    size_t count;
    bool markdown; /* headings and tables of options, as docs/outputs/ has them */
};

/* On standard output. The exit status, after saying which of them do not load. */
int plugin_listing_print(const struct plugin_listing *listing);

#endif
