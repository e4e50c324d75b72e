#include "event/kernel_text.h"

#define MODE_PERMISSIONS 07777

#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143
#define PTS_PER_MAJOR   256

/* From minor FIRST on; a later line has precedence. */
static const struct {
    uint32_t major, first;
    const char *name;
} drivers[] = {
    {4, 0, "tty"}, {4, 64, "ttyS"}, {166, 0, "ttyACM"}, {188, 0, "ttyUSB"}, {229, 0, "hvc"},
};

void mode_put(struct buffer *out, uint32_t mode)
{
    buffer_printf(out, "%04o", mode & MODE_PERMISSIONS);
}

void device_put(struct buffer *out, uint32_t major, uint32_t minor)
{
    buffer_printf(out, "%u:%u", major, minor);
}

void tty_put(struct buffer *out, uint32_t major, uint32_t minor)
{
    if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST) {
        buffer_printf(out, "pts/%u", (major - PTS_MAJOR_FIRST) * PTS_PER_MAJOR + minor);
        return;
    }
    for (size_t i = sizeof drivers / sizeof *drivers; i > 0; i--)
        if (drivers[i - 1].major == major && minor >= drivers[i - 1].first) {
            buffer_printf(out, "%s%u", drivers[i - 1].name, minor - drivers[i - 1].first);
            return;
        }
    device_put(out, major, minor);
}
