#include "rule/operand.h"

#include <errno.h>

#include "base/clock.h"
#include "rule/expansion.h"

/* What the kernel keeps of a comm. */
#define COMM_MAX 15

/* Of a value that a list brought in, the place of its use: there the types meet. */
static struct mark mark_of(const struct operand *operand)
{
    return operand->use ? operand->use->mark : operand->value->mark;
}

static void diagnose_value(struct compiler *compiler, const struct operand *operand,
                           const char *wanted)
{
    const struct field_key *key = operand->key;
    struct text from = operand->use ? operand->use->text : TEXT("");

    diag_error(compiler->diags, mark_of(operand), "bad-value",
               "'%.*s'%s%.*s is no %s, which '%.*s' in %s takes", TEXT_ARG(operand->value->text),
               from.len ? " of list " : "", TEXT_ARG(from), wanted, TEXT_ARG(key->node->text),
               operand->scope);
}

static void diagnose_regex(struct compiler *compiler, const struct operand *operand,
                           const struct regex_failure *failure)
{
    struct mark mark = yaml_mark_inside(operand->value, failure->offset, 1);

    /* A list's value is told once, however many rules use the list. */
    if (!operand->use || !compiler_has_told(compiler, mark, "bad-regex"))
        diag_error(compiler->diags, mark, "bad-regex", "bad regex: %s", failure->reason);
}

static void diagnose_network(struct compiler *compiler, const struct operand *operand,
                             const struct regex_failure *failure)
{
    diag_error(compiler->diags, mark_of(operand), "bad-value", "'%.*s' is no network: %s",
               TEXT_ARG(operand->value->text), failure->reason);
}

static const struct expression *add(struct compiler *compiler, const struct operand *operand,
                                    const struct predicate *wanted)
{
    const struct predicate *predicate = NULL;
    struct regex_failure failure;
    int r = predicate_table_add(&compiler->predicates, wanted, &predicate, &failure);

    if (r == -EINVAL && wanted->op == PREDICATE_CIDR)
        diagnose_network(compiler, operand, &failure);
    else if (r == -EINVAL)
        diagnose_regex(compiler, operand, &failure);
    else if (r < 0)
        compiler->failed = true;
    return r < 0 ? NULL : expression_of(&compiler->expressions, predicate);
}

static const struct expression *add_number(struct compiler *compiler, const struct operand *operand,
                                           int64_t number)
{
    const struct field_key *key = operand->key;
    struct predicate wanted = {.ref = key->ref, .op = key->how.op, .number = number};

    if (predicate_is_of_text(wanted.op))
        wanted.op = PREDICATE_EQUAL;
    return add(compiler, operand, &wanted);
}

static bool has_meta(struct text pattern, const char *meta)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (strchr(meta, pattern.ptr[i]))
            return true;
    return false;
}

static void warn_comm(struct compiler *compiler, const struct operand *operand, struct text literal)
{
    const struct yaml_node *value = operand->value;

    if (literal.len <= COMM_MAX)
        return;
    diag_warning(compiler->diags,
                 yaml_mark_inside(value, (size_t)(literal.ptr - value->text.ptr), literal.len),
                 "never-matches",
                 "'%.*s' can never match: the kernel keeps %d bytes of a comm, this has %zu",
                 TEXT_ARG(literal), COMM_MAX, literal.len);
}

/* A regex is looked into when it is but literals with '|' between them. */
static void check_comm(struct compiler *compiler, const struct operand *operand)
{
    struct text rest = operand->value->text;
    enum predicate_operator op = operand->key->how.op;

    if (operand->key->ref.field->id != FIELD_COMM || op == PREDICATE_GLOB ||
        op == PREDICATE_FINDS || op == PREDICATE_CIDR)
        return;
    if (op != PREDICATE_MATCHES) {
        warn_comm(compiler, operand, rest);
        return;
    }
    if (has_meta(rest, REGEX_META))
        return;
    while (rest.ptr)
        warn_comm(compiler, operand, text_split(&rest, '|'));
}

static void diagnose_encoding(struct compiler *compiler, const struct operand *operand, int r)
{
    if (r == -E2BIG)
        diag_error(compiler->diags, mark_of(operand), "too-many-values",
                   "'%.*s' of this value are more than %d texts",
                   TEXT_ARG(operand->key->node->text), ENCODED_MAX);
    else if (r == -EILSEQ)
        diagnose_value(compiler, operand, "UTF-8");
    else
        compiler->failed = true;
}

