/*
 * An attempt of a job: from the claim through its call to its outcome.
 */

#include "ngx_http_fliq_disp_private.h"


#define NGX_HTTP_FLIQ_DISP_JOB_POOL  2048


static ngx_int_t ngx_http_fliq_disp_job_fill(ngx_http_fliq_disp_job_t *job,
    const ngx_http_fliq_attempt_t *attempt);
static void ngx_http_fliq_disp_job_fail(ngx_http_fliq_disp_job_t *job,
    const ngx_str_t *why);
static void ngx_http_fliq_disp_job_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer);
static void ngx_http_fliq_disp_job_judge(ngx_http_fliq_disp_job_t *job,
    const ngx_http_fliq_disp_answer_t *answer);


const ngx_str_t  ngx_http_fliq_disp_not_made =
                                  ngx_string("the request could not be made");


ngx_int_t
ngx_http_fliq_disp_job_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_attempt_t *attempt,
    ngx_http_fliq_disp_claimed_t *claimed)
{
    ngx_pool_t                *pool;
    ngx_http_fliq_disp_job_t  *job;

    pool = ngx_create_pool(NGX_HTTP_FLIQ_DISP_JOB_POOL, disp->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_fliq_disp_job_t));
    if (job == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    job->disp = disp;
    job->pool = pool;
    job->claimed = claimed;
    job->entry.generation = disp->claim.generation;

    if (ngx_http_fliq_disp_job_fill(job, attempt) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    disp->njobs++;
    disp->bytes += job->bytes;
    ngx_queue_insert_tail(&disp->settle.batches.flying, &job->entry.queue);

    if (attempt->refused.data) {
        job->outcome.refused = 1;
        ngx_http_fliq_disp_job_fail(job, &attempt->refused);
        return NGX_OK;
    }

    job->lane = ngx_http_fliq_disp_lane_take(&disp->lanes, attempt->lane);

    job->call = ngx_http_fliq_disp_call_start(&disp->multi, pool,
                                              &job->request,
                                              ngx_http_fliq_disp_job_answered,
                                              job);
    if (job->call == NULL) {
        ngx_http_fliq_disp_job_fail(job, &ngx_http_fliq_disp_not_made);
    }

    return NGX_OK;
}


void
ngx_http_fliq_disp_job_free(ngx_http_fliq_disp_job_t *job)
{
    ngx_http_fliq_disp_t  *disp;

    disp = job->disp;

    if (disp->njobs == disp->conf.concurrency) {
        disp->claim.room = ngx_http_fliq_monotonic();
    }

    disp->njobs--;
    disp->bytes -= job->bytes;

    ngx_queue_remove(&job->entry.queue);
    ngx_destroy_pool(job->pool);
}


static ngx_int_t
ngx_http_fliq_disp_job_fill(ngx_http_fliq_disp_job_t *job,
    const ngx_http_fliq_attempt_t *attempt)
{
    int64_t                        now;
    ngx_pool_t                    *pool;
    ngx_http_fliq_outcome_t       *outcome;
    ngx_http_fliq_disp_request_t  *request;

    pool = job->pool;
    request = &job->request;
    outcome = &job->outcome;

    now = ngx_http_fliq_disp_clock_now(&job->disp->clock);

    outcome->account_id = attempt->account_id;
    outcome->id = attempt->id;
    outcome->attempt = attempt->attempt;

    if (fliq_id_make(&outcome->execution_id, now / 1000) != 0) {
        return NGX_ERROR;
    }

    job->backoff = attempt->backoff;
    job->max_retries = attempt->max_retries;
    job->bytes = attempt->body.len;

    request->attempt = attempt->attempt;
    request->timeout = (ngx_msec_t) attempt->timeout_seconds * 1000;

    if (ngx_http_fliq_disp_copy(pool, &request->method, &attempt->method)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->url, &attempt->url)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->headers,
                                   &attempt->headers)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->body, &attempt->body)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->secret, &attempt->secret)
           != NGX_OK
        || ngx_http_fliq_disp_copy_id(pool, &request->delivery_id, "job",
                                      &outcome->id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_copy_id(pool, &request->request_id, "exec",
                                      &outcome->execution_id);
}


