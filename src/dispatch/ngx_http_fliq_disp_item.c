/*
 * An attempt of a buffer's first item: from the claim through its call to its
 * outcome, and when the buffer's next request may start.
 */

#include "ngx_http_fliq_disp_private.h"
#include "fliq_pace.h"
#include "fliq_time.h"


#define NGX_HTTP_FLIQ_DISP_ITEM_POOL   2048

/* Of a target that answers 429, microseconds. */
#define NGX_HTTP_FLIQ_DISP_ITEM_WAIT   (60 * FLIQ_TIME_SECOND)
#define NGX_HTTP_FLIQ_DISP_ITEM_DAY    (86400 * FLIQ_TIME_SECOND)

/* Clocks that are being set right run up to 500 parts in a million apart. */
#define NGX_HTTP_FLIQ_DISP_ITEM_SLEW   500


static ngx_int_t ngx_http_fliq_disp_item_fill(
    ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_item_attempt_t *attempt);
static ngx_int_t ngx_http_fliq_disp_item_copy(
    ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_item_attempt_t *attempt);
static void ngx_http_fliq_disp_item_fail(ngx_http_fliq_disp_item_t *item,
    const ngx_str_t *why);
static ngx_uint_t ngx_http_fliq_disp_item_may(void *data);
static void ngx_http_fliq_disp_item_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer);
static void ngx_http_fliq_disp_item_land(ngx_http_fliq_disp_item_t *item);
static int64_t ngx_http_fliq_disp_item_judge(
    ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_disp_answer_t *answer);
static int64_t ngx_http_fliq_disp_item_throttled(
    ngx_http_fliq_disp_item_t *item, int64_t wait);
static int64_t ngx_http_fliq_disp_item_retry(
    ngx_http_fliq_disp_item_t *item, int64_t wait);
static void ngx_http_fliq_disp_item_pace(ngx_http_fliq_disp_item_t *item,
    int64_t wait);


ngx_int_t
ngx_http_fliq_disp_item_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_item_attempt_t *attempt)
{
    ngx_pool_t                 *pool;
    ngx_http_fliq_disp_item_t  *item;

    pool = ngx_create_pool(NGX_HTTP_FLIQ_DISP_ITEM_POOL, disp->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    item = ngx_pcalloc(pool, sizeof(ngx_http_fliq_disp_item_t));
    if (item == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    item->disp = disp;
    item->pool = pool;

    if (ngx_http_fliq_disp_item_fill(item, attempt) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    disp->buffer.nitems++;
    disp->buffer.bytes += item->bytes;
    ngx_queue_insert_tail(&disp->buffer.batches.flying, &item->entry.queue);

    if (attempt->refused.data) {
        item->outcome.refused = 1;
        ngx_http_fliq_disp_item_fail(item, &attempt->refused);
        return NGX_OK;
    }

    item->lane = ngx_http_fliq_disp_lane_take(&disp->lanes, attempt->lane);
    item->own = ngx_http_fliq_disp_lane_take(&disp->buffer.lanes,
                                             attempt->lane);

    item->call = ngx_http_fliq_disp_call_start(&disp->multi, pool,
                     &item->request, ngx_http_fliq_disp_item_answered, item);

    if (item->call == NULL) {
        ngx_http_fliq_disp_item_fail(item, &ngx_http_fliq_disp_not_made);
    }

    return NGX_OK;
}


void
ngx_http_fliq_disp_item_free(ngx_http_fliq_disp_item_t *item)
{
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &item->disp->buffer;

    if (buffer->nitems == buffer->max) {
        buffer->room = ngx_http_fliq_monotonic();
    }

    buffer->nitems--;
    buffer->bytes -= item->bytes;

    ngx_queue_remove(&item->entry.queue);
    ngx_destroy_pool(item->pool);
}


static ngx_int_t
ngx_http_fliq_disp_item_fill(ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_item_attempt_t *attempt)
{
    ngx_http_fliq_item_outcome_t  *outcome;

    item->entry.generation = item->disp->buffer.generation;
    item->backoff = attempt->backoff;
    item->max_retries = attempt->max_retries;
    item->rate_limit = attempt->rate_limit;
    item->throttled_at = attempt->throttled_at;
    item->bytes = attempt->body.len;

    outcome = &item->outcome;

    outcome->account_id = attempt->account_id;
    outcome->buffer_id = attempt->buffer_id;
    outcome->id = attempt->id;
    outcome->attempt = attempt->attempt;
    outcome->retry_count = attempt->retry_count;

    item->request.may = ngx_http_fliq_disp_item_may;
    item->request.attempt = attempt->attempt;
    item->request.timeout = (ngx_msec_t) attempt->timeout_seconds * 1000;

    return ngx_http_fliq_disp_item_copy(item, attempt);
}


static ngx_int_t
ngx_http_fliq_disp_item_copy(ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_item_attempt_t *attempt)
{
    fliq_id_t                      id;
    ngx_pool_t                    *pool;
    ngx_http_fliq_disp_request_t  *request;

    pool = item->pool;
    request = &item->request;

    if (fliq_id_make(&id, ngx_http_fliq_disp_clock_now(&item->disp->clock)
                          / 1000)
           != 0
        || ngx_http_fliq_disp_copy(pool, &request->method, &attempt->method)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->url, &attempt->url)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->headers,
                                   &attempt->headers)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->defaults,
                                   &attempt->buffer_headers)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->body, &attempt->body)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->secret, &attempt->secret)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &item->outcome.pace, &attempt->pace)
           != NGX_OK
        || ngx_http_fliq_disp_copy_id(pool, &request->delivery_id, "item",
                                      &item->outcome.id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_copy_id(pool, &request->request_id, "exec",
                                      &id);
}


