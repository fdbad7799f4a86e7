/*
 * The pool: which query waits, which is in flight and where, how each ends.
 */

#include "ngx_http_fliq_db_private.h"


static ngx_int_t ngx_http_fliq_db_init(ngx_http_fliq_db_t *db);
static ngx_http_fliq_db_conn_t *ngx_http_fliq_db_pick(ngx_http_fliq_db_t *db);
static void ngx_http_fliq_db_wake(ngx_http_fliq_db_t *db);
static void ngx_http_fliq_db_wait(ngx_http_fliq_db_query_t *q,
    ngx_queue_t *after);
static void ngx_http_fliq_db_stop_waiting(ngx_http_fliq_db_query_t *q);
static void ngx_http_fliq_db_launch(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_query_t *q);
static void ngx_http_fliq_db_land(ngx_http_fliq_db_query_t *q);
static ngx_int_t ngx_http_fliq_db_retry(ngx_http_fliq_db_query_t *q,
    ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_end(ngx_http_fliq_db_query_t *q, ngx_int_t rc);
static void ngx_http_fliq_db_expiry_handler(ngx_event_t *ev);
static void ngx_http_fliq_db_report_handler(ngx_event_t *ev);
static void ngx_http_fliq_db_free_queries(ngx_queue_t *queries);


ngx_http_fliq_db_t *
ngx_http_fliq_db_create(const ngx_http_fliq_db_conf_t *conf, ngx_log_t *log)
{
    ngx_uint_t           i;
    ngx_http_fliq_db_t  *db;

    db = ngx_calloc(sizeof(ngx_http_fliq_db_t), log);
    if (db == NULL) {
        return NULL;
    }

    db->conf = *conf;
    db->log = log;

    if (ngx_http_fliq_db_init(db) != NGX_OK) {
        ngx_http_fliq_db_destroy(db);
        return NULL;
    }

    for (i = 0; i < conf->connections; i++) {
        ngx_http_fliq_db_conn_start(&db->conns[i]);
    }

    return db;
}


ngx_http_fliq_db_query_t *
ngx_http_fliq_db_query(ngx_http_fliq_db_t *db,
    const ngx_http_fliq_db_statement_t *statement,
    const ngx_http_fliq_db_param_t *params, ngx_http_fliq_db_done_pt done,
    void *data)
{
    ngx_http_fliq_db_query_t  *q;

    if (db->away) {
        return NULL;
    }

    if (db->nwaiting >= db->conf.queue && ngx_http_fliq_db_pick(db) == NULL) {
        return NULL;
    }

    q = ngx_calloc(sizeof(ngx_http_fliq_db_query_t), db->log);
    if (q == NULL) {
        return NULL;
    }

    q->db = db;
    q->statement = statement;
    q->params = params;
    q->done = done;
    q->data = data;
    q->expires = ngx_current_msec + db->conf.timeout;

    ngx_http_fliq_db_wait(q, ngx_queue_last(&db->waiting));
    ngx_http_fliq_db_dispatch(db);
    ngx_http_fliq_db_wake(db);

    return q;
}


void
ngx_http_fliq_db_cancel(ngx_http_fliq_db_query_t *query)
{
    if (query->conn) {

        /* its answer has still to be read */

        query->done = NULL;
        return;
    }

    if (query->waiting) {
        ngx_http_fliq_db_stop_waiting(query);

    } else {
        ngx_queue_remove(&query->queue);
    }

    ngx_free(query);
}


ngx_uint_t
ngx_http_fliq_db_up(ngx_http_fliq_db_t *db)
{
    return db->nready > 0;
}


ngx_uint_t
ngx_http_fliq_db_load(ngx_http_fliq_db_t *db)
{
    return db->nwaiting + db->ninflight;
}


void
ngx_http_fliq_db_keep(ngx_http_fliq_db_t *db, ngx_uint_t keep)
{
    ngx_uint_t  i;

    db->keep = keep ? 1 : 0;

    for (i = 0; i < db->conf.connections; i++) {
        ngx_http_fliq_db_conn_mark(&db->conns[i]);
        ngx_http_fliq_db_conn_release(&db->conns[i]);
    }
}


void
ngx_http_fliq_db_destroy(ngx_http_fliq_db_t *db)
{
    ngx_uint_t  i;

    if (db->conns) {
        for (i = 0; i < db->conf.connections; i++) {
            ngx_http_fliq_db_conn_destroy(&db->conns[i]);
            ngx_free(db->conns[i].prepared);
        }
    }

    ngx_http_fliq_db_lookup_drop(db->lookup);

    if (db->expiry.timer_set) {
        ngx_del_timer(&db->expiry);
    }

    if (db->report.timer_set) {
        ngx_del_timer(&db->report);
    }

    ngx_http_fliq_db_free_queries(&db->waiting);
    ngx_http_fliq_db_free_queries(&db->ended);

    ngx_free(db->endpoints.elts);
    ngx_free(db->values);
    ngx_free(db->lengths);
    ngx_free(db->formats);
    ngx_free(db->conns);
    ngx_free(db);
}


void
ngx_http_fliq_db_connected(ngx_http_fliq_db_t *db)
{
    db->away = 0;

    if (db->conf.ready) {
        db->conf.ready(db->conf.data);
    }

    ngx_http_fliq_db_dispatch(db);
}


void
ngx_http_fliq_db_attempt_failed(ngx_http_fliq_db_t *db)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    if (db->nready) {
        return;
    }

    db->away = 1;

    while (!ngx_queue_empty(&db->waiting)) {
        head = ngx_queue_head(&db->waiting);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        ngx_http_fliq_db_stop_waiting(q);
        ngx_http_fliq_db_end(q, NGX_BUSY);
    }
}


