/*
 * The routes of /alerts: where an account hears of what has failed for good.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_alert_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_alert_t *alert);
static ngx_int_t ngx_http_fliq_alert_type(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_str_t *type);
static ngx_int_t ngx_http_fliq_alert_target(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_alert_t *alert);
static json_t *ngx_http_fliq_alert_json(const ngx_http_fliq_alert_t *alert);
static ngx_int_t ngx_http_fliq_alerts_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_alerts_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_alerts_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_alerts_changed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_alert_change(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_str_t *name, ngx_int_t *enabled);


ngx_int_t
ngx_http_fliq_alerts_create(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_alert_t       *alert;
    ngx_http_fliq_store_call_t  *call;

    alert = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_alert_t));

    if (alert == NULL || ngx_http_fliq_api_make_id(&alert->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    alert->account_id = ctx->token.account_id;

    if (ngx_http_fliq_alert_read(r, ctx, alert) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_alert_create(ctx->api->conf.store, r->pool,
                                            alert, ngx_http_fliq_api_done,
                                            ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_alerts_created);
}


static ngx_int_t
ngx_http_fliq_alert_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_alert_t *alert)
{
    json_t     *body;
    ngx_int_t   rc;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&alert->name, "");

    rc = ngx_http_fliq_alert_type(ctx, body, &alert->type);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_alert_target(ctx, body, alert);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_label(ctx, body, "name", &alert->name);
    }

    json_decref(body);

    return rc;
}


static ngx_int_t
ngx_http_fliq_alert_type(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_str_t *type)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_text(ctx, body, "type", 1, type);

    if (rc != NGX_OK
        || ngx_http_fliq_is(type, "webhook")
        || ngx_http_fliq_is(type, "slack"))
    {
        return rc;
    }

    return ngx_http_fliq_fault_field(ctx, "type",
                "must be \"webhook\" or \"slack\"; email is not supported "
                "yet");
}


static ngx_int_t
ngx_http_fliq_alert_target(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_alert_t *alert)
{
    ngx_int_t   rc;
    fliq_url_t  url;

    rc = ngx_http_fliq_field_url(ctx, body, "target", 1, &alert->target,
                                 &url);
    if (rc == NGX_OK) {
        alert->lane = fliq_url_lane(&url);
    }

    return rc;
}


static json_t *
ngx_http_fliq_alert_json(const ngx_http_fliq_alert_t *alert)
{
    json_t  *json;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("alt", &alert->id));
    ngx_http_fliq_json_set(&json, "type",
                           ngx_http_fliq_json_str(&alert->type));
    ngx_http_fliq_json_set(&json, "target",
                           ngx_http_fliq_json_str(&alert->target));
    ngx_http_fliq_json_set(&json, "name",
                           ngx_http_fliq_json_str(&alert->name));
    ngx_http_fliq_json_set(&json, "enabled", json_boolean(alert->enabled));
    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(alert->created_at));
    ngx_http_fliq_json_set(&json, "updated_at",
                           ngx_http_fliq_json_time(alert->updated_at));

    return json;
}


static ngx_int_t
ngx_http_fliq_alerts_created(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_alert_t  *alert = result;

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_reply_location(ctx, "alt", &alert->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_alert_json(alert));
}


ngx_int_t
ngx_http_fliq_alerts_list(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_alert_list(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_alerts_listed);
}


static ngx_int_t
ngx_http_fliq_alerts_listed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                       *json, *channels;
    ngx_uint_t                    i;
    const ngx_http_fliq_list_t   *list = result;
    const ngx_http_fliq_alert_t  *alerts;

    alerts = list->records;
    channels = json_array();

    for (i = 0; i < list->n; i++) {
        ngx_http_fliq_json_append(&channels,
                                  ngx_http_fliq_alert_json(&alerts[i]));
    }

    json = json_object();
    ngx_http_fliq_json_set(&json, "channels", channels);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_fliq_alerts_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_alert_get(ctx->api->conf.store, r->pool,
                                         &ctx->token.account_id,
                                         &ctx->ids[0],
                                         ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_alerts_got);
}


static ngx_int_t
ngx_http_fliq_alerts_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_alert_json(result));
}


ngx_int_t
ngx_http_fliq_alerts_update(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t                    enabled;
    ngx_str_t                    name;
    ngx_http_fliq_store_call_t  *call;

    if (ngx_http_fliq_alert_change(r, ctx, &name, &enabled) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_alert_update(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0], &name, enabled,
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_alerts_changed);
}


static ngx_int_t
ngx_http_fliq_alert_change(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_str_t *name, ngx_int_t *enabled)
{
    json_t     *body;
    ngx_int_t   rc;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    *enabled = -1;
    ngx_str_null(name);

    rc = ngx_http_fliq_field_flag(ctx, body, "enabled", enabled);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_label(ctx, body, "name", name);
    }

    json_decref(body);

    if (rc == NGX_OK && *enabled == -1 && name->data == NULL) {
        return ngx_http_fliq_fault_field(ctx, "enabled",
                                         "or name must be sent");
    }

    return rc;
}


static ngx_int_t
ngx_http_fliq_alerts_changed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_alerts_delete(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_alert_delete(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_alerts_changed);
}
