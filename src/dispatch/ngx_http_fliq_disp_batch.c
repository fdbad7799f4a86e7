/*
 * Outcomes on their way into the database, of one kind.
 *
 * They travel in batches: a batch leaves when it is full, when its oldest
 * outcome has waited for two milliseconds, or when nothing is in flight that
 * could join it.  A batch whose fate is not known is sent again as it is,
 * which changes nothing the second time.
 */

#include "ngx_http_fliq_disp_private.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_LINGER     2000
#define NGX_HTTP_FLIQ_DISP_AGAIN_MIN  50000
#define NGX_HTTP_FLIQ_DISP_AGAIN_MAX  1000000


static void ngx_http_fliq_disp_batches_handler(void *data);
static int64_t ngx_http_fliq_disp_batches_when(
    ngx_http_fliq_disp_batches_t *batches, int64_t now);
static void ngx_http_fliq_disp_batches_run(
    ngx_http_fliq_disp_batches_t *batches);
static void ngx_http_fliq_disp_batch_set_state(
    ngx_http_fliq_disp_batch_t *batch, ngx_http_fliq_disp_batch_e state);
static void ngx_http_fliq_disp_batch_fill(ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_send(ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_again(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_done(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_batch_settled(
    ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled);
static void ngx_http_fliq_disp_batch_discard(
    ngx_http_fliq_disp_batch_t *batch);
static void ngx_http_fliq_disp_batch_refused(
    ngx_http_fliq_disp_batch_t *batch);


static ngx_http_fliq_disp_entry_t *
ngx_http_fliq_disp_batch_first(ngx_queue_t *queue)
{
    return ngx_queue_data(ngx_queue_head(queue), ngx_http_fliq_disp_entry_t,
                          queue);
}


ngx_int_t
ngx_http_fliq_disp_batches_init(ngx_http_fliq_disp_batches_t *batches,
    ngx_http_fliq_disp_t *disp, const ngx_http_fliq_disp_kind_t *kind)
{
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    batches->disp = disp;
    batches->kind = kind;
    batches->armed = NGX_HTTP_FLIQ_DISP_NEVER;

    ngx_queue_init(&batches->flying);
    ngx_queue_init(&batches->wait);

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        batch->number = i;
        batch->batches = batches;
        ngx_queue_init(&batch->entries);
    }

    batches->alarm = ngx_http_fliq_alarm_create(
                         ngx_http_fliq_disp_batches_handler, batches,
                         disp->log);

    return batches->alarm ? NGX_OK : NGX_ERROR;
}


void
ngx_http_fliq_disp_batches_done(ngx_http_fliq_disp_batches_t *batches)
{
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    if (batches->disp == NULL) {
        return;
    }

    ngx_http_fliq_alarm_destroy(batches->alarm);
    batches->alarm = NULL;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        ngx_http_fliq_disp_ask_done(&batch->ask);
        ngx_http_fliq_disp_batch_discard(batch);
    }

    while (!ngx_queue_empty(&batches->wait)) {
        batches->kind->forget(ngx_http_fliq_disp_batch_first(&batches->wait));
    }

    while (!ngx_queue_empty(&batches->flying)) {
        batches->kind->forget(
            ngx_http_fliq_disp_batch_first(&batches->flying));
    }

    batches->n = 0;
}


void
ngx_http_fliq_disp_batches_add(ngx_http_fliq_disp_batches_t *batches,
    ngx_http_fliq_disp_entry_t *entry)
{
    if (batches->n == 0) {
        batches->oldest = ngx_http_fliq_monotonic();
    }

    ngx_queue_remove(&entry->queue);
    ngx_queue_insert_tail(&batches->wait, &entry->queue);
    batches->n++;

    ngx_http_fliq_disp_batches_arm(batches);
}


void
ngx_http_fliq_disp_batches_hurry(ngx_http_fliq_disp_batches_t *batches)
{
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING) {
            batch->retry = ngx_http_fliq_monotonic();
        }
    }

    ngx_http_fliq_disp_batches_arm(batches);
}


void
ngx_http_fliq_disp_batches_arm(ngx_http_fliq_disp_batches_t *batches)
{
    int64_t  now, when;

    if (batches->alarm == NULL) {
        return;
    }

    now = ngx_http_fliq_monotonic();
    when = ngx_http_fliq_disp_batches_when(batches, now);

    if (when == batches->armed || (batches->armed <= now && when <= now)) {
        return;
    }

    batches->armed = when;

    if (when == NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_alarm_clear(batches->alarm);

    } else {
        ngx_http_fliq_alarm_set(batches->alarm, when - now);
    }
}


static void
ngx_http_fliq_disp_batches_handler(void *data)
{
    ngx_http_fliq_disp_batches_t *batches = data;

    batches->armed = NGX_HTTP_FLIQ_DISP_NEVER;

    ngx_http_fliq_disp_batches_run(batches);
    ngx_http_fliq_disp_batches_arm(batches);
}


/* When there is something to send, seen from now. */

static int64_t
ngx_http_fliq_disp_batches_when(ngx_http_fliq_disp_batches_t *batches,
    int64_t now)
{
    int64_t                      when;
    ngx_uint_t                   i, empty;
    ngx_http_fliq_disp_batch_t  *batch;

    when = NGX_HTTP_FLIQ_DISP_NEVER;
    empty = 0;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_EMPTY) {
            empty = 1;

        } else if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING) {
            when = ngx_min(when, batch->retry);
        }
    }

    if (!empty) {
        return when;
    }

    if (batches->n >= NGX_HTTP_FLIQ_DISP_BATCH
        || (batches->n && ngx_queue_empty(&batches->flying)))
    {
        return now;
    }

    if (batches->n) {
        when = ngx_min(when, batches->oldest + NGX_HTTP_FLIQ_DISP_LINGER);
    }

    if (batches->kind->when) {
        when = ngx_min(when, batches->kind->when(batches, now));
    }

    return when;
}


