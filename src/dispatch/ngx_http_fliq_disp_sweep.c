/*
 * Idle connections to targets that are too old to be used again.
 *
 * libcurl looks for them when a request begins, at most once a second, and
 * closes all that it finds before the request goes out: the first call after
 * a burst would wait for hundreds.  A request that never gets a socket makes
 * it look while nobody waits.
 *
 * It is for IPv6 alone: libcurl finds out once for a multi handle, at its
 * first name, whether there is IPv6, and takes a lack of descriptors for a no.
 * So the first one is made when the worker starts.
 */

#include "ngx_http_fliq_disp_private.h"


/* Milliseconds: more than the second between two looks of libcurl's. */
#define NGX_HTTP_FLIQ_DISP_SWEEP_EACH  1100

/* The youngest has been found by then: it is too old, and a look goes by. */
#define NGX_HTTP_FLIQ_DISP_SWEEP_LAST                                        \
    ((ngx_msec_int_t) (NGX_HTTP_FLIQ_DISP_MAXAGE + 2) * 1000)


static void ngx_http_fliq_disp_sweep_handler(ngx_event_t *ev);
static curl_socket_t ngx_http_fliq_disp_sweep_socket(void *data,
    curlsocktype purpose, struct curl_sockaddr *address);


ngx_int_t
ngx_http_fliq_disp_sweep_init(ngx_http_fliq_disp_sweep_t *sweep,
    ngx_http_fliq_disp_multi_t *multi)
{
    int    rc;
    CURL  *easy;

    easy = curl_easy_init();
    if (easy == NULL) {
        return NGX_ERROR;
    }

    rc = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    rc |= curl_easy_setopt(easy, CURLOPT_URL, "http://localhost/");
    rc |= curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long) CURL_IPRESOLVE_V6);
    rc |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    rc |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    rc |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                           (long) NGX_HTTP_FLIQ_DISP_MAXAGE);
    rc |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                           ngx_http_fliq_disp_sweep_socket);

    if (rc != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NGX_ERROR;
    }

    sweep->easy = easy;
    sweep->timer.handler = ngx_http_fliq_disp_sweep_handler;
    sweep->timer.data = multi;
    sweep->timer.log = multi->log;
    sweep->timer.cancelable = 1;

    return NGX_OK;
}


void
ngx_http_fliq_disp_sweep_done(ngx_http_fliq_disp_sweep_t *sweep)
{
    if (sweep->timer.timer_set) {
        ngx_del_timer(&sweep->timer);
    }

    if (sweep->easy) {
        curl_easy_cleanup(sweep->easy);
        sweep->easy = NULL;
    }
}


void
ngx_http_fliq_disp_sweep_idle(ngx_http_fliq_disp_sweep_t *sweep)
{
    sweep->idle_since = ngx_current_msec;

    if (!sweep->timer.timer_set) {
        ngx_add_timer(&sweep->timer, NGX_HTTP_FLIQ_DISP_SWEEP_EACH);
    }
}


static void
ngx_http_fliq_disp_sweep_handler(ngx_event_t *ev)
{
    ngx_http_fliq_disp_multi_t *multi = ev->data;

    ngx_http_fliq_disp_sweep_t  *sweep;

    sweep = &multi->sweep;

    ngx_http_fliq_disp_multi_try(multi, sweep->easy);

    if ((ngx_msec_int_t) (ngx_current_msec - sweep->idle_since)
        < NGX_HTTP_FLIQ_DISP_SWEEP_LAST)
    {
        ngx_add_timer(&sweep->timer, NGX_HTTP_FLIQ_DISP_SWEEP_EACH);
    }
}


static curl_socket_t
ngx_http_fliq_disp_sweep_socket(void *data, curlsocktype purpose,
    struct curl_sockaddr *address)
{
    return CURL_SOCKET_BAD;
}
