/*
 * The routes of /buffers, but for those of the items in them.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_buffers_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_buffers_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_buffers_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_buffers_resumed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_buffers_done(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_buffers_counted(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static const ngx_http_fliq_page_kind_t  ngx_http_fliq_buffer_kind = {
    "buffers",
    sizeof(ngx_http_fliq_buffer_t),
    offsetof(ngx_http_fliq_buffer_t, id),
    ngx_http_fliq_buffer_json
};


/* The gate stands before the items: a buffer that is empty fires nothing. */
ngx_int_t
ngx_http_fliq_buffers_create(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_buffer_t      *buffer;
    ngx_http_fliq_store_call_t  *call;

    buffer = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_buffer_t));
    if (buffer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_buffer_read(r, ctx, buffer) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_buffer_create(ctx->api->conf.store, r->pool,
                                             buffer, ngx_http_fliq_api_done,
                                             ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_created);
}


static ngx_int_t
ngx_http_fliq_buffers_created(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_buffer_t  *buffer = result;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NAME_TAKEN);
    }

    if (ngx_http_fliq_reply_location(ctx, "buf", &buffer->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_buffer_json(ctx, buffer));
}


ngx_int_t
ngx_http_fliq_buffers_list(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_page_t        *page;
    ngx_http_fliq_store_call_t  *call;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_page_t));
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_page_read(r, ctx, page) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = page;

    call = ngx_http_fliq_store_buffer_list(ctx->api->conf.store, r->pool,
                                           &ctx->token.account_id,
                                           page->before, page->limit,
                                           ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_listed);
}


static ngx_int_t
ngx_http_fliq_buffers_listed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    return ngx_http_fliq_page_reply(ctx, ctx->data,
                                    &ngx_http_fliq_buffer_kind, result);
}


ngx_int_t
ngx_http_fliq_buffers_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_buffer_get(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          &ctx->ids[0],
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_got);
}


static ngx_int_t
ngx_http_fliq_buffers_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_buffer_json(ctx, result));
}


ngx_int_t
ngx_http_fliq_buffers_delete(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_buffer_delete(ctx->api->conf.store, r->pool,
                                             &ctx->token.account_id,
                                             &ctx->ids[0],
                                             ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_done);
}


ngx_int_t
ngx_http_fliq_buffers_pause(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_buffer_pause(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0], 1,
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_done);
}


ngx_int_t
ngx_http_fliq_buffers_resume(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_buffer_pause(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0], 0,
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_resumed);
}


static ngx_int_t
ngx_http_fliq_buffers_resumed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_OK) {
        ngx_http_fliq_api_buffer_hint(ctx);
    }

    return ngx_http_fliq_buffers_done(r, ctx, rc, result);
}


static ngx_int_t
ngx_http_fliq_buffers_done(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_buffers_stats(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_buffer_stats(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_buffers_counted);
}


static ngx_int_t
ngx_http_fliq_buffers_counted(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_buffer_stats_json(result));
}
