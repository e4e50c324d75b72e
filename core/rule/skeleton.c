#include "rule/skeleton.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "rule/regex.h"

/* Parts of a command line that a rule asks for, and how long they are. */
#define TOKENS_MAX      3
#define TOKEN_LEN_LEAST 3
#define TOKEN_LEN_MOST  60

#define ID_NAME_MAX 40

static struct text base_name(struct text path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/')
            return (struct text){path.ptr + i, path.len - i};
    return path;
}

static bool is_printable(struct text character)
{
    CLEANUP(buffer_deinit) struct buffer shown = {0};

    buffer_put_printable(&shown, character);
    return text_equal(buffer_text(&shown), character);
}

/* CHARACTER, which is valid UTF-8 for CODE, within double quotes. */
static void put_character(struct buffer *out, struct text character, uint32_t code)
{
    if (code == '"' || code == '\\')
        buffer_put_char(out, '\\');
    /* Of what can be shown, YAML takes all but these. */
    bool is_refused = code == 0xfeff || code == 0xfffe || code == 0xffff;

    if (is_printable(character) && !is_refused)
        buffer_put_text(out, character);
    else
        buffer_printf(out, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
}

/* T as YAML in double quotes, a byte that is not UTF-8 as U+FFFD: YAML can hold no such. */
static void put_quoted(struct buffer *out, struct text t)
{
    buffer_put_char(out, '"');
    while (t.len) {
        uint32_t code = 0xfffd;
        size_t len = text_utf8(t, &code);

        if (len)
            put_character(out, (struct text){t.ptr, len}, code);
        else
            buffer_put_string(out, "\xef\xbf\xbd");
        len = len ? len : 1;
        t = (struct text){t.ptr + len, t.len - len};
    }
    buffer_put_char(out, '"');
}

/* A regex for T: what is not UTF-8 may be any such bytes, U+FFFD among them. */
static void put_pattern(struct buffer *out, struct text t)
{
    CLEANUP(buffer_deinit) struct buffer pattern = {0};
    bool gap = false;

    while (t.len) {
        uint32_t code;
        size_t len = text_utf8(t, &code);

        if (len == 0 && !gap)
            buffer_put_string(&pattern, "[\\x80-\\xff]+");
        gap = len == 0;
        if (len == 1 && strchr(REGEX_META "]}|", t.ptr[0]) && t.ptr[0])
            buffer_put_char(&pattern, '\\');
        buffer_put(&pattern, t.ptr, len);
        len = len ? len : 1;
        t = (struct text){t.ptr + len, t.len - len};
    }
    put_quoted(out, buffer_text(&pattern));
    out->failed |= buffer_failed(&pattern);
}

static void put_match(struct buffer *out, const char *field, struct text value)
{
    bool plain = text_is_utf8(value);

    buffer_printf(out, "      %s%s: ", field, plain ? "|is" : "");
    if (plain)
        put_quoted(out, value);
    else
        put_pattern(out, value);
    buffer_put_char(out, '\n');
}

/* What the rule goes by. */
struct choice {
    const char *field; /* of the program */
    struct text value;
    const char *parent_field; /* NULL: the parent has no name */
    struct text parent;
    struct text cmdline;
    struct text tokens[TOKENS_MAX];
    size_t token_count;
};

static bool has(const struct process *process, enum field_id id, struct text value)
{
    return field_set_has(&process->has, id) && value.len > 0 && value.len <= SKELETON_TEXT_MAX &&
           !memchr(value.ptr, '\0', value.len);
}

static void choose_names(const struct event *event, struct choice *choice)
{
    const struct process *process = event->process;
    const struct process *parent = process ? process->parent : NULL;

    if (!process)
        return;
    if (event->type == EVENT_EXEC_FAILED && has(process, FIELD_FILENAME, process->filename)) {
        choice->field = "filename";
        choice->value = process->filename;
    } else if (has(process, FIELD_EXE, process->exe)) {
        choice->field = "exe";
        choice->value = process->exe;
    } else if (has(process, FIELD_COMM, process->comm)) {
        choice->field = "comm";
        choice->value = process->comm;
    }
    if (parent && has(parent, FIELD_EXE, parent->exe)) {
        choice->parent_field = "parent.exe";
        choice->parent = parent->exe;
    } else if (parent && has(parent, FIELD_COMM, parent->comm)) {
        choice->parent_field = "parent.comm";
        choice->parent = parent->comm;
    }
}

/* Words tell what is done; numbers, ids and names of temporary files are of that one time. */
static bool is_telling(struct text token)
{
    size_t digits = 0, letters = 0;

    if (token.len < TOKEN_LEN_LEAST || token.len > TOKEN_LEN_MOST || !is_printable(token) ||
        text_starts(token, TEXT("/tmp/")))
        return false;
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];

        digits += c >= '0' && c <= '9';
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    return letters > digits && digits < 6;
}

