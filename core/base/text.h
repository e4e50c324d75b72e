/* A text: borrowed bytes with a length, and what is done with them everywhere.
 *
 * A text may hold any byte: the kernel's strings are bytes, not UTF-8. Nothing here allocates
 * unless it says so; a text never owns what it points to. */
#ifndef PICKET_BASE_TEXT_H
#define PICKET_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *ptr;
    size_t len;
};

/* clang-format off */
#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define TEXT_ARG(t)   (int)(t).len, (t).ptr /* for "%.*s" */
/* clang-format on */

static inline struct text text_from(const char *string)
{
    return (struct text){string, strlen(string)};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
    return text_equal(a, text_from(string));
}

bool text_starts(struct text whole, struct text part);
bool text_ends(struct text whole, struct text part);
bool text_contains(struct text whole, struct text part);

/* ASCII case only: what a rule calls case is never a matter of locale. */
bool text_equal_nocase(struct text a, struct text b);

/* Cuts what stands before the first SEPARATOR off *REST and returns it; without one, all of it.
 * *REST then begins behind the separator; its ptr is NULL once everything has been returned. */
struct text text_split(struct text *rest, char separator);

struct text text_trim(struct text t);

/* The front of T, at most MAX bytes of it, without a part of a character at its end. */
struct text text_clip(struct text t, size_t max);

/* How many bytes at the front of T are printable ASCII and neither '"' nor a backslash: what stands
 * for itself nearly everywhere, eight at a time. */
size_t text_plain(struct text t);

/* Decodes one UTF-8 character at the front of T. Returns its length in bytes and sets *CODE, or
 * returns 0 when the bytes are not valid UTF-8 (overlong forms and surrogates are not). */
size_t text_utf8(struct text t, uint32_t *code);
bool text_is_utf8(struct text t);

/* Whole-text number: optional sign, decimal, or 0x hexadecimal. -EINVAL, or -ERANGE. */
int text_to_int(struct text t, int64_t *out);

/* "10", "10KiB", "3MiB", "2GiB", also kB, MB, GB (powers of ten). In bytes. -EINVAL, -ERANGE. */
int text_to_size(struct text t, int64_t *out);

/* "250ms", "10s", "5m", "2h", "7d", and sums of them ("1h30m"). In nanoseconds. -EINVAL, -ERANGE.
 */
int text_to_duration(struct text t, int64_t *out);

/* "s" behind the name of what there are COUNT of, "" behind that of one. */
static inline const char *text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* How many single edits (insert, delete, replace, swap) make A of B; at most LIMIT + 1. */
unsigned text_distance(struct text a, struct text b, unsigned limit);

/* "Did you mean": the candidate nearest to WORD, or NULL when none is near enough to be meant. */
const char *text_nearest(struct text word, const char *const *candidates, size_t count);

#endif