static void
ngx_http_fliq_disp_batches_run(ngx_http_fliq_disp_batches_t *batches)
{
    int64_t                      now;
    ngx_uint_t                   i;
    ngx_http_fliq_disp_batch_t  *batch;

    now = ngx_http_fliq_monotonic();

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_WAITING
            && batch->retry <= now)
        {
            ngx_http_fliq_disp_batch_send(batch);
        }
    }

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_BATCHES; i++) {
        batch = &batches->batches[i];

        if (batch->state == NGX_HTTP_FLIQ_DISP_BATCH_EMPTY
            && ngx_http_fliq_disp_batches_when(batches, now) <= now)
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
        batch->sends = 0;
    }
}


/* Take waiting outcomes, all of them of the present identity, and go. */

static void
ngx_http_fliq_disp_batch_fill(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_uint_t                     discarded, more;
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_entry_t    *entry;
    ngx_http_fliq_disp_batches_t  *batches;

    batches = batch->batches;
    disp = batches->disp;
    discarded = 0;

    batch->owner = disp->owner.id;
    batch->generation = disp->owner.generation;

    while (batches->n && batch->n < NGX_HTTP_FLIQ_DISP_BATCH) {
        entry = ngx_http_fliq_disp_batch_first(&batches->wait);

        if (entry->generation != batch->generation) {
            batches->n--;
            discarded++;
            batches->kind->forget(entry);
            continue;
        }

        if (entry->alone && batch->n) {
            break;
        }

        batches->n--;
        ngx_queue_remove(&entry->queue);
        ngx_queue_insert_tail(&batch->entries, &entry->queue);
        batch->n++;

        if (entry->alone) {
            break;
        }
    }

    batches->oldest = ngx_http_fliq_monotonic();

    if (discarded) {
        ngx_log_error(NGX_LOG_WARN, disp->log, 0,
                      "%ui outcomes came too late and were dropped",
                      discarded);
    }

    more = batches->kind->filled ? batches->kind->filled(batch) : 0;

    if (batch->n || more) {
        ngx_http_fliq_disp_batch_send(batch);
    }
}


static void
ngx_http_fliq_disp_batch_send(ngx_http_fliq_disp_batch_t *batch)
{
    ngx_pool_t                    *pool;
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_batches_t  *batches;

    batches = batch->batches;
    disp = batches->disp;

    if (batch->generation != disp->owner.generation) {
        ngx_http_fliq_disp_batch_discard(batch);
        return;
    }

    batch->sends++;

    pool = ngx_http_fliq_disp_ask(&batch->ask, disp->log);

    if (pool) {
        batch->ask.call = batches->kind->send(batch, pool,
                                             ngx_http_fliq_disp_batch_done);
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
    ngx_http_fliq_disp_batches_t   *batches;
    const ngx_http_fliq_settled_t  *settled;

    batches = batch->batches;
    disp = batches->disp;
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
        ngx_http_fliq_disp_batch_settled(batch, settled);
    }

    ngx_http_fliq_disp_batches_run(batches);
    ngx_http_fliq_disp_batches_arm(batches);

    batches->kind->freed(disp);
}


static void
ngx_http_fliq_disp_batch_settled(ngx_http_fliq_disp_batch_t *batch,
    const ngx_http_fliq_settled_t *settled)
{
    ngx_http_fliq_disp_t          *disp;
    ngx_http_fliq_disp_batches_t  *batches;

    batches = batch->batches;
    disp = batches->disp;

    if (settled->settled < batch->n && batch->sends == 1) {
        ngx_log_error(batches->kind->level, disp->log, 0,
                      "%ui of %ui outcomes were not the next ones of "
                      "their %s", batch->n - settled->settled, batch->n,
                      batches->kind->of);
    }

    batches->kind->settled(batch, settled);

    ngx_http_fliq_disp_batch_discard(batch);

    if (settled->posted) {
        ngx_http_fliq_disp_outbox_look(disp);
    }
}


/* Empty a batch whose outcomes are no longer ours to tell, or are told. */

static void
ngx_http_fliq_disp_batch_discard(ngx_http_fliq_disp_batch_t *batch)
{
    const ngx_http_fliq_disp_kind_t  *kind;

    kind = batch->batches->kind;

    while (!ngx_queue_empty(&batch->entries)) {
        kind->forget(ngx_http_fliq_disp_batch_first(&batch->entries));
    }

    if (kind->emptied) {
        kind->emptied(batch, 0);
    }

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
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_entry_t    *entry;
    ngx_http_fliq_disp_batches_t  *batches;

    batches = batch->batches;

    while (!ngx_queue_empty(&batch->entries)) {
        q = ngx_queue_last(&batch->entries);
        entry = ngx_queue_data(q, ngx_http_fliq_disp_entry_t, queue);

        if (batch->n == 1) {

            if (entry->plain) {
                batches->kind->lost(entry);
                continue;
            }

            entry->plain = 1;
            batches->kind->strip(entry);
        }

        entry->alone = 1;

        ngx_queue_remove(q);
        ngx_queue_insert_head(&batches->wait, q);
        batches->n++;
    }

    if (batches->kind->emptied) {
        batches->kind->emptied(batch, 1);
    }

    ngx_http_fliq_disp_batch_set_state(batch,
                                       NGX_HTTP_FLIQ_DISP_BATCH_EMPTY);
}