static void add_token(struct choice *choice, struct text token)
{
    if (choice->token_count == TOKENS_MAX || !is_telling(token) ||
        !text_contains(choice->cmdline, token))
        return;
    for (size_t i = 0; i < choice->token_count; i++)
        if (text_equal(choice->tokens[i], token))
            return;
    choice->tokens[choice->token_count++] = token;
}

/* Options first: they are what a command line means. */
static void choose_tokens(const struct process *process, struct choice *choice)
{
    if (!process || !field_set_has(&process->has, FIELD_CMDLINE) || process->cmdline.len == 0)
        return;
    choice->cmdline = process->cmdline;
    if (choice->cmdline.len > SKELETON_TEXT_MAX)
        choice->cmdline.len = SKELETON_TEXT_MAX;
    for (int pass = 0; pass < 2; pass++) {
        struct text rest = choice->cmdline;

        text_split(&rest, ' ');
        while (rest.ptr) {
            struct text token = text_split(&rest, ' ');

            if (text_starts(token, TEXT("-")) == (pass == 0))
                add_token(choice, token);
        }
    }
}

/* A name as it may stand in an id. */
static void put_id_part(struct buffer *out, struct text name)
{
    bool dash = true;

    for (size_t i = 0; i < name.len && i < ID_NAME_MAX; i++) {
        char c = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        else if (!good && !dash)
            c = '-';
        else if (!good)
            continue;
        dash = c == '-';
        buffer_put_char(out, c);
    }
    while (out->len && out->data[out->len - 1] == '-')
        out->len--;
}

static void put_id(struct buffer *out, const struct choice *choice)
{
    size_t begin = out->len;

    put_id_part(out, base_name(choice->value));
    if (out->len == begin)
        buffer_put_string(out, "program");
    size_t middle = out->len;

    buffer_put_string(out, "-by-");
    put_id_part(out, choice->parent_field ? base_name(choice->parent) : TEXT(""));
    if (out->len <= middle + 3)
        out->len = middle;
}

static void put_title(struct buffer *out, const struct event *event, const struct choice *choice)
{
    CLEANUP(buffer_deinit) struct buffer title = {0};

    buffer_put_printable(&title, base_name(choice->value));
    buffer_put_string(&title, event->type == EVENT_EXIT          ? " ended"
                              : event->type == EVENT_EXEC_FAILED ? " could not be run"
                                                                 : " was run");
    if (choice->parent_field) {
        buffer_put_string(&title, event->type == EVENT_EXIT ? ", started by " : " by ");
        buffer_put_printable(&title, base_name(choice->parent));
    }
    put_quoted(out, buffer_text(&title));
    out->failed |= buffer_failed(&title);
}

static void put_head(struct buffer *out, const struct event *event, struct text id,
                     const struct choice *choice)
{
    buffer_put_string(out, "  - id: ");
    if (id.ptr)
        buffer_put_text(out, id);
    else
        put_id(out, choice);
    buffer_put_string(out, "\n    title: ");
    put_title(out, event, choice);
    buffer_put_string(out, "\n    severity: medium\n");
    if (event->type != EVENT_EXEC)
        buffer_printf(out, "    on: %s\n", event_type_name(event->type));
}

