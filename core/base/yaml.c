#include "base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/map.h"

/* How far into the content: libyaml counts characters, and more line ends than editors do. */
struct cursor {
    size_t chars;
    size_t bytes;
    size_t line_start; /* in bytes */
    unsigned line;     /* 0-based */
};

struct anchor {
    struct yaml_node *node;
    size_t nodes;    /* that it stands for, itself included */
    unsigned height; /* levels beneath it */
    bool open;       /* its node is still being read */
};

struct reader {
    yaml_parser_t parser;
    struct text content;
    const char *file; /* the diagnostics' copy */
    struct arena *arena;
    struct diag_list *diags;
    struct cursor start;
    struct cursor cursor;
    struct mark bracket;        /* the innermost that is open; line 0: none */
    struct map anchors;         /* of this document */
    struct yaml_node **pending; /* read, not yet of a parent: a stack */
    size_t pending_count, pending_size;
    size_t nodes;     /* of this document, aliases resolved */
    unsigned deepest; /* level reached since the innermost open anchor */
};

static void reader_deinit(struct reader *reader)
{
    yaml_parser_delete(&reader->parser);
    map_deinit(&reader->anchors);
    free(reader->pending);
}

static void cursor_move(struct reader *reader, struct cursor *cursor, size_t chars)
{
    struct text content = reader->content;

    if (chars < cursor->chars)
        *cursor = reader->start;
    while (cursor->chars < chars && cursor->bytes < content.len) {
        if (content.ptr[cursor->bytes++] == '\n') {
            cursor->line++;
            cursor->line_start = cursor->bytes;
        }
        while (cursor->bytes < content.len &&
               ((unsigned char)content.ptr[cursor->bytes] & 0xc0) == 0x80)
            cursor->bytes++;
        cursor->chars++;
    }
}

static struct mark cursor_mark(const struct reader *reader, const struct cursor *cursor)
{
    return (struct mark){.file = reader->file,
                         .line = cursor->line + 1,
                         .column = (unsigned)(cursor->bytes - cursor->line_start) + 1};
}

/* A mark for what stands between two of libyaml's; of several lines, what is on the first. */
static struct mark place(struct reader *reader, const yaml_mark_t *from, const yaml_mark_t *to)
{
    cursor_move(reader, &reader->cursor, from->index);
    struct cursor end = reader->cursor;
    struct mark mark = cursor_mark(reader, &end);

    cursor_move(reader, &end, to->index);
    struct text covered = {reader->content.ptr + reader->cursor.bytes,
                           end.bytes > reader->cursor.bytes ? end.bytes - reader->cursor.bytes : 0};
    struct text line = text_split(&covered, '\n');

    while (line.len && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    mark.width = (unsigned)line.len;
    return mark;
}

/* What libyaml says, in words that help who wrote it. */
struct problem {
    const char *said;
    const char *meant;
    bool at_context; /* the mistake is where the construct begins, not where it was noticed */
};

static const struct problem problems[] = {
    {"mapping values are not allowed in this context",
     "a ':' cannot stand here: quote the value, or check the indentation", false},
    {"did not find expected key", "expected a key here: check the indentation and the quotes",
     false},
    {"could not find expected ':'", "expected ':' behind this key", true},
    {"did not find expected '-' indicator",
     "expected '- ' and the next item of the list: check the indentation", false},
    {"block sequence entries are not allowed in this context", "a list cannot begin here", false},
    {"mapping keys are not allowed in this context", "a key cannot begin here", false},
    {"found unexpected end of stream", "this quote is never closed", true},
    {"found unexpected document indicator", "this quote is never closed", true},
    {"found unknown escape character",
     "unknown escape in double quotes: write the text in single quotes, or '\\\\' for a backslash",
     false},
    {"did not find expected hexdecimal number", "expected hexadecimal digits in this escape",
     false},
    {"did not find expected ',' or ']'",
     "expected ',' or ']': in a [list], a text with brackets, braces or commas needs quotes",
     false},
    {"did not find expected ',' or '}'",
     "expected ',' or '}': in a {map}, a text with brackets, braces or commas needs quotes", false},
    {"did not find expected node content", "expected a value here", false},
    {"did not find expected <document start>", "expected '---' or the end of the file here", false},
    {"found unexpected ':'", "a ':' here needs a blank behind it, or the text quotes", false},
    {"found a tab character where an indentation space is expected",
     "a tab cannot indent: use spaces", false},
    {"found a tab character that violates indentation", "a tab cannot indent: use spaces", false},
};

static bool at_tab(const struct reader *reader)
{
    size_t at = reader->cursor.bytes;

    return at < reader->content.len && reader->content.ptr[at] == '\t';
}

/* The file ends where a bracket wants more. */
static bool lacks_bracket(const struct reader *reader)
{
    struct text problem = text_from(reader->parser.problem);

    return reader->bracket.line && reader->cursor.bytes == reader->content.len &&
           (text_starts(problem, TEXT("did not find expected ',' or")) ||
            text_is(problem, "did not find expected node content"));
}

static int diagnose_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const struct problem *known = NULL;

