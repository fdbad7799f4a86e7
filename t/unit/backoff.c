/*
 * fliq_backoff: delays at both ends of the jitter, and Retry-After.
 */

#include "unit.h"

#include "fliq_backoff.h"
#include "fliq_time.h"


#define SECOND  FLIQ_TIME_SECOND
#define HOUR    (3600 * FLIQ_TIME_SECOND)


/* what API.md says when nothing is configured */
static const fliq_backoff_t  usual = { 30 * SECOND, HOUR, 25 };


static void
test_exponential(void **state)
{
    unsigned  retry;
    int64_t   low, high, middle, base;

    (void) state;

    for (retry = 1; retry <= 30; retry++) {
        base = 30 * SECOND << (retry - 1);

        low = fliq_backoff_delay(&usual, FLIQ_BACKOFF_EXPONENTIAL, retry, 0);
        high = fliq_backoff_delay(&usual, FLIQ_BACKOFF_EXPONENTIAL, retry,
                                  UINT32_MAX);
        middle = fliq_backoff_delay(&usual, FLIQ_BACKOFF_EXPONENTIAL, retry,
                                    1U << 31);

        assert_int_equal(low, base * 3 / 4 < HOUR ? base * 3 / 4 : HOUR);
        assert_int_equal(high, base * 5 / 4 < HOUR ? base * 5 / 4 : HOUR);
        assert_in_range(middle, base < HOUR ? base : HOUR,
                        base < HOUR ? base + 1000 : HOUR);
    }
}


static void
test_no_jitter(void **state)
{
    unsigned        i;
    fliq_backoff_t  conf = usual;

    static const int64_t  seconds[] = {
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600
    };

    (void) state;

    conf.jitter = 0;

    for (i = 0; i < unit_count(seconds); i++) {
        assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL,
                                            i + 1, (uint32_t) unit_random()),
                         seconds[i] * SECOND);
    }
}


/* Jitter is spread over its whole width, and never out of it. */
static void
test_jitter(void **state)
{
    int      i, below, above;
    int64_t  delay;

    (void) state;

    below = 0;
    above = 0;

    for (i = 0; i < 100000; i++) {
        delay = fliq_backoff_delay(&usual, FLIQ_BACKOFF_EXPONENTIAL, 3,
                                   (uint32_t) unit_random());

        assert_in_range(delay, 90 * SECOND, 150 * SECOND);
        below += (delay < 105 * SECOND);
        above += (delay > 135 * SECOND);
    }

    assert_in_range(below, 24000, 26000);
    assert_in_range(above, 24000, 26000);
}


static void
test_linear(void **state)
{
    unsigned  retry;
    int64_t   want;

    (void) state;

    for (retry = 1; retry <= 200; retry++) {
        want = 30 * SECOND * retry;

        assert_int_equal(fliq_backoff_delay(&usual, FLIQ_BACKOFF_LINEAR,
                                            retry, (uint32_t) unit_random()),
                         want < HOUR ? want : HOUR);
    }
}


/* The largest numbers that there are give the maximum, and no overflow. */
static void
test_extremes(void **state)
{
    int             i, k;
    int64_t         delay;
    unsigned        j, retry;
    fliq_backoff_t  conf;

    static const unsigned  retries[] = { 0, 1, 2, 62, 63, 64, 65, UINT32_MAX };

    static const int64_t  numbers[] = {
        INT64_MIN, -1, 0, 1, 30 * SECOND, INT64_MAX / 8, INT64_MAX / 4,
        INT64_MAX / 4 + 1, INT64_MAX / 2, INT64_MAX
    };

    (void) state;

    for (i = 0; i < (int) unit_count(numbers); i++) {
        for (k = 0; k < (int) unit_count(numbers); k++) {
            for (j = 0; j < unit_count(retries); j++) {
                conf.base = numbers[i];
                conf.max = numbers[k];
                conf.jitter = 100;
                retry = retries[j];

                delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL,
                                           retry, UINT32_MAX);
                assert_true(delay >= 0);
                assert_true(delay <= conf.max || delay == 0);

                delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL,
                                           retry, 0);
                assert_int_equal(delay, 0);

                conf.jitter = UINT32_MAX;
                delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL,
                                           retry, 0);
                assert_int_equal(delay, 0);

                delay = fliq_backoff_delay(&conf, FLIQ_BACKOFF_LINEAR, retry,
                                           0);
                assert_true(delay >= 0);
                assert_true(delay <= conf.max || delay == 0);
            }
        }
    }

    conf.base = 1;
    conf.max = HOUR;
    conf.jitter = 25;
    assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL,
                                        UINT32_MAX, 0), HOUR);
    assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_LINEAR,
                                        UINT32_MAX, 0), HOUR);

    /* no jitter is more than all of it */

    conf = usual;
    conf.jitter = 101;
    assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL, 1,
                                        UINT32_MAX), 60 * SECOND);

    /* there is no retry 0: it waits like the first */

    conf = usual;
    conf.jitter = 0;
    assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_EXPONENTIAL, 0,
                                        0), 30 * SECOND);
    assert_int_equal(fliq_backoff_delay(&conf, FLIQ_BACKOFF_LINEAR, 0, 0),
                     30 * SECOND);
}


