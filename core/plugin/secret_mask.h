/* The secrets of an output, to be masked in what its plugin says: a library's message may well hold
 * the password that it was given. */
#ifndef PICKET_PLUGIN_SECRET_MASK_H
#define PICKET_PLUGIN_SECRET_MASK_H

#include "plugin/plugin_info.h"
#include "plugin/settings.h"

struct secret_mask {
    struct text *secrets; /* in an arena; each line of one is one */
    size_t count;
};

/* Those of SETTINGS, whose values are as INFO wants them, which live as long. -ENOMEM. */
int secret_mask_init(struct secret_mask *mask, const struct plugin_info *info,
                     const struct settings *settings, struct arena *arena);

/* Appends TEXT, each secret in it as "*****". What is shorter than four bytes is too common. */
void secret_mask_put(const struct secret_mask *mask, struct text text, struct buffer *out);

#endif