    if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        if (strcmp(parser->problem, problems[i].said) == 0)
            known = &problems[i];
    const yaml_mark_t *where =
        known && known->at_context ? &parser->context_mark : &parser->problem_mark;
    struct mark mark = place(reader, where, where);

    if (lacks_bracket(reader))
        diag_error(reader->diags, reader->bracket, "yaml-syntax", "this bracket is never closed");
    else if (strcmp(parser->problem, "found character that cannot start any token") != 0)
        diag_error(reader->diags, mark, "yaml-syntax", "%s",
                   known ? known->meant : parser->problem);
    else if (at_tab(reader))
        diag_error(reader->diags, mark, "yaml-syntax", "a tab cannot indent: use spaces");
    else
        diag_error(reader->diags, mark, "yaml-syntax",
                   "a value cannot begin with this character: put the value in quotes");
    return -EINVAL;
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) ? 0 : diagnose_syntax(reader);
}

static int push(struct reader *reader, struct yaml_node *node)
{
    if (reader->pending_count == reader->pending_size) {
        size_t size = reader->pending_size ? reader->pending_size * 2 : 64;
        void *pending = reallocarray(reader->pending, size, sizeof(struct yaml_node *));

        if (!pending)
            return -ENOMEM;
        reader->pending = pending;
        reader->pending_size = size;
    }
    reader->pending[reader->pending_count++] = node;
    return 0;
}

static int count_nodes(struct reader *reader, size_t nodes, struct mark mark)
{
    reader->nodes += nodes;
    if (reader->nodes <= YAML_NODES_MAX)
        return 0;
    diag_error(reader->diags, mark, "yaml-too-large",
               "the document has more than %d values, aliases resolved", YAML_NODES_MAX);
    return -EINVAL;
}

static int check_depth(struct reader *reader, unsigned depth, struct mark mark)
{
    if (depth > reader->deepest)
        reader->deepest = depth;
    if (depth <= YAML_DEPTH_MAX)
        return 0;
    diag_error(reader->diags, mark, "yaml-too-deep", "nested deeper than %d levels",
               YAML_DEPTH_MAX);
    return -EINVAL;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct yaml_node *node)
{
    struct text text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    yaml_scalar_style_t style = event->data.scalar.style;

    node->kind = YAML_SCALAR;
    node->plain = style == YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_text(reader->arena, text);
    if (!node->text.ptr)
        return -ENOMEM;
    size_t from = reader->cursor.bytes + (node->plain ? 0 : 1);
    bool one_line = node->plain || style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                    style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;

    node->verbatim = one_line && !text_contains(text, TEXT("\n")) &&
                     from + text.len <= reader->content.len &&
                     text_equal(text, (struct text){reader->content.ptr + from, text.len});
    if (!text.len || !memchr(text.ptr, '\0', text.len))
        return 0;
    diag_error(reader->diags, node->mark, "bad-character",
               "the text holds a NUL (\\0), which no value of an event ever does");
    return -EINVAL;
}

