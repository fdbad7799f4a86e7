/*
 * The routes of /jobs.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_jobs_known(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_insert(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static ngx_int_t ngx_http_fliq_jobs_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_repeated(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, const ngx_http_fliq_job_t *first);
static ngx_int_t ngx_http_fliq_jobs_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_cancelled(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_clone(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static ngx_int_t ngx_http_fliq_jobs_replayed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_executed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_attempted(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


/*
 * The key is looked up before credit is judged, so that a late repeat of a
 * request whose answer was lost is not refused.
 */
ngx_int_t
ngx_http_fliq_jobs_create(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_job_t         *job;
    ngx_http_fliq_store_call_t  *call;

    job = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_job_t));
    if (job == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_job_read(r, ctx, job) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = job;

    if (!ctx->token.gated || job->idempotency_key.data == NULL) {
        return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_jobs_insert);
    }

    call = ngx_http_fliq_store_job_by_key(ctx->api->conf.store, r->pool, job,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_known);
}


static ngx_int_t
ngx_http_fliq_jobs_known(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_OK) {
        return ngx_http_fliq_jobs_repeated(r, ctx, result);
    }

    return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_jobs_insert);
}


static ngx_int_t
ngx_http_fliq_jobs_insert(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_job_create(ctx->api->conf.store, ctx->data,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_created);
}


static ngx_int_t
ngx_http_fliq_jobs_created(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    ngx_http_fliq_job_t  *job;

    if (rc == NGX_DECLINED && result != NULL) {
        return ngx_http_fliq_jobs_repeated(r, ctx, result);
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_http_fliq_fault_field(ctx, "scheduled_at",
                                         "must be in the future");
        return ngx_http_fliq_refuse(ctx);
    }

    job = ctx->data;
    ctx->job = &job->id;

    ngx_http_fliq_api_hint(ctx, job->scheduled_at);

    if (ngx_http_fliq_reply_location(ctx, "job", &job->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_job_json(ctx, job));
}


/* The idempotency key was used before, by the job ${first}. */
static ngx_int_t
ngx_http_fliq_jobs_repeated(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_job_t *first)
{
    ngx_str_t             replayed = ngx_string("true");
    ngx_http_fliq_job_t  *job;

    job = ctx->data;

    if (first->request_hash.len != FLIQ_SHA256_SIZE
        || ngx_memcmp(first->request_hash.data, job->request_hash.data,
                      FLIQ_SHA256_SIZE) != 0)
    {
        return ngx_http_fliq_refuse_with(ctx,
                                       NGX_HTTP_FLIQ_E_IDEMPOTENCY_CONFLICT);
    }

    job->id = first->id;
    ctx->job = &job->id;

    if (ngx_http_fliq_reply_header(r, "Idempotent-Replayed", &replayed)
            == NULL
        || ngx_http_fliq_reply_location(ctx, "job", &job->id) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_job_json(ctx, first));
}


ngx_int_t
ngx_http_fliq_jobs_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_job_get(ctx->api->conf.store, r->pool,
                                       &ctx->token.account_id, &ctx->ids[0],
                                       ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_got);
}


static ngx_int_t
ngx_http_fliq_jobs_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_job_json(ctx, result));
}


ngx_int_t
ngx_http_fliq_jobs_cancel(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_job_cancel(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          &ctx->ids[0],
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_cancelled);
}


static ngx_int_t
ngx_http_fliq_jobs_cancelled(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_cancelled_t  *cancelled = result;

    if (rc == NGX_DECLINED || !cancelled->found) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    if (!cancelled->cancelled) {
        return ngx_http_fliq_refuse_with(ctx,
                                       NGX_HTTP_FLIQ_E_JOB_ALREADY_EXECUTED);
    }

    /* its webhook waits to be sent */

    ngx_http_fliq_api_hint(ctx, 0);

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_jobs_replay(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_jobs_clone);
}


static ngx_int_t
ngx_http_fliq_jobs_clone(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    fliq_id_t                   *clone;
    ngx_http_fliq_store_call_t  *call;

    clone = ngx_palloc(r->pool, sizeof(fliq_id_t));

    if (clone == NULL || ngx_http_fliq_api_make_id(clone) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->data = clone;

    call = ngx_http_fliq_store_job_replay(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          &ctx->ids[0], clone,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_replayed);
}


static ngx_int_t
ngx_http_fliq_jobs_replayed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_replayed_t  *replayed = result;

    if (rc == NGX_DECLINED || !replayed->found) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    if (!replayed->replayed) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_JOB_NOT_FAILED);
    }

    ctx->job = ctx->data;

    ngx_http_fliq_api_hint(ctx, replayed->clone.scheduled_at);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_job_json(ctx, &replayed->clone));
}


ngx_int_t
ngx_http_fliq_jobs_executions(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_execution_list(ctx->api->conf.store, r->pool,
                                              &ctx->token.account_id,
                                              &ctx->ids[0],
                                              ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_executed);
}


static ngx_int_t
ngx_http_fliq_jobs_executed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                           *json, *items;
    ngx_uint_t                        i;
    const ngx_http_fliq_list_t       *list = result;
    const ngx_http_fliq_execution_t  *execution;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    execution = list->records;
    items = json_array();

    for (i = 0; i < list->n; i++) {
        ngx_http_fliq_json_append(&items,
                                ngx_http_fliq_execution_json(&execution[i]));
    }

    json = json_object();
    ngx_http_fliq_json_set(&json, "executions", items);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_fliq_jobs_attempts(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_execution_list(ctx->api->conf.store, r->pool,
                                              &ctx->token.account_id,
                                              &ctx->ids[0],
                                              ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_attempted);
}


/* The same as executions, in the words of the client library. */
static ngx_int_t
ngx_http_fliq_jobs_attempted(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                           *items, *item;
    ngx_uint_t                        i;
    const ngx_http_fliq_list_t       *list = result;
    const ngx_http_fliq_execution_t  *execution;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    execution = list->records;
    items = json_array();

    for (i = list->n; i > 0; i--) {
        item = ngx_http_fliq_attempt_json(&ctx->ids[0], &execution[i - 1]);
        ngx_http_fliq_json_append(&items, item);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, items);
}
