/*
 * Statements of the dispatcher's work on buffers: when, what, and what came
 * of it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"
#include "ngx_http_fliq_store_buffer.h"


/* The columns of buffer_claim.sql, in their order. */
enum {
    FLIQ_TAKEN_BUFFER_ID = 0,
    FLIQ_TAKEN_ACCOUNT_ID,
    FLIQ_TAKEN_ID,
    FLIQ_TAKEN_ATTEMPT,
    FLIQ_TAKEN_RETRY_COUNT,
    FLIQ_TAKEN_MAX_RETRIES,
    FLIQ_TAKEN_TIMEOUT_SECONDS,
    FLIQ_TAKEN_LANE,
    FLIQ_TAKEN_RATE_LIMIT,
    FLIQ_TAKEN_BACKOFF,
    FLIQ_TAKEN_THROTTLED_AT,
    FLIQ_TAKEN_METHOD,
    FLIQ_TAKEN_URL,
    FLIQ_TAKEN_BUFFER_HEADERS,
    FLIQ_TAKEN_HEADERS,
    FLIQ_TAKEN_BODY,
    FLIQ_TAKEN_PACE,
    FLIQ_TAKEN_SECRET,
    FLIQ_TAKEN_REFUSED
};


static void ngx_http_fliq_store_decode_taken(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_store_get_taken(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_item_attempt_t *attempt);
static void ngx_http_fliq_store_bind_item_outcomes(
    ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n);
static void ngx_http_fliq_store_bind_item_ends(
    ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_next(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->claim,
                                     &fliq_sql_buffer_next,
                                     ngx_http_fliq_store_decode_due, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_claim(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner, ngx_uint_t limit,
    const int32_t *blocked, ngx_uint_t nblocked,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);
    ngx_http_fliq_bind_int4(call, limit);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT4, blocked, nblocked,
                             sizeof(int32_t));

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_buffer_claim,
                                   ngx_http_fliq_store_decode_taken);
}


static void
ngx_http_fliq_store_decode_taken(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                            i;
    ngx_http_fliq_list_t           list;
    ngx_http_fliq_item_attempt_t  *attempts;

    list.n = PQntuples(res);

    attempts = ngx_palloc(call->pool,
                          (list.n + 1) * sizeof(ngx_http_fliq_item_attempt_t));
    if (attempts == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_taken(call, res, i, &attempts[i]);
    }

    list.records = attempts;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


static void
ngx_http_fliq_store_get_taken(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_item_attempt_t *attempt)
{
    ngx_http_fliq_get_id(res, row, FLIQ_TAKEN_BUFFER_ID, &attempt->buffer_id);
    ngx_http_fliq_get_id(res, row, FLIQ_TAKEN_ACCOUNT_ID,
                         &attempt->account_id);
    ngx_http_fliq_get_id(res, row, FLIQ_TAKEN_ID, &attempt->id);

    attempt->backoff = ngx_http_fliq_get_backoff(res, row,
                                                 FLIQ_TAKEN_BACKOFF);

#define fliq_int(column)   ngx_http_fliq_get_int(res, row, column)
#define fliq_text(column)  ngx_http_fliq_get_str(res, row, column)
#define fliq_sealed(column, kind)                                             \
    ngx_http_fliq_get_sealed(call, res, row, column, kind,                    \
                             &attempt->account_id)

    attempt->attempt = fliq_int(FLIQ_TAKEN_ATTEMPT);
    attempt->retry_count = fliq_int(FLIQ_TAKEN_RETRY_COUNT);
    attempt->max_retries = fliq_int(FLIQ_TAKEN_MAX_RETRIES);
    attempt->timeout_seconds = fliq_int(FLIQ_TAKEN_TIMEOUT_SECONDS);
    attempt->lane = fliq_int(FLIQ_TAKEN_LANE);
    attempt->rate_limit = fliq_int(FLIQ_TAKEN_RATE_LIMIT);
    attempt->throttled_at = ngx_http_fliq_get_time(res, row,
                                                   FLIQ_TAKEN_THROTTLED_AT);
    attempt->method = fliq_text(FLIQ_TAKEN_METHOD);
    attempt->url = fliq_text(FLIQ_TAKEN_URL);
    attempt->buffer_headers = fliq_sealed(FLIQ_TAKEN_BUFFER_HEADERS,
                                          FLIQ_SEAL_HEADERS);
    attempt->headers = fliq_sealed(FLIQ_TAKEN_HEADERS, FLIQ_SEAL_HEADERS);
    attempt->body = fliq_sealed(FLIQ_TAKEN_BODY, FLIQ_SEAL_BODY);
    attempt->pace = fliq_text(FLIQ_TAKEN_PACE);
    attempt->secret = fliq_sealed(FLIQ_TAKEN_SECRET, FLIQ_SEAL_SECRET);
    attempt->refused = fliq_text(FLIQ_TAKEN_REFUSED);

#undef fliq_int
#undef fliq_text
#undef fliq_sealed

    ngx_http_fliq_store_refuse_closed(call, &attempt->refused);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_disown(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner,
    const fliq_id_t *known, ngx_uint_t nknown,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, known, nknown,
                             sizeof(fliq_id_t));

    return ngx_http_fliq_store_run(call, store->claim,
                                   &fliq_sql_buffer_disown,
                                   ngx_http_fliq_store_decode_number);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_settle(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner, ngx_uint_t shard,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);
    ngx_http_fliq_store_bind_item_outcomes(call, outcomes, n);
    ngx_http_fliq_store_bind_item_ends(call, outcomes, n);
    ngx_http_fliq_bind_int4(call, shard);

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_buffer_settle,
                                   ngx_http_fliq_store_decode_settled);
}