static int read_node(struct reader *reader, const yaml_event_t *event, unsigned depth);

/* Reads nodes onto the stack until the END event. A mark with a width (of a flow collection) is
 * widened to its closing bracket when that is on the same line. */
static int read_items(struct reader *reader, struct yaml_node *node, yaml_event_type_t end,
                      unsigned depth)
{
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        int r = next_event(reader, &event);

        if (r < 0)
            return r;
        if (event.type != end) {
            r = read_node(reader, &event, depth);
            if (r < 0)
                return r;
            continue;
        }
        struct cursor last = reader->cursor;

        cursor_move(reader, &last, event.end_mark.index);
        if (node->mark.width && last.line + 1 == node->mark.line)
            node->mark.width = (unsigned)(last.bytes - last.line_start) + 1 - node->mark.column;
        return 0;
    }
}

/* Pops what was pushed since BASE into an array of the arena, every STRIDE-th from FIRST on. */
static struct yaml_node **take_items(struct reader *reader, size_t base, size_t first,
                                     size_t stride)
{
    size_t count = (reader->pending_count - base) / stride;
    struct yaml_node **items = arena_array(reader->arena, count, sizeof(struct yaml_node *));

    for (size_t i = 0; items && i < count; i++)
        items[i] = reader->pending[base + first + i * stride];
    return items;
}

/* Notes the bracket that EVENT, the begin of a flow collection, stands for; a pair within a list
 * is a map that has none. */
static void open_bracket(struct reader *reader, const yaml_event_t *event)
{
    yaml_mark_t at = event->end_mark;

    if (at.index == 0)
        return;
    at.index--;
    struct mark mark = place(reader, &at, &at);
    char c = reader->content.ptr[reader->cursor.bytes];

    if (c == '[' || c == '{')
        reader->bracket = mark;
}

static int read_list(struct reader *reader, const yaml_event_t *event, struct yaml_node *node,
                     unsigned depth)
{
    size_t base = reader->pending_count;
    struct mark outer = reader->bracket;

    node->kind = YAML_LIST;
    node->mark.width = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    if (node->mark.width)
        open_bracket(reader, event);
    int r = read_items(reader, node, YAML_SEQUENCE_END_EVENT, depth + 1);

    if (r < 0)
        return r;
    reader->bracket = outer;
    node->count = reader->pending_count - base;
    node->items = take_items(reader, base, 0, 1);
    reader->pending_count = base;
    return node->items ? 0 : -ENOMEM;
}

/* Drops pairs whose key is no text or has been seen, with a diagnostic each. */
static int check_keys(struct reader *reader, struct yaml_node *node)
{
    CLEANUP(map_deinit) struct map seen = {0};
    size_t kept = 0;

    for (size_t i = 0; i < node->count; i++) {
        struct yaml_node *key = node->keys[i];

        if (key->kind != YAML_SCALAR) {
            diag_error(reader->diags, key->mark, "bad-key", "a key must be a text");
            continue;
        }
        int r = map_add(&seen, key->text, key);

        if (r == -ENOMEM)
            return r;
        if (r == -EEXIST) {
            const struct yaml_node *first = map_get(&seen, key->text);

            diag_error(reader->diags, key->mark, "duplicate-key",
                       "key '%.*s' is given twice, first at line %u", TEXT_ARG(key->text),
                       first->mark.line);
            continue;
        }
        node->keys[kept] = key;
        node->items[kept++] = node->items[i];
    }
    node->count = kept;
    return 0;
}

