/*
 * The routes that change a schedule.
 *
 * What follows from a change, the next run above all, is computed here from
 * what was read, so a write counts only when nobody else has changed the
 * schedule since; otherwise it is read and changed again.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_CHANGE_TRIES  4


typedef struct {
    ngx_http_fliq_schedule_t    schedule;
    ngx_uint_t                  tries;
} ngx_http_fliq_change_t;


static ngx_int_t ngx_http_fliq_change_start(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_answer_pt answer);
static ngx_int_t ngx_http_fliq_change_look(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_answer_pt answer);
static ngx_int_t ngx_http_fliq_change_keep(ngx_http_request_t *r,
    ngx_http_fliq_change_t *change, const ngx_http_fliq_schedule_t *found);
static ngx_int_t ngx_http_fliq_schedules_merge(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_updated(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_paused(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_restart(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_schedules_resumed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static ngx_int_t
ngx_http_fliq_change_start(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_answer_pt answer)
{
    ctx->data = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_change_t));
    if (ctx->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_change_look(r, ctx, answer);
}


static ngx_int_t
ngx_http_fliq_change_look(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_answer_pt answer)
{
    ngx_http_fliq_change_t      *change;
    ngx_http_fliq_store_call_t  *call;

    change = ctx->data;

    if (change->tries++ == NGX_HTTP_FLIQ_CHANGE_TRIES) {
        (void) ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_CONFLICT,
                        "the schedule must not be changed by others, too, "
                        "at the same time; try again");
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_schedule_get(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, answer);
}


static ngx_int_t
ngx_http_fliq_change_keep(ngx_http_request_t *r,
    ngx_http_fliq_change_t *change, const ngx_http_fliq_schedule_t *found)
{
    change->schedule = *found;

    return ngx_http_fliq_schedule_keep(r->pool, &change->schedule);
}


ngx_int_t
ngx_http_fliq_schedules_update(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_change_start(r, ctx, ngx_http_fliq_schedules_merge);
}


static ngx_int_t
ngx_http_fliq_schedules_merge(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                      *body;
    ngx_http_fliq_change_t      *change;
    ngx_http_fliq_store_call_t  *call;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    change = ctx->data;
    body = NULL;

    rc = ngx_http_fliq_change_keep(r, change, result);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_body_json(r, ctx, &body);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_schedule_read(ctx, body, &change->schedule);
        json_decref(body);
    }

    if (rc != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ngx_http_fliq_schedule_arm(&change->schedule);

    call = ngx_http_fliq_store_schedule_update(ctx->api->conf.store, r->pool,
                                               &change->schedule,
                                               ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_updated);
}


static ngx_int_t
ngx_http_fliq_schedules_updated(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED && result != NULL) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NAME_TAKEN);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_change_look(r, ctx,
                                         ngx_http_fliq_schedules_merge);
    }

    ngx_http_fliq_schedule_hint(ctx, result);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_schedule_json(ctx, result));
}


ngx_int_t
ngx_http_fliq_schedules_pause(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    static const ngx_str_t  any = ngx_null_string;

    call = ngx_http_fliq_store_schedule_pause(ctx->api->conf.store, r->pool,
                                              &ctx->token.account_id,
                                              &ctx->ids[0],
                                              NGX_HTTP_FLIQ_NONE, &any,
                                              ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_paused);
}


static ngx_int_t
ngx_http_fliq_schedules_paused(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_schedules_resume(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_change_start(r, ctx,
                                      ngx_http_fliq_schedules_restart);
}


static ngx_int_t
ngx_http_fliq_schedules_restart(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_change_t      *change;
    ngx_http_fliq_schedule_t    *schedule;
    ngx_http_fliq_store_call_t  *call;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    change = ctx->data;
    schedule = &change->schedule;

    if (ngx_http_fliq_change_keep(r, change, result) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!schedule->paused) {
        return ngx_http_fliq_reply_none(ctx);
    }

    schedule->paused = 0;

    ngx_http_fliq_schedule_arm(schedule);

    call = ngx_http_fliq_store_schedule_pause(ctx->api->conf.store, r->pool,
                                              &ctx->token.account_id,
                                              &ctx->ids[0],
                                              schedule->next_run_at,
                                              &schedule->cron,
                                              ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_schedules_resumed);
}


static ngx_int_t
ngx_http_fliq_schedules_resumed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_change_t  *change;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    if (*(const ngx_uint_t *) result == 0) {
        return ngx_http_fliq_change_look(r, ctx,
                                         ngx_http_fliq_schedules_restart);
    }

    change = ctx->data;

    ngx_http_fliq_schedule_hint(ctx, &change->schedule);

    return ngx_http_fliq_reply_none(ctx);
}
