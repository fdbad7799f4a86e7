/*
 * Statements of the dispatcher's work: when, what, and what came of it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"
#include "fliq_hist.h"


/* The columns of claim_due.sql and claim_lanes.sql, in their order. */
enum {
    FLIQ_CLAIM_ID = 0,
    FLIQ_CLAIM_ACCOUNT_ID,
    FLIQ_CLAIM_JOB_ID,
    FLIQ_CLAIM_ATTEMPT,
    FLIQ_CLAIM_MAX_RETRIES,
    FLIQ_CLAIM_TIMEOUT_SECONDS,
    FLIQ_CLAIM_LANE,
    FLIQ_CLAIM_BACKOFF,
    FLIQ_CLAIM_DUE_AT,
    FLIQ_CLAIM_METHOD,
    FLIQ_CLAIM_URL,
    FLIQ_CLAIM_HEADERS,
    FLIQ_CLAIM_BODY,
    FLIQ_CLAIM_SECRET,
    FLIQ_CLAIM_REFUSED
};


static void ngx_http_fliq_store_decode_claim(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_get_attempt(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_attempt_t *attempt);
static void ngx_http_fliq_store_bind_outcomes(
    ngx_http_fliq_store_call_t *call, const ngx_http_fliq_settle_t *settle);
static void ngx_http_fliq_store_bind_ends(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_settle_t *settle);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_due_next(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_plain(store, pool, store->claim,
                                     &fliq_sql_due_next,
                                     ngx_http_fliq_store_decode_due, done,
                                     data);
}


void
ngx_http_fliq_store_decode_due(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_due_t  due;

    due.due_at = ngx_http_fliq_get_time(res, 0, 0);
    due.now = ngx_http_fliq_get_time(res, 0, 1);

    call->done(call->data, NGX_OK, &due);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_claim(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_claim_t *claim, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &claim->owner->id);
    ngx_http_fliq_bind_int4(call, claim->limit);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT4, claim->blocked,
                             claim->nblocked, sizeof(int32_t));

    if (!claim->by_lane) {
        return ngx_http_fliq_store_run(call, store->claim,
                                       &fliq_sql_claim_due,
                                       ngx_http_fliq_store_decode_claim);
    }

    ngx_http_fliq_bind_id(call, &claim->after_account);
    ngx_http_fliq_bind_int4(call, claim->after_lane);
    ngx_http_fliq_bind_int4(call, claim->lanes);
    ngx_http_fliq_bind_int4(call, claim->per_lane);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_claim_lanes,
                                   ngx_http_fliq_store_decode_claim);
}


static void
ngx_http_fliq_store_decode_claim(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                       i;
    ngx_http_fliq_list_t      list;
    ngx_http_fliq_attempt_t  *attempts;

    list.n = PQntuples(res);

    attempts = ngx_palloc(call->pool,
                          (list.n + 1) * sizeof(ngx_http_fliq_attempt_t));
    if (attempts == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_attempt(call, res, i, &attempts[i]);
    }

    list.records = attempts;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


static void
ngx_http_fliq_store_get_attempt(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_attempt_t *attempt)
{
    attempt->backoff = ngx_http_fliq_get_backoff(res, row,
                                                 FLIQ_CLAIM_BACKOFF);

    ngx_http_fliq_get_id(res, row, FLIQ_CLAIM_ACCOUNT_ID,
                         &attempt->account_id);
    ngx_http_fliq_get_id(res, row, FLIQ_CLAIM_JOB_ID, &attempt->id);

    attempt->claim_id = ngx_http_fliq_get_int(res, row, FLIQ_CLAIM_ID);
    attempt->attempt = ngx_http_fliq_get_int(res, row, FLIQ_CLAIM_ATTEMPT);
    attempt->max_retries = ngx_http_fliq_get_int(res, row,
                                                 FLIQ_CLAIM_MAX_RETRIES);
    attempt->timeout_seconds = ngx_http_fliq_get_int(res, row,
                                                  FLIQ_CLAIM_TIMEOUT_SECONDS);
    attempt->lane = ngx_http_fliq_get_int(res, row, FLIQ_CLAIM_LANE);
    attempt->due_at = ngx_http_fliq_get_time(res, row, FLIQ_CLAIM_DUE_AT);
    attempt->method = ngx_http_fliq_get_str(res, row, FLIQ_CLAIM_METHOD);
    attempt->url = ngx_http_fliq_get_str(res, row, FLIQ_CLAIM_URL);
    attempt->refused = ngx_http_fliq_get_str(res, row, FLIQ_CLAIM_REFUSED);

#define fliq_sealed(column, kind)                                             \
    ngx_http_fliq_get_sealed(call, res, row, column, kind,                    \
                             &attempt->account_id)

    attempt->headers = fliq_sealed(FLIQ_CLAIM_HEADERS, FLIQ_SEAL_HEADERS);
    attempt->body = fliq_sealed(FLIQ_CLAIM_BODY, FLIQ_SEAL_BODY);
    attempt->secret = fliq_sealed(FLIQ_CLAIM_SECRET, FLIQ_SEAL_SECRET);

#undef fliq_sealed

    ngx_http_fliq_store_refuse_closed(call, &attempt->refused);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_settle(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_settle_t *settle, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &settle->owner->id);
    ngx_http_fliq_store_bind_outcomes(call, settle);
    ngx_http_fliq_store_bind_ends(call, settle);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT8, settle->claims,
                             settle->nclaims, sizeof(int64_t));
    ngx_http_fliq_bind_int4(call, settle->shard);
    ngx_http_fliq_bind_column(call, NGX_HTTP_FLIQ_BIND_INT4,
                              (const void *const *) settle->outcomes,
                              settle->n,
                              offsetof(ngx_http_fliq_outcome_t, refused));

    return ngx_http_fliq_store_run(call, store->settle, &fliq_sql_job_settle,
                                   ngx_http_fliq_store_decode_settled);
}