static int read_map(struct reader *reader, const yaml_event_t *event, struct yaml_node *node,
                    unsigned depth)
{
    size_t base = reader->pending_count;
    struct mark outer = reader->bracket;

    node->kind = YAML_MAP;
    node->mark.width = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    if (node->mark.width)
        open_bracket(reader, event);
    int r = read_items(reader, node, YAML_MAPPING_END_EVENT, depth + 1);

    if (r < 0)
        return r;
    reader->bracket = outer;
    node->count = (reader->pending_count - base) / 2;
    node->keys = take_items(reader, base, 0, 2);
    node->items = take_items(reader, base, 1, 2);
    reader->pending_count = base;
    if (!node->keys || !node->items)
        return -ENOMEM;
    r = check_keys(reader, node);
    if (node->mark.width == 0 && node->count)
        node->mark.width = node->keys[0]->mark.width;
    return r;
}

static const yaml_char_t *anchor_name(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* The anchor that EVENT sets, if it does: a later one of the same name takes over. */
static int open_anchor(struct reader *reader, const yaml_event_t *event, struct yaml_node *node,
                       struct anchor **out)
{
    const char *name = (const char *)anchor_name(event);

    *out = NULL;
    if (!name)
        return 0;
    struct anchor *anchor = map_get(&reader->anchors, text_from(name));

    if (!anchor) {
        char *key = arena_string(reader->arena, name);

        anchor = key ? arena_alloc(reader->arena, sizeof *anchor) : NULL;
        if (!anchor || map_add(&reader->anchors, text_from(key), anchor) < 0)
            return -ENOMEM;
    }
    *anchor = (struct anchor){.node = node, .nodes = reader->nodes, .open = true};
    *out = anchor;
    return 0;
}

static int read_alias(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct anchor *anchor = map_get(&reader->anchors, text_from(name));
    struct mark mark = place(reader, &event->start_mark, &event->end_mark);

    if (!anchor || anchor->open) {
        diag_error(reader->diags, mark, "unknown-alias",
                   anchor ? "alias '*%s' stands within what it names"
                          : "alias '*%s' names no anchor ('&%s') before it; "
                            "quote a value that begins with '*'",
                   name, name);
        return -EINVAL;
    }
    int r = count_nodes(reader, anchor->nodes, mark);

    if (r == 0)
        r = check_depth(reader, depth + anchor->height, mark);
    return r < 0 ? r : push(reader, anchor->node);
}

static int read_content(struct reader *reader, const yaml_event_t *event, struct yaml_node *node,
                        unsigned depth)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event, node);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reader, event, node, depth);
    default:
        return read_map(reader, event, node, depth);
    }
}

/* Reads the node that EVENT begins and pushes it. */
static int read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event, depth);
    struct yaml_node *node = arena_alloc(reader->arena, sizeof *node);
    unsigned deepest = reader->deepest;
    struct anchor *anchor;

    if (!node)
        return -ENOMEM;
    node->mark = place(reader, &event->start_mark, &event->end_mark);
    int r = open_anchor(reader, event, node, &anchor);

    if (anchor)
        reader->deepest = depth;
    if (r == 0)
        r = check_depth(reader, depth, node->mark);
    if (r == 0)
        r = count_nodes(reader, 1, node->mark);
    if (r == 0)
        r = read_content(reader, event, node, depth);
    if (r < 0)
        return r;
    /* The name may have been taken over by an anchor within this node. */
    if (anchor && anchor->node == node) {
        anchor->open = false;
        anchor->nodes = reader->nodes - anchor->nodes;
        anchor->height = reader->deepest - depth;
    }
    if (deepest > reader->deepest)
        reader->deepest = deepest;
    return push(reader, node);
}

/* Reads the rest of a document; its root is pushed. */
static int read_document(struct reader *reader)
{
    map_deinit(&reader->anchors);
    reader->nodes = 0;
    reader->deepest = 0;
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        int r = next_event(reader, &event);

        if (r < 0 || event.type == YAML_DOCUMENT_END_EVENT)
            return r;
        r = read_node(reader, &event, 1);
        if (r < 0)
            return r;
    }
}