ngx_uint_t
ngx_http_fliq_db_wanted(ngx_http_fliq_db_t *db)
{
    return !ngx_exiting || db->keep || db->nwaiting;
}


void
ngx_http_fliq_db_dispatch(ngx_http_fliq_db_t *db)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_conn_t   *c;
    ngx_http_fliq_db_query_t  *q;

    while (!ngx_queue_empty(&db->waiting)) {

        c = ngx_http_fliq_db_pick(db);
        if (c == NULL) {
            return;
        }

        head = ngx_queue_head(&db->waiting);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        ngx_http_fliq_db_stop_waiting(q);
        ngx_http_fliq_db_launch(c, q);
    }
}


void
ngx_http_fliq_db_answered(ngx_http_fliq_db_query_t *q)
{
    ngx_int_t                 rc;
    ngx_http_fliq_db_conn_t  *c;

    c = q->conn;
    rc = NGX_DECLINED;

    switch (PQresultStatus(q->result)) {

    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        rc = NGX_OK;
        break;

    default:
        break;
    }

    ngx_http_fliq_db_land(q);

    if (rc == NGX_DECLINED && ngx_http_fliq_db_retry(q, c) == NGX_OK) {
        ngx_http_fliq_db_dispatch(c->db);
        return;
    }

    /* the pipeline is filled first, those who waited before new ones */

    ngx_http_fliq_db_dispatch(c->db);

    if (q->done) {
        q->done(q->data, rc, q->result);
    }

    PQclear(q->result);
    ngx_free(q);

    ngx_http_fliq_db_conn_release(c);
}


void
ngx_http_fliq_db_overdue(ngx_http_fliq_db_query_t *q)
{
    ngx_http_fliq_db_done_pt  done;

    done = q->done;
    q->done = NULL;

    done(q->data, NGX_ERROR, NULL);
}


void
ngx_http_fliq_db_abandon(ngx_http_fliq_db_conn_t *c)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    while (!ngx_queue_empty(&c->flight)) {
        head = ngx_queue_head(&c->flight);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        ngx_http_fliq_db_land(q);

        PQclear(q->result);
        q->result = NULL;

        ngx_http_fliq_db_end(q, NGX_ERROR);
    }
}