/* One of all that the value becomes must be found, also where each value must. */
static const struct expression *compile_encoded(struct compiler *compiler,
                                                const struct operand *operand)
{
    const struct field_key *key = operand->key;
    struct encoded encoded;
    size_t base = compiler->stack_count;
    int r = encoding_apply(&compiler->arena, key->how.encodings, key->how.encoding_count,
                           operand->value->text, &encoded);

    if (r < 0) {
        diagnose_encoding(compiler, operand, r);
        return NULL;
    }
    if (encoded.count == 0) {
        diagnose_value(compiler, operand, "text that can be found when it is encoded");
        return NULL;
    }
    for (size_t i = 0; i < encoded.count; i++) {
        struct predicate wanted = {
            .ref = key->ref, .op = key->how.op, .flags = key->how.flags, .text = encoded.texts[i]};

        compiler_push(compiler, add(compiler, operand, &wanted));
    }
    return compiler_join(compiler, base, false);
}

static const struct expression *compile_fieldref(struct compiler *compiler,
                                                 const struct operand *operand)
{
    const struct field_key *key = operand->key;
    struct text name = operand->value->text;
    struct predicate wanted = {
        .ref = key->ref, .op = key->how.op, .flags = key->how.flags, .text = name};

    if (!field_name_read(compiler, operand->scope, operand->value, name, &wanted.other))
        return NULL;
    if (field_ref_has_one_value(&wanted.other))
        return add(compiler, operand, &wanted);
    diag_error(compiler->diags, mark_of(operand), "bad-field",
               "'%.*s' has many values: 'fieldref' compares with a field of one", TEXT_ARG(name));
    return NULL;
}

static const struct expression *compile_text(struct compiler *compiler,
                                             const struct operand *operand)
{
    if (operand->key->how.encoding_count)
        return compile_encoded(compiler, operand);
    const struct field_key *key = operand->key;
    struct predicate wanted = {
        .ref = key->ref, .op = key->how.op, .flags = key->how.flags, .text = operand->value->text};

    /* Plain text is compared as such. */
    if (wanted.op == PREDICATE_MATCHES && !has_meta(wanted.text, REGEX_META "|"))
        wanted.op = PREDICATE_IS;
    check_comm(compiler, operand);
    return add(compiler, operand, &wanted);
}

static bool looks_numeric(struct text pattern)
{
    return has_meta(pattern, "0123456789.[\\");
}

static size_t count_digits(struct text text, size_t at)
{
    size_t count = 0;

    while (at + count < text.len && text.ptr[at + count] >= '0' && text.ptr[at + count] <= '9')
        count++;
    return count;
}

/* What is a number to YAML, and so to the reader of the rule: 1.5, -3., .5, 1e9; but no integer of
 * ours, and as a pattern hardly meant. */
static bool is_yaml_number(struct text text)
{
    size_t at = text.len && strchr("+-", text.ptr[0]);
    size_t digits = count_digits(text, at);

    at += digits;
    if (at < text.len && text.ptr[at] == '.') {
        size_t decimals = count_digits(text, ++at);

        digits += decimals;
        at += decimals;
    }
    if (digits && at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && strchr("+-", text.ptr[at]);
        digits = count_digits(text, at);
        at += digits;
    }
    return digits && at == text.len;
}

/* Numbers take a number, or a pattern over their decimal text. */
static const struct expression *compile_number(struct compiler *compiler,
                                               const struct operand *operand)
{
    struct text text = operand->value->text;
    enum predicate_operator op = operand->key->how.op;
    int64_t number;
    bool is_number = text_to_int(text, &number) == 0;

    if (predicate_is_of_text(op) && op != PREDICATE_IS && op != PREDICATE_MATCHES)
        return compile_text(compiler, operand);
    if (op == PREDICATE_MATCHES && !is_number && operand->value->plain && is_yaml_number(text)) {
        diagnose_value(compiler, operand, "whole number of 64 bits (in quotes it is a pattern)");
        return NULL;
    }
    if (op == PREDICATE_MATCHES && !is_number && looks_numeric(text))
        return compile_text(compiler, operand);
    if (!predicate_is_of_text(op) && !is_number)
        is_number = text_to_size(text, &number) == 0;
    if (is_number)
        return add_number(compiler, operand, number);
    diagnose_value(compiler, operand,
                   predicate_is_of_text(op) ? "number" : "number or size (as in 10MiB)");
    return NULL;
}

static const struct expression *compile_time(struct compiler *compiler,
                                             const struct operand *operand)
{
    enum predicate_operator op = operand->key->how.op;
    bool plain = op == PREDICATE_IS ||
                 (op == PREDICATE_MATCHES && !has_meta(operand->value->text, REGEX_META "|"));
    int64_t time;

    if (predicate_is_of_text(op) && !plain)
        return compile_text(compiler, operand);
    if (time_parse(operand->value->text, &time) == 0)
        return add_number(compiler, operand, time);
    diagnose_value(compiler, operand, "time (as in 2026-01-31T12:00:00Z)");
    return NULL;
}

