/*
 * Statements of the analytics: sums over usage_daily and its histogram.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


static ngx_http_fliq_store_call_t *ngx_http_fliq_store_stats(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    ngx_uint_t days, ngx_http_fliq_store_decode_pt decode,
    ngx_http_fliq_store_done_pt done, void *data);
static void ngx_http_fliq_store_decode_stats(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_durations(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_usage(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


static ngx_http_fliq_store_call_t *
ngx_http_fliq_store_stats(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    ngx_uint_t days, ngx_http_fliq_store_decode_pt decode,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_int4(call, days);

    return ngx_http_fliq_store_run(call, store->api, statement, decode);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_stats_jobs(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, ngx_uint_t days,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_stats(store, pool, &fliq_sql_stats_jobs,
                                     account, days,
                                     ngx_http_fliq_store_decode_stats, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_stats_durations(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, ngx_uint_t days,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_stats(store, pool, &fliq_sql_stats_durations,
                                     account, days,
                                     ngx_http_fliq_store_decode_durations,
                                     done, data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_stats_usage(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, ngx_uint_t days,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_stats(store, pool, &fliq_sql_stats_usage,
                                     account, days,
                                     ngx_http_fliq_store_decode_usage, done,
                                     data);
}


static void
ngx_http_fliq_store_decode_stats(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_stats_t  stats;

    stats.executions = ngx_http_fliq_get_int(res, 0, 0);
    stats.succeeded = ngx_http_fliq_get_int(res, 0, 1);
    stats.failed = ngx_http_fliq_get_int(res, 0, 2);
    stats.duration_ms_sum = ngx_http_fliq_get_int(res, 0, 3);

    call->done(call->data, NGX_OK, &stats);
}


static void
ngx_http_fliq_store_decode_durations(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                    i;
    fliq_hist_entry_t     *entries;
    ngx_http_fliq_list_t   list;

    list.n = PQntuples(res);

    entries = ngx_palloc(call->pool,
                         (list.n + 1) * sizeof(fliq_hist_entry_t));
    if (entries == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        entries[i].bucket = ngx_http_fliq_get_int(res, i, 0);
        entries[i].count = ngx_http_fliq_get_int(res, i, 1);
    }

    list.records = entries;

    call->done(call->data, NGX_OK, &list);
}


static void
ngx_http_fliq_store_decode_usage(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                         i, n;
    ngx_http_fliq_usage_t       usage;
    ngx_http_fliq_usage_day_t  *days;

    n = PQntuples(res);

    days = ngx_palloc(call->pool,
                      (n + 1) * sizeof(ngx_http_fliq_usage_day_t));
    if (days == NULL || n == 0) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < n; i++) {
        days[i].day = ngx_http_fliq_get_int(res, i, 0);
        days[i].jobs = ngx_http_fliq_get_int(res, i, 1);
        days[i].buffers = ngx_http_fliq_get_int(res, i, 2);
    }

    usage.n = n;
    usage.days = days;
    usage.balance = ngx_http_fliq_get_int(res, 0, 3);
    usage.plan = ngx_http_fliq_get_str(res, 0, 4);

    call->done(call->data, NGX_OK, &usage);
}
