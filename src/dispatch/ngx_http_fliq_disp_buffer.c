/*
 * Buffers: when to claim their next items, and what came of those.
 *
 * One claim is under way at a time; it takes the first item of each buffer
 * that may send.  A buffer that was claimed is this dispatcher's until the
 * item's outcome is settled, and then anybody's again.  Items have slots of
 * their own, half as many as jobs have, and one host half of what it has of
 * those: neither can keep the other waiting.
 */

#include "ngx_http_fliq_disp_private.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_BUFFER_MARGIN     200     /* after a due time */
#define NGX_HTTP_FLIQ_DISP_BUFFER_GAP        1000    /* between claims */
#define NGX_HTTP_FLIQ_DISP_BUFFER_PATIENCE   2000    /* for more slots */
#define NGX_HTTP_FLIQ_DISP_BUFFER_PAUSE_MIN  50000   /* after a failure */
#define NGX_HTTP_FLIQ_DISP_BUFFER_PAUSE_MAX  1000000
#define NGX_HTTP_FLIQ_DISP_BUFFER_LATE       5000000

#define NGX_HTTP_FLIQ_DISP_BUFFER_ENOUGH     32      /* free slots */


static void ngx_http_fliq_disp_buffer_handler(void *data);
static void ngx_http_fliq_disp_buffer_run(ngx_http_fliq_disp_t *disp);
static int64_t ngx_http_fliq_disp_buffer_when(ngx_http_fliq_disp_t *disp,
    int64_t now);
static void ngx_http_fliq_disp_buffer_claim(ngx_http_fliq_disp_t *disp,
    int64_t now);
