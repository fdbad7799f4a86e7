/*
 * The routes of /jobs.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/* A word of ?status= and what it selects. */
typedef struct {
    ngx_str_t               word;
    ngx_http_fliq_jobs_e    which;
} ngx_http_fliq_jobs_filter_t;


static ngx_int_t ngx_http_fliq_jobs_created(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_repeated(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, const ngx_http_fliq_job_t *first);
static ngx_int_t ngx_http_fliq_jobs_location(ngx_http_request_t *r,
    const ngx_http_fliq_job_t *job);
static ngx_int_t ngx_http_fliq_jobs_filter(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_jobs_e *which);
static ngx_int_t ngx_http_fliq_jobs_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_cancelled(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_executed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_jobs_attempted(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static const ngx_http_fliq_jobs_filter_t  ngx_http_fliq_jobs_filters[] = {
    { ngx_string("scheduled"), NGX_HTTP_FLIQ_JOBS_WAITING },
    { ngx_string("pending"),   NGX_HTTP_FLIQ_JOBS_WAITING },
    { ngx_string("running"),   NGX_HTTP_FLIQ_JOBS_RUNNING },
    { ngx_string("success"),   NGX_HTTP_FLIQ_JOBS_SUCCESS },
    { ngx_string("completed"), NGX_HTTP_FLIQ_JOBS_SUCCESS },
    { ngx_string("failed"),    NGX_HTTP_FLIQ_JOBS_FAILED },
    { ngx_string("cancelled"), NGX_HTTP_FLIQ_JOBS_CANCELLED },
    { ngx_null_string,         NGX_HTTP_FLIQ_JOBS_ALL }
};

static const ngx_http_fliq_page_kind_t  ngx_http_fliq_jobs_kind = {
    "jobs",
    sizeof(ngx_http_fliq_job_t),
    offsetof(ngx_http_fliq_job_t, id),
    ngx_http_fliq_job_json
};


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

    call = ngx_http_fliq_store_job_create(ctx->api->conf.store, job,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_created);
}


static ngx_int_t
ngx_http_fliq_jobs_created(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    ngx_http_fliq_job_t       *job;
    ngx_http_fliq_api_conf_t  *conf;

    if (rc == NGX_DECLINED && result != NULL) {
        return ngx_http_fliq_jobs_repeated(r, ctx, result);
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_http_fliq_fault_field(ctx, "scheduled_at",
                                         "must be in the future");
        return ngx_http_fliq_refuse(ctx);
    }

    job = ctx->data;
    conf = &ctx->api->conf;

    ctx->job = &job->id;

    if (conf->hint != NULL) {
        conf->hint(conf->hint_data, job->scheduled_at);
    }

    if (ngx_http_fliq_jobs_location(r, job) != NGX_OK) {
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
        || ngx_http_fliq_jobs_location(r, first) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_job_json(ctx, first));
}


/* Where the job is, seen from where the client sent its request to. */
static ngx_int_t
ngx_http_fliq_jobs_location(ngx_http_request_t *r,
    const ngx_http_fliq_job_t *job)
{
    u_char     *p, *last;
    ngx_str_t   value;

    p = r->unparsed_uri.data;
    last = p + r->unparsed_uri.len;

    while (p < last && *p != '?' && *p != '#') {
        p++;
    }

    while (p > r->unparsed_uri.data && p[-1] == '/') {
        p--;
    }

    value.len = p - r->unparsed_uri.data;
    value.data = ngx_pnalloc(r->pool, value.len + 1 + FLIQ_ID_TEXT);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(value.data, r->unparsed_uri.data, value.len);
    *p++ = '/';
    p += fliq_id_format((char *) p, "job", &job->id);

    value.len = p - value.data;

    if (ngx_http_fliq_reply_header(r, "Location", &value) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_jobs_list(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_page_t        *page;
    ngx_http_fliq_jobs_e         which;
    ngx_http_fliq_store_call_t  *call;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_page_t));
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_page_read(r, ctx, page) != NGX_OK
        || ngx_http_fliq_jobs_filter(r, ctx, &which) != NGX_OK)
    {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = page;

    call = ngx_http_fliq_store_job_list(ctx->api->conf.store, r->pool,
                                        &ctx->token.account_id, which,
                                        page->before, page->limit,
                                        ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_jobs_listed);
}


static ngx_int_t
ngx_http_fliq_jobs_filter(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_jobs_e *which)
{
    ngx_str_t                           arg;
    const ngx_http_fliq_jobs_filter_t  *filter;

    *which = NGX_HTTP_FLIQ_JOBS_ALL;

    if (ngx_http_fliq_arg(r, "status", &arg) != NGX_OK) {
        return NGX_OK;
    }

    for (filter = ngx_http_fliq_jobs_filters; filter->word.len; filter++) {

        if (arg.len == filter->word.len
            && ngx_memcmp(arg.data, filter->word.data, arg.len) == 0)
        {
            *which = filter->which;
            return NGX_OK;
        }
    }

    return ngx_http_fliq_fault_field(ctx, "status",
        "must be scheduled, pending, running, success, completed, failed or "
        "cancelled");
}


static ngx_int_t
ngx_http_fliq_jobs_listed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    return ngx_http_fliq_page_reply(ctx, ctx->data, &ngx_http_fliq_jobs_kind,
                                    result);
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

    if (ctx->api->conf.hint != NULL) {

        /* its webhook waits */

        ctx->api->conf.hint(ctx->api->conf.hint_data, 0);
    }

    return ngx_http_fliq_reply_none(ctx);
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
