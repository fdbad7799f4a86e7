/*
 * fliq_backoff: how long to wait before a retry (API.md, "Firing").
 */

#ifndef FLIQ_BACKOFF_H
#define FLIQ_BACKOFF_H

#include "fliq_str.h"


typedef enum {
    FLIQ_BACKOFF_EXPONENTIAL = 0,
    FLIQ_BACKOFF_LINEAR
} fliq_backoff_kind_t;

typedef struct {
    int64_t     base;           /* microseconds; > 0 */
    int64_t     max;            /* microseconds; no delay is longer */
    unsigned    jitter;         /* per cent, 0 to 100: exponential only */
} fliq_backoff_t;


/*
 * fliq_backoff_delay(conf, kind, retry, random):
 * The microseconds before retry ${retry} (1, 2, ...): exponential
 * base * 2^(retry-1), moved by up to ${jitter} per cent either way by
 * ${random} (0 lowest, UINT32_MAX highest); linear base * retry.  Never more
 * than conf->max, never less than 0, never an overflow.
 */
int64_t fliq_backoff_delay(const fliq_backoff_t *conf,
    fliq_backoff_kind_t kind, unsigned retry, uint32_t random);

/*
 * fliq_backoff_retry_after(text, now):
 * The microseconds that a Retry-After header asks for (RFC 9110, section
 * 10.2.3): seconds, or a date seen from ${now} (microseconds since 1970).
 * 0 when it is in the past, -1 when it is not understood or empty; at most one
 * hour.
 */
int64_t fliq_backoff_retry_after(fliq_str_t text, int64_t now);


#endif /* FLIQ_BACKOFF_H */
