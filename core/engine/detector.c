#include "engine/detector.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/event_json.h"
#include "rule/evidence.h"

struct detector {
    struct detector_options options;
    struct rulebook *book;
    struct suppression *suppression;
    struct correlator *correlator;
    struct loss_ledger *losses;
    uint64_t boot;      /* of the losses */
    struct buffer here; /* what alerts say of this machine */
    struct evidence evidence;
    struct buffer message, matched, event_json, alert_json;
    struct buffer line;        /* an event that is forwarded */
    struct buffer elsewhere;   /* what they say of the event's, where that is another */
    struct buffer scratch;     /* of the evidence */
    const struct event *event; /* that is matched */
    struct text raised;        /* id of the rule that was alerted of for it; ptr NULL: none */
    int64_t time;              /* of it */
    uint64_t forwarding;       /* outputs that get all events */
    struct detector_counters counters;
};

int detector_new(const struct detector_options *options, struct detector **out)
{
    CLEANUP(detector_freep) struct detector *detector = calloc(1, sizeof *detector);
    int r;

    if (!detector)
        return -ENOMEM;
    struct json_writer here = {.buffer = &detector->here};

    detector->options = *options;
    detector->forwarding = delivery_forwarding(options->delivery);
    alert_place_put_json(&here, &options->engine, options->engine.machine);
    if (buffer_failed(&detector->here))
        return -ENOMEM;
    r = suppression_new(options->book->rules, &detector->suppression);
    if (r == 0 && options->many_machines)
        suppression_allow_disorder(detector->suppression);
    if (r == 0)
        r = correlator_new(options->book->rules, &detector->correlator);
    if (r == 0)
        r = loss_ledger_new(&detector->losses);
    if (r < 0)
        return r;
    detector->book = options->book;
    *out = detector;
    detector = NULL;
    return 0;
}

void detector_free(struct detector *detector)
{
    if (!detector)
        return;
    correlator_free(detector->correlator);
    rulebook_free(detector->book);
    suppression_free(detector->suppression);
    loss_ledger_free(detector->losses);
    buffer_deinit(&detector->here);
    buffer_deinit(&detector->elsewhere);
    buffer_deinit(&detector->line);
    buffer_deinit(&detector->message);
    buffer_deinit(&detector->matched);
    buffer_deinit(&detector->scratch);
    buffer_deinit(&detector->event_json);
    buffer_deinit(&detector->alert_json);
    free(detector);
}

const struct rulebook *detector_rulebook(const struct detector *detector)
{
    return detector->book;
}

static void push(struct detector *detector, const struct alert *alert, uint64_t route,
                 const struct internal_alert *internal)
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
        .host = alert->place.name,
        .rule = alert->rule->id,
        .title = alert->rule->title,
        .message = alert->message,
        .json = buffer_text(&detector->alert_json),
        .time = alert->time,
        .severity = (int)alert->rule->severity,
        .is_own = internal != NULL,
        .is_news = internal && internal->is_news,
        .accounts = internal ? internal->accounts : 0,
    };

    detector->counters.alerts++;
    /* What goes wrong is in that output's counters. */
    delivery_push(detector->options.delivery, &delivered, route, detector->options.wait);
}

static void deliver(struct detector *detector, const struct alert *alert, uint64_t route)
{
    push(detector, alert, route, NULL);
}

static struct alert_place here(const struct detector *detector)
{
    return (struct alert_place){detector->options.engine.machine->name,
                                buffer_text(&detector->here)};
}

/* Where EVENT happened. */
static struct alert_place place_of(struct detector *detector, const struct event *event)
{
    struct json_writer json = {.buffer = &detector->elsewhere};

    if (!event->host || event->host->is_here)
        return here(detector);
    if (detector->elsewhere.len == 0)
        alert_place_put_json(&json, &detector->options.engine, event->host);
    return (struct alert_place){event->host->name, buffer_text(&detector->elsewhere)};
}

static void render_event(struct detector *detector, const struct event *event)
{
    struct json_writer json = {.buffer = &detector->event_json};

    if (detector->event_json.len == 0)
        event_put_json(&json, event);
}

static void render_evidence(struct detector *detector, const struct rule *rule,
                            const struct event *event)
{
    evidence_collect(detector->book->matcher, event, rule, &detector->evidence);
    buffer_clear(&detector->matched);
    evidence_put_json(&detector->matched, &detector->evidence, &detector->scratch);
}

/* Why: of RULE what holds, of a correlation what made MATCH. */
static void render_reason(struct detector *detector, const struct rule *rule,
                          const struct event *event, const struct correlation_match *match)
{
    struct json_writer json = {.buffer = &detector->matched};

    if (!match) {
        render_evidence(detector, rule, event);
        return;
    }
    buffer_clear(&detector->matched);
    correlation_match_put_json(&json, match);
}

/* A correlation that has no words of its own is told by what it counted. */
static void render_message(struct detector *detector, const struct rule *rule,
                           const struct event *event, const struct correlation_match *match)
{
    buffer_clear(&detector->message);
    if (match && rule->message == message_default(rule->on))
        correlation_match_put_message(&detector->message, match);
    else
        message_put(rule->message, event, &detector->message);
}

