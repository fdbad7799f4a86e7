/*
 * Targets: what is to be called and how, the part that the bodies and the
 * objects of jobs, schedules and buffers have in common.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_header.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_RETRIES_MAX     20
#define NGX_HTTP_FLIQ_RETRIES_STREAM  3     /* of a buffer, by default */
#define NGX_HTTP_FLIQ_TIMEOUT_MAX     3600


typedef ngx_int_t (*ngx_http_fliq_target_pt)(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);


static int32_t ngx_http_fliq_target_patience(
    const ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_url(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_method(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_method_named(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, const char **method);
static ngx_int_t ngx_http_fliq_target_headers(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_body(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_retries(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_timeout(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_backoff(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_webhook(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
static ngx_int_t ngx_http_fliq_target_place(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_uint_t required,
    ngx_str_t *value, int32_t *lane);


/* In the order in which a client hears of its mistakes. */
static const ngx_http_fliq_target_pt  ngx_http_fliq_target_steps[] = {
    ngx_http_fliq_target_url,
    ngx_http_fliq_target_method,
    ngx_http_fliq_target_headers,
    ngx_http_fliq_target_body,
    ngx_http_fliq_target_retries,
    ngx_http_fliq_target_timeout,
    ngx_http_fliq_target_backoff,
    ngx_http_fliq_target_webhook,
    NULL
};


void
ngx_http_fliq_target_init(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_target_t *target, ngx_uint_t stream)
{
    ngx_memzero(target, sizeof(ngx_http_fliq_target_t));

    target->stream = stream;
    target->max_retries = ngx_http_fliq_target_patience(target);

    ngx_str_set(&target->method, "POST");
    ngx_str_set(&target->backoff, "exponential");

    target->timeout_seconds = ctx->api->conf.timeout;
}


ngx_int_t
ngx_http_fliq_target_read(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_OK;

    for (i = 0; rc == NGX_OK && ngx_http_fliq_target_steps[i]; i++) {
        rc = ngx_http_fliq_target_steps[i](ctx, body, target);
    }

    return rc;
}


/* The retries when a client asks for no number of them. */
static int32_t
ngx_http_fliq_target_patience(const ngx_http_fliq_target_t *target)
{
    return target->stream ? NGX_HTTP_FLIQ_RETRIES_STREAM : 0;
}


static ngx_int_t
ngx_http_fliq_target_url(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    return ngx_http_fliq_target_place(ctx, body, "url", 1, &target->url,
                                      &target->lane);
}


static ngx_int_t
ngx_http_fliq_target_method(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    ngx_int_t    rc;
    const char  *first, *second;

    if (!ngx_http_fliq_field_named(body, "http_method")
        && !ngx_http_fliq_field_named(body, "method"))
    {
        return NGX_OK;
    }

    first = NULL;
    second = NULL;

    rc = ngx_http_fliq_target_method_named(ctx, body, "http_method", &first);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_target_method_named(ctx, body, "method", &second);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (first == NULL) {
        first = second ? second : "POST";
    }

    if (second != NULL && ngx_strcmp(first, second) != 0) {
        return ngx_http_fliq_fault_field(ctx, "http_method",
                            "must be the same as method when both are sent");
    }

    target->method.data = (u_char *) first;
    target->method.len = ngx_strlen(first);

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_target_method_named(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, const char **method)
{
    ngx_int_t   rc;
    ngx_str_t   text;
    fliq_str_t  view;

    *method = NULL;

    ngx_str_null(&text);

    rc = ngx_http_fliq_field_text(ctx, body, name, 0, &text);
    if (rc != NGX_OK || text.data == NULL) {
        return rc;
    }

    view.data = text.data;
    view.len = text.len;

    if (fliq_method_check(view, method) != 0) {
        return ngx_http_fliq_fault_field(ctx, name,
            "must be GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_target_headers(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    if (ngx_http_fliq_field_named(body, "headers")) {
        ngx_str_null(&target->headers);
    }

    return ngx_http_fliq_field_headers(ctx, body, "headers",
                                       &target->headers, &target->sorted);
}


static ngx_int_t
ngx_http_fliq_target_body(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    if (target->stream || !ngx_http_fliq_field_named(body, "body")) {
        return NGX_OK;
    }

    ngx_str_null(&target->body);

    return ngx_http_fliq_field_body(ctx, body, &target->body);
}


static ngx_int_t
ngx_http_fliq_target_retries(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    if (ngx_http_fliq_field_named(body, "max_retries")) {
        target->max_retries = ngx_http_fliq_target_patience(target);
    }

    return ngx_http_fliq_field_number(ctx, body, "max_retries", 0,
                                      NGX_HTTP_FLIQ_RETRIES_MAX,
                                      &target->max_retries);
}


static ngx_int_t
ngx_http_fliq_target_timeout(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    if (ngx_http_fliq_field_named(body, "timeout_seconds")) {
        target->timeout_seconds = ctx->api->conf.timeout;
    }

    return ngx_http_fliq_field_number(ctx, body, "timeout_seconds", 1,
                                      NGX_HTTP_FLIQ_TIMEOUT_MAX,
                                      &target->timeout_seconds);
}


static ngx_int_t
ngx_http_fliq_target_backoff(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    if (!ngx_http_fliq_field_named(body, "backoff")) {
        return NGX_OK;
    }

    ngx_str_set(&value, "exponential");

    rc = ngx_http_fliq_field_text(ctx, body, "backoff", 0, &value);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_http_fliq_is(&value, "exponential")
        && !ngx_http_fliq_is(&value, "linear"))
    {
        return ngx_http_fliq_fault_field(ctx, "backoff",
                                   "must be \"exponential\" or \"linear\"");
    }

    target->backoff = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_target_webhook(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_target_t *target)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_target_place(ctx, body, "webhook_url", 0,
                                    &target->webhook_url,
                                    &target->webhook_lane);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_fliq_field_named(body, "webhook_headers")) {
        ngx_str_null(&target->webhook_headers);
    }

    return ngx_http_fliq_field_headers(ctx, body, "webhook_headers",
                                       &target->webhook_headers,
                                       &target->webhook_sorted);
}


/* A URL that is kept is not judged again; only its lane is wanted. */
static ngx_int_t
ngx_http_fliq_target_place(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_uint_t required, ngx_str_t *value, int32_t *lane)
{
    ngx_int_t    rc;
    fliq_str_t   view;
    fliq_url_t   url;
    const char  *why;

    if (value->data != NULL && !ngx_http_fliq_field_named(body, name)) {
        view.data = value->data;
        view.len = value->len;

        rc = (fliq_url_parse(view, &url, &why) == 0) ? NGX_OK : NGX_ERROR;

    } else {
        ngx_str_null(value);

        rc = ngx_http_fliq_field_url(ctx, body, name, required, value, &url);
    }

    if (rc == NGX_OK) {
        *lane = (value->data != NULL) ? fliq_url_lane(&url) : 0;
    }

    return rc;
}


void
ngx_http_fliq_target_json(json_t **json, const ngx_http_fliq_target_t *target)
{
    json_t  *value;

    ngx_http_fliq_json_set(json, "url", ngx_http_fliq_json_str(&target->url));
    ngx_http_fliq_json_set(json, "http_method",
                           ngx_http_fliq_json_str(&target->method));
    ngx_http_fliq_json_set(json, "method",
                           ngx_http_fliq_json_str(&target->method));
    ngx_http_fliq_json_set(json, "headers",
                           ngx_http_fliq_json_parsed(&target->headers));

    if (!target->stream) {
        ngx_http_fliq_json_set(json, "body",
                               ngx_http_fliq_json_str(&target->body));
    }

    ngx_http_fliq_json_set(json, "max_retries",
                           json_integer(target->max_retries));
    ngx_http_fliq_json_set(json, "timeout_seconds",
                           json_integer(target->timeout_seconds));
    ngx_http_fliq_json_set(json, "backoff",
                           ngx_http_fliq_json_str(&target->backoff));

    ngx_http_fliq_json_set(json, "webhook_url",
                           ngx_http_fliq_json_str(&target->webhook_url));
    value = ngx_http_fliq_json_parsed(&target->webhook_headers);
    ngx_http_fliq_json_set(json, "webhook_headers", value);
}