static void put_tokens(struct buffer *out, const struct choice *choice)
{
    if (choice->token_count == 0)
        return;
    buffer_put_string(out, choice->token_count > 1 ? "      cmdline|contains|all:\n"
                                                   : "      cmdline|contains:\n");
    for (size_t i = 0; i < choice->token_count; i++) {
        buffer_put_string(out, "        - ");
        put_quoted(out, choice->tokens[i]);
        buffer_put_char(out, '\n');
    }
}

static void put_pair(struct buffer *out, int indent, const char *field, struct text value)
{
    buffer_printf(out, "%*s%s: ", indent, "", field);
    put_quoted(out, value);
    buffer_put_char(out, '\n');
}

/* VALUE: of the program. */
static void put_pairs(struct buffer *out, int indent, const struct choice *choice,
                      struct text value)
{
    put_pair(out, indent, choice->field, value);
    if (choice->parent_field)
        put_pair(out, indent, choice->parent_field, choice->parent);
    if (choice->cmdline.len)
        put_pair(out, indent, "cmdline", choice->cmdline);
}

/* VALUE: of the program. */
static void put_test(struct buffer *out, const char *kind, const struct choice *choice,
                     struct text value)
{
    buffer_printf(out, "      - %s:\n", kind);
    put_pairs(out, 10, choice, value);
}

/* Not the one of the event. */
static struct text other_program(const struct choice *choice)
{
    bool is_path = strcmp(choice->field, "comm") != 0;
    struct text other = is_path ? TEXT("/usr/bin/true") : TEXT("true");

    if (text_equal(choice->value, other))
        other = is_path ? TEXT("/usr/bin/false") : TEXT("false");
    return other;
}

/* As an item of `rules`. */
static void put_rule(struct buffer *out, const struct event *event, struct text id,
                     const struct choice *choice)
{
    put_head(out, event, id, choice);
    buffer_put_string(out, "    match:\n");
    put_match(out, choice->field, choice->value);
    if (choice->parent_field)
        put_match(out, choice->parent_field, choice->parent);
    put_tokens(out, choice);
    buffer_put_string(out, "    tests:\n");
    put_test(out, "alerts", choice, choice->value);
    put_test(out, "quiet", choice, other_program(choice));
}

static int choose(const struct event *event, struct choice *choice)
{
    choose_names(event, choice);
    if (!choice->field)
        return -ENODATA;
    choose_tokens(event->process, choice);
    return 0;
}

int skeleton_put(const struct event *event, struct text id, struct buffer *out)
{
    struct choice choice = {0};
    int r = choose(event, &choice);

    if (r < 0)
        return r;
    buffer_put_string(out, "rules:\n");
    put_rule(out, event, id, &choice);
    return 0;
}

/* Several events, one after the other. */
struct sequence {
    const struct event *events;
    size_t count;
    struct choice choices[SKELETON_EVENTS_MAX];
    const char *key; /* what they have in common; NULL: nothing */
    int64_t value;   /* of it */
    struct text id;
};

/* The value that the event has for a field which may keep events of different origin apart; false:
 * none, or the one of those that are of no login. */
static bool read_key(const struct event *event, const char *name, int64_t *out)
{
    struct field_ref ref;
    struct value value;

    if (field_ref_parse(text_from(name), &ref) < 0 || !event_value(event, &ref, &value))
        return false;
    *out = value.number;
    return ref.field->id != FIELD_SESSION || value.number != UINT32_MAX;
}

static void choose_key(struct sequence *sequence)
{
    static const char *const names[] = {"session", "parent.pid", "uid"};
    int64_t value;

    for (size_t i = 0; i < sizeof names / sizeof *names && !sequence->key; i++) {
        bool common = read_key(&sequence->events[0], names[i], &sequence->value);

        for (size_t k = 1; common && k < sequence->count; k++)
            common = read_key(&sequence->events[k], names[i], &value) && value == sequence->value;
        sequence->key = common ? names[i] : NULL;
    }
}

