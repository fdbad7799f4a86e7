/*
 * Outcomes on their way into the database.
 *
 * They travel in batches: a batch leaves when it is full, when its oldest
 * outcome has waited for two milliseconds, or when nothing is in flight that
 * could join it.  A batch whose fate is not known is sent again as it is,
 * which changes nothing the second time.
 *
 * A claim is ended together with the last of its outcomes, in one commit, and
 * not before: until then it is what others go by if this worker dies.
 */

#include "ngx_http_fliq_disp_private.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_LINGER     2000
#define NGX_HTTP_FLIQ_DISP_CLOSE      1000000   /* claims without outcomes */
#define NGX_HTTP_FLIQ_DISP_FLUSH      1000      /* after a claim */
#define NGX_HTTP_FLIQ_DISP_AGAIN_MIN  50000
#define NGX_HTTP_FLIQ_DISP_AGAIN_MAX  1000000

#define NGX_HTTP_FLIQ_DISP_SHARDS     16


static void ngx_http_fliq_disp_settle_arm(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_settle_handler(void *data);
static int64_t ngx_http_fliq_disp_settle_when(ngx_http_fliq_disp_t *disp,
    int64_t now);
static void ngx_http_fliq_disp_settle_run(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_batch_set_state(
    ngx_http_fliq_disp_batch_t *batch, ngx_http_fliq_disp_batch_e state);
static void ngx_http_fliq_disp_batch_fill(ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_close(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_close_rest(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_send(ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_again(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_done(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_batch_settled(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_discard(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_refused(
    ngx_http_fliq_disp_batch_t *batch);
static ngx_int_t ngx_http_fliq_disp_settle_refused(
    ngx_http_fliq_disp_job_t *job);
static void ngx_http_fliq_disp_settle_forget(ngx_http_fliq_disp_job_t *job);


static ngx_http_fliq_disp_job_t *
ngx_http_fliq_disp_settle_first(ngx_queue_t *queue)
{
    return ngx_queue_data(ngx_queue_head(queue), ngx_http_fliq_disp_job_t,
                          queue);
}


static ngx_http_fliq_disp_claimed_t *
ngx_http_fliq_disp_settle_claimed(ngx_queue_t *q)
{
    ngx_http_fliq_disp_job_t  *job;

    job = ngx_queue_data(q, ngx_http_fliq_disp_job_t, queue);

    return job->claimed;
}


ngx_int_t
ngx_http_fliq_disp_settle_init(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                    i;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &disp->settle;

    ngx_queue_init(&settle->wait);
    ngx_queue_init(&settle->closed);

    settle->armed = NGX_HTTP_FLIQ_DISP_NEVER;
    settle->flush = NGX_HTTP_FLIQ_DISP_NEVER;

    /* workers of a node have different ones */

    settle->shard = (ngx_crc32_short(ngx_cycle->hostname.data,
                                     ngx_cycle->hostname.len)
                     + ngx_worker)
                    % NGX_HTTP_FLIQ_DISP_SHARDS;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        settle->batches[i].disp = disp;
        ngx_queue_init(&settle->batches[i].jobs);
        ngx_queue_init(&settle->batches[i].closed);
    }

    settle->alarm = ngx_http_fliq_alarm_create(
                        ngx_http_fliq_disp_settle_handler, disp, disp->log);

    return settle->alarm ? NGX_OK : NGX_ERROR;
}


void
ngx_http_fliq_disp_settle_done(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                    i;
    ngx_http_fliq_disp_batch_t   *batch;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &disp->settle;

    ngx_http_fliq_alarm_destroy(settle->alarm);
    settle->alarm = NULL;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &settle->batches[i];

        ngx_http_fliq_disp_ask_done(&batch->ask);
        ngx_http_fliq_disp_batch_discard(batch);
    }

    while (!ngx_queue_empty(&settle->wait)) {
        ngx_http_fliq_disp_settle_forget(
            ngx_http_fliq_disp_settle_first(&settle->wait));
    }

    settle->n = 0;

    ngx_http_fliq_disp_claims_free(&settle->closed);
}


void
ngx_http_fliq_disp_settle_add(ngx_http_fliq_disp_job_t *job)
{
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &job->disp->settle;

    if (settle->n == 0) {
        settle->oldest = ngx_http_fliq_monotonic();
    }

    ngx_queue_insert_tail(&settle->wait, &job->queue);
    settle->n++;

    ngx_http_fliq_disp_settle_arm(job->disp);
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
        ngx_http_fliq_disp_settle_arm(disp);
    }
}


void
ngx_http_fliq_disp_settle_hurry(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &disp->settle.batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING) {
            batch->retry = ngx_http_fliq_monotonic();
        }
    }

    ngx_http_fliq_disp_settle_arm(disp);
}


static void
ngx_http_fliq_disp_settle_arm(ngx_http_fliq_disp_t *disp)
{
    int64_t                       now, when;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &disp->settle;

    if (settle->alarm == NULL) {
        return;
    }

    now = ngx_http_fliq_monotonic();
    when = ngx_http_fliq_disp_settle_when(disp, now);

    if (when == settle->armed || (settle->armed <= now && when <= now)) {
        return;
    }

    settle->armed = when;

    if (when == NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_alarm_clear(settle->alarm);

    } else {
        ngx_http_fliq_alarm_set(settle->alarm, when - now);
    }
}


static void
ngx_http_fliq_disp_settle_handler(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    disp->settle.armed = NGX_HTTP_FLIQ_DISP_NEVER;

    ngx_http_fliq_disp_settle_run(disp);
    ngx_http_fliq_disp_settle_arm(disp);
}


/* When there is something to send, seen from now. */

static int64_t
ngx_http_fliq_disp_settle_when(ngx_http_fliq_disp_t *disp, int64_t now)
{
    int64_t                       when;
    ngx_uint_t                    i, empty;
    ngx_http_fliq_disp_batch_t   *batch;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &disp->settle;
    when = NGX_HTTP_FLIQ_DISP_NEVER;
    empty = 0;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &settle->batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_EMPTY) {
            empty = 1;

        } else if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING) {
            when = ngx_min(when, batch->retry);
        }
    }

    if (!empty) {
        return when;
    }

    if (settle->n >= NGX_HTTP_FLIQ_DISP_BATCH
        || (settle->n && ngx_queue_empty(&disp->flying)))
    {
        return now;
    }

    when = ngx_min(when, settle->flush);

    if (settle->n) {
        return ngx_min(when, settle->oldest + NGX_HTTP_FLIQ_DISP_LINGER);
    }

    if (ngx_queue_empty(&settle->closed)) {
        return when;
    }

    if (ngx_queue_empty(&disp->flying)) {
        return now;
    }

    return ngx_min(when, settle->closed_since + NGX_HTTP_FLIQ_DISP_CLOSE);
}


static void
ngx_http_fliq_disp_settle_run(ngx_http_fliq_disp_t *disp)
{
    int64_t                      now;
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    now = ngx_http_fliq_monotonic();

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &disp->settle.batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING
            && batch->retry <= now)
        {
            ngx_http_fliq_disp_batch_send(batch);
        }
    }

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &disp->settle.batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_EMPTY
            && ngx_http_fliq_disp_settle_when(disp, now) <= now)
        {
            ngx_http_fliq_disp_batch_fill(batch);
        }
    }
}