/* An attempt that ends without a request. */

static void
ngx_http_fliq_disp_item_fail(ngx_http_fliq_disp_item_t *item,
    const ngx_str_t *why)
{
    ngx_http_fliq_disp_answer_t  answer;

    ngx_memzero(&answer, sizeof(ngx_http_fliq_disp_answer_t));

    answer.retry_after = -1;
    answer.started_at = ngx_http_fliq_disp_clock_now(&item->disp->clock);

    if (ngx_http_fliq_disp_copy(item->pool, &answer.error, why) != NGX_OK) {
        answer.error = ngx_http_fliq_disp_not_made;
    }

    ngx_http_fliq_disp_item_answered(item, &answer);
}


/*
 * A worker that was stopped while it connected may find that another one has
 * sent the item, and those behind it.
 */

static ngx_uint_t
ngx_http_fliq_disp_item_may(void *data)
{
    ngx_http_fliq_disp_item_t *item = data;

    return ngx_http_fliq_disp_owner_certain(item->disp,
                                            item->entry.generation);
}


static void
ngx_http_fliq_disp_item_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer)
{
    ngx_http_fliq_disp_item_t *item = data;

    int64_t                        wait;
    ngx_http_fliq_item_outcome_t  *outcome;

    outcome = &item->outcome;
    item->call = NULL;

    outcome->started_at = answer->started_at;
    outcome->duration_ms = answer->duration_ms;
    outcome->status_code = answer->status;
    outcome->error = answer->error;
    outcome->throttled_at = NGX_HTTP_FLIQ_NONE;

    wait = ngx_http_fliq_disp_item_judge(item, answer);

    ngx_http_fliq_disp_item_pace(item, wait);
    ngx_http_fliq_disp_item_land(item);
}


/* The call is over: give its lanes back, and tell of the outcome. */

static void
ngx_http_fliq_disp_item_land(ngx_http_fliq_disp_item_t *item)
{
    ngx_uint_t             opens;
    ngx_http_fliq_disp_t  *disp;

    disp = item->disp;
    opens = 0;

    if (item->lane) {
        opens = ngx_http_fliq_disp_lane_give(&disp->lanes, item->lane);
    }

    if (item->own
        && ngx_http_fliq_disp_lane_give(&disp->buffer.lanes, item->own))
    {
        ngx_http_fliq_disp_buffer_now(disp);
    }

    ngx_http_fliq_disp_batches_add(&disp->buffer.batches, &item->entry);

    if (opens) {
        ngx_http_fliq_disp_opened(disp);
    }
}


/* Returns how long the item has to wait, if it is tried again. */