static ngx_int_t
ngx_http_fliq_db_init(ngx_http_fliq_db_t *db)
{
    size_t                                size;
    ngx_uint_t                            i, n;
    const ngx_http_fliq_db_conf_t        *conf;

    conf = &db->conf;

    ngx_queue_init(&db->waiting);
    ngx_queue_init(&db->ended);

    db->ident = (ngx_socket_t) -1;

    db->expiry.handler = ngx_http_fliq_db_expiry_handler;
    db->expiry.data = db;
    db->expiry.log = db->log;

    db->report.handler = ngx_http_fliq_db_report_handler;
    db->report.data = db;
    db->report.log = db->log;

    n = 1;

    for (i = 0; i < conf->nstatements; i++) {
        n = ngx_max(n, conf->statements[i]->nparams);
    }

    db->values = ngx_alloc(n * sizeof(char *), db->log);
    db->lengths = ngx_alloc(n * sizeof(int), db->log);
    db->formats = ngx_alloc(n * sizeof(int), db->log);

    size = conf->connections * sizeof(ngx_http_fliq_db_conn_t);
    db->conns = ngx_calloc(size, db->log);

    if (db->values == NULL || db->lengths == NULL || db->formats == NULL
        || db->conns == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < conf->connections; i++) {
        ngx_http_fliq_db_conn_init(&db->conns[i], db);
    }

    for (i = 0; i < conf->connections; i++) {
        db->conns[i].prepared = ngx_calloc(conf->nstatements + 1, db->log);

        if (db->conns[i].prepared == NULL) {
            return NGX_ERROR;
        }
    }

    /* what the master resolved is fresh for the first attempts */

    db->resolved = ngx_current_msec;

    return ngx_http_fliq_db_target_endpoints(conf->target, NULL,
                                             &conf->target->endpoints,
                                             &db->endpoints);
}


/* The ready connection with the least in flight, and room for more. */

static ngx_http_fliq_db_conn_t *
ngx_http_fliq_db_pick(ngx_http_fliq_db_t *db)
{
    ngx_uint_t                i;
    ngx_http_fliq_db_conn_t  *c, *best;

    best = NULL;

    for (i = 0; i < db->conf.connections; i++) {
        c = &db->conns[i];

        if (c->state != NGX_HTTP_FLIQ_DB_READY
            || c->inflight >= db->conf.depth)
        {
            continue;
        }

        if (best == NULL || c->inflight < best->inflight) {
            best = c;
        }
    }

    return best;
}


/* An exiting worker has closed all connections, and needs one again. */

static void
ngx_http_fliq_db_wake(ngx_http_fliq_db_t *db)
{
    ngx_uint_t  i;

    if (!ngx_exiting || db->nwaiting == 0) {
        return;
    }

    for (i = 0; i < db->conf.connections; i++) {
        if (db->conns[i].state != NGX_HTTP_FLIQ_DB_CLOSED) {
            return;
        }
    }

    ngx_http_fliq_db_conn_start(&db->conns[0]);
}


static void
ngx_http_fliq_db_wait(ngx_http_fliq_db_query_t *q, ngx_queue_t *after)
{
    ngx_msec_int_t       left;
    ngx_http_fliq_db_t  *db;

    db = q->db;

    ngx_queue_insert_after(after, &q->queue);
    q->waiting = 1;
    db->nwaiting++;

    if (!db->expiry.timer_set) {
        left = (ngx_msec_int_t) (q->expires - ngx_current_msec);
        ngx_add_timer(&db->expiry, (ngx_msec_t) ngx_max(left, 0));
    }
}


static void
ngx_http_fliq_db_stop_waiting(ngx_http_fliq_db_query_t *q)
{
    ngx_http_fliq_db_t  *db;

    db = q->db;

    ngx_queue_remove(&q->queue);
    q->waiting = 0;

    if (--db->nwaiting == 0 && db->expiry.timer_set) {
        ngx_del_timer(&db->expiry);
    }
}