static void
ngx_http_fliq_disp_batch_set_state(ngx_http_fliq_disp_batch_t *batch,
    ngx_http_fliq_disp_batch_e state)
{
    batch->state = state;

    if (state == NGX_HTTP_FLIQ_DISP_BATCH_EMPTY) {
        batch->n = 0;
        batch->nclaims = 0;
        batch->sends = 0;
    }
}


/* Take waiting outcomes, all of them of the present identity, and go. */

static void
ngx_http_fliq_disp_batch_fill(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_uint_t                    discarded;
    ngx_http_fliq_disp_t         *disp;
    ngx_http_fliq_disp_job_t     *job;
    ngx_http_fliq_disp_settle_t  *settle;

    disp = batch->disp;
    settle = &disp->settle;
    discarded = 0;

    batch->owner = disp->owner.id;
    batch->generation = disp->owner.generation;

    while (settle->n && batch->n < NGX_HTTP_FLIQ_DISP_BATCH) {
        job = ngx_http_fliq_disp_settle_first(&settle->wait);

        if (job->generation != batch->generation) {
            settle->n--;
            discarded++;
            ngx_http_fliq_disp_settle_forget(job);
            continue;
        }

        if (job->alone && batch->n) {
            break;
        }

        settle->n--;
        ngx_queue_remove(&job->queue);
        ngx_queue_insert_tail(&batch->jobs, &job->queue);
        batch->outcomes[batch->n++] = &job->outcome;

        if (job->alone) {
            break;
        }
    }

    settle->oldest = ngx_http_fliq_monotonic();

    if (discarded) {
        ngx_log_error(NGX_LOG_WARN, disp->log, 0,
                      "%ui outcomes came too late and were dropped",
                      discarded);
    }

    ngx_http_fliq_disp_batch_close(batch);
    ngx_http_fliq_disp_batch_close_rest(batch);

    if (batch->n || batch->nclaims || settle->flush <= settle->oldest) {
        ngx_http_fliq_disp_batch_send(batch);
    }
}


