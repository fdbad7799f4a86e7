/*
 * fliq_time: timestamps.  The contracts are in fliq_time.h.
 *
 * Days are counted from 1 March of the year 0, so that a leap day is the last
 * day of its year and every month begins at a fixed distance from the first.
 */

#include <string.h>

#include "fliq_time.h"


#define FLIQ_TIME_EPOCH      719468     /* 1970-01-01, from 0000-03-01 */
#define FLIQ_TIME_FIRST_DAY  (-719162)  /* 0001-01-01, from 1970-01-01 */
#define FLIQ_TIME_LAST_DAY   2932896    /* 9999-12-31 */

#define FLIQ_TIME_FIRST      (FLIQ_TIME_FIRST_DAY * FLIQ_TIME_DAY)
#define FLIQ_TIME_LAST       ((FLIQ_TIME_LAST_DAY + 1) * FLIQ_TIME_DAY - 1)


typedef struct {
    int    year;
    int    month;
    int    mday;
    int    hour;
    int    minute;
    int    second;
} fliq_time_fields_t;


/* the days of a year that begins in March that pass before each month */
static const int  fliq_time_before[12] = {
    0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337
};

static const char  fliq_time_shape[] =
    "must be an RFC 3339 timestamp such as 2026-01-31T09:30:00Z";
static const char  fliq_time_zone[] =
    "must carry a time zone: Z or an offset such as +02:00";
static const char  fliq_time_fraction[] =
    "must have 1 to 9 digits after the decimal point";
static const char  fliq_time_absent[] =
    "must be a date and a time that exist";
static const char  fliq_time_years[] =
    "must lie in the years 0001 to 9999 (UTC)";


void
fliq_time_civil(int32_t day, int *year, int *month, int *mday)
{
    int32_t  rest, cycles, centuries, quads, years, m;

    rest = day + FLIQ_TIME_EPOCH;

    cycles = rest / 146097;
    rest %= 146097;

    /* the last century and the last year of four may be a day longer */

    centuries = rest / 36524;
    centuries -= centuries / 4;
    rest -= centuries * 36524;

    quads = rest / 1461;
    rest %= 1461;

    years = rest / 365;
    years -= years / 4;
    rest -= years * 365;

    for (m = 11; m > 0 && fliq_time_before[m] > rest; m--) { /* void */ }

    *mday = rest - fliq_time_before[m] + 1;
    *month = (m < 10) ? m + 3 : m - 9;
    *year = 400 * cycles + 100 * centuries + 4 * quads + years + (m >= 10);
}


int32_t
fliq_time_day(int year, int month, int mday)
{
    int  m;

    m = (month > 2) ? month - 3 : month + 9;
    year -= (month <= 2);

    return 365 * year + year / 4 - year / 100 + year / 400
           + fliq_time_before[m] + mday - 1 - FLIQ_TIME_EPOCH;
}


