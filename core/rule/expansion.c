#include "rule/expansion.h"

#include "rule/selection.h"

/* A `%name%`. */
struct placeholder {
    size_t at, len;   /* with its percent signs */
    struct text name; /* with the first of them */
};

/* A value being filled. */
struct filling {
    struct compiler *compiler;
    const struct operand *operand;
    struct expansion *out;
    bool mistaken;
};

void expansion_add(struct compiler *compiler, struct expansion *expansion, struct text t)
{
    if (expansion->count == expansion->size) {
        size_t size = expansion->size ? expansion->size * 2 : 16;
        struct text *texts = arena_array(&compiler->arena, size, sizeof *texts);

        if (!texts) {
            compiler->failed = true;
            return;
        }
        for (size_t i = 0; i < expansion->count; i++)
            texts[i] = expansion->texts[i];
        expansion->texts = texts;
        expansion->size = size;
    }
    expansion->texts[expansion->count++] = t;
}

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* The first one of T that begins at FROM or behind. */
static bool find_placeholder(struct text t, size_t from, struct placeholder *out)
{
    for (size_t at = from; at < t.len; at++) {
        size_t end = at + 1;

        if (t.ptr[at] != '%' || (at > from && t.ptr[at - 1] == '\\'))
            continue;
        while (end < t.len && is_of_name(t.ptr[end]))
            end++;
        if (end == at + 1 || end == t.len || t.ptr[end] != '%')
            continue;
        *out = (struct placeholder){.at = at, .len = end + 1 - at, .name = {t.ptr + at, end - at}};
        return true;
    }
    return false;
}

static bool is_regex(const struct operand *operand)
{
    return operand->key->how.op == PREDICATE_MATCHES || operand->key->how.op == PREDICATE_FINDS;
}

/* Puts what was written: `\%` is for the patterns to read where there is one. */
static void put_written(const struct operand *operand, struct buffer *out, struct text part)
{
    bool pattern = is_regex(operand) || operand->key->how.op == PREDICATE_GLOB;

    for (size_t i = 0; i < part.len; i++)
        if (pattern || part.ptr[i] != '\\' || i + 1 == part.len || part.ptr[i + 1] != '%')
            buffer_put_char(out, part.ptr[i]);
}

/* A regex put into another stays one. */
static void put_filler(const struct operand *operand, struct buffer *out, struct text filler,
                       const struct placeholder *placeholder)
{
    bool wrapped = is_regex(operand) && placeholder->len < operand->value->text.len;

    buffer_put_string(out, wrapped ? "(?:" : "");
    buffer_put_text(out, filler);
    buffer_put_string(out, wrapped ? ")" : "");
}

static void list_fillers(struct filling *filling, struct text t,
                         const struct placeholder *placeholder, struct expansion *out)
{
    const struct yaml_node *written = filling->operand->value;
    size_t at = written->text.len - (t.len - placeholder->at);
    struct yaml_node reference = {.kind = YAML_SCALAR,
                                  .mark = yaml_mark_inside(written, at, placeholder->len),
                                  .text = placeholder->name};

    selection_list_texts(filling->compiler, &reference, out);
    if (out->count == 0)
        filling->mistaken = true;
}

/* Adds all that T becomes, of which FROM bytes are done with. */
static void fill(struct filling *filling, struct text t, size_t from)
{
    struct compiler *compiler = filling->compiler;
    const struct operand *operand = filling->operand;
    struct expansion fillers = {0};
    struct placeholder placeholder = {.at = t.len};
    bool found = find_placeholder(t, from, &placeholder);

    if (found)
        list_fillers(filling, t, &placeholder, &fillers);
    for (size_t i = 0; i < (found ? fillers.count : 1) && filling->out->count <= EXPANSION_MAX;
         i++) {
        CLEANUP(buffer_deinit) struct buffer whole = {0};
        size_t behind = placeholder.at + placeholder.len, done;

        buffer_put(&whole, t.ptr, from);
        put_written(operand, &whole, (struct text){t.ptr + from, placeholder.at - from});
        if (found)
            put_filler(operand, &whole, fillers.texts[i], &placeholder);
        done = whole.len;
        buffer_put(&whole, t.ptr + behind, t.len - behind);
        compiler->failed |= buffer_failed(&whole);
        if (found)
            fill(filling, buffer_text(&whole), done);
        else
            expansion_add(compiler, filling->out,
                          arena_text(&compiler->arena, buffer_text(&whole)));
    }
}

static size_t count_placeholders(struct text t)
{
    struct placeholder placeholder;
    size_t count = 0, from = 0;

    for (; find_placeholder(t, from, &placeholder); from = placeholder.at + placeholder.len)
        count++;
    return count;
}

static bool check_placeholders(struct compiler *compiler, struct text t, struct mark mark)
{
    size_t count = count_placeholders(t);

    if (count == 0)
        diag_error(compiler->diags, mark, "bad-value",
                   "'%.*s' has no %%list%% for 'expand' to fill", TEXT_ARG(t));
    else if (count > PLACEHOLDERS_MAX)
        diag_error(compiler->diags, mark, "too-many-values",
                   "'%.*s' has more than %d lists for 'expand' to fill", TEXT_ARG(t),
                   PLACEHOLDERS_MAX);
    return count > 0 && count <= PLACEHOLDERS_MAX;
}

bool expansion_of(struct compiler *compiler, const struct operand *operand, struct expansion *out)
{
    const struct yaml_node *value = operand->value;
    struct mark mark = operand->use ? operand->use->mark : value->mark;
    struct filling filling = {.compiler = compiler, .operand = operand, .out = out};

    if (!check_placeholders(compiler, value->text, mark))
        return false;
    fill(&filling, value->text, 0);
    if (out->count > EXPANSION_MAX) {
        diag_error(compiler->diags, mark, "too-many-values", "'%.*s' becomes more than %d texts",
                   TEXT_ARG(value->text), EXPANSION_MAX);
        return false;
    }
    return !filling.mistaken && !compiler->failed;
}