/* Claims of which all that is left travels in this batch end with it. */

static void
ngx_http_fliq_disp_batch_close(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_claimed_t  *claimed;

    for (q = ngx_queue_head(&batch->jobs);
         q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        claimed = ngx_http_fliq_disp_settle_claimed(q);
        claimed->here = 0;
        claimed->closing = 0;
    }

    for (q = ngx_queue_head(&batch->jobs);
         q != ngx_queue_sentinel(&batch->jobs);
         q = ngx_queue_next(q))
    {
        claimed = ngx_http_fliq_disp_settle_claimed(q);
        claimed->here++;

        if (claimed->here == claimed->left) {
            claimed->closing = 1;
            batch->claims[batch->nclaims++] = claimed->id;
        }
    }
}


/* And those that could not end with their last outcome. */

static void
ngx_http_fliq_disp_batch_close_rest(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_claimed_t  *claimed;
    ngx_http_fliq_disp_settle_t   *settle;

    settle = &batch->disp->settle;

    while (!ngx_queue_empty(&settle->closed)
           && batch->nclaims < NGX_HTTP_FLIQ_DISP_CLAIMS)
    {
        q = ngx_queue_head(&settle->closed);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&batch->closed, q);

        claimed = ngx_queue_data(q, ngx_http_fliq_disp_claimed_t, queue);
        batch->claims[batch->nclaims++] = claimed->id;
    }

    settle->closed_since = ngx_http_fliq_monotonic();
}


static void
ngx_http_fliq_disp_batch_send(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_pool_t              *pool;
    ngx_http_fliq_disp_t    *disp;
    ngx_http_fliq_settle_t   what;

    disp = batch->disp;

    if (batch->generation != disp->owner.generation) {
        ngx_http_fliq_disp_batch_discard(batch);
        return;
    }

    what.owner = &batch->owner;
    what.shard = disp->settle.shard;
    what.outcomes = batch->outcomes;
    what.n = batch->n;
    what.claims = batch->claims;
    what.nclaims = batch->nclaims;

    batch->sends++;
    disp->settle.flush = NGX_HTTP_FLIQ_DISP_NEVER;

    pool = ngx_http_fliq_disp_ask(&batch->ask, disp->log);

    if (pool) {
        batch->ask.call = ngx_http_fliq_store_settle(disp->store, pool, &what,
                              ngx_http_fliq_disp_batch_done, batch);
    }

    if (batch->ask.call == NULL) {
        ngx_http_fliq_disp_batch_again(batch);
        return;
    }

    ngx_http_fliq_disp_batch_set_state(batch, NGX_HTTP_FLIQ_DISP_BATCH_SENT);
}


static void
ngx_http_fliq_disp_batch_again(ngx_http_fliq_disp_batch_t *batch)
{
    int64_t     wait;
    ngx_uint_t  shift;

    shift = ngx_min(batch->sends - 1, 8);
    wait = (int64_t) NGX_HTTP_FLIQ_DISP_AGAIN_MIN << shift;

    batch->retry = ngx_http_fliq_monotonic()
                   + ngx_min(wait, NGX_HTTP_FLIQ_DISP_AGAIN_MAX);

    ngx_http_fliq_disp_batch_set_state(batch,
                                       NGX_HTTP_FLIQ_DISP_BATCH_WAITING);
}


static void
ngx_http_fliq_disp_batch_done(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_batch_t *batch = data;

    ngx_http_fliq_disp_t           *disp;
    const ngx_http_fliq_settled_t  *settled;

    disp = batch->disp;
    batch->ask.call = NULL;
    settled = result;

    if (rc == NGX_BUSY) {
        ngx_http_fliq_disp_batch_again(batch);

    } else if (rc != NGX_OK) {
        ngx_http_fliq_disp_batch_refused(batch);

    } else if (!settled->owner) {

        if (batch->generation == disp->owner.generation) {
            ngx_http_fliq_disp_owner_buried(disp);
        }

        ngx_http_fliq_disp_batch_discard(batch);

    } else {
        if (settled->settled < batch->n && batch->sends == 1) {
            ngx_log_error(NGX_LOG_WARN, disp->log, 0,
                          "%ui of %ui outcomes were not the next ones of "
                          "their jobs", batch->n - settled->settled,
                          batch->n);
        }

        ngx_http_fliq_disp_batch_settled(batch);

        if (settled->posted) {
            ngx_http_fliq_disp_outbox_look(disp);
        }
    }

    ngx_http_fliq_disp_settle_run(disp);
    ngx_http_fliq_disp_settle_arm(disp);
    ngx_http_fliq_disp_claim_arm(disp);
}


