/*
 * Buffers and their items on their way in: from a body to the records of the
 * store.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_RATE_DEFAULT  10      /* requests in a second */
#define NGX_HTTP_FLIQ_RATE_MAX      1000


static ngx_int_t ngx_http_fliq_buffer_in_name(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_buffer_t *buffer);
static ngx_int_t ngx_http_fliq_buffer_in_target(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_buffer_t *buffer);
static ngx_int_t ngx_http_fliq_buffer_in_rate(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_buffer_t *buffer);


ngx_int_t
ngx_http_fliq_buffer_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_buffer_t *buffer)
{
    json_t     *body;
    ngx_int_t   rc;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_fliq_buffer_in_name(ctx, body, buffer);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_buffer_in_target(ctx, body, buffer);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_buffer_in_rate(ctx, body, buffer);
    }

    json_decref(body);

    if (rc != NGX_OK) {
        return rc;
    }

    buffer->account_id = ctx->token.account_id;

    return ngx_http_fliq_api_make_id(&buffer->id);
}


static ngx_int_t
ngx_http_fliq_buffer_in_name(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_buffer_t *buffer)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_label(ctx, body, "name", &buffer->name);

    if (rc == NGX_OK && buffer->name.len == 0) {
        return ngx_http_fliq_fault_field(ctx, "name",
                                         "is required and must not be empty");
    }

    return rc;
}


static ngx_int_t
ngx_http_fliq_buffer_in_target(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_buffer_t *buffer)
{
    ngx_int_t               rc;
    ngx_http_fliq_target_t  target;

    ngx_http_fliq_target_init(ctx, &target, 1);

    rc = ngx_http_fliq_target_read(ctx, body, &target);
    if (rc == NGX_OK) {
        ngx_http_fliq_target_copy_stream(buffer, &target);
    }

    return rc;
}


static ngx_int_t
ngx_http_fliq_buffer_in_rate(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_buffer_t *buffer)
{
    buffer->rate_limit = NGX_HTTP_FLIQ_RATE_DEFAULT;

    return ngx_http_fliq_field_number(ctx, body, "rate_limit", 1,
                                      NGX_HTTP_FLIQ_RATE_MAX,
                                      &buffer->rate_limit);
}


ngx_int_t
ngx_http_fliq_item_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_item_t *item)
{
    json_t     *body;
    ngx_int_t   rc;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_fliq_field_headers(ctx, body, "headers", &item->headers,
                                     NULL);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_body(ctx, body, &item->body);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_key(r, ctx, body, &item->idempotency_key);
    }

    json_decref(body);

    if (rc != NGX_OK) {
        return rc;
    }

    item->account_id = ctx->token.account_id;
    item->buffer_id = ctx->ids[0];

    return ngx_http_fliq_api_make_id(&item->id);
}
