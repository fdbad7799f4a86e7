/*
 * fliq_hist: the buckets of the mergeable duration histogram behind
 * p95_duration_ms (API.md, "Analytics").
 *
 * A duration of up to FLIQ_HIST_EXACT milliseconds has a bucket of its own;
 * above, buckets grow with what is in them such that the value that stands
 * for a bucket is within 1 % of each duration in it.  A bucket's number means
 * the same for ever: numbers are stored and merged.
 */

#ifndef FLIQ_HIST_H
#define FLIQ_HIST_H

#include "fliq_str.h"


#define FLIQ_HIST_EXACT  100


typedef struct {
    uint16_t    bucket;
    int64_t     count;
} fliq_hist_entry_t;


/*
 * fliq_hist_bucket(ms):
 * The bucket of a duration of ${ms} milliseconds (negative counts as 0; all
 * above one day share the last bucket).
 */
uint16_t fliq_hist_bucket(int64_t ms);

/*
 * fliq_hist_value(bucket):
 * The milliseconds that stand for ${bucket}.
 */
double fliq_hist_value(uint16_t bucket);

/*
 * fliq_hist_quantile(entries, n, q):
 * The value at quantile ${q} (0 < q <= 1; nearest rank: the smallest value
 * such that at least q of all durations are not above it) of the histogram
 * of ${n} ${entries}, sorted by bucket.  0 for an empty one.
 */
double fliq_hist_quantile(const fliq_hist_entry_t *entries, size_t n,
    double q);


#endif /* FLIQ_HIST_H */