static void
ngx_http_fliq_store_bind_item_outcomes(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n)
{
    ngx_uint_t  i;

    static const struct {
        ngx_http_fliq_bind_e    type;
        size_t                  offset;
    } columns[] = {
        { NGX_HTTP_FLIQ_BIND_ID,
          offsetof(ngx_http_fliq_item_outcome_t, account_id) },
        { NGX_HTTP_FLIQ_BIND_ID,
          offsetof(ngx_http_fliq_item_outcome_t, buffer_id) },
        { NGX_HTTP_FLIQ_BIND_ID, offsetof(ngx_http_fliq_item_outcome_t, id) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_item_outcome_t, attempt) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_item_outcome_t, retry_count) },
        { NGX_HTTP_FLIQ_BIND_TIME,
          offsetof(ngx_http_fliq_item_outcome_t, throttled_at) },
        { NGX_HTTP_FLIQ_BIND_TIME,
          offsetof(ngx_http_fliq_item_outcome_t, started_at) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_item_outcome_t, duration_ms) },
        { NGX_HTTP_FLIQ_BIND_INT4_NULL,
          offsetof(ngx_http_fliq_item_outcome_t, status_code) },
        { NGX_HTTP_FLIQ_BIND_TEXT,
          offsetof(ngx_http_fliq_item_outcome_t, error) },
        { NGX_HTTP_FLIQ_BIND_TIME,
          offsetof(ngx_http_fliq_item_outcome_t, due_at) },
        { NGX_HTTP_FLIQ_BIND_BYTEA,
          offsetof(ngx_http_fliq_item_outcome_t, pace) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_item_outcome_t, refused) }
    };

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        ngx_http_fliq_bind_column(call, columns[i].type,
                                  (const void *const *) outcomes, n,
                                  columns[i].offset);
    }
}


/* What each verdict makes of the item, and its place in the histogram. */

static void
ngx_http_fliq_store_bind_item_ends(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n)
{
    ngx_uint_t  i;

    typedef struct {
        ngx_str_t    status;
        int32_t      bucket;
    } end_t;

    end_t  *ends;

    static const ngx_str_t  statuses[] = {
        ngx_string("completed"), ngx_string("failed"), ngx_string("pending")
    };

    ends = ngx_palloc(call->pool, (n + 1) * sizeof(end_t));
    if (ends == NULL) {
        call->failed = 1;
        return;
    }

    for (i = 0; i < n; i++) {
        ends[i].status = statuses[outcomes[i]->verdict];
        ends[i].bucket = fliq_hist_bucket(outcomes[i]->duration_ms);
    }

    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TEXT, &ends[0].status,
                             n, sizeof(end_t));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT4, &ends[0].bucket,
                             n, sizeof(end_t));
}
