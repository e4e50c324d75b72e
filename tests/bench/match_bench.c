/* match_bench [-r ROUNDS] FOLDER: what matching costs an event, with reading excluded, on the
 * events of FOLDER/benign.jsonl.gz; as the number of rules grows, beside a loop of PCRE2's machine
 * code over the same rules; and with the rules of FOLDER/sigma-dev, alone and beside ten copies
 * with other values. All in one interleaved run: in each round each set of rules has its turn.
 * Prints a JSON line for each set, times in nanoseconds.
 *
 * match_bench load SET FOLDER is started by it, to have a process of its own: loads
 * such rules and prints how long it took and what it takes. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/event_json.h"
#include "match_rules.h"
#include "rule/expression.h"
#include "rule/matcher.h"
#include "sensor/replay.h"

#define ROUNDS_DEFAULT 9

/* What a loop over all rules may take a round; it gets fewer events for that. */
#define LOOP_BUDGET (400 * NS_PER_MS)
#define LOOP_NS     150 /* about, a rule */

struct corpus {
    struct arena arena;
    struct event *events;
    size_t count;
};

/* One rule of a loop: a field and a pattern. */
struct looped {
    struct field_ref ref;
    struct regex *regex;
};

struct set {
    char name[32];
    size_t count;
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct looped *loop; /* NULL: its rules are more than one predicate each */
    struct regex_scratch *scratch;
    double *indexed, *plain, *looped; /* ns an event, by round */
    double load_ms;
    long resident_kib;
};

static void die(const char *what)
{
    fprintf(stderr, "match_bench: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Replay's events live until the next one: these are kept as they would be recorded. */
static void keep_event(struct corpus *corpus, const struct event *event)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct json_writer json = {.buffer = &text};
    struct event_failure failure;
    json_t *root = NULL;

    corpus->events = reallocarray(corpus->events, corpus->count + 1, sizeof *corpus->events);
    if (!corpus->events)
        die("out of memory");
    event_put_json(&json, event);
    if (event_read_json(buffer_text(&text), &corpus->arena, &corpus->events[corpus->count], &root,
                        &failure) < 0)
        die(failure.reason);
    corpus->events[corpus->count++].meta = NULL;
    json_decref(root);
}

static void read_corpus(struct corpus *corpus, const char *folder)
{
    CLEANUP(replay_freep) struct replay *replay = NULL;
    CLEANUP(buffer_deinit) struct buffer path = {0};
    struct event_failure failure;
    struct event event;

    buffer_printf(&path, "%s/benign.jsonl.gz", folder);
    if (replay_open(buffer_string(&path), &replay) < 0)
        die("there is no benign.jsonl.gz in that folder");
    while (replay_next(replay, &event, &failure) == REPLAY_EVENT)
        keep_event(corpus, &event);
}

/* Those of a set: as many as its name says, of our own; or ("sigma", and a number of copies behind
 * it) the published files, and copies with other values. */
struct rules {
    struct buffer folder, text;
    struct rule_source sources[2];
    size_t count;
};

static void rules_deinit(struct rules *rules)
{
    buffer_deinit(&rules->folder);
    buffer_deinit(&rules->text);
}

static void find_rules(const char *name, const char *folder, struct rules *out)
{
    unsigned copies = 0;

    if (strncmp(name, "sigma", 5) != 0) {
        match_rules_generate(&out->text, strtoul(name, NULL, 10));
    } else {
        copies = (unsigned)strtoul(name + 5, NULL, 10);
        buffer_printf(&out->folder, "%s/sigma-dev", folder);
        out->sources[out->count++].path = buffer_string(&out->folder);
        if (copies > 0 &&
            match_rules_copy_sigma(&out->text, buffer_string(&out->folder), copies) <= 0)
            die("no Sigma rules in that folder");
    }
    if (out->text.len > 0)
        out->sources[out->count++] =
            (struct rule_source){.path = "rules.yaml", .content = buffer_text(&out->text)};
}

/* Milliseconds. */
static double load(const struct rules *rules, struct ruleset **out)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer told = {0};
    int64_t begin = clock_monotonic();
    int r = ruleset_load(rules->sources, rules->count, &diags, out);

    if (r == 0)
        return (double)(clock_monotonic() - begin) / (double)NS_PER_MS;
    diag_render_all(&diags, false, &told);
    fputs(buffer_string(&told), stderr);
    die("the rules do not load");
    return 0;
}

