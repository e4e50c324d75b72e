#include "cli/moment.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

struct unit {
    const char *names; /* between blanks */
    int64_t seconds;
};

static const struct unit units[] = {
    {" s sec secs second seconds ", 1}, {" m min mins minute minutes ", 60},
    {" h hr hour hours ", 3600},        {" d day days ", 86400},
    {" w week weeks ", 604800},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* What is at the front of *T and all FITS, which is taken off. */
static struct text take(struct text *t, bool (*fits)(char))
{
    struct text front = {t->ptr, 0};

    while (front.len < t->len && fits(t->ptr[front.len]))
        front.len++;
    t->ptr += front.len;
    t->len -= front.len;
    return front;
}

static const struct unit *find_unit(struct text name)
{
    char word[16];

    if (name.len == 0 || name.len > sizeof word - 3)
        return NULL;
    int len = snprintf(word, sizeof word, " %.*s ", TEXT_ARG(name));

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_contains(text_from(units[i].names), (struct text){word, (size_t)len}))
            return &units[i];
    return NULL;
}

/* "1h 30m": in seconds. */
static int parse_span(struct text t, int64_t *out)
{
    int64_t sum = 0;

    do {
        struct text digits = take(&t, is_digit);

        t = text_trim(t);
        const struct unit *unit = find_unit(take(&t, is_letter));
        int64_t number;

        if (!unit || digits.len == 0)
            return -EINVAL;
        if (text_to_int(digits, &number) < 0 ||
            __builtin_mul_overflow(number, unit->seconds, &number) ||
            __builtin_add_overflow(sum, number, &sum))
            return -ERANGE;
        t = text_trim(t);
    } while (t.len);
    *out = sum;
    return 0;
}

static int parse_ago(struct text t, int64_t now, int64_t *out)
{
    const struct text ago = TEXT("ago");
    int64_t seconds;

    if (text_starts(t, TEXT("-"))) {
        t.ptr++;
        t.len--;
    } else if (text_ends(t, ago)) {
        t = text_trim((struct text){t.ptr, t.len - ago.len});
    }
    int r = parse_span(t, &seconds);

    if (r < 0)
        return r;
    if (seconds > now / NS_PER_S)
        return -ERANGE;
    *out = now - seconds * NS_PER_S;
    return 0;
}

static int parse_epoch(struct text t, int64_t *out)
{
    int64_t seconds;

    if (t.len < 2 || !is_digit(t.ptr[1]))
        return -EINVAL;
    int r = text_to_int((struct text){t.ptr + 1, t.len - 1}, &seconds);

    if (r == 0 && __builtin_mul_overflow(seconds, NS_PER_S, out))
        r = -ERANGE;
    return r;
}

static struct tm local(int64_t time)
{
    time_t seconds = (time_t)(time / NS_PER_S);
    struct tm tm = {0};

    localtime_r(&seconds, &tm);
    return tm;
}

/* The beginning of the day that is DAYS after that of NOW. */
static int day_begin(int64_t now, int days, int64_t *out)
{
    struct tm tm = local(now);

    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday += days;
    tm.tm_isdst = -1;
    *out = mktime(&tm) * NS_PER_S;
    return 0;
}

static bool parse_word(struct text t, int64_t now, int64_t *out)
{
    static const char *const days[] = {"yesterday", "today", "tomorrow"};

    for (int i = 0; i < 3; i++)
        if (text_is(t, days[i]))
            return day_begin(now, i - 1, out) == 0;
    *out = text_is(t, "now") ? now : *out;
    return text_is(t, "now");
}

/* As the digits of FORM ("dd:dd") and its other characters; the numbers go to OUT. */
static bool take_form(struct text *t, const char *form, int *out)
{
    size_t len = strlen(form);

    if (t->len < len)
        return false;
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = t->ptr[i];

        if (form[i] != 'd' ? c != form[i] : !is_digit(c))
            return false;
        if (form[i] == 'd')
            *out = *out * 10 + (c - '0');
        else
            *++out = 0;
    }
    t->ptr += len;
    t->len -= len;
    return true;
}

/* "2026-01-01 12:00:05.5 +0100", as people are shown it: RFC 3339 but for its spaces and the colon
 * of its zone. */
