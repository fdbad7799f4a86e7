/*
 * Reads of single jobs share statements.  Those that arrive in one pass of
 * the event loop, or while others are under way, wait and travel together;
 * each is answered on its own.
 *
 * A batch that the server refused is sent again one by one, so that a bad
 * row fails alone.  What waited for long for a batch that was lost fails with
 * it: the next one may take as long.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


/* A page of jobs takes as much memory as a batch whose bodies are large. */
#define NGX_HTTP_FLIQ_READ_ROWS     32
#define NGX_HTTP_FLIQ_READ_BATCHES  2
#define NGX_HTTP_FLIQ_READ_PATIENCE 1000        /* ms */


typedef struct ngx_http_fliq_read_batch_s  ngx_http_fliq_read_batch_t;

typedef struct {
    fliq_id_t                      account;
    fliq_id_t                      job;
} ngx_http_fliq_read_key_t;

/* In the pool that the caller gave. */
typedef struct {
    ngx_http_fliq_store_call_t     call;        /* must be first */
    ngx_queue_t                    queue;       /* while it waits */
    ngx_http_fliq_read_batch_t    *batch;       /* NULL: it waits */
    ngx_uint_t                     index;       /* its place in the batch */
    ngx_msec_t                     start;
    ngx_http_fliq_read_key_t       key;
    unsigned                       alone:1;     /* goes in a batch of one */
} ngx_http_fliq_read_t;

struct ngx_http_fliq_read_batch_s {
    ngx_http_fliq_store_t         *store;
    ngx_pool_t                    *pool;
    ngx_uint_t                     n;
    ngx_http_fliq_read_t          *reads[NGX_HTTP_FLIQ_READ_ROWS];
                                                /* NULL: cancelled */
    ngx_http_fliq_read_key_t       keys[NGX_HTTP_FLIQ_READ_ROWS];
};


static void ngx_http_fliq_read_cancel(ngx_http_fliq_store_call_t *call);
static void ngx_http_fliq_read_flush(ngx_event_t *ev);
static ngx_int_t ngx_http_fliq_read_send(ngx_http_fliq_store_t *store);
static void ngx_http_fliq_read_gather(ngx_http_fliq_read_batch_t *batch);
static ngx_http_fliq_store_call_t *ngx_http_fliq_read_run(
    ngx_http_fliq_store_call_t *call, ngx_http_fliq_read_batch_t *batch);