static long resident_kib(void)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/self/statm", "re");
    char line[128], *rest;

    if (!file || !fgets(line, sizeof line, file))
        die("no /proc/self/statm");
    strtol(line, &rest, 10);
    return strtol(rest, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What loading takes, in a process that has done nothing else. */
static int load_alone(const char *name, const char *folder)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    struct rules rules = {0};

    find_rules(name, folder, &rules);
    double ms = load(&rules, &ruleset);

    rules_deinit(&rules);
    if (matcher_new(ruleset, &matcher) < 0)
        die("out of memory");
    malloc_trim(0); /* as the engine does */
    printf("%.1f %ld\n", ms, resident_kib());
    return EXIT_SUCCESS;
}

static void measure_load(struct set *set, const char *program, const char *folder)
{
    CLEANUP(buffer_deinit) struct buffer command = {0};

    buffer_printf(&command, "'%s' load %s '%s'", program, set->name, folder);
    FILE *child = popen(buffer_string(&command), "re"); /* NOLINT(cert-env33-c) */

    char line[128], *rest;

    if (!child || !fgets(line, sizeof line, child))
        die("cannot load in a process of its own");
    set->load_ms = strtod(line, &rest);
    set->resident_kib = strtol(rest, NULL, 10);
    pclose(child);
}

static struct regex *looped_regex(const struct predicate *predicate)
{
    static const unsigned flags[] = {
        [PREDICATE_IS] = REGEX_LITERAL | REGEX_WHOLE,
        [PREDICATE_STARTS] = REGEX_LITERAL | REGEX_WHOLE_START,
        [PREDICATE_ENDS] = REGEX_LITERAL | REGEX_WHOLE_END,
        [PREDICATE_CONTAINS] = REGEX_LITERAL,
        [PREDICATE_MATCHES] = REGEX_WHOLE | REGEX_DOTALL,
    };
    struct regex_failure failure;
    struct regex *regex;

    if (regex_new(predicate->text, flags[predicate->op], &regex, &failure) < 0)
        die(failure.reason);
    return regex;
}

static void make_loop(struct set *set)
{
    set->loop = calloc(set->count, sizeof *set->loop);
    if (!set->loop || regex_scratch_new(&set->scratch) < 0)
        die("out of memory");
    for (size_t i = 0; i < set->count; i++) {
        const struct predicate *predicate = set->ruleset->rules[i]->expression->predicate;

        set->loop[i] = (struct looped){predicate->ref, looped_regex(predicate)};
    }
}

static void make_set(struct set *set, const char *name, const char *folder, unsigned rounds)
{
    CLEANUP(rules_deinit) struct rules rules = {0};

    snprintf(set->name, sizeof set->name, "%s", name);
    find_rules(name, folder, &rules);
    load(&rules, &set->ruleset);
    set->count = set->ruleset->count;
    set->indexed = calloc(rounds, sizeof *set->indexed);
    set->plain = calloc(rounds, sizeof *set->plain);
    set->looped = calloc(rounds, sizeof *set->looped);
    if (!set->indexed || !set->plain || !set->looped ||
        matcher_new(set->ruleset, &set->matcher) < 0)
        die("out of memory");
    if (strncmp(name, "sigma", 5) != 0)
        make_loop(set);
}

typedef size_t matching(struct matcher *, const struct event *, const struct rule *const **);