static int64_t
ngx_http_fliq_disp_item_judge(ngx_http_fliq_disp_item_t *item,
    const ngx_http_fliq_disp_answer_t *answer)
{
    ngx_http_fliq_item_outcome_t  *outcome;

    outcome = &item->outcome;

    if (answer->error.data == NULL) {

        if (answer->status >= 200 && answer->status <= 299) {
            outcome->verdict = NGX_HTTP_FLIQ_SUCCESS;
            return 0;
        }

        ngx_http_fliq_disp_unwelcome(item->pool, answer->status,
                                     &outcome->error);
    }

    if (outcome->refused) {
        outcome->verdict = NGX_HTTP_FLIQ_FAILED;
        return 0;
    }

    if (answer->unsent) {
        outcome->verdict = NGX_HTTP_FLIQ_RETRY;
        outcome->throttled_at = item->throttled_at;
        return 0;
    }

    if (answer->status == 429) {
        return ngx_http_fliq_disp_item_throttled(item, answer->retry_after);
    }

    return ngx_http_fliq_disp_item_retry(item, answer->retry_after);
}


/* A target that wants to be asked less often: this costs no retry. */

static int64_t
ngx_http_fliq_disp_item_throttled(ngx_http_fliq_disp_item_t *item,
    int64_t wait)
{
    int64_t                        now, since, left;
    ngx_http_fliq_item_outcome_t  *outcome;

    outcome = &item->outcome;

    now = ngx_http_fliq_disp_clock_now(&item->disp->clock);
    since = item->throttled_at == NGX_HTTP_FLIQ_NONE ? now
                                                     : item->throttled_at;
    left = since + NGX_HTTP_FLIQ_DISP_ITEM_DAY - now;

    outcome->throttled_at = since;

    if (left <= 0) {
        outcome->verdict = NGX_HTTP_FLIQ_FAILED;
        return 0;
    }

    outcome->verdict = NGX_HTTP_FLIQ_RETRY;

    wait = wait < 0 ? NGX_HTTP_FLIQ_DISP_ITEM_WAIT : wait;

    return ngx_min(wait, left);
}


static int64_t
ngx_http_fliq_disp_item_retry(ngx_http_fliq_disp_item_t *item, int64_t wait)
{
    int64_t                        delay;
    ngx_http_fliq_item_outcome_t  *outcome;

    outcome = &item->outcome;

    if (outcome->retry_count >= item->max_retries) {
        outcome->verdict = NGX_HTTP_FLIQ_FAILED;
        return 0;
    }

    outcome->verdict = NGX_HTTP_FLIQ_RETRY;
    outcome->retry_count++;

    delay = fliq_backoff_delay(&item->disp->conf.backoff, item->backoff,
                               outcome->retry_count,
                               (uint32_t) ngx_random() << 1);

    return ngx_max(delay, wait);
}


/*
 * The rate counts from when a request has certainly ended.  Where nothing is
 * to be waited for the buffer goes on at once, by whichever clock is behind.
 */

static void
ngx_http_fliq_disp_item_pace(ngx_http_fliq_disp_item_t *item, int64_t wait)
{
    size_t                         len;
    u_char                        *memory;
    int64_t                        now, error, due_at;
    ngx_http_fliq_item_outcome_t  *outcome;

    outcome = &item->outcome;

    now = ngx_http_fliq_disp_clock_now(&item->disp->clock);
    error = ngx_http_fliq_disp_clock_error(&item->disp->clock);

    outcome->due_at = wait > 0 ? now + wait : now - error;

    if (outcome->refused) {
        return;
    }

    memory = ngx_pnalloc(item->pool, FLIQ_PACE_SIZE);

    if (memory == NULL) {

        /* without a memory the next one waits for all that may have been */

        ngx_str_null(&outcome->pace);
        due_at = now + error + NGX_HTTP_FLIQ_DISP_ITEM_SLEW
                 + FLIQ_TIME_SECOND;

    } else {
        due_at = fliq_pace_add(ngx_http_fliq_disp_view(&outcome->pace),
                               (unsigned) item->rate_limit,
                               now + error + NGX_HTTP_FLIQ_DISP_ITEM_SLEW,
                               memory, &len);

        outcome->pace.data = memory;
        outcome->pace.len = len;
    }

    outcome->due_at = ngx_max(outcome->due_at, due_at);
}
