/*
 * fliq_time: what is read, what is refused and why, what is written.
 */

#include "unit.h"

#include <time.h>

#include "fliq_time.h"


#define FIRST  (-62135596800000000)     /* 0001-01-01T00:00:00Z */
#define LAST   253402300799999999       /* 9999-12-31T23:59:59.999999Z */


static const struct {
    const char    *text;
    int64_t        usec;
} good[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "1970-01-01t00:00:00z", 0 },
    { "1970-01-01 00:00:00Z", 0 },
    { "1969-12-31T23:59:59.999999Z", -1 },
    { "2026-01-31T09:30:00Z", 1769851800000000 },
    { "2000-02-29T12:00:00Z", 951825600000000 },
    { "2024-02-29T23:59:59Z", 1709251199000000 },
    { "2026-01-31T09:30:00.5Z", 1769851800500000 },
    { "2026-01-31T09:30:00.000001Z", 1769851800000001 },
    { "2026-01-31T09:30:00.1234567Z", 1769851800123456 },
    { "2026-01-31T09:30:00.123456789Z", 1769851800123456 },
    { "2026-01-31T09:30:00.999999999Z", 1769851800999999 },
    { "2026-01-31T09:30:00.000000000Z", 1769851800000000 },
    { "2026-01-31T09:30:00+00:00", 1769851800000000 },
    { "2026-01-31T09:30:00-00:00", 1769851800000000 },
    { "2026-01-31T11:30:00+02:00", 1769851800000000 },
    { "2026-01-31T04:00:00-05:30", 1769851800000000 },
    { "2026-02-01T09:29:00.25+23:59", 1769851800250000 },
    { "2026-01-30T09:31:00-23:59", 1769851800000000 },
    { "2016-12-31T23:59:60Z", 1483228800000000 },
    { "2016-12-31T23:59:60.5Z", 1483228800500000 },
    { "2017-01-01T01:59:60+02:00", 1483228800000000 },
    { "0001-01-01T00:00:00Z", FIRST },
    { "0001-01-01T02:00:00+02:00", FIRST },
    { "9999-12-31T23:59:59.999999Z", LAST },
    { "9999-12-31T22:59:59.999999999-01:00", LAST }
};


static const struct {
    const char    *text;
    const char    *why;             /* a part of the reason */
} bad[] = {
    { "", "RFC 3339" },
    { "tomorrow", "RFC 3339" },
    { "2026-01-31", "RFC 3339" },
    { "2026-01-31T09:30Z", "RFC 3339" },
    { "2026-01-31T09:30:0Z", "RFC 3339" },
    { "1769851800", "RFC 3339" },
    { "1769851800000000000000", "RFC 3339" },
    { "2026/01/31T09:30:00Z", "RFC 3339" },
    { "2026-01/31T09:30:00Z", "RFC 3339" },
    { "2026-01-31_09:30:00Z", "RFC 3339" },
    { "2026-01-31  09:30:00Z", "RFC 3339" },
    { "2026-01-31T09.30:00Z", "RFC 3339" },
    { "2026-01-31T09:30.00Z", "RFC 3339" },
    { "2o26-01-31T09:30:00Z", "RFC 3339" },
    { "2026-o1-31T09:30:00Z", "RFC 3339" },
    { "2026-01-3lT09:30:00Z", "RFC 3339" },
    { "2026-01-31T+9:30:00Z", "RFC 3339" },
    { "2026-01-31T09: 0:00Z", "RFC 3339" },
    { "2026-01-31T09:30:-1Z", "RFC 3339" },
    { "+2026-01-31T09:30:00Z", "RFC 3339" },
    { "-026-01-31T09:30:00Z", "RFC 3339" },
    { "12026-01-31T09:30:00Z", "RFC 3339" },
    { " 2026-01-31T09:30:00Z", "RFC 3339" },
    { "2026-01-31T09:30:00Z ", "RFC 3339" },
    { "2026-01-31T09:30:00ZZ", "RFC 3339" },
    { "2026-01-31T09:30:00Z+02:00", "RFC 3339" },
    { "2026-01-31T09:30:00 Z", "RFC 3339" },
    { "2026-01-31T09:30:00,5Z", "RFC 3339" },
    { "2026-01-31T09:30:00UTC", "RFC 3339" },

    { "2026-01-31T09:30:00", "time zone" },
    { "2026-01-31T09:30:00.5", "time zone" },
    { "2026-01-31T09:30:00+", "time zone" },
    { "2026-01-31T09:30:00+02", "time zone" },
    { "2026-01-31T09:30:00+0200", "time zone" },
    { "2026-01-31T09:30:00+2:00", "time zone" },
    { "2026-01-31T09:30:00+02-00", "time zone" },
    { "2026-01-31T09:30:00+02:00:00", "time zone" },
    { "2026-01-31T09:30:00+02:0", "time zone" },
    { "2026-01-31T09:30:00+24:00", "time zone" },
    { "2026-01-31T09:30:00-02:60", "time zone" },
    { "2026-01-31T09:30:00-0a:00", "time zone" },
    { "2026-01-31T09:30:00-02:a0", "time zone" },

    { "2026-01-31T09:30:00.Z", "1 to 9 digits" },
    { "2026-01-31T09:30:00.", "1 to 9 digits" },
    { "2026-01-31T09:30:00.1234567890Z", "1 to 9 digits" },
    { "2026-01-31T09:30:00.+02:00", "1 to 9 digits" },

    { "2026-00-31T09:30:00Z", "exist" },
    { "2026-13-31T09:30:00Z", "exist" },
    { "2026-01-00T09:30:00Z", "exist" },
    { "2026-01-32T09:30:00Z", "exist" },
    { "2026-02-29T09:30:00Z", "exist" },
    { "2024-02-30T09:30:00Z", "exist" },
    { "2100-02-29T09:30:00Z", "exist" },
    { "2026-04-31T09:30:00Z", "exist" },
    { "2026-06-31T09:30:00Z", "exist" },
    { "2026-09-31T09:30:00Z", "exist" },
    { "2026-11-31T09:30:00Z", "exist" },
    { "2026-01-31T24:00:00Z", "exist" },
    { "2026-01-31T09:60:00Z", "exist" },
    { "2026-01-31T09:30:61Z", "exist" },

    { "0000-01-01T00:00:00Z", "0001 to 9999" },
    { "0000-12-31T23:59:59-01:00", "0001 to 9999" },
    { "0001-01-01T00:00:00+00:01", "0001 to 9999" },
    { "9999-12-31T23:59:59.999999-00:01", "0001 to 9999" },
    { "9999-12-31T23:59:60Z", "0001 to 9999" }
};


