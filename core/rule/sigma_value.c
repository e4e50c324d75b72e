#include "rule/sigma_value.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/expansion.h"

/* A pattern while it is read. */
struct reading {
    struct buffer literal, glob;
    bool wild;             /* there are wildcards within */
    bool open_front, star; /* at its beginning; and one that was met since the last character */
};

static void reading_deinit(struct reading *reading)
{
    buffer_deinit(&reading->literal);
    buffer_deinit(&reading->glob);
}

static void read_star(struct reading *reading)
{
    if (reading->glob.len == 0)
        reading->open_front = true;
    else
        reading->star = true;
}

static void read_character(struct reading *reading, char c, bool any)
{
    if (reading->star)
        buffer_put_char(&reading->glob, '*');
    reading->wild |= reading->star || any;
    reading->star = false;
    if (!any && (c == '*' || c == '?' || c == '\\'))
        buffer_put_char(&reading->glob, '\\');
    buffer_put_char(&reading->glob, c);
    buffer_put_char(&reading->literal, c);
}

/* A backslash takes a wildcard or another backslash as it is; before anything else it is plain. */
static void read_text(struct reading *reading, struct text written)
{
    for (size_t i = 0; i < written.len; i++) {
        char next = (char)(i + 1 < written.len ? written.ptr[i + 1] : '\0');
        bool escapes = written.ptr[i] == '\\' && (next == '*' || next == '?' || next == '\\');

        if (escapes)
            read_character(reading, next, false);
        else if (written.ptr[i] == '*')
            read_star(reading);
        else
            read_character(reading, written.ptr[i], written.ptr[i] == '?');
        i += escapes;
    }
}

static enum predicate_operator operator_of(const struct reading *reading, bool front, bool back)
{
    if (reading->wild)
        return PREDICATE_GLOB;
    if (reading->literal.len == 0 && (front || back))
        return PREDICATE_EXISTS;
    if (front && back)
        return PREDICATE_CONTAINS;
    return front ? PREDICATE_ENDS : back ? PREDICATE_STARTS : PREDICATE_IS;
}

int sigma_pattern_read(struct arena *arena, struct text written, enum predicate_operator op,
                       struct sigma_pattern *out)
{
    CLEANUP(reading_deinit) struct reading reading = {0};

    read_text(&reading, written);
    bool front = reading.open_front || op == PREDICATE_ENDS || op == PREDICATE_CONTAINS;
    bool back = reading.star || op == PREDICATE_STARTS || op == PREDICATE_CONTAINS;
    struct sigma_pattern pattern = {.op = operator_of(&reading, front, back)};

    if (pattern.op == PREDICATE_GLOB) {
        buffer_clear(&reading.literal);
        buffer_put_string(&reading.literal, front ? "*" : "");
        buffer_put_text(&reading.literal, buffer_text(&reading.glob));
        buffer_put_string(&reading.literal, back ? "*" : "");
    }
    pattern.text = arena_text(arena, buffer_text(&reading.literal));
    if (!pattern.text.ptr || buffer_failed(&reading.glob) || buffer_failed(&reading.literal))
        return -ENOMEM;
    *out = pattern;
    return 0;
}

static const struct expression *constant(struct compiler *compiler, bool holds)
{
    return holds ? expression_all(&compiler->expressions, NULL, 0)
                 : expression_any(&compiler->expressions, NULL, 0);
}

static const struct expression *diagnose(struct compiler *compiler, const struct sigma_value *value,
                                         const char *what)
{
    diag_error(compiler->diags, value->node->mark, "bad-value", "'%.*s' of '%.*s' in %s %s",
               TEXT_ARG(value->node->text), TEXT_ARG(value->key->node->text), value->scope, what);
    return NULL;
}