static double time_matcher(const struct set *set, const struct corpus *corpus, size_t step,
                           matching *match)
{
    const struct rule *const *hits;
    size_t events = 0;
    int64_t begin = clock_monotonic();

    for (size_t i = 0; i < corpus->count; i += step, events++)
        match(set->matcher, &corpus->events[i], &hits);
    return (double)(clock_monotonic() - begin) / (double)events;
}

static double time_loop(const struct set *set, const struct corpus *corpus, size_t step)
{
    size_t events = 0;
    int64_t begin = clock_monotonic();

    for (size_t i = 0; i < corpus->count; i += step, events++) {
        for (size_t j = 0; j < set->count; j++) {
            struct value value;

            if (event_value(&corpus->events[i], &set->loop[j].ref, &value))
                regex_match(set->loop[j].regex, set->scratch, value.text);
        }
    }
    return (double)(clock_monotonic() - begin) / (double)events;
}

static void run_round(struct set *set, const struct corpus *corpus, unsigned round)
{
    size_t step = 1 + (size_t)(set->count * corpus->count * LOOP_NS / LOOP_BUDGET);

    set->indexed[round] = time_matcher(set, corpus, 1, matcher_match);
    set->plain[round] = time_matcher(set, corpus, step, matcher_match_plainly);
    if (set->loop)
        set->looped[round] = time_loop(set, corpus, step);
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static void put_times(struct buffer *out, const char *name, double *times, unsigned rounds)
{
    qsort(times, rounds, sizeof *times, compare);
    buffer_printf(out, ",\"%s\":%.0f,\"%s_least\":%.0f,\"%s_most\":%.0f", name, times[rounds / 2],
                  name, times[0], name, times[rounds - 1]);
}

static void report(struct set *set, const struct corpus *corpus, unsigned rounds)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};
    struct matcher_counters before = matcher_counters(set->matcher), after;

    time_matcher(set, corpus, 1, matcher_match);
    after = matcher_counters(set->matcher);
    buffer_printf(&line, "{\"bench\":\"match\",\"set\":\"%s\",\"rules\":%zu,\"events\":%zu",
                  strncmp(set->name, "sigma", 5) == 0 ? "sigma" : "generated", set->count,
                  corpus->count);
    put_times(&line, "indexed", set->indexed, rounds);
    put_times(&line, "plain", set->plain, rounds);
    if (set->loop)
        put_times(&line, "pcre2", set->looped, rounds);
    buffer_printf(&line, ",\"always\":%zu,\"candidates\":%.3f,\"hits\":%.3f",
                  ruleset_always(set->ruleset, EVENT_EXEC),
                  (double)(after.candidates - before.candidates) / (double)corpus->count,
                  (double)(after.hits - before.hits) / (double)corpus->count);
    buffer_printf(&line, ",\"load_ms\":%.0f,\"resident_kib\":%ld}", set->load_ms,
                  set->resident_kib);
    puts(buffer_string(&line));
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"10", "100", "1000", "10000", "sigma", "sigma10"};
    static struct set sets[sizeof names / sizeof *names];
    struct corpus corpus = {0};
    unsigned rounds = ROUNDS_DEFAULT;

    if (argc == 4 && strcmp(argv[1], "load") == 0)
        return load_alone(argv[2], argv[3]);
    if (argc == 4 && strcmp(argv[1], "-r") == 0)
        rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if ((argc != 2 && argc != 4) || rounds == 0)
        die("usage: match_bench [-r ROUNDS] FOLDER");
    read_corpus(&corpus, argv[argc - 1]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_set(&sets[i], names[i], argv[argc - 1], rounds);
        measure_load(&sets[i], argv[0], argv[argc - 1]);
    }
    for (unsigned round = 0; round < rounds; round++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            run_round(&sets[i], &corpus, round);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        report(&sets[i], &corpus, rounds);
    return EXIT_SUCCESS;
}
