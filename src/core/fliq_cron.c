/*
 * fliq_cron: cron expressions.  The contracts are in fliq_cron.h.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fliq_cron.h"
#include "fliq_time.h"


#define FLIQ_CRON_FIELDS   5
#define FLIQ_CRON_ECHO     24       /* bytes of the user's text in a reason */

#define FLIQ_CRON_MINUTE   (60 * FLIQ_TIME_SECOND)
#define FLIQ_CRON_DAY      1440     /* minutes */

/* 29 February falls on a given weekday at least once in so many years */
#define FLIQ_CRON_HORIZON  40

/* the days of the years 0001 to 9999 */
#define FLIQ_CRON_FIRST    (-719162)
#define FLIQ_CRON_LAST     2932896


typedef struct {
    const char    *name;
    int            min;
    int            max;
    int            last;            /* the end of "*" and of "5/15" */
    const char    *words;           /* of three letters each */
    int            nwords;
    int            word;            /* the number of the first word */
} fliq_cron_field_t;

typedef struct {
    const char    *name;
    const char    *fields;
} fliq_cron_short_t;

typedef struct {
    char          *text;
    size_t         size;
} fliq_cron_why_t;


static const fliq_cron_field_t  fliq_cron_fields[FLIQ_CRON_FIELDS] = {
    { "minute", 0, 59, 59, "", 0, 0 },
    { "hour", 0, 23, 23, "", 0, 0 },
    { "day of month", 1, 31, 31, "", 0, 0 },
    { "month", 1, 12, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 12, 1 },
    { "day of week", 0, 7, 6, "sunmontuewedthufrisat", 7, 0 }
};

static const fliq_cron_short_t  fliq_cron_shorts[] = {
    { "@hourly", "0 * * * *" },
    { "@daily", "0 0 * * *" },
    { "@midnight", "0 0 * * *" },
    { "@weekly", "0 0 * * 0" },
    { "@monthly", "0 0 1 * *" },
    { "@yearly", "0 0 1 1 *" },
    { "@annually", "0 0 1 1 *" }
};


static int
fliq_cron_lower(int c)
{
    return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
}


static int
fliq_cron_blank(int c)
{
    return c == ' ' || c == '\t';
}


/* Say why; always -1. */
static int
fliq_cron_fail(fliq_cron_why_t *why, const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    (void) vsnprintf(why->text, why->size, format, args);
    va_end(args);

    return -1;
}


/* Make what the user wrote fit for a sentence: short, printable ASCII. */
static const char *
fliq_cron_echo(char *buf, fliq_str_t text)
{
    size_t  i, n;

    n = (text.len < FLIQ_CRON_ECHO) ? text.len : FLIQ_CRON_ECHO;

    for (i = 0; i < n; i++) {
        buf[i] = (text.data[i] >= 0x20 && text.data[i] < 0x7f)
                 ? (char) text.data[i] : '?';
    }

    if (n < text.len) {
        memset(buf + n - 3, '.', 3);
    }

    buf[n] = '\0';

    return buf;
}


/* Take what is before ${sep} off ${rest}: all of it when there is none. */
static fliq_str_t
fliq_cron_cut(fliq_str_t *rest, int sep, int *found)
{
    size_t      i;
    fliq_str_t  head;

    for (i = 0; i < rest->len && rest->data[i] != sep; i++) { /* void */ }

    head.data = rest->data;
    head.len = i;

    *found = (i < rest->len);
    i += (size_t) *found;

    rest->data += i;
    rest->len -= i;

    return head;
}