static int
fliq_time_month_days(int year, int month)
{
    if (month == 2) {
        return (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29
                                                                       : 28;
    }

    return (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31;
}


/* Tell whether there is such a day and such a time of day. */
static int
fliq_time_exists(const fliq_time_fields_t *f)
{
    return f->month >= 1 && f->month <= 12 && f->mday >= 1
           && f->mday <= fliq_time_month_days(f->year, f->month)
           && f->hour <= 23 && f->minute <= 59 && f->second <= 60;
}


/* Make seconds since 1970 of fields that exist. */
static int64_t
fliq_time_join(const fliq_time_fields_t *f)
{
    return (int64_t) fliq_time_day(f->year, f->month, f->mday) * 86400
           + f->hour * 3600 + f->minute * 60 + f->second;
}


/* Read exactly ${n} digits; -1 when they are not all digits. */
static int
fliq_time_number(const uint8_t *p, int n)
{
    int  value;

    for (value = 0; n > 0; n--, p++) {

        if (*p < '0' || *p > '9') {
            return -1;
        }

        value = value * 10 + (*p - '0');
    }

    return value;
}


/* Read "HH:MM:SS". */
static int
fliq_time_clock(const uint8_t *p, fliq_time_fields_t *f)
{
    if (p[2] != ':' || p[5] != ':') {
        return -1;
    }

    f->hour = fliq_time_number(p, 2);
    f->minute = fliq_time_number(p + 3, 2);
    f->second = fliq_time_number(p + 6, 2);

    return (f->hour < 0 || f->minute < 0 || f->second < 0) ? -1 : 0;
}


/* Read "YYYY-MM-DD", one of "Tt ", "HH:MM:SS": 19 bytes. */
static const char *
fliq_time_fields(const uint8_t *p, fliq_time_fields_t *f)
{
    if (p[4] != '-' || p[7] != '-'
        || (p[10] != 'T' && p[10] != 't' && p[10] != ' '))
    {
        return fliq_time_shape;
    }

    f->year = fliq_time_number(p, 4);
    f->month = fliq_time_number(p + 5, 2);
    f->mday = fliq_time_number(p + 8, 2);

    if (f->year < 0 || f->month < 0 || f->mday < 0
        || fliq_time_clock(p + 11, f) != 0)
    {
        return fliq_time_shape;
    }

    if (f->year == 0) {
        return fliq_time_years;
    }

    return fliq_time_exists(f) ? NULL : fliq_time_absent;
}


/* Read the digits behind a decimal point, moving ${pp} behind them. */
static const char *
fliq_time_micros(const uint8_t **pp, const uint8_t *last, int64_t *micros)
{
    int             n;
    int64_t         value;
    const uint8_t  *p;

    value = 0;

    for (n = 0, p = *pp; p < last && *p >= '0' && *p <= '9'; n++, p++) {
        if (n < 6) {
            value = value * 10 + (*p - '0');
        }
    }

    if (n < 1 || n > 9) {
        return fliq_time_fraction;
    }

    for ( /* void */ ; n < 6; n++) {
        value *= 10;
    }

    *pp = p;
    *micros = value;

    return NULL;
}


/* Read "Z" or an offset, which must end the text, as seconds. */
static const char *
fliq_time_offset(const uint8_t *p, const uint8_t *last, int *offset)
{
    int  hour, minute;

    *offset = 0;

    if (p == last) {
        return fliq_time_zone;
    }

    if (*p == 'Z' || *p == 'z') {
        return (last - p == 1) ? NULL : fliq_time_shape;
    }

    if (*p != '+' && *p != '-') {
        return fliq_time_shape;
    }

    if (last - p != 6 || p[3] != ':') {
        return fliq_time_zone;
    }

    hour = fliq_time_number(p + 1, 2);
    minute = fliq_time_number(p + 4, 2);

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        return fliq_time_zone;
    }

    *offset = (hour * 60 + minute) * 60;

    if (*p == '-') {
        *offset = -*offset;
    }

    return NULL;
}


int
fliq_time_parse(fliq_str_t text, int64_t *usec, const char **why)
{
    int                  offset;
    int64_t              t, micros;
    const uint8_t       *p, *last;
    fliq_time_fields_t   f;

    if (text.len < 19) {
        *why = fliq_time_shape;
        return -1;
    }

    p = text.data;
    last = p + text.len;
    micros = 0;

    *why = fliq_time_fields(p, &f);
    if (*why != NULL) {
        return -1;
    }

    p += 19;

    if (p < last && *p == '.') {
        p++;

        *why = fliq_time_micros(&p, last, &micros);
        if (*why != NULL) {
            return -1;
        }
    }

    *why = fliq_time_offset(p, last, &offset);
    if (*why != NULL) {
        return -1;
    }

    t = (fliq_time_join(&f) - offset) * FLIQ_TIME_SECOND + micros;

    if (t < FLIQ_TIME_FIRST || t > FLIQ_TIME_LAST) {
        *why = fliq_time_years;
        return -1;
    }

    *usec = t;

    return 0;
}


/* Write ${value} as ${n} digits; return what follows them. */
static char *
fliq_time_put(char *p, int value, int n)
{
    int  i;

    for (i = n - 1; i >= 0; i--) {
        p[i] = (char) ('0' + value % 10);
        value /= 10;
    }

    return p + n;
}


void
fliq_time_date(char *buf, int32_t day)
{
    int  year, month, mday;

    if (day < FLIQ_TIME_FIRST_DAY) {
        day = FLIQ_TIME_FIRST_DAY;

    } else if (day > FLIQ_TIME_LAST_DAY) {
        day = FLIQ_TIME_LAST_DAY;
    }

    fliq_time_civil(day, &year, &month, &mday);

    buf = fliq_time_put(buf, year, 4);
    *buf++ = '-';
    buf = fliq_time_put(buf, month, 2);
    *buf++ = '-';
    buf = fliq_time_put(buf, mday, 2);
    *buf = '\0';
}


size_t
fliq_time_format(char *buf, int64_t usec)
{
    int      second, micros;
    char    *p;
    int32_t  day;

    if (usec < FLIQ_TIME_FIRST) {
        usec = FLIQ_TIME_FIRST;

    } else if (usec > FLIQ_TIME_LAST) {
        usec = FLIQ_TIME_LAST;
    }

    /* counted from the first day, so that division rounds down */

    usec -= FLIQ_TIME_FIRST;
    day = (int32_t) (usec / FLIQ_TIME_DAY) + FLIQ_TIME_FIRST_DAY;
    usec %= FLIQ_TIME_DAY;
    second = (int) (usec / FLIQ_TIME_SECOND);
    micros = (int) (usec % FLIQ_TIME_SECOND);

    fliq_time_date(buf, day);

    p = buf + 10;
    *p++ = 'T';
    p = fliq_time_put(p, second / 3600, 2);
    *p++ = ':';
    p = fliq_time_put(p, second / 60 % 60, 2);
    *p++ = ':';
    p = fliq_time_put(p, second % 60, 2);

    if (micros != 0) {
        *p++ = '.';
        p = fliq_time_put(p, micros, 6);

        while (p[-1] == '0') {
            p--;
        }
    }

    *p++ = 'Z';
    *p = '\0';

    return (size_t) (p - buf);
}


/* Find three letters among names of three letters; -1 when not there. */
static int
fliq_time_name(const uint8_t *p, const char *names, int n)
{
    int  i;

    for (i = 0; i < n; i++) {
        if (memcmp(p, names + 3 * i, 3) == 0) {
            return i;
        }
    }

    return -1;
}


int
fliq_time_http_date(fliq_str_t text, int64_t *usec)
{
    const uint8_t       *p;
    fliq_time_fields_t   f;

    p = text.data;

    if (text.len != 29
        || fliq_time_name(p, "SunMonTueWedThuFriSat", 7) < 0
        || memcmp(p + 3, ", ", 2) != 0
        || p[7] != ' ' || p[11] != ' ' || p[16] != ' '
        || memcmp(p + 25, " GMT", 4) != 0)
    {
        return -1;
    }

    f.mday = fliq_time_number(p + 5, 2);
    f.month = fliq_time_name(p + 8, "JanFebMarAprMayJunJulAugSepOctNovDec",
                             12) + 1;
    f.year = fliq_time_number(p + 12, 4);

    if (f.year < 1 || fliq_time_clock(p + 17, &f) != 0
        || !fliq_time_exists(&f))
    {
        return -1;
    }

    *usec = fliq_time_join(&f) * FLIQ_TIME_SECOND;

    return 0;
}