static void put_names(const struct sequence *sequence, const char *between, bool as_id,
                      struct buffer *out)
{
    for (size_t i = 0; i < sequence->count; i++) {
        size_t begin;

        buffer_put_string(out, i ? between : "");
        begin = out->len;
        if (as_id)
            put_id_part(out, base_name(sequence->choices[i].value));
        else
            buffer_put_printable(out, base_name(sequence->choices[i].value));
        if (out->len == begin)
            buffer_put_string(out, "program");
    }
}

/* The shortest of the usual timespans that holds them all. */
static const char *timespan_of(const struct sequence *sequence)
{
    static const struct {
        const char *name;
        int64_t length;
    } spans[] = {{"1m", 60 * NS_PER_S}, {"10m", 600 * NS_PER_S}, {"1h", 3600 * NS_PER_S}};
    int64_t first = sequence->events[0].time, last = first;

    for (size_t i = 0; i < sequence->count; i++) {
        int64_t time = sequence->events[i].time;

        first = time < first ? time : first;
        last = time > last ? time : last;
    }
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (last - first <= spans[i].length)
            return spans[i].name;
    return "1d";
}

/* The first COUNT of them. */
static void put_sequence_test(const struct sequence *sequence, const char *kind, size_t count,
                              struct buffer *out)
{
    buffer_printf(out, "  - %s:\n", kind);
    for (size_t i = 0; i < count; i++) {
        const struct choice *choice = &sequence->choices[i];

        buffer_printf(out, "      - type: %s\n", event_type_name(sequence->events[i].type));
        put_pairs(out, 8, choice, choice->value);
        if (sequence->key)
            buffer_printf(out, "        %s: %lld\n", sequence->key, (long long)sequence->value);
    }
}

static void put_correlation(const struct sequence *sequence, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer title = {0};

    put_names(sequence, ", then ", false, &title);
    buffer_put_string(out, "---\ntitle: ");
    put_quoted(out, buffer_text(&title));
    buffer_printf(out, "\nid: %.*s\nlevel: medium\ncorrelation:\n  type: temporal_ordered\n",
                  TEXT_ARG(sequence->id));
    buffer_put_string(out, "  rules:\n");
    for (size_t i = 0; i < sequence->count; i++)
        buffer_printf(out, "    - %.*s-%zu\n", TEXT_ARG(sequence->id), i + 1);
    if (sequence->key)
        buffer_printf(out, "  group-by: [%s]\n", sequence->key);
    buffer_printf(out, "  timespan: %s\ntests:\n", timespan_of(sequence));
    put_sequence_test(sequence, "alerts", sequence->count, out);
    put_sequence_test(sequence, "quiet", sequence->count - 1, out);
    out->failed |= buffer_failed(&title);
}

static int put_members(const struct sequence *sequence, struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer id = {0};

    buffer_put_string(out, "rules:\n");
    for (size_t i = 0; i < sequence->count; i++) {
        buffer_clear(&id);
        buffer_printf(&id, "%.*s-%zu", TEXT_ARG(sequence->id), i + 1);
        put_rule(out, &sequence->events[i], buffer_text(&id), &sequence->choices[i]);
    }
    return buffer_failed(&id) ? -ENOMEM : 0;
}

int skeleton_put_sequence(const struct event *events, size_t count, struct text id,
                          struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer made = {0};
    struct sequence sequence = {.events = events, .count = count, .id = id};

    for (size_t i = 0; i < count; i++)
        if (choose(&events[i], &sequence.choices[i]) < 0)
            return -ENODATA;
    choose_key(&sequence);
    if (!id.ptr) {
        put_names(&sequence, "-then-", true, &made);
        sequence.id = buffer_text(&made);
    }
    if (buffer_failed(&made) || put_members(&sequence, out) < 0)
        return -ENOMEM;
    put_correlation(&sequence, out);
    return 0;
}
