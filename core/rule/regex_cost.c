#include "rule/regex_cost.h"

#define COST_MIN (1U << 8)

/* Different bytes of a pattern that are tried. */
#define LETTERS_MAX 32

/* What a probe ends with, so that hardly a pattern matches it to its end; then the letters, so that
 * the search is not given up for the want of one. */
#define ODD_BYTE '\x01'

struct probe {
    const struct regex *regex;
    char letters[LETTERS_MAX];
    size_t letter_count;
    uint32_t cost, ceiling;
    uint64_t *budget;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr(" /-_.=:,;\"'&|", c);
}

static void find_letters(struct probe *probe, struct text pattern)
{
    static const char always[] = "a0 /";

    memcpy(probe->letters, always, sizeof always - 1);
    probe->letter_count = sizeof always - 1;
    for (size_t i = 0; i < pattern.len && probe->letter_count < LETTERS_MAX; i++)
        if (pattern.ptr[i] && is_letter(pattern.ptr[i]) &&
            !memchr(probe->letters, pattern.ptr[i], probe->letter_count))
            probe->letters[probe->letter_count++] = pattern.ptr[i];
}

static bool is_over(const struct probe *probe)
{
    return probe->cost >= probe->ceiling || *probe->budget == 0;
}

/* What suffices hardly ever takes as much as it may: half of it is charged. */
static bool suffices(struct probe *probe, struct text text)
{
    bool enough = regex_suffices(probe->regex, text, probe->cost);
    uint64_t taken = enough ? probe->cost / 2 : probe->cost;

    if (probe->cost > COST_MIN)
        *probe->budget -= taken < *probe->budget ? taken : *probe->budget;
    return enough;
}

/* Tries a text of BYTES over and over. */
static void try_repeated(struct probe *probe, struct text bytes)
{
    char text[REGEX_PROBE_LENGTH + 1 + LETTERS_MAX];
    size_t len = REGEX_PROBE_LENGTH;

    for (size_t i = 0; i < len; i++)
        text[i] = bytes.ptr[i % bytes.len];
    text[len++] = ODD_BYTE;
    memcpy(text + len, probe->letters, probe->letter_count);
    len += probe->letter_count;
    while (!is_over(probe) && !suffices(probe, (struct text){text, len}))
        probe->cost *= 2;
}

uint32_t regex_cost(const struct regex *regex, struct text pattern, uint32_t ceiling,
                    uint64_t *budget)
{
    struct probe probe = {.regex = regex, .cost = COST_MIN, .ceiling = ceiling, .budget = budget};

    find_letters(&probe, pattern);
    for (size_t i = 0; i < probe.letter_count && !is_over(&probe); i++) {
        char pair[2] = {probe.letters[i], probe.letters[i] == ' ' ? 'a' : ' '};

        try_repeated(&probe, (struct text){pair, 1});
        try_repeated(&probe, (struct text){pair, 2});
    }
    try_repeated(&probe, (struct text){probe.letters, probe.letter_count});
    if (pattern.len)
        try_repeated(&probe, pattern);
    return probe.cost;
}