static void
ngx_http_fliq_store_bind_outcomes(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_settle_t *settle)
{
    ngx_uint_t  i;

    static const struct {
        ngx_http_fliq_bind_e    type;
        size_t                  offset;
    } columns[] = {
        { NGX_HTTP_FLIQ_BIND_ID,
          offsetof(ngx_http_fliq_outcome_t, account_id) },
        { NGX_HTTP_FLIQ_BIND_ID, offsetof(ngx_http_fliq_outcome_t, id) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_outcome_t, attempt) },
        { NGX_HTTP_FLIQ_BIND_ID,
          offsetof(ngx_http_fliq_outcome_t, execution_id) },
        { NGX_HTTP_FLIQ_BIND_TIME,
          offsetof(ngx_http_fliq_outcome_t, started_at) },
        { NGX_HTTP_FLIQ_BIND_INT4,
          offsetof(ngx_http_fliq_outcome_t, duration_ms) },
        { NGX_HTTP_FLIQ_BIND_INT4_NULL,
          offsetof(ngx_http_fliq_outcome_t, status_code) },
        { NGX_HTTP_FLIQ_BIND_TEXT,
          offsetof(ngx_http_fliq_outcome_t, error) },
        { NGX_HTTP_FLIQ_BIND_TEXT,
          offsetof(ngx_http_fliq_outcome_t, excerpt) }
    };

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        ngx_http_fliq_bind_column(call, columns[i].type,
                                  (const void *const *) settle->outcomes,
                                  settle->n, columns[i].offset);
    }
}


/* What follows from each verdict, and its place in the histogram. */

static void
ngx_http_fliq_store_bind_ends(ngx_http_fliq_store_call_t *call,
    const ngx_http_fliq_settle_t *settle)
{
    ngx_uint_t                      i;
    const ngx_http_fliq_outcome_t  *outcome;

    typedef struct {
        ngx_str_t    status;
        int64_t      due_at;
        int32_t      bucket;
    } end_t;

    end_t  *ends;

    static const ngx_str_t  statuses[] = {
        ngx_string("success"), ngx_string("failed"), ngx_string("waiting")
    };

    ends = ngx_palloc(call->pool, (settle->n + 1) * sizeof(end_t));
    if (ends == NULL) {
        call->failed = 1;
        return;
    }

    for (i = 0; i < settle->n; i++) {
        outcome = settle->outcomes[i];

        ends[i].status = statuses[outcome->verdict];
        ends[i].bucket = fliq_hist_bucket(outcome->duration_ms);
        ends[i].due_at = outcome->verdict == NGX_HTTP_FLIQ_RETRY
                         ? outcome->due_at : NGX_HTTP_FLIQ_NONE;
    }

    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TEXT, &ends[0].status,
                             settle->n, sizeof(end_t));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_TIME, &ends[0].due_at,
                             settle->n, sizeof(end_t));
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT4, &ends[0].bucket,
                             settle->n, sizeof(end_t));
}


void
ngx_http_fliq_store_decode_settled(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_settled_t  settled;

    settled.owner = ngx_http_fliq_get_int(res, 0, 0);
    settled.settled = ngx_http_fliq_get_int(res, 0, 1);
    settled.posted = ngx_http_fliq_get_int(res, 0, 2);
    settled.next_at = PQnfields(res) > 3 ? ngx_http_fliq_get_time(res, 0, 3)
                                         : NGX_HTTP_FLIQ_NONE;

    call->done(call->data, NGX_OK, &settled);
}
