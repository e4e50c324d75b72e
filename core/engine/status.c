#include "engine/status.h"

#include "base/clock.h"
#include "base/log.h"

static unsigned long long sum(const uint64_t *values, size_t count)
{
    unsigned long long total = 0;

    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

static unsigned long long ull(uint64_t value)
{
    return value;
}

static void put_types(struct buffer *out, const uint64_t counts[SENSOR_TYPES])
{
    for (size_t i = 0; i < SENSOR_TYPES; i++)
        buffer_printf(out, "%s%s %llu", i ? ", " : "", event_type_name((enum event_type)i),
                      ull(counts[i]));
}

static void put_sensor(struct buffer *out, const struct live_counters *live)
{
    const struct sensor_counters *sensor = &live->sensor;

    buffer_printf(out, "  kernel     emitted %llu (", sum(sensor->emitted, SENSOR_TYPES));
    put_types(out, sensor->emitted);
    buffer_printf(out,
                  "), unreadable arguments %llu, unseen %llu, skipped by the kernel %llu (and %llu "
                  "seen by a second hook), filtered %llu, folded %llu\n",
                  ull(sensor->faults), ull(sensor->unseen), ull(sensor->recursion_misses),
                  ull(sensor->witnessed), sum(sensor->filtered, SENSOR_TYPES),
                  sum(sensor->folded, SENSOR_TYPES));
    buffer_printf(out, "  sensor     received %llu, lost %llu (",
                  sum(sensor->received, SENSOR_TYPES), sum(sensor->lost, SENSOR_TYPES));
    put_types(out, sensor->lost);
    buffer_printf(
        out, "; sequence gaps %llu), refused %llu, starved %llu, discarded %llu, waiting %llu\n",
        ull(sensor->gaps), ull(sensor->refused), ull(sensor->starved), ull(sensor->discarded),
        ull(sensor->waiting));
}

static void put_processes(struct buffer *out, const struct live_counters *live)
{
    const struct process_table_counters *table = &live->processes;

    buffer_printf(out,
                  "  processes  live %llu, exited and kept %llu, let go %llu, evicted %llu, from "
                  "/proc %llu, unknown parents %llu, repeated exits %llu, unapplied records %llu\n",
                  ull(table->live), ull(table->exited), ull(table->retired), ull(table->evicted),
                  ull(table->from_proc), ull(table->unknown_parents), ull(table->duplicates),
                  ull(live->unapplied));
}

static void put_hashes(struct buffer *out, struct exe_hash *hash)
{
    struct exe_hash_counters counters;

    exe_hash_count(hash, &counters);
    buffer_printf(out,
                  "  hashes     read %llu, known %llu; too large %llu, changed %llu, unreadable "
                  "%llu, late %llu\n",
                  ull(counters.hashed), ull(counters.cached), ull(counters.too_large),
                  ull(counters.changed), ull(counters.failed), ull(counters.late));
}

static void put_correlator(struct buffer *out, const struct correlator_counters *counters)
{
    buffer_printf(
        out,
        "  correlate  correlations %llu, hits %llu, matches %llu, groups %llu (%llu KiB), "
        "evicted %llu, hits dropped %llu; events forgotten %llu, not kept for lack of memory "
        "%llu\n",
        ull(counters->correlations), ull(counters->hits), ull(counters->matches),
        ull(counters->groups), ull(counters->bytes >> 10), ull(counters->evicted),
        ull(counters->dropped), ull(counters->forgotten), ull(counters->starved));
}

static void put_detector(struct buffer *out, const struct detector *detector)
{
    struct detector_counters counters = detector_counters(detector);

    buffer_printf(out,
                  "  rules      events %llu, alerts %llu, folded %llu (no room to fold %llu), not "
                  "written %llu, regexes over their limit %llu\n",
                  sum(counters.events, EVENT_TYPES), ull(counters.alerts),
                  ull(counters.suppression.folded), ull(counters.suppression.refused),
                  ull(counters.unwritten), ull(counters.matcher.limits));
    if (counters.correlator.correlations)
        put_correlator(out, &counters.correlator);
}

static void put_reload(struct buffer *out, const struct reload *reload)
{
    struct reload_counters counters = reload_counters(reload);

    buffer_printf(out, "  reloads    taken %llu, rejected %llu\n", ull(counters.taken),
                  ull(counters.rejected));
}

static void put_output(struct buffer *out, const struct delivery_counters *output)
{
    static const char *const states[] = {
        [DELIVERY_STARTING] = "starting",
        [DELIVERY_READY] = "ready",
        [DELIVERY_WAITING] = "waiting",
        [DELIVERY_DOWN] = "down",
    };

    buffer_printf(out,
                  "  %-10s offered %llu = delivered %llu + rejected %llu + dropped %llu + expired "
                  "%llu + queued %llu; %s, retries %llu, restarts %llu",
                  output->output, ull(output->offered), ull(output->delivered),
                  ull(output->rejected), ull(output->dropped), ull(output->expired),
                  ull(output->queued), states[output->state], ull(output->retries),
                  ull(output->restarts));
    buffer_printf(out, " (crashes %llu, hangs %llu, garbage %llu), log lines left out %llu\n",
                  ull(output->crashes), ull(output->hangs), ull(output->garbage),
                  ull(output->suppressed));
}

static void put_journal(struct buffer *out, struct delivery *delivery)
{
    struct delivery_journal journal;

    delivery_journal(delivery, &journal);
    if (!journal.there)
        return;
    buffer_printf(out,
                  "  journal    %s, journalled %llu, not journalled %llu, overrun %llu, waiting "
                  "%llu\n",
                  journal.fails ? "fails" : "works", ull(journal.journalled),
                  ull(journal.unjournalled), ull(journal.overrun), ull(journal.waiting));
}

static void put_centre(struct buffer *out, const struct centre_counters *centre)
{
    const struct stream_counters *stream = &centre->stream;

    buffer_printf(
        out,
        "  %-10s received %llu = acknowledged %llu + refused %llu + given back %llu + not "
        "settled %llu; repeated %llu; events %llu, alerts %llu; waiting behind %llu; %s, "
        "restarts %llu (crashes %llu, hangs %llu, garbage %llu)\n",
        stream->name, ull(stream->received), ull(stream->kept), ull(stream->refused),
        ull(stream->again), ull(centre->unsettled), ull(stream->repeated), ull(centre->events),
        ull(centre->alerts), ull(stream->behind), stream->state, ull(stream->restarts),
        ull(stream->crashes), ull(stream->hangs), ull(stream->garbage));
}

void status_print(const struct status *status)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    int64_t elapsed = status->live ? status->live->elapsed : status->centre->elapsed;

    buffer_printf(&out, "picket: counts after %lld s\n", (long long)(elapsed / NS_PER_S));
    if (status->live) {
        put_sensor(&out, status->live);
        put_processes(&out, status->live);
    } else {
        put_centre(&out, status->centre);
    }
    if (status->hash)
        put_hashes(&out, status->hash);
    if (status->detector)
        put_detector(&out, status->detector);
    if (status->reload)
        put_reload(&out, status->reload);
    if (status->delivery)
        put_journal(&out, status->delivery);
    for (size_t i = 0; status->delivery && i < delivery_output_count(status->delivery); i++) {
        struct delivery_counters output;

        delivery_counters(status->delivery, i, &output);
        put_output(&out, &output);
    }
    log_lines(buffer_text(&out));
}

bool status_print_replay(const struct detector *detector, struct delivery *delivery,
                         uint64_t refused)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct detector_counters counters = detector_counters(detector);
    unsigned long long events = sum(counters.events, EVENT_TYPES);
    bool whole = counters.unwritten == 0;

    buffer_printf(&out, "picket: %llu event%s, %llu alert%s, %llu folded, %llu line%s refused\n",
                  events, text_plural(events), ull(counters.alerts), text_plural(counters.alerts),
                  ull(counters.suppression.folded), ull(refused), text_plural(refused));
    if (!whole || counters.matcher.limits || counters.correlator.evicted ||
        counters.correlator.dropped || counters.correlator.starved)
        put_detector(&out, detector);
    for (size_t i = 0; i < delivery_output_count(delivery); i++) {
        struct delivery_counters output;

        delivery_counters(delivery, i, &output);
        if (output.delivered == output.offered)
            continue;
        whole = false;
        put_output(&out, &output);
    }
    log_lines(buffer_text(&out));
    return whole;
}
