/* What the tests of correlations share: rules a, b and c, events written short, and what came of
 * them.
 *
 * An event is "a@1.5/ann=7": a program called a (ab: rules a and b hit it; x: none does) at 1.5 s,
 * by ann (without: by u; of nobody: "-"), of 7 bytes and with the command line 7 (without: 0). */
#ifndef PICKET_TESTS_CORRELATION_RIG_H
#define PICKET_TESTS_CORRELATION_RIG_H

#include "../rule/rule_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "alert/correlator.h"
#include "base/clock.h"

#define RIG_RULES                                                   \
    "rules:\n"                                                      \
    "- {id: a, title: A, match: {comm: [a, ab, abc]}, tests: []}\n" \
    "- {id: b, title: B, match: {comm: [b, ab, abc]}, tests: []}\n" \
    "- {id: c, title: C, match: {comm: [c, abc]}, tests: []}\n"

/* A correlation of that id; what follows are the keys of its `correlation`, in braces. */
#define RIG_CORRELATION(id, keys) \
    "---\ntitle: T " id "\nid: " id "\nname: " id "\ncorrelation: " keys "\n"

struct rig {
    struct load load;
    struct matcher *matcher;
    struct correlator *correlator;
    struct process process;
    struct event event;
    char comm[16], user[16], cmdline[16];
    struct buffer log; /* of each match: "id(group):time,time,... " in seconds */
};

static inline struct rig rig_new(const char *correlations)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct rig rig = {0};

    buffer_put_string(&text, RIG_RULES);
    buffer_put_string(&text, correlations);
    rig.load = load_good(buffer_string(&text));
    assert_int_equal(matcher_new(rig.load.ruleset, &rig.matcher), 0);
    assert_int_equal(correlator_new(rig.load.ruleset, &rig.correlator), 0);
    return rig;
}

static inline void rig_deinit(struct rig *rig)
{
    correlator_free(rig->correlator);
    matcher_free(rig->matcher);
    load_deinit(&rig->load);
    buffer_deinit(&rig->log);
}

static inline void rig_note(void *context, const struct correlation_match *match)
{
    struct rig *rig = context;
    const struct rule *rule = correlation_match_rule(match);

    buffer_printf(&rig->log, "%s(", rule->id.ptr);
    for (size_t i = 0; i < rule->correlation->key_count; i++) {
        struct text value = match->values[i].text;

        buffer_printf(&rig->log, "%s%.*s", i ? "," : "", value.ptr ? (int)value.len : 4,
                      value.ptr ? value.ptr : "none");
    }
    buffer_put_string(&rig->log, "):");
    for (size_t i = 0; i < match->part_count; i++)
        buffer_printf(&rig->log, "%s%g", i ? "," : "",
                      (double)match->parts[i].time / (double)NS_PER_S);
    buffer_put_char(&rig->log, ' ');
}

/* Matches the rig's event and counts its hits, at TIME. */
static inline void rig_feed(struct rig *rig, int64_t time)
{
    const struct rule *const *hits;

    rig->event.process = &rig->process;
    rig->event.time = time;
    HAS(&rig->event, TIME);
    size_t count = matcher_match(rig->matcher, &rig->event, &hits);

    correlator_begin(rig->correlator, &rig->event, time);
    for (size_t i = 0; i < count; i++)
        correlator_feed(rig->correlator, hits[i]);
    correlator_judge(rig->correlator, rig_note, rig);
}

/* What stands before one of SEPARATORS at the front of *REST, into OUT; all when none is there. */
static inline void rig_part(const char **rest, const char *separators, char out[static 16])
{
    size_t len = strcspn(*rest, separators);

    assert_in_range(len, 0, 15);
    memcpy(out, *rest, len);
    out[len] = '\0';
    *rest += len;
}

/* One event, in the form above. */
static inline void rig_event(struct rig *rig, const char *word)
{
    double seconds;
    long size = 0;
    char *end;

    rig_part(&word, "@", rig->comm);
    seconds = strtod(word + 1, &end);
    word = end;
    strcpy(rig->user, "u");
    if (*word == '/') {
        word++;
        rig_part(&word, "=", rig->user);
    }
    if (*word == '=')
        size = strtol(word + 1, &end, 10);
    snprintf(rig->cmdline, sizeof rig->cmdline, "%ld", size);
    process_set_text(&rig->process, FIELD_COMM, &rig->process.comm, text_from(rig->comm));
    process_set_text(&rig->process, FIELD_USER, &rig->process.user, text_from(rig->user));
    process_set_text(&rig->process, FIELD_CMDLINE, &rig->process.cmdline, text_from(rig->cmdline));
    process_set_number(&rig->process, FIELD_EXE_SIZE, &rig->process.exe_size, size);
    if (strcmp(rig->user, "-") == 0)
        field_set_remove(&rig->process.has, FIELD_USER);
    rig_feed(rig, llround(seconds * (double)NS_PER_S));
}

/* The events of WORDS, parted by blanks, make the matches WANTED. */
static inline void rig_expect(struct rig *rig, const char *words, const char *wanted)
{
    char word[64];
    int length;

    buffer_clear(&rig->log);
    for (; sscanf(words, "%63s%n", word, &length) == 1; words += length)
        rig_event(rig, word);
    assert_string_equal(buffer_string(&rig->log), wanted);
}

/* The same of a correlation of its own, to begin with nothing. */
static inline void rig_ask(const char *keys, const char *words, const char *wanted)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text, RIG_CORRELATION("k", "%s"), keys);
    CLEANUP(rig_deinit) struct rig rig = rig_new(buffer_string(&text));

    rig_expect(&rig, words, wanted);
    assert_int_equal(correlator_counters(rig.correlator).starved, 0);
}

#endif
