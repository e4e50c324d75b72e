#include "alert/loss.h"

#include <errno.h>
#include <stdlib.h>

/* What is summed of one kind. SUM.cpus points to CPUS when it is handed out. */
struct account {
    struct loss_sum sum;
    struct loss *cpus;
    size_t cpu_size;
    int64_t next; /* not let out before */
};

struct loss_ledger {
    struct account accounts[LOSS_KINDS];
    bool pending;
    struct account *taken; /* handed out by the last take */
};

struct kind_words {
    const char *name;
    const char *what;   /* happened to them */
    const char *advice; /* what to do */
};

static const struct kind_words words[LOSS_KINDS] = {
    [LOSS_LOST] = {"lost", "lost",
                   "the buffer was full: make 'ring' of the sensor larger, or leave picket more of "
                   "the CPUs"},
    [LOSS_LATE_CPU] = {"late_cpu", "lost",
                       "the CPU came online after picket had started, so its buffer is small: "
                       "restart picket"},
    [LOSS_FOLDED] = {"folded", "folded",
                     "a cgroup made more than its share while the buffer was nearly full"},
    [LOSS_UNSEEN] = {"unseen", "not recorded",
                     "the kernel side could make no record of them: please report this"},
    [LOSS_RECURSION] = {"recursion", "skipped by the kernel",
                        "picket's programs were interrupted by themselves; somebody may be "
                        "bringing that about to hide"},
    [LOSS_REFUSED] = {"refused", "refused",
                      "their records could not be decoded: please report this"},
    [LOSS_STARVED] = {"starved", "lost",
                      "there was no memory to decode their records: leave picket more of it"},
};

int loss_ledger_new(struct loss_ledger **out)
{
    struct loss_ledger *ledger = calloc(1, sizeof *ledger);

    if (!ledger)
        return -ENOMEM;
    for (size_t i = 0; i < LOSS_KINDS; i++)
        ledger->accounts[i].sum.total = (struct loss){.kind = (enum loss_kind)i};
    *out = ledger;
    return 0;
}

void loss_ledger_free(struct loss_ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < LOSS_KINDS; i++)
        free(ledger->accounts[i].cpus);
    free(ledger);
}

static void add(struct loss *sum, const struct loss *loss)
{
    if (sum->count == 0 || loss->from < sum->from)
        sum->from = loss->from;
    if (sum->count == 0 || loss->until > sum->until)
        sum->until = loss->until;
    sum->count += loss->count;
}

static struct loss *find_cpu(struct account *account, int cpu)
{
    size_t needed = (size_t)cpu + 1;

    if (cpu < 0)
        return NULL;
    if (account->cpu_size < needed) {
        struct loss *cpus = realloc(account->cpus, needed * sizeof *cpus);

        if (!cpus)
            return NULL;
        for (size_t i = account->cpu_size; i < needed; i++)
            cpus[i] = (struct loss){.kind = account->sum.total.kind, .cpu = (int)i};
        account->cpus = cpus;
        account->cpu_size = needed;
    }
    return &account->cpus[cpu];
}

static void clear(struct account *account)
{
    account->sum.before += account->sum.total.count;
    account->sum.total.count = 0;
    for (size_t i = 0; i < account->cpu_size; i++)
        account->cpus[i].count = 0;
}

static void give_back(struct loss_ledger *ledger)
{
    if (ledger->taken)
        clear(ledger->taken);
    ledger->taken = NULL;
}

void loss_ledger_add(struct loss_ledger *ledger, const struct loss *loss)
{
    struct account *account = &ledger->accounts[loss->kind];

    give_back(ledger);
    add(&account->sum.total, loss);
    struct loss *cpu = find_cpu(account, loss->cpu);

    if (cpu)
        add(cpu, loss);
    ledger->pending = true;
}

const struct loss_sum *loss_ledger_take(struct loss_ledger *ledger, int64_t now)
{
    give_back(ledger);
    if (!ledger->pending)
        return NULL;
    ledger->pending = false;
    for (size_t i = 0; i < LOSS_KINDS; i++) {
        struct account *account = &ledger->accounts[i];

        if (account->sum.total.count == 0)
            continue;
        ledger->pending = true;
        if (now < account->next)
            continue;
        account->next = now == INT64_MAX ? 0 : now + LOSS_PAUSE;
        account->sum.cpus = account->cpus;
        account->sum.cpu_count = account->cpu_size;
        ledger->taken = account;
        return &account->sum;
    }
    return NULL;
}

/* "1,234" */
static void put_count(struct buffer *out, uint64_t count)
{
    if (count >= 1000) {
        put_count(out, count / 1000);
        buffer_printf(out, ",%03u", (unsigned)(count % 1000));
    } else {
        buffer_printf(out, "%u", (unsigned)count);
    }
}

/* To the millisecond: "2026-01-01T12:00:05.123Z". */
static void put_time(struct buffer *out, int64_t time)
{
    char bytes[TIME_TEXT_LEN];
    struct buffer text = {.data = bytes, .size = sizeof bytes};

    time_put(&text, time);
    buffer_put(out, bytes, sizeof "2026-01-01T12:00:05.123" - 1);
    buffer_put_char(out, 'Z');
}

static void put_cpus(struct buffer *out, const struct loss_sum *sum)
{
    size_t known = 0, put = 0;

    for (size_t i = 0; i < sum->cpu_count; i++)
        known += sum->cpus[i].count > 0;
    for (size_t i = 0; i < sum->cpu_count; i++)
        if (sum->cpus[i].count > 0)
            buffer_printf(out, "%s%zu", put++ ? ", " : known > 1 ? " on CPUs " : " on CPU ", i);
}

void loss_put_message(struct buffer *out, const struct loss_sum *sum)
{
    const struct kind_words *kind = &words[sum->total.kind];

    put_count(out, sum->total.count);
    buffer_printf(out, " event%s %s", text_plural(sum->total.count), kind->what);
    put_cpus(out, sum);
    buffer_put_string(out, " between ");
    put_time(out, sum->total.from);
    buffer_put_string(out, " and ");
    put_time(out, sum->total.until);
    buffer_printf(out, ": %s", kind->advice);
}

static void put_numbers(struct json_writer *json, const struct loss *loss)
{
    json_key(json, TEXT("count"));
    json_int(json, (int64_t)loss->count);
    json_key(json, TEXT("from"));
    json_time(json, loss->from);
    json_key(json, TEXT("until"));
    json_time(json, loss->until);
}

void loss_put_json(struct json_writer *json, const struct loss_sum *sum)
{
    bool any = false;

    json_begin(json, '{');
    json_key(json, TEXT("kind"));
    json_text(json, text_from(words[sum->total.kind].name));
    put_numbers(json, &sum->total);
    for (size_t i = 0; i < sum->cpu_count; i++) {
        if (sum->cpus[i].count == 0)
            continue;
        if (!any) {
            json_key(json, TEXT("cpus"));
            json_begin(json, '[');
            any = true;
        }
        json_begin(json, '{');
        json_key(json, TEXT("cpu"));
        json_int(json, sum->cpus[i].cpu);
        put_numbers(json, &sum->cpus[i]);
        json_end(json, '}');
    }
    if (any)
        json_end(json, ']');
    json_end(json, '}');
}