/* Read digits, or a word of the field (NULL: none); -1 when it is neither. */
static int
fliq_cron_number(const fliq_cron_field_t *field, fliq_str_t text)
{
    int     i, k, value;
    size_t  n;

    for (n = 0, value = 0; n < text.len; n++) {

        if (text.data[n] < '0' || text.data[n] > '9') {
            break;
        }

        if (value < 1000) {
            value = value * 10 + (text.data[n] - '0');
        }
    }

    if (n > 0 && n == text.len) {
        return value;
    }

    if (field == NULL || text.len != 3) {
        return -1;
    }

    for (i = 0; i < field->nwords; i++) {

        for (k = 0; k < 3; k++) {
            if (fliq_cron_lower(text.data[k]) != field->words[3 * i + k]) {
                break;
            }
        }

        if (k == 3) {
            return field->word + i;
        }
    }

    return -1;
}


/* Read one number or word of the field, in its range. */
static int
fliq_cron_value(const fliq_cron_field_t *field, fliq_str_t text, int *value,
    fliq_cron_why_t *why)
{
    char  echo[FLIQ_CRON_ECHO + 1];

    *value = fliq_cron_number(field, text);

    if (*value < 0) {
        return fliq_cron_fail(why, "%s: \"%s\" is not a number%s", field->name,
                              fliq_cron_echo(echo, text),
                              field->nwords ? " or a name" : "");
    }

    if (*value < field->min || *value > field->max) {
        return fliq_cron_fail(why, "%s: \"%s\" is not in %d-%d", field->name,
                              fliq_cron_echo(echo, text), field->min,
                              field->max);
    }

    return 0;
}


/* Read "*", "N" or "N-M" into its ends. */
static int
fliq_cron_range(const fliq_cron_field_t *field, fliq_str_t text, int open,
    int *from, int *to, fliq_cron_why_t *why)
{
    int         found;
    char        echo[FLIQ_CRON_ECHO + 1];
    fliq_str_t  rest, head;

    if (text.len == 1 && *text.data == '*') {
        *from = field->min;
        *to = field->last;
        return 0;
    }

    rest = text;
    head = fliq_cron_cut(&rest, '-', &found);

    if (fliq_cron_value(field, head, from, why) != 0) {
        return -1;
    }

    if (!found) {
        *to = (open && *from < field->last) ? field->last : *from;
        return 0;
    }

    if (fliq_cron_value(field, rest, to, why) != 0) {
        return -1;
    }

    if (*from > *to) {
        return fliq_cron_fail(why, "%s: the range \"%s\" runs backwards",
                              field->name, fliq_cron_echo(echo, text));
    }

    return 0;
}


/* Read a range with or without a step, and set its bits. */
static int
fliq_cron_item(const fliq_cron_field_t *field, fliq_str_t text,
    uint64_t *bits, fliq_cron_why_t *why)
{
    int         from, to, step, stepped;
    char        echo[FLIQ_CRON_ECHO + 1];
    fliq_str_t  head;

    head = fliq_cron_cut(&text, '/', &stepped);

    if (fliq_cron_range(field, head, stepped, &from, &to, why) != 0) {
        return -1;
    }

    step = 1;

    if (stepped) {
        step = fliq_cron_number(NULL, text);

        if (step < 1 || step > field->max) {
            return fliq_cron_fail(why, "%s: the step \"%s\" is not in 1-%d",
                                  field->name, fliq_cron_echo(echo, text),
                                  field->max);
        }
    }

    for ( /* void */ ; from <= to; from += step) {
        *bits |= 1ULL << from;
    }

    return 0;
}


/* Read the items of one field. */
static int
fliq_cron_list(const fliq_cron_field_t *field, fliq_str_t text,
    uint64_t *bits, fliq_cron_why_t *why)
{
    int         more;
    fliq_str_t  item;

    *bits = 0;

    do {
        item = fliq_cron_cut(&text, ',', &more);

        if (item.len == 0) {
            return fliq_cron_fail(why, "%s: a list must not have an empty "
                                  "item", field->name);
        }

        if (fliq_cron_item(field, item, bits, why) != 0) {
            return -1;
        }

    } while (more);

    return 0;
}