static const struct expression *compile_duration(struct compiler *compiler,
                                                 const struct operand *operand)
{
    int64_t duration = 0;

    if (text_is(operand->value->text, "0") ||
        text_to_duration(operand->value->text, &duration) == 0)
        return add_number(compiler, operand, duration);
    diagnose_value(compiler, operand, "duration (as in 250ms, 10s, 5m)");
    return NULL;
}

static const struct expression *compile_bool(struct compiler *compiler,
                                             const struct operand *operand)
{
    bool value;

    if (yaml_is_bool(operand->value, &value))
        return add_number(compiler, operand, value);
    diagnose_value(compiler, operand, "boolean (true or false)");
    return NULL;
}

/* The whole name of a bit has to be one; patterns find what they find. */
static const struct expression *compile_flags(struct compiler *compiler,
                                              const struct operand *operand)
{
    const struct flag_names *names = flag_names_of(operand->key->ref.field->id);
    struct text name = operand->value->text;
    enum predicate_operator op = operand->key->how.op;
    bool plain = (op == PREDICATE_IS && !(operand->key->how.flags & REGEX_NOCASE)) ||
                 (op == PREDICATE_MATCHES && !has_meta(name, REGEX_META "|"));
    int64_t set = 0;

    if (!plain || (!text_starts(name, TEXT("-")) && flag_names_read(names, name, &set) == 0))
        return compile_text(compiler, operand);
    diag_error(compiler->diags, mark_of(operand), "bad-value",
               "'%.*s' is no name that '%.*s' has%s", TEXT_ARG(name), TEXT_ARG(operand->key->name),
               diag_hint(compiler->diags, flag_names_suggest(names, name)));
    return NULL;
}

static const struct expression *compile_exists(struct compiler *compiler,
                                               const struct operand *operand)
{
    struct predicate wanted = {.ref = operand->key->ref, .op = PREDICATE_EXISTS};
    bool value;

    if (!yaml_is_bool(operand->value, &value)) {
        diagnose_value(compiler, operand, "boolean (true or false)");
        return NULL;
    }
    const struct expression *exists = add(compiler, operand, &wanted);

    return value ? exists : expression_not(&compiler->expressions, exists);
}

static bool check_value(struct compiler *compiler, const struct operand *operand)
{
    const struct field_key *key = operand->key;

    if (yaml_is_null(operand->value)) {
        diag_error(compiler->diags, mark_of(operand), "bad-value",
                   "'%.*s' has no value; to ask whether there is one, use '%.*s|exists: false'",
                   TEXT_ARG(key->node->text), TEXT_ARG(key->name));
        return false;
    }
    if (operand->value->text.len == 0 &&
        (key->how.op == PREDICATE_STARTS || key->how.op == PREDICATE_ENDS ||
         key->how.op == PREDICATE_CONTAINS || key->how.op == PREDICATE_FINDS))
        diag_warning(compiler->diags, mark_of(operand), "empty-value",
                     "every value %s the empty text",
                     key->how.op == PREDICATE_STARTS  ? "starts with"
                     : key->how.op == PREDICATE_ENDS  ? "ends with"
                     : key->how.op == PREDICATE_FINDS ? "matches"
                                                      : "contains");
    return true;
}

/* One of all that the value becomes must hold, also where each value must. */
static const struct expression *compile_expanded(struct compiler *compiler,
                                                 const struct operand *operand)
{
    size_t base = compiler->stack_count;
    struct expansion expansion = {0};

    if (!expansion_of(compiler, operand, &expansion))
        return NULL;
    for (size_t i = 0; i < expansion.count; i++) {
        struct yaml_node value = *operand->value;
        struct operand filled = *operand;

        value.text = expansion.texts[i];
        value.plain = value.verbatim = false;
        filled.value = &value;
        filled.use = operand->use ? operand->use : operand->value;
        filled.filled = true;
        compiler_push(compiler, operand_compile(compiler, &filled));
    }
    return compiler_join(compiler, base, false);
}

const struct expression *operand_compile(struct compiler *compiler, const struct operand *operand)
{
    if (!check_value(compiler, operand))
        return NULL;
    if (operand->key->how.op == PREDICATE_EXISTS)
        return compile_exists(compiler, operand);
    if (operand->key->how.fieldref)
        return compile_fieldref(compiler, operand);
    if (operand->key->how.expand && !operand->filled)
        return compile_expanded(compiler, operand);
    switch (operand->key->ref.field->type) {
    case TYPE_NUMBER:
        return compile_number(compiler, operand);
    case TYPE_TIME:
        return compile_time(compiler, operand);
    case TYPE_DURATION:
        return compile_duration(compiler, operand);
    case TYPE_BOOL:
        return compile_bool(compiler, operand);
    case TYPE_FLAGS:
        return compile_flags(compiler, operand);
    default:
        return compile_text(compiler, operand);
    }
}
