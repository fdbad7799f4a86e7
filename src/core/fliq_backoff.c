/*
 * fliq_backoff: retry delays.  The contracts are in fliq_backoff.h.
 */

#include "fliq_backoff.h"
#include "fliq_time.h"


/* a delay that is beyond any maximum and that jitter cannot overflow */
#define FLIQ_BACKOFF_FAR        (INT64_MAX / 4)

#define FLIQ_BACKOFF_AFTER_MAX  (3600 * FLIQ_TIME_SECOND)


/* Double ${base} for every retry but the first. */
static int64_t
fliq_backoff_exponential(int64_t base, unsigned retry)
{
    for ( /* void */ ; retry > 1; retry--) {

        if (base > FLIQ_BACKOFF_FAR / 2) {
            return FLIQ_BACKOFF_FAR;
        }

        base *= 2;
    }

    return base;
}


/* Move ${delay} by up to ${jitter} per cent of it, down or up. */
static int64_t
fliq_backoff_jitter(int64_t delay, unsigned jitter, uint32_t random)
{
    double  span;

    span = (double) delay / 100 * (jitter < 100 ? jitter : 100);
    delay += (int64_t) (span * (2.0 * random / UINT32_MAX - 1.0));

    /* all of a large delay may have been rounded up */

    return (delay > 0) ? delay : 0;
}


int64_t
fliq_backoff_delay(const fliq_backoff_t *conf, fliq_backoff_kind_t kind,
    unsigned retry, uint32_t random)
{
    int64_t  base, delay;

    base = conf->base;

    if (base <= 0 || conf->max <= 0) {
        return 0;
    }

    if (base > FLIQ_BACKOFF_FAR) {
        base = FLIQ_BACKOFF_FAR;
    }

    if (retry == 0) {
        retry = 1;
    }

    if (kind == FLIQ_BACKOFF_LINEAR) {
        delay = (base > FLIQ_BACKOFF_FAR / retry) ? FLIQ_BACKOFF_FAR
                                                  : base * retry;

    } else {
        delay = fliq_backoff_exponential(base, retry);
        delay = fliq_backoff_jitter(delay, conf->jitter, random);
    }

    return (delay < conf->max) ? delay : conf->max;
}


/* Cut blanks and line ends off both sides. */
static fliq_str_t
fliq_backoff_trim(fliq_str_t text)
{
    uint8_t  c;

    while (text.len > 0) {
        c = text.data[text.len - 1];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            break;
        }

        text.len--;
    }

    while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.len--;
    }

    return text;
}


/* Read digits as seconds, no more than the maximum; -1 for anything else. */
static int64_t
fliq_backoff_seconds(fliq_str_t text)
{
    size_t   i;
    int64_t  wait;

    for (i = 0, wait = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }

        wait = wait * 10 + (text.data[i] - '0') * FLIQ_TIME_SECOND;

        if (wait > FLIQ_BACKOFF_AFTER_MAX) {
            wait = FLIQ_BACKOFF_AFTER_MAX;
        }
    }

    return (text.len > 0) ? wait : -1;
}


int64_t
fliq_backoff_retry_after(fliq_str_t text, int64_t now)
{
    int64_t  wait, date;

    text = fliq_backoff_trim(text);
    wait = fliq_backoff_seconds(text);

    if (wait >= 0) {
        return wait;
    }

    if (fliq_time_http_date(text, &date) != 0) {
        return -1;
    }

    if (date <= now) {
        return 0;
    }

    /* compared so that no ${now} can overflow the difference */

    if (now < date - FLIQ_BACKOFF_AFTER_MAX) {
        return FLIQ_BACKOFF_AFTER_MAX;
    }

    return date - now;
}
