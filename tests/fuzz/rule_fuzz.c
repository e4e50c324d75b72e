/* Any text as a file of rules: loaded, its diagnostics rendered for people and machines and, when
 * it is good, its tests run, an event matched and explained, warnings looked for and plans printed.
 * A refusal must say why; what is accepted must be usable. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "alert/selftest.h"
#include "base/cleanup.h"
#include "base/diag_report.h"
#include "rule/explain.h"
#include "rule/lint.h"
#include "rule/matcher.h"
#include "rule/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Why each rule fires, and for people and machines why it does or does not. */
static void explain(const struct ruleset *ruleset, struct matcher *matcher,
                    const struct event *event)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct explanation explanation = {.matcher = matcher, .event = event, .out = &out};
    struct evidence evidence;

    for (size_t i = 0; i < ruleset->count; i++) {
        explanation.rule = ruleset->rules[i];
        if (explain_fires(&explanation)) {
            evidence_collect(matcher, event, ruleset->rules[i], &evidence);
            evidence_put_json(&out, &evidence, &explanation.scratch);
        }
        explain_put_text(&explanation);
        explain_put_json(&explanation);
    }
    buffer_deinit(&explanation.scratch);
}

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
        explain(ruleset, matcher, &event);
    }
}

static void judge(const struct ruleset *ruleset, struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    lint_run(ruleset, diags);
    for (size_t i = 0; i < ruleset->count; i++)
        plan_put(&text, ruleset, ruleset->rules[i]);
}

static void report(struct diag_list *diags)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(json_freep) json_t *list = NULL;
    struct json_writer json = {.buffer = &text};
    struct json_failure failure;

    diag_put_json(&json, diags);
    if (json_parse(buffer_text(&text), &list, &failure) == -EINVAL ||
        json_array_size(list) != diags->count)
        abort();
    buffer_clear(&text);
    json.comma = false;
    diag_put_sarif(&json, diags);
    json_freep(&list);
    list = NULL;
    if (json_parse(buffer_text(&text), &list, &failure) == -EINVAL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct rule_source source = {.path = "fuzz.yaml", .content = {(const char *)data, size}};
    struct selftest_counts counts;
    int r = ruleset_load(&source, 1, &diags, &ruleset);

    if ((r == -EINVAL) != (diags.errors > 0) || (r == 0) != (ruleset != NULL))
        abort();
    if (ruleset) {
        selftest_run(ruleset, &diags, &counts);
        match(ruleset);
        judge(ruleset, &diags);
    }
    report(&diags);
    diag_render_all(&diags, false, &text);
    return 0;
}
