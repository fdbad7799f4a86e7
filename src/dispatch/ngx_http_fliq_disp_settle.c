/*
 * What came of jobs' attempts: batches of outcomes, and the ends of claims.
 *
 * A claim is ended together with the last of its outcomes, in one commit, and
 * not before: until then it is what others go by if this worker dies.
 */

#include "ngx_http_fliq_disp_private.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_CLOSE   1000000   /* claims without outcomes */
#define NGX_HTTP_FLIQ_DISP_FLUSH   1000      /* after a claim */

#define NGX_HTTP_FLIQ_DISP_SHARDS  16


static int64_t ngx_http_fliq_disp_settle_when(
    ngx_http_fliq_disp_batches_t *batches, int64_t now);
static ngx_uint_t ngx_http_fliq_disp_settle_filled(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_settle_close(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_settle_close_rest(
    ngx_http_fliq_disp_batch_t *batch);
static ngx_http_fliq_store_call_t *ngx_http_fliq_disp_settle_send(
    ngx_http_fliq_disp_batch_t *batch, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done);
static void ngx_http_fliq_disp_settle_settled(
    ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled);
static void ngx_http_fliq_disp_settle_emptied(
    ngx_http_fliq_disp_batch_t *batch, ngx_uint_t again);
static void ngx_http_fliq_disp_settle_strip(
    ngx_http_fliq_disp_entry_t *entry);
static void ngx_http_fliq_disp_settle_lost(
    ngx_http_fliq_disp_entry_t *entry);
static void ngx_http_fliq_disp_settle_forget(
    ngx_http_fliq_disp_entry_t *entry);


static const ngx_http_fliq_disp_kind_t  ngx_http_fliq_disp_settle_kind = {
    "jobs",
    NGX_LOG_WARN,
    ngx_http_fliq_disp_settle_send,
    ngx_http_fliq_disp_settle_settled,
    ngx_http_fliq_disp_settle_strip,
    ngx_http_fliq_disp_settle_lost,
    ngx_http_fliq_disp_settle_forget,
    ngx_http_fliq_disp_claim_arm,
    ngx_http_fliq_disp_settle_when,
    ngx_http_fliq_disp_settle_filled,
    ngx_http_fliq_disp_settle_emptied
};


/* The job that an entry is the beginning of. */

static ngx_http_fliq_disp_job_t *
ngx_http_fliq_disp_settle_job(ngx_http_fliq_disp_entry_t *entry)
{
    return (ngx_http_fliq_disp_job_t *) entry;
}


static ngx_http_fliq_disp_job_t *
ngx_http_fliq_disp_settle_at(ngx_queue_t *q)
{
    return ngx_http_fliq_disp_settle_job(
               ngx_queue_data(q, ngx_http_fliq_disp_entry_t, queue));
}


ngx_int_t
ngx_http_fliq_disp_settle_init(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                    i;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &disp->settle;

    ngx_queue_init(&settle->closed);

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        ngx_queue_init(&settle->closing[i].closed);
    }

    settle->flush = NGX_HTTP_FLIQ_DISP_NEVER;

    /* workers of a node have different ones */

    settle->shard = (ngx_crc32_short(ngx_cycle->hostname.data,
                                     ngx_cycle->hostname.len)
                     + ngx_worker)
                    % NGX_HTTP_FLIQ_DISP_SHARDS;

    return ngx_http_fliq_disp_batches_init(&settle->batches, disp,
                                           &ngx_http_fliq_disp_settle_kind);
}


void
ngx_http_fliq_disp_settle_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_batches_done(&disp->settle.batches);

    if (disp->settle.batches.disp) {
        ngx_http_fliq_disp_claims_free(&disp->settle.closed);
    }
}


/*
 * Claims do not wait for the server's disk, settlements do, and take all that
 * came before them along.  Where no outcome follows soon an empty batch does:
 * a server that crashes while calls are long must not forget who has them.
 */

void
ngx_http_fliq_disp_settle_flush(ngx_http_fliq_disp_t *disp)
{
    if (disp->settle.flush == NGX_HTTP_FLIQ_DISP_NEVER) {
        disp->settle.flush = ngx_http_fliq_monotonic()
                             + NGX_HTTP_FLIQ_DISP_FLUSH;
        ngx_http_fliq_disp_batches_arm(&disp->settle.batches);
    }
}


/* When there is something to send, even if there is no outcome. */

static int64_t
ngx_http_fliq_disp_settle_when(ngx_http_fliq_disp_batches_t *batches,
    int64_t now)
{
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &batches->disp->settle;

    if (batches->n || ngx_queue_empty(&settle->closed)) {
        return settle->flush;
    }

    if (ngx_queue_empty(&batches->flying)) {
        return now;
    }

    return ngx_min(settle->flush,
                   settle->closed_since + NGX_HTTP_FLIQ_DISP_CLOSE);
}


static ngx_uint_t
ngx_http_fliq_disp_settle_filled(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &batch->batches->disp->settle;

    ngx_http_fliq_disp_settle_close(batch);
    ngx_http_fliq_disp_settle_close_rest(batch);

    return settle->closing[batch->number].n
           || settle->flush <= batch->batches->oldest;
}


/* Claims of which all that is left travels in this batch end with it. */

static void
ngx_http_fliq_disp_settle_close(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_closing_t  *closing;
    ngx_http_fliq_disp_claimed_t  *claimed;

    closing = &batch->batches->disp->settle.closing[batch->number];

    for (q = ngx_queue_head(&batch->entries);
         q != ngx_queue_sentinel(&batch->entries);
         q = ngx_queue_next(q))
    {
        claimed = ngx_http_fliq_disp_settle_at(q)->claimed;
        claimed->here = 0;
        claimed->closing = 0;
    }

    for (q = ngx_queue_head(&batch->entries);
         q != ngx_queue_sentinel(&batch->entries);
         q = ngx_queue_next(q))
    {
        claimed = ngx_http_fliq_disp_settle_at(q)->claimed;
        claimed->here++;

        if (claimed->here == claimed->left) {
            claimed->closing = 1;
            closing->claims[closing->n++] = claimed->id;
        }
    }
}


