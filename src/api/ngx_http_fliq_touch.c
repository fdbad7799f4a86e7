/*
 * Notes of when tokens were used.  The contracts are in ngx_http_fliq_touch.h.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_fliq_touch.h"


#define NGX_HTTP_FLIQ_TOUCH_MAX    256
#define NGX_HTTP_FLIQ_TOUCH_DELAY  250      /* ms to gather a batch */


struct ngx_http_fliq_touch_s {
    ngx_http_fliq_store_t         *store;
    ngx_http_fliq_store_call_t    *call;    /* a batch under way */
    ngx_pool_t                    *pool;    /* of the call */
    ngx_socket_t                   ident;   /* what nginx logs of flush */
    ngx_event_t                    flush;
    ngx_uint_t                     n;
    fliq_id_t                      ids[NGX_HTTP_FLIQ_TOUCH_MAX];
};


static void ngx_http_fliq_touch_flush(ngx_event_t *ev);
static void ngx_http_fliq_touch_done(void *data, ngx_int_t rc,
    const void *result);


ngx_http_fliq_touch_t *
ngx_http_fliq_touch_create(ngx_http_fliq_store_t *store, ngx_log_t *log)
{
    ngx_http_fliq_touch_t  *touch;

    touch = ngx_calloc(sizeof(ngx_http_fliq_touch_t), log);
    if (touch == NULL) {
        return NULL;
    }

    touch->store = store;
    touch->ident = (ngx_socket_t) -1;

    touch->flush.handler = ngx_http_fliq_touch_flush;
    touch->flush.data = touch;
    touch->flush.log = log;
    touch->flush.cancelable = 1;

    return touch;
}


void
ngx_http_fliq_touch_destroy(ngx_http_fliq_touch_t *touch)
{
    if (touch->flush.timer_set) {
        ngx_del_timer(&touch->flush);
    }

    if (touch->call != NULL) {
        ngx_http_fliq_store_cancel(touch->call);
        ngx_destroy_pool(touch->pool);
    }

    ngx_free(touch);
}


void
ngx_http_fliq_touch_note(ngx_http_fliq_touch_t *touch, const fliq_id_t *id)
{
    if (touch->n == NGX_HTTP_FLIQ_TOUCH_MAX) {
        return;
    }

    touch->ids[touch->n++] = *id;

    if (!touch->flush.timer_set) {
        ngx_add_timer(&touch->flush, NGX_HTTP_FLIQ_TOUCH_DELAY);
    }
}


static void
ngx_http_fliq_touch_flush(ngx_event_t *ev)
{
    ngx_http_fliq_touch_t *touch = ev->data;

    if (ngx_exiting) {
        return;
    }

    if (touch->call != NULL) {
        ngx_add_timer(ev, NGX_HTTP_FLIQ_TOUCH_DELAY);
        return;
    }

    touch->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ev->log);

    if (touch->pool != NULL) {
        touch->call = ngx_http_fliq_store_token_touch(touch->store,
                          touch->pool, touch->ids, touch->n,
                          ngx_http_fliq_touch_done, touch);

        if (touch->call == NULL) {
            ngx_destroy_pool(touch->pool);
        }
    }

    touch->n = 0;
}


static void
ngx_http_fliq_touch_done(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_touch_t *touch = data;

    touch->call = NULL;
    ngx_destroy_pool(touch->pool);
}
