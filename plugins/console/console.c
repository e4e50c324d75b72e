/* Alerts for a person to read: a line each, and beneath it which process started which; of a
 * correlation, what led to it.
 *
 *     14:03:22  high      tmp-binary            /tmp/x was run from a folder anyone may write to
 *               systemd ─ sshd ─ bash ─ x */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../line_writer/line_writer.h"

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct config {
    int fd;
    int color;
    int ancestry;
    int steps;
    int reasons;
};

#define RULE_WIDTH_LEAST 20
#define RULE_WIDTH_MOST  32
#define WIDTH_DEFAULT    100

struct console {
    struct line_writer writer;
    const struct picket_host *host;
    const struct config *config;
    int colored;
    size_t width;      /* of the terminal, in columns */
    size_t rule_width; /* of the rule's column: it grows with what it has held */
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .value = "-",
     .help = "file to append to; '-' is standard output",
     .offset = offsetof(struct config, fd)},
    {.name = "color",
     .type = PICKET_ENUM,
     .choices = "auto|always|never",
     .value = "auto",
     .help = "auto: when the file is a terminal and NO_COLOR is not set",
     .offset = offsetof(struct config, color)},
    {.name = "ancestry",
     .type = PICKET_BOOL,
     .value = "true",
     .help = "a second line: the process and its ancestors",
     .offset = offsetof(struct config, ancestry)},
    {.name = "steps",
     .type = PICKET_BOOL,
     .value = "true",
     .help = "further lines: what led to the alert of a correlation",
     .offset = offsetof(struct config, steps)},
    {.name = "reasons",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "further lines: what made the rule alert, and where the rule says so",
     .offset = offsetof(struct config, reasons)},
};

#define RESET "\033[0m"
#define BOLD  "\033[1m"
#define DIM   "\033[2m"

struct look {
    const char *word;
    const char *color;
};

static const struct look looks[] = {
    [PICKET_INFORMATIONAL] = {"info", "\033[34m"},     [PICKET_LOW] = {"low", "\033[36m"},
    [PICKET_MEDIUM] = {"medium", "\033[33m"},          [PICKET_HIGH] = {"high", "\033[1;31m"},
    [PICKET_CRITICAL] = {"critical", "\033[1;97;41m"},
};

#define SEVERITY_WIDTH 8
#define INDENT         10 /* of the severity: what stands before it */

