#include "presentation/secret_pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* For one beginning of a match. A sane pattern needs a few hundred. */
#define MATCH_LIMIT 20000
#define HEAP_LIMIT  8192 /* KiB, where no machine code is allowed */

#define STACK_START 32768
#define STACK_MAX   1048576

/* Beginnings of a match that are tried at once: what is expensive from each of them (".*x") is
 * noticed in between. */
#define WINDOW 256

/* Bytes to search before the clock is looked at. */
#define WORK_UNIT 4096

struct secret_pattern {
    pcre2_code *code;
};

struct secret_search {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    int64_t began; /* CPU time of the thread */
    size_t work;   /* bytes since the clock was looked at */
    bool exhausted;
};

static int64_t cpu_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int refuse(struct secret_pattern_mistake *mistake, size_t offset, const char *reason)
{
    mistake->offset = offset;
    snprintf(mistake->reason, sizeof mistake->reason, "%s", reason);
    return -EINVAL;
}

static int compile(struct text source, pcre2_code **out, struct secret_pattern_mistake *mistake)
{
    const uint32_t options =
        PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    PCRE2_UCHAR reason[sizeof mistake->reason];
    PCRE2_SIZE offset = 0;
    int error = 0;

    *out = pcre2_compile((PCRE2_SPTR)source.ptr, source.len, options, &error, &offset, NULL);
    if (!*out && error == PCRE2_ERROR_HEAP_FAILED)
        return -ENOMEM;
    if (!*out) {
        pcre2_get_error_message(error, reason, sizeof reason);
        return refuse(mistake, offset < source.len ? offset : source.len, (const char *)reason);
    }
    /* Without machine code (forbidden by the system, or a construct it lacks) the interpreter does
     * the same, more slowly. */
    pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE);
    return 0;
}

static bool matches_nothing(const pcre2_code *code)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int r = data ? pcre2_match(code, (PCRE2_SPTR) "", 0, 0, 0, data, NULL) : PCRE2_ERROR_NOMATCH;

    pcre2_match_data_free(data);
    return r >= 0;
}

int secret_pattern_new(struct text source, struct secret_pattern **out,
                       struct secret_pattern_mistake *mistake)
{
    pcre2_code *code = NULL;
    int r = compile(source, &code, mistake);

    if (r == 0 && matches_nothing(code))
        r = refuse(mistake, 0, "it matches an empty text, so everywhere");
    struct secret_pattern *pattern = r == 0 ? malloc(sizeof *pattern) : NULL;

    if (!pattern) {
        pcre2_code_free(code);
        return r < 0 ? r : -ENOMEM;
    }
    pattern->code = code;
    *out = pattern;
    return 0;
}

void secret_pattern_free(struct secret_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    free(pattern);
}

int secret_search_new(struct secret_search **out)
{
    struct secret_search *search = calloc(1, sizeof *search);

    if (!search)
        return -ENOMEM;
    /* One pair: of all that matched. */
    search->data = pcre2_match_data_create(1, NULL);
    search->context = pcre2_match_context_create(NULL);
    search->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
    if (!search->data || !search->context || !search->stack) {
        secret_search_free(search);
        return -ENOMEM;
    }
    pcre2_set_match_limit(search->context, MATCH_LIMIT);
    pcre2_set_heap_limit(search->context, HEAP_LIMIT);
    pcre2_jit_stack_assign(search->context, NULL, search->stack);
    *out = search;
    return 0;
}

void secret_search_free(struct secret_search *search)
{
    if (!search)
        return;
    pcre2_match_data_free(search->data);
    pcre2_match_context_free(search->context);
    pcre2_jit_stack_free(search->stack);
    free(search);
}

void secret_search_begin(struct secret_search *search)
{
    search->began = cpu_time();
    search->work = 0;
    search->exhausted = false;
}

bool secret_search_afford(struct secret_search *search, size_t work)
{
    search->work += work;
    if (search->work >= WORK_UNIT) {
        search->work = 0;
        search->exhausted |= cpu_time() - search->began > SECRET_TIME_MAX;
    }
    return !search->exhausted;
}

/* As pcre2_match(), for matches that begin in a window from FROM on. */
static int find_in_window(struct secret_search *search, const struct secret_pattern *pattern,
                          struct text subject, size_t from)
{
    pcre2_set_offset_limit(search->context, from + WINDOW - 1);
    return pcre2_match(pattern->code, (PCRE2_SPTR)subject.ptr, subject.len, from,
                       PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK, search->data, search->context);
}

int secret_search_find(struct secret_search *search, const struct secret_pattern *pattern,
                       struct text subject, size_t from, struct secret_span *out)
{
    if (subject.len > SECRET_TEXT_MAX)
        return -E2BIG;
    for (; from < subject.len; from += WINDOW) {
        size_t left = subject.len - from;

        if (!secret_search_afford(search, left < WINDOW ? left : WINDOW))
            return -E2BIG;
        int r = find_in_window(search, pattern, subject, from);

        if (r == PCRE2_ERROR_NOMATCH)
            continue;
        if (r < 0) {
            secret_search_afford(search, WORK_UNIT);
            return -E2BIG;
        }
        const PCRE2_SIZE *pair = pcre2_get_ovector_pointer(search->data);

        *out = (struct secret_span){pair[0], pair[1]};
        return pair[0] < pair[1] ? 1 : -E2BIG;
    }
    return 0;
}
