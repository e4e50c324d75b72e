/* What makes a group: the value of one of the fields that its correlation groups by. */
#ifndef PICKET_ALERT_CORRELATION_VALUE_H
#define PICKET_ALERT_CORRELATION_VALUE_H

#include "event/field.h"

/* Bytes of it that are kept to be shown. */
#define CORRELATION_VALUE_MAX ((size_t)512)

struct correlation_value {
    struct text text; /* ptr NULL: the events have none */
    int64_t number;   /* what the text says of a number, time or duration */
    enum field_type type;
};

/* How many bytes the texts of COUNT values have, cut. */
size_t correlation_value_room(const struct correlation_value *values, size_t count);

/* Copies COUNT values to OUT, and their texts, cut, to ROOM. */
void correlation_value_copy(const struct correlation_value *values, size_t count,
                            struct correlation_value *out, char *room);

#endif
