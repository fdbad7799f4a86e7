/*
 * When tokens were used last: noted apart from the requests that use them,
 * in batches.  No answer waits for it or fails with it, no exit of the worker
 * either; a note that is lost comes again with the token's next lookup.
 */

#ifndef NGX_HTTP_FLIQ_TOUCH_H
#define NGX_HTTP_FLIQ_TOUCH_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_token.h"


typedef struct ngx_http_fliq_touch_s  ngx_http_fliq_touch_t;


/*
 * ngx_http_fliq_touch_create(store, log): NULL when there is no memory.
 *
 * ngx_http_fliq_touch_destroy(touch): what was not written yet is lost.
 *
 * ngx_http_fliq_touch_note(touch, id): the token ${id}, which is copied, was
 * used; written within a second or so, or lost.
 */
ngx_http_fliq_touch_t *ngx_http_fliq_touch_create(
    ngx_http_fliq_store_t *store, ngx_log_t *log);
void ngx_http_fliq_touch_destroy(ngx_http_fliq_touch_t *touch);
void ngx_http_fliq_touch_note(ngx_http_fliq_touch_t *touch,
    const fliq_id_t *id);


#endif /* NGX_HTTP_FLIQ_TOUCH_H */
