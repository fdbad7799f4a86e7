/*
 * fliq_cron: the grammar, each refusal, and the next run against two
 * matchers that share nothing with the code: one that walks the days of a
 * calendar counted by hand, one that asks gmtime_r(3) of every minute.
 */

#include "unit.h"

#include <time.h>

#include "fliq_cron.h"
#include "fliq_time.h"


#define MINUTE      (60 * FLIQ_TIME_SECOND)

#define FIRST_YEAR  1990
#define LAST_YEAR   2150

#define ALL_HOURS   0xffffffu
#define ALL_DAYS    0xfffffffeu
#define ALL_MONTHS  0x1ffe
#define ALL_WEEK    0x7f


/* an expression, and what it means */
typedef struct {
    char    text[256];
    char    minutes[60];
    char    hours[24];
    char    mdays[32];
    char    months[13];
    char    wdays[7];
    int     either;
} expression_t;

/* a day of the calendar */
typedef struct {
    uint8_t    month;
    uint8_t    mday;
    uint8_t    wday;
} day_t;


static day_t    calendar[60000];
static int      ndays;
static int64_t  epoch;              /* the minutes from 1970 to its start */


/* Write down every day from 1990 on, one after the other. */
static int
write_calendar(void **state)
{
    int        y, m, d, length, wday;
    time_t     start;
    struct tm  tm;

    static const int  lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    (void) state;

    wday = 1;                       /* 1990-01-01 was a Monday */

    for (y = FIRST_YEAR; y <= LAST_YEAR; y++) {
        for (m = 1; m <= 12; m++) {
            length = lengths[m - 1];
            length += (m == 2 && y % 4 == 0 && y != 2100);

            for (d = 1; d <= length; d++) {
                calendar[ndays].month = (uint8_t) m;
                calendar[ndays].mday = (uint8_t) d;
                calendar[ndays].wday = (uint8_t) wday;
                wday = (wday + 1) % 7;
                ndays++;
            }
        }
    }

    memset(&tm, 0, sizeof(tm));
    tm.tm_year = FIRST_YEAR - 1900;
    tm.tm_mday = 1;
    start = timegm(&tm);
    epoch = start / 60;

    return 0;
}


static int
day_matches(const expression_t *e, const day_t *day)
{
    if (!e->months[day->month]) {
        return 0;
    }

    return e->either ? e->mdays[day->mday] || e->wdays[day->wday]
                     : e->mdays[day->mday] && e->wdays[day->wday];
}


/* The first minute after ${minute} (counted from 1990) that matches, or -1. */
static int64_t
brute_next(const expression_t *e, int64_t minute)
{
    int  day, m;

    minute++;
    m = (int) (minute % 1440);

    for (day = (int) (minute / 1440); day < ndays; day++, m = 0) {

        if (!day_matches(e, &calendar[day])) {
            continue;
        }

        for ( /* void */ ; m < 1440; m++) {
            if (e->hours[m / 60] && e->minutes[m % 60]) {
                return (int64_t) day * 1440 + m;
            }
        }
    }

    return -1;
}


static void
add(char *text, const char *format, ...)
{
    size_t   len;
    va_list  args;

    len = strlen(text);

    va_start(args, format);
    (void) vsnprintf(text + len, 256 - len, format, args);
    va_end(args);
}


/* Write one number of a field, now and then as a name in some case. */
static void
add_number(char *text, int n, const char *names, int first)
{
    int   i;
    char  name[4];

    if (names == NULL || unit_below(2)) {
        add(text, unit_below(8) ? "%d" : "%02d", n);
        return;
    }

    memcpy(name, names + 3 * (n - first), 3);
    name[3] = '\0';

    for (i = 0; i < 3; i++) {
        if (unit_below(2)) {
            name[i] = (char) (name[i] - 'a' + 'A');
        }
    }

    add(text, "%s", name);
}


/*
 * Write a random field of ${min} to ${max} behind ${text} and mark what it
 * means in ${set}.  Return 1 when it begins with "*".
 */
