#include "alert/correlation_value.h"

static struct text cut(const struct correlation_value *value)
{
    return text_clip(value->text, CORRELATION_VALUE_MAX);
}

size_t correlation_value_room(const struct correlation_value *values, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += cut(&values[i]).len;
    return size;
}

void correlation_value_copy(const struct correlation_value *values, size_t count,
                            struct correlation_value *out, char *room)
{
    for (size_t i = 0; i < count; i++) {
        struct text text = cut(&values[i]);

        out[i] = values[i];
        out[i].text = (struct text){values[i].text.ptr ? room : NULL, text.len};
        if (text.len)
            memcpy(room, text.ptr, text.len);
        room += text.len;
    }
}
