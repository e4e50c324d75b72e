#include "engine/detector.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/event_json.h"

struct detector {
    struct detector_options options;
    struct matcher *matcher;
    struct suppression *suppression;
    uint64_t *routes; /* a rule's outputs, by its index */
    struct loss_ledger *losses;
    uint64_t boot; /* of the losses */
    struct utsname system;
    struct alert_host host;
    struct buffer message, event_json, alert_json;
    struct detector_counters counters;
};

static uint64_t find_output(struct delivery *delivery, struct text name)
{
    for (size_t i = 0; i < delivery_output_count(delivery); i++) {
        struct delivery_counters output;

        delivery_counters(delivery, i, &output);
        if (text_is(name, output.output))
            return UINT64_C(1) << i;
    }
    return 0;
}

/* Where a rule's alerts go. Names of outputs that are not there lead nowhere, but an alert always
 * goes somewhere: with none of them there, everywhere. */
static uint64_t route_of(const struct detector *detector, const struct rule *rule)
{
    uint64_t route = 0;

    for (size_t i = 0; i < rule->outputs.count; i++) {
        uint64_t output = find_output(detector->options.delivery, rule->outputs.items[i]);

        if (!output)
            log_warning("rule '%s': there is no output '%s'", rule->id.ptr,
                        rule->outputs.items[i].ptr);
        route |= output;
    }
    return route ? route : DELIVERY_ALL;
}

int detector_new(const struct detector_options *options, struct detector **out)
{
    CLEANUP(detector_freep) struct detector *detector = calloc(1, sizeof *detector);
    int r;

    if (!detector)
        return -ENOMEM;
    detector->options = *options;
    if (uname(&detector->system) < 0)
        return -errno;
    detector->host = (struct alert_host){detector->system.nodename, detector->system.release,
                                         options->filters, options->filter_count};
    detector->routes = calloc(options->rules->count + 1, sizeof *detector->routes);
    if (!detector->routes)
        return -ENOMEM;
    for (size_t i = 0; i < options->rules->count; i++)
        detector->routes[i] = route_of(detector, options->rules->rules[i]);
    r = matcher_new(options->rules, &detector->matcher);
    if (r == 0)
        r = suppression_new(options->rules, &detector->suppression);
    if (r == 0)
        r = loss_ledger_new(&detector->losses);
    if (r < 0)
        return r;
    *out = detector;
    detector = NULL;
    return 0;
}

void detector_free(struct detector *detector)
{
    if (!detector)
        return;
    matcher_free(detector->matcher);
    suppression_free(detector->suppression);
    loss_ledger_free(detector->losses);
    buffer_deinit(&detector->message);
    buffer_deinit(&detector->event_json);
    buffer_deinit(&detector->alert_json);
    free(detector->routes);
    free(detector);
}

const struct alert_host *detector_host(const struct detector *detector)
{
    return &detector->host;
}

static void deliver(struct detector *detector, const struct alert *alert, uint64_t route)
{
    struct json_writer json = {.buffer = &detector->alert_json};

    buffer_clear(&detector->alert_json);
    alert_put_json(&json, alert);
    if (buffer_failed(&detector->alert_json)) {
        detector->counters.unwritten++;
        return;
    }
    struct delivery_alert delivered = {
        .id = text_from(alert->id.text),
        .host = text_from(alert->host->name),
        .rule = alert->rule->id,
        .title = alert->rule->title,
        .message = alert->message,
        .json = buffer_text(&detector->alert_json),
        .time = alert->time,
        .severity = (int)alert->rule->severity,
    };

    detector->counters.alerts++;
    /* What goes wrong is in that output's counters. */
    delivery_push(detector->options.delivery, &delivered, route, detector->options.wait);
}

static void render_event(struct detector *detector, const struct event *event)
{
    struct json_writer json = {.buffer = &detector->event_json};

    if (detector->event_json.len == 0)
        event_put_json(&json, event);
}

/* An alert of RULE about EVENT, or its place in the fold. */
static void raise(struct detector *detector, const struct rule *rule, const struct event *event,
                  int64_t time)
{
    enum suppression_verdict verdict = SUPPRESSION_ADMIT;

    if (rule->suppress.window)
        verdict = suppression_admit(detector->suppression, rule, event, time);
    if (verdict == SUPPRESSION_FOLD)
        return;
    buffer_clear(&detector->message);
    message_put(rule->message, event, &detector->message);
    render_event(detector, event);
    if (buffer_failed(&detector->message) || buffer_failed(&detector->event_json)) {
        detector->counters.unwritten += verdict == SUPPRESSION_ADMIT;
        return;
    }
    if (verdict == SUPPRESSION_FOLD_FIRST) {
        suppression_keep(detector->suppression, buffer_text(&detector->message),
                         buffer_text(&detector->event_json));
        return;
    }
    struct alert alert = {
        .id = alert_id_make(time, event->origin, rule->id),
        .time = time,
        .host = &detector->host,
        .rule = rule,
        .message = buffer_text(&detector->message),
        .event = buffer_text(&detector->event_json),
    };

    deliver(detector, &alert, detector->routes[rule->index]);
}

