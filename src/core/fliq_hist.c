/*
 * fliq_hist: the duration histogram.  The contracts are in fliq_hist.h.
 *
 * A duration of 128 ms and more keeps its 7 highest bits: 64 buckets to each
 * doubling, the middle of which is off by less than 1/128 of what is in it.
 * The numbers of buckets are kept in the database: they must never change.
 */

#include "fliq_hist.h"


#define FLIQ_HIST_STEPS    64
#define FLIQ_HIST_LINEAR   (2 * FLIQ_HIST_STEPS)
#define FLIQ_HIST_LONGEST  86400000     /* one day */


uint16_t
fliq_hist_bucket(int64_t ms)
{
    int       shift;
    uint32_t  value;

    if (ms < 0) {
        ms = 0;

    } else if (ms > FLIQ_HIST_LONGEST) {
        ms = FLIQ_HIST_LONGEST;
    }

    value = (uint32_t) ms;

    for (shift = 0; value >= FLIQ_HIST_LINEAR; shift++) {
        value >>= 1;
    }

    return (uint16_t) (shift * FLIQ_HIST_STEPS + (int) value);
}


double
fliq_hist_value(uint16_t bucket)
{
    int       shift;
    uint64_t  low, width;

    if (bucket < FLIQ_HIST_LINEAR) {
        return bucket;
    }

    if (bucket > fliq_hist_bucket(FLIQ_HIST_LONGEST)) {
        bucket = fliq_hist_bucket(FLIQ_HIST_LONGEST);
    }

    shift = bucket / FLIQ_HIST_STEPS - 1;
    width = 1ULL << shift;
    low = (uint64_t) (bucket - shift * FLIQ_HIST_STEPS) * width;

    return (double) low + (double) (width - 1) / 2;
}


/* The rank of quantile ${q} among ${total}: 1 to ${total}. */
static int64_t
fliq_hist_rank(int64_t total, double q)
{
    double   want;
    int64_t  rank;

    want = q * (double) total;
    rank = (int64_t) want;

    /* 0.07 * 100 is a little more than 7, which is still the 7th */

    if (want - (double) rank > want * 1e-14) {
        rank++;
    }

    if (rank < 1) {
        return 1;
    }

    return (rank < total) ? rank : total;
}


double
fliq_hist_quantile(const fliq_hist_entry_t *entries, size_t n, double q)
{
    size_t   i;
    int64_t  total, rank;

    for (i = 0, total = 0; i < n; i++) {
        if (entries[i].count > 0) {
            total += entries[i].count;
        }
    }

    if (total == 0) {
        return 0;
    }

    rank = fliq_hist_rank(total, q);

    for (i = 0; i < n; i++) {

        if (entries[i].count <= 0) {
            continue;
        }

        if (rank <= entries[i].count) {
            break;
        }

        rank -= entries[i].count;
    }

    return fliq_hist_value(entries[i].bucket);
}
