/*
 * GET /schedules/preview: the next runs of an expression, without a schedule.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_time.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_PREVIEW_DEFAULT  5
#define NGX_HTTP_FLIQ_PREVIEW_MAX      50


typedef struct {
    ngx_str_t      text;
    fliq_cron_t    cron;
    int64_t        from;            /* NGX_HTTP_FLIQ_NONE: now */
    ngx_int_t      count;
} ngx_http_fliq_preview_t;


static ngx_int_t ngx_http_fliq_preview_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_preview_t *preview);
static ngx_int_t ngx_http_fliq_preview_answer(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


ngx_int_t
ngx_http_fliq_schedules_preview(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_preview_t     *preview;
    ngx_http_fliq_store_call_t  *call;

    preview = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_preview_t));
    if (preview == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_preview_read(r, ctx, preview) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = preview;

    if (preview->from != NGX_HTTP_FLIQ_NONE) {
        return ngx_http_fliq_preview_answer(r, ctx, NGX_OK, &preview->from);
    }

    call = ngx_http_fliq_store_clock(ctx->api->conf.store, r->pool,
                                     ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_preview_answer);
}


static ngx_int_t
ngx_http_fliq_preview_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_preview_t *preview)
{
    ngx_int_t    rc;
    ngx_str_t    arg;
    fliq_str_t   view;
    const char  *why;

    if (ngx_http_fliq_arg(r, "cron", &preview->text) != NGX_OK) {
        return ngx_http_fliq_fault_field(ctx, "cron", "is required");
    }

    rc = ngx_http_fliq_schedule_cron(ctx, &preview->text, &preview->cron);
    if (rc != NGX_OK) {
        return rc;
    }

    preview->from = NGX_HTTP_FLIQ_NONE;
    preview->count = NGX_HTTP_FLIQ_PREVIEW_DEFAULT;

    if (ngx_http_fliq_arg(r, "from", &arg) == NGX_OK) {
        view.data = arg.data;
        view.len = arg.len;

        if (fliq_time_parse(view, &preview->from, &why) != 0) {
            return ngx_http_fliq_fault_field(ctx, "from", "%s", why);
        }
    }

    if (ngx_http_fliq_arg(r, "count", &arg) == NGX_OK) {
        preview->count = ngx_atoi(arg.data, arg.len);
    }

    if (preview->count < 1 || preview->count > NGX_HTTP_FLIQ_PREVIEW_MAX) {
        return ngx_http_fliq_fault_field(ctx, "count",
                                         "must be an integer from 1 to %d",
                                         NGX_HTTP_FLIQ_PREVIEW_MAX);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_preview_answer(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                   *json, *next;
    int64_t                   at;
    ngx_int_t                 i;
    ngx_http_fliq_preview_t  *preview;

    preview = ctx->data;
    at = *(const int64_t *) result;

    next = json_array();

    for (i = 0; i < preview->count; i++) {
        at = fliq_cron_next(&preview->cron, at);

        if (at == -1) {
            break;
        }

        ngx_http_fliq_json_append(&next, ngx_http_fliq_json_time(at));
    }

    json = json_object();

    ngx_http_fliq_json_set(&json, "cron",
                           ngx_http_fliq_json_str(&preview->text));
    ngx_http_fliq_json_set(&json, "next", next);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}