static void ngx_http_fliq_disp_buffer_compose(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_buffer_ask_next(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_buffer_next(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_buffer_claimed(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_buffer_judge(ngx_http_fliq_disp_t *disp,
    ngx_uint_t n);
static void ngx_http_fliq_disp_buffer_failed(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_buffer_known(ngx_queue_t *entries,
    fliq_id_t *known, ngx_uint_t *n);
static ngx_http_fliq_store_call_t *ngx_http_fliq_disp_buffer_send(
    ngx_http_fliq_disp_batch_t *batch, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done);
static void ngx_http_fliq_disp_buffer_settled(
    ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled);
static void ngx_http_fliq_disp_buffer_strip(
    ngx_http_fliq_disp_entry_t *entry);
static void ngx_http_fliq_disp_buffer_lost(
    ngx_http_fliq_disp_entry_t *entry);
static void ngx_http_fliq_disp_buffer_forget(
    ngx_http_fliq_disp_entry_t *entry);


static const ngx_http_fliq_disp_kind_t  ngx_http_fliq_disp_buffer_kind = {
    "buffers",

    /* a buffer may have been deleted */
    NGX_LOG_INFO,

    ngx_http_fliq_disp_buffer_send,
    ngx_http_fliq_disp_buffer_settled,
    ngx_http_fliq_disp_buffer_strip,
    ngx_http_fliq_disp_buffer_lost,
    ngx_http_fliq_disp_buffer_forget,
    ngx_http_fliq_disp_buffer_run,
    NULL,
    NULL,
    NULL
};


static ngx_http_fliq_disp_item_t *
ngx_http_fliq_disp_buffer_item(ngx_queue_t *q)
{
    return (ngx_http_fliq_disp_item_t *)
               ngx_queue_data(q, ngx_http_fliq_disp_entry_t, queue);
}


ngx_int_t
ngx_http_fliq_disp_buffer_init(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    buffer->armed = NGX_HTTP_FLIQ_DISP_NEVER;
    buffer->due_at = NGX_HTTP_FLIQ_DISP_NEVER;
    buffer->max = NGX_HTTP_FLIQ_DISP_ITEMS(disp->conf.concurrency);

    ngx_http_fliq_disp_lanes_init(&buffer->lanes, disp->pool,
                                  ngx_max(disp->conf.per_host / 2, 1));

    /* the lanes of all calls, and those of items once more */

    buffer->blocked = ngx_palloc(disp->pool, (disp->calls + buffer->max)
                                             * sizeof(int32_t));
    if (buffer->blocked == NULL) {
        return NGX_ERROR;
    }

    buffer->alarm = ngx_http_fliq_alarm_create(
                        ngx_http_fliq_disp_buffer_handler, disp, disp->log);

    if (buffer->alarm == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_batches_init(&buffer->batches, disp,
                                           &ngx_http_fliq_disp_buffer_kind);
}


void
ngx_http_fliq_disp_buffer_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    ngx_http_fliq_disp_ask_done(&buffer->ask);
    ngx_http_fliq_disp_ask_done(&buffer->next);
    ngx_http_fliq_alarm_destroy(buffer->alarm);
    buffer->alarm = NULL;

    ngx_http_fliq_disp_batches_done(&buffer->batches);
}


void
ngx_http_fliq_disp_buffer_hint(void *data)
{
    ngx_http_fliq_disp_buffer_now(data);
}


void
ngx_http_fliq_disp_buffer_at(ngx_http_fliq_disp_t *disp, int64_t due_at)
{
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    if (due_at <= buffer->due_at) {
        buffer->due_at = due_at;
        buffer->own = 1;

        ngx_http_fliq_disp_buffer_arm(disp);
    }
}


void
ngx_http_fliq_disp_buffer_now(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_buffer_at(disp,
                                 ngx_http_fliq_disp_clock_now(&disp->clock));

    /* it may have been due before, and what kept it from that is over */

    ngx_http_fliq_disp_buffer_arm(disp);
}


void
ngx_http_fliq_disp_buffer_drop(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_ask_drop(&disp->buffer.next);

    if (disp->buffer.ask.call) {
        ngx_http_fliq_disp_ask_drop(&disp->buffer.ask);
        ngx_http_fliq_disp_buffer_failed(disp);
    }
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_disp_buffer_disown(ngx_http_fliq_disp_t *disp,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done)
{
    fliq_id_t                     *known;
    ngx_uint_t                     i, n;
    ngx_http_fliq_disp_batches_t  *batches;

    batches = &disp->buffer.batches;
    n = 0;

    known = ngx_palloc(pool, (disp->buffer.nitems + 1) * sizeof(fliq_id_t));
    if (known == NULL) {
        return NULL;
    }

    ngx_http_fliq_disp_buffer_known(&batches->flying, known, &n);
    ngx_http_fliq_disp_buffer_known(&batches->wait, known, &n);

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        ngx_http_fliq_disp_buffer_known(&batches->batches[i].entries, known,
                                        &n);
    }

    return ngx_http_fliq_store_buffer_disown(disp->store, pool,
                                             &disp->owner.id, known, n, done,
                                             disp);
}


ngx_uint_t
ngx_http_fliq_disp_buffer_busy(ngx_http_fliq_disp_t *disp)
{
    return disp->buffer.nitems || disp->buffer.ask.call;
}


void
ngx_http_fliq_disp_buffer_arm(ngx_http_fliq_disp_t *disp)
{
    int64_t                       now, when;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    if (buffer->alarm == NULL) {
        return;
    }

    now = ngx_http_fliq_monotonic();
    when = ngx_http_fliq_disp_buffer_when(disp, now);

    if (when == buffer->armed || (buffer->armed <= now && when <= now)) {
        return;
    }

    buffer->armed = when;

    if (when == NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_alarm_clear(buffer->alarm);

    } else {
        ngx_http_fliq_alarm_set(buffer->alarm, when - now);
    }
}


static void
ngx_http_fliq_disp_buffer_handler(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    disp->buffer.armed = NGX_HTTP_FLIQ_DISP_NEVER;

    ngx_http_fliq_disp_buffer_run(disp);
}


static void
ngx_http_fliq_disp_buffer_run(ngx_http_fliq_disp_t *disp)
{
    int64_t  now;

    now = ngx_http_fliq_monotonic();

    if (ngx_http_fliq_disp_buffer_when(disp, now) <= now) {
        ngx_http_fliq_disp_buffer_claim(disp, now);
    }

    ngx_http_fliq_disp_buffer_arm(disp);
}


static int64_t
ngx_http_fliq_disp_buffer_when(ngx_http_fliq_disp_t *disp, int64_t now)
{
    int64_t                       when, due;
    ngx_uint_t                    slots, enough;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;
    slots = buffer->max - buffer->nitems;

    if (disp->state != NGX_HTTP_FLIQ_DISP_RUNNING
        || disp->owner.state != NGX_HTTP_FLIQ_DISP_OWNER_HELD
        || buffer->ask.call || slots == 0)
    {
        return NGX_HTTP_FLIQ_DISP_NEVER;
    }

    when = buffer->poll;

    if (buffer->backlog) {
        enough = ngx_min(buffer->max / 4, NGX_HTTP_FLIQ_DISP_BUFFER_ENOUGH);

        due = slots >= enough
              ? now : buffer->room + NGX_HTTP_FLIQ_DISP_BUFFER_PATIENCE;
        when = ngx_min(when, due);
    }

    if (buffer->due_at != NGX_HTTP_FLIQ_DISP_NEVER) {
        due = buffer->due_at - disp->clock.offset
              + NGX_HTTP_FLIQ_DISP_BUFFER_MARGIN
              + (buffer->own ? 0 : ngx_http_fliq_disp_claim_spread(disp));
        when = ngx_min(when, due);
    }

    return ngx_max(when, buffer->not_before);
}


/* When the next one is due is asked before the claim, as it is of jobs. */

static void
ngx_http_fliq_disp_buffer_claim(ngx_http_fliq_disp_t *disp, int64_t now)
{
    ngx_pool_t                   *pool;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    ngx_http_fliq_disp_buffer_compose(disp);

    if (buffer->limit == 0) {
        buffer->not_before = now + NGX_HTTP_FLIQ_DISP_BUFFER_PAUSE_MIN;
        return;
    }

    if (!buffer->backlog) {
        ngx_http_fliq_disp_buffer_ask_next(disp);
    }

    pool = ngx_http_fliq_disp_ask(&buffer->ask, disp->log);

    if (pool) {
        buffer->ask.call = ngx_http_fliq_store_buffer_claim(disp->store, pool,
                               &buffer->owner, buffer->limit, buffer->blocked,
                               buffer->nblocked,
                               ngx_http_fliq_disp_buffer_claimed, disp);
    }

    if (buffer->ask.call == NULL) {
        ngx_http_fliq_disp_buffer_failed(disp);
        return;
    }

    buffer->poll = now + (int64_t) disp->conf.poll * 1000
                         * (80 + ngx_random() % 41) / 100;
    buffer->not_before = buffer->backlog
                         ? now : now + NGX_HTTP_FLIQ_DISP_BUFFER_GAP;
}


/* All that a claim takes may be of one lane. */

static void
ngx_http_fliq_disp_buffer_compose(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                    n, room, own;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    room = ngx_http_fliq_disp_lanes_block(&disp->lanes, buffer->blocked,
                                          &buffer->nblocked);
    own = ngx_http_fliq_disp_lanes_block(&buffer->lanes,
                                         buffer->blocked + buffer->nblocked,
                                         &n);
    buffer->nblocked += n;

    room = ngx_min(room, own);
    room = ngx_min(room, buffer->max - buffer->nitems);
    room = ngx_min(room, ngx_http_fliq_disp_multi_room(&disp->multi));
    room = ngx_min(room, NGX_HTTP_FLIQ_DISP_BATCH);

    buffer->limit = buffer->bytes > NGX_HTTP_FLIQ_DISP_BYTES ? 0 : room;

    buffer->owner = disp->owner.id;
    buffer->generation = disp->owner.generation;
}


static void
ngx_http_fliq_disp_buffer_ask_next(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                   *pool;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    pool = ngx_http_fliq_disp_ask(&buffer->next, disp->log);

    if (pool) {
        buffer->next.call = ngx_http_fliq_store_buffer_next(disp->store, pool,
                                ngx_http_fliq_disp_buffer_next, disp);
    }

    if (buffer->next.call) {
        buffer->due_at = NGX_HTTP_FLIQ_DISP_NEVER;
    }
}


static void
ngx_http_fliq_disp_buffer_next(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_http_fliq_due_t    *due;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;
    buffer->next.call = NULL;
    due = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_buffer_now(disp);
        return;
    }

    ngx_http_fliq_disp_clock_sample(&disp->clock, buffer->next.sent,
                                    due->now);

    if (due->due_at != NGX_HTTP_FLIQ_NONE && due->due_at < buffer->due_at) {
        buffer->due_at = due->due_at;
        buffer->own = 0;
    }

    ngx_http_fliq_disp_buffer_arm(disp);
}


static void
ngx_http_fliq_disp_buffer_claimed(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_uint_t                           i, lost;
    const ngx_http_fliq_list_t          *list;
    ngx_http_fliq_disp_buffer_t         *buffer;
    const ngx_http_fliq_item_attempt_t  *attempts;

    buffer = &disp->buffer;
    buffer->ask.call = NULL;
    list = result;

    /* a worker that was stopped meanwhile may have been taken for dead */

    if (rc != NGX_OK
        || ngx_http_fliq_monotonic() - buffer->ask.sent
           > NGX_HTTP_FLIQ_DISP_BUFFER_LATE)
    {
        ngx_http_fliq_disp_buffer_failed(disp);
        return;
    }

    buffer->pause = 0;
    attempts = list->records;
    lost = 0;

    if (list->n) {
        disp->owner.known = ngx_max(disp->owner.known, buffer->ask.sent);
    }

    for (i = 0; i < list->n; i++) {

        if (ngx_http_fliq_disp_item_start(disp, &attempts[i]) != NGX_OK) {
            lost++;
        }
    }

    ngx_http_fliq_disp_buffer_judge(disp, list->n);

    if (lost) {
        ngx_log_error(NGX_LOG_ALERT, disp->log, 0,
                      "no memory to send the items of %ui buffers", lost);
        ngx_http_fliq_disp_buffer_failed(disp);
    }

    ngx_http_fliq_disp_buffer_arm(disp);
}


/* Tell from a claim's answer whether more is due than it brought. */

static void
ngx_http_fliq_disp_buffer_judge(ngx_http_fliq_disp_t *disp, ngx_uint_t n)
{
    ngx_uint_t                    all;
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    buffer->room = buffer->nitems < buffer->max
                   ? ngx_http_fliq_monotonic() : NGX_HTTP_FLIQ_DISP_NEVER / 2;

    all = n < buffer->limit;

    if (all && buffer->backlog) {

        /* it did not ask when the next one is due */

        ngx_http_fliq_disp_buffer_now(disp);
    }

    buffer->backlog = !all;
}


/*
 * Nobody knows whether it took effect.  What follows must not cross with a
 * claim of jobs.
 */

static void
ngx_http_fliq_disp_buffer_failed(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_buffer_t  *buffer;

    buffer = &disp->buffer;

    buffer->pause = ngx_min(ngx_max(buffer->pause * 2,
                                    NGX_HTTP_FLIQ_DISP_BUFFER_PAUSE_MIN),
                            NGX_HTTP_FLIQ_DISP_BUFFER_PAUSE_MAX);
    buffer->not_before = ngx_http_fliq_monotonic() + buffer->pause;

    ngx_http_fliq_disp_buffer_now(disp);
    ngx_http_fliq_disp_claim_drop(disp);
    ngx_http_fliq_disp_owner_unsure(disp);
}


static void
ngx_http_fliq_disp_buffer_known(ngx_queue_t *entries, fliq_id_t *known,
    ngx_uint_t *n)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(entries);
         q != ngx_queue_sentinel(entries);
         q = ngx_queue_next(q))
    {
        known[(*n)++] = ngx_http_fliq_disp_buffer_item(q)->outcome.buffer_id;
    }
}


static ngx_http_fliq_store_call_t *
ngx_http_fliq_disp_buffer_send(ngx_http_fliq_disp_batch_t *batch,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done)
{
    ngx_uint_t                            n;
    ngx_queue_t                          *q;
    ngx_http_fliq_disp_t                 *disp;
    const ngx_http_fliq_item_outcome_t  **outcomes;

    disp = batch->batches->disp;
    n = 0;

    outcomes = ngx_palloc(pool, batch->n * sizeof(void *));
    if (outcomes == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&batch->entries);
         q != ngx_queue_sentinel(&batch->entries);
         q = ngx_queue_next(q))
    {
        outcomes[n++] = &ngx_http_fliq_disp_buffer_item(q)->outcome;
    }

    return ngx_http_fliq_store_buffer_settle(disp->store, pool, &batch->owner,
                                             disp->settle.shard, outcomes, n,
                                             done, batch);
}


static void
ngx_http_fliq_disp_buffer_settled(ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled)
{
    while (!ngx_queue_empty(&batch->entries)) {
        ngx_http_fliq_disp_item_free(ngx_http_fliq_disp_buffer_item(
                                         ngx_queue_head(&batch->entries)));
    }

    if (settled->next_at != NGX_HTTP_FLIQ_NONE) {
        ngx_http_fliq_disp_buffer_at(batch->batches->disp, settled->next_at);
    }
}


static void
ngx_http_fliq_disp_buffer_strip(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_disp_item_t  *item;

    item = (ngx_http_fliq_disp_item_t *) entry;

    if (item->outcome.error.data) {
        ngx_str_set(&item->outcome.error, "the attempt failed");
    }
}


/* It stays claimed, and is sent again when this dispatcher has left. */

static void
ngx_http_fliq_disp_buffer_lost(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_disp_item_t  *item;

    item = (ngx_http_fliq_disp_item_t *) entry;

    ngx_log_error(NGX_LOG_ALERT, item->disp->log, 0,
                  "the outcome of %V cannot be recorded",
                  &item->request.delivery_id);

    ngx_http_fliq_disp_item_free(item);
}


/* The item of a buffer that is another dispatcher's by now. */

static void
ngx_http_fliq_disp_buffer_forget(ngx_http_fliq_disp_entry_t *entry)
{
    ngx_http_fliq_disp_item_free((ngx_http_fliq_disp_item_t *) entry);
}
