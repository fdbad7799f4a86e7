/*
 * fliq_id: form, order, forks.
 *
 * The source is included: an overflow of 74 random bits cannot be waited for.
 */

#include "unit.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/wait.h>


/* the kernel's, made to fail on demand */
static ssize_t  fake_getrandom(void *buf, size_t len, unsigned flags);

#define getrandom  fake_getrandom
#include "../../src/core/fliq_id.c"
#undef getrandom


#define HOUR_MS  1769851800000


static int  scarce;             /* interrupted, then short of bytes */
static int  broken;             /* without any */


static ssize_t
fake_getrandom(void *buf, size_t len, unsigned flags)
{
    static int  calls;

    if (broken) {
        errno = ENOSYS;
        return -1;
    }

    if (scarce) {

        if (calls++ % 3 == 0) {
            errno = EINTR;
            return -1;
        }

        len = (len > 7) ? 7 : len;
    }

    return getrandom(buf, len, flags);
}


static int64_t
id_ms(const fliq_id_t *id)
{
    int      i;
    int64_t  ms;

    for (i = 0, ms = 0; i < 6; i++) {
        ms = ms << 8 | id->bytes[i];
    }

    return ms;
}


static void
reset(void)
{
    memset(&fliq_id_state, 0, sizeof(fliq_id_state));
    fliq_id_state.ms = -1;
}


static void
make(fliq_id_t *id, int64_t ms)
{
    assert_int_equal(fliq_id_make(id, ms), 0);

    assert_int_equal(id->bytes[6] >> 4, 7);
    assert_int_equal(id->bytes[8] >> 6, 2);
}


