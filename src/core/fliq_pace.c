/*
 * fliq_pace: a buffer's rate.  The contracts are in fliq_pace.h.
 *
 * The memory: a version (1 byte), the rate (2), how many requests the open
 * group has (1), how many closed groups follow (1), when the last request
 * ended (8), and when the last request of each closed group did (8 each, the
 * oldest first); numbers in network order.
 */

#include <string.h>

#include "fliq_pace.h"
#include "fliq_time.h"


#define FLIQ_PACE_VERSION     1
#define FLIQ_PACE_RATE_MAX    1000
#define FLIQ_PACE_GROUPS      64
#define FLIQ_PACE_HEAD        13

/* A clock that was set back further than this is another clock. */
#define FLIQ_PACE_BACK        (10 * FLIQ_TIME_SECOND)

_Static_assert(FLIQ_PACE_HEAD + 8 * FLIQ_PACE_GROUPS <= FLIQ_PACE_SIZE,
               "the memory fits");


typedef struct {
    unsigned    rate;
    unsigned    group;                  /* requests of a group */
    unsigned    groups;                 /* that fit into a second */

    unsigned    open;                   /* requests of the open group */
    unsigned    n;                      /* closed groups */
    int64_t     last;
    int64_t     ends[FLIQ_PACE_GROUPS];
} fliq_pace_t;


static uint64_t
fliq_pace_get(const uint8_t *p, unsigned size)
{
    uint64_t  value;

    for (value = 0; size; size--) {
        value = value << 8 | *p++;
    }

    return value;
}


static uint8_t *
fliq_pace_put(uint8_t *p, unsigned size, uint64_t value)
{
    while (size) {
        *p++ = (uint8_t) (value >> --size * 8);
    }

    return p;
}


/* An empty memory of ${rate}. */
static void
fliq_pace_init(fliq_pace_t *pace, unsigned rate)
{
    if (rate < 1) {
        rate = 1;
    }

    if (rate > FLIQ_PACE_RATE_MAX) {
        rate = FLIQ_PACE_RATE_MAX;
    }

    memset(pace, 0, sizeof(fliq_pace_t));

    pace->rate = rate;
    pace->group = (rate + FLIQ_PACE_GROUPS - 1) / FLIQ_PACE_GROUPS;
    pace->groups = rate / pace->group;
    pace->last = INT64_MIN;
}


/* Read ${memory} into an empty ${pace}; 0, or -1 when it is none of ours. */
static int
fliq_pace_read(fliq_pace_t *pace, fliq_str_t memory)
{
    unsigned        i;
    int64_t         before;
    const uint8_t  *p;

    p = memory.data;

    if (memory.len < FLIQ_PACE_HEAD || p[0] != FLIQ_PACE_VERSION
        || fliq_pace_get(p + 1, 2) != pace->rate
        || p[3] >= pace->group || p[4] > pace->groups
        || memory.len != FLIQ_PACE_HEAD + 8 * (size_t) p[4])
    {
        return -1;
    }

    pace->open = p[3];
    pace->n = p[4];
    pace->last = (int64_t) fliq_pace_get(p + 5, 8);
    p += FLIQ_PACE_HEAD;

    for (i = 0, before = INT64_MIN; i < pace->n; i++, p += 8) {
        pace->ends[i] = (int64_t) fliq_pace_get(p, 8);

        if (pace->ends[i] < before || pace->ends[i] > pace->last) {
            return -1;
        }

        before = pace->ends[i];
    }

    return 0;
}


static size_t
fliq_pace_write(const fliq_pace_t *pace, uint8_t *out)
{
    unsigned   i;
    uint8_t   *p;

    p = fliq_pace_put(out, 1, FLIQ_PACE_VERSION);
    p = fliq_pace_put(p, 2, pace->rate);
    p = fliq_pace_put(p, 1, pace->open);
    p = fliq_pace_put(p, 1, pace->n);
    p = fliq_pace_put(p, 8, (uint64_t) pace->last);

    for (i = 0; i < pace->n; i++) {
        p = fliq_pace_put(p, 8, (uint64_t) pace->ends[i]);
    }

    return (size_t) (p - out);
}


/* Count a request that ended last. */
static void
fliq_pace_count(fliq_pace_t *pace, int64_t ended_at)
{
    unsigned  i;

    pace->last = ended_at;

    if (++pace->open < pace->group) {
        return;
    }

    pace->open = 0;

    if (pace->n == pace->groups) {
        pace->n--;

        for (i = 0; i < pace->n; i++) {
            pace->ends[i] = pace->ends[i + 1];
        }
    }

    pace->ends[pace->n++] = ended_at;
}


/* One second after ${at}. */
static int64_t
fliq_pace_after(int64_t at)
{
    return at < INT64_MAX - FLIQ_TIME_SECOND ? at + FLIQ_TIME_SECOND
                                             : INT64_MAX;
}


int64_t
fliq_pace_add(fliq_str_t memory, unsigned rate, int64_t ended_at,
    unsigned char *out, size_t *len)
{
    fliq_pace_t  pace;

    fliq_pace_init(&pace, rate);

    if (memory.len > 0
        && (fliq_pace_read(&pace, memory) != 0
            || (pace.last > ended_at
                && (uint64_t) pace.last - (uint64_t) ended_at
                   > FLIQ_PACE_BACK)))
    {
        /* a second after this request none before matters */

        fliq_pace_init(&pace, rate);
        pace.last = ended_at;
        *len = fliq_pace_write(&pace, out);

        return fliq_pace_after(ended_at);
    }

    /*
     * It ended after those before it, whatever a clock that went back says:
     * the ends stay in order, and with them the starts that are allowed.
     */

    fliq_pace_count(&pace, ended_at > pace.last ? ended_at : pace.last);
    *len = fliq_pace_write(&pace, out);

    return pace.n == pace.groups ? fliq_pace_after(pace.ends[0]) : 0;
}
