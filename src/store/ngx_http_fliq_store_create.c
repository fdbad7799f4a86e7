/*
 * Creates share commits.  Those that arrive in one pass of the event loop, or
 * while a commit is under way, wait and travel together in the next one; each
 * is answered on its own.
 *
 * A batch whose connection was lost is sent once more: nobody knows whether
 * it took effect, but a job's id tells; what has waited for it for long fails
 * with it.  A batch that the server refused is sent again row by row, so that
 * a bad row fails alone.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


#define NGX_HTTP_FLIQ_CREATE_ROWS     256
#define NGX_HTTP_FLIQ_CREATE_BYTES    (4 * 1024 * 1024)
#define NGX_HTTP_FLIQ_CREATE_BATCHES  1
#define NGX_HTTP_FLIQ_CREATE_AGAIN    1000      /* ms: no second try later */


typedef struct ngx_http_fliq_create_batch_s  ngx_http_fliq_create_batch_t;

/* One create; its pool is its own. */
typedef struct {
    ngx_http_fliq_store_call_t       call;      /* must be first */
    ngx_queue_t                      queue;     /* while it waits */
    ngx_http_fliq_create_batch_t    *batch;     /* NULL: it waits */
    ngx_uint_t                       index;     /* its place in the batch */
    ngx_http_fliq_job_t             *job;
    ngx_msec_t                       start;
    unsigned                         alone:1;   /* goes in a batch of one */
    unsigned                         again:1;   /* this is the second try */
} ngx_http_fliq_create_t;

struct ngx_http_fliq_create_batch_s {
    ngx_http_fliq_store_t           *store;
    ngx_pool_t                      *pool;
    ngx_uint_t                       n;
    ngx_http_fliq_create_t         **creates;   /* NULL: cancelled */
    const void                     **jobs;
    unsigned                         keyless:1; /* nothing there can be in
                                                   the way of a row */
};


