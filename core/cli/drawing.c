#include "cli/drawing.h"

#include "base/clock.h"
#include "cli/moment.h"
#include "presentation/alert_tree.h"

#define INDENT      2
#define LABEL_WIDTH 13
#define DEEPEST     24 /* levels that are drawn as deep as they are */

void drawing_look(const struct drawing *drawing, const char *look)
{
    if (drawing->colour)
        buffer_put_string(drawing->out, look);
}

void drawing_indent(const struct drawing *drawing, size_t depth)
{
    for (size_t i = 0; i < INDENT * (depth < DEEPEST ? depth : DEEPEST); i++)
        buffer_put_char(drawing->out, ' ');
}

void drawing_front(const struct drawing *drawing, struct text t, size_t most)
{
    struct text front = text_clip(t, most);

    buffer_put_printable(drawing->out, front);
    if (front.len < t.len)
        buffer_printf(drawing->out, "… and %zu bytes more", t.len - front.len);
}

void drawing_text(const struct drawing *drawing, struct text t)
{
    drawing_front(drawing, t, DRAWING_TEXT_MAX);
}

void drawing_end_line(const struct drawing *drawing)
{
    buffer_put_char(drawing->out, '\n');
}

void drawing_label(const struct drawing *drawing, size_t depth, struct text label)
{
    drawing_indent(drawing, depth);
    drawing_look(drawing, DRAWING_DIM);
    drawing_text(drawing, label);
    drawing_look(drawing, DRAWING_END);
    for (size_t used = label.len; used < LABEL_WIDTH; used++)
        buffer_put_char(drawing->out, ' ');
    buffer_put_string(drawing->out, "  ");
}

void drawing_heading(const struct drawing *drawing, const char *heading)
{
    drawing_end_line(drawing);
    drawing_look(drawing, DRAWING_BOLD);
    buffer_put_string(drawing->out, heading);
    drawing_look(drawing, DRAWING_END);
    drawing_end_line(drawing);
}

void drawing_member(const struct drawing *drawing, size_t depth, const char *label,
                    struct text value)
{
    if (!value.ptr)
        return;
    drawing_label(drawing, depth, text_from(label));
    drawing_text(drawing, value);
    drawing_end_line(drawing);
}

void drawing_row(const struct drawing *drawing, struct text label, struct text value)
{
    drawing_label(drawing, 1, label);
    drawing_text(drawing, value);
    drawing_end_line(drawing);
}

static bool is_scalar(const json_t *value)
{
    return value && !json_is_object(value) && !json_is_array(value);
}

static void put_scalar(const struct drawing *drawing, const json_t *value)
{
    if (json_is_string(value))
        drawing_text(drawing, json_as_text(value));
    else if (json_is_integer(value))
        buffer_put_int(drawing->out, json_integer_value(value));
    else if (json_is_real(value))
        buffer_printf(drawing->out, "%g", json_real_value(value));
    else
        buffer_put_string(drawing->out, json_is_true(value)    ? "true"
                                        : json_is_false(value) ? "false"
                                                               : "none");
}

static bool is_plain_list(const json_t *value)
{
    const json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
    {
        if (!is_scalar(item))
            return false;
    }
    return json_array_size(value) > 0;
}

bool drawing_is_plain(const json_t *value)
{
    return is_scalar(value) || is_plain_list(value);
}

void drawing_plain(const struct drawing *drawing, const json_t *value)
{
    const json_t *item;
    size_t i;

    if (is_scalar(value)) {
        put_scalar(drawing, value);
        return;
    }
    json_array_foreach(value, i, item)
    {
        if (i > 0)
            buffer_put_string(drawing->out, ", ");
        put_scalar(drawing, item);
    }
}

void drawing_tree(const struct drawing *drawing, size_t depth, const json_t *tree)
{
    const char *key;
    json_t *item;
    size_t i;

    json_object_foreach((json_t *)tree, key, item)
    {
        if (drawing_is_plain(item)) {
            drawing_label(drawing, depth, text_from(key));
            drawing_plain(drawing, item);
            drawing_end_line(drawing);
            continue;
        }
        drawing_indent(drawing, depth);
        drawing_look(drawing, DRAWING_DIM);
        drawing_text(drawing, text_from(key));
        drawing_look(drawing, DRAWING_END);
        drawing_end_line(drawing);
        drawing_tree(drawing, depth + 1, item);
    }
    json_array_foreach(tree, i, item)
    {
        if (i > 0)
            drawing_end_line(drawing);
        drawing_tree(drawing, depth, item);
    }
}

struct text drawing_text_at(const json_t *tree, const char *path)
{
    return alert_tree_text(tree, text_from(path));
}

void drawing_path(const struct drawing *drawing, size_t depth, const json_t *tree, const char *path,
                  const char *label)
{
    const json_t *value = alert_tree_find(tree, text_from(path));

    if (!drawing_is_plain(value))
        return;
    drawing_label(drawing, depth, text_from(label));
    drawing_plain(drawing, value);
    drawing_end_line(drawing);
}

void drawing_time(const struct drawing *drawing, struct text time)
{
    int64_t ns;

    if (time_parse(time, &ns) < 0)
        drawing_text(drawing, time);
    else
        moment_put_exact(drawing->out, ns);
}