static void
test_parse(void **state)
{
    size_t       i;
    int64_t      usec;
    const char  *why;

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        why = NULL;

        if (fliq_time_parse(unit_str(good[i].text), &usec, &why) != 0) {
            unit_fail("\"%s\": %s", good[i].text, why);
        }

        if (usec != good[i].usec) {
            unit_fail("\"%s\" is %lld", good[i].text, (long long) usec);
        }
    }
}


static void
test_refuse(void **state)
{
    size_t       i;
    int64_t      usec;
    const char  *why;

    (void) state;

    for (i = 0; i < unit_count(bad); i++) {
        why = NULL;
        usec = 42;

        if (fliq_time_parse(unit_str(bad[i].text), &usec, &why) != -1) {
            unit_fail("\"%s\" is taken", bad[i].text);
        }

        if (why == NULL || strstr(why, bad[i].why) == NULL) {
            unit_fail("\"%s\": %s", bad[i].text, why ? why : "(no reason)");
        }

        assert_int_equal(usec, 42);
    }
}


/* A NUL is no end of the text. */
static void
test_refuse_nul(void **state)
{
    int64_t      usec;
    const char  *why;

    (void) state;

    assert_int_equal(fliq_time_parse(unit_bytes("2026-01-31T09:30:00Z\0", 21),
                                     &usec, &why), -1);
    assert_int_equal(fliq_time_parse(unit_bytes("2026-01-31T09:30:0\0Z", 20),
                                     &usec, &why), -1);
}