static void
ngx_http_fliq_db_launch(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_query_t *q)
{
    if (c->inflight == 0) {
        c->heard = ngx_current_msec;
    }

    q->conn = c;
    ngx_queue_insert_tail(&c->flight, &q->queue);

    c->inflight++;
    c->db->ninflight++;

    ngx_http_fliq_db_conn_mark(c);
    ngx_http_fliq_db_conn_send(c, q);
}


static void
ngx_http_fliq_db_land(ngx_http_fliq_db_query_t *q)
{
    ngx_http_fliq_db_conn_t  *c;

    c = q->conn;

    q->conn = NULL;
    ngx_queue_remove(&q->queue);

    c->inflight--;
    c->db->ninflight--;

    if (c->inflight == 0 && c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    ngx_http_fliq_db_conn_mark(c);
}


/*
 * A statement that the server has forgotten (a pooler between) or whose plan
 * no longer fits the tables (a migration) did nothing: it is prepared anew,
 * on another connection, and runs once more.
 */

static ngx_int_t
ngx_http_fliq_db_retry(ngx_http_fliq_db_query_t *q,
    ngx_http_fliq_db_conn_t *c)
{
    u_char       prepared;
    const char  *code, *function;

    code = PQresultErrorField(q->result, PG_DIAG_SQLSTATE);
    function = PQresultErrorField(q->result, PG_DIAG_SOURCE_FUNCTION);

    if (code == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_strcmp(code, "0A000") == 0) {

        if (function == NULL
            || ngx_strcmp(function, "RevalidateCachedQuery") != 0)
        {
            return NGX_DECLINED;
        }

        ngx_http_fliq_db_conn_stale(c);

    } else if (ngx_strcmp(code, "26000") == 0) {

        /* otherwise the Prepare before it has just failed */

        prepared = c->prepared[q->statement->index];

        if (prepared == NGX_HTTP_FLIQ_DB_PREPARED) {
            ngx_http_fliq_db_conn_stale(c);
        }

    } else {
        return NGX_DECLINED;
    }

    if (q->again || q->done == NULL) {
        return NGX_DECLINED;
    }

    PQclear(q->result);
    q->result = NULL;
    q->again = 1;

    ngx_http_fliq_db_wait(q, &q->db->waiting);

    return NGX_OK;
}


/* Its done is called from the loop, not from whoever found out. */

static void
ngx_http_fliq_db_end(ngx_http_fliq_db_query_t *q, ngx_int_t rc)
{
    ngx_http_fliq_db_t  *db;

    db = q->db;

    if (q->done == NULL) {
        ngx_free(q);
        return;
    }

    q->rc = rc;
    ngx_queue_insert_tail(&db->ended, &q->queue);

    /* a timer, since an exiting worker waits for it and not for posted ones */

    if (!db->report.timer_set) {
        ngx_add_timer(&db->report, 0);
    }
}


static void
ngx_http_fliq_db_expiry_handler(ngx_event_t *ev)
{
    ngx_msec_int_t             left;
    ngx_queue_t               *head;
    ngx_http_fliq_db_t        *db;
    ngx_http_fliq_db_query_t  *q;

    db = ev->data;

    while (!ngx_queue_empty(&db->waiting)) {
        head = ngx_queue_head(&db->waiting);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        left = (ngx_msec_int_t) (q->expires - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(ev, (ngx_msec_t) left);
            return;
        }

        ngx_http_fliq_db_stop_waiting(q);
        ngx_http_fliq_db_end(q, NGX_BUSY);
    }
}


static void
ngx_http_fliq_db_report_handler(ngx_event_t *ev)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_t        *db;
    ngx_http_fliq_db_query_t  *q;

    db = ev->data;

    while (!ngx_queue_empty(&db->ended)) {
        head = ngx_queue_head(&db->ended);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        ngx_queue_remove(head);
        q->done(q->data, q->rc, NULL);
        ngx_free(q);
    }
}


static void
ngx_http_fliq_db_free_queries(ngx_queue_t *queries)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    while (!ngx_queue_empty(queries)) {
        head = ngx_queue_head(queries);
        q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

        ngx_queue_remove(head);
        ngx_free(q);
    }
}
