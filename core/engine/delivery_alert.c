#include "engine/delivery_alert.h"

#include "base/clock.h"
#include "base/json.h"

static const struct {
    const char *reason; /* of the detail */
    enum internal_alert_kind kind;
    bool accounts; /* its count was never journalled */
} kinds[] = {
    [DELIVERY_JOURNAL_FAILED] = {.kind = INTERNAL_JOURNAL_FAILED},
    [DELIVERY_JOURNAL_WORKS] = {.kind = INTERNAL_JOURNAL_RECOVERED},
    [DELIVERY_JOURNAL_REPLACED] = {.kind = INTERNAL_JOURNAL_REPLACED},
    [DELIVERY_ENDED] = {"killed", INTERNAL_ALERTS_LOST, true},
    [DELIVERY_ENDED_UNKNOWN] = {"machine_down", INTERNAL_ALERTS_LOST},
    [DELIVERY_OVERRUN] = {"overrun", INTERNAL_ALERTS_LOST, true},
    [DELIVERY_EXPIRED] = {"expired", INTERNAL_ALERTS_LOST},
    [DELIVERY_DROPPED] = {"dropped", INTERNAL_ALERTS_LOST},
    [DELIVERY_RESPONSE] = {.kind = INTERNAL_RESPONSE},
    [DELIVERY_REFUSED] = {"untold", INTERNAL_RESPONSE},
};

static void put_message(struct buffer *out, const struct delivery_news *news,
                        const struct delivery_counters *of)
{
    unsigned long long count = news->count;
    const char *plural = count == 1 ? "" : "s", *output = of->output;

    switch (news->kind) {
    case DELIVERY_JOURNAL_FAILED:
        buffer_printf(out, "the journal cannot be written to: %s; alerts are kept in memory alone",
                      news->why);
        break;
    case DELIVERY_JOURNAL_WORKS:
        buffer_printf(out, "the journal works again; %llu alert%s are not in it", count, plural);
        break;
    case DELIVERY_JOURNAL_REPLACED:
        buffer_printf(out, "the journal is set aside and another begun: %s", news->why);
        break;
    case DELIVERY_ENDED:
        buffer_printf(out, "picket was ended with %llu alert%s raised and not journalled yet",
                      count, plural);
        break;
    case DELIVERY_ENDED_UNKNOWN:
        buffer_put_string(out, "the machine went down while picket ran: alerts of its last moments "
                               "may be lost, nobody knows how many");
        break;
    case DELIVERY_OVERRUN:
        buffer_printf(out, "%llu alert%s came faster than they could be journalled", count, plural);
        break;
    case DELIVERY_EXPIRED:
        buffer_printf(out, "output '%s' had not got %llu alert%s when the journal let them go",
                      output, count, plural);
        break;
    case DELIVERY_DROPPED:
        buffer_printf(out, "output '%s' had no room for %llu %s%s", output, count,
                      of->forwards ? "event" : "alert", plural);
        break;
    case DELIVERY_RESPONSE:
        buffer_put_string(out, news->message);
        break;
    case DELIVERY_REFUSED:
        buffer_printf(out, "output '%s' did not respond %llu more time%s", output, count, plural);
        break;
    }
}

static const char *reason_of(const struct delivery_news *news, const struct delivery_counters *of)
{
    return news->kind == DELIVERY_DROPPED && of->forwards ? "events_dropped"
                                                          : kinds[news->kind].reason;
}

static void put_detail(struct json_writer *json, const struct delivery_news *news,
                       const struct delivery_counters *of)
{
    const char *reason = reason_of(news, of);

    if (news->detail) {
        json_raw(json, text_from(news->detail));
        return;
    }
    json_begin(json, '{');
    if (reason) {
        json_key(json, TEXT("reason"));
        json_text(json, text_from(reason));
    }
    if (news->count || kinds[news->kind].kind == INTERNAL_JOURNAL_RECOVERED) {
        json_key(json, TEXT("count"));
        json_int(json, (int64_t)news->count);
    }
    if (of->output) {
        json_key(json, TEXT("output"));
        json_text(json, text_from(of->output));
    }
    if (news->why[0]) {
        json_key(json, TEXT("error"));
        json_text(json, text_from(news->why));
    }
    json_end(json, '}');
}

static void raise(struct delivery *delivery, struct detector *detector,
                  const struct delivery_news *news)
{
    bool of_output = news->kind == DELIVERY_EXPIRED || news->kind == DELIVERY_DROPPED ||
                     news->kind == DELIVERY_REFUSED;
    CLEANUP(buffer_deinit) struct buffer message = {0};
    CLEANUP(buffer_deinit) struct buffer detail = {0};
    struct delivery_counters counters = {0};
    struct json_writer json = {.buffer = &detail};

    if (of_output)
        delivery_counters(delivery, news->index, &counters);
    put_message(&message, news, &counters);
    put_detail(&json, news, &counters);
    /* Without memory for words the count goes on. */
    detector_raise_internal(
        detector, &(struct internal_alert){
                      .kind = kinds[news->kind].kind,
                      .time = clock_realtime(),
                      .origin = {news->kind, news->index, news->count},
                      .message = buffer_failed(&message) ? TEXT("") : buffer_text(&message),
                      .detail = buffer_failed(&detail) ? TEXT("{}") : buffer_text(&detail),
                      .is_news = true,
                      .accounts = kinds[news->kind].accounts ? news->count : 0,
                  });
}

void delivery_alert_raise(struct delivery *delivery, struct detector *detector, int64_t now)
{
    struct delivery_news news;

    while (delivery_take_news(delivery, now, &news)) {
        raise(delivery, detector, &news);
        free(news.message);
        free(news.detail);
    }
}