void detector_raise_internal(struct detector *detector, const struct internal_alert *internal)
{
    const struct rule *rule = internal_alert_rule(internal->kind);
    struct alert alert = {
        .id = alert_id_make(internal->time, internal->origin, rule->id),
        .time = internal->time,
        .host = &detector->host,
        .rule = rule,
        .message = internal->message,
        .detail = internal->detail,
    };

    deliver(detector, &alert, DELIVERY_ALL);
}

void detector_on_loss(struct detector *detector, const struct loss *loss, uint64_t boot)
{
    detector->boot = boot;
    loss_ledger_add(detector->losses, loss);
}

static void raise_loss(struct detector *detector, const struct loss_sum *sum)
{
    struct json_writer json = {.buffer = &detector->event_json};

    buffer_clear(&detector->message);
    buffer_clear(&detector->event_json);
    loss_put_message(&detector->message, sum);
    loss_put_json(&json, sum);
    if (buffer_failed(&detector->message) || buffer_failed(&detector->event_json)) {
        detector->counters.unwritten++;
        return;
    }
    detector_raise_internal(detector, &(struct internal_alert){
                                          .kind = INTERNAL_EVENTS_LOST,
                                          .time = sum->total.until,
                                          .origin = {detector->boot, sum->total.kind, sum->before},
                                          .message = buffer_text(&detector->message),
                                          .detail = buffer_text(&detector->event_json),
                                      });
}

static void raise_losses(struct detector *detector, int64_t now)
{
    for (const struct loss_sum *sum; (sum = loss_ledger_take(detector->losses, now));)
        raise_loss(detector, sum);
}

/* For people, in UTC to the second: "12:00:05Z". */
static void put_clock(struct buffer *out, int64_t time)
{
    char bytes[TIME_TEXT_LEN];
    struct buffer text = {.data = bytes, .size = sizeof bytes};

    time_put(&text, time);
    buffer_put(out, bytes + sizeof "2026-01-01", sizeof "12:00:05" - 1);
    buffer_put_char(out, 'Z');
}

static void summarise(void *context, const struct suppression_summary *summary)
{
    struct detector *detector = context;
    struct alert alert = {
        .id = alert_id_make(summary->time, summary->origin, summary->rule->id),
        .time = summary->time,
        .host = &detector->host,
        .rule = summary->rule,
        .event = summary->event,
        .fold = summary->fold,
    };

    buffer_clear(&detector->message);
    buffer_printf(&detector->message, "%llu more since ", (unsigned long long)summary->fold.count);
    put_clock(&detector->message, summary->fold.since);
    buffer_put_string(&detector->message, ": ");
    buffer_put_text(&detector->message, summary->message);
    if (buffer_failed(&detector->message)) {
        detector->counters.unwritten++;
        return;
    }
    alert.message = buffer_text(&detector->message);
    deliver(detector, &alert, detector->routes[summary->rule->index]);
}

static void close_windows(struct detector *detector, int64_t now)
{
    suppression_close(detector->suppression, now, summarise, detector);
}

void detector_on_event(struct detector *detector, const struct event *event)
{
    const struct rule *const *hits;
    int64_t time = field_set_has(&event->has, FIELD_TIME) ? event->time : clock_realtime();

    detector->counters.events[event->type]++;
    close_windows(detector, time);
    size_t count = matcher_match(detector->matcher, event, &hits);

    buffer_clear(&detector->event_json);
    for (size_t i = 0; i < count; i++)
        raise(detector, hits[i], event, time);
}

void detector_tick(struct detector *detector, int64_t now)
{
    close_windows(detector, now);
    raise_losses(detector, now == INT64_MAX ? now : clock_monotonic());
}

struct detector_counters detector_counters(const struct detector *detector)
{
    struct detector_counters counters = detector->counters;

    counters.matcher = matcher_counters(detector->matcher);
    counters.suppression = suppression_counters(detector->suppression);
    return counters;
}