/* The example of the TypeID form, worked out apart from the code. */
static void
test_vectors(void **state)
{
    char       buf[FLIQ_ID_TEXT];
    size_t     i;
    fliq_id_t  id, back;

    static const struct {
        const char    *text;
        uint8_t        bytes[FLIQ_ID_SIZE];
    } cases[] = {
        { "job_00000000000000000000000000", { 0 } },
        { "job_00000000000000000000000001", { [15] = 1 } },
        { "job_0000000000000000000000000z", { [15] = 31 } },
        { "job_00000000000000000000000010", { [15] = 32 } },
        { "job_00000000000080000000000000", { [7] = 0x10 } },
        { "job_40000000000000000000000000", { 0x80 } },
        { "job_7zzzzzzzzzzzzzzzzzzzzzzzzz",
          { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
        { "job_01h455vb4pex5vsknk084sn02q",
          { 0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b,
            0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57 } }
    };

    (void) state;

    for (i = 0; i < unit_count(cases); i++) {
        memcpy(id.bytes, cases[i].bytes, FLIQ_ID_SIZE);

        assert_int_equal(fliq_id_format(buf, "job", &id), 30);
        assert_string_equal(buf, cases[i].text);

        assert_int_equal(fliq_id_parse(unit_str(cases[i].text), "job", &back),
                         0);
        assert_memory_equal(back.bytes, id.bytes, FLIQ_ID_SIZE);
    }
}


static void
test_prefixes(void **state)
{
    char       buf[FLIQ_ID_TEXT];
    size_t     i, len;
    fliq_id_t  id, back;

    static const char *const  prefixes[] = {
        "job", "sched", "exec", "alt", "buf", "item", "tok", "acct",
        "twelve_bytes", ""
    };

    (void) state;

    for (i = 0; i < unit_count(prefixes); i++) {
        make(&id, HOUR_MS);
        len = fliq_id_format(buf, prefixes[i], &id);

        assert_int_equal(len, strlen(prefixes[i]) + 27);
        assert_int_equal(strlen(buf), len);
        assert_int_equal(fliq_id_parse(unit_bytes(buf, len), prefixes[i],
                                       &back), 0);
        assert_memory_equal(&id, &back, sizeof(id));

        assert_int_equal(fliq_id_parse(unit_bytes(buf, len), "other", &back),
                         -1);
    }
}


static void
test_refuse(void **state)
{
    int        c;
    char       text[32];
    size_t     i;
    fliq_id_t  id;

    static const char *const  bad[] = {
        "",
        "job",
        "job_",
        "_01h455vb4pex5vsknk084sn02q",
        "01h455vb4pex5vsknk084sn02q",
        "job_01h455vb4pex5vsknk084sn02",
        "job_01h455vb4pex5vsknk084sn02qq",
        "job-01h455vb4pex5vsknk084sn02q",
        "Job_01h455vb4pex5vsknk084sn02q",
        "jab_01h455vb4pex5vsknk084sn02q",
        "jobs_01h455vb4pex5vsknk084sn02q",
        "jobs_1h455vb4pex5vsknk084sn02q",
        "job_81h455vb4pex5vsknk084sn02q",
        "job_z1h455vb4pex5vsknk084sn02q",
        "job_01H455VB4PEX5VSKNK084SN02Q",
        "job_01h455vb4pex5vsknk084sn02Q",
        "job_01h455vb4pe-x5vsknk084sn02",
        " job_01h455vb4pex5vsknk084sn02q",
        "job_01h455vb4pex5vsknk084sn02q ",
        "job_01h455vb4pex5vsknk084sn02\n"
    };

    (void) state;

    for (i = 0; i < unit_count(bad); i++) {
        if (fliq_id_parse(unit_str(bad[i]), "job", &id) != -1) {
            unit_fail("\"%s\" is taken", bad[i]);
        }
    }

    /* each byte in the last place: only the alphabet's 32 are digits */

    memcpy(text, "job_01h455vb4pex5vsknk084sn02q", 31);

    for (c = 0; c < 256; c++) {
        text[29] = (char) c;

        if ((fliq_id_parse(unit_bytes(text, 30), "job", &id) == 0)
            != (c != 0
                && strchr("0123456789abcdefghjkmnpqrstvwxyz", c) != NULL))
        {
            unit_fail("byte %d", c);
        }
    }
}


static void
test_round_trip(void **state)
{
    int        i, k;
    char       buf[FLIQ_ID_TEXT];
    size_t     len;
    fliq_id_t  id, back;

    (void) state;

    for (i = 0; i < 100000; i++) {
        for (k = 0; k < FLIQ_ID_SIZE; k++) {
            id.bytes[k] = (uint8_t) unit_random();
        }

        len = fliq_id_format(buf, "exec", &id);

        assert_int_equal(fliq_id_parse(unit_bytes(buf, len), "exec", &back),
                         0);
        assert_memory_equal(&id, &back, sizeof(id));
    }
}


/* A clock that stands still, leaps ahead and steps back. */
static void
test_order(void **state)
{
    int        i;
    char       text[2][FLIQ_ID_TEXT];
    int64_t    ms;
    fliq_id_t  id, last;

    (void) state;

    reset();
    ms = HOUR_MS;
    make(&last, ms);
    (void) fliq_id_format(text[0], "job", &last);

    for (i = 0; i < 300000; i++) {

        if (i % 64 == 0) {
            ms += unit_below(2001) - 1000;
        }

        make(&id, ms);
        (void) fliq_id_format(text[1], "job", &id);

        if (memcmp(last.bytes, id.bytes, FLIQ_ID_SIZE) >= 0
            || strcmp(text[0], text[1]) >= 0)
        {
            unit_fail("%s after %s", text[1], text[0]);
        }

        assert_true(id_ms(&id) >= ms);

        memcpy(text[0], text[1], FLIQ_ID_TEXT);
        last = id;
    }
}


static void
test_time(void **state)
{
    fliq_id_t  id;

    (void) state;

    reset();
    make(&id, -1);
    assert_int_equal(id_ms(&id), 0);

    make(&id, HOUR_MS);
    assert_int_equal(id_ms(&id), HOUR_MS);

    make(&id, HOUR_MS - 5000);
    assert_int_equal(id_ms(&id), HOUR_MS);

    make(&id, HOUR_MS + 1);
    assert_int_equal(id_ms(&id), HOUR_MS + 1);

    make(&id, INT64_MAX);
    assert_int_equal(id_ms(&id), FLIQ_ID_MAX_MS);

    reset();
}


static void
test_overflow(void **state)
{
    fliq_id_t  id, last;

    (void) state;

    /* rand_b runs over into rand_a */

    reset();
    make(&last, HOUR_MS);
    fliq_id_state.hi = 0x123;
    fliq_id_state.lo = FLIQ_ID_LO_MASK;
    make(&id, HOUR_MS);

    assert_int_equal(id_ms(&id), HOUR_MS);
    assert_int_equal((id.bytes[6] & 0x0f) << 8 | id.bytes[7], 0x124);
    assert_true(fliq_id_state.lo <= UINT32_MAX);

    fliq_id_state.hi = FLIQ_ID_HI_MASK - 1;
    fliq_id_state.lo = FLIQ_ID_LO_MASK;
    make(&id, HOUR_MS);

    assert_int_equal(id_ms(&id), HOUR_MS);
    assert_int_equal((id.bytes[6] & 0x0f) << 8 | id.bytes[7], 0xfff);

    /* and that into the millisecond */

    fliq_id_state.hi = FLIQ_ID_HI_MASK;
    fliq_id_state.lo = FLIQ_ID_LO_MASK;
    last = id;
    make(&id, HOUR_MS);

    assert_int_equal(id_ms(&id), HOUR_MS + 1);
    assert_true(memcmp(last.bytes, id.bytes, FLIQ_ID_SIZE) < 0);

    /* which cannot go on for ever */

    make(&id, INT64_MAX);
    fliq_id_state.hi = FLIQ_ID_HI_MASK;
    fliq_id_state.lo = FLIQ_ID_LO_MASK;
    assert_int_equal(fliq_id_make(&id, HOUR_MS), -1);

    reset();
}


/* A step is never none, though all random bits may be 0. */
static void
test_least_step(void **state)
{
    uint64_t   lo;
    fliq_id_t  id;

    (void) state;

    reset();
    make(&id, HOUR_MS);

    memset(fliq_id_state.pool, 0, FLIQ_ID_POOL);
    fliq_id_state.hi = 0;
    fliq_id_state.lo = lo = 1000;
    make(&id, HOUR_MS);

    assert_int_equal(fliq_id_state.lo, lo + 1);
}


/* A system that is short of random bytes, and one that has none. */
static void
test_scarce(void **state)
{
    int        i, k;
    fliq_id_t  id;

    (void) state;

    reset();
    memset(fliq_id_state.pool, 0xee, FLIQ_ID_POOL);
    scarce = 1;
    make(&id, HOUR_MS);
    scarce = 0;

    /* every byte of the pool is new */

    for (i = 0; i + 8 <= FLIQ_ID_POOL; i += 8) {
        for (k = 0; k < 8 && fliq_id_state.pool[i + k] == 0xee; k++) {
            /* void */
        }

        assert_true(k < 8);
    }

    reset();
    broken = 1;
    assert_int_equal(fliq_id_make(&id, HOUR_MS), -1);
    broken = 0;
    make(&id, HOUR_MS);

    fliq_id_state.left = 9;
    broken = 1;
    assert_int_equal(fliq_id_make(&id, HOUR_MS + 1), -1);
    fliq_id_state.left = 3;
    assert_int_equal(fliq_id_make(&id, HOUR_MS), -1);
    broken = 0;
}


/* Every one of the 74 bits is now 0 and now 1 in new milliseconds. */
static void
test_random_bits(void **state)
{
    int        i, k;
    uint8_t    ones[FLIQ_ID_SIZE], zeros[FLIQ_ID_SIZE];
    fliq_id_t  id;

    static const uint8_t  fixed[FLIQ_ID_SIZE] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 0, 0xc0
    };

    (void) state;

    reset();
    memcpy(ones, fixed, FLIQ_ID_SIZE);
    memcpy(zeros, fixed, FLIQ_ID_SIZE);

    for (i = 0; i < 200; i++) {
        make(&id, HOUR_MS + i);

        for (k = 0; k < FLIQ_ID_SIZE; k++) {
            ones[k] |= id.bytes[k];
            zeros[k] |= (uint8_t) ~id.bytes[k];
        }
    }

    for (k = 6; k < FLIQ_ID_SIZE; k++) {
        assert_int_equal(ones[k], 0xff);
        assert_int_equal(zeros[k], 0xff);
    }
}


/* A child has neither its parent's random bytes nor its number. */
static void
test_fork(void **state)
{
    int        i, status, fd[2];
    pid_t      pid;
    fliq_id_t  mine[3], theirs[3];

    (void) state;

    reset();
    make(&mine[0], HOUR_MS);
    assert_int_equal(pipe(fd), 0);

    pid = fork();

    if (pid == 0) {
        for (i = 0; i < 3; i++) {
            if (fliq_id_make(&theirs[i], HOUR_MS + i) != 0) {
                _exit(1);
            }
        }

        _exit(write(fd[1], theirs, sizeof(theirs)) == sizeof(theirs) ? 0 : 1);
    }

    assert_true(pid > 0);
    assert_int_equal(read(fd[0], theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);

    for (i = 0; i < 3; i++) {
        make(&mine[i], HOUR_MS + i);
        assert_memory_not_equal(mine[i].bytes + 8, theirs[i].bytes + 8, 8);
    }

    /* within a millisecond the two would be a step of 32 bits apart */

    assert_memory_not_equal(mine[0].bytes + 8, theirs[0].bytes + 8, 2);

    (void) close(fd[0]);
    (void) close(fd[1]);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_least_step),
        cmocka_unit_test(test_scarce),
        cmocka_unit_test(test_random_bits),
        cmocka_unit_test(test_fork)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
