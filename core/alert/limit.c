#include "alert/limit.h"

#include <errno.h>

struct entry {
    uint64_t count; /* not let out yet */
    int64_t from, until;
    int64_t due; /* when it may be let out, monotonic */
};

struct limit_ledger {
    const struct ruleset *rules;
    size_t waiting;    /* entries with a count */
    int64_t next_due;  /* none of them is due before */
    size_t at;         /* where the look at what is due stands; 0: there is none under way */
    int64_t soonest;   /* due of what it passed over */
    struct entry of[]; /* by the rule's index */
};

int limit_ledger_new(const struct ruleset *rules, struct limit_ledger **out)
{
    struct limit_ledger *ledger = calloc(1, sizeof *ledger + rules->count * sizeof(struct entry));

    if (!ledger)
        return -ENOMEM;
    ledger->rules = rules;
    *out = ledger;
    return 0;
}

void limit_ledger_free(struct limit_ledger *ledger)
{
    free(ledger);
}

void limit_ledger_add(struct limit_ledger *ledger, const struct rule *rule, int64_t time)
{
    struct entry *entry = &ledger->of[rule->index];

    if (entry->count++ == 0) {
        entry->from = entry->until = time;
        if (ledger->waiting++ == 0 || entry->due < ledger->next_due)
            ledger->next_due = entry->due;
        if (entry->due < ledger->soonest)
            ledger->soonest = entry->due; /* the look may have passed it */
    }
    if (time < entry->from)
        entry->from = time;
    if (time > entry->until)
        entry->until = time;
}

static void let_out(struct limit_ledger *ledger, size_t index, int64_t now, struct limit_sum *out)
{
    struct entry *entry = &ledger->of[index];

    *out = (struct limit_sum){ledger->rules->rules[index], entry->count, entry->from, entry->until};
    *entry = (struct entry){.due = now == INT64_MAX ? now : now + LIMIT_PAUSE};
    ledger->waiting--;
}

bool limit_ledger_take(struct limit_ledger *ledger, int64_t now, struct limit_sum *out)
{
    if (ledger->at == 0 && (ledger->waiting == 0 || now < ledger->next_due))
        return false;
    if (ledger->at == 0)
        ledger->soonest = INT64_MAX;
    while (ledger->at < ledger->rules->count) {
        const struct entry *entry = &ledger->of[ledger->at++];

        if (entry->count && entry->due <= now) {
            let_out(ledger, ledger->at - 1, now, out);
            return true;
        }
        if (entry->count && entry->due < ledger->soonest)
            ledger->soonest = entry->due;
    }
    ledger->next_due = ledger->soonest;
    ledger->at = 0;
    return false;
}

static void put_regex(struct buffer *out, const struct limit_sum *sum)
{
    buffer_printf(out,
                  "a regex of rule '%.*s' was given up on for %llu event%s, which made it too "
                  "expensive: there the regex counts as not matching; write it so that it cannot "
                  "backtrack without end",
                  TEXT_ARG(sum->rule->id), (unsigned long long)sum->count, text_plural(sum->count));
}

static void put_correlation(struct buffer *out, const struct limit_sum *sum)
{
    const char *plural = text_plural(sum->count);

    buffer_printf(out,
                  "correlation '%.*s' had no room for more and forgot %llu group%s or hit%s, the "
                  "least recent: what began there it may have missed; group by what fewer values "
                  "are of, shorten its timespan, or make its rules narrower",
                  TEXT_ARG(sum->rule->id), (unsigned long long)sum->count, plural, plural);
}

void limit_put_message(struct buffer *out, enum limit_kind kind, const struct limit_sum *sum)
{
    switch (kind) {
    case LIMIT_REGEX:
        put_regex(out, sum);
        break;
    case LIMIT_CORRELATION:
        put_correlation(out, sum);
        break;
    }
}

void limit_put_json(struct json_writer *json, const struct limit_sum *sum)
{
    json_begin(json, '{');
    json_key(json, TEXT("rule"));
    json_text(json, sum->rule->id);
    json_key(json, TEXT("count"));
    json_int(json, (int64_t)sum->count);
    json_key(json, TEXT("from"));
    json_time(json, sum->from);
    json_key(json, TEXT("until"));
    json_time(json, sum->until);
    json_end(json, '}');
}
