#include "cli/json_layout.h"

#define INDENT 2

struct layout {
    struct buffer *out;
    size_t depth;
    bool in_string, escaped;
    bool opened; /* by the character before: it stays on the line when it closes at once */
};

static void begin_line(const struct layout *layout)
{
    buffer_put_char(layout->out, '\n');
    for (size_t i = 0; i < INDENT * layout->depth; i++)
        buffer_put_char(layout->out, ' ');
}

static void put_in_string(struct layout *layout, char c)
{
    buffer_put_char(layout->out, c);
    if (!layout->escaped && c == '"')
        layout->in_string = false;
    layout->escaped = !layout->escaped && c == '\\';
}

static void put_outside(struct layout *layout, char c)
{
    bool closes = c == '}' || c == ']';

    if (closes && layout->depth)
        layout->depth--;
    if (closes != layout->opened)
        begin_line(layout);
    layout->opened = c == '{' || c == '[';
    layout->depth += layout->opened;
    layout->in_string = c == '"';
    buffer_put_char(layout->out, c);
    if (c == ',')
        begin_line(layout);
    if (c == ':')
        buffer_put_char(layout->out, ' ');
}

void json_layout_put(struct buffer *out, struct text json)
{
    struct layout layout = {.out = out};

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];

        if (layout.in_string)
            put_in_string(&layout, c);
        else if (!strchr(" \t\r\n", c) || c == '\0')
            put_outside(&layout, c);
    }
}
