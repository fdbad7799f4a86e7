/*
 * Statements behind the API's reads and the cancel.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


/* The columns of fliq.job_records, in their order. */
enum {
    FLIQ_JOB_ACCOUNT_ID = 0,
    FLIQ_JOB_ID,
    FLIQ_JOB_STATUS,
    FLIQ_JOB_BACKOFF,
    FLIQ_JOB_MAX_RETRIES,
    FLIQ_JOB_LAST_STATUS_CODE,
    FLIQ_JOB_TIMEOUT_SECONDS,
    FLIQ_JOB_ATTEMPTS,
    FLIQ_JOB_SCHEDULED_AT,
    FLIQ_JOB_NEXT_ATTEMPT_AT,
    FLIQ_JOB_CREATED_AT,
    FLIQ_JOB_UPDATED_AT,
    FLIQ_JOB_STARTED_AT,
    FLIQ_JOB_COMPLETED_AT,
    FLIQ_JOB_REPLAY_OF,
    FLIQ_JOB_SCHEDULE_ID,
    FLIQ_JOB_METHOD,
    FLIQ_JOB_URL,
    FLIQ_JOB_HEADERS,
    FLIQ_JOB_BODY,
    FLIQ_JOB_IDEMPOTENCY_KEY,
    FLIQ_JOB_REQUEST_HASH,
    FLIQ_JOB_WEBHOOK_URL,
    FLIQ_JOB_WEBHOOK_HEADERS,
    FLIQ_JOB_LAST_ERROR
};

_Static_assert(FLIQ_JOB_LAST_ERROR + 1 == NGX_HTTP_FLIQ_JOB_COLUMNS,
               "columns of fliq.job_records");