/* Columns, as far as one can tell without the terminal: characters. */
static size_t columns(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* Fit for a terminal, "" at worst. */
static const char *shown(const struct console *console, const char *text)
{
    const char *printable = console->host->printable(console->host, text);

    return printable ? printable : "";
}

static void put(struct console *console, const char *color, const char *text)
{
    if (console->colored)
        line_writer_put_string(&console->writer, color);
    line_writer_put_string(&console->writer, text);
    if (console->colored)
        line_writer_put_string(&console->writer, RESET);
}

static void pad(struct console *console, size_t count)
{
    while (count--)
        line_writer_put(&console->writer, " ", 1);
}

static void put_time(struct console *console, int64_t time)
{
    time_t seconds = (time_t)(time / 1000000000);
    struct tm local = {0};
    char text[16];

    localtime_r(&seconds, &local);
    strftime(text, sizeof text, "%H:%M:%S", &local);
    put(console, DIM, text);
}

static void put_rule(struct console *console, const char *rule)
{
    size_t width = columns(rule);

    if (width > console->rule_width)
        console->rule_width = width < RULE_WIDTH_MOST ? width : RULE_WIDTH_MOST;
    put(console, BOLD, rule);
    pad(console, width < console->rule_width ? console->rule_width - width : 0);
}

static void put_headline(struct console *console, const struct picket_alert *alert)
{
    const struct look *look =
        &looks[alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL
                   ? alert->severity
                   : PICKET_MEDIUM];

    put_time(console, alert->time);
    pad(console, 2);
    put(console, look->color, look->word);
    pad(console, SEVERITY_WIDTH - strlen(look->word) + 2);
    put_rule(console, shown(console, alert->rule));
    pad(console, 2);
    line_writer_put_string(&console->writer, shown(console, alert->message));
    line_writer_put(&console->writer, "\n", 1);
}

#define CHAIN_MAX 64

/* Names of the process and its ancestors, from the process outwards. */
struct chain {
    const char *names[CHAIN_MAX];
    size_t count;
};

static struct chain read_chain(const struct console *console, const struct picket_alert *alert)
{
    const struct picket_host *host = console->host;
    char path[CHAIN_MAX * sizeof ".parent" + sizeof "event.comm"] = "event";
    size_t len = strlen(path);
    struct chain chain = {.count = 0};

    while (chain.count < CHAIN_MAX) {
        snprintf(path + len, sizeof path - len, ".comm");
        const char *name = host->value(host, alert, path);

        if (!name)
            break;
        chain.names[chain.count++] = shown(console, name);
        len += (size_t)snprintf(path + len, sizeof path - len, ".parent");
    }
    return chain;
}

#define LINK       " ─ "
#define LINK_WIDTH 3

/* How many names to leave out of the middle, so that the line fits: the outermost and the nearest
 * two stay whatever the width. */
static size_t surplus(const struct chain *chain, size_t width)
{
    size_t total = 0, left_out = 0;

    for (size_t i = 0; i < chain->count; i++)
        total += columns(chain->names[i]) + LINK_WIDTH;
    while (total > width && left_out + 3 < chain->count) {
        /* The first left out makes room for the sign that says so. */
        total -= columns(chain->names[chain->count - 2 - left_out]) + LINK_WIDTH;
        total += left_out == 0 ? 1 + LINK_WIDTH : 0;
        left_out++;
    }
    return left_out;
}

static void put_ancestry(struct console *console, const struct picket_alert *alert)
{
    struct chain chain = read_chain(console, alert);
    size_t left_out = surplus(&chain, console->width - INDENT);

    if (chain.count < 2)
        return;
    pad(console, INDENT);
    for (size_t i = chain.count; i-- > 1;) {
        put(console, DIM, chain.names[i]);
        put(console, DIM, LINK);
        if (left_out && i == chain.count - 1) {
            put(console, DIM, "…" LINK);
            i -= left_out;
        }
    }
    put(console, BOLD, chain.names[0]);
    line_writer_put(&console->writer, "\n", 1);
}

/* As many reasons, or steps of a correlation, as an alert has at most. */
#define ITEMS_MAX 32

/* Of an item of one of the alert's lists. */
struct item {
    const struct picket_alert *alert;
    const char *list;
    unsigned number;
};

static const char *item_part(const struct console *console, struct item item, const char *part)
{
    char path[64];

    snprintf(path, sizeof path, "%s.%u.%s", item.list, item.number, part);
    return console->host->value(console->host, item.alert, path);
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

static struct steps read_steps(const struct console *console, const struct picket_alert *alert)
{
    const char *omitted = console->host->value(console->host, alert, "correlation.omitted");
    struct steps steps = {.omitted = omitted ? strtoul(omitted, NULL, 10) : 0};
    const char *rule;

    while (steps.count < ITEMS_MAX &&
           (rule = item_part(console, step_item(alert, steps.count), "rule"))) {
        size_t width = columns(shown(console, rule));

        if (width > steps.rule_width)
            steps.rule_width = width < RULE_WIDTH_MOST ? width : RULE_WIDTH_MOST;
        steps.count++;
    }
    steps.dated = is_other_day(item_part(console, step_item(alert, 0), "time"), alert->time);
    return steps;
}

/* TEXT, or so much of it as WIDTH columns hold. */
static void put_cut(struct console *console, const char *text, size_t width)
{
    size_t left = width;
    const char *end = text;

    while (*end && (((unsigned char)*end & 0xc0) == 0x80 || left-- > 0))
        end++;
    line_writer_put(&console->writer, text, (size_t)(end - text));
    line_writer_put_string(&console->writer, *end ? "…" : "");
}

/* What was run; where the step is a correlation itself, or its event was not kept, what that is
 * called. */
static const char *step_subject(const struct console *console, struct item step)
{
    static const char *const parts[] = {"event.cmdline", "event.filename", "event.exe",
                                        "event.comm", "title"};
    const char *subject = NULL;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && (!subject || !*subject); i++)
        subject = item_part(console, step, parts[i]);
    return shown(console, subject);
}

static void put_step_time(struct console *console, const char *time, bool dated)
{
    struct tm local = {0};
    char text[32];

    if (read_time(time, &local) &&
        strftime(text, sizeof text, dated ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local))
        put(console, DIM, text);
}

/* How many columns are left for what was run. */
static size_t step_room(const struct console *console, const struct steps *steps, const char *user)
{
    size_t used = INDENT + (steps->dated ? DATE_WIDTH : TIME_WIDTH) + 2 + steps->rule_width + 2 +
                  columns(user) + 2 + 1;

    return used + STEP_WIDTH_LEAST < console->width ? console->width - used : STEP_WIDTH_LEAST;
}

/* `14:03:10  part-download  ann: curl -O http://192.0.2.1/x`. */
static void put_step(struct console *console, struct item step, const struct steps *steps)
{
    const char *rule = shown(console, item_part(console, step, "rule"));
    const char *user = shown(console, item_part(console, step, "event.user"));
    size_t width = columns(rule);

    pad(console, INDENT);
    put_step_time(console, item_part(console, step, "time"), steps->dated);
    pad(console, 2);
    line_writer_put_string(&console->writer, rule);
    pad(console, 2 + (width < steps->rule_width ? steps->rule_width - width : 0));
    line_writer_put_string(&console->writer, user);
    line_writer_put_string(&console->writer, *user ? ": " : "");
    put_cut(console, step_subject(console, step), step_room(console, steps, user));
    line_writer_put(&console->writer, "\n", 1);
}

static void put_surplus(struct console *console, unsigned long count)
{
    char text[48];

    snprintf(text, sizeof text, "… and %lu more", count);
    pad(console, INDENT);
    put(console, DIM, text);
    line_writer_put(&console->writer, "\n", 1);
}

static void put_steps(struct console *console, const struct picket_alert *alert)
{
    struct steps steps = read_steps(console, alert);
    unsigned surplus = steps.count > 2 * STEPS_SHOWN ? steps.count - 2 * STEPS_SHOWN : 0;

    for (unsigned i = 0; i < steps.count; i++) {
        if (i == STEPS_SHOWN && steps.omitted + surplus > 0) {
            put_surplus(console, steps.omitted + surplus);
            i += surplus;
        }
        put_step(console, step_item(alert, i), &steps);
    }
}

static struct item reason_item(const struct picket_alert *alert, unsigned number)
{
    return (struct item){alert, "matched", number};
}

/* `comm is "sh"  rules.yaml:3:14`, and `tty is absent` for what must not be there. */
static void put_reason(struct console *console, struct item reason)
{
    const char *value = item_part(console, reason, "value");

    pad(console, INDENT);
    line_writer_put_string(&console->writer, shown(console, item_part(console, reason, "field")));
    line_writer_put_string(&console->writer, value ? " is \"" : " is absent");
    if (value) {
        line_writer_put_string(&console->writer, shown(console, value));
        line_writer_put_string(&console->writer, "\"");
    }
    pad(console, 2);
    put(console, DIM, shown(console, item_part(console, reason, "at")));
    line_writer_put(&console->writer, "\n", 1);
}

static void put_reasons(struct console *console, const struct picket_alert *alert)
{
    for (unsigned i = 0; i < ITEMS_MAX && item_part(console, reason_item(alert, i), "field"); i++)
        put_reason(console, reason_item(alert, i));
}

static void render(void *instance, const struct picket_alert *alert)
{
    struct console *console = instance;

    put_headline(console, alert);
    if (console->config->ancestry)
        put_ancestry(console, alert);
    if (console->config->steps)
        put_steps(console, alert);
    if (console->config->reasons)
        put_reasons(console, alert);
}

static int is_colored(const struct config *config)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (config->color != COLOR_AUTO)
        return config->color == COLOR_ALWAYS;
    return isatty(config->fd) && !(no_color && *no_color) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

static int console_open(const struct picket_host *host, const void *config, void **instance)
{
    struct console *console = calloc(1, sizeof *console);

    if (!console) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    console->host = host;
    console->config = config;
    console->colored = is_colored(config);
    console->rule_width = RULE_WIDTH_LEAST;
    console->writer.fd = console->config->fd;
    console->writer.render = render;
    console->writer.instance = console;
    line_writer_init(&console->writer);
    tzset();
    *instance = console;
    return 0;
}

static void console_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    struct console *console = instance;
    struct winsize size;

    console->width = WIDTH_DEFAULT;
    if (ioctl(console->config->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 2 * INDENT)
        console->width = size.ws_col;
    line_writer_deliver(&console->writer, alerts, count, verdict);
}

static void console_close(void *instance)
{
    struct console *console = instance;

    line_writer_deinit(&console->writer);
    free(console);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "console",
    .version = "1.0",
    .help = "shows alerts to people: a line each, with the ancestry of the process beneath",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = console_open,
    .deliver = console_deliver,
    .close = console_close,
};
