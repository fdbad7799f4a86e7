/*
 * fliq_pace: no window of a second sees more arrivals than the rate, whatever
 * the network does; and little is lost to the groups.
 */

#include "unit.h"

#include "fliq_pace.h"
#include "fliq_time.h"


#define SECOND  FLIQ_TIME_SECOND
#define START   (1800000000 * SECOND)


/* A buffer's memory, and when its next request may start. */
typedef struct {
    unsigned         rate;
    int64_t          free_at;
    size_t           len;
    unsigned char    memory[FLIQ_PACE_SIZE];
} pace_t;


static const unsigned  rates[] = {
    1, 2, 3, 10, 63, 64, 65, 100, 127, 128, 129, 191, 192, 193, 500, 999, 1000
};


/* What ended_at ${at} makes of ${pace}. */
static void
add(pace_t *pace, int64_t at)
{
    pace->free_at = fliq_pace_add(unit_bytes(pace->memory, pace->len),
                                  pace->rate, at, pace->memory, &pace->len);

    assert_in_range(pace->len, 1, FLIQ_PACE_SIZE);
}


/* Requests of a group, and how many a second are reached at best. */
static unsigned
group_of(unsigned rate)
{
    return (rate + 63) / 64;
}


static unsigned
reached(unsigned rate)
{
    return rate / group_of(rate) * group_of(rate);
}


/* Each arrival is a second or more after the one that is the rate before. */
static void
check_arrivals(const int64_t *arrivals, int n, unsigned rate)
{
    int  i;

    for (i = (int) rate; i < n; i++) {
        if (arrivals[i] - arrivals[i - (int) rate] < SECOND) {
            unit_fail("rate %u: %u arrivals in %lld us", rate, rate + 1,
                      (long long) (arrivals[i] - arrivals[i - (int) rate]));
        }
    }
}


/* How long a request takes: at times instant, at times very slow. */
static int64_t
duration(int slow, unsigned rate)
{
    if (slow == 0) {
        return 0;
    }

    if (slow == 1) {
        return unit_below((int) (2 * SECOND / (int) rate) + 1);
    }

    return unit_below(20) ? unit_below(2000) : unit_below(3 * SECOND);
}


static void
test_bound(void **state)
{
    int       n, count, slow;
    size_t    i;
    pace_t    pace;
    int64_t   start, end, now;

    static int64_t  arrivals[6000];

    (void) state;

    for (i = 0; i < unit_count(rates); i++) {
        for (slow = 0; slow < 3; slow++) {

            pace = (pace_t) { .rate = rates[i] };
            now = START;
            count = (int) rates[i] * 5 + 1000;

            for (n = 0; n < count; n++) {
                if (unit_below(100) == 0) {
                    now += unit_below(2 * SECOND);
                }

                start = now > pace.free_at ? now : pace.free_at;
                end = start + duration(slow, rates[i]);

                /* it arrives early, late, or somewhere in between */

                switch (unit_below(3)) {
                case 0:
                    arrivals[n] = start;
                    break;
                case 1:
                    arrivals[n] = end;
                    break;
                default:
                    arrivals[n] = start + (int64_t)
                                  (unit_random() % (uint64_t)
                                                   (end - start + 1));
                }

                add(&pace, end);
                now = end;
            }

            check_arrivals(arrivals, count, rates[i]);
        }
    }
}


/* With instant answers, each rate is reached but for less than a group: over
   all of 1 to 1000, 98 % of it. */
static void
test_reached(void **state)
{
    int       n;
    pace_t    pace;
    int64_t   now;
    unsigned  rate;

    (void) state;

    for (rate = 1; rate <= 1000; rate += rate < 200 ? 1 : 25) {
        pace = (pace_t) { .rate = rate };

        for (n = 0, now = START; n < (int) rate * 2; n++) {
            assert_int_equal(now, START + n / reached(rate) * SECOND);
            add(&pace, now);
            now = now > pace.free_at ? now : pace.free_at;
        }

    }

    for (rate = 1; rate <= 1000; rate++) {
        assert_true(reached(rate) + group_of(rate) > rate);
        assert_true(reached(rate) * 100 >= rate * 98);
    }
}


/* At rate 64 and below nothing at all is lost. */
static void
test_exact(void **state)
{
    pace_t    pace;
    unsigned  k, rate;

    (void) state;

    for (rate = 1; rate <= 64; rate++) {
        pace = (pace_t) { .rate = rate };

        for (k = 1; k <= 5 * rate; k++) {
            add(&pace, START + k);
            assert_int_equal(pace.free_at,
                             k < rate ? 0 : START + k - rate + 1 + SECOND);
        }
    }
}