/* Count the fields of ${text} and take up the first five. */
static size_t
fliq_cron_split(fliq_str_t text, fliq_str_t *fields)
{
    size_t  i, n, start;

    for (i = 0, n = 0; i < text.len; /* void */) {

        if (fliq_cron_blank(text.data[i])) {
            i++;
            continue;
        }

        start = i;

        while (i < text.len && !fliq_cron_blank(text.data[i])) {
            i++;
        }

        if (n < FLIQ_CRON_FIELDS) {
            fields[n].data = text.data + start;
            fields[n].len = i - start;
        }

        n++;
    }

    return n;
}


/* Replace ${text} by the fields of the short form that it is. */
static int
fliq_cron_expand(fliq_str_t *text, fliq_cron_why_t *why)
{
    char         echo[FLIQ_CRON_ECHO + 1];
    size_t       i, k, len;
    const char  *name;

    for (i = 0; i < sizeof(fliq_cron_shorts) / sizeof(fliq_cron_short_t); i++)
    {
        name = fliq_cron_shorts[i].name;
        len = strlen(name);

        if (text->len != len) {
            continue;
        }

        for (k = 0; k < len; k++) {
            if (fliq_cron_lower(text->data[k]) != name[k]) {
                break;
            }
        }

        if (k == len) {
            text->data = (uint8_t *) fliq_cron_shorts[i].fields;
            text->len = strlen(fliq_cron_shorts[i].fields);
            return 0;
        }
    }

    return fliq_cron_fail(why, "\"%s\" is none of @hourly, @daily, @midnight, "
                          "@weekly, @monthly, @yearly, @annually",
                          fliq_cron_echo(echo, *text));
}


/* Tell whether some month has one of the days; weekdays meet all dates. */
static int
fliq_cron_possible(const fliq_cron_t *cron)
{
    uint32_t  days;

    static const uint16_t  shorter = 1 << 4 | 1 << 6 | 1 << 9 | 1 << 11;

    if (cron->either) {
        return 1;
    }

    days = (1U << 30) - 1;

    if (cron->months & shorter) {
        days |= 1U << 30;
    }

    if (cron->months & ~(shorter | 1 << 2)) {
        days |= 3U << 30;
    }

    return (cron->days & days) != 0;
}


int
fliq_cron_parse(fliq_str_t text, fliq_cron_t *cron, char *why, size_t size)
{
    size_t           i, n;
    uint64_t         bits[FLIQ_CRON_FIELDS];
    fliq_str_t       fields[FLIQ_CRON_FIELDS];
    fliq_cron_why_t  reason;

    reason.text = why;
    reason.size = size;

    n = fliq_cron_split(text, fields);

    if (n == 1 && fields[0].data[0] == '@') {
        if (fliq_cron_expand(&fields[0], &reason) != 0) {
            return -1;
        }

        n = fliq_cron_split(fields[0], fields);
    }

    if (n != FLIQ_CRON_FIELDS) {
        return fliq_cron_fail(&reason, "an expression has 5 fields (minute, "
                              "hour, day of month, month, day of week), "
                              "this has %zu", n);
    }

    for (i = 0; i < FLIQ_CRON_FIELDS; i++) {
        if (fliq_cron_list(&fliq_cron_fields[i], fields[i], &bits[i], &reason)
            != 0)
        {
            return -1;
        }
    }

    cron->minutes = bits[0];
    cron->hours = (uint32_t) bits[1];
    cron->days = (uint32_t) bits[2];
    cron->months = (uint16_t) bits[3];
    cron->weekdays = (uint8_t) ((bits[4] | bits[4] >> 7) & 0x7f);
    cron->either = (fields[2].data[0] != '*' && fields[4].data[0] != '*');

    if (!fliq_cron_possible(cron)) {
        return fliq_cron_fail(&reason, "day of month: none of the months has "
                              "such a day");
    }

    return 0;
}


