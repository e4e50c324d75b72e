#include "output/intake.h"

#include <errno.h>

#include "base/clock.h"

/* For each alert of the last taking, and at most. */
#define PAUSE      (NS_PER_MS / 5)
#define PAUSE_MOST (5 * NS_PER_MS)

int intake_init(struct intake *intake)
{
    return alert_queue_init(&intake->queue, INTAKE_ALERTS_MAX, INTAKE_BYTES_MAX);
}

void intake_deinit(struct intake *intake)
{
    alert_queue_deinit(&intake->queue);
}

int intake_push(struct intake *intake, struct queued_alert *alert)
{
    bool asleep = intake->asleep;

    if (!alert_queue_has_room(&intake->queue, alert)) {
        keeping_refuse(&intake->keeping);
        intake->overrun++;
        return -ENOBUFS;
    }
    queued_alert_place(alert)->number = keeping_add(&intake->keeping);
    alert_queue_push(&intake->queue, alert);
    intake->asleep = false;
    return asleep;
}

size_t intake_take(struct intake *intake, struct queued_alert **out)
{
    size_t count = 0;

    intake->asleep = false;
    intake->taking = true;
    while (count < INTAKE_TAKING_MAX && intake->queue.count)
        out[count++] = alert_queue_pop(&intake->queue);
    return count;
}

void intake_end_taking(struct intake *intake)
{
    intake->taking = false;
}

void intake_pause(struct intake *intake, size_t count)
{
    int64_t pause = (int64_t)count * PAUSE;

    if (count)
        intake->next = clock_monotonic() + (pause < PAUSE_MOST ? pause : PAUSE_MOST);
}

int64_t intake_due(struct intake *intake, int64_t now)
{
    intake->asleep = now >= intake->next && intake->queue.count == 0;
    return intake->asleep ? INT64_MAX : intake->next;
}

bool intake_rests(const struct intake *intake)
{
    return intake->queue.count == 0 && !intake->taking;
}