/* And those that could not end with their last outcome. */

static void
ngx_http_fliq_disp_settle_close_rest(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_settle_t   *settle;
    ngx_http_fliq_disp_closing_t  *closing;
    ngx_http_fliq_disp_claimed_t  *claimed;

    settle = &batch->batches->disp->settle;
    closing = &settle->closing[batch->number];

    while (!ngx_queue_empty(&settle->closed)
           && closing->n < NGX_HTTP_FLIQ_DISP_CLAIMS)
    {
        q = ngx_queue_head(&settle->closed);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&closing->closed, q);

        claimed = ngx_queue_data(q, ngx_http_fliq_disp_claimed_t, queue);
        closing->claims[closing->n++] = claimed->id;
    }

    settle->closed_since = ngx_http_fliq_monotonic();
}


static ngx_http_fliq_store_call_t *
ngx_http_fliq_disp_settle_send(ngx_http_fliq_disp_batch_t *batch,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done)
{
    ngx_queue_t                     *q;
    ngx_http_fliq_settle_t           what;
    ngx_http_fliq_disp_settle_t     *settle;
    ngx_http_fliq_disp_closing_t    *closing;
    const ngx_http_fliq_outcome_t  **outcomes;

    settle = &batch->batches->disp->settle;
    closing = &settle->closing[batch->number];

    settle->flush = NGX_HTTP_FLIQ_DISP_NEVER;

    outcomes = ngx_palloc(pool, (batch->n + 1) * sizeof(void *));
    if (outcomes == NULL) {
        return NULL;
    }

    what.owner = &batch->owner;
    what.shard = settle->shard;
    what.outcomes = outcomes;
    what.n = batch->n;
    what.claims = closing->claims;
    what.nclaims = closing->n;

    for (q = ngx_queue_head(&batch->entries);
         q != ngx_queue_sentinel(&batch->entries);
         q = ngx_queue_next(q))
    {
        *outcomes++ = &ngx_http_fliq_disp_settle_at(q)->outcome;
    }

    return ngx_http_fliq_store_settle(batch->batches->disp->store, pool,
                                      &what, done, batch);
}


static void
ngx_http_fliq_disp_settle_settled(ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled)
{
    int64_t                        due_at;
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_job_t      *job;
    ngx_http_fliq_disp_claimed_t  *claimed;

    disp = batch->batches->disp;
    due_at = NGX_HTTP_FLIQ_DISP_NEVER;

    while (!ngx_queue_empty(&batch->entries)) {
        job = ngx_http_fliq_disp_settle_at(ngx_queue_head(&batch->entries));
        claimed = job->claimed;

        if (job->outcome.verdict == NGX_HTTP_FLIQ_RETRY) {
            due_at = ngx_min(due_at, job->outcome.due_at);
        }

        ngx_http_fliq_disp_job_free(job);

        if (--claimed->left == 0) {
            ngx_queue_remove(&claimed->queue);

        } else {
            ngx_http_fliq_disp_claim_lost(disp, claimed);
            continue;
        }

        if (claimed->closing) {
            ngx_free(claimed);

        } else {
            ngx_queue_insert_tail(&disp->settle.closed, &claimed->queue);
        }
    }

    if (due_at != NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_disp_claim_at(disp, due_at);
    }
}


/* Claims that were to end with a batch have ended, or are to do so again. */

static void
ngx_http_fliq_disp_settle_emptied(ngx_http_fliq_disp_batch_t *batch,
    ngx_uint_t again)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_settle_t   *settle;
    ngx_http_fliq_disp_closing_t  *closing;

    settle = &batch->batches->disp->settle;
    closing = &settle->closing[batch->number];
    closing->n = 0;

    while (again && !ngx_queue_empty(&closing->closed)) {
        q = ngx_queue_last(&closing->closed);
        ngx_queue_remove(q);
        ngx_queue_insert_head(&settle->closed, q);
    }

    ngx_http_fliq_disp_claims_free(&closing->closed);
}


static void
ngx_http_fliq_disp_settle_strip(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_outcome_t  *outcome;

    outcome = &ngx_http_fliq_disp_settle_job(entry)->outcome;

    ngx_str_null(&outcome->excerpt);

    if (outcome->error.data) {
        ngx_str_set(&outcome->error, "the attempt failed");
    }
}


/* It stays claimed, and is fired again when this dispatcher has left. */

static void
ngx_http_fliq_disp_settle_lost(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_disp_job_t  *job;

    job = ngx_http_fliq_disp_settle_job(entry);

    ngx_log_error(NGX_LOG_ALERT, job->disp->log, 0,
                  "the outcome of %V cannot be recorded",
                  &job->request.delivery_id);

    ngx_http_fliq_disp_job_free(job);
}


/* A job that is another dispatcher's by now. */

static void
ngx_http_fliq_disp_settle_forget(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_job_t      *job;
    ngx_http_fliq_disp_claimed_t  *claimed;

    job = ngx_http_fliq_disp_settle_job(entry);
    disp = job->disp;
    claimed = job->claimed;

    ngx_http_fliq_disp_job_free(job);

    if (--claimed->left == 0) {
        ngx_queue_remove(&claimed->queue);
        ngx_free(claimed);

    } else {
        ngx_http_fliq_disp_claim_lost(disp, claimed);
    }
}
