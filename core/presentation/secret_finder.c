#include "presentation/secret_finder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "presentation/secret_literal.h"

#define PATTERNS_MAX 64

/* Commands in quotes in commands in quotes: so many. */
#define QUOTES_MAX 3

/* The shortest token that is known by its look alone: "xoxb-" and ten characters. */
#define LOOK_LEAST 15

struct secret_finder {
    unsigned classes;
    struct secret_pattern *patterns[PATTERNS_MAX];
    enum pattern_kind {
        OF_USER,  /* may find anything */
        OF_NAMES, /* of a class: what it finds has a sign beside it */
        OF_LOOKS  /* of a class: what it finds is long */
    } kinds[PATTERNS_MAX];
    size_t pattern_count;
    struct secret_search *search;

    /* Of the alert at hand. */
    struct arena arena;
    struct secret_literal literals[SECRET_LITERALS_MAX];
    size_t literal_count;
    bool too_many; /* literals */
    bool failed;   /* out of memory */

    struct secret_finds finds;
};

/* What a class finds in any text. Behind a name comes the value, in quotes or up to a space. */
#define VALUE \
    "(?:\\\\\"\\K(?:[^\"\\\\]|\\\\[^\"])++|\"\\K(?:[^\"\\\\]|\\\\.)++|'\\K[^']++|\\K[^\\s\"'&]++)"
#define MEMBER "\\\\?[\"']\\s*:\\s*" VALUE                       /* "name": */
#define QUOTED "\\s{0,4}(?:=\\s{0,4})?[\"']\\K[^\"']++(?=[\"'])" /* name = "..." */
#define ECHOED "\\becho\\s+(?:-[a-zA-Z]+\\s+)?[\"']?"
#define PIPED  "(?=[\"']?\\s*\\|\\s*(?:sudo\\s+)?(?:[a-z/]*/)?" /* | sudo /usr/sbin/... */

static const struct class_pattern {
    unsigned class;
    enum pattern_kind kind;
    const char *source;
} class_patterns[] = {
    {SECRET_PASSWORDS, OF_NAMES,
     "(?i)(?:passw(?:or)?d|passphrase|passcode|(?<![a-z0-9])(?:pass|secret)|[-_.]pwd)"
     "(?:[\"']?=" VALUE "|" MEMBER "|(?<=pass|password|passphrase):\\s?" VALUE "|" QUOTED ")"
     "|[?&]pw?d?=\\K[^\\s\"'&#]+"
     "|(?<!\\S)/p:\\K\\S+"
     "|identified\\s+(?:with\\s+\\S+\\s+)?(?:by|as)\\s+(?:password\\s+)?['\"]\\K[^'\"]++"
     "|" ECHOED "[^\\s:\"'|]+:\\K[^\\s\"'|]++" PIPED "chpasswd)"
     "|" ECHOED "\\K[^\\s\"'|]++" PIPED "passwd|[\"']?\\s*\\|\\s*sudo\\s+-[a-zA-Z]*S)"},
    {SECRET_TOKENS, OF_NAMES,
     "(?i)(?:(?:token|api[-_]?key|(?:access|secret|auth|session|private|master|signing|encryption)"
     "[-_]?key)(?:[\"']?=" VALUE "|" MEMBER "|" QUOTED ")"
     "|aws_(?:secret_access_key|session_token)\\s+\\K[^\\s\"']+"
     "|[?&](?:key|sig|signature|auth|x-(?:amz|goog)-(?:signature|credential))="
     "\\K[^\\s\"'&#]+"
     "|authorization[\"']?\\s*[:=]\\s*[\"']?"
     "(?:(?:basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256|oauth|ntlm|hawk)\\s+)?"
     "\\K[^\\s\"',]+(?:,\\s*[^\\s\"'=]+=\"?[^\\s\"',]+\"?)*"
     "|(?<![a-z])bearer\\s+\\K[a-z0-9._~+/=-]{8,}"
     "|x-[a-z-]{0,32}(?:key|token|secret)[\"']?\\s*:\\s*[\"']?\\K[^\\s\"']+"
     "|cookie:\\s*\\K[^\\s\"';]+(?:;\\s*[^\\s\"';]+)*"
     "|--cookie[\\s=][\"']?\\K[^\\s\"'=;]+=[^\\s\"';]+(?:;\\s*[^\\s\"'=;]+=[^\\s\"';]+)*"
     "|(?:(?<![a-z])|redis(?:cli)?|npm)_auth=\\K[^\\s\"'&]+"
     "|hooks\\.slack\\.com/[a-z]+/\\K[^\\s\"']+|discord(?:app)?\\.com/api/webhooks/\\K[^\\s\"']+"
     "|api\\.telegram\\.org/bot\\K[^\\s\"'/]+"
     "|://(?:[^\\s/:@]*:\\K[^\\s/]+(?=@)|\\K[^\\s/:@]{16,}(?=@)))"},
    {SECRET_TOKENS, OF_LOOKS,
     "gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}"
     "|xox[abeprs]-[A-Za-z0-9-]{10,}|(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])"
     "|AIza[A-Za-z0-9_-]{35}|ya29\\.[A-Za-z0-9_-]{20,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"
     "|(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{20,}"
     "|(?<![A-Za-z0-9])hv[bs]\\.[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{64}|hf_[A-Za-z0-9]{30,}"
     "|eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?"
     "|PRIVATE KEY-----\\K[^-]+"},
};