static void
test_format(void **state)
{
    char    buf[FLIQ_TIME_TEXT];
    size_t  i, len;

    static const struct {
        int64_t        usec;
        const char    *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
        { 1, "1970-01-01T00:00:00.000001Z" },
        { 100000, "1970-01-01T00:00:00.1Z" },
        { 120300, "1970-01-01T00:00:00.1203Z" },
        { 1769851800000000, "2026-01-31T09:30:00Z" },
        { 951825599999990, "2000-02-29T11:59:59.99999Z" },
        { FIRST, "0001-01-01T00:00:00Z" },
        { LAST, "9999-12-31T23:59:59.999999Z" },
        { FIRST - 1, "0001-01-01T00:00:00Z" },
        { LAST + 1, "9999-12-31T23:59:59.999999Z" },
        { INT64_MIN, "0001-01-01T00:00:00Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999999Z" }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        len = fliq_time_format(buf, cases[i].usec);

        assert_string_equal(buf, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
    }
}


/* Whatever is written is read as the same time, and as libc's date of it. */
static void
test_round_trip(void **state)
{
    int          i;
    char         buf[FLIQ_TIME_TEXT], libc[FLIQ_TIME_TEXT];
    size_t       len;
    int64_t      usec, back;
    time_t       sec;
    struct tm    tm;
    const char  *why;

    (void) state;

    for (i = 0; i < 200000; i++) {
        usec = FIRST + (int64_t) (unit_random() % (uint64_t) (LAST - FIRST));

        if (i % 4 == 0) {
            usec -= usec % FLIQ_TIME_SECOND;

        } else if (i % 4 == 1) {
            usec -= usec % 1000;
        }

        len = fliq_time_format(buf, usec);

        assert_int_equal(fliq_time_parse(unit_bytes(buf, len), &back, &why),
                         0);
        assert_int_equal(back, usec);
        assert_true(strchr(buf, '.') == NULL || buf[len - 2] != '0');

        sec = (usec - FIRST) / FLIQ_TIME_SECOND + FIRST / FLIQ_TIME_SECOND;
        gmtime_r(&sec, &tm);
        (void) snprintf(libc, sizeof(libc), "%04u-%02u-%02uT%02u:%02u:%02u",
                        (tm.tm_year + 1900u) % 10000u, (tm.tm_mon + 1u) % 100u,
                        tm.tm_mday % 100u, tm.tm_hour % 100u,
                        tm.tm_min % 100u, tm.tm_sec % 100u);
        assert_memory_equal(buf, libc, 19);
    }
}


/* Every day there is, counted by hand. */
static void
test_every_day(void **state)
{
    int      y, m, d, year, month, mday, length, leap;
    int32_t  day;
    char     buf[11], text[32];

    static const int  lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    (void) state;

    day = -719162;

    for (y = 1; y <= 9999; y++) {
        leap = (y % 400 == 0) ? 1 : (y % 100 == 0) ? 0 : (y % 4 == 0);

        for (m = 1; m <= 12; m++) {
            length = lengths[m - 1] + (m == 2 && leap);

            for (d = 1; d <= length; d++, day++) {
                fliq_time_civil(day, &year, &month, &mday);

                if (year != y || month != m || mday != d
                    || fliq_time_day(y, m, d) != day)
                {
                    unit_fail("day %d: %d-%d-%d", day, year, month, mday);
                }
            }

            fliq_time_date(buf, day - 1);
            (void) snprintf(text, sizeof(text), "%04d-%02d-%02d", y, m,
                            length);
            assert_string_equal(buf, text);
        }
    }

    assert_int_equal(day, 2932897);

    fliq_time_date(buf, INT32_MIN);
    assert_string_equal(buf, "0001-01-01");

    fliq_time_date(buf, INT32_MAX);
    assert_string_equal(buf, "9999-12-31");
}


static void
test_http_date(void **state)
{
    size_t   i;
    int64_t  usec;

    static const struct {
        const char    *text;
        int64_t        sec;
    } dates[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
        { "Mon, 01 Jan 0001 00:00:00 GMT", -62135596800 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
        { "Mon, 02 Mar 2026 00:00:00 GMT", 1772409600 },
        { "Mon, 06 Apr 2026 00:00:00 GMT", 1775433600 },
        { "Fri, 01 May 2026 00:00:00 GMT", 1777593600 },
        { "Mon, 01 Jun 2026 00:00:00 GMT", 1780272000 },
        { "Wed, 01 Jul 2026 00:00:00 GMT", 1782864000 },
        { "Sat, 01 Aug 2026 00:00:00 GMT", 1785542400 },
        { "Tue, 01 Sep 2026 00:00:00 GMT", 1788220800 },
        { "Thu, 01 Oct 2026 00:00:00 GMT", 1790812800 }
    };

    static const char *const  refused[] = {
        "",
        "0",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun; 06 Nov 1994 08:49:37 GMT",
        "Sun,-06 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06-Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994T08:49:37 GMT",
        "Sun, 06 Nov 1994 08-49:37 GMT",
        "Sun, 06 Nov 1994 08:49-37 GMT",
        "Sun, 06 Nov 1994 08:49:37-GMT",
        "Sun, 06 Nov 1994 08:49:3x GMT",
        "Sun, 06 Nov 1994 x8:49:37 GMT",
        "Sun, 06 Nov 1994 08:4x:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 199x 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT"
    };

    (void) state;

    for (i = 0; i < unit_count(dates); i++) {
        assert_int_equal(fliq_time_http_date(unit_str(dates[i].text), &usec),
                         0);
        assert_int_equal(usec, dates[i].sec * FLIQ_TIME_SECOND);
    }

    for (i = 0; i < unit_count(refused); i++) {
        if (fliq_time_http_date(unit_str(refused[i]), &usec) != -1) {
            unit_fail("\"%s\" is taken", refused[i]);
        }
    }
}


static void
test_noise(void **state)
{
    int          i;
    int64_t      usec;
    const char  *why;
    fliq_str_t   text;

    (void) state;

    for (i = 0; i < 300000; i++) {
        text = unit_noise("00112233--::TZ+. ", 40);
        why = NULL;

        if (fliq_time_parse(text, &usec, &why) != 0) {
            assert_non_null(why);
        }

        (void) fliq_time_http_date(text, &usec);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_refuse_nul),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_http_date),
        cmocka_unit_test(test_noise)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
