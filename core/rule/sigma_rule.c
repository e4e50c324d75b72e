#include "rule/sigma_rule.h"

#include "rule/draft.h"
#include "rule/rule_name.h"
#include "rule/sigma_detection.h"
#include "rule/sigma_document.h"
#include "rule/sigma_metadata.h"

/* A rule being read. */
struct reading {
    struct draft *draft;
    const struct yaml_node *root;
    struct sigma_logsource source;
    struct sigma_detection detection;
};

static void read_rule(struct reading *reading)
{
    struct draft *draft = reading->draft;
    struct outline *whole = sigma_detection_compile(&reading->detection);
    const char *reason = whole ? sigma_detection_objection(&reading->detection, whole) : NULL;

    if (reason) {
        sigma_document_omit(draft->compiler, reading->root, true, reason);
        rule_name_omit(draft->compiler, reading->root, true, reason);
        return;
    }
    sigma_detection_warn(&reading->detection);
    sigma_metadata_read(draft, reading->root);
    draft_set_outline(draft, whole);
    draft->rule.written = draft->rule.expression;
    draft->compiler->ruleset->foreign += reading->source.source == SIGMA_OTHER;
    draft_file(draft);
}

void sigma_rule_read(struct compiler *compiler, const struct yaml_node *root)
{
    struct reading reading = {.root = root, .detection.node = yaml_get(root, "detection")};

    reading.draft = draft_new(compiler, sigma_document_scope(compiler, root));
    if (!reading.draft)
        return;
    reading.draft->logsource = yaml_get(root, "logsource");
    sigma_logsource_read(reading.draft->logsource, &reading.source);
    reading.detection.selection = (struct sigma_selection){
        .compiler = compiler, .scope = reading.draft->scope, .source = reading.source.source};
    read_rule(&reading);
}
