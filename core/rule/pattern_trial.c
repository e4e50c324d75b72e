#include "rule/pattern_trial.h"

#include <pthread.h>

#include "rule/pattern_set.h"

/* Texts of up to so many bytes are tried, and matches up to so many before their end. */
#define LENGTH_MAX 300
#define BEHIND_MAX 40

#define PATTERNS_MAX 2

struct trial {
    struct predicate patterns[PATTERNS_MAX]; /* the first has to be found */
    size_t count;
    struct text match;
};

static const struct trial trials[] = {
    {{{.op = PREDICATE_FINDS, .text = {"(a|sh)", 6}}}, 1, {"nginx\naaa", 9}},
    {{{.op = PREDICATE_FINDS, .text = {"a.*", 3}}}, 1, {"aaa", 3}},
    {{{.op = PREDICATE_CONTAINS, .text = {"Ax", 2}},
      {.op = PREDICATE_CONTAINS, .text = {"bbx", 3}}},
     2,
     {"Ax", 2}},
    {{{.op = PREDICATE_ENDS, .text = {"sh", 2}}, {.op = PREDICATE_ENDS, .text = {"xshbash", 7}}},
     2,
     {"bash", 4}},
};

static bool finds(const struct trial *trial, const struct pattern_set *set,
                  struct pattern_scratch *scratch)
{
    uint32_t ids[PATTERNS_MAX];
    char text[LENGTH_MAX];
    bool ends = trial->patterns[0].op == PREDICATE_ENDS;

    for (size_t len = trial->match.len; len <= sizeof text; len++) {
        size_t last = ends ? 0 : len - trial->match.len;

        for (size_t behind = 0; behind <= last && behind <= BEHIND_MAX; behind++) {
            struct pattern_hits hits = {.ids = ids, .size = PATTERNS_MAX};

            memset(text, 'c', sizeof text);
            memcpy(text + len - trial->match.len - behind, trial->match.ptr, trial->match.len);
            if (!pattern_set_find(set, scratch, (struct text){text, len}, &hits) ||
                hits.count != 1 || ids[0] != 0)
                return false;
        }
    }
    return true;
}

static bool passes(const struct trial *trial)
{
    struct pattern_item items[PATTERNS_MAX];
    struct pattern_scratch scratch = {0};
    struct pattern_set *set = NULL;
    size_t culprit;

    for (size_t i = 0; i < trial->count; i++)
        items[i] = (struct pattern_item){&trial->patterns[i], (uint32_t)i};
    bool good = pattern_set_new(items, trial->count, &set, &culprit) == 0 &&
                pattern_set_prepare(set, &scratch) == 0 && finds(trial, set, &scratch);

    pattern_scratch_deinit(&scratch);
    pattern_set_free(set);
    return good;
}

/* Neither the CPU nor the library becomes another one. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool passed;

static void try_all(void)
{
    bool good = hs_valid_platform() == HS_SUCCESS;

    for (size_t i = 0; good && i < sizeof trials / sizeof *trials; i++)
        good = passes(&trials[i]);
    passed = good;
}

bool pattern_trial(void)
{
    pthread_once(&once, try_all);
    return passed;
}
