/* The capture alone: reads records and does nothing with them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/sensor_bpf.h"

static void ignore(void *context, const struct record *record)
{
}

int main(void)
{
    struct sensor_options options = {0};
    struct buffer why = {0};
    struct sensor *sensor;

    if (sensor_open(&options, &why, &sensor) < 0) {
        fprintf(stderr, "%s\n", buffer_string(&why));
        return 1;
    }
    sensor_read(sensor, &(struct sensor_reader){.on_record = ignore});
    for (;;) {
        struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};

        poll(&poll_fd, 1, -1);
        sensor_read(sensor, &(struct sensor_reader){.on_record = ignore});
    }
}
