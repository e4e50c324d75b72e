#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

void diag_list_deinit(struct diag_list *list)
{
    map_deinit(&list->sources);
    arena_deinit(&list->arena);
    free(list->items);
    *list = (struct diag_list){0};
}

static struct diag_source *find_source(const struct diag_list *list, const char *file)
{
    return file ? map_get(&list->sources, text_from(file)) : NULL;
}

static struct diag_source *new_source(struct diag_list *list, const char *file)
{
    struct diag_source *source = arena_alloc(&list->arena, sizeof *source);
    const char *kept = arena_string(&list->arena, file);

    if (!source || !kept)
        return NULL;
    *source = (struct diag_source){.file = kept, .rank = list->sources.count};
    return map_add(&list->sources, text_from(kept), source) == 0 ? source : NULL;
}

const char *diag_add_source(struct diag_list *list, const char *file, struct text content)
{
    struct diag_source *source = find_source(list, file);

    if (!source)
        source = new_source(list, file);
    if (source)
        source->content = arena_text(&list->arena, content);
    if (source && source->content.ptr)
        return source->file;
    list->failed = true;
    return NULL;
}

/* A message that quotes a long text keeps its front and its end. */
#define MESSAGE_PART_MAX ((size_t)200)

static bool is_inside_character(struct text t, size_t at)
{
    return at < t.len && ((unsigned char)t.ptr[at] & 0xc0) == 0x80;
}

/* T in LIST's arena, without its middle when it is long. */
static const char *keep_message(struct diag_list *list, struct text t)
{
    size_t front = MESSAGE_PART_MAX, end = t.len - MESSAGE_PART_MAX;

    if (t.len <= 2 * MESSAGE_PART_MAX)
        return arena_text(&list->arena, t).ptr;
    for (unsigned back = 0; back < 3 && is_inside_character(t, front); back++)
        front--;
    for (unsigned on = 0; on < 3 && is_inside_character(t, end); on++)
        end++;
    return arena_printf(&list->arena, "%.*s\xe2\x80\xa6%.*s", (int)front, t.ptr, (int)(t.len - end),
                        t.ptr + end);
}

/* FILE in LIST's arena: what a mark names may be gone before it is shown. */
static const char *keep_file(struct diag_list *list, const char *file)
{
    const struct diag_source *source = find_source(list, file);
    const char *last = list->count ? list->items[list->count - 1].mark.file : NULL;

    if (source || !file)
        return source ? source->file : NULL;
    if (last && strcmp(last, file) == 0)
        return last;
    const char *kept = arena_string(&list->arena, file);

    list->failed |= !kept;
    return kept;
}

__attribute__((format(printf, 3, 0))) static void add(struct diag_list *list, struct diag diag,
                                                      const char *format, va_list args)
{
    CLEANUP(buffer_deinit) struct buffer message = {0};

    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : 16;
        struct diag *items = reallocarray(list->items, size, sizeof *items);

        if (!items) {
            list->failed = true;
            return;
        }
        list->items = items;
        list->size = size;
    }
    buffer_vprintf(&message, format, args);
    diag.message = keep_message(list, buffer_text(&message));
    diag.mark.file = keep_file(list, diag.mark.file);
    diag.hint = list->hint;
    list->hint = NULL;
    if (!diag.message || buffer_failed(&message)) {
        list->failed = true;
        return;
    }
    diag.order = (unsigned)list->count;
    list->items[list->count++] = diag;
    *(diag.severity == DIAG_ERROR ? &list->errors : &list->warnings) += 1;
}

void diag_error(struct diag_list *list, struct mark mark, const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(list, (struct diag){.severity = DIAG_ERROR, .code = code, .mark = mark}, format, args);
    va_end(args);
}

void diag_warning(struct diag_list *list, struct mark mark, const char *code, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    add(list, (struct diag){.severity = DIAG_WARNING, .code = code, .mark = mark}, format, args);
    va_end(args);
}

const char *diag_hint(struct diag_list *list, const char *nearest)
{
    if (!nearest)
        return "";
    const char *tail = arena_printf(&list->arena, "; did you mean '%s'?", nearest);

    list->hint = arena_string(&list->arena, nearest);
    list->failed |= !tail || !list->hint;
    return tail ? tail : "";
}

size_t diag_allow(struct diag_list *list, const char *code)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct diag *diag = &list->items[i];

        if (diag->severity != DIAG_WARNING || strcmp(diag->code, code) != 0)
            list->items[kept++] = *diag;
    }
    size_t allowed = list->count - kept;

    list->count = kept;
    list->warnings -= allowed;
    return allowed;
}

static int compare_unsigned(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;
    int order = compare_unsigned(a->rank, b->rank);

    if (order == 0)
        order = compare_unsigned(a->mark.line, b->mark.line);
    if (order == 0)
        order = compare_unsigned(a->mark.column, b->mark.column);
    return order ? order : compare_unsigned(a->order, b->order);
}

/* Without a file, or of one that was not added: behind all. */
void diag_sort(struct diag_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct diag_source *source = find_source(list, list->items[i].mark.file);

        list->items[i].rank = source ? source->rank : SIZE_MAX;
    }
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