int secret_finder_new(struct secret_finder **out)
{
    CLEANUP(secret_finder_freep) struct secret_finder *finder = calloc(1, sizeof *finder);
    int r = finder ? secret_search_new(&finder->search) : -ENOMEM;

    if (r < 0)
        return r;
    *out = finder;
    finder = NULL;
    return 0;
}

void secret_finder_free(struct secret_finder *finder)
{
    if (!finder)
        return;
    for (size_t i = 0; i < finder->pattern_count; i++)
        secret_pattern_free(finder->patterns[i]);
    secret_search_free(finder->search);
    arena_deinit(&finder->arena);
    free(finder);
}

int secret_finder_add_pattern(struct secret_finder *finder, struct text source,
                              struct secret_pattern_mistake *mistake)
{
    if (finder->pattern_count == PATTERNS_MAX)
        return -ENOSPC;
    int r = secret_pattern_new(source, &finder->patterns[finder->pattern_count], mistake);

    finder->pattern_count += r == 0;
    return r;
}

int secret_finder_add_class(struct secret_finder *finder, enum secret_class class)
{
    struct secret_pattern_mistake mistake;
    int r = 0;

    if (finder->classes & class)
        return 0;
    finder->classes |= class;
    for (size_t i = 0; r == 0 && i < sizeof class_patterns / sizeof *class_patterns; i++)
        if (class_patterns[i].class == class) {
            finder->kinds[finder->pattern_count] = class_patterns[i].kind;
            r = secret_finder_add_pattern(finder, text_from(class_patterns[i].source), &mistake);
        }
    return r;
}

void secret_finder_begin(struct secret_finder *finder)
{
    secret_search_begin(finder->search);
    arena_clear(&finder->arena);
    finder->literal_count = 0;
    finder->too_many = finder->failed = false;
}

void secret_finder_rest(struct secret_finder *finder)
{
    secret_search_begin(finder->search);
}

struct secret_arguments secret_finder_arguments(const struct secret_finder *finder)
{
    return (struct secret_arguments){.classes = finder->classes};
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Patterns know bytes: characters are masked as a whole. */
static void add_find(struct secret_finds *finds, struct text t, struct secret_span span)
{
    while (span.begin > 0 && continues(t.ptr[span.begin]))
        span.begin--;
    while (span.end < t.len && continues(t.ptr[span.end]))
        span.end++;
    if (finds->count == SECRET_FINDS_MAX)
        finds->whole = true;
    else
        finds->items[finds->count++] = span;
}

/* Whether there is what stands beside the secrets that names tell of, and between words. Most texts
 * are paths and the like, which have none of that. */
static bool has_sign(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (strchr("=:\"'| \t\n\v\f\r", t.ptr[i]))
            return true;
    return false;
}

static void find_pattern(struct secret_finder *finder, const struct secret_pattern *pattern,
                         struct text t)
{
    struct secret_finds *finds = &finder->finds;
    struct secret_span span = {0};
    int r = 0;

