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

#include "details.h"

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct config {
    int fd;
    int color;
    int ancestry;
    int steps;
    int reasons;
};

#define RULE_WIDTH_LEAST 20
#define WIDTH_DEFAULT    100

struct console {
    struct screen screen;
    const struct config *config;
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

static void put_time(struct screen *screen, int64_t time)
{
    time_t seconds = (time_t)(time / 1000000000);
    struct tm local = {0};
    char text[16];

    localtime_r(&seconds, &local);
    strftime(text, sizeof text, "%H:%M:%S", &local);
    screen_put_colored(screen, SCREEN_DIM, text);
}

static void put_rule(struct console *console, const char *rule)
{
    struct screen *screen = &console->screen;
    size_t width = screen_columns(rule);

    if (width > console->rule_width)
        console->rule_width = width < SCREEN_RULE_MOST ? width : SCREEN_RULE_MOST;
    screen_put_colored(screen, SCREEN_BOLD, rule);
    screen_pad(screen, width < console->rule_width ? console->rule_width - width : 0);
}

/* Of an event what happened, as no rule says anything of it. */
static const char *what_of(const struct screen *screen, const struct picket_alert *alert)
{
    const char *type = alert->kind == PICKET_KIND_EVENT
                           ? screen->host->value(screen->host, alert, "event.type")
                           : alert->rule;

    return type ? type : "";
}

static void put_headline(struct console *console, const struct picket_alert *alert)
{
    const struct look *look =
        &looks[alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL
                   ? alert->severity
                   : PICKET_MEDIUM];
    struct screen *screen = &console->screen;

    put_time(screen, alert->time);
    screen_pad(screen, 2);
    screen_put_colored(screen, look->color, look->word);
    screen_pad(screen, SEVERITY_WIDTH - strlen(look->word) + 2);
    put_rule(console, screen_shown(screen, what_of(screen, alert)));
    screen_pad(screen, 2);
    screen_put(screen, screen_shown(screen, alert->message));
    screen_end_line(screen);
}

#define CHAIN_MAX 64

/* Names of the process and its ancestors, from the process outwards. */
struct chain {
    const char *names[CHAIN_MAX];
    size_t count;
};

static struct chain read_chain(const struct screen *screen, const struct picket_alert *alert)
{
    const struct picket_host *host = screen->host;
    char path[CHAIN_MAX * sizeof ".parent" + sizeof "event.comm"] = "event";
    size_t len = strlen(path);
    struct chain chain = {.count = 0};

    while (chain.count < CHAIN_MAX) {
        snprintf(path + len, sizeof path - len, ".comm");
        const char *name = host->value(host, alert, path);

        if (!name)
            break;
        chain.names[chain.count++] = screen_shown(screen, name);
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
        total += screen_columns(chain->names[i]) + LINK_WIDTH;
    while (total > width && left_out + 3 < chain->count) {
        /* The first left out makes room for the sign that says so. */
        total -= screen_columns(chain->names[chain->count - 2 - left_out]) + LINK_WIDTH;
        total += left_out == 0 ? 1 + LINK_WIDTH : 0;
        left_out++;
    }
    return left_out;
}

static void put_ancestry(struct screen *screen, const struct picket_alert *alert)
{
    struct chain chain = read_chain(screen, alert);
    size_t left_out = surplus(&chain, screen->width - SCREEN_INDENT);

    if (chain.count < 2)
        return;
    screen_pad(screen, SCREEN_INDENT);
    for (size_t i = chain.count; i-- > 1;) {
        screen_put_colored(screen, SCREEN_DIM, chain.names[i]);
        screen_put_colored(screen, SCREEN_DIM, LINK);
        if (left_out && i == chain.count - 1) {
            screen_put_colored(screen, SCREEN_DIM, "…" LINK);
            i -= left_out;
        }
    }
    screen_put_colored(screen, SCREEN_BOLD, chain.names[0]);
    screen_end_line(screen);
}

static void render(void *instance, const struct picket_alert *alert)
{
    struct console *console = instance;
    struct screen *screen = &console->screen;

    put_headline(console, alert);
    if (console->config->ancestry)
        put_ancestry(screen, alert);
    if (console->config->steps)
        details_put_steps(screen, alert);
    if (console->config->reasons)
        details_put_reasons(screen, alert);
}

static bool is_colored(const struct config *config)
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
    console->screen.host = host;
    console->config = config;
    console->screen.colored = is_colored(config);
    console->rule_width = RULE_WIDTH_LEAST;
    console->screen.writer.fd = console->config->fd;
    console->screen.writer.render = render;
    console->screen.writer.instance = console;
    line_writer_init(&console->screen.writer);
    tzset();
    *instance = console;
    return 0;
}

static void console_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    struct console *console = instance;
    struct winsize size;

    console->screen.width = WIDTH_DEFAULT;
    if (ioctl(console->config->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 2 * INDENT)
        console->screen.width = size.ws_col;
    line_writer_deliver(&console->screen.writer, alerts, count, verdict);
}

static void console_close(void *instance)
{
    struct console *console = instance;

    line_writer_deinit(&console->screen.writer);
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