static const struct expression *add(struct compiler *compiler, const struct sigma_value *value,
                                    const struct predicate *wanted)
{
    const struct predicate *predicate = NULL;
    struct regex_failure failure;
    int r = predicate_table_add(&compiler->predicates, wanted, &predicate, &failure);

    if (r == -EINVAL && wanted->op == PREDICATE_CIDR)
        return diagnose(compiler, value,
                        arena_printf(&compiler->diags->arena, "is no network: %s", failure.reason));
    if (r == -EINVAL)
        diag_error(compiler->diags, yaml_mark_inside(value->node, failure.offset, 1), "bad-regex",
                   "bad regex: %s", failure.reason);
    else if (r < 0)
        compiler->failed = true;
    return r < 0 ? NULL : expression_of(&compiler->expressions, predicate);
}

/* Of what an exec always says: nothing is left to ask at run time. */
static const struct expression *judge(struct compiler *compiler, const struct sigma_field *field,
                                      const struct predicate *wanted)
{
    struct predicate_scratch scratch = {0};
    bool holds = wanted->op == PREDICATE_EXISTS;

    if (wanted->op == PREDICATE_FINDS || wanted->op == PREDICATE_CIDR ||
        predicate_is_of_field(wanted->op))
        return constant(compiler, false);
    for (size_t i = 0; i < field->constant_count && !holds; i++)
        holds = predicate_accepts(
            wanted, NULL,
            &(struct value){.type = TYPE_TEXT, .text = text_from(field->constants[i])}, &scratch);
    buffer_deinit(&scratch.text);
    return constant(compiler, holds);
}

/* Pushes what WANTED asks of each of the field's truths that count. */
static void push_field(struct compiler *compiler, const struct sigma_value *value,
                       const struct sigma_field *field, const struct predicate *wanted)
{
    size_t count = value->exclusive && field->ref_count ? 1 : field->ref_count;

    if (field->ref_count == 0)
        compiler_push(compiler, judge(compiler, field, wanted));
    for (size_t i = 0; i < count; i++) {
        struct predicate of_ref = *wanted;

        of_ref.ref = field->refs[i];
        compiler_push(compiler, add(compiler, value, &of_ref));
    }
}

static void push(struct compiler *compiler, const struct sigma_value *value,
                 const struct predicate *wanted)
{
    struct sigma_field field;

    if (value->key->name.len) {
        push_field(compiler, value, &value->key->field, wanted);
        return;
    }
    for (size_t i = 0; sigma_field_of_keywords(i, &field); i++)
        push_field(compiler, value, &field, wanted);
}

static void push_pattern(struct compiler *compiler, const struct sigma_value *value,
                         struct text written)
{
    struct sigma_pattern pattern;

    if (sigma_pattern_read(&compiler->arena, written, value->key->how.op, &pattern) < 0) {
        compiler->failed = true;
        return;
    }
    bool any = pattern.op == PREDICATE_EXISTS;

    push(compiler, value,
         &(struct predicate){
             .op = pattern.op, .flags = any ? 0 : value->key->how.flags, .text = pattern.text});
}

static bool is_only_windash(const struct sigma_key *key)
{
    for (size_t i = 0; i < key->how.encoding_count; i++)
        if (key->how.encodings[i] != ENCODING_WINDASH)
            return false;
    return true;
}

static const struct expression *diagnose_encoding(struct compiler *compiler,
                                                  const struct sigma_value *value, int r)
{
    if (r == -E2BIG)
        diag_error(compiler->diags, value->node->mark, "too-many-values",
                   "'%.*s' of this value are more than %d texts", TEXT_ARG(value->key->node->text),
                   ENCODED_MAX);
    else if (r == -EILSEQ)
        diagnose(compiler, value, "is no UTF-8");
    else
        compiler->failed = true;
    return NULL;
}

/* What is encoded is one text, of which nothing can be left open. */
static bool read_literal(struct compiler *compiler, const struct sigma_value *value,
                         struct text *out)
{
    struct sigma_pattern pattern;

    if (sigma_pattern_read(&compiler->arena, value->node->text, PREDICATE_IS, &pattern) < 0) {
        compiler->failed = true;
        return false;
    }
    if (pattern.op != PREDICATE_IS) {
        diagnose(compiler, value, "has wildcards, which cannot be encoded");
        return false;
    }
    *out = pattern.text;
    return true;
}