static int
add_field(char *text, char *set, int min, int max, const char *names)
{
    int  i, items, kind, from, to, step, star;

    star = 0;
    items = unit_below(3) ? 1 : 1 + unit_below(4);

    for (i = 0; i < items; i++) {

        if (i > 0) {
            add(text, ",");
        }

        kind = unit_below(12);
        step = 1;

        if (kind < 4) {
            from = min;
            to = max;
            add(text, "*");
            star |= (i == 0);

        } else if (kind < 8) {
            from = min + unit_below(max - min + 1);
            to = from;
            add_number(text, from, names, min);

        } else {
            from = min + unit_below(max - min + 1);
            to = from + unit_below(max - from + 1);
            add_number(text, from, names, min);
            add(text, "-");
            add_number(text, to, names, min);
        }

        if (unit_below(3) == 0) {
            step = 1 + unit_below(max);
            add(text, "/%d", step);

            if (from == to && kind < 8) {
                to = max;
            }
        }

        for ( /* void */ ; from <= to; from += step) {
            set[from] = 1;
        }
    }

    return star;
}


/* Make a random expression; some fields are bare stars or single numbers. */
static void
random_expression(expression_t *e)
{
    int   i, stars;
    char  *sets[5];

    static const int  mins[] = { 0, 0, 1, 1, 0 };
    static const int  maxs[] = { 59, 23, 31, 12, 6 };

    static const char *const  names[] = {
        NULL, NULL, NULL, "janfebmaraprmayjunjulaugsepoctnovdec",
        "sunmontuewedthufrisat"
    };

    memset(e, 0, sizeof(*e));

    sets[0] = e->minutes;
    sets[1] = e->hours;
    sets[2] = e->mdays;
    sets[3] = e->months;
    sets[4] = e->wdays;

    for (i = 0, stars = 0; i < 5; i++) {

        if (i > 0) {
            add(e->text, unit_below(8) ? " " : "\t  ");
        }

        if (unit_below(4) == 0) {
            add(e->text, "*");
            memset(sets[i] + mins[i], 1, (size_t) (maxs[i] - mins[i] + 1));
            stars |= 1 << i;

        } else if (add_field(e->text, sets[i], mins[i], maxs[i], names[i])) {
            stars |= 1 << i;
        }
    }

    e->either = !(stars & (1 << 2)) && !(stars & (1 << 4));
}


/* Tell whether some day of a leap year matches but for its weekday. */
static int
possible(const expression_t *e)
{
    int  i;

    if (e->either) {
        return 1;
    }

    for (i = 0; i < ndays; i++) {
        if (e->months[calendar[i].month] && e->mdays[calendar[i].mday]) {
            return 1;
        }
    }

    return 0;
}


static void
test_random_expressions(void **state)
{
    int           i, k, runs, refused;
    char          why[160];
    int64_t       minute, want, next;
    fliq_cron_t   cron;
    expression_t  e;

    (void) state;

    runs = 0;
    refused = 0;

    for (i = 0; i < 6000; i++) {
        random_expression(&e);

        if (fliq_cron_parse(unit_str(e.text), &cron, why, sizeof(why)) != 0) {
            if (possible(&e)) {
                unit_fail("\"%s\": %s", e.text, why);
            }

            refused++;
            continue;
        }

        if (!possible(&e)) {
            unit_fail("\"%s\" never matches but is taken", e.text);
        }

        assert_int_equal(cron.either, e.either);

        /* 20 years to begin in; the calendar goes on for 130 */

        minute = (int64_t) (unit_random() % (20 * 365 * 1440));

        for (k = 0; k < 25; k++) {
            want = brute_next(&e, minute);
            assert_true(want > minute);

            next = fliq_cron_next(&cron, (epoch + minute) * MINUTE
                                         + unit_below((int) MINUTE));

            if (next != (epoch + want) * MINUTE) {
                unit_fail("\"%s\" after minute %lld: %lld, not %lld", e.text,
                          (long long) minute, (long long) next,
                          (long long) ((epoch + want) * MINUTE));
            }

            runs++;
            minute = want;

            if (k % 5 == 4) {
                minute += unit_below(400 * 1440);
            }
        }
    }

    assert_true(runs > 5000 * 25);
    assert_true(refused > 0);
}


