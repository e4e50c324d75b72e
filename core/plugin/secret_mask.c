#include "plugin/secret_mask.h"

#include <errno.h>

#define SECRET_LEAST 4

/* Calls TAKE for each line of each secret. */
static void each_secret(const struct plugin_info *info, const struct settings *settings,
                        void (*take)(struct secret_mask *mask, struct text line),
                        struct secret_mask *mask)
{
    for (size_t i = 0; i < info->option_count; i++) {
        const struct option_value *value = &settings->values[i];
        const struct text *texts = value->list ? value->list : &value->text;
        size_t count = value->list ? value->list_count : value->set;

        if (!(info->options[i].flags & PICKET_SECRET))
            continue;
        for (size_t k = 0; k < count; k++)
            for (struct text rest = texts[k]; rest.ptr;) {
                struct text line = text_split(&rest, '\n');

                if (line.len >= SECRET_LEAST)
                    take(mask, line);
            }
    }
}

static void count(struct secret_mask *mask, struct text line)
{
    mask->count++;
}

static void add(struct secret_mask *mask, struct text line)
{
    mask->secrets[mask->count++] = line;
}

int secret_mask_init(struct secret_mask *mask, const struct plugin_info *info,
                     const struct settings *settings, struct arena *arena)
{
    *mask = (struct secret_mask){0};
    each_secret(info, settings, count, mask);
    mask->secrets = arena_array(arena, mask->count + 1, sizeof *mask->secrets);
    mask->count = 0;
    if (!mask->secrets)
        return -ENOMEM;
    each_secret(info, settings, add, mask);
    return 0;
}

/* How long the longest of them is that TEXT begins with. */
static size_t secret_at(const struct secret_mask *mask, struct text text)
{
    size_t longest = 0;

    for (size_t i = 0; i < mask->count; i++)
        if (mask->secrets[i].len > longest && text_starts(text, mask->secrets[i]))
            longest = mask->secrets[i].len;
    return longest;
}

void secret_mask_put(const struct secret_mask *mask, struct text text, struct buffer *out)
{
    while (text.len) {
        size_t len = secret_at(mask, text);

        if (len)
            buffer_put_string(out, "*****");
        else
            buffer_put_char(out, *text.ptr);
        len = len ? len : 1;
        text.ptr += len;
        text.len -= len;
    }
}
