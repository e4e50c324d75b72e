/* What a plugin says of itself: a copy of its descriptor that outlives its host, as the engine gets
 * it over the protocol. */
#ifndef PICKET_PLUGIN_PLUGIN_INFO_H
#define PICKET_PLUGIN_PLUGIN_INFO_H

#include "base/arena.h"
#include "base/buffer.h"
#include "picket/plugin.h"

#define PLUGIN_OPTIONS_MAX 64

struct plugin_option {
    struct text name, help;
    struct text value;   /* the default; ptr NULL: none */
    struct text choices; /* "a|b|c" */
    int64_t min, max;
    uint32_t type;  /* enum picket_option_type */
    uint32_t flags; /* enum picket_option_flag, or'ed */
};

struct plugin_info {
    struct text name, version, help;
    uint32_t needs; /* enum picket_need, or'ed */
    uint32_t batch_max;
    struct plugin_option *options;
    size_t option_count;
};

/* "string", "int", ... as messages and help call it; NULL for a type that is none. */
const char *plugin_option_type_name(uint32_t type);

/* "100ms to 1h": what a number may be, of an option that says so. */
void plugin_option_put_range(struct buffer *out, const struct plugin_option *option);

/* NULL when names, types and texts are as the ABI wants them, else what is wrong. Static. */
const char *plugin_info_check(const struct plugin_info *info);

/* INFO as the payload of a hello, and back. Reading trusts nothing and checks: -EPROTO for what no
 * host of ours would send. The result lives in ARENA. */
void plugin_info_put(const struct plugin_info *info, struct buffer *out);
int plugin_info_read(struct text payload, struct arena *arena, struct plugin_info *out);

#endif