/* Every minute of some weeks, as libc sees it. */
static void
test_every_minute(void **state)
{
    int           i, k, match;
    char          why[160];
    time_t        t;
    int64_t       next;
    struct tm     tm;
    fliq_cron_t   cron;
    expression_t  e;

    (void) state;

    for (i = 0; i < 150; i++) {

        do {
            random_expression(&e);
        } while (fliq_cron_parse(unit_str(e.text), &cron, why, sizeof(why))
                 != 0);

        /* some day of 1700 to 2300, and five weeks on */

        t = ((int64_t) (unit_random() % (600 * 365)) - 270 * 365) * 86400;
        next = fliq_cron_next(&cron, t * FLIQ_TIME_SECOND - 1);

        for (k = 0; k < 5 * 7 * 1440; k++, t += 60) {
            gmtime_r(&t, &tm);

            match = e.minutes[tm.tm_min] && e.hours[tm.tm_hour]
                    && e.months[tm.tm_mon + 1]
                    && (e.either
                        ? e.mdays[tm.tm_mday] || e.wdays[tm.tm_wday]
                        : e.mdays[tm.tm_mday] && e.wdays[tm.tm_wday]);

            if (match != (next == t * FLIQ_TIME_SECOND)) {
                unit_fail("\"%s\" at %lld: %d", e.text, (long long) t, match);
            }

            if (match) {
                next = fliq_cron_next(&cron, next);
            }
        }
    }
}


/* 29 February on each weekday, from every year of 400 and around. */
static void
test_leap_days(void **state)
{
    int          wday, year, y;
    char         why[160];
    int32_t      day;
    fliq_cron_t  cron;

    (void) state;

    assert_int_equal(fliq_cron_parse(unit_str("0 0 29 2 *"), &cron, why,
                                     sizeof(why)), 0);

    for (wday = 0; wday < 7; wday++) {

        /* both day fields at once: no text can say so of a Monday */

        cron.weekdays = (uint8_t) (1 << wday);

        for (year = 1500; year <= 2500; year++) {

            for (y = year; /* void */ ; y++) {
                if (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)) {
                    continue;
                }

                day = fliq_time_day(y, 2, 29);

                /* 1600-01-02 was a Sunday */

                if (((day - fliq_time_day(1600, 1, 2)) % 7 + 7) % 7 == wday) {
                    break;
                }
            }

            assert_int_equal(fliq_cron_next(&cron, fliq_time_day(year, 1, 1)
                                                   * FLIQ_TIME_DAY),
                             day * FLIQ_TIME_DAY);

            /* from one to the one after it */

            if (y == year) {
                assert_true(fliq_cron_next(&cron, day * FLIQ_TIME_DAY)
                            > day * FLIQ_TIME_DAY);
            }
        }
    }
}


