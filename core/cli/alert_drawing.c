#include "cli/alert_drawing.h"

#include "base/clock.h"
#include "cli/alert_listing.h"
#include "cli/moment.h"
#include "presentation/alert_tree.h"
#include "rule/rule.h"

#define INDENT      2
#define LABEL_WIDTH 13
#define DEEPEST     24 /* levels that are drawn as deep as they are */

#define ANCESTORS_MAX 64

/* Of a text of an ancestor, which is there to be recognized. */
#define ANCESTOR_TEXT_MAX 256

#define BOLD "\033[1m"
#define DIM  "\033[2m"

static void put_look(const struct alert_drawing *drawing, const char *look)
{
    if (drawing->colour)
        buffer_put_string(drawing->out, look);
}

static void indent(const struct alert_drawing *drawing, size_t depth)
{
    for (size_t i = 0; i < INDENT * (depth < DEEPEST ? depth : DEEPEST); i++)
        buffer_put_char(drawing->out, ' ');
}

static void put_front(const struct alert_drawing *drawing, struct text t, size_t most)
{
    struct text front = text_clip(t, most);

    buffer_put_printable(drawing->out, front);
    if (front.len < t.len)
        buffer_printf(drawing->out, "… and %zu bytes more", t.len - front.len);
}

static void put_text(const struct alert_drawing *drawing, struct text t)
{
    put_front(drawing, t, DRAWING_TEXT_MAX);
}

static void end_line(const struct alert_drawing *drawing)
{
    buffer_put_char(drawing->out, '\n');
}

static void put_label(const struct alert_drawing *drawing, size_t depth, struct text label)
{
    indent(drawing, depth);
    put_look(drawing, DIM);
    put_text(drawing, label);
    put_look(drawing, COLOUR_END);
    for (size_t used = label.len; used < LABEL_WIDTH; used++)
        buffer_put_char(drawing->out, ' ');
    buffer_put_string(drawing->out, "  ");
}

void alert_drawing_heading(const struct alert_drawing *drawing, const char *heading)
{
    end_line(drawing);
    put_look(drawing, BOLD);
    buffer_put_string(drawing->out, heading);
    put_look(drawing, COLOUR_END);
    end_line(drawing);
}

static void put_row(const struct alert_drawing *drawing, size_t depth, const char *label,
                    struct text value)
{
    if (!value.ptr)
        return;
    put_label(drawing, depth, text_from(label));
    put_text(drawing, value);
    end_line(drawing);
}

void alert_drawing_row(const struct alert_drawing *drawing, struct text label, struct text value)
{
    put_label(drawing, 1, label);
    put_text(drawing, value);
    end_line(drawing);
}

static bool is_scalar(const json_t *value)
{
    return value && !json_is_object(value) && !json_is_array(value);
}

static void put_scalar(const struct alert_drawing *drawing, const json_t *value)
{
    if (json_is_string(value))
        put_text(drawing, json_as_text(value));
    else if (json_is_integer(value))
        buffer_put_int(drawing->out, json_integer_value(value));
    else if (json_is_real(value))
        buffer_printf(drawing->out, "%g", json_real_value(value));
    else
        buffer_put_string(drawing->out, json_is_true(value)    ? "true"
                                        : json_is_false(value) ? "false"
                                                               : "none");
}

static bool is_plain_list(const json_t *value)
{
    const json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
    {
        if (!is_scalar(item))
            return false;
    }
    return json_array_size(value) > 0;
}

static void put_plain(const struct alert_drawing *drawing, const json_t *value)
{
    const json_t *item;
    size_t i;

    if (is_scalar(value)) {
        put_scalar(drawing, value);
        return;
    }
    json_array_foreach(value, i, item)
    {
        if (i > 0)
            buffer_put_string(drawing->out, ", ");
        put_scalar(drawing, item);
    }
}

/* Anything: a line for each value, each list's objects apart. */
static void put_tree(const struct alert_drawing *drawing, size_t depth, const json_t *tree)
{
    const char *key;
    json_t *item;
    size_t i;

    json_object_foreach((json_t *)tree, key, item)
    {
        if (is_scalar(item) || is_plain_list(item)) {
            put_label(drawing, depth, text_from(key));
            put_plain(drawing, item);
            end_line(drawing);
            continue;
        }
        indent(drawing, depth);
        put_look(drawing, DIM);
        put_text(drawing, text_from(key));
        put_look(drawing, COLOUR_END);
        end_line(drawing);
        put_tree(drawing, depth + 1, item);
    }
    json_array_foreach(tree, i, item)
    {
        if (i > 0)
            end_line(drawing);
        put_tree(drawing, depth, item);
    }
}