bool diag_source_line(const struct diag_list *list, struct mark mark, struct text *out)
{
    const struct diag_source *source = find_source(list, mark.file);

    if (!source || mark.line == 0)
        return false;
    struct text rest = source->content;

    for (unsigned line = 1; line < mark.line && rest.ptr; line++)
        text_split(&rest, '\n');
    if (!rest.ptr)
        return false;
    *out = text_split(&rest, '\n');
    if (text_ends(*out, TEXT("\r")))
        out->len--;
    return true;
}

void diag_hide(struct diag_list *list, struct mark mark)
{
    struct text line;

    if (!diag_source_line(list, mark, &line) || mark.column == 0 || mark.column > line.len)
        return;
    size_t at = mark.column - 1;
    size_t len = mark.width < line.len - at ? mark.width : line.len - at;

    /* The list's own copy of the source. */
    memset((char *)line.ptr + at, '*', len);
}

/* Longer lines are shown as a window around the mark. */
#define SHOWN_LINE_MAX 160

/* How many bytes the character at the front of T has: one if they are no UTF-8. */
static size_t character_length(struct text t)
{
    uint32_t code;
    size_t len = text_utf8(t, &code);

    return len ? len : 1;
}

/* The part of LINE that is shown; *AT, the mark in it, moves along. */
static struct text window(struct text line, size_t *at)
{
    size_t skip = 0, end = line.len;

    if (line.len > SHOWN_LINE_MAX) {
        size_t mark = *at < line.len ? *at : line.len;

        skip = mark > SHOWN_LINE_MAX / 2 ? mark - SHOWN_LINE_MAX / 2 : 0;
        for (unsigned back = 0; back < 3 && skip > 0 && is_inside_character(line, skip); back++)
            skip--;
        end = line.len - skip > SHOWN_LINE_MAX ? skip + SHOWN_LINE_MAX : line.len;
        for (unsigned back = 0; back < 3 && is_inside_character(line, end); back++)
            end--;
    }
    *at -= skip;
    return (struct text){line.ptr + skip, end - skip};
}

/* Tabs as they are, so that the caret lines up; nothing else that moves a cursor. */
static void put_character(struct buffer *out, struct text character)
{
    size_t before = out->len;

    if (text_equal(character, TEXT("\t"))) {
        buffer_put_char(out, '\t');
        return;
    }
    buffer_put_printable(out, character);
    if (out->len - before != character.len) {
        out->len = before;
        buffer_put_char(out, '?');
    }
}

/* The caret line: a cell for each character, not for each of its bytes. */
static void put_caret(struct buffer *out, struct text shown, size_t at, unsigned width, bool colour)
{
    size_t i = 0;

    while (i < at && i < shown.len) {
        buffer_put_char(out, shown.ptr[i] == '\t' ? '\t' : ' ');
        i += character_length((struct text){shown.ptr + i, shown.len - i});
    }
    buffer_put_string(out, colour ? "\033[1;32m^" : "^");
    while (i < shown.len) {
        i += character_length((struct text){shown.ptr + i, shown.len - i});
        if (i >= at + width || i >= shown.len)
            break;
        buffer_put_char(out, '~');
    }
    buffer_put_string(out, colour ? "\033[0m\n" : "\n");
}

static void render_source(const struct diag *diag, struct text line, bool colour,
                          struct buffer *out)
{
    size_t at = diag->mark.column ? diag->mark.column - 1 : 0;
    size_t before = out->len;

    struct text shown = window(line, &at);

    buffer_printf(out, "%5u", diag->mark.line);
    size_t margin = out->len - before;

    buffer_put_string(out, " | ");
    for (size_t i = 0, len; i < shown.len; i += len) {
        len = character_length((struct text){shown.ptr + i, shown.len - i});
        put_character(out, (struct text){shown.ptr + i, len});
    }
    buffer_printf(out, "\n%*s | ", (int)margin, "");
    put_caret(out, shown, at, diag->mark.width, colour);
}

void diag_render(const struct diag_list *list, const struct diag *diag, bool colour,
                 struct buffer *out)
{
    bool error = diag->severity == DIAG_ERROR;
    struct text line;

    if (diag->mark.file) {
        buffer_put_printable(out, text_from(diag->mark.file));
        if (diag->mark.line)
            buffer_printf(out, ":%u", diag->mark.line);
        if (diag->mark.column)
            buffer_printf(out, ":%u", diag->mark.column);
        buffer_put_string(out, ": ");
    }
    if (colour)
        buffer_put_string(out, error ? "\033[1;31m" : "\033[1;35m");
    buffer_put_string(out, error ? "error:" : "warning:");
    buffer_put_string(out, colour ? "\033[0m " : " ");
    buffer_put_printable(out, text_from(diag->message));
    buffer_printf(out, " [%s]\n", diag->code);
    if (diag->mark.file && diag_source_line(list, diag->mark, &line))
        render_source(diag, line, colour, out);
}

void diag_render_all(struct diag_list *list, bool colour, struct buffer *out)
{
    diag_sort(list);
    for (size_t i = 0; i < list->count; i++)
        diag_render(list, &list->items[i], colour, out);
}
