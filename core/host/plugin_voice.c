#include "host/plugin_voice.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "picket/plugin.h"
#include "plugin/secret_mask.h"

#define BURST       100
#define PER_SECOND  20
#define LINE_LENGTH 1024

void plugin_voice_deinit(struct plugin_voice *voice)
{
    buffer_deinit(&voice->line);
}

static bool may_say(struct plugin_voice *voice)
{
    int64_t now = clock_monotonic();
    int64_t gained = (now - voice->refilled) / (NS_PER_S / PER_SECOND);

    if (voice->refilled == 0 || voice->tokens + gained >= BURST) {
        voice->tokens = BURST;
        voice->refilled = now;
    } else if (gained > 0) {
        voice->tokens += gained;
        voice->refilled += gained * (NS_PER_S / PER_SECOND);
    }
    return voice->tokens > 0;
}

void plugin_voice_say(struct plugin_voice *voice, uint32_t level, struct text text)
{
    static void (*const writers[])(const char *format, ...) = {
        [PICKET_LOG_ERROR] = log_error,
        [PICKET_LOG_WARNING] = log_warning,
        [PICKET_LOG_INFO] = log_info,
        [PICKET_LOG_DEBUG] = log_debug,
    };

    CLEANUP(buffer_deinit) struct buffer masked = {0};

    if (!may_say(voice)) {
        voice->unheard++;
        voice->suppressed++;
        return;
    }
    const char *kind = voice->kind ? voice->kind : "output";

    voice->tokens--;
    if (voice->unheard)
        log_warning("%s %s: %llu lines of its plugin were not written", kind, voice->name,
                    (unsigned long long)voice->unheard);
    voice->unheard = 0;
    if (voice->mask)
        secret_mask_put(voice->mask, text, &masked);
    else
        buffer_put_text(&masked, text);
    writers[level]("%s %s: %s", kind, voice->name, buffer_string(&masked));
}

void plugin_voice_end(struct plugin_voice *voice)
{
    if (voice->line.len)
        plugin_voice_say(voice, PICKET_LOG_WARNING, buffer_text(&voice->line));
    buffer_clear(&voice->line);
}

void plugin_voice_hear(struct plugin_voice *voice, struct text bytes)
{
    while (bytes.ptr) {
        struct text part = text_split(&bytes, '\n');
        size_t room = LINE_LENGTH - voice->line.len;

        buffer_put(&voice->line, part.ptr, part.len < room ? part.len : room);
        if (!bytes.ptr)
            break;
        plugin_voice_end(voice);
    }
}