ngx_int_t
ngx_http_fliq_disp_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_str_t *src)
{
    u_char  *p;

    if (src->data == NULL) {
        ngx_str_null(dst);
        return NGX_OK;
    }

    dst->len = src->len;
    dst->data = ngx_pnalloc(pool, src->len + 1);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(dst->data, src->data, src->len);
    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_disp_copy_id(ngx_pool_t *pool, ngx_str_t *dst,
    const char *prefix, const fliq_id_t *id)
{
    dst->data = ngx_pnalloc(pool, FLIQ_ID_TEXT);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    dst->len = fliq_id_format((char *) dst->data, prefix, id);

    return NGX_OK;
}


/* An attempt that ends without a request. */

static void
ngx_http_fliq_disp_job_fail(ngx_http_fliq_disp_job_t *job,
    const ngx_str_t *why)
{
    ngx_http_fliq_disp_answer_t  answer;

    ngx_memzero(&answer, sizeof(ngx_http_fliq_disp_answer_t));

    answer.retry_after = -1;
    answer.started_at = ngx_http_fliq_disp_clock_now(&job->disp->clock);

    if (ngx_http_fliq_disp_copy(job->pool, &answer.error, why) != NGX_OK) {
        answer.error = ngx_http_fliq_disp_not_made;
    }

    ngx_http_fliq_disp_job_answered(job, &answer);
}


static void
ngx_http_fliq_disp_job_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer)
{
    ngx_http_fliq_disp_job_t *job = data;

    ngx_uint_t             opens;
    ngx_http_fliq_disp_t  *disp;

    disp = job->disp;
    job->call = NULL;

    ngx_http_fliq_disp_job_judge(job, answer);

    opens = 0;

    if (job->lane) {
        opens = ngx_http_fliq_disp_lane_give(&disp->lanes, job->lane);
        job->lane = NULL;
    }

    ngx_http_fliq_disp_batches_add(&disp->settle.batches, &job->entry);

    if (opens) {
        ngx_http_fliq_disp_opened(disp);
    }
}


static void
ngx_http_fliq_disp_job_judge(ngx_http_fliq_disp_job_t *job,
    const ngx_http_fliq_disp_answer_t *answer)
{
    int64_t                   delay;
    ngx_http_fliq_disp_t     *disp;
    ngx_http_fliq_outcome_t  *outcome;

    disp = job->disp;
    outcome = &job->outcome;

    outcome->started_at = answer->started_at;
    outcome->duration_ms = answer->duration_ms;
    outcome->status_code = answer->status;
    outcome->excerpt = answer->excerpt;
    outcome->error = answer->error;
    outcome->due_at = NGX_HTTP_FLIQ_NONE;

    if (answer->error.data == NULL) {

        if (answer->status >= 200 && answer->status <= 299) {
            outcome->verdict = NGX_HTTP_FLIQ_SUCCESS;
            return;
        }

        ngx_http_fliq_disp_unwelcome(job->pool, answer->status,
                                     &outcome->error);
    }

    if (outcome->attempt > job->max_retries || outcome->refused) {
        outcome->verdict = NGX_HTTP_FLIQ_FAILED;
        return;
    }

    delay = fliq_backoff_delay(&disp->conf.backoff, job->backoff,
                               outcome->attempt,
                               (uint32_t) ngx_random() << 1);
    delay = ngx_max(delay, answer->retry_after);

    outcome->verdict = NGX_HTTP_FLIQ_RETRY;
    outcome->due_at = ngx_http_fliq_disp_clock_now(&disp->clock) + delay;
}


void
ngx_http_fliq_disp_unwelcome(ngx_pool_t *pool, int32_t status,
    ngx_str_t *error)
{
    u_char  *p;

    p = ngx_pnalloc(pool, sizeof("the target answered ") + NGX_INT32_LEN);

    if (p == NULL) {
        ngx_str_set(error, "the target refused");
        return;
    }

    error->data = p;
    error->len = ngx_sprintf(p, "the target answered %D", status) - p;
}