static void ngx_http_fliq_store_decode_job(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_store_decode_cancelled(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_replayed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_executions(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


static const ngx_http_fliq_db_statement_t  *ngx_http_fliq_job_lists[] = {
    &fliq_sql_job_list,
    &fliq_sql_job_list_waiting,
    &fliq_sql_job_list_running,
    &fliq_sql_job_list_success,
    &fliq_sql_job_list_failed,
    &fliq_sql_job_list_cancelled
};


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_ping(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->api, &fliq_sql_ping,
                                     ngx_http_fliq_store_decode_none, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_clock(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->api, &fliq_sql_ping,
                                     ngx_http_fliq_store_decode_time, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_by_key(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_job_t *job, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &job->account_id);
    ngx_http_fliq_bind_str(call, &job->idempotency_key);
    ngx_http_fliq_bind_id(call, &job->id);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_job_by_key,
                                   ngx_http_fliq_store_decode_job);
}


static void
ngx_http_fliq_store_decode_job(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_job_t  job;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_get_job(call, res, 0, &job);

    ngx_http_fliq_store_opened(call, NGX_OK, &job);
}


void
ngx_http_fliq_get_job(ngx_http_fliq_store_call_t *call, const PGresult *res,
    int row, ngx_http_fliq_job_t *job)
{
    ngx_http_fliq_get_id(res, row, FLIQ_JOB_ACCOUNT_ID, &job->account_id);
    ngx_http_fliq_get_id(res, row, FLIQ_JOB_ID, &job->id);

#define fliq_int(column)   ngx_http_fliq_get_int(res, row, column)
#define fliq_time(column)  ngx_http_fliq_get_time(res, row, column)
#define fliq_text(column)  ngx_http_fliq_get_str(res, row, column)
#define fliq_sealed(column, kind)                                             \
    ngx_http_fliq_get_sealed(call, res, row, column, kind, &job->account_id)

    job->status = fliq_text(FLIQ_JOB_STATUS);
    job->backoff = fliq_text(FLIQ_JOB_BACKOFF);
    job->max_retries = fliq_int(FLIQ_JOB_MAX_RETRIES);
    job->last_status_code = fliq_int(FLIQ_JOB_LAST_STATUS_CODE);
    job->timeout_seconds = fliq_int(FLIQ_JOB_TIMEOUT_SECONDS);
    job->attempts = fliq_int(FLIQ_JOB_ATTEMPTS);
    job->lane = 0;
    job->webhook_lane = 0;
    job->scheduled_at = fliq_time(FLIQ_JOB_SCHEDULED_AT);
    job->next_attempt_at = fliq_time(FLIQ_JOB_NEXT_ATTEMPT_AT);
    job->created_at = fliq_time(FLIQ_JOB_CREATED_AT);
    job->updated_at = fliq_time(FLIQ_JOB_UPDATED_AT);
    job->started_at = fliq_time(FLIQ_JOB_STARTED_AT);
    job->completed_at = fliq_time(FLIQ_JOB_COMPLETED_AT);
    job->method = fliq_text(FLIQ_JOB_METHOD);
    job->url = fliq_text(FLIQ_JOB_URL);
    job->headers = fliq_sealed(FLIQ_JOB_HEADERS, FLIQ_SEAL_HEADERS);
    job->body = fliq_sealed(FLIQ_JOB_BODY, FLIQ_SEAL_BODY);
    job->idempotency_key = fliq_text(FLIQ_JOB_IDEMPOTENCY_KEY);
    job->request_hash = fliq_text(FLIQ_JOB_REQUEST_HASH);
    job->webhook_url = fliq_text(FLIQ_JOB_WEBHOOK_URL);
    job->webhook_headers = fliq_sealed(FLIQ_JOB_WEBHOOK_HEADERS,
                                       FLIQ_SEAL_WEBHOOK_HEADERS);
    job->last_error = fliq_text(FLIQ_JOB_LAST_ERROR);

#undef fliq_int
#undef fliq_time
#undef fliq_text
#undef fliq_sealed

    job->is_replay = ngx_http_fliq_get_id(res, row, FLIQ_JOB_REPLAY_OF,
                                          &job->replay_of);
    job->is_scheduled = ngx_http_fliq_get_id(res, row, FLIQ_JOB_SCHEDULE_ID,
                                             &job->schedule_id);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_list(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, ngx_http_fliq_jobs_e which,
    const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);

    return ngx_http_fliq_store_run(call, store->api,
                                   ngx_http_fliq_job_lists[which],
                                   ngx_http_fliq_store_decode_jobs);
}


void
ngx_http_fliq_store_decode_jobs(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                    i;
    ngx_http_fliq_job_t   *jobs;
    ngx_http_fliq_list_t   list;

    list.n = PQntuples(res);

    jobs = ngx_palloc(call->pool, (list.n + 1) * sizeof(ngx_http_fliq_job_t));
    if (jobs == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_get_job(call, res, i, &jobs[i]);
    }

    list.records = jobs;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_cancel(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_job_cancel,
                                     account, id,
                                     ngx_http_fliq_store_decode_cancelled,
                                     done, data);
}


static void
ngx_http_fliq_store_decode_cancelled(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_cancelled_t  cancelled;

    cancelled.found = ngx_http_fliq_get_int(res, 0, 0);
    cancelled.cancelled = ngx_http_fliq_get_int(res, 0, 1);

    call->done(call->data, NGX_OK, &cancelled);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_replay(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *id, const fliq_id_t *clone,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, id);
    ngx_http_fliq_bind_id(call, clone);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_job_replay,
                                   ngx_http_fliq_store_decode_replayed);
}


static void
ngx_http_fliq_store_decode_replayed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_replayed_t  replayed;

    replayed.found = ngx_http_fliq_get_int(res, 0,
                                            NGX_HTTP_FLIQ_JOB_COLUMNS);
    replayed.replayed = !PQgetisnull(res, 0, FLIQ_JOB_ID);

    ngx_http_fliq_get_job(call, res, 0, &replayed.clone);

    ngx_http_fliq_store_opened(call, NGX_OK, &replayed);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_execution_list(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_execution_list,
                                     account, id,
                                     ngx_http_fliq_store_decode_executions,
                                     done, data);
}


static void
ngx_http_fliq_store_decode_executions(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                         i, n;
    ngx_http_fliq_list_t        list;
    ngx_http_fliq_execution_t  *e;

    n = PQntuples(res);

    if (n == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    e = ngx_palloc(call->pool, n * sizeof(ngx_http_fliq_execution_t));
    if (e == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    list.records = e;
    list.n = 0;

    for (i = 0; i < n; i++) {

        if (!ngx_http_fliq_get_id(res, i, 0, &e[i].id)) {
            break;
        }

        ngx_http_fliq_get_id(res, i, 1, &e[i].owner_id);
        e[i].executed_at = ngx_http_fliq_get_time(res, i, 2);
        e[i].duration_ms = ngx_http_fliq_get_int(res, i, 3);
        e[i].attempt_num = ngx_http_fliq_get_int(res, i, 4);
        e[i].status_code = ngx_http_fliq_get_int(res, i, 5);
        e[i].success = ngx_http_fliq_get_int(res, i, 6);
        e[i].error = ngx_http_fliq_get_str(res, i, 7);
        e[i].response_excerpt = ngx_http_fliq_get_str(res, i, 8);

        list.n++;
    }

    call->done(call->data, NGX_OK, &list);
}