    while (!finds->whole &&
           (r = secret_search_find(finder->search, pattern, t, span.end, &span)) == 1)
        add_find(finds, t, span);
    finds->whole |= r < 0;
}

static void find_patterns(struct secret_finder *finder, struct text t, bool sign)
{
    for (size_t i = 0; i < finder->pattern_count && !finder->finds.whole; i++)
        if (finder->kinds[i] == OF_USER || (finder->kinds[i] == OF_NAMES && sign) ||
            (finder->kinds[i] == OF_LOOKS && t.len >= LOOK_LEAST))
            find_pattern(finder, finder->patterns[i], t);
}

/* PART of T may be a command line, and so may be a word of it that was in quotes. */
static void find_in_words(struct secret_finder *finder, struct text t, struct text part, int depth)
{
    struct secret_arguments arguments = secret_finder_arguments(finder);
    struct secret_span span;

    for (struct text word; (word = secret_word_next(&part)).ptr;) {
        size_t at = (size_t)(word.ptr - t.ptr);

        if (secret_arguments_next(&arguments, word, &span))
            add_find(&finder->finds, t, (struct secret_span){at + span.begin, at + span.end});
        else if (depth > 0 && memchr(word.ptr, ' ', word.len))
            find_in_words(finder, t, word, depth - 1);
    }
}

static void find_literal(struct secret_finder *finder, const struct secret_literal *literal,
                         struct text t)
{
    struct secret_finds *finds = &finder->finds;
    struct secret_span span = {0};
    int r = secret_search_afford(finder->search, t.len) ? 0 : -E2BIG;

    while (r >= 0 && !finds->whole && (r = secret_literal_find(literal, t, span.end, &span)) == 1)
        add_find(finds, t, span);
    finds->whole |= r < 0;
    if (secret_literal_find_cut(literal, t, &span))
        add_find(finds, t, span);
}

static void find_literals(struct secret_finder *finder, struct text t)
{
    finder->finds.whole |= finder->too_many;
    for (size_t i = 0; i < finder->literal_count && !finder->finds.whole; i++)
        find_literal(finder, &finder->literals[i], t);
}

static int compare_spans(const void *a, const void *b)
{
    const struct secret_span *left = a, *right = b;

    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* Orders what was found, and makes one of what overlaps. */
static void finds_settle(struct secret_finds *finds)
{
    size_t kept = 0;

    qsort(finds->items, finds->count, sizeof *finds->items, compare_spans);
    for (size_t i = 0; i < finds->count; i++) {
        struct secret_span *last = kept ? &finds->items[kept - 1] : NULL;
        const struct secret_span *span = &finds->items[i];

        if (!last || span->begin >= last->end)
            finds->items[kept++] = *span;
        else if (span->end > last->end)
            last->end = span->end;
    }
    finds->count = kept;
}

const struct secret_finds *secret_finder_look(struct secret_finder *finder, struct text t,
                                              bool told, struct secret_arguments *arguments)
{
    struct secret_finds *finds = &finder->finds;
    struct secret_span span;

    finds->count = 0;
    finds->whole = false;
    if (told)
        find_literals(finder, t);
    bool sign = has_sign(t);

    find_patterns(finder, t, sign);
    if (finder->classes && sign && !finds->whole)
        find_in_words(finder, t, t, QUOTES_MAX);
    if (arguments && secret_arguments_next(arguments, t, &span))
        add_find(finds, t, span);
    finds_settle(finds);
    return finds;
}

static bool has_literal(const struct secret_finder *finder, struct text t)
{
    for (size_t i = 0; i < finder->literal_count; i++)
        if (text_equal(finder->literals[i].text, t))
            return true;
    return false;
}

/* What a switch that is named like a secret says: no secret, and told of elsewhere. */
static bool is_no_secret(struct text t)
{
    static const char *const words[] = {"true", "false", "none", "null", "stdin", "prompt"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal_nocase(t, text_from(words[i])))
            return true;
    return false;
}

static void keep_literal(struct secret_finder *finder, struct text t)
{
    struct text copy;

    if (t.len == 0 || has_literal(finder, t) || is_no_secret(t))
        return;
    if (finder->literal_count == SECRET_LITERALS_MAX) {
        finder->too_many = true;
        return;
    }
    copy = arena_text(&finder->arena, t);
    finder->failed |= !copy.ptr;
    if (copy.ptr)
        finder->literals[finder->literal_count++] = secret_literal_make(copy);
}

int secret_finder_keep(struct secret_finder *finder, struct text t)
{
    return secret_finder_keep_part(finder, t, 0);
}

int secret_finder_keep_part(struct secret_finder *finder, struct text t, size_t begin)
{
    if (finder->finds.whole)
        keep_literal(finder, t);
    for (size_t i = 0; i < finder->finds.count; i++) {
        const struct secret_span *span = &finder->finds.items[i];
        size_t from = span->begin > begin ? span->begin - begin : 0;
        size_t to = span->end > begin ? span->end - begin : 0;

        to = to < t.len ? to : t.len;
        if (from < to)
            keep_literal(finder, (struct text){t.ptr + from, to - from});
    }
    return finder->failed ? -ENOMEM : 0;
}
