#include "screen.h"

#define RESET "\033[0m"

size_t screen_columns(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

const char *screen_shown(const struct screen *screen, const char *text)
{
    const char *printable = screen->host->printable(screen->host, text);

    return printable ? printable : "";
}

void screen_put(struct screen *screen, const char *text)
{
    line_writer_put_string(&screen->writer, text);
}

void screen_put_colored(struct screen *screen, const char *color, const char *text)
{
    if (screen->colored)
        screen_put(screen, color);
    screen_put(screen, text);
    if (screen->colored)
        screen_put(screen, RESET);
}

void screen_pad(struct screen *screen, size_t count)
{
    while (count--)
        line_writer_put(&screen->writer, " ", 1);
}

void screen_end_line(struct screen *screen)
{
    line_writer_put(&screen->writer, "\n", 1);
}