static struct text text_at(const json_t *tree, const char *path)
{
    return alert_tree_text(tree, text_from(path));
}

static void put_path(const struct alert_drawing *drawing, size_t depth, const json_t *tree,
                     const char *path, const char *label)
{
    const json_t *value = alert_tree_find(tree, text_from(path));

    if (!is_scalar(value) && !is_plain_list(value))
        return;
    put_label(drawing, depth, text_from(label));
    put_plain(drawing, value);
    end_line(drawing);
}

/* A time as people read it; as it stands there when it is none. */
static void put_time(const struct alert_drawing *drawing, struct text time)
{
    int64_t ns;

    if (time_parse(time, &ns) < 0)
        put_text(drawing, time);
    else
        moment_put_exact(drawing->out, ns);
}

static void put_headline(const struct alert_drawing *drawing, const json_t *alert)
{
    struct text word = text_at(alert, "rule.severity"), title = text_at(alert, "rule.title");
    enum severity severity;

    put_look(drawing, severity_parse(word, &severity) == 0 ? severity_colour(severity) : BOLD);
    put_text(drawing, word);
    put_look(drawing, COLOUR_END);
    buffer_put_string(drawing->out, "  ");
    put_look(drawing, BOLD);
    put_text(drawing, text_at(alert, "rule.id"));
    put_look(drawing, COLOUR_END);
    if (title.len) {
        buffer_put_string(drawing->out, "  ");
        put_text(drawing, title);
    }
    end_line(drawing);
    put_text(drawing, text_at(alert, "message"));
    end_line(drawing);
}

static void put_folded(const struct alert_drawing *drawing, const json_t *alert)
{
    const json_t *count = alert_tree_find(alert, TEXT("folded.count"));

    if (!json_is_integer(count))
        return;
    put_label(drawing, 1, TEXT("folded"));
    buffer_put_int(drawing->out, json_integer_value(count));
    buffer_put_string(drawing->out, " more like it since ");
    put_time(drawing, text_at(alert, "folded.since"));
    end_line(drawing);
}

static void put_facts(const struct alert_drawing *drawing, const json_t *alert)
{
    end_line(drawing);
    put_row(drawing, 1, "alert", text_at(alert, "id"));
    put_label(drawing, 1, TEXT("time"));
    put_time(drawing, text_at(alert, "time"));
    end_line(drawing);
    put_folded(drawing, alert);
    put_row(drawing, 1, "host", text_at(alert, "host.name"));
    put_row(drawing, 1, "kernel", text_at(alert, "host.kernel"));
    put_path(drawing, 1, alert, "host.filters", "not seen");
    put_path(drawing, 1, alert, "rule.tags", "tags");
    put_row(drawing, 1, "about", text_at(alert, "rule.description"));
    put_row(drawing, 1, "author", text_at(alert, "rule.author"));
    put_path(drawing, 1, alert, "rule.references", "see");
    put_path(drawing, 1, alert, "rule.false_positives", "may be");
}

/* `exe startswith "/tmp/": "/tmp/x"  rules/origin.yaml:3:21` */
static void put_reason(const struct alert_drawing *drawing, const json_t *reason)
{
    struct text operator= text_at(reason, "operator"), value = text_at(reason, "value");

    indent(drawing, 1);
    put_text(drawing, text_at(reason, "field"));
    buffer_put_char(drawing->out, ' ');
    put_text(drawing, operator.ptr ? operator : TEXT("matches"));
    buffer_put_char(drawing->out, ' ');
    put_text(drawing, text_at(reason, "pattern"));
    put_look(drawing, DIM);
    buffer_put_string(drawing->out, "  ");
    put_text(drawing, text_at(reason, "at"));
    put_look(drawing, COLOUR_END);
    end_line(drawing);
    indent(drawing, 3);
    if (value.ptr)
        put_text(drawing, value);
    else
        buffer_put_string(drawing->out, "it is not there");
    end_line(drawing);
}