static void ngx_http_fliq_create_cancel(ngx_http_fliq_store_call_t *call);
static void ngx_http_fliq_create_flush(ngx_event_t *ev);
static void ngx_http_fliq_create_refuse_all(ngx_http_fliq_store_t *store);
static ngx_int_t ngx_http_fliq_create_send(ngx_http_fliq_store_t *store);
static ngx_http_fliq_create_batch_t *ngx_http_fliq_create_gather(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool);
static void ngx_http_fliq_create_bind(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_create_batch_t *batch);
static void ngx_http_fliq_create_made(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_create_failed(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_create_look(ngx_http_fliq_create_t *create);
static void ngx_http_fliq_create_answer(void *data, ngx_int_t rc,
    const PGresult *res);
static void ngx_http_fliq_create_wait(ngx_http_fliq_create_t *create);
static void ngx_http_fliq_create_refuse(ngx_http_fliq_store_t *store);
static void ngx_http_fliq_create_end(ngx_http_fliq_create_t *create,
    ngx_int_t rc, const ngx_http_fliq_job_t *result);
static size_t ngx_http_fliq_create_size(ngx_http_fliq_job_t *job);


void
ngx_http_fliq_store_creates_init(ngx_http_fliq_store_t *store, ngx_uint_t max)
{
    ngx_queue_init(&store->creates);

    store->max_creates = max;
    store->flush.handler = ngx_http_fliq_create_flush;
    store->flush.data = store;
    store->flush.log = store->log;
}


void
ngx_http_fliq_store_creates_done(ngx_http_fliq_store_t *store)
{
    if (store->flush.posted) {
        ngx_delete_posted_event(&store->flush);
    }
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_job_create(ngx_http_fliq_store_t *store,
    ngx_http_fliq_job_t *job, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_pool_t              *pool;
    ngx_http_fliq_create_t  *create;

    if (store->ncreates >= store->max_creates) {
        return NULL;
    }

    pool = ngx_create_pool(1024, store->log);
    if (pool == NULL) {
        return NULL;
    }

    create = ngx_pcalloc(pool, sizeof(ngx_http_fliq_create_t));
    if (create == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    create->call.store = store;
    create->call.pool = pool;
    create->call.done = done;
    create->call.data = data;
    create->call.cancel = ngx_http_fliq_create_cancel;
    create->job = job;
    create->start = ngx_current_msec;

    ngx_queue_insert_tail(&store->creates, &create->queue);
    store->ncreates++;

    if (!store->flush.posted) {
        ngx_post_event(&store->flush, &ngx_posted_events);
    }

    return &create->call;
}


static void
ngx_http_fliq_create_cancel(ngx_http_fliq_store_call_t *call)
{
    ngx_http_fliq_create_t  *create = (ngx_http_fliq_create_t *) call;

    if (create->batch) {
        create->batch->creates[create->index] = NULL;

    } else if (call->query) {
        ngx_http_fliq_db_cancel(call->query);

    } else {
        ngx_queue_remove(&create->queue);
        call->store->ncreates--;
    }

    ngx_destroy_pool(call->pool);
}


static void
ngx_http_fliq_create_flush(ngx_event_t *ev)
{
    ngx_http_fliq_store_t  *store = ev->data;

    while (store->batches < NGX_HTTP_FLIQ_CREATE_BATCHES
           && !ngx_queue_empty(&store->creates))
    {
        if (ngx_http_fliq_create_send(store) != NGX_OK) {
            ngx_http_fliq_create_refuse_all(store);
            return;
        }
    }
}


/* No memory for a batch: nobody would look at these again. */

static void
ngx_http_fliq_create_refuse_all(ngx_http_fliq_store_t *store)
{
    ngx_uint_t               n;
    ngx_queue_t             *q;
    ngx_http_fliq_create_t  *create;

    for (n = store->ncreates; n > 0 && !ngx_queue_empty(&store->creates); n--)
    {
        q = ngx_queue_head(&store->creates);
        create = ngx_queue_data(q, ngx_http_fliq_create_t, queue);

        ngx_queue_remove(q);
        store->ncreates--;

        ngx_http_fliq_create_end(create, NGX_BUSY, NULL);
    }
}


static ngx_int_t
ngx_http_fliq_create_send(ngx_http_fliq_store_t *store)
{
    ngx_pool_t                    *pool;
    ngx_http_fliq_store_call_t    *call;
    ngx_http_fliq_create_batch_t  *batch;

    pool = ngx_create_pool(16384, store->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    batch = ngx_http_fliq_create_gather(store, pool);
    if (batch == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    store->batches++;

    call = ngx_http_fliq_store_call(store, pool, ngx_http_fliq_create_failed,
                                    batch);
    if (call) {
        ngx_http_fliq_create_bind(call, batch);
        call->ctx = batch;
        call = ngx_http_fliq_store_run(call, store->api,
                                       batch->keyless
                                       ? &fliq_sql_job_create_keyless
                                       : &fliq_sql_job_create,
                                       ngx_http_fliq_create_made);
    }

    if (call == NULL) {
        ngx_http_fliq_create_failed(batch, NGX_BUSY, NULL);
    }

    return NGX_OK;
}


/* Moves creates from the queue to a new batch. */

static ngx_http_fliq_create_batch_t *
ngx_http_fliq_create_gather(ngx_http_fliq_store_t *store, ngx_pool_t *pool)
{
    size_t                         bytes;
    ngx_uint_t                     max;
    ngx_queue_t                   *q;
    ngx_http_fliq_create_t        *create;
    ngx_http_fliq_create_batch_t  *batch;

    max = ngx_min(store->ncreates, NGX_HTTP_FLIQ_CREATE_ROWS);

    batch = ngx_pcalloc(pool, sizeof(ngx_http_fliq_create_batch_t));
    if (batch == NULL) {
        return NULL;
    }

    batch->store = store;
    batch->pool = pool;
    batch->keyless = 1;
    batch->creates = ngx_palloc(pool, max * sizeof(void *));
    batch->jobs = ngx_palloc(pool, max * sizeof(void *));

    if (batch->creates == NULL || batch->jobs == NULL) {
        return NULL;
    }

    bytes = 0;

    while (batch->n < max && bytes < NGX_HTTP_FLIQ_CREATE_BYTES) {

        q = ngx_queue_head(&store->creates);
        create = ngx_queue_data(q, ngx_http_fliq_create_t, queue);

        if (create->alone && batch->n > 0) {
            break;
        }

        ngx_queue_remove(q);
        store->ncreates--;

        if (create->again || create->job->idempotency_key.data) {
            batch->keyless = 0;
        }

        create->batch = batch;
        create->index = batch->n;
        batch->creates[batch->n] = create;
        batch->jobs[batch->n] = create->job;
        batch->n++;

        bytes += ngx_http_fliq_create_size(create->job);

        if (create->alone) {
            break;
        }
    }

    return batch;
}


static size_t
ngx_http_fliq_create_size(ngx_http_fliq_job_t *job)
{
    return job->url.len + job->headers.len + job->body.len
           + job->webhook_url.len + job->webhook_headers.len;
}


static void
ngx_http_fliq_create_bind(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_create_batch_t *batch)
{
    ngx_uint_t  i;

    static const struct {
        ngx_http_fliq_bind_e    type;
        int                     kind;       /* 0: it is never sealed */
        size_t                  offset;
        ngx_uint_t              key;        /* keyless ones do not have it */
    } columns[] = {
        { NGX_HTTP_FLIQ_BIND_ID, 0,
          offsetof(ngx_http_fliq_job_t, account_id), 0 },
        { NGX_HTTP_FLIQ_BIND_ID, 0, offsetof(ngx_http_fliq_job_t, id), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, 0, offsetof(ngx_http_fliq_job_t, url), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, 0,
          offsetof(ngx_http_fliq_job_t, method), 0 },
        { NGX_HTTP_FLIQ_BIND_TIME, 0,
          offsetof(ngx_http_fliq_job_t, scheduled_at), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, FLIQ_SEAL_HEADERS,
          offsetof(ngx_http_fliq_job_t, headers), 0 },
        { NGX_HTTP_FLIQ_BIND_BYTEA, FLIQ_SEAL_BODY,
          offsetof(ngx_http_fliq_job_t, body), 0 },
        { NGX_HTTP_FLIQ_BIND_INT4, 0,
          offsetof(ngx_http_fliq_job_t, max_retries), 0 },
        { NGX_HTTP_FLIQ_BIND_INT4, 0,
          offsetof(ngx_http_fliq_job_t, timeout_seconds), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, 0,
          offsetof(ngx_http_fliq_job_t, backoff), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, 0,
          offsetof(ngx_http_fliq_job_t, idempotency_key), 1 },
        { NGX_HTTP_FLIQ_BIND_BYTEA, 0,
          offsetof(ngx_http_fliq_job_t, request_hash), 1 },
        { NGX_HTTP_FLIQ_BIND_TEXT, 0,
          offsetof(ngx_http_fliq_job_t, webhook_url), 0 },
        { NGX_HTTP_FLIQ_BIND_TEXT, FLIQ_SEAL_WEBHOOK_HEADERS,
          offsetof(ngx_http_fliq_job_t, webhook_headers), 0 },
        { NGX_HTTP_FLIQ_BIND_INT4, 0, offsetof(ngx_http_fliq_job_t, lane), 0 },
        { NGX_HTTP_FLIQ_BIND_INT4, 0,
          offsetof(ngx_http_fliq_job_t, webhook_lane), 0 }
    };

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {

        if (columns[i].key && batch->keyless) {
            continue;
        }

        if (columns[i].kind) {
            ngx_http_fliq_bind_sealed_column(call, columns[i].kind,
                                    batch->jobs, batch->n,
                                    offsetof(ngx_http_fliq_job_t, account_id),
                                    columns[i].offset);
        } else {
            ngx_http_fliq_bind_column(call, columns[i].type, batch->jobs,
                                      batch->n, columns[i].offset);
        }
    }
}


/*
 * The rows come back in no certain order, but nearly always in that of the
 * batch, where the search for the next one begins.
 */

static void
ngx_http_fliq_create_made(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                            row;
    int64_t                        created_at;
    fliq_id_t                      id;
    ngx_uint_t                     i, k, at;
    ngx_http_fliq_job_t           *job;
    ngx_http_fliq_store_t         *store;
    ngx_http_fliq_create_t        *create;
    ngx_http_fliq_create_batch_t  *batch;

    batch = call->ctx;
    store = batch->store;
    store->batches--;
    at = 0;

    for (row = 0; row < PQntuples(res); row++) {

        ngx_http_fliq_get_id(res, row, 0, &id);
        created_at = ngx_http_fliq_get_time(res, row, 1);

        for (k = 0; k < batch->n; k++) {
            i = (at + k) % batch->n;
            create = batch->creates[i];

            if (create == NULL
                || ngx_memcmp(&create->job->id, &id, sizeof(id)) != 0)
            {
                continue;
            }

            job = create->job;
            job->created_at = created_at;
            job->updated_at = created_at;
            job->next_attempt_at = job->scheduled_at;
            job->started_at = NGX_HTTP_FLIQ_NONE;
            job->completed_at = NGX_HTTP_FLIQ_NONE;
            ngx_str_set(&job->status, "scheduled");

            batch->creates[i] = NULL;
            at = i + 1;

            ngx_http_fliq_create_end(create, NGX_OK, job);
            break;
        }
    }

    for (i = 0; i < batch->n; i++) {
        if (batch->creates[i]) {
            ngx_http_fliq_create_look(batch->creates[i]);
        }
    }

    ngx_destroy_pool(batch->pool);
    ngx_http_fliq_create_flush(&store->flush);
}


/*
 * A row that was left out: its key is taken, its time has passed, or a first
 * try had made it.
 */

static void
ngx_http_fliq_create_look(ngx_http_fliq_create_t *create)
{
    ngx_http_fliq_job_t         *job;
    ngx_http_fliq_store_call_t  *call;

    call = &create->call;
    job = create->job;
    create->batch = NULL;

    if (job->idempotency_key.data == NULL && !create->again) {
        ngx_http_fliq_create_end(create, NGX_DECLINED, NULL);
        return;
    }

    call->nparams = 0;

    ngx_http_fliq_bind_id(call, &job->account_id);
    ngx_http_fliq_bind_str(call, &job->idempotency_key);
    ngx_http_fliq_bind_id(call, &job->id);

    call->query = ngx_http_fliq_db_query(call->store->api,
                                         &fliq_sql_job_by_key, call->params,
                                         ngx_http_fliq_create_answer, create);

    if (call->query == NULL) {
        ngx_http_fliq_create_end(create, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_create_answer(void *data, ngx_int_t rc, const PGresult *res)
{
    ngx_http_fliq_create_t *create = data;

    ngx_http_fliq_job_t   first, *job;

    create->call.query = NULL;

    if (rc != NGX_OK) {
        rc = ngx_http_fliq_store_outcome(create->call.store, rc, res);
        ngx_http_fliq_create_end(create, rc, NULL);
        return;
    }

    if (PQntuples(res) == 0) {
        ngx_http_fliq_create_end(create, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_get_job(&create->call, res, 0, &first);
    job = create->job;

    if (create->call.failed || create->call.closed) {
        ngx_http_fliq_create_end(create, NGX_ERROR, NULL);
        return;
    }

    if (ngx_memcmp(&first.id, &job->id, sizeof(fliq_id_t)) != 0) {
        ngx_http_fliq_create_end(create, NGX_DECLINED, &first);
        return;
    }

    ngx_http_fliq_create_end(create, NGX_OK, &first);
}


static void
ngx_http_fliq_create_failed(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_create_batch_t *batch = data;

    ngx_uint_t               i;
    ngx_http_fliq_store_t   *store;
    ngx_http_fliq_create_t  *create;

    store = batch->store;
    store->batches--;

    for (i = batch->n; i-- > 0; /* void */) {

        create = batch->creates[i];
        if (create == NULL) {
            continue;
        }

        if (rc == NGX_ERROR && batch->n > 1) {
            create->alone = 1;
            ngx_http_fliq_create_wait(create);

        } else if (rc == NGX_BUSY && !create->again
                   && ngx_current_msec - create->start
                      < NGX_HTTP_FLIQ_CREATE_AGAIN)
        {
            create->again = 1;
            ngx_http_fliq_create_wait(create);

        } else {
            ngx_http_fliq_create_end(create, rc, NULL);
        }
    }

    ngx_destroy_pool(batch->pool);

    if (rc == NGX_BUSY) {
        ngx_http_fliq_create_refuse(store);
    }

    if (!store->flush.posted) {
        ngx_post_event(&store->flush, &ngx_posted_events);
    }
}


/* Puts a create back at the head of the queue. */

static void
ngx_http_fliq_create_wait(ngx_http_fliq_create_t *create)
{
    ngx_http_fliq_store_t  *store = create->call.store;

    create->batch = NULL;
    ngx_queue_insert_head(&store->creates, &create->queue);
    store->ncreates++;
}


/*
 * Those that have waited long for a batch that failed, oldest first: the next
 * one may take as long to fail.
 */

static void
ngx_http_fliq_create_refuse(ngx_http_fliq_store_t *store)
{
    ngx_queue_t             *head;
    ngx_http_fliq_create_t  *create;

    while (!ngx_queue_empty(&store->creates)) {
        head = ngx_queue_head(&store->creates);
        create = ngx_queue_data(head, ngx_http_fliq_create_t, queue);

        if (ngx_current_msec - create->start < NGX_HTTP_FLIQ_CREATE_AGAIN) {
            break;
        }

        ngx_queue_remove(head);
        store->ncreates--;

        ngx_http_fliq_create_end(create, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_create_end(ngx_http_fliq_create_t *create, ngx_int_t rc,
    const ngx_http_fliq_job_t *result)
{
    ngx_pool_t                   *pool;
    ngx_http_fliq_store_call_t   *call;

    call = &create->call;
    pool = call->pool;

    call->done(call->data, rc, result);

    ngx_destroy_pool(pool);
}