/* The bytes do not depend on the machine: they outlive it. */
static void
test_bytes(void **state)
{
    pace_t  pace = { .rate = 130 };

    static const char  memory[] =
        "\1\0\202\1\1"
        "\0\0\0\0\0\0\1\4"
        "\0\0\0\0\0\0\1\3";

    (void) state;

    add(&pace, 0x101);
    add(&pace, 0x102);
    add(&pace, 0x103);
    add(&pace, 0x104);

    assert_int_equal(pace.len, sizeof(memory) - 1);
    assert_memory_equal(pace.memory, memory, sizeof(memory) - 1);
}


/* A memory of another rate, or of no rate at all, costs a second. */
static void
test_forgotten(void **state)
{
    int            i;
    size_t         k;
    int64_t        at;
    pace_t         pace, other;
    fliq_str_t     noise;

    (void) state;

    pace = (pace_t) { .rate = 10 };

    for (i = 0; i < 25; i++) {
        add(&pace, START + i);
    }

    /* another rate: a second, then the full rate */

    for (k = 0; k < unit_count(rates); k++) {
        other = pace;
        other.rate = rates[k];
        at = START + SECOND;
        add(&other, at);

        if (rates[k] == 10) {
            assert_int_equal(other.free_at, START + 16 + SECOND);
            continue;
        }

        assert_int_equal(other.free_at, at + SECOND);

        for (i = 1; i < (int) reached(rates[k]); i++) {
            add(&other, at + SECOND);
            assert_int_equal(other.free_at, 0);
        }

        add(&other, at + SECOND);
        assert_int_equal(other.free_at, at + 2 * SECOND);
    }

    /* cut, or longer by a byte */

    for (k = 1; k <= pace.len + 1; k++) {
        other = pace;
        other.len = k;
        add(&other, START + SECOND);
        assert_int_equal(other.free_at, k == pace.len
                                        ? START + 16 + SECOND
                                        : START + 2 * SECOND);
    }

    /* anything: never more than a second's wait, nothing read beyond it */

    for (i = 0; i < 50000; i++) {
        noise = unit_noise("\1\2\12", FLIQ_PACE_SIZE);
        other.rate = rates[unit_below((int) unit_count(rates))];
        memcpy(other.memory, noise.data, noise.len);
        other.len = noise.len;
        add(&other, START);
        assert_int_equal(other.free_at,
                         noise.len ? START + SECOND
                                   : other.rate == 1 ? START + SECOND : 0);
    }
}


/* One byte changed: it is refused, or the wait stays within reason. */
static void
test_damaged(void **state)
{
    int      i;
    pace_t   pace, other;

    (void) state;

    pace = (pace_t) { .rate = 100 };

    for (i = 0; i < 300; i++) {
        add(&pace, START + i);
    }

    for (i = 0; i < 20000; i++) {
        other = pace;
        other.memory[unit_below((int) other.len)] ^= 1 << unit_below(8);
        add(&other, START + 400);
        assert_true(other.free_at <= START + 400 + 11 * SECOND);

        add(&other, START + 400 + 12 * SECOND);
        assert_true(other.free_at <= START + 400 + 13 * SECOND);
    }
}


/*
 * A clock that goes back a little never brings a start forward; one that goes
 * back a lot costs a second and not the difference.
 */
static void
test_clock_back(void **state)
{
    int      i;
    size_t   k;
    pace_t   pace;
    int64_t  now, before;

    (void) state;

    for (k = 0; k < unit_count(rates); k++) {
        pace = (pace_t) { .rate = rates[k] };
        now = START;
        before = 0;

        for (i = 0; i < 2500; i++) {
            add(&pace, now - unit_below(5 * SECOND));
            assert_true(pace.free_at >= before);
            assert_true(pace.free_at <= now + SECOND);
            before = pace.free_at;
            now += unit_below(2000);
        }

        /* the memory is full of START and later */

        add(&pace, START - 3600 * SECOND);
        assert_int_equal(pace.free_at, START - 3599 * SECOND);

        add(&pace, START - 3599 * SECOND);
        assert_int_equal(pace.free_at,
                         rates[k] == 1 ? START - 3598 * SECOND : 0);
    }
}


static void
test_extremes(void **state)
{
    int     i;
    size_t  k;
    pace_t  pace;

    static const int64_t  times[] = {
        INT64_MIN, INT64_MIN + 1, -1, 0, 1, START, INT64_MAX - SECOND,
        INT64_MAX - 1, INT64_MAX
    };

    static const unsigned  odd[] = { 0, 1, 1000, 1001, UINT32_MAX };

    (void) state;

    for (k = 0; k < unit_count(odd); k++) {
        pace = (pace_t) { .rate = odd[k] };

        for (i = 0; i < 20000; i++) {
            add(&pace, times[unit_below((int) unit_count(times))]);
        }
    }

    /* the largest memory there is */

    pace = (pace_t) { .rate = 64 };

    for (i = 0; i < 200; i++) {
        add(&pace, START);
    }

    assert_int_equal(pace.len, 13 + 64 * 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_reached),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_extremes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
