/*
 * The routes of /stats.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_time.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_DAYS_DEFAULT  30
#define NGX_HTTP_FLIQ_DAYS_MAX      365
#define NGX_HTTP_FLIQ_DATE_TEXT     16


typedef struct {
    ngx_uint_t               days;
    ngx_http_fliq_stats_t    sums;
} ngx_http_fliq_job_stats_t;


static ngx_int_t ngx_http_fliq_stats_days(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_uint_t *days);
static ngx_int_t ngx_http_fliq_stats_summed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_stats_measured(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_stats_used(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static json_t *ngx_http_fliq_stats_buckets(const ngx_http_fliq_usage_t *usage,
    int64_t *jobs, int64_t *buffers);


ngx_int_t
ngx_http_fliq_stats_jobs(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_job_stats_t   *stats;
    ngx_http_fliq_store_call_t  *call;

    stats = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_job_stats_t));
    if (stats == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_stats_days(r, ctx, &stats->days) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = stats;

    call = ngx_http_fliq_store_stats_jobs(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id, stats->days,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_stats_summed);
}


/* Any integer will do: what is out of range is taken for its end. */
static ngx_int_t
ngx_http_fliq_stats_days(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_uint_t *days)
{
    u_char      *p, *digits, *last;
    ngx_str_t    arg;
    ngx_uint_t   n, negative;

    *days = NGX_HTTP_FLIQ_DAYS_DEFAULT;

    if (ngx_http_fliq_arg(r, "days", &arg) != NGX_OK) {
        return NGX_OK;
    }

    n = 0;
    p = arg.data;
    last = p + arg.len;

    negative = (*p == '-');
    digits = p + negative;

    for (p = digits; p < last && *p >= '0' && *p <= '9'; p++) {
        n = ngx_min(n * 10 + (*p - '0'), NGX_HTTP_FLIQ_DAYS_MAX);
    }

    if (p == digits || p != last) {
        return ngx_http_fliq_fault_field(ctx, "days", "must be an integer");
    }

    *days = (n == 0 || negative) ? 1 : n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_stats_summed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    ngx_http_fliq_job_stats_t   *stats;
    ngx_http_fliq_store_call_t  *call;

    stats = ctx->data;
    stats->sums = *(const ngx_http_fliq_stats_t *) result;

    call = ngx_http_fliq_store_stats_durations(ctx->api->conf.store, r->pool,
                                               &ctx->token.account_id,
                                               stats->days,
                                               ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_stats_measured);
}


static ngx_int_t
ngx_http_fliq_stats_measured(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    double                       p95;
    json_t                      *json, *rate, *average;
    ngx_http_fliq_stats_t       *sums;
    ngx_http_fliq_job_stats_t   *stats;
    const ngx_http_fliq_list_t  *list = result;

    stats = ctx->data;
    sums = &stats->sums;

    rate = ngx_http_fliq_json_ratio(sums->succeeded, sums->executions);
    average = ngx_http_fliq_json_ratio(sums->duration_ms_sum,
                                       sums->executions);
    p95 = fliq_hist_quantile(list->records, list->n, 0.95);

    json = json_object();

    ngx_http_fliq_json_set(&json, "total_executions",
                           json_integer(sums->executions));
    ngx_http_fliq_json_set(&json, "succeeded", json_integer(sums->succeeded));
    ngx_http_fliq_json_set(&json, "failed", json_integer(sums->failed));
    ngx_http_fliq_json_set(&json, "success_rate", rate);
    ngx_http_fliq_json_set(&json, "avg_duration_ms", average);
    ngx_http_fliq_json_set(&json, "p95_duration_ms", json_real(p95));
    ngx_http_fliq_json_set(&json, "since_days", json_integer(stats->days));

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_fliq_stats_usage(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_uint_t                   days;
    ngx_http_fliq_store_call_t  *call;

    if (ngx_http_fliq_stats_days(r, ctx, &days) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    call = ngx_http_fliq_store_stats_usage(ctx->api->conf.store, r->pool,
                                           &ctx->token.account_id, days,
                                           ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_stats_used);
}


static ngx_int_t
ngx_http_fliq_stats_used(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                       *json, *buckets;
    int64_t                       jobs, buffers;
    const ngx_http_fliq_usage_t  *usage = result;

    buckets = ngx_http_fliq_stats_buckets(usage, &jobs, &buffers);

    json = json_object();

    ngx_http_fliq_json_set(&json, "buckets", buckets);
    ngx_http_fliq_json_set(&json, "total_job_executions", json_integer(jobs));
    ngx_http_fliq_json_set(&json, "total_buffer_executions",
                           json_integer(buffers));
    ngx_http_fliq_json_set(&json, "balance",
                           ngx_http_fliq_json_balance(usage->balance,
                                                      &usage->plan));
    ngx_http_fliq_json_set(&json, "plan",
                           ngx_http_fliq_json_str(&usage->plan));
    ngx_http_fliq_json_set(&json, "since_days", json_integer(usage->n));

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


static json_t *
ngx_http_fliq_stats_buckets(const ngx_http_fliq_usage_t *usage, int64_t *jobs,
    int64_t *buffers)
{
    char                              date[NGX_HTTP_FLIQ_DATE_TEXT];
    json_t                           *buckets, *bucket;
    ngx_uint_t                        i;
    const ngx_http_fliq_usage_day_t  *day;

    *jobs = 0;
    *buffers = 0;

    buckets = json_array();

    for (i = 0; i < usage->n; i++) {
        day = &usage->days[i];

        *jobs += day->jobs;
        *buffers += day->buffers;

        fliq_time_date(date, day->day);

        bucket = json_object();

        ngx_http_fliq_json_set(&bucket, "date", json_string(date));
        ngx_http_fliq_json_set(&bucket, "job_executions",
                               json_integer(day->jobs));
        ngx_http_fliq_json_set(&bucket, "buffer_executions",
                               json_integer(day->buffers));

        ngx_http_fliq_json_append(&buckets, bucket);
    }

    return buckets;
}