/* An alert of RULE about EVENT, which made MATCH of a correlation, or its place in the fold. */
static void raise(struct detector *detector, const struct rule *rule, const struct event *event,
                  const struct correlation_match *match)
{
    enum suppression_verdict verdict = SUPPRESSION_ADMIT;
    int64_t time = detector->time;

    if (detector->raised.ptr && text_equal(rule->id, detector->raised))
        return;
    if (rule->suppress.window)
        verdict = suppression_admit(detector->suppression, rule, event, time);
    if (verdict == SUPPRESSION_FOLD)
        return;
    render_message(detector, rule, event, match);
    render_reason(detector, rule, event, match);
    render_event(detector, event);
    struct suppression_words words = {
        .message = buffer_text(&detector->message),
        .matched = buffer_text(&detector->matched),
        .event = buffer_text(&detector->event_json),
        .place = place_of(detector, event),
    };

    if (buffer_failed(&detector->message) || buffer_failed(&detector->matched) ||
        buffer_failed(&detector->event_json) || buffer_failed(&detector->elsewhere)) {
        detector->counters.unwritten += verdict == SUPPRESSION_ADMIT;
        return;
    }
    if (verdict == SUPPRESSION_FOLD_FIRST) {
        suppression_keep(detector->suppression, &words);
        return;
    }
    struct alert alert = {
        .id = alert_id_make(time, event->origin, rule->id),
        .time = time,
        .place = words.place,
        .rule = rule,
        .message = words.message,
        .matched = words.matched,
        .event = words.event,
    };

    deliver(detector, &alert, detector->book->routes[rule->index]);
}

void detector_raise_internal(struct detector *detector, const struct internal_alert *internal)
{
    const struct rule *rule = internal_alert_rule(internal->kind);
    struct alert alert = {
        .id = alert_id_make(internal->time, internal->origin, rule->id),
        .time = internal->time,
        .place = here(detector),
        .rule = rule,
        .message = internal->message,
        .detail = internal->detail,
    };

    push(detector, &alert, DELIVERY_ALL, internal);
}

void detector_on_loss(struct detector *detector, const struct loss *loss, uint64_t boot)
{
    detector->boot = boot;
    loss_ledger_add(detector->losses, loss);
}

/* For the message and the detail of an alert about picket itself. */
static void clear_texts(struct detector *detector)
{
    buffer_clear(&detector->message);
    buffer_clear(&detector->event_json);
}

/* With the message and the detail that were put. */
static void raise_texts(struct detector *detector, struct internal_alert alert)
{
    if (buffer_failed(&detector->message) || buffer_failed(&detector->event_json)) {
        detector->counters.unwritten++;
        return;
    }
    alert.message = buffer_text(&detector->message);
    alert.detail = buffer_text(&detector->event_json);
    detector_raise_internal(detector, &alert);
}

static void raise_loss(struct detector *detector, const struct loss_sum *sum)
{
    struct json_writer json = {.buffer = &detector->event_json};

    clear_texts(detector);
    loss_put_message(&detector->message, sum);
    loss_put_json(&json, sum);
    raise_texts(detector, (struct internal_alert){
                              .kind = INTERNAL_EVENTS_LOST,
                              .time = sum->total.until,
                              .origin = {detector->boot, sum->total.kind, sum->before},
                          });
}

static void raise_losses(struct detector *detector, int64_t now)
{
    for (const struct loss_sum *sum; (sum = loss_ledger_take(detector->losses, now));)
        raise_loss(detector, sum);
}

static void raise_limit(struct detector *detector, enum limit_kind kind,
                        const struct limit_sum *sum)
{
    static const enum internal_alert_kind kinds[] = {
        [LIMIT_REGEX] = INTERNAL_REGEX_LIMITED,
        [LIMIT_CORRELATION] = INTERNAL_CORRELATION_EVICTED,
    };
    struct json_writer json = {.buffer = &detector->event_json};

    clear_texts(detector);
    limit_put_message(&detector->message, kind, sum);
    limit_put_json(&json, sum);
    raise_texts(detector, (struct internal_alert){
                              .kind = kinds[kind],
                              .time = sum->until,
                              .origin = {sum->rule->index, sum->count},
                          });
}

static void raise_limits(struct detector *detector, int64_t now)
{
    struct limit_sum sum;

    while (limit_ledger_take(detector->book->limits, now, &sum))
        raise_limit(detector, LIMIT_REGEX, &sum);
    while (correlator_take_evicted(detector->correlator, now, &sum))
        raise_limit(detector, LIMIT_CORRELATION, &sum);
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
        .place = summary->words.place.name.len ? summary->words.place : here(detector),
        .rule = summary->rule,
        .matched = summary->words.matched,
        .event = summary->words.event,
        .fold = summary->fold,
    };

    buffer_clear(&detector->message);
    buffer_printf(&detector->message, "%llu more since ", (unsigned long long)summary->fold.count);
    put_clock(&detector->message, summary->fold.since);
    buffer_put_string(&detector->message, ": ");
    buffer_put_text(&detector->message, summary->words.message);
    if (buffer_failed(&detector->message)) {
        detector->counters.unwritten++;
        return;
    }
    alert.message = buffer_text(&detector->message);
    deliver(detector, &alert, detector->book->routes[summary->rule->index]);
}

