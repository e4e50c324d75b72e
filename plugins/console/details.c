#include "details.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* As many reasons, or steps of a correlation, as an alert has at most. */
#define ITEMS_MAX 32

/* Of an item of one of the alert's lists. */
struct item {
    const struct picket_alert *alert;
    const char *list;
    unsigned number;
};

static const char *item_part(const struct screen *screen, struct item item, const char *part)
{
    char path[64];

    snprintf(path, sizeof path, "%s.%u.%s", item.list, item.number, part);
    return screen->host->value(screen->host, item.alert, path);
}

/* Of more steps, as many of the beginning and of the end are shown. */
#define STEPS_SHOWN 4

#define STEP_WIDTH_LEAST 40 /* of what was run, however narrow the terminal */
#define TIME_WIDTH       8
#define DATE_WIDTH       19 /* and the time */

struct steps {
    unsigned count;
    unsigned long omitted; /* by the alert, out of the middle */
    bool dated;            /* they began on another day than the alert's */
    size_t rule_width;
};

static struct item step_item(const struct picket_alert *alert, unsigned number)
{
    return (struct item){alert, "correlation.events", number};
}

/* RFC 3339, as times are in alerts. */
static bool read_time(const char *text, struct tm *local)
{
    struct tm utc = {0};

    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &utc))
        return false;
    time_t seconds = timegm(&utc);

    return localtime_r(&seconds, local) != NULL;
}

static bool is_other_day(const char *text, int64_t time)
{
    time_t seconds = (time_t)(time / 1000000000);
    struct tm one = {0}, other = {0};

    return read_time(text, &one) && localtime_r(&seconds, &other) &&
           (one.tm_year != other.tm_year || one.tm_yday != other.tm_yday);
}

static struct steps read_steps(const struct screen *screen, const struct picket_alert *alert)
{
    const char *omitted = screen->host->value(screen->host, alert, "correlation.omitted");
    struct steps steps = {.omitted = omitted ? strtoul(omitted, NULL, 10) : 0};
    const char *rule;

    while (steps.count < ITEMS_MAX &&
           (rule = item_part(screen, step_item(alert, steps.count), "rule"))) {
        size_t width = screen_columns(screen_shown(screen, rule));

        if (width > steps.rule_width)
            steps.rule_width = width < SCREEN_RULE_MOST ? width : SCREEN_RULE_MOST;
        steps.count++;
    }
    steps.dated = is_other_day(item_part(screen, step_item(alert, 0), "time"), alert->time);
    return steps;
}

/* TEXT, or so much of it as WIDTH columns hold. */
static void put_cut(struct screen *screen, const char *text, size_t width)
{
    size_t left = width;
    const char *end = text;

    while (*end && (((unsigned char)*end & 0xc0) == 0x80 || left-- > 0))
        end++;
    line_writer_put(&screen->writer, text, (size_t)(end - text));
    screen_put(screen, *end ? "…" : "");
}

/* What was run; where the step is a correlation itself, or its event was not kept, what that is
 * called. */
static const char *step_subject(const struct screen *screen, struct item step)
{
    static const char *const parts[] = {"event.cmdline", "event.filename", "event.exe",
                                        "event.comm", "title"};
    const char *subject = NULL;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && (!subject || !*subject); i++)
        subject = item_part(screen, step, parts[i]);
    return screen_shown(screen, subject);
}

static void put_step_time(struct screen *screen, const char *time, bool dated)
{
    struct tm local = {0};
    char text[32];

    if (read_time(time, &local) &&
        strftime(text, sizeof text, dated ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local))
        screen_put_colored(screen, SCREEN_DIM, text);
}

/* How many columns are left for what was run. */
static size_t step_room(const struct screen *screen, const struct steps *steps, size_t who_width)
{
    size_t used = SCREEN_INDENT + (steps->dated ? DATE_WIDTH : TIME_WIDTH) + 2 + steps->rule_width +
                  2 + who_width + 2 + 1;

    return used + STEP_WIDTH_LEAST < screen->width ? screen->width - used : STEP_WIDTH_LEAST;
}

/* `ann: `, or `ann@web1: ` where it was on another machine. How many columns that is but for the
 * colon and the space. */
static size_t put_who(struct screen *screen, struct item step)
{
    const char *user = screen_shown(screen, item_part(screen, step, "event.user"));
    const char *machine = screen_shown(screen, item_part(screen, step, "event.host.name"));
    const char *at = *machine ? "@" : "";

    screen_put(screen, user);
    screen_put(screen, at);
    screen_put(screen, machine);
    screen_put(screen, *user || *machine ? ": " : "");
    return screen_columns(user) + screen_columns(at) + screen_columns(machine);
}

/* `14:03:10  part-download  ann: curl -O http://192.0.2.1/x`. */
static void put_step(struct screen *screen, struct item step, const struct steps *steps)
{
    const char *rule = screen_shown(screen, item_part(screen, step, "rule"));
    size_t width = screen_columns(rule);

    screen_pad(screen, SCREEN_INDENT);
    put_step_time(screen, item_part(screen, step, "time"), steps->dated);
    screen_pad(screen, 2);
    screen_put(screen, rule);
    screen_pad(screen, 2 + (width < steps->rule_width ? steps->rule_width - width : 0));
    size_t who_width = put_who(screen, step);

    put_cut(screen, step_subject(screen, step), step_room(screen, steps, who_width));
    screen_end_line(screen);
}

static void put_surplus(struct screen *screen, unsigned long count)
{
    char text[48];

    snprintf(text, sizeof text, "… and %lu more", count);
    screen_pad(screen, SCREEN_INDENT);
    screen_put_colored(screen, SCREEN_DIM, text);
    screen_end_line(screen);
}

void details_put_steps(struct screen *screen, const struct picket_alert *alert)
{
    struct steps steps = read_steps(screen, alert);
    unsigned surplus = steps.count > 2 * STEPS_SHOWN ? steps.count - 2 * STEPS_SHOWN : 0;

    for (unsigned i = 0; i < steps.count; i++) {
        if (i == STEPS_SHOWN && steps.omitted + surplus > 0) {
            put_surplus(screen, steps.omitted + surplus);
            i += surplus;
        }
        put_step(screen, step_item(alert, i), &steps);
    }
}

static struct item reason_item(const struct picket_alert *alert, unsigned number)
{
    return (struct item){alert, "matched", number};
}

/* `comm is "sh"  rules.yaml:3:14`, and `tty is absent` for what must not be there. */
static void put_reason(struct screen *screen, struct item reason)
{
    const char *value = item_part(screen, reason, "value");

    screen_pad(screen, SCREEN_INDENT);
    screen_put(screen, screen_shown(screen, item_part(screen, reason, "field")));
    screen_put(screen, value ? " is \"" : " is absent");
    if (value) {
        screen_put(screen, screen_shown(screen, value));
        screen_put(screen, "\"");
    }
    screen_pad(screen, 2);
    screen_put_colored(screen, SCREEN_DIM, screen_shown(screen, item_part(screen, reason, "at")));
    screen_end_line(screen);
}

void details_put_reasons(struct screen *screen, const struct picket_alert *alert)
{
    for (unsigned i = 0; i < ITEMS_MAX && item_part(screen, reason_item(alert, i), "field"); i++)
        put_reason(screen, reason_item(alert, i));
}