static int parse_zoned(struct text t, int64_t *out)
{
    enum { DATE_LEN = 10, TIME_LEN = 19 };
    CLEANUP(buffer_deinit) struct buffer text = {0};
    const char *zone = t.len > TIME_LEN ? memchr(t.ptr + TIME_LEN, ' ', t.len - TIME_LEN) : NULL;
    size_t len = zone ? (size_t)(zone - t.ptr) : t.len;
    struct text offset = zone ? text_trim((struct text){zone, t.len - len}) : TEXT("");

    if (t.len <= TIME_LEN || !strchr(" Tt", t.ptr[DATE_LEN]))
        return -EINVAL;
    buffer_put(&text, t.ptr, DATE_LEN);
    buffer_put_char(&text, 'T');
    buffer_put(&text, t.ptr + DATE_LEN + 1, len - DATE_LEN - 1);
    if (offset.len == 5) /* +0100 */
        buffer_printf(&text, "%.3s:%.2s", offset.ptr, offset.ptr + 3);
    else
        buffer_put_text(&text, text_is(offset, "UTC") ? TEXT("Z") : offset);
    return buffer_failed(&text) ? -ENOMEM : time_parse(buffer_text(&text), out);
}

/* ".5": in ns. */
static bool take_fraction(struct text *t, int64_t *out)
{
    int64_t unit = NS_PER_S;

    *out = 0;
    if (!text_starts(*t, TEXT(".")))
        return true;
    t->ptr++;
    t->len--;
    struct text digits = take(t, is_digit);

    for (size_t i = 0; i < digits.len; i++)
        *out += (digits.ptr[i] - '0') * (unit /= 10);
    return digits.len > 0 && digits.len <= 9;
}

/* "12:00" or "12:00:05", and nothing behind it but a fraction. */
static bool take_clock(struct text *t, struct tm *tm, int64_t *fraction)
{
    int clock[2], second = 0;

    *fraction = 0;
    if (!take_form(t, "dd:dd", clock))
        return false;
    if (t->len) {
        int seconds[2];

        if (!take_form(t, ":dd", seconds) || !take_fraction(t, fraction))
            return false;
        second = seconds[1];
    }
    tm->tm_hour = clock[0];
    tm->tm_min = clock[1];
    tm->tm_sec = second;
    return t->len == 0 && clock[0] < 24 && clock[1] < 60 && second < 61;
}

static int parse_local(struct text t, int64_t now, int64_t *out)
{
    struct tm tm = local(now);
    int64_t fraction;
    int date[3];

    tm.tm_isdst = -1;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    if (take_form(&t, "dddd-dd-dd", date)) {
        tm.tm_year = date[0] - 1900;
        tm.tm_mon = date[1] - 1;
        tm.tm_mday = date[2];
        if (t.len && t.ptr[0] != ' ' && t.ptr[0] != 'T')
            return -EINVAL;
        if (t.len)
            t = (struct text){t.ptr + 1, t.len - 1};
        else
            t = TEXT("00:00");
    }
    if (!take_clock(&t, &tm, &fraction))
        return -EINVAL;
    struct tm wanted = tm;
    time_t seconds = mktime(&tm);

    if (tm.tm_mon != wanted.tm_mon || tm.tm_mday != wanted.tm_mday) /* there is no such day */
        return -EINVAL;
    return __builtin_mul_overflow((int64_t)seconds, NS_PER_S, out) ||
                   __builtin_add_overflow(*out, fraction, out)
               ? -ERANGE
               : 0;
}

int moment_parse(struct text t, int64_t now, int64_t *out)
{
    int64_t moment = 0;
    int r = 0;

    t = text_trim(t);
    if (t.len == 0)
        return -EINVAL;
    if (t.ptr[0] == '@')
        r = parse_epoch(t, &moment);
    else if (!parse_word(t, now, &moment) && time_parse(t, &moment) < 0 &&
             parse_zoned(t, &moment) < 0) {
        r = parse_ago(t, now, &moment);
        if (r == -EINVAL)
            r = parse_local(t, now, &moment);
    }
    if (r == 0 && moment < 0)
        r = -ERANGE;
    if (r == 0)
        *out = moment;
    return r;
}

void moment_put(struct buffer *out, int64_t time)
{
    struct tm tm = local(time);
    char text[40];

    buffer_put(out, text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm));
}

void moment_put_exact(struct buffer *out, int64_t time)
{
    struct tm tm = local(time);
    char zone[16];
    size_t len = strftime(zone, sizeof zone, " %z", &tm);

    moment_put(out, time);
    buffer_printf(out, ".%09lld", (long long)(time % NS_PER_S));
    buffer_put(out, zone, len);
}
