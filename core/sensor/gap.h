/* Records of a CPU that were given a number and never came: found by the numbers around them. */
#ifndef PICKET_SENSOR_GAP_H
#define PICKET_SENSOR_GAP_H

#include <stdbool.h>
#include <stdint.h>

struct gap {
    unsigned cpu;
    bool late;      /* the CPU came online after the sensor was opened: its ring is small */
    int64_t from;   /* boot time, ns, of the record before; of the open when there is none */
    int64_t until;  /* of the record behind, or of the look that found nothing behind */
    uint64_t count; /* at least 1 */
};

#endif