static void close_windows(struct detector *detector, int64_t now)
{
    suppression_close(detector->suppression, now, summarise, detector);
}

/* The rules that the last event was too expensive for. */
static void keep_limits(struct detector *detector, int64_t time)
{
    const struct rule *const *rules;
    size_t count = matcher_limited(detector->book->matcher, &rules);

    for (size_t i = 0; i < count; i++)
        limit_ledger_add(detector->book->limits, rules[i], time);
}

static void raise_match(void *context, const struct correlation_match *match)
{
    struct detector *detector = context;
    const struct rule *rule = correlation_match_rule(match);

    if (!rule->silent)
        raise(detector, rule, detector->event, match);
}

/* Correlations see all hits; an alert of its own is made of those of a rule that is not silent. */
static void follow(struct detector *detector, const struct rule *const *hits, size_t count)
{
    bool begun = false;

    buffer_clear(&detector->event_json);
    for (size_t i = 0; i < count; i++) {
        if (hits[i]->feed_count && !begun)
            correlator_begin(detector->correlator, detector->event, detector->time);
        begun |= hits[i]->feed_count > 0;
        correlator_feed(detector->correlator, hits[i]);
    }
    if (begun)
        correlator_judge(detector->correlator, raise_match, detector);
    for (size_t i = 0; i < count; i++)
        if (!hits[i]->silent)
            raise(detector, hits[i], detector->event, NULL);
}

/* As it is, to the outputs of ROUTE. */
static void forward(struct detector *detector, const struct event *event, uint64_t route)
{
    struct json_writer json = {.buffer = &detector->line};

    buffer_clear(&detector->line);
    buffer_clear(&detector->message);
    event_put_line(&json, event);
    message_put(message_default(event->type), event, &detector->message);
    if (buffer_failed(&detector->line) || buffer_failed(&detector->message)) {
        detector->counters.unwritten++;
        return;
    }
    struct alert_id id = alert_id_make(detector->time, event->origin, TEXT(""));
    struct delivery_alert delivered = {
        .id = text_from(id.text),
        .host = event->host ? event->host->name : here(detector).name,
        .rule = TEXT(""),
        .title = TEXT(""),
        .message = buffer_text(&detector->message),
        .json = buffer_text(&detector->line),
        .time = detector->time,
        .kind = PICKET_KIND_EVENT,
    };

    delivery_push(detector->options.delivery, &delivered, route, detector->options.wait);
}

void detector_on_event(struct detector *detector, const struct event *event)
{
    const struct rule *const *hits;

    detector->event = event;
    detector->time = field_set_has(&event->has, FIELD_TIME) ? event->time : clock_realtime();
    detector->counters.events[event->type]++;
    if (detector->forwarding)
        forward(detector, event, detector->forwarding);
    buffer_clear(&detector->elsewhere);
    close_windows(detector, detector->time);
    size_t count = matcher_match(detector->book->matcher, event, &hits);

    keep_limits(detector, detector->time);
    follow(detector, hits, count);
}

void detector_on_alert(struct detector *detector, const struct event *event, struct text rule)
{
    detector->raised = rule;
    detector_on_event(detector, event);
    detector->raised = (struct text){0};
}

void detector_tick(struct detector *detector, int64_t now)
{
    int64_t monotonic = now == INT64_MAX ? now : clock_monotonic();

    close_windows(detector, now);
    correlator_expire(detector->correlator, detector->time);
    raise_losses(detector, monotonic);
    raise_limits(detector, monotonic);
}

/* To those of the matchers before. */
static void add_matcher(struct matcher_counters *sum, const struct matcher *matcher)
{
    struct matcher_counters counters = matcher_counters(matcher);

    sum->events += counters.events;
    sum->candidates += counters.candidates;
    sum->hits += counters.hits;
    sum->limits += counters.limits;
}

struct rulebook *detector_exchange(struct detector *detector, struct rulebook *book)
{
    struct rulebook *before = detector->book;

    raise_limits(detector, INT64_MAX);
    add_matcher(&detector->counters.matcher, before->matcher);
    book->queues =
        suppression_carry(detector->suppression, book->queues, book->became, summarise, detector);
    before->correlations =
        correlator_carry(detector->correlator, book->correlations, book->hits_as);
    book->correlations = NULL;
    detector->book = book;
    return before;
}

struct detector_counters detector_counters(const struct detector *detector)
{
    struct detector_counters counters = detector->counters;

    add_matcher(&counters.matcher, detector->book->matcher);
    counters.suppression = suppression_counters(detector->suppression);
    counters.correlator = correlator_counters(detector->correlator);
    return counters;
}
