/* Any text as a file of rules: loaded, its diagnostics rendered and, when it is good, its tests run
 * and an event matched. A refusal must say why; what is accepted must be usable. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/matcher.h"
#include "rule/selftest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const struct ruleset *ruleset)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct process parent = {.comm = TEXT("nginx"), .uid = 33};
    struct process self = {.comm = TEXT("sh"),
                           .exe = TEXT("/bin/sh"),
                           .argv = {"sh\0-c\0\xff\n", 9},
                           .cmdline = TEXT("sh -c \xff\n"),
                           .parent = &parent};
    struct event event = {.process = &self};
    const struct rule *const *hits;

    self.has.bits[0] = parent.has.bits[0] = event.has.bits[0] = UINT64_MAX;
    if (matcher_new(ruleset, &matcher) < 0)
        return;
    for (int type = 0; type < EVENT_TYPES; type++) {
        event.type = (enum event_type)type;
        size_t count = matcher_match(matcher, &event, &hits);

        for (size_t i = 0; i < count; i++)
            message_put(hits[i]->message, &event, &text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct rule_source source = {.path = "fuzz.yaml", .content = {(const char *)data, size}};
    struct selftest_counts counts;
    int r = ruleset_load(&source, 1, &diags, &ruleset);

    if ((r == -EINVAL) != (diags.errors > 0) || (r == 0) != (ruleset != NULL))
        abort();
    if (ruleset) {
        selftest_run(ruleset, &diags, &counts);
        match(ruleset);
    }
    diag_render_all(&diags, false, &text);
    return 0;
}