/* Find the first bit of ${mask} from ${from} on; -1 when there is none. */
static int
fliq_cron_bit(uint64_t mask, int from)
{
    if (from > 63) {
        return -1;
    }

    mask &= ~0ULL << from;

    return (mask != 0) ? __builtin_ctzll(mask) : -1;
}


/* The days of one month that match, as bits 1 to 31. */
static uint64_t
fliq_cron_days(const fliq_cron_t *cron, int year, int month)
{
    int       i, weekday, length;
    int32_t   first;
    uint64_t  week, weekdays, all;

    first = fliq_time_day(year, month, 1);
    length = (month < 12 ? fliq_time_day(year, month + 1, 1)
                         : fliq_time_day(year + 1, 1, 1)) - first;

    /* 0001-01-01 was a Monday */

    weekday = (first - FLIQ_CRON_FIRST + 1) % 7;

    /* the weekdays from that of the first day on, over and over */

    week = ((uint64_t) cron->weekdays << 7 | cron->weekdays) >> weekday & 0x7f;
    weekdays = 0;

    for (i = 1; i <= 31; i += 7) {
        weekdays |= week << i;
    }

    all = (2ULL << length) - 2;

    return all & (cron->either ? cron->days | weekdays
                               : cron->days & weekdays);
}


/* The first minute of the day that matches from ${from} on, or -1. */
static int
fliq_cron_minute(const fliq_cron_t *cron, int from)
{
    int  hour, minute;

    hour = fliq_cron_bit(cron->hours, from / 60);

    if (hour == from / 60) {
        minute = fliq_cron_bit(cron->minutes, from % 60);

        if (minute >= 0) {
            return hour * 60 + minute;
        }

        hour = fliq_cron_bit(cron->hours, hour + 1);
    }

    return (hour < 0) ? -1 : hour * 60 + fliq_cron_bit(cron->minutes, 0);
}


/* Move ${day} on to the first day that matches; -1 when there is none. */
static int
fliq_cron_day(const fliq_cron_t *cron, int32_t *day)
{
    int  year, month, mday, end;

    fliq_time_civil(*day, &year, &month, &mday);
    end = (year + FLIQ_CRON_HORIZON < 9999) ? year + FLIQ_CRON_HORIZON : 9999;

    while (year <= end) {

        if (month <= 12 && (cron->months & 1U << month)) {
            mday = fliq_cron_bit(fliq_cron_days(cron, year, month), mday);

            if (mday > 0) {
                *day = fliq_time_day(year, month, mday);
                return 0;
            }
        }

        mday = 1;
        month = fliq_cron_bit(cron->months, month + 1);

        if (month < 0) {
            month = 1;
            year++;
        }
    }

    return -1;
}


int64_t
fliq_cron_next(const fliq_cron_t *cron, int64_t after)
{
    int      minute;
    int32_t  day, found;
    int64_t  first, from;

    first = FLIQ_CRON_FIRST * FLIQ_TIME_DAY;

    if (after >= (FLIQ_CRON_LAST + 1) * FLIQ_TIME_DAY - FLIQ_CRON_MINUTE) {
        return -1;
    }

    /* minutes since the first day, so that division rounds down */

    from = (after < first) ? 0 : (after - first) / FLIQ_CRON_MINUTE + 1;
    minute = (int) (from % FLIQ_CRON_DAY);
    day = (int32_t) (from / FLIQ_CRON_DAY) + FLIQ_CRON_FIRST;
    found = day;

    if (fliq_cron_day(cron, &found) != 0) {
        return -1;
    }

    minute = fliq_cron_minute(cron, (found == day) ? minute : 0);

    if (minute < 0) {
        found = day + 1;

        if (fliq_cron_day(cron, &found) != 0) {
            return -1;
        }

        minute = fliq_cron_minute(cron, 0);
    }

    return found * FLIQ_TIME_DAY + minute * FLIQ_CRON_MINUTE;
}