static void put_reasons(const struct alert_drawing *drawing, const json_t *alert)
{
    const json_t *reasons = json_object_get(alert, "matched"), *reason;
    size_t i;

    if (json_array_size(reasons) == 0)
        return;
    alert_drawing_heading(drawing, "Why");
    json_array_foreach(reasons, i, reason) put_reason(drawing, reason);
    if (json_is_true(json_object_get(alert, "matched_truncated"))) {
        indent(drawing, 1);
        buffer_put_string(drawing->out, "… and more\n");
    }
}

/* The event's process first, its outermost ancestor last. */
struct forebears {
    const json_t *processes[ANCESTORS_MAX + 1];
    size_t count;
};

static struct forebears find_lineage(const json_t *event)
{
    struct forebears forebears = {.count = 0};

    while (json_is_object(event) && forebears.count <= ANCESTORS_MAX) {
        forebears.processes[forebears.count++] = event;
        event = json_object_get(event, "parent");
    }
    return forebears;
}

/* `sshd (812)  root  2026-01-01 00:00:05` */
static void put_process_name(const struct alert_drawing *drawing, const json_t *process)
{
    const json_t *pid = json_object_get(process, "pid"), *uid = json_object_get(process, "uid");
    struct text comm = text_at(process, "comm"), user = text_at(process, "user");
    int64_t start;

    put_text(drawing, comm.ptr ? comm : TEXT("?"));
    put_look(drawing, COLOUR_END);
    if (json_is_integer(pid))
        buffer_printf(drawing->out, " (%lld)", (long long)json_integer_value(pid));
    if (user.ptr || json_is_integer(uid))
        buffer_put_string(drawing->out, "  ");
    if (user.ptr)
        put_text(drawing, user);
    else if (json_is_integer(uid))
        buffer_printf(drawing->out, "uid %lld", (long long)json_integer_value(uid));
    if (time_parse(text_at(process, "start_time"), &start) == 0) {
        buffer_put_string(drawing->out, "  since ");
        moment_put(drawing->out, start);
    }
    end_line(drawing);
}

/* Beneath its parent's name, when it is not the first. */
static void put_process(const struct alert_drawing *drawing, const json_t *process, size_t depth,
                        bool is_subject)
{
    indent(drawing, depth > 1 ? depth - 1 : depth);
    if (depth > 1)
        buffer_put_string(drawing->out, "└ ");
    put_look(drawing, is_subject ? BOLD : "");
    put_process_name(drawing, process);
    for (size_t i = 0; i < 2; i++) {
        const char *const names[] = {"exe", "cmdline"};
        struct text value = text_at(process, names[i]);

        if (!value.ptr)
            continue;
        put_label(drawing, depth + 1, text_from(names[i]));
        put_front(drawing, value, is_subject ? DRAWING_TEXT_MAX : ANCESTOR_TEXT_MAX);
        end_line(drawing);
    }
}

/* What only says again what another member does, or that something is not so. */
static bool is_idle(const json_t *event, const char *path, const char *same)
{
    const json_t *value = alert_tree_find(event, text_from(path));

    return json_is_false(value) ||
           (*same && json_equal(value, alert_tree_find(event, text_from(same))));
}

/* What else of a process helps to judge it; `--format json` has all. */
static void put_circumstances(const struct alert_drawing *drawing, const json_t *event,
                              size_t depth)
{
    static const struct {
        const char *path, *same;
    } facts[] = {
        {"error", ""},
        {"filename", "exe"},
        {"script", ""},
        {"interpreter", ""},
        {"exe.sha256", ""},
        {"exe.owner", ""},
        {"exe.mode", ""},
        {"exe.deleted", ""},
        {"exe.memfd", ""},
        {"cwd", ""},
        {"tty", ""},
        {"euser", "user"},
        {"loginuser", "user"},
        {"cap.effective", ""},
        {"env", ""},
        {"exit.code", ""},
        {"exit.signal", ""},
        {"container.id", ""},
        {"container.runtime", ""},
        {"cgroup.path", ""},
    };

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (!is_idle(event, facts[i].path, facts[i].same))
            put_path(drawing, depth, event, facts[i].path, facts[i].path);
}