static void
ngx_http_fliq_disp_batch_settled(ngx_http_fliq_disp_batch_t *batch)
{
    int64_t                        due_at;
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_job_t      *job;
    ngx_http_fliq_disp_claimed_t  *claimed;

    disp = batch->disp;
    due_at = NGX_HTTP_FLIQ_DISP_NEVER;

    while (!ngx_queue_empty(&batch->jobs)) {
        job = ngx_http_fliq_disp_settle_first(&batch->jobs);
        claimed = job->claimed;

        if (job->outcome.verdict == NGX_HTTP_FLIQ_RETRY) {
            due_at = ngx_min(due_at, job->outcome.due_at);
        }

        ngx_http_fliq_disp_job_free(job);

        if (--claimed->left) {
            continue;
        }

        ngx_queue_remove(&claimed->queue);

        if (claimed->closing) {
            ngx_free(claimed);

        } else {
            ngx_queue_insert_tail(&disp->settle.closed, &claimed->queue);
        }
    }

    ngx_http_fliq_disp_batch_discard(batch);

    if (due_at != NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_disp_claim_at(disp, due_at);
    }
}


/* Empty a batch whose jobs are no longer ours, or are settled. */

static void
ngx_http_fliq_disp_batch_discard(ngx_http_fliq_disp_batch_t *batch)
{
    while (!ngx_queue_empty(&batch->jobs)) {
        ngx_http_fliq_disp_settle_forget(
            ngx_http_fliq_disp_settle_first(&batch->jobs));
    }

    ngx_http_fliq_disp_claims_free(&batch->closed);

    ngx_http_fliq_disp_batch_set_state(batch,
                                       NGX_HTTP_FLIQ_DISP_BATCH_EMPTY);
}


/*
 * The server refuses a batch for what is in one of its outcomes.  Each is
 * then sent by itself, and the one that is refused again without what its
 * target said.
 */

static void
ngx_http_fliq_disp_batch_refused(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_queue_t                  *q;
    ngx_http_fliq_disp_job_t     *job;
    ngx_http_fliq_disp_settle_t  *settle;

    settle = &batch->disp->settle;

    while (!ngx_queue_empty(&batch->jobs)) {
        q = ngx_queue_last(&batch->jobs);
        job = ngx_queue_data(q, ngx_http_fliq_disp_job_t, queue);

        if (batch->n == 1
            && ngx_http_fliq_disp_settle_refused(job) != NGX_OK)
        {
            continue;
        }

        job->alone = 1;

        ngx_queue_remove(q);
        ngx_queue_insert_head(&settle->wait, q);
        settle->n++;
    }

    while (!ngx_queue_empty(&batch->closed)) {
        q = ngx_queue_last(&batch->closed);
        ngx_queue_remove(q);
        ngx_queue_insert_head(&settle->closed, q);
    }

    ngx_http_fliq_disp_batch_set_state(batch,
                                       NGX_HTTP_FLIQ_DISP_BATCH_EMPTY);
}


static ngx_int_t
ngx_http_fliq_disp_settle_refused(ngx_http_fliq_disp_job_t *job)
{
    ngx_http_fliq_outcome_t  *outcome;

    outcome = &job->outcome;

    if (!job->plain) {
        job->plain = 1;
        ngx_str_null(&outcome->excerpt);

        if (outcome->error.data) {
            ngx_str_set(&outcome->error, "the attempt failed");
        }

        return NGX_OK;
    }

    /* it stays claimed, and is fired again when this dispatcher has left */

    ngx_log_error(NGX_LOG_ALERT, job->disp->log, 0,
                  "the outcome of %V cannot be recorded",
                  &job->request.delivery_id);

    ngx_http_fliq_disp_job_free(job);

    return NGX_DECLINED;
}


/* A job that is another dispatcher's by now. */

static void
ngx_http_fliq_disp_settle_forget(ngx_http_fliq_disp_job_t *job)
{
    ngx_http_fliq_disp_claimed_t  *claimed;

    claimed = job->claimed;

    ngx_http_fliq_disp_job_free(job);

    if (--claimed->left == 0) {
        ngx_queue_remove(&claimed->queue);
        ngx_free(claimed);
    }
}
