#include "rule/message.h"

#include <errno.h>

#include "base/digest.h"

struct message_part {
    struct text literal; /* put first; may be empty */
    bool has_field;
    struct field_ref ref;
};

struct message {
    const struct message_part *parts;
    size_t count;
};

struct template
{
    const struct yaml_node *node;
    struct diag_list *diags;
    struct message_part *parts;
    size_t count;
    bool mistaken;
};

static struct mark mark_of(const struct template *template, struct text part)
{
    const struct yaml_node *node = template->node;

    return yaml_mark_inside(node, (size_t)(part.ptr - node->text.ptr), part.len);
}

static void diagnose_field(struct template *template, struct text name)
{
    char workspace[64];
    const char *nearest = field_suggest(name, workspace);

    diag_error(template->diags, mark_of(template, name), "unknown-field",
               "unknown field '%.*s' in a message%s", TEXT_ARG(name),
               diag_hint(template->diags, nearest));
    template->mistaken = true;
}

static void read_field(struct template *template, struct text name, struct field_ref *out)
{
    if (field_ref_parse(name, out) < 0) {
        diagnose_field(template, name);
    } else if (out->owner == OWNER_ANY_ANCESTOR) {
        diag_error(template->diags, mark_of(template, name), "bad-message",
                   "'%.*s' is many values; name one, as in ancestor[2].%s", TEXT_ARG(name),
                   out->field->name);
        template->mistaken = true;
    }
}

/* Reads what begins with '%' at the front of *REST, which is moved behind it. */
static void read_percent(struct template *template, struct text *rest, struct message_part *part)
{
    size_t used = 1;

    if (rest->len > 1 && rest->ptr[1] == '%') {
        used = 2;
        part->literal = (struct text){rest->ptr, 1};
    } else if (rest->len > 1 && rest->ptr[1] == '{') {
        const char *end = memchr(rest->ptr, '}', rest->len);
        struct text name = {rest->ptr + 2, end ? (size_t)(end - rest->ptr) - 2 : 0};

        used = end ? name.len + 3 : rest->len;
        part->has_field = true;
        if (end) {
            read_field(template, name, &part->ref);
        } else {
            diag_error(template->diags, mark_of(template, *rest), "bad-message",
                       "'%%{' is never closed");
            template->mistaken = true;
        }
    } else {
        diag_error(template->diags, mark_of(template, (struct text){rest->ptr, 1}), "bad-message",
                   "'%%' begins a field, as in %%{exe}; a percent sign is written '%%%%'");
        template->mistaken = true;
    }
    rest->ptr += used;
    rest->len -= used;
}

static size_t count_percents(struct text t)
{
    size_t count = 0;

    for (size_t i = 0; i < t.len; i++)
        count += t.ptr[i] == '%';
    return count;
}

static void read_parts(struct template *template, struct text rest)
{
    while (rest.len) {
        struct message_part *part = &template->parts[template->count++];
        const char *percent = memchr(rest.ptr, '%', rest.len);
        size_t plain = percent ? (size_t)(percent - rest.ptr) : rest.len;

        if (plain) {
            part->literal = (struct text){rest.ptr, plain};
            rest.ptr += plain;
            rest.len -= plain;
        } else {
            read_percent(template, &rest, part);
        }
    }
}

int message_compile(const struct yaml_node *node, struct arena *arena, struct diag_list *diags,
                    const struct message **out)
{
    struct template template = {.node = node, .diags = diags};
    struct message *message = arena_alloc(arena, sizeof *message);

    if (node->kind != YAML_SCALAR || node->text.len == 0) {
        diag_error(diags, node->mark, "wrong-type", "a message must be a text");
        return 0;
    }
    template.parts = arena_array(arena, count_percents(node->text) * 2 + 1, sizeof *template.parts);
    if (!message || !template.parts)
        return -ENOMEM;
    read_parts(&template, node->text);
    for (size_t i = 0; i < template.count; i++) {
        struct message_part *part = &template.parts[i];

        part->literal = arena_text(arena, part->literal);
        if (!part->literal.ptr)
            return -ENOMEM;
    }
    *message = (struct message){.parts = template.parts, .count = template.count};
    if (!template.mistaken)
        *out = message;
    return 0;
}

/* clang-format off */
#define PLAIN(string)  {.literal = {(string), sizeof(string) - 1}}
#define VALUE(name)    {.has_field = true, .ref = {.field = &field_catalogue[FIELD_##name]}}
#define PARENT(name)   {.has_field = true, .ref = {.field = &field_catalogue[FIELD_##name], \
                        .owner = OWNER_ANCESTOR, .generation = 1}}
#define DEFAULT(array) {.parts = (array), .count = sizeof(array) / sizeof *(array)}
/* clang-format on */

const struct message *message_default(enum event_type on)
{
    static const struct message_part exec[] = {PARENT(COMM), PLAIN(" started "), VALUE(EXE),
                                               PLAIN(": "), VALUE(CMDLINE)};
    static const struct message_part failed[] = {PARENT(COMM), PLAIN(" failed to start "),
                                                 VALUE(FILENAME), PLAIN(": "), VALUE(ERROR)};
    static const struct message_part ended[] = {VALUE(EXE), PLAIN(" (pid "), VALUE(PID),
                                                PLAIN(") ended: "), VALUE(CMDLINE)};
    static const struct message defaults[EVENT_TYPES] = {
        [EVENT_EXEC] = DEFAULT(exec),
        [EVENT_EXEC_FAILED] = DEFAULT(failed),
        [EVENT_EXIT] = DEFAULT(ended),
    };

    return &defaults[on];
}

bool message_asks(const struct message *message, enum field_id id)
{
    for (size_t i = 0; i < message->count; i++)
        if (message->parts[i].has_field && message->parts[i].ref.field->id == id)
            return true;
    return false;
}

uint64_t message_digest(const struct message *message, uint64_t state)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct message_part *part = &message->parts[i];

        state = digest_text(state, part->literal);
        if (!part->has_field)
            continue;
        state = digest_number(state, (uint64_t)part->ref.field->id);
        state = digest_number(state, (uint64_t)part->ref.owner);
        state = digest_number(state, part->ref.generation);
    }
    return state;
}

static void put_value(const struct value *value, struct buffer *out)
{
    struct text rest = value->text, item;

    switch (value->type) {
    case TYPE_TEXT:
        buffer_put_printable(out, value->text);
        break;
    case TYPE_TEXT_LIST:
        for (bool first = true; text_list_next(&rest, &item); first = false) {
            if (!first)
                buffer_put_char(out, ' ');
            buffer_put_printable(out, item);
        }
        break;
    default:
        value_put(out, value);
        break;
    }
}

void message_put(const struct message *message, const struct event *event, struct buffer *out)
{
    struct value value;

    for (size_t i = 0; i < message->count; i++) {
        const struct message_part *part = &message->parts[i];

        buffer_put_text(out, part->literal);
        if (!part->has_field)
            continue;
        if (event_value(event, &part->ref, &value))
            put_value(&value, out);
        else
            buffer_put_char(out, '-');
    }
}