static void put_lineage(const struct alert_drawing *drawing, const json_t *event)
{
    struct forebears forebears = find_lineage(event);
    const json_t *omitted = json_object_get(event, "ancestors_omitted");
    size_t depth = 1;

    if (forebears.count == 0)
        return;
    alert_drawing_heading(drawing, "Processes");
    if (json_is_integer(omitted)) {
        indent(drawing, depth++);
        buffer_printf(drawing->out, "… %lld more\n", (long long)json_integer_value(omitted));
    }
    for (size_t i = forebears.count; i-- > 0; depth++)
        put_process(drawing, forebears.processes[i], depth, i == 0);
    put_circumstances(drawing, event, depth);
}

static void put_step(const struct alert_drawing *drawing, const json_t *step, size_t depth);

static void put_steps(const struct alert_drawing *drawing, const json_t *whole, size_t depth)
{
    const json_t *steps = json_object_get(whole, "events"), *step;
    json_int_t omitted = json_integer_value(json_object_get(whole, "omitted"));
    size_t i, count = json_array_size(steps);

    json_array_foreach(steps, i, step)
    {
        /* Those that are not there are of the middle. */
        if (omitted > 0 && i == count / 2) {
            indent(drawing, depth);
            buffer_printf(drawing->out, "… %lld more\n", (long long)omitted);
        }
        put_step(drawing, step, depth);
    }
}

static void put_group(const struct alert_drawing *drawing, const json_t *whole)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(whole, "group"), key, value)
    {
        buffer_put_string(drawing->out, ", ");
        put_text(drawing, text_from(key));
        buffer_put_char(drawing->out, ' ');
        put_plain(drawing, value);
    }
}

static void put_count(const struct alert_drawing *drawing, const json_t *whole)
{
    const json_t *count = json_object_get(whole, "count");

    if (json_is_integer(count))
        buffer_printf(drawing->out, "%lld in all", (long long)json_integer_value(count));
    put_group(drawing, whole);
}

/* Its time, rule and title, and what happened beneath it. */
static void put_step(const struct alert_drawing *drawing, const json_t *step, size_t depth)
{
    const json_t *event = json_object_get(step, "event");
    struct text title = text_at(step, "title");

    indent(drawing, depth);
    put_time(drawing, text_at(step, "time"));
    buffer_put_string(drawing->out, "  ");
    put_look(drawing, BOLD);
    put_text(drawing, text_at(step, "rule"));
    put_look(drawing, COLOUR_END);
    if (title.len) {
        buffer_put_string(drawing->out, "  ");
        put_text(drawing, title);
    }
    end_line(drawing);
    if (json_is_object(event)) {
        put_process(drawing, event, depth + 2, true);
    } else if (json_object_get(step, "events")) {
        indent(drawing, depth + 1);
        put_count(drawing, step);
        end_line(drawing);
        put_steps(drawing, step, depth + 1);
    }
}

static void put_correlation(const struct alert_drawing *drawing, const json_t *alert)
{
    const json_t *correlation = json_object_get(alert, "correlation");
    const json_t *timespan = json_object_get(correlation, "timespan");
    const json_t *value = json_object_get(correlation, "value");

    if (!json_is_object(correlation))
        return;
    alert_drawing_heading(drawing, "What led to it");
    indent(drawing, 1);
    put_text(drawing, text_at(correlation, "type"));
    if (json_is_integer(timespan))
        buffer_printf(drawing->out, " within %lld s", (long long)json_integer_value(timespan));
    buffer_put_string(drawing->out, ": ");
    put_count(drawing, correlation);
    if (is_scalar(value)) {
        buffer_put_string(drawing->out, ", value ");
        put_scalar(drawing, value);
    }
    end_line(drawing);
    put_steps(drawing, correlation, 1);
}

void alert_drawing_put(const struct alert_drawing *drawing, const json_t *alert)
{
    const json_t *detail = json_object_get(alert, "detail");

    put_headline(drawing, alert);
    put_facts(drawing, alert);
    put_reasons(drawing, alert);
    put_correlation(drawing, alert);
    put_lineage(drawing, json_object_get(alert, "event"));
    if (json_is_object(detail)) {
        alert_drawing_heading(drawing, "Detail");
        put_tree(drawing, 1, detail);
    }
}
