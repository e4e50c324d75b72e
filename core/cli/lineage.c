#include "cli/lineage.h"

#include "base/clock.h"
#include "cli/moment.h"
#include "presentation/alert_tree.h"

#define ANCESTORS_MAX 64

/* Of a text of an ancestor, which is there to be recognized. */
#define ANCESTOR_TEXT_MAX 256

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
static void put_process_name(const struct drawing *drawing, const json_t *process)
{
    const json_t *pid = json_object_get(process, "pid"), *uid = json_object_get(process, "uid");
    struct text comm = drawing_text_at(process, "comm"), user = drawing_text_at(process, "user");
    int64_t start;

    drawing_text(drawing, comm.ptr ? comm : TEXT("?"));
    drawing_look(drawing, DRAWING_END);
    if (json_is_integer(pid))
        buffer_printf(drawing->out, " (%lld)", (long long)json_integer_value(pid));
    if (user.ptr || json_is_integer(uid))
        buffer_put_string(drawing->out, "  ");
    if (user.ptr)
        drawing_text(drawing, user);
    else if (json_is_integer(uid))
        buffer_printf(drawing->out, "uid %lld", (long long)json_integer_value(uid));
    if (time_parse(drawing_text_at(process, "start_time"), &start) == 0) {
        buffer_put_string(drawing->out, "  since ");
        moment_put(drawing->out, start);
    }
    drawing_end_line(drawing);
}

void lineage_put_process(const struct drawing *drawing, const json_t *process, size_t depth,
                         bool is_subject)
{
    drawing_indent(drawing, depth > 1 ? depth - 1 : depth);
    if (depth > 1)
        buffer_put_string(drawing->out, "└ ");
    drawing_look(drawing, is_subject ? DRAWING_BOLD : "");
    put_process_name(drawing, process);
    for (size_t i = 0; i < 2; i++) {
        const char *const names[] = {"exe", "cmdline"};
        struct text value = drawing_text_at(process, names[i]);

        if (!value.ptr)
            continue;
        drawing_label(drawing, depth + 1, text_from(names[i]));
        drawing_front(drawing, value, is_subject ? DRAWING_TEXT_MAX : ANCESTOR_TEXT_MAX);
        drawing_end_line(drawing);
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
static void put_circumstances(const struct drawing *drawing, const json_t *event, size_t depth)
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
            drawing_path(drawing, depth, event, facts[i].path, facts[i].path);
}

void lineage_put(const struct drawing *drawing, const json_t *event)
{
    struct forebears forebears = find_lineage(event);
    const json_t *omitted = json_object_get(event, "ancestors_omitted");
    size_t depth = 1;

    if (forebears.count == 0)
        return;
    drawing_heading(drawing, "Processes");
    if (json_is_integer(omitted)) {
        drawing_indent(drawing, depth++);
        buffer_printf(drawing->out, "… %lld more\n", (long long)json_integer_value(omitted));
    }
    for (size_t i = forebears.count; i-- > 0; depth++)
        lineage_put_process(drawing, forebears.processes[i], depth, i == 0);
    put_circumstances(drawing, event, depth);
}