static const struct {
    const char    *text;
    uint64_t       minutes;
    uint32_t       hours;
    uint32_t       days;
    uint16_t       months;
    uint8_t        weekdays;
    uint8_t        either;
} good[] = {
    { "* * * * *", (1ULL << 60) - 1, ALL_HOURS, ALL_DAYS, ALL_MONTHS,
      ALL_WEEK, 0 },
    { "0 0 1 1 0", 1, 1, 2, 2, 1, 1 },
    { "59 23 31 12 7", 1ULL << 59, 1 << 23, 1U << 31, 1 << 12, 1, 1 },
    { "59 23 31 12 6", 1ULL << 59, 1 << 23, 1U << 31, 1 << 12, 64, 1 },
    { " \t0\t 0  1 1\t* ", 1, 1, 2, 2, ALL_WEEK, 0 },
    { "00 000 01 0001 *", 1, 1, 2, 2, ALL_WEEK, 0 },
    { "*/15 * * * *", 1 | 1 << 15 | 1 << 30 | 1ULL << 45, ALL_HOURS,
      ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "5/15 * * * *", 1 << 5 | 1 << 20 | 1ULL << 35 | 1ULL << 50, ALL_HOURS,
      ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "1-20/3 * * * *", 0x92492, ALL_HOURS, ALL_DAYS, ALL_MONTHS, ALL_WEEK,
      0 },
    { "59/1 23/1 * * *", 1ULL << 59, 1 << 23, ALL_DAYS, ALL_MONTHS, ALL_WEEK,
      0 },
    { "3,1,2,2 5-5 * * *", 0xe, 1 << 5, ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "*/59 */23 * * *", 1 | 1ULL << 59, 1 | 1 << 23, ALL_DAYS, ALL_MONTHS,
      ALL_WEEK, 0 },
    { "0-59 0-23 1-31 1-12 0-7", (1ULL << 60) - 1, ALL_HOURS, ALL_DAYS,
      ALL_MONTHS, ALL_WEEK, 1 },
    { "0 0 */2 * *", 1, 1, 0xaaaaaaaa, ALL_MONTHS, ALL_WEEK, 0 },
    { "0 0 */2 * 1", 1, 1, 0xaaaaaaaa, ALL_MONTHS, 2, 0 },
    { "0 0 1 * */2", 1, 1, 2, ALL_MONTHS, 0x55, 0 },
    { "0 0 *,5 * 1", 1, 1, ALL_DAYS, ALL_MONTHS, 2, 0 },
    { "0 0 5,* * 1", 1, 1, ALL_DAYS, ALL_MONTHS, 2, 1 },
    { "0 0 1-31 * 1", 1, 1, ALL_DAYS, ALL_MONTHS, 2, 1 },
    { "0 0 * * 1", 1, 1, ALL_DAYS, ALL_MONTHS, 2, 0 },
    { "0 0 13 * 5", 1, 1, 1 << 13, ALL_MONTHS, 1 << 5, 1 },
    { "0 0 * jan *", 1, 1, ALL_DAYS, 1 << 1, ALL_WEEK, 0 },
    { "0 0 * FEB,Mar,aPr *", 1, 1, ALL_DAYS, 0x1c, ALL_WEEK, 0 },
    { "0 0 * may-aug *", 1, 1, ALL_DAYS, 0x1e0, ALL_WEEK, 0 },
    { "0 0 * sep-12/2 *", 1, 1, ALL_DAYS, 1 << 9 | 1 << 11, ALL_WEEK, 0 },
    { "0 0 * oct,nov,dec,jun/3,jul *", 1, 1, ALL_DAYS,
      7 << 10 | 1 << 6 | 1 << 9 | 1 << 12 | 1 << 7, ALL_WEEK, 0 },
    { "0 0 * * mon-fri", 1, 1, ALL_DAYS, ALL_MONTHS, 0x3e, 0 },
    { "0 0 * * sun-tue", 1, 1, ALL_DAYS, ALL_MONTHS, 7, 0 },
    { "0 0 * * SUN,Sat", 1, 1, ALL_DAYS, ALL_MONTHS, 0x41, 0 },
    { "0 0 * * wed,thu", 1, 1, ALL_DAYS, ALL_MONTHS, 0x18, 0 },
    { "0 0 * * 7", 1, 1, ALL_DAYS, ALL_MONTHS, 1, 0 },
    { "0 0 * * 5-7", 1, 1, ALL_DAYS, ALL_MONTHS, 0x61, 0 },
    { "0 0 * * fri-7", 1, 1, ALL_DAYS, ALL_MONTHS, 0x61, 0 },
    { "0 0 * * 7-7", 1, 1, ALL_DAYS, ALL_MONTHS, 1, 0 },
    { "0 0 * * 1/2", 1, 1, ALL_DAYS, ALL_MONTHS, 0x2a, 0 },
    { "0 0 * * 5/2", 1, 1, ALL_DAYS, ALL_MONTHS, 0x20, 0 },
    { "0 0 * * 7/2", 1, 1, ALL_DAYS, ALL_MONTHS, 1, 0 },
    { "0 0 * * 1-7/2", 1, 1, ALL_DAYS, ALL_MONTHS, 0x2b, 0 },
    { "0 0 * * */7", 1, 1, ALL_DAYS, ALL_MONTHS, 1, 0 },
    { "0 0 29 2 *", 1, 1, 1 << 29, 4, ALL_WEEK, 0 },
    { "0 0 31 1,2 *", 1, 1, 1U << 31, 6, ALL_WEEK, 0 },
    { "0 0 30 2 1", 1, 1, 1 << 30, 4, 2, 1 },
    { "0 0 31 4,6,9,11 0-6", 1, 1, 1U << 31, 0xa50, ALL_WEEK, 1 },

    { "@hourly", 1, ALL_HOURS, ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "@daily", 1, 1, ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "@midnight", 1, 1, ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 },
    { "@weekly", 1, 1, ALL_DAYS, ALL_MONTHS, 1, 0 },
    { "@monthly", 1, 1, 2, ALL_MONTHS, ALL_WEEK, 0 },
    { "@yearly", 1, 1, 2, 2, ALL_WEEK, 0 },
    { "@annually", 1, 1, 2, 2, ALL_WEEK, 0 },
    { "\t@Daily ", 1, 1, ALL_DAYS, ALL_MONTHS, ALL_WEEK, 0 }
};