static void ngx_http_fliq_read_rows(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_read_row(ngx_http_fliq_read_t *read,
    const PGresult *res, int row);
static void ngx_http_fliq_read_failed(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_read_refuse(ngx_http_fliq_store_t *store,
    ngx_msec_t patience);


void
ngx_http_fliq_store_reads_init(ngx_http_fliq_store_t *store, ngx_uint_t max)
{
    ngx_queue_init(&store->reads);

    store->max_reads = max;
    store->read_flush.handler = ngx_http_fliq_read_flush;
    store->read_flush.data = store;
    store->read_flush.log = store->log;
}


void
ngx_http_fliq_store_reads_done(ngx_http_fliq_store_t *store)
{
    if (store->read_flush.posted) {
        ngx_delete_posted_event(&store->read_flush);
    }
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_get(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_read_t  *read;

    if (store->nreads >= store->max_reads) {
        return NULL;
    }

    read = ngx_pcalloc(pool, sizeof(ngx_http_fliq_read_t));
    if (read == NULL) {
        return NULL;
    }

    read->call.store = store;
    read->call.pool = pool;
    read->call.done = done;
    read->call.data = data;
    read->call.cancel = ngx_http_fliq_read_cancel;
    read->start = ngx_current_msec;
    read->key.account = *account;
    read->key.job = *id;

    ngx_queue_insert_tail(&store->reads, &read->queue);
    store->nreads++;

    if (!store->read_flush.posted) {
        ngx_post_event(&store->read_flush, &ngx_posted_events);
    }

    return &read->call;
}


static void
ngx_http_fliq_read_cancel(ngx_http_fliq_store_call_t *call)
{
    ngx_http_fliq_read_t  *read = (ngx_http_fliq_read_t *) call;

    if (read->batch) {
        read->batch->reads[read->index] = NULL;
        return;
    }

    ngx_queue_remove(&read->queue);
    call->store->nreads--;
}


static void
ngx_http_fliq_read_flush(ngx_event_t *ev)
{
    ngx_http_fliq_store_t  *store = ev->data;

    while (store->read_batches < NGX_HTTP_FLIQ_READ_BATCHES
           && !ngx_queue_empty(&store->reads))
    {
        if (ngx_http_fliq_read_send(store) != NGX_OK) {
            /* no memory: nobody would look at these again */
            ngx_http_fliq_read_refuse(store, 0);
            return;
        }
    }
}


static ngx_int_t
ngx_http_fliq_read_send(ngx_http_fliq_store_t *store)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_store_call_t  *call;
    ngx_http_fliq_read_batch_t  *batch;

    pool = ngx_create_pool(4096, store->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    batch = ngx_palloc(pool, sizeof(ngx_http_fliq_read_batch_t));
    if (batch == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    batch->store = store;
    batch->pool = pool;

    ngx_http_fliq_read_gather(batch);

    store->read_batches++;

    call = ngx_http_fliq_store_call(store, pool, ngx_http_fliq_read_failed,
                                    batch);
    if (call) {
        call = ngx_http_fliq_read_run(call, batch);
    }

    if (call == NULL) {
        ngx_http_fliq_read_failed(batch, NGX_BUSY, NULL);
    }

    return NGX_OK;
}


/* Moves reads from the queue to a new batch. */

static void
ngx_http_fliq_read_gather(ngx_http_fliq_read_batch_t *batch)
{
    ngx_queue_t            *head;
    ngx_http_fliq_read_t   *read;
    ngx_http_fliq_store_t  *store;

    store = batch->store;
    batch->n = 0;

    while (batch->n < NGX_HTTP_FLIQ_READ_ROWS
           && !ngx_queue_empty(&store->reads))
    {
        head = ngx_queue_head(&store->reads);
        read = ngx_queue_data(head, ngx_http_fliq_read_t, queue);

        if (read->alone && batch->n > 0) {
            break;
        }

        ngx_queue_remove(head);
        store->nreads--;

        read->batch = batch;
        read->index = batch->n;
        batch->keys[batch->n] = read->key;
        batch->reads[batch->n++] = read;

        if (read->alone) {
            break;
        }
    }
}


static ngx_http_fliq_store_call_t *
ngx_http_fliq_read_run(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_read_batch_t *batch)
{
    ngx_http_fliq_read_key_t            *keys;
    const ngx_http_fliq_db_statement_t  *statement;

    keys = batch->keys;
    call->ctx = batch;

    if (batch->n == 1) {
        statement = &fliq_sql_job_get;
        ngx_http_fliq_bind_id(call, &keys->account);
        ngx_http_fliq_bind_id(call, &keys->job);

    } else {
        statement = &fliq_sql_job_get_many;
        ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, &keys->account,
                                 batch->n, sizeof(ngx_http_fliq_read_key_t));
        ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, &keys->job,
                                 batch->n, sizeof(ngx_http_fliq_read_key_t));
    }

    return ngx_http_fliq_store_run(call, batch->store->api, statement,
                                   ngx_http_fliq_read_rows);
}


static void
ngx_http_fliq_read_rows(ngx_http_fliq_store_call_t *call, const PGresult *res)
{
    int                          row;
    ngx_uint_t                   i;
    ngx_http_fliq_read_t        *read;
    ngx_http_fliq_store_t       *store;
    ngx_http_fliq_read_batch_t  *batch;

    batch = call->ctx;
    store = batch->store;
    store->read_batches--;

    for (row = 0; row < PQntuples(res); row++) {

        i = (batch->n == 1) ? 0
            : ngx_http_fliq_get_int(res, row, NGX_HTTP_FLIQ_JOB_COLUMNS) - 1;

        read = batch->reads[i];

        if (read) {
            batch->reads[i] = NULL;
            ngx_http_fliq_read_row(read, res, row);
        }
    }

    for (i = 0; i < batch->n; i++) {
        read = batch->reads[i];

        if (read) {
            read->call.done(read->call.data, NGX_DECLINED, NULL);
        }
    }

    ngx_destroy_pool(batch->pool);
    ngx_http_fliq_read_flush(&store->read_flush);
}


static void
ngx_http_fliq_read_row(ngx_http_fliq_read_t *read, const PGresult *res,
    int row)
{
    ngx_http_fliq_job_t  job;

    ngx_http_fliq_get_job(&read->call, res, row, &job);
    ngx_http_fliq_store_opened(&read->call, NGX_OK, &job);
}


static void
ngx_http_fliq_read_failed(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_read_batch_t *batch = data;

    ngx_uint_t              i;
    ngx_http_fliq_read_t   *read;
    ngx_http_fliq_store_t  *store;

    store = batch->store;
    store->read_batches--;

    for (i = batch->n; i-- > 0; /* void */) {

        read = batch->reads[i];
        if (read == NULL) {
            continue;
        }

        if (rc == NGX_ERROR && batch->n > 1) {
            read->alone = 1;
            read->batch = NULL;
            ngx_queue_insert_head(&store->reads, &read->queue);
            store->nreads++;

        } else {
            read->call.done(read->call.data, rc, NULL);
        }
    }

    ngx_destroy_pool(batch->pool);

    if (rc == NGX_BUSY) {
        ngx_http_fliq_read_refuse(store, NGX_HTTP_FLIQ_READ_PATIENCE);
    }

    if (!store->read_flush.posted) {
        ngx_post_event(&store->read_flush, &ngx_posted_events);
    }
}


/* Those that have waited for ${patience} ms, oldest first. */

static void
ngx_http_fliq_read_refuse(ngx_http_fliq_store_t *store, ngx_msec_t patience)
{
    ngx_uint_t             n;
    ngx_queue_t           *head;
    ngx_http_fliq_read_t  *read;

    for (n = store->nreads; n > 0 && !ngx_queue_empty(&store->reads); n--) {
        head = ngx_queue_head(&store->reads);
        read = ngx_queue_data(head, ngx_http_fliq_read_t, queue);

        if (ngx_current_msec - read->start < patience) {
            break;
        }

        ngx_queue_remove(head);
        store->nreads--;

        read->call.done(read->call.data, NGX_BUSY, NULL);
    }
}
