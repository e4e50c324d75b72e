#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_monotonic(void)
{
    return now(CLOCK_MONOTONIC);
}

int64_t clock_boottime(void)
{
    return now(CLOCK_BOOTTIME);
}

int64_t clock_realtime(void)
{
    return now(CLOCK_REALTIME);
}

/* The two clocks cannot be read at once: of a few tries the one that took least is right to half of
 * what it took, also when we were interrupted in another. */
int64_t clock_boot_offset(void)
{
    int64_t least = INT64_MAX, offset = 0;

    for (unsigned i = 0; i < 3; i++) {
        int64_t before = clock_boottime();
        int64_t real = clock_realtime();
        int64_t took = clock_boottime() - before;

        if (took < least) {
            least = took;
            offset = real - before - took / 2;
        }
    }
    return offset;
}

/* Days since 1970 and back, by Howard Hinnant's algorithms: no time zone, no locale, no lock. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void civil_from_days(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (unsigned)((int64_t)year_of_era + era * 400 + (*month <= 2));
}

static char *put_digits(char *at, uint64_t value, unsigned count)
{
    for (unsigned i = count; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + count;
}

void time_put(struct buffer *buffer, int64_t time)
{
    char *at = buffer_reserve(buffer, TIME_TEXT_LEN);

    if (!at)
        return;
    int64_t seconds = time / NS_PER_S - (time % NS_PER_S < 0);
    int64_t fraction = time % NS_PER_S + (time % NS_PER_S < 0 ? NS_PER_S : 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    uint64_t second = (uint64_t)(seconds - days * 86400);
    unsigned year, month, day;

    civil_from_days(days, &year, &month, &day);
    at = put_digits(at, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    at = put_digits(at, (uint64_t)fraction, 9);
    *at = 'Z';
    buffer->len += TIME_TEXT_LEN;
}

/* Exactly COUNT digits at the front of *T, then the character AFTER (0: none). */
static bool take_number(struct text *t, unsigned count, char after, unsigned *out)
{
    unsigned value = 0;

    if (t->len < count + (after != 0))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (t->ptr[i] < '0' || t->ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(t->ptr[i] - '0');
    }
    if (after && t->ptr[count] != after)
        return false;
    t->ptr += count + (after != 0);
    t->len -= count + (after != 0);
    *out = value;
    return true;
}

static bool take_fraction(struct text *t, int64_t *ns)
{
    int64_t scale = NS_PER_S;

    *ns = 0;
    if (!t->len || t->ptr[0] != '.')
        return true;
    size_t i = 1;

    for (; i < t->len && t->ptr[i] >= '0' && t->ptr[i] <= '9'; i++) {
        scale /= 10;
        *ns += scale * (t->ptr[i] - '0');
    }
    t->ptr += i;
    t->len -= i;
    return i > 1;
}

static bool take_offset(struct text *t, int64_t *seconds)
{
    unsigned hours, minutes;

    if (t->len == 1 && (t->ptr[0] == 'Z' || t->ptr[0] == 'z')) {
        *seconds = 0;
        return true;
    }
    if (t->len != 6 || (t->ptr[0] != '+' && t->ptr[0] != '-'))
        return false;
    int sign = t->ptr[0] == '-' ? -1 : 1;

    t->ptr++;
    t->len--;
    if (!take_number(t, 2, ':', &hours) || !take_number(t, 2, 0, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *seconds = sign * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

int time_parse(struct text t, int64_t *out)
{
    unsigned year, month, day, hour, minute, second;
    int64_t ns, offset;

    if (!take_number(&t, 4, '-', &year) || !take_number(&t, 2, '-', &month) ||
        !take_number(&t, 2, 'T', &day) || !take_number(&t, 2, ':', &hour) ||
        !take_number(&t, 2, ':', &minute) || !take_number(&t, 2, 0, &second) ||
        !take_fraction(&t, &ns) || !take_offset(&t, &offset))
        return -EINVAL;
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month) || hour > 23 || minute > 59 || second > 60)
        return -EINVAL;
    *out = (days_from_civil(year, month, day) * 86400 + hour * 3600LL + minute * 60LL + second -
            offset) *
               NS_PER_S +
           ns;
    return 0;
}
