/*
 * GET /health: from memory, or with ?deep=1 by way of the database.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_time.h"
#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_health_answer(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


ngx_int_t
ngx_http_fliq_health_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_str_t                    deep;
    ngx_http_fliq_store_call_t  *call;

    if (ngx_http_fliq_arg(r, "deep", &deep) != NGX_OK
        || (deep.len == 1 && deep.data[0] == '0'))
    {
        return ngx_http_fliq_health_answer(r, ctx, NGX_OK, NULL);
    }

    if (deep.len != 1 || deep.data[0] != '1') {
        (void) ngx_http_fliq_fault_field(ctx, "deep", "must be 0 or 1");
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_ping(ctx->api->conf.store, r->pool,
                                    ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_health_answer);
}


static ngx_int_t
ngx_http_fliq_health_answer(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t      *json;
    int64_t      now;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    now = (int64_t) tp->sec * FLIQ_TIME_SECOND + tp->msec * 1000;

    json = json_object();

    ngx_http_fliq_json_set(&json, "status", json_string("ok"));
    ngx_http_fliq_json_set(&json, "version",
                           json_string(NGX_HTTP_FLIQ_VERSION));
    ngx_http_fliq_json_set(&json, "time", ngx_http_fliq_json_time(now));

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}
