/*
 * GET /jobs, and what other lists of jobs have in common with it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/* A word of ?status= and what it selects. */
typedef struct {
    ngx_str_t               word;
    ngx_http_fliq_jobs_e    which;
} ngx_http_fliq_job_filter_t;


static ngx_int_t ngx_http_fliq_jobs_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static const ngx_http_fliq_job_filter_t  ngx_http_fliq_job_filters[] = {
    { ngx_string("scheduled"), NGX_HTTP_FLIQ_JOBS_WAITING },
    { ngx_string("pending"),   NGX_HTTP_FLIQ_JOBS_WAITING },
    { ngx_string("running"),   NGX_HTTP_FLIQ_JOBS_RUNNING },
    { ngx_string("success"),   NGX_HTTP_FLIQ_JOBS_SUCCESS },
    { ngx_string("completed"), NGX_HTTP_FLIQ_JOBS_SUCCESS },
    { ngx_string("failed"),    NGX_HTTP_FLIQ_JOBS_FAILED },
    { ngx_string("cancelled"), NGX_HTTP_FLIQ_JOBS_CANCELLED },
    { ngx_null_string,         NGX_HTTP_FLIQ_JOBS_ALL }
};

const ngx_http_fliq_page_kind_t  ngx_http_fliq_job_kind = {
    "jobs",
    sizeof(ngx_http_fliq_job_t),
    offsetof(ngx_http_fliq_job_t, id),
    ngx_http_fliq_job_json
};


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
        || ngx_http_fliq_job_filter(r, ctx, &which) != NGX_OK)
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


ngx_int_t
ngx_http_fliq_job_filter(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_jobs_e *which)
{
    ngx_str_t                          arg;
    const ngx_http_fliq_job_filter_t  *filter;

    *which = NGX_HTTP_FLIQ_JOBS_ALL;

    if (ngx_http_fliq_arg(r, "status", &arg) != NGX_OK) {
        return NGX_OK;
    }

    for (filter = ngx_http_fliq_job_filters; filter->word.len; filter++) {

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
    return ngx_http_fliq_page_reply(ctx, ctx->data, &ngx_http_fliq_job_kind,
                                    result);
}