static void
test_retry_after(void **state)
{
    size_t   i;
    int64_t  now, wait;

    static const struct {
        const char    *text;
        int64_t        wait;
    } cases[] = {
        { "0", 0 },
        { "1", SECOND },
        { "120", 120 * SECOND },
        { " 120 ", 120 * SECOND },
        { "\t120\r\n", 120 * SECOND },
        { "00120", 120 * SECOND },
        { "3599", 3599 * SECOND },
        { "3600", HOUR },
        { "3601", HOUR },
        { "86400", HOUR },
        { "9223372036854775807", HOUR },
        { "99999999999999999999999999999999999999", HOUR },

        { "", -1 },
        { " ", -1 },
        { "-1", -1 },
        { "+5", -1 },
        { "1.5", -1 },
        { "5s", -1 },
        { "5 5", -1 },
        { "0x10", -1 },
        { "soon", -1 },
        { "1,2", -1 },

        /* now is Sun, 06 Nov 1994 08:49:37.25 */

        { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:38 GMT", 750000 },
        { " Sun, 06 Nov 1994 08:50:37 GMT\r\n", 59750000 },
        { "Sun, 06 Nov 1994 09:49:37 GMT", HOUR - 250000 },
        { "Sun, 06 Nov 1994 09:49:38 GMT", HOUR },
        { "Mon, 07 Nov 1994 08:49:37 GMT", HOUR },
        { "Fri, 31 Dec 9999 23:59:59 GMT", HOUR },
        { "Sat, 05 Nov 1994 08:49:37 GMT", 0 },
        { "Mon, 01 Jan 0001 00:00:00 GMT", 0 },
        { "Sun, 06 Nov 1994 08:50:37 UTC", -1 },
        { "Sun, 06 Nov 1994 08:50:37", -1 },
        { "1994-11-06T08:50:37Z", -1 }
    };

    (void) state;

    now = 784111777 * SECOND + 250000;

    for (i = 0; i < unit_count(cases); i++) {
        wait = fliq_backoff_retry_after(unit_str(cases[i].text), now);

        if (wait != cases[i].wait) {
            unit_fail("\"%s\": %lld", cases[i].text, (long long) wait);
        }
    }

    assert_int_equal(fliq_backoff_retry_after(
                         unit_str("Fri, 31 Dec 9999 23:59:59 GMT"),
                         INT64_MIN), HOUR);
    assert_int_equal(fliq_backoff_retry_after(
                         unit_str("Mon, 01 Jan 0001 00:00:00 GMT"),
                         INT64_MAX), 0);
    assert_int_equal(fliq_backoff_retry_after(
                         unit_bytes("1\0", 2), now), -1);
}


static void
test_noise(void **state)
{
    int      i;
    int64_t  wait;

    (void) state;

    for (i = 0; i < 100000; i++) {
        wait = fliq_backoff_retry_after(unit_noise("0123456789 \tSunMT:,",
                                                   32),
                                        (int64_t) unit_random());
        assert_true(wait >= -1 && wait <= HOUR);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_no_jitter),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_noise)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
