#include "base/diag_report.h"

#include "base/cleanup.h"
#include "base/diag_code.h"

static void put_pair(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, text_from(key));
    if (value)
        json_text(json, text_from(value));
    else
        json_raw(json, TEXT("null"));
}

/* 0 is not known. */
static void put_number(struct json_writer *json, const char *key, size_t value)
{
    json_key(json, text_from(key));
    if (value)
        json_int(json, (int64_t)value);
    else
        json_raw(json, TEXT("null"));
}

static const char *severity_of(const struct diag *diag)
{
    return diag->severity == DIAG_ERROR ? "error" : "warning";
}

static unsigned end_of(struct mark mark)
{
    return mark.column + (mark.width ? mark.width : 1);
}

void diag_put_json(struct json_writer *json, struct diag_list *list)
{
    diag_sort(list);
    json_begin(json, '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct diag *diag = &list->items[i];

        json_begin(json, '{');
        put_pair(json, "severity", severity_of(diag));
        put_pair(json, "code", diag->code);
        put_pair(json, "message", diag->message);
        put_pair(json, "hint", diag->hint);
        put_pair(json, "file", diag->mark.file);
        put_number(json, "line", diag->mark.line);
        put_number(json, "column", diag->mark.column);
        put_number(json, "end_column", diag->mark.column ? end_of(diag->mark) : 0);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void begin_object(struct json_writer *json, const char *key)
{
    json_key(json, text_from(key));
    json_begin(json, '{');
}

/* A SARIF message. */
static void put_message(struct json_writer *json, const char *key, struct text said)
{
    begin_object(json, key);
    json_key(json, TEXT("text"));
    json_text(json, said);
    json_end(json, '}');
}

static struct text first_sentence(const char *help)
{
    const char *end = strstr(help, ". ");

    return end ? (struct text){help, (size_t)(end - help) + 1} : text_from(help);
}

static void put_rule(struct json_writer *json, const struct diag_code *code)
{
    json_begin(json, '{');
    put_pair(json, "id", code->name);
    put_message(json, "shortDescription", first_sentence(code->help));
    put_message(json, "fullDescription", text_from(code->help));
    begin_object(json, "help");
    put_pair(json, "text", code->help);
    put_pair(json, "markdown", code->help);
    json_end(json, '}');
    begin_object(json, "defaultConfiguration");
    put_pair(json, "level", code->level == DIAG_CODE_WARNING ? "warning" : "error");
    json_end(json, '}');
    json_end(json, '}');
}

static void put_tool(struct json_writer *json)
{
    size_t count;
    const struct diag_code *codes = diag_codes(&count);

    begin_object(json, "tool");
    begin_object(json, "driver");
    put_pair(json, "name", "picket");
    put_pair(json, "semanticVersion", PICKET_VERSION);
    json_key(json, TEXT("rules"));
    json_begin(json, '[');
    for (size_t i = 0; i < count; i++)
        put_rule(json, &codes[i]);
    json_end(json, ']');
    json_end(json, '}');
    json_end(json, '}');
}

/* A path as a reference of RFC 3986. */
static void put_uri(struct json_writer *json, const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/!$&'()*+,;=@";
    CLEANUP(buffer_deinit) struct buffer uri = {0};
    struct text rest = text_from(path);

    while (text_starts(rest, TEXT("./")))
        rest = (struct text){rest.ptr + 2, rest.len - 2};
    if (text_starts(rest, TEXT("/")))
        buffer_put_string(&uri, "file://");
    for (size_t i = 0; i < rest.len; i++) {
        if (memchr(plain, rest.ptr[i], sizeof plain - 1))
            buffer_put_char(&uri, rest.ptr[i]);
        else
            buffer_printf(&uri, "%%%02X", (unsigned char)rest.ptr[i]);
    }
    json->buffer->failed |= buffer_failed(&uri);
    json_key(json, TEXT("uri"));
    json_text(json, buffer_text(&uri));
}

/* A column in characters, of a column in bytes. */
static size_t in_characters(struct text line, unsigned column)
{
    size_t at = 0, count = 1;
    uint32_t code;

    for (; at + 1 < column; count++) {
        size_t len =
            at < line.len ? text_utf8((struct text){line.ptr + at, line.len - at}, &code) : 1;

        at += len ? len : 1;
    }
    return count;
}

static void put_region(struct json_writer *json, const struct diag_list *list, struct mark mark)
{
    struct text line = {0};

    begin_object(json, "region");
    put_number(json, "startLine", mark.line ? mark.line : 1);
    if (mark.column && diag_source_line(list, mark, &line)) {
        put_number(json, "startColumn", in_characters(line, mark.column));
        put_number(json, "endColumn", in_characters(line, end_of(mark)));
    }
    json_end(json, '}');
}

static void put_location(struct json_writer *json, const struct diag_list *list, struct mark mark)
{
    json_begin(json, '{');
    begin_object(json, "physicalLocation");
    begin_object(json, "artifactLocation");
    put_uri(json, mark.file);
    json_end(json, '}');
    put_region(json, list, mark);
    json_end(json, '}');
    json_end(json, '}');
}

static void put_result(struct json_writer *json, const struct diag_list *list,
                       const struct diag *diag)
{
    const struct diag_code *code = diag_code_find(text_from(diag->code));
    size_t count;

    json_begin(json, '{');
    put_pair(json, "ruleId", diag->code);
    if (code) {
        json_key(json, TEXT("ruleIndex"));
        json_int(json, code - diag_codes(&count));
    }
    put_pair(json, "level", severity_of(diag));
    put_message(json, "message", text_from(diag->message));
    json_key(json, TEXT("locations"));
    json_begin(json, '[');
    if (diag->mark.file)
        put_location(json, list, diag->mark);
    json_end(json, ']');
    json_end(json, '}');
}

void diag_put_sarif(struct json_writer *json, struct diag_list *list)
{
    diag_sort(list);
    json_begin(json, '{');
    put_pair(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    put_pair(json, "version", "2.1.0");
    json_key(json, TEXT("runs"));
    json_begin(json, '[');
    json_begin(json, '{');
    put_tool(json);
    put_pair(json, "columnKind", "unicodeCodePoints");
    json_key(json, TEXT("results"));
    json_begin(json, '[');
    for (size_t i = 0; i < list->count; i++)
        put_result(json, list, &list->items[i]);
    json_end(json, ']');
    json_end(json, '}');
    json_end(json, ']');
    json_end(json, '}');
}
