/* A template of the user's: a line of text with values of the alert in it, as in
 *
 *     %{time} %{rule.id}: %{message}
 *
 * `%{PATH}` is the value at that path of the alert's JSON (presentation/alert_tree.h), `%%` a
 * percent sign. A template is immutable. */
#ifndef PICKET_PRESENTATION_ALERT_TEMPLATE_H
#define PICKET_PRESENTATION_ALERT_TEMPLATE_H

#include "base/cleanup.h"
#include "base/json.h"
#include "picket/plugin.h"

#define ALERT_TEMPLATE_DEFAULT       "%{time} %{host.name} %{rule.severity} %{rule.id}: %{message}"
#define ALERT_TEMPLATE_DEFAULT_EVENT "%{time} %{host.name} %{message}"

struct alert_template;

/* What is wrong with a setting, and where in its text. */
struct alert_template_mistake {
    size_t offset, len;
    char reason[200];
};

/* SOURCE is copied. A path that no alert can have, a `%` that begins nothing, a control character:
 * -EINVAL and *MISTAKE, the first of them. -ENOMEM. */
int alert_template_new(struct text source, struct alert_template **out,
                       struct alert_template_mistake *mistake);
void alert_template_free(struct alert_template *template);
DEFINE_FREEP(struct alert_template, alert_template)

/* Whether the members of struct picket_alert are all it takes: no tree is needed then. */
bool alert_template_is_plain(const struct alert_template *template);

/* Puts the line for an alert: printable whatever the alert holds, so one line; a value that it has
 * not as "-", lists with a space between their items. TREE may be NULL for a plain template. */
void alert_template_put(const struct alert_template *template, const struct picket_alert *alert,
                        const json_t *tree, struct buffer *out);

#endif
