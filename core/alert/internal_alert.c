#include "alert/internal_alert.h"

static const struct rule rules[INTERNAL_ALERT_KINDS] = {
    [INTERNAL_EVENTS_LOST] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "events_lost"),
            .title = TEXT("Events were lost"),
            .description = TEXT("Something happened on this machine that picket could not match "
                                "against its rules."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_SENSOR_BLIND] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "sensor_blind"),
            .title = TEXT("The sensor is blind on a CPU"),
            .description = TEXT("A program that picket started for a trial was not reported by the "
                                "kernel: others are not either."),
            .severity = SEVERITY_CRITICAL,
            .enabled = true,
        },
    [INTERNAL_REGEX_LIMITED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "regex_limited"),
            .title = TEXT("A regex was too expensive to finish"),
            .description = TEXT("Something that started on this machine made a rule's regex so "
                                "expensive that picket gave it up: the rule may have missed it."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_CORRELATION_EVICTED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "correlation_evicted"),
            .title = TEXT("A correlation had to forget events"),
            .description = TEXT("More events came up than a correlation has room for: it "
                                "may have missed what the oldest of them were to become."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_RULES_CHANGED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "rules_changed"),
            .title = TEXT("The rules were changed"),
            .description = TEXT("picket matches by other rules from here on."),
            .severity = SEVERITY_INFORMATIONAL,
            .enabled = true,
        },
    [INTERNAL_RULES_REJECTED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "rules_rejected"),
            .title = TEXT("Changed rules were rejected"),
            .description = TEXT("The rules on disk have mistakes: picket goes on with those it "
                                "had."),
            .severity = SEVERITY_MEDIUM,
            .enabled = true,
        },
    [INTERNAL_ALERTS_LOST] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "alerts_lost"),
            .title = TEXT("Alerts were lost"),
            .description = TEXT("Alerts were raised that an output, or all of them, never got or "
                                "may never have got."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_JOURNAL_FAILED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "journal_failed"),
            .title = TEXT("The journal cannot be written to"),
            .description = TEXT("Alerts are kept in memory alone: they go on to the outputs, but "
                                "what an output has not got is lost when picket ends."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_JOURNAL_RECOVERED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "journal_recovered"),
            .title = TEXT("The journal works again"),
            .description = TEXT("Alerts are kept on disk again."),
            .severity = SEVERITY_INFORMATIONAL,
            .enabled = true,
        },
    [INTERNAL_JOURNAL_REPLACED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "journal_replaced"),
            .title = TEXT("The journal was damaged"),
            .description = TEXT("The file was damaged or removed: picket renamed what was there "
                                "and began another."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_MESSAGES_REFUSED] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "messages_refused"),
            .title = TEXT("Messages of other machines were refused"),
            .description = TEXT("What came over a stream of events was no event and no alert: it "
                                "was matched by no rule."),
            .severity = SEVERITY_HIGH,
            .enabled = true,
        },
    [INTERNAL_RESPONSE] =
        {
            .id = TEXT(INTERNAL_ALERT_PREFIX "response"),
            .title = TEXT("A response to an alert"),
            .description = TEXT("An output stopped or killed a process because of an alert, or was "
                                "to do so and did not."),
            .severity = SEVERITY_MEDIUM,
            .enabled = true,
        },
};

const struct rule *internal_alert_rule(enum internal_alert_kind kind)
{
    return &rules[kind];
}