static int read_stream(struct reader *reader, size_t *complete)
{
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        int r = next_event(reader, &event);

        if (r < 0 || event.type == YAML_STREAM_END_EVENT)
            return r;
        if (event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        r = read_document(reader);
        if (r < 0)
            return r;
        struct yaml_node **root = &reader->pending[reader->pending_count - 1];

        if ((*root)->kind == YAML_SCALAR && (*root)->plain && (*root)->text.len == 0)
            *root = NULL;
        *complete = reader->pending_count;
    }
}

/* What YAML allows in a file (YAML 1.1, section 5.1). */
static bool is_allowed(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    return code != 0x7f && (code < 0x80 || code > 0x9f || code == 0x85) && code != 0xfffe &&
           code != 0xffff;
}

static const char *character_fault(size_t len, uint32_t code)
{
    if (len == 0)
        return "the file is not UTF-8 here";
    if (code == 0)
        return "the file holds a NUL byte";
    return is_allowed(code) ? NULL : "the file holds a control character";
}

/* libyaml would say it too, but without a line. */
static bool check_characters(struct reader *reader)
{
    struct cursor at = reader->start;

    while (at.bytes < reader->content.len) {
        uint32_t code = 0;

        struct text rest = {reader->content.ptr + at.bytes, reader->content.len - at.bytes};
        size_t len = text_utf8(rest, &code);
        const char *fault = character_fault(len, code);

        if (fault) {
            diag_error(reader->diags, cursor_mark(reader, &at), "bad-character", "%s (byte 0x%02x)",
                       fault, (unsigned)(unsigned char)rest.ptr[0]);
            return false;
        }
        at.bytes += len;
        if (code == '\n') {
            at.line++;
            at.line_start = at.bytes;
        }
    }
    return true;
}

static int reader_init(struct reader *reader, struct text content, const char *file)
{
    reader->file = diag_add_source(reader->diags, file, content);
    if (reader->diags->failed || !yaml_parser_initialize(&reader->parser))
        return -ENOMEM;
    reader->content = content;
    /* A byte order mark is none of the text, and would count as indentation. */
    if (text_starts(content, TEXT("\xef\xbb\xbf")))
        reader->start.bytes = reader->start.line_start = 3;
    reader->cursor = reader->start;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser,
                                 (const unsigned char *)content.ptr + reader->start.bytes,
                                 content.len - reader->start.bytes);
    return 0;
}

int yaml_read(struct text content, const char *file, struct arena *arena, struct diag_list *diags,
              struct yaml_documents *out)
{
    CLEANUP(reader_deinit) struct reader reader = {.arena = arena, .diags = diags};
    size_t complete = 0;
    int r = reader_init(&reader, content, file);

    if (r < 0)
        return r;
    if (check_characters(&reader))
        r = read_stream(&reader, &complete);
    if (r == -ENOMEM || diags->failed)
        return -ENOMEM;
    reader.pending_count = complete;
    *out = (struct yaml_documents){.roots = take_items(&reader, 0, 0, 1), .count = complete};
    return out->roots ? 0 : -ENOMEM;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
        if (text_is(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

struct mark yaml_mark_inside(const struct yaml_node *node, size_t offset, size_t width)
{
    struct mark mark = node->mark;

    if (!node->verbatim || offset > node->text.len)
        return mark;
    mark.column += (unsigned)offset + (node->plain ? 0 : 1);
    mark.width = (unsigned)width;
    return mark;
}

static bool is_word_of(const struct yaml_node *node, const char *const *words)
{
    if (node->kind != YAML_SCALAR || !node->plain)
        return false;
    while (*words && !text_is(node->text, *words))
        words++;
    return *words != NULL;
}

bool yaml_is_bool(const struct yaml_node *node, bool *out)
{
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};

    if (!is_word_of(node, yes) && !is_word_of(node, no))
        return false;
    *out = is_word_of(node, yes);
    return true;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL", NULL};

    return is_word_of(node, null);
}

bool yaml_is_text(const struct yaml_node *node)
{
    return node && node->kind == YAML_SCALAR && node->text.len > 0 && !yaml_is_null(node);
}