static void
test_parse(void **state)
{
    char         why[160];
    size_t       i;
    fliq_cron_t  cron;

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        if (fliq_cron_parse(unit_str(good[i].text), &cron, why, sizeof(why))
            != 0)
        {
            unit_fail("\"%s\": %s", good[i].text, why);
        }

        if (cron.minutes != good[i].minutes || cron.hours != good[i].hours
            || cron.days != good[i].days || cron.months != good[i].months
            || cron.weekdays != good[i].weekdays
            || cron.either != good[i].either)
        {
            unit_fail("\"%s\": %llx %x %x %x %x %d", good[i].text,
                      (unsigned long long) cron.minutes, cron.hours,
                      cron.days, cron.months, cron.weekdays, cron.either);
        }
    }
}


static const struct {
    const char    *text;
    const char    *why;             /* how the reason begins */
} bad[] = {
    { "", "an expression has 5 fields" },
    { " \t ", "an expression has 5 fields" },
    { "*", "an expression has 5 fields" },
    { "* * * *", "an expression has 5 fields" },
    { "* * * * * *", "an expression has 5 fields" },
    { "0 0 0 1 1 ? 2026", "an expression has 5 fields" },
    { "@daily *", "an expression has 5 fields" },
    { "@daily @daily @daily @daily @daily", "minute: \"@daily\"" },

    { "@reboot", "\"@reboot\" is none of" },
    { "@", "\"@\" is none of" },
    { "@dail", "\"@dail\" is none of" },
    { "@dailyy", "\"@dailyy\" is none of" },
    { "@every_5m", "\"@every_5m\" is none of" },
    { "@a_very_long_name_that_never_ends", "\"@a_very_long_name_tha...\"" },
    { "@\xc3\xa9\x01", "\"@???\" is none of" },

    { "60 * * * *", "minute: \"60\" is not in 0-59" },
    { "-1 * * * *", "minute: \"\" is not a number" },
    { "1000 * * * *", "minute: \"1000\" is not in 0-59" },
    { "4294967296 * * * *", "minute: \"4294967296\" is not in 0-59" },
    { "18446744073709551616 * * * *",
      "minute: \"18446744073709551616\" is not in 0-59" },
    { "0-60 * * * *", "minute: \"60\" is not in 0-59" },
    { "5-1 * * * *", "minute: the range \"5-1\" runs backwards" },
    { "5- * * * *", "minute: \"\" is not a number" },
    { "1-2-3 * * * *", "minute: \"2-3\" is not a number" },
    { "*-5 * * * *", "minute: \"*\" is not a number" },
    { "5-* * * * *", "minute: \"*\" is not a number" },
    { "** * * * *", "minute: \"**\" is not a number" },
    { "*5 * * * *", "minute: \"*5\" is not a number" },
    { "5* * * * *", "minute: \"5*\" is not a number" },
    { "*/0 * * * *", "minute: the step \"0\" is not in 1-59" },
    { "*/60 * * * *", "minute: the step \"60\" is not in 1-59" },
    { "*/ * * * *", "minute: the step \"\" is not in 1-59" },
    { "*/-5 * * * *", "minute: the step \"-5\" is not in 1-59" },
    { "*/5/5 * * * *", "minute: the step \"5/5\" is not in 1-59" },
    { "*/x * * * *", "minute: the step \"x\" is not in 1-59" },
    { "*/1.5 * * * *", "minute: the step \"1.5\" is not in 1-59" },
    { "/5 * * * *", "minute: \"\" is not a number" },
    { ", * * * *", "minute: a list must not have an empty item" },
    { "1, * * * *", "minute: a list must not have an empty item" },
    { ",1 * * * *", "minute: a list must not have an empty item" },
    { "1,,2 * * * *", "minute: a list must not have an empty item" },
    { "1,60 * * * *", "minute: \"60\" is not in 0-59" },
    { "jan * * * *", "minute: \"jan\" is not a number" },
    { "+5 * * * *", "minute: \"+5\" is not a number" },
    { "5.0 * * * *", "minute: \"5.0\" is not a number" },
    { "0x5 * * * *", "minute: \"0x5\" is not a number" },
    { "~ * * * *", "minute: \"~\" is not a number" },
    { "H * * * *", "minute: \"H\" is not a number" },
    { "?? * * * *", "minute: \"??\" is not a number" },
    { "\xff * * * *", "minute: \"?\" is not a number" },
    { "1\n* * * * *", "minute: \"1?*\" is not a number" },
    { "aaaaaaaaaaaaaaaaaaaaaaaaa * * * *",
      "minute: \"aaaaaaaaaaaaaaaaaaaaa...\" is not a number" },

    { "0 24 * * *", "hour: \"24\" is not in 0-23" },
    { "0 */24 * * *", "hour: the step \"24\" is not in 1-23" },
    { "0 9am * * *", "hour: \"9am\" is not a number" },
    { "0 mon * * *", "hour: \"mon\" is not a number" },

    { "0 0 0 * *", "day of month: \"0\" is not in 1-31" },
    { "0 0 32 * *", "day of month: \"32\" is not in 1-31" },
    { "0 0 0-5 * *", "day of month: \"0\" is not in 1-31" },
    { "0 0 */32 * *", "day of month: the step \"32\" is not in 1-31" },
    { "0 0 L * *", "day of month: \"L\" is not a number" },
    { "0 0 15W * *", "day of month: \"15W\" is not a number" },
    { "0 0 LW * *", "day of month: \"LW\" is not a number" },
    { "0 0 ? * 1", "day of month: \"?\" is not a number" },

    { "0 0 1 0 *", "month: \"0\" is not in 1-12" },
    { "0 0 1 13 *", "month: \"13\" is not in 1-12" },
    { "0 0 1 */13 *", "month: the step \"13\" is not in 1-12" },
    { "0 0 1 january *", "month: \"january\" is not a number or a name" },
    { "0 0 1 ja *", "month: \"ja\" is not a number or a name" },
    { "0 0 1 mon *", "month: \"mon\" is not a number or a name" },
    { "0 0 1 jen *", "month: \"jen\" is not a number or a name" },
    { "0 0 1 anf *", "month: \"anf\" is not a number or a name" },
    { "0 0 1 xan *", "month: \"xan\" is not a number or a name" },
    { "0 0 1 dec-jan *", "month: the range \"dec-jan\" runs backwards" },
    { "0 0 1 */jan *", "month: the step \"jan\" is not in 1-12" },

    { "0 0 * * 8", "day of week: \"8\" is not in 0-7" },
    { "0 0 * * */8", "day of week: the step \"8\" is not in 1-7" },
    { "0 0 * * 5L", "day of week: \"5L\" is not a number or a name" },
    { "0 0 * * 5#3", "day of week: \"5#3\" is not a number or a name" },
    { "0 0 * * ?", "day of week: \"?\" is not a number or a name" },
    { "0 0 * * monday", "day of week: \"monday\" is not a number or a name" },
    { "0 0 * * jan", "day of week: \"jan\" is not a number or a name" },
    { "0 0 * * fri-sun", "day of week: the range \"fri-sun\" runs back" },
    { "0 0 * * 7-1", "day of week: the range \"7-1\" runs backwards" },

    { "0 0 30 2 *", "day of month: none of the months" },
    { "0 0 31 2 *", "day of month: none of the months" },
    { "0 0 30-31 feb *", "day of month: none of the months" },
    { "0 0 31 4 *", "day of month: none of the months" },
    { "0 0 31 2,4,6,9,11 *", "day of month: none of the months" },
    { "0 0 31 2 */2", "day of month: none of the months" },
    { "0 0 31 11 *,1", "day of month: none of the months" }
};


