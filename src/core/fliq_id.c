/*
 * fliq_id: ids.  The contracts are in fliq_id.h.
 *
 * The 74 bits of a UUIDv7 that are not time, version or variant are one
 * number.  It is random in a new millisecond and grows by a random step
 * within one (RFC 9562, section 6.2, method 2); when it overflows, the
 * millisecond is counted on instead.
 */

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "fliq_id.h"


#define FLIQ_ID_POOL     1024
#define FLIQ_ID_MAX_MS   ((1LL << 48) - 1)

#define FLIQ_ID_HI_MASK  0xfffULL               /* rand_a: 12 bits */
#define FLIQ_ID_LO_MASK  ((1ULL << 62) - 1)     /* rand_b: 62 bits */


typedef struct {
    pid_t       pid;            /* the process that all below belongs to */
    int64_t     ms;             /* of the last id; -1 before the first */
    uint64_t    hi;             /* its number: rand_a, */
    uint64_t    lo;             /* and rand_b */
    size_t      left;           /* random bytes that nobody has used yet */
    uint8_t     pool[FLIQ_ID_POOL];
} fliq_id_state_t;


static fliq_id_state_t  fliq_id_state = { .ms = -1 };

/* Crockford's: no i, l, o, u */
static const char  fliq_id_alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";


/* Fill the pool anew; -1 when the system does not. */
static int
fliq_id_refill(fliq_id_state_t *st)
{
    ssize_t  n;
    size_t   got;

    for (got = 0; got < FLIQ_ID_POOL; got += (size_t) n) {
        n = getrandom(st->pool + got, FLIQ_ID_POOL - got, 0);

        if (n < 0) {
            if (errno != EINTR) {
                return -1;
            }

            n = 0;
        }
    }

    st->left = FLIQ_ID_POOL;

    return 0;
}


/* Take ${n} bytes, at most 8, off the pool as a number. */
static int
fliq_id_random(fliq_id_state_t *st, size_t n, uint64_t *value)
{
    if (st->left < n && fliq_id_refill(st) != 0) {
        return -1;
    }

    st->left -= n;
    *value = 0;
    memcpy(value, st->pool + st->left, n);

    return 0;
}


/* Begin the millisecond ${ms} with a random number. */
static int
fliq_id_begin(fliq_id_state_t *st, int64_t ms)
{
    uint64_t  hi, lo;

    if (fliq_id_random(st, 2, &hi) != 0 || fliq_id_random(st, 8, &lo) != 0) {
        return -1;
    }

    st->ms = ms;
    st->hi = hi & FLIQ_ID_HI_MASK;
    st->lo = lo & FLIQ_ID_LO_MASK;

    return 0;
}


/* Move on within the millisecond, or to the next one at an overflow. */
static int
fliq_id_advance(fliq_id_state_t *st)
{
    uint64_t  hi, lo, step;

    if (fliq_id_random(st, 4, &step) != 0) {
        return -1;
    }

    lo = st->lo + step + 1;
    hi = st->hi + (lo >> 62);

    if (hi > FLIQ_ID_HI_MASK) {
        return (st->ms < FLIQ_ID_MAX_MS) ? fliq_id_begin(st, st->ms + 1) : -1;
    }

    st->hi = hi;
    st->lo = lo & FLIQ_ID_LO_MASK;

    return 0;
}


/* Write the low ${n} bytes of ${value}, the highest first. */
static void
fliq_id_put(uint8_t *p, uint64_t value, size_t n)
{
    while (n-- > 0) {
        p[n] = (uint8_t) value;
        value >>= 8;
    }
}


int
fliq_id_make(fliq_id_t *id, int64_t unix_ms)
{
    int               rc;
    pid_t             pid;
    fliq_id_state_t  *st;

    st = &fliq_id_state;
    pid = getpid();

    if (st->pid != pid) {
        /* what a fork has copied is the parent's */
        st->pid = pid;
        st->ms = -1;
        st->left = 0;
    }

    if (unix_ms < 0) {
        unix_ms = 0;

    } else if (unix_ms > FLIQ_ID_MAX_MS) {
        unix_ms = FLIQ_ID_MAX_MS;
    }

    rc = (unix_ms > st->ms) ? fliq_id_begin(st, unix_ms)
                            : fliq_id_advance(st);
    if (rc != 0) {
        return -1;
    }

    fliq_id_put(id->bytes, (uint64_t) st->ms, 6);
    fliq_id_put(id->bytes + 6, 0x7000 | st->hi, 2);
    fliq_id_put(id->bytes + 8, (1ULL << 63) | st->lo, 8);

    return 0;
}


size_t
fliq_id_format(char *buf, const char *prefix, const fliq_id_t *id)
{
    int       i;
    char     *p;
    size_t    len;
    uint64_t  hi, lo;

    hi = 0;
    lo = 0;

    for (i = 0; i < 8; i++) {
        hi = hi << 8 | id->bytes[i];
        lo = lo << 8 | id->bytes[8 + i];
    }

    len = strlen(prefix);
    memcpy(buf, prefix, len);

    p = buf + len;
    *p++ = '_';

    for (i = FLIQ_ID_DIGITS - 1; i >= 0; i--) {
        p[i] = fliq_id_alphabet[lo & 31];
        lo = hi << 59 | lo >> 5;
        hi >>= 5;
    }

    p[FLIQ_ID_DIGITS] = '\0';

    return len + 1 + FLIQ_ID_DIGITS;
}


int
fliq_id_parse(fliq_str_t text, const char *prefix, fliq_id_t *id)
{
    int          i;
    size_t       len;
    uint64_t     hi, lo, value;
    const char  *digit, *p;

    len = strlen(prefix);

    if (text.len != len + 1 + FLIQ_ID_DIGITS
        || memcmp(text.data, prefix, len) != 0
        || text.data[len] != '_'
        || text.data[len + 1] > '7')
    {
        return -1;
    }

    p = (const char *) text.data + len + 1;
    hi = 0;
    lo = 0;

    for (i = 0; i < FLIQ_ID_DIGITS; i++) {
        digit = memchr(fliq_id_alphabet, p[i], 32);

        if (digit == NULL) {
            return -1;
        }

        value = (uint64_t) (digit - fliq_id_alphabet);
        hi = hi << 5 | lo >> 59;
        lo = lo << 5 | value;
    }

    fliq_id_put(id->bytes, hi, 8);
    fliq_id_put(id->bytes + 8, lo, 8);

    return 0;
}
