/*
 * The routes of /schedules that make, show and delete.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_schedules_clock(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static ngx_int_t ngx_http_fliq_schedules_insert(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_deleted(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_spawned(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_barren(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static const ngx_http_fliq_page_kind_t  ngx_http_fliq_schedule_kind = {
    "schedules",
    sizeof(ngx_http_fliq_schedule_t),
    offsetof(ngx_http_fliq_schedule_t, id),
    ngx_http_fliq_schedule_json
};


ngx_int_t
ngx_http_fliq_schedules_create(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    json_t                    *body;
    ngx_int_t                  rc;
    ngx_http_fliq_schedule_t  *schedule;

    schedule = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_schedule_t));

    if (schedule == NULL
        || ngx_http_fliq_api_make_id(&schedule->id) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    schedule->account_id = ctx->token.account_id;
    schedule->next_run_at = NGX_HTTP_FLIQ_NONE;

    rc = ngx_http_fliq_body_json(r, ctx, &body);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_schedule_read(ctx, body, schedule);
        json_decref(body);
    }

    if (rc != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = schedule;

    return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_schedules_clock);
}


static ngx_int_t
ngx_http_fliq_schedules_clock(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_clock(ctx->api->conf.store, r->pool,
                                     ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_insert);
}


static ngx_int_t
ngx_http_fliq_schedules_insert(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_schedule_t    *schedule;
    ngx_http_fliq_store_call_t  *call;

    schedule = ctx->data;
    schedule->now = *(const int64_t *) result;

    ngx_http_fliq_schedule_arm(schedule);

    call = ngx_http_fliq_store_schedule_create(ctx->api->conf.store, r->pool,
                                               schedule,
                                               ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_created);
}


static ngx_int_t
ngx_http_fliq_schedules_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_schedule_t  *schedule = result;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NAME_TAKEN);
    }

    ngx_http_fliq_schedule_hint(ctx, schedule);

    if (ngx_http_fliq_reply_location(ctx, "sched", &schedule->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_schedule_json(ctx, schedule));
}


ngx_int_t
ngx_http_fliq_schedules_list(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
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

    call = ngx_http_fliq_store_schedule_list(ctx->api->conf.store, r->pool,
                                             &ctx->token.account_id,
                                             page->before, page->limit,
                                             ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_listed);
}


static ngx_int_t
ngx_http_fliq_schedules_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    return ngx_http_fliq_page_reply(ctx, ctx->data,
                                    &ngx_http_fliq_schedule_kind, result);
}


ngx_int_t
ngx_http_fliq_schedules_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_schedule_get(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_got);
}


static ngx_int_t
ngx_http_fliq_schedules_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_schedule_json(ctx, result));
}


ngx_int_t
ngx_http_fliq_schedules_delete(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_schedule_delete(ctx->api->conf.store, r->pool,
                                               &ctx->token.account_id,
                                               &ctx->ids[0],
                                               ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_deleted);
}


static ngx_int_t
ngx_http_fliq_schedules_deleted(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_schedules_jobs(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_page_t        *page;
    ngx_http_fliq_jobs_e         which;
    ngx_http_fliq_store_call_t  *call;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_page_t));
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_page_read(r, ctx, page) != NGX_OK
        || ngx_http_fliq_job_filter(r, ctx, &which) != NGX_OK)
    {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = page;

    call = ngx_http_fliq_store_schedule_jobs(ctx->api->conf.store, r->pool,
                                             &ctx->token.account_id,
                                             &ctx->ids[0], which,
                                             page->before, page->limit,
                                             ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_spawned);
}


/* The jobs of a schedule that was deleted are still there to be read. */
static ngx_int_t
ngx_http_fliq_schedules_spawned(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_store_call_t  *call;
    const ngx_http_fliq_list_t  *list = result;

    if (list->n > 0) {
        return ngx_http_fliq_page_reply(ctx, ctx->data,
                                        &ngx_http_fliq_job_kind, list);
    }

    call = ngx_http_fliq_store_schedule_get(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_barren);
}


static ngx_int_t
ngx_http_fliq_schedules_barren(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    static const ngx_http_fliq_list_t  none;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_page_reply(ctx, ctx->data, &ngx_http_fliq_job_kind,
                                    &none);
}