/* One of all that the value becomes must hold, also where each value must. */
static const struct expression *compile_encoded(struct compiler *compiler,
                                                const struct sigma_value *value)
{
    const struct sigma_key *key = value->key;
    bool windash = is_only_windash(key);
    size_t base = compiler->stack_count;
    struct text text = value->node->text;
    struct encoded encoded;

    if (!windash && !read_literal(compiler, value, &text))
        return NULL;
    int r = encoding_apply(&compiler->arena, key->how.encodings, key->how.encoding_count, text,
                           &encoded);

    if (r < 0)
        return diagnose_encoding(compiler, value, r);
    if (encoded.count == 0)
        return diagnose(compiler, value, "leaves nothing to look for once it is encoded");
    for (size_t i = 0; i < encoded.count; i++) {
        if (windash)
            push_pattern(compiler, value, encoded.texts[i]);
        else
            push(compiler, value,
                 &(struct predicate){
                     .op = key->how.op, .flags = key->how.flags, .text = encoded.texts[i]});
    }
    return compiler_join(compiler, base, false);
}

static const struct expression *compile_text(struct compiler *compiler,
                                             const struct sigma_value *value)
{
    const struct sigma_key *key = value->key;
    size_t base = compiler->stack_count;

    if (key->how.encoding_count)
        return compile_encoded(compiler, value);
    if (key->how.op == PREDICATE_FINDS || key->how.op == PREDICATE_CIDR)
        push(compiler, value,
             &(struct predicate){
                 .op = key->how.op, .flags = key->how.flags, .text = value->node->text});
    else
        push_pattern(compiler, value, value->node->text);
    return compiler_join(compiler, base, false);
}

static const struct expression *compile_exists(struct compiler *compiler,
                                               const struct sigma_value *value)
{
    struct sigma_value first = *value;
    size_t base = compiler->stack_count;
    bool wanted;

    if (!yaml_is_bool(value->node, &wanted))
        return diagnose(compiler, value, "is neither true nor false");
    if (!value->key->known)
        return constant(compiler, !wanted);
    first.exclusive = true;
    push(compiler, &first, &(struct predicate){.op = PREDICATE_EXISTS});
    const struct expression *exists = compiler_join(compiler, base, false);

    return wanted ? exists : expression_not(&compiler->expressions, exists);
}

static const struct expression *compile_null(struct compiler *compiler,
                                             const struct sigma_value *value)
{
    const struct sigma_key *key = value->key;
    struct sigma_value first = *value;
    size_t base = compiler->stack_count;

    if (value->listed || key->name.len == 0 || key->how.said || key->how.encoding_count ||
        key->how.fieldref || key->how.expand) {
        diag_error(compiler->diags, value->node->mark, "bad-value",
                   "null in %s must be the only value of a field without modifiers", value->scope);
        return NULL;
    }
    if (!key->known)
        return constant(compiler, true);
    first.exclusive = true;
    push(compiler, &first, &(struct predicate){.op = PREDICATE_EXISTS});
    return expression_not(&compiler->expressions, compiler_join(compiler, base, false));
}

bool sigma_value_number(struct text text, double *out)
{
    char digits[64], *end;
    int64_t whole;

    if (text_to_int(text, &whole) == 0) {
        *out = (double)whole;
        return true;
    }
    if (text.len == 0 || text.len >= sizeof digits || !strchr("+-.0123456789", text.ptr[0]))
        return false;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    *out = strtod(digits, &end);
    return *end == '\0' && *out > -9e18 && *out < 9e18;
}

/* The largest whole number that is not larger. */
static int64_t round_down(double number)
{
    int64_t whole = (int64_t)number;

    return (double)whole > number ? whole - 1 : whole;
}

/* The fields' numbers are whole. */
static struct predicate comparison(enum predicate_operator op, double number)
{
    struct predicate wanted = {.op = op, .number = round_down(number)};
    bool is_whole = (double)wanted.number >= number;

