#include "presentation/alert_tree.h"

static const json_t *item(const json_t *list, struct text number)
{
    int64_t index;

    return text_to_int(number, &index) == 0 && index >= 0 ? json_array_get(list, (size_t)index)
                                                          : NULL;
}

const json_t *alert_tree_find(const json_t *tree, struct text path)
{
    while (tree && path.ptr) {
        const json_t *whole = json_object_getn(tree, path.ptr, path.len);

        if (whole)
            return whole;
        struct text name = text_split(&path, '.');

        tree = json_is_array(tree) ? item(tree, name) : json_object_getn(tree, name.ptr, name.len);
    }
    return tree;
}

const json_t *alert_tree_of(const struct picket_alert *alert, const json_t *tree, struct text path)
{
    struct text rest = path;

    if (alert->kind != PICKET_KIND_EVENT || !text_is(text_split(&rest, '.'), "event"))
        return alert_tree_find(tree, path);
    return rest.ptr ? alert_tree_find(tree, rest) : tree;
}

struct text alert_tree_text(const json_t *tree, struct text path)
{
    const json_t *value = alert_tree_find(tree, path);

    return json_is_string(value) ? json_as_text(value) : (struct text){NULL, 0};
}