static void
test_refuse(void **state)
{
    char         why[160];
    size_t       i;
    fliq_cron_t  cron;

    (void) state;

    for (i = 0; i < unit_count(bad); i++) {
        memset(why, 'x', sizeof(why));

        if (fliq_cron_parse(unit_str(bad[i].text), &cron, why, sizeof(why))
            != -1)
        {
            unit_fail("\"%s\" is taken", bad[i].text);
        }

        if (strncmp(why, bad[i].why, strlen(bad[i].why)) != 0) {
            unit_fail("\"%s\": %.160s", bad[i].text, why);
        }
    }

    assert_int_equal(fliq_cron_parse(unit_bytes("* * * * *\0", 10), &cron,
                                     why, sizeof(why)), -1);
    assert_int_equal(fliq_cron_parse(unit_bytes("\0", 1), &cron, why,
                                     sizeof(why)), -1);
}


/* A reason fits 160 bytes, is cut where there are fewer, is plain ASCII. */
static void
test_reason(void **state)
{
    int           i;
    char          why[512], cut[8];
    size_t        k, len;
    fliq_str_t    text;
    fliq_cron_t   cron;

    (void) state;

    for (i = 0; i < 300000; i++) {
        text = unit_noise("0123459  ***,,--//@adhlmnosuwy\t\xff", 60);
        why[0] = '\0';

        if (fliq_cron_parse(text, &cron, why, sizeof(why)) == 0) {
            assert_true(fliq_cron_next(&cron, 0) > 0);
            continue;
        }

        len = strlen(why);
        assert_in_range(len, 10, 159);

        for (k = 0; k < len; k++) {
            assert_in_range(why[k], 0x20, 0x7e);
        }

        assert_int_equal(fliq_cron_parse(text, &cron, cut, sizeof(cut)), -1);
        assert_int_equal(strlen(cut), 7);
        assert_memory_equal(cut, why, 7);
    }
}