    if (!is_whole && op == PREDICATE_LESS)
        wanted.op = PREDICATE_LESS_EQUAL;
    if (!is_whole && op == PREDICATE_GREATER_EQUAL)
        wanted.op = PREDICATE_GREATER;
    return wanted;
}

static const struct expression *compile_ordered(struct compiler *compiler,
                                                const struct sigma_value *value)
{
    size_t base = compiler->stack_count;
    double number;

    if (!sigma_value_number(value->node->text, &number))
        return diagnose(compiler, value, "is no number");
    struct predicate wanted = comparison(value->key->how.op, number);

    push(compiler, value, &wanted);
    return compiler_join(compiler, base, false);
}

/* What YAML takes for a number equals by number where the field is one. */
static bool is_number(const struct sigma_value *value, double *number)
{
    const struct sigma_key *key = value->key;

    return value->node->plain && !key->how.said && key->how.encoding_count == 0 && key->name.len &&
           key->field.ref_count && key->field.refs[0].field->type == TYPE_NUMBER &&
           sigma_value_number(value->node->text, number);
}

static const struct expression *compile_number(struct compiler *compiler,
                                               const struct sigma_value *value, double number)
{
    size_t base = compiler->stack_count;

    int64_t whole = round_down(number);

    if ((double)whole < number)
        return constant(compiler, false);
    push(compiler, value, &(struct predicate){.op = PREDICATE_EQUAL, .number = whole});
    return compiler_join(compiler, base, false);
}

static const struct expression *compile_fieldref(struct compiler *compiler,
                                                 const struct sigma_value *value)
{
    const struct sigma_key *key = value->key;
    size_t base = compiler->stack_count;
    struct sigma_field other;

    if (!sigma_field_find(value->source, value->node->text, &other) || other.ref_count == 0)
        return constant(compiler, false);
    const struct field_ref *ref = &other.refs[0];

    if (!field_ref_has_one_value(ref))
        return diagnose(compiler, value, "has many values: 'fieldref' takes a field of one");
    push(compiler, value,
         &(struct predicate){.op = PREDICATE_IS_FIELD + (key->how.op - PREDICATE_IS),
                             .flags = key->how.flags,
                             .text = value->node->text,
                             .other = *ref});
    return compiler_join(compiler, base, false);
}

/* Lists are native rules': `lists: {name: [...]}`. */
static const struct expression *compile_expanded(struct compiler *compiler,
                                                 const struct sigma_value *value)
{
    struct field_key key = {.node = value->key->node, .how = {.op = PREDICATE_IS, .expand = true}};
    struct operand operand = {.key = &key, .scope = value->scope, .value = value->node};
    struct expansion expansion = {0};
    size_t base = compiler->stack_count;

    if (!expansion_of(compiler, &operand, &expansion))
        return NULL;
    for (size_t i = 0; i < expansion.count; i++) {
        struct yaml_node node = *value->node;
        struct sigma_value filled = *value;

        node.text = expansion.texts[i];
        node.plain = node.verbatim = false;
        filled.node = &node;
        filled.filled = true;
        compiler_push(compiler, sigma_value_compile(compiler, &filled));
    }
    return compiler_join(compiler, base, false);
}

const struct expression *sigma_value_compile(struct compiler *compiler,
                                             const struct sigma_value *value)
{
    const struct sigma_key *key = value->key;
    double number;

    if (key->how.op == PREDICATE_EXISTS)
        return compile_exists(compiler, value);
    if (yaml_is_null(value->node))
        return compile_null(compiler, value);
    if (!key->known || key->unsupported)
        return constant(compiler, false);
    if (key->how.expand && !value->filled)
        return compile_expanded(compiler, value);
    if (key->how.fieldref)
        return compile_fieldref(compiler, value);
    if (predicate_is_ordered(key->how.op))
        return compile_ordered(compiler, value);
    if (is_number(value, &number))
        return compile_number(compiler, value, number);
    return compile_text(compiler, value);
}
