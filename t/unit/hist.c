/*
 * fliq_hist: every duration's bucket is near it, and quantiles are those of
 * the durations themselves.
 */

#include "unit.h"

#include <math.h>

#include "fliq_hist.h"


#define DAY_MS   86400000
#define SAMPLES  4000


static int
near(double value, double exact)
{
    return fabs(value - exact) <= exact / 100;
}


static void
test_exact(void **state)
{
    int  ms;

    (void) state;

    for (ms = 0; ms <= FLIQ_HIST_EXACT; ms++) {
        assert_int_equal(fliq_hist_bucket(ms), ms);
        assert_true(fliq_hist_value(fliq_hist_bucket(ms)) == ms);
    }

    assert_int_equal(fliq_hist_bucket(-1), 0);
    assert_int_equal(fliq_hist_bucket(INT64_MIN), 0);
}


/* Every millisecond to 1e6, then in steps to a day; no bucket is left out. */
static void
test_near(void **state)
{
    int64_t   ms;
    uint16_t  bucket, last;

    (void) state;

    last = 0;

    for (ms = 1; ms <= DAY_MS; ms += (ms < 1000000) ? 1 : 997) {
        bucket = fliq_hist_bucket(ms);

        if (!near(fliq_hist_value(bucket), (double) ms)) {
            unit_fail("%lld ms is %f", (long long) ms,
                      fliq_hist_value(bucket));
        }

        if (bucket != last && bucket != last + 1) {
            unit_fail("%lld ms: bucket %d after %d", (long long) ms, bucket,
                      last);
        }

        last = bucket;
    }
}


static void
test_longest(void **state)
{
    uint16_t  bucket;

    (void) state;

    bucket = fliq_hist_bucket(DAY_MS);

    assert_true(near(fliq_hist_value(bucket), DAY_MS));
    assert_int_equal(fliq_hist_bucket(DAY_MS + 1), bucket);
    assert_int_equal(fliq_hist_bucket(10LL * DAY_MS), bucket);
    assert_int_equal(fliq_hist_bucket(INT64_MAX), bucket);
    assert_true(fliq_hist_value(UINT16_MAX) == fliq_hist_value(bucket));
    assert_true(bucket < 2000);
}


/* Numbers are in the database: what they mean may not change. */
static void
test_stored(void **state)
{
    size_t  i;

    static const struct {
        int64_t     ms;
        uint16_t    bucket;
        double      value;
    } cases[] = {
        { 127, 127, 127 }, { 128, 128, 128.5 }, { 129, 128, 128.5 },
        { 130, 129, 130.5 }, { 255, 191, 254.5 }, { 256, 192, 257.5 },
        { 1000, 317, 1003.5 }, { 30000, 629, 30079.5 },
        { 3600000, 1069, 3588095.5 }, { DAY_MS, 1362, 86507519.5 }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        assert_int_equal(fliq_hist_bucket(cases[i].ms), cases[i].bucket);
        assert_true(fliq_hist_value(cases[i].bucket) == cases[i].value);
    }
}


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


/* Count ${n} sorted durations into buckets; return how many. */
static size_t
count(const int64_t *ms, size_t n, fliq_hist_entry_t *entries)
{
    size_t    i, k;
    uint16_t  bucket;

    for (i = 0, k = 0; i < n; i++) {
        bucket = fliq_hist_bucket(ms[i]);

        if (k == 0 || entries[k - 1].bucket != bucket) {
            entries[k].bucket = bucket;
            entries[k].count = 0;
            k++;
        }

        entries[k - 1].count++;
    }

    return k;
}


static void
test_quantile(void **state)
{
    int      round;
    size_t   i, n, k, permille, rank;
    double   value;
    int64_t  ms[SAMPLES], widest;

    fliq_hist_entry_t  entries[SAMPLES];

    (void) state;

    for (round = 0; round < 300; round++) {
        n = (size_t) (round < 120 ? round + 1 : unit_below(SAMPLES) + 1);
        widest = 1LL << unit_below(26);

        for (i = 0; i < n; i++) {
            ms[i] = (int64_t) (unit_random() % (uint64_t) widest);
        }

        qsort(ms, n, sizeof(int64_t), compare);
        k = count(ms, n, entries);

        for (permille = 1; permille <= 1000; permille++) {

            /* nearest rank in whole numbers */
            rank = (permille * n + 999) / 1000;
            value = fliq_hist_quantile(entries, k, (double) permille / 1000);

            if (!near(value, (double) ms[rank - 1])) {
                unit_fail("%zu of %zu: %f, not %lld", rank, n, value,
                          (long long) ms[rank - 1]);
            }
        }
    }
}


static void
test_quantile_edges(void **state)
{
    fliq_hist_entry_t  gaps[] = {
        { 1, 0 }, { 5, 19 }, { 6, -3 }, { 7, 0 }, { 50, 1 }, { 60, 0 }
    };

    fliq_hist_entry_t  huge[] = {
        { 10, INT64_MAX / 4 }, { 20, INT64_MAX / 4 }, { 30, 1 }
    };

    fliq_hist_entry_t  none[] = { { 9, 0 } };

    (void) state;

    assert_true(fliq_hist_quantile(NULL, 0, 0.95) == 0);
    assert_true(fliq_hist_quantile(none, 1, 0.95) == 0);

    /* 19 of 20 are not above 5: that is 95 % exactly */

    assert_true(fliq_hist_quantile(gaps, 6, 0.95) == 5);
    assert_true(fliq_hist_quantile(gaps, 6, 0.951) == 50);
    assert_true(fliq_hist_quantile(gaps, 6, 1) == 50);
    assert_true(fliq_hist_quantile(gaps, 6, 0.000001) == 5);
    assert_true(fliq_hist_quantile(gaps, 6, 0) == 5);
    assert_true(fliq_hist_quantile(gaps, 6, 2) == 50);

    assert_true(fliq_hist_quantile(huge, 3, 0.25) == 10);
    assert_true(fliq_hist_quantile(huge, 3, 0.75) == 20);
    assert_true(fliq_hist_quantile(huge, 3, 1) == 30);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_quantile_edges)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