/* The first instants after a time, as anyone would write them. */
static void
test_next(void **state)
{
    char         why[160], buf[FLIQ_TIME_TEXT];
    size_t       i;
    int64_t      after;
    fliq_cron_t  cron;
    const char  *reason;

    static const struct {
        const char    *text;
        const char    *after;
        const char    *next;
    } cases[] = {
        { "* * * * *", "2026-01-31T09:30:00Z", "2026-01-31T09:31:00Z" },
        { "* * * * *", "2026-01-31T09:29:59.999999Z",
          "2026-01-31T09:30:00Z" },
        { "* * * * *", "2026-01-31T09:30:00.000001Z",
          "2026-01-31T09:31:00Z" },
        { "* * * * *", "1969-12-31T23:59:00Z", "1970-01-01T00:00:00Z" },
        { "* * * * *", "1969-12-31T23:57:59.5Z", "1969-12-31T23:58:00Z" },
        { "30 9 * * *", "2026-01-31T09:30:00Z", "2026-02-01T09:30:00Z" },
        { "30 9 * * *", "2026-01-31T09:29:00Z", "2026-01-31T09:30:00Z" },
        { "15,45 8-10 * * *", "2026-01-31T08:45:00Z",
          "2026-01-31T09:15:00Z" },
        { "15,45 8-10 * * *", "2026-01-31T10:45:00Z",
          "2026-02-01T08:15:00Z" },
        { "15 8,10 * * *", "2026-01-31T09:00:00Z", "2026-01-31T10:15:00Z" },
        { "15 8,10 * * *", "2026-01-31T08:16:00Z", "2026-01-31T10:15:00Z" },
        { "0 0 1 * *", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z" },
        { "59 23 31 12 *", "2026-12-31T23:58:59Z", "2026-12-31T23:59:00Z" },
        { "59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z" },
        { "0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z" },
        { "0 0 30 * *", "2026-01-30T00:00:00Z", "2026-03-30T00:00:00Z" },
        { "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z" },
        { "0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z" },
        { "0 0 29 2 *", "1999-01-01T00:00:00Z", "2000-02-29T00:00:00Z" },
        { "0 0 13 * 5", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z" },
        { "0 0 13 * 5", "2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z" },
        { "0 0 13 * 5", "2026-04-10T00:00:00Z", "2026-04-13T00:00:00Z" },
        { "0 9 * * mon-fri", "2026-01-30T09:00:00Z",
          "2026-02-02T09:00:00Z" },
        { "0 9 * * 0", "2026-01-30T09:00:00Z", "2026-02-01T09:00:00Z" },
        { "0 9 * * 7", "2026-01-30T09:00:00Z", "2026-02-01T09:00:00Z" },
        { "0 0 */2 * 1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z" },
        { "0 0 */2 * 1", "2026-01-05T00:00:00Z", "2026-01-19T00:00:00Z" },
        { "0 0 15 12 1", "2028-12-25T00:00:00Z", "2029-12-03T00:00:00Z" },
        { "0 0 15 11 6", "2029-11-24T00:00:00Z", "2030-11-02T00:00:00Z" },
        { "@hourly", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z" },
        { "@weekly", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z" },
        { "@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z" },
        { "* * * * *", "0001-01-01T00:00:00Z", "0001-01-01T00:01:00Z" },
        { "0 0 * * 1", "0001-01-01T00:00:00Z", "0001-01-08T00:00:00Z" },
        { "* * * * *", "9999-12-31T23:58:59.999999Z",
          "9999-12-31T23:59:00Z" }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        assert_int_equal(fliq_cron_parse(unit_str(cases[i].text), &cron, why,
                                         sizeof(why)), 0);
        assert_int_equal(fliq_time_parse(unit_str(cases[i].after), &after,
                                         &reason), 0);

        fliq_time_format(buf, fliq_cron_next(&cron, after));

        if (strcmp(buf, cases[i].next) != 0) {
            unit_fail("\"%s\" after %s: %s", cases[i].text, cases[i].after,
                      buf);
        }
    }
}


/* The ends of time. */
static void
test_ends(void **state)
{
    char         why[160];
    int64_t      first, last;
    fliq_cron_t  minute, year, leap, none;

    (void) state;

    first = fliq_time_day(1, 1, 1) * FLIQ_TIME_DAY;
    last = (fliq_time_day(9999, 12, 31) + 1) * FLIQ_TIME_DAY - MINUTE;

    assert_int_equal(fliq_cron_parse(unit_str("* * * * *"), &minute, why,
                                     sizeof(why)), 0);
    assert_int_equal(fliq_cron_parse(unit_str("@yearly"), &year, why,
                                     sizeof(why)), 0);
    assert_int_equal(fliq_cron_parse(unit_str("0 0 29 2 *"), &leap, why,
                                     sizeof(why)), 0);

    assert_int_equal(fliq_cron_next(&minute, INT64_MIN), first);
    assert_int_equal(fliq_cron_next(&minute, first - 1), first);
    assert_int_equal(fliq_cron_next(&minute, first), first + MINUTE);

    assert_int_equal(fliq_cron_next(&minute, last - 1), last);
    assert_int_equal(fliq_cron_next(&minute, last), -1);
    assert_int_equal(fliq_cron_next(&minute, INT64_MAX), -1);

    assert_int_equal(fliq_cron_next(&year, fliq_time_day(9998, 7, 1)
                                           * FLIQ_TIME_DAY),
                     fliq_time_day(9999, 1, 1) * FLIQ_TIME_DAY);
    assert_int_equal(fliq_cron_next(&year, fliq_time_day(9999, 1, 1)
                                           * FLIQ_TIME_DAY), -1);
    assert_int_equal(fliq_cron_next(&leap, fliq_time_day(9996, 3, 1)
                                           * FLIQ_TIME_DAY), -1);

    /* nothing that parse makes, but it must end */

    memset(&none, 0, sizeof(none));
    assert_int_equal(fliq_cron_next(&none, 0), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_leap_days),
        cmocka_unit_test(test_random_expressions),
        cmocka_unit_test(test_every_minute)
    };

    return cmocka_run_group_tests(tests, write_calendar, NULL);
}
