#include "rule/rule.h"

#include <errno.h>

static const char *const severity_names[SEVERITIES] = {
    [SEVERITY_INFORMATIONAL] = "informational",
    [SEVERITY_LOW] = "low",
    [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high",
    [SEVERITY_CRITICAL] = "critical",
};

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

int severity_parse(struct text name, enum severity *out)
{
    for (size_t i = 0; i < SEVERITIES; i++) {
        if (text_is(name, severity_names[i])) {
            *out = (enum severity)i;
            return 0;
        }
    }
    return -EINVAL;
}
