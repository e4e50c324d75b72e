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
};

const struct rule *internal_alert_rule(enum internal_alert_kind kind)
{
    return &rules[kind];
}
