/* What alerts are shown on: lines of text, with colours where they are wanted. */
#ifndef PICKET_PLUGIN_CONSOLE_SCREEN_H
#define PICKET_PLUGIN_CONSOLE_SCREEN_H

#include <stdbool.h>

#include "../line_writer/line_writer.h"

#define SCREEN_BOLD "\033[1m"
#define SCREEN_DIM  "\033[2m"

#define SCREEN_INDENT    10 /* of the severity, and of what stands beneath the line */
#define SCREEN_RULE_MOST 32 /* columns that a rule's id is given */

struct screen {
    struct line_writer writer;
    const struct picket_host *host;
    bool colored;
    size_t width; /* in columns */
};

/* TEXT fit for a terminal, "" at worst; until the plugin's callback returns. */
const char *screen_shown(const struct screen *screen, const char *text);

/* Columns, as far as one can tell without the terminal: characters. */
size_t screen_columns(const char *text);

void screen_put(struct screen *screen, const char *text);
void screen_put_colored(struct screen *screen, const char *color, const char *text);
void screen_pad(struct screen *screen, size_t count);
void screen_end_line(struct screen *screen);

#endif
