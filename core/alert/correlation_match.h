/* What made a correlation hold: its group, how many events, and of them those that an alert shows.
 * It outlives the group. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_MATCH_H
#define PICKET_ALERT_CORRELATION_MATCH_H

#include "alert/correlation_record.h"
#include "alert/correlation_value.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "rule/correlation.h"

/* How many events it keeps: as many of the first as of the last. */
#define CORRELATION_SHOWN_MAX   32
#define CORRELATION_SHOWN_FIRST (CORRELATION_SHOWN_MAX / 2)

/* Memory for it and all that it keeps: of events beyond it there are the rule and the time alone.
 */
#define CORRELATION_MATCH_MAX ((size_t)256 << 10)

/* An event, or the match of a member that is a correlation. */
struct correlation_part {
    struct correlation_record *record; /* NULL: not kept */
    size_t member;
    int64_t time;
};

struct correlation_match {
    struct correlation_record record;
    const struct rule *const *of; /* where the rule stands: a reload puts another one there */
    struct correlation_value values[CORRELATION_KEYS_MAX];
    uint64_t count;         /* events; of different values or rules where that is asked for */
    double value;           /* of sums and the like */
    int64_t first, last;    /* times of the first and the last of them */
    uint64_t last_sequence; /* which event that was */
    size_t part_count;      /* at most CORRELATION_SHOWN_MAX */
    struct correlation_part parts[CORRELATION_SHOWN_MAX];
};

/* Of a group of the correlation whose rule stands at OF, with those values, cut, and of COUNT
 * events; held once. NULL: out of memory. */
struct correlation_match *correlation_match_new(const struct rule *const *of,
                                                const struct correlation_value *values,
                                                size_t count);

/* The INDEX-th in the order of time. Each is to be set once. */
void correlation_match_set(struct correlation_match *match, size_t index,
                           const struct correlation_part *part);

static inline const struct rule *correlation_match_rule(const struct correlation_match *match)
{
    return *match->of;
}

/* A member of an object, as JSON without its braces: "correlation" (docs/events.md). */
void correlation_match_put_json(struct json_writer *json, const struct correlation_match *match);

/* A sentence for people: "Title: 3 events within 12.3 s, session 5". Printable. */
void correlation_match_put_message(struct buffer *out, const struct correlation_match *match);

static inline void correlation_match_release(struct correlation_match *match)
{
    correlation_record_release(match ? &match->record : NULL);
}

static inline void correlation_match_releasep(struct correlation_match **match)
{
    correlation_match_release(*match);
}

/* For correlation_record_release() alone. */
void correlation_match_release_parts(struct correlation_match *match);

#endif
