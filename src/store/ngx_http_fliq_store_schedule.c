/*
 * Statements of schedules: the API's, and the dispatcher's tick.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


static void ngx_http_fliq_store_bind_schedule(
    ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_schedule_t *schedule);
static void ngx_http_fliq_store_get_schedule(
    ngx_http_fliq_store_call_t *call, const PGresult *res, int row,
    ngx_http_fliq_schedule_t *schedule);
static void ngx_http_fliq_store_decode_schedule(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_updated(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_schedules(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_changed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_runs(ngx_http_fliq_store_call_t *call,
    const PGresult *res);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_schedule_t *schedule,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_store_bind_schedule(call, schedule);

    return ngx_http_fliq_store_run(call, store->api,
                                   &fliq_sql_schedule_create,
                                   ngx_http_fliq_store_decode_schedule);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_update(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_schedule_t *schedule,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_store_bind_schedule(call, schedule);
    ngx_http_fliq_bind_time(call, schedule->updated_at);

    return ngx_http_fliq_store_run(call, store->api,
                                   &fliq_sql_schedule_update,
                                   ngx_http_fliq_store_decode_updated);
}


static void
ngx_http_fliq_store_decode_updated(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_uint_t                taken;
    ngx_http_fliq_schedule_t  schedule;

    ngx_http_fliq_store_get_schedule(call, res, 0, &schedule);

    if (!PQgetisnull(res, 0, 1)) {
        ngx_http_fliq_store_opened(call, NGX_OK, &schedule);
        return;
    }

    taken = ngx_http_fliq_get_int(res, 0, 19);

    call->done(call->data, NGX_DECLINED, taken ? &schedule : NULL);
}


static void
ngx_http_fliq_store_bind_schedule(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_schedule_t *schedule)
{
    ngx_http_fliq_bind_id(call, &schedule->account_id);
    ngx_http_fliq_bind_id(call, &schedule->id);
    ngx_http_fliq_bind_str(call, &schedule->name);
    ngx_http_fliq_bind_str(call, &schedule->cron);
    ngx_http_fliq_bind_str(call, &schedule->url);
    ngx_http_fliq_bind_str(call, &schedule->method);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_HEADERS, &schedule->account_id,
                              &schedule->headers);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_BODY, &schedule->account_id,
                              &schedule->body);
    ngx_http_fliq_bind_int4(call, schedule->max_retries);
    ngx_http_fliq_bind_int4(call, schedule->timeout_seconds);
    ngx_http_fliq_bind_str(call, &schedule->backoff);
    ngx_http_fliq_bind_str(call, &schedule->webhook_url);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_WEBHOOK_HEADERS,
                              &schedule->account_id,
                              &schedule->webhook_headers);
    ngx_http_fliq_bind_int4(call, schedule->lane);
    ngx_http_fliq_bind_int4(call, schedule->webhook_lane);
    ngx_http_fliq_bind_time(call, schedule->next_run_at);
    ngx_http_fliq_bind_bool(call, schedule->paused);
}


static void
ngx_http_fliq_store_get_schedule(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_schedule_t *schedule)
{
    ngx_http_fliq_get_id(res, row, 0, &schedule->account_id);
    ngx_http_fliq_get_id(res, row, 1, &schedule->id);

    schedule->name = ngx_http_fliq_get_str(res, row, 2);
    schedule->cron = ngx_http_fliq_get_str(res, row, 3);
    schedule->paused = ngx_http_fliq_get_int(res, row, 4);
    schedule->backoff = ngx_http_fliq_get_str(res, row, 5);
    schedule->max_retries = ngx_http_fliq_get_int(res, row, 6);
    schedule->timeout_seconds = ngx_http_fliq_get_int(res, row, 7);
    schedule->lane = 0;
    schedule->webhook_lane = 0;
    schedule->next_run_at = ngx_http_fliq_get_time(res, row, 8);
    schedule->last_run_at = ngx_http_fliq_get_time(res, row, 9);
    schedule->created_at = ngx_http_fliq_get_time(res, row, 10);
    schedule->updated_at = ngx_http_fliq_get_time(res, row, 11);
    schedule->method = ngx_http_fliq_get_str(res, row, 12);
    schedule->url = ngx_http_fliq_get_str(res, row, 13);
    schedule->headers = ngx_http_fliq_get_sealed(call, res, row, 14,
                                                 FLIQ_SEAL_HEADERS,
                                                 &schedule->account_id);
    schedule->body = ngx_http_fliq_get_sealed(call, res, row, 15,
                                              FLIQ_SEAL_BODY,
                                              &schedule->account_id);
    schedule->webhook_url = ngx_http_fliq_get_str(res, row, 16);
    schedule->webhook_headers = ngx_http_fliq_get_sealed(call, res, row, 17,
                                                   FLIQ_SEAL_WEBHOOK_HEADERS,
                                                   &schedule->account_id);
    schedule->now = ngx_http_fliq_get_time(res, row, 18);
}


static void
ngx_http_fliq_store_decode_schedule(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_schedule_t  schedule;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_get_schedule(call, res, 0, &schedule);

    ngx_http_fliq_store_opened(call, NGX_OK, &schedule);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_get(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_schedule_get,
                                     account, id,
                                     ngx_http_fliq_store_decode_schedule,
                                     done, data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_delete(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_schedule_delete,
                                     account, id,
                                     ngx_http_fliq_store_decode_found, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_list(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *before,
    ngx_uint_t limit, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_schedule_list,
                                   ngx_http_fliq_store_decode_schedules);
}


static void
ngx_http_fliq_store_decode_schedules(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                        i;
    ngx_http_fliq_list_t       list;
    ngx_http_fliq_schedule_t  *schedules;

    list.n = PQntuples(res);

    schedules = ngx_palloc(call->pool,
                           (list.n + 1) * sizeof(ngx_http_fliq_schedule_t));
    if (schedules == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_schedule(call, res, i, &schedules[i]);
    }

    list.records = schedules;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_pause(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    int64_t next_run_at, const ngx_str_t *cron,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, id);
    ngx_http_fliq_bind_time(call, next_run_at);
    ngx_http_fliq_bind_str(call, cron);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_schedule_pause,
                                   ngx_http_fliq_store_decode_changed);
}


static void
ngx_http_fliq_store_decode_changed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_decode_number(call, res);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_jobs(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_jobs_e which, const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_uint_t                   n;
    ngx_http_fliq_store_call_t  *call;

    /* The states that a filter of _job_list means, in job_records' words. */

    static const ngx_str_t  states[][2] = {
        { ngx_null_string, ngx_null_string },
        { ngx_string("scheduled"), ngx_string("pending") },
        { ngx_string("running"), ngx_null_string },
        { ngx_string("success"), ngx_null_string },
        { ngx_string("failed"), ngx_null_string },
        { ngx_string("cancelled"), ngx_null_string }
    };

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);
    ngx_http_fliq_bind_id(call, id);

    n = states[which][0].data == NULL ? 0
        : states[which][1].data == NULL ? 1 : 2;

    if (n) {
        ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TEXT,
                                 states[which], n, sizeof(ngx_str_t));
    } else {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
    }

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_schedule_jobs,
                                   ngx_http_fliq_store_decode_jobs);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_lock(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->settle,
                                     &fliq_sql_schedule_lock,
                                     ngx_http_fliq_store_decode_number, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_unlock(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->settle,
                                     &fliq_sql_schedule_unlock,
                                     ngx_http_fliq_store_decode_none, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_next(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->settle,
                                     &fliq_sql_schedule_next,
                                     ngx_http_fliq_store_decode_due, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_due(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_uint_t limit, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_int4(call, limit);

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_schedule_due,
                                   ngx_http_fliq_store_decode_runs);
}


static void
ngx_http_fliq_store_decode_runs(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                    i;
    ngx_http_fliq_run_t   *runs;
    ngx_http_fliq_list_t   list;

    list.n = PQntuples(res);

    runs = ngx_pcalloc(call->pool,
                       (list.n + 1) * sizeof(ngx_http_fliq_run_t));
    if (runs == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_get_id(res, i, 0, &runs[i].account_id);
        ngx_http_fliq_get_id(res, i, 1, &runs[i].id);
        runs[i].cron = ngx_http_fliq_get_str(res, i, 2);
        runs[i].run_at = ngx_http_fliq_get_time(res, i, 3);
        runs[i].now = ngx_http_fliq_get_time(res, i, 4);
    }

    list.records = runs;

    call->done(call->data, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_schedule_spawn(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_run_t *runs, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID,
                             &runs[0].account_id, n, sizeof(*runs));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, &runs[0].id, n,
                             sizeof(*runs));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TIME, &runs[0].run_at,
                             n, sizeof(*runs));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TIME,
                             &runs[0].next_run_at, n, sizeof(*runs));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, &runs[0].job_id, n,
                             sizeof(*runs));

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_schedule_spawn,
                                   ngx_http_fliq_store_decode_number);
}
