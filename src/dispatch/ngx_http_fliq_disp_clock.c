/*
 * The database's clock, as this worker knows it.
 */

#include "ngx_http_fliq_disp_private.h"


/* A sample grows worse by 100 parts in a million of its age. */
#define NGX_HTTP_FLIQ_DISP_DRIFT  10000


void
ngx_http_fliq_disp_clock_sample(ngx_http_fliq_disp_clock_t *clock,
    int64_t sent, int64_t now_at)
{
    int64_t  now, error, offset, known, apart;

    now = ngx_http_fliq_monotonic();

    error = (now - sent) / 2;
    offset = now_at - (sent + error);

    known = ngx_http_fliq_disp_clock_error(clock);
    apart = offset > clock->offset ? offset - clock->offset
                                   : clock->offset - offset;

    /* further apart than both may be wrong: the database's clock was set */

    if (clock->sampled && error > known && apart <= error + known) {
        return;
    }

    clock->offset = offset;
    clock->error = error;
    clock->sampled = now;
}


int64_t
ngx_http_fliq_disp_clock_now(const ngx_http_fliq_disp_clock_t *clock)
{
    return ngx_http_fliq_monotonic() + clock->offset;
}


int64_t
ngx_http_fliq_disp_clock_error(const ngx_http_fliq_disp_clock_t *clock)
{
    return clock->error + (ngx_http_fliq_monotonic() - clock->sampled)
                          / NGX_HTTP_FLIQ_DISP_DRIFT;
}
