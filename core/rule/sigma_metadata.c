#include "rule/sigma_metadata.h"

static struct yaml_node *new_node(struct compiler *compiler, const struct yaml_node *like)
{
    struct yaml_node *node = arena_alloc(&compiler->arena, sizeof *node);

    if (node)
        *node = *like;
    else
        compiler->failed = true;
    return node;
}

/* Of one text where a list belongs. */
static const struct yaml_node *as_list(struct compiler *compiler, struct yaml_node *text)
{
    struct yaml_node *list = new_node(compiler, text);
    struct yaml_node **items = arena_array(&compiler->arena, 1, sizeof(struct yaml_node *));

    if (!list || !items) {
        compiler->failed = true;
        return text;
    }
    items[0] = text;
    list->kind = YAML_LIST;
    list->items = items;
    list->count = 1;
    return list;
}

/* What native rules have too, mostly under the same names. All else is for people. */
static void read_keys(struct draft *draft, const struct yaml_node *root)
{
    static const struct {
        const char *sigma, *native;
        bool list;
    } keys[] = {
        {"title", "title", false},
        {"description", "description", false},
        {"author", "author", false},
        {"level", "severity", false},
        {"tags", "tags", true},
        {"references", "references", true},
        {"falsepositives", "false_positives", true},
    };

    for (size_t i = 0; i < root->count; i++) {
        struct yaml_node *value = root->items[i];

        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++) {
            bool scalar = value->kind == YAML_SCALAR;

            if (!text_is(root->keys[i]->text, keys[j].sigma) || (scalar && !yaml_is_text(value)))
                continue;

            draft_read_key(draft, keys[j].native, root->keys[i],
                           keys[j].list && scalar ? as_list(draft->compiler, value) : value);
        }
    }
}

static bool is_of_id(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "Crontab Enumeration (1)" is called crontab-enumeration-1. */
static const struct yaml_node *make_id(struct compiler *compiler, const struct yaml_node *title)
{
    CLEANUP(buffer_deinit) struct buffer id = {0};
    struct yaml_node *node = new_node(compiler, title);

    for (size_t i = 0; i < title->text.len; i++) {
        char c = title->text.ptr[i];

        c = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        if (is_of_id(c))
            buffer_put_char(&id, c);
        else if (id.len && id.data[id.len - 1] != '-')
            buffer_put_char(&id, '-');
    }
    if (id.len && id.data[id.len - 1] == '-')
        id.len--;
    if (id.len == 0)
        buffer_put_string(&id, "sigma");
    if (!node)
        return NULL;
    node->text = arena_text(&compiler->arena, buffer_text(&id));
    compiler->failed |= buffer_failed(&id) || !node->text.ptr;
    return node;
}

/* Ids are optional in Sigma, titles are not. */
static void read_id(struct draft *draft, const struct yaml_node *root)
{
    const struct yaml_node *id = yaml_get(root, "id");
    const struct yaml_node *title = yaml_get(root, "title");

    if (!title)
        diag_error(draft->compiler->diags, root->mark, "missing-key", "%s has no 'title'",
                   draft->scope);
    if (id && !yaml_is_null(id))
        draft_read_key(draft, "id", id, id);
    else if (title && title->kind == YAML_SCALAR)
        draft->id = make_id(draft->compiler, title);
}

static void read_name(struct draft *draft, const struct yaml_node *root)
{
    const struct yaml_node *name = yaml_get(root, "name");

    if (yaml_is_text(name))
        draft_set_name(draft, name);
}

void sigma_metadata_read(struct draft *draft, const struct yaml_node *root)
{
    read_id(draft, root);
    read_name(draft, root);
    read_keys(draft, root);
    draft->rule.mark =
        compiler_keep_mark(draft->compiler, draft->id ? draft->id->mark : root->mark);
}
