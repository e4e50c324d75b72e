/* The value of one option: what a user wrote, or the default, read as the option's type says. */
#ifndef PICKET_PLUGIN_OPTION_VALUE_H
#define PICKET_PLUGIN_OPTION_VALUE_H

#include "plugin/output_config.h"
#include "plugin/plugin_info.h"

struct option_value {
    bool set;          /* by the user or by default */
    int64_t number;    /* of all types but the following */
    struct text text;  /* of strings; of files, folders and sockets the path */
    struct text *list; /* of lists */
    size_t list_count;
    struct mark mark; /* where it was set, or the output */
};

struct option_reader {
    const struct output_config *config;
    struct arena *arena; /* secrets and lists come to live there */
    struct diag_list *diags;
};

/* Diagnoses what is wrong; never shows a secret. 0 even then, -ENOMEM. */
int option_value_read(const struct option_reader *reader, const struct plugin_option *option,
                      struct option_value *out);

#endif
