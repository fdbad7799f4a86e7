/*
 * The life of a query: it waits, is in flight, has ended, and is counted here
 * and nowhere else.
 */

#include "ngx_http_fliq_db_private.h"


static void ngx_http_fliq_db_query_wait(ngx_http_fliq_db_query_t *q,
    ngx_queue_t *after);
static void ngx_http_fliq_db_query_stop_waiting(ngx_http_fliq_db_query_t *q);
static void ngx_http_fliq_db_query_land(ngx_http_fliq_db_query_t *q);
static ngx_int_t ngx_http_fliq_db_query_outcome(const PGresult *result);
static ngx_int_t ngx_http_fliq_db_query_retry(ngx_http_fliq_db_query_t *q,
    ngx_http_fliq_db_conn_t *c);
static ngx_uint_t ngx_http_fliq_db_query_outdated(
    ngx_http_fliq_db_query_t *q, ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_query_end(ngx_http_fliq_db_query_t *q,
    ngx_int_t rc);
static void ngx_http_fliq_db_query_expiry_handler(ngx_event_t *ev);
static void ngx_http_fliq_db_query_report_handler(ngx_event_t *ev);
static ngx_http_fliq_db_query_t *ngx_http_fliq_db_query_head(
    ngx_queue_t *queue);


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

    ngx_http_fliq_db_query_wait(q, ngx_queue_last(&db->waiting));
    ngx_http_fliq_db_dispatch(db);

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
        ngx_http_fliq_db_query_stop_waiting(query);

    } else {
        ngx_queue_remove(&query->queue);
    }

    ngx_free(query);
}


void
ngx_http_fliq_db_query_init(ngx_http_fliq_db_t *db)
{
    ngx_queue_init(&db->waiting);
    ngx_queue_init(&db->ended);

    db->expiry.handler = ngx_http_fliq_db_query_expiry_handler;
    db->expiry.data = db;
    db->expiry.log = db->log;

    db->report.handler = ngx_http_fliq_db_query_report_handler;
    db->report.data = db;
    db->report.log = db->log;
}


void
ngx_http_fliq_db_query_destroy(ngx_http_fliq_db_t *db)
{
    ngx_http_fliq_db_query_refuse(db);

    while (!ngx_queue_empty(&db->ended)) {
        ngx_http_fliq_db_cancel(ngx_http_fliq_db_query_head(&db->ended));
    }

    if (db->report.timer_set) {
        ngx_del_timer(&db->report);
    }
}


void
ngx_http_fliq_db_query_launch(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_t        *db;
    ngx_http_fliq_db_query_t  *q;

    db = c->db;
    q = ngx_http_fliq_db_query_head(&db->waiting);

    ngx_http_fliq_db_query_stop_waiting(q);

    if (c->inflight == 0) {
        c->heard = ngx_current_msec;
    }

    q->conn = c;
    ngx_queue_insert_tail(&c->flight, &q->queue);

    c->inflight++;
    db->ninflight++;

    ngx_http_fliq_db_conn_mark(c);
    ngx_http_fliq_db_pipe_send(c, q);
}


void
ngx_http_fliq_db_query_answered(ngx_http_fliq_db_query_t *q)
{
    ngx_int_t                 rc;
    ngx_http_fliq_db_conn_t  *c;

    c = q->conn;
    rc = ngx_http_fliq_db_query_outcome(q->result);

    ngx_http_fliq_db_query_land(q);

    if (rc == NGX_DECLINED && ngx_http_fliq_db_query_retry(q, c) == NGX_OK) {
        ngx_http_fliq_db_dispatch(c->db);
        return;
    }

    /* the pipeline is filled first, those who waited before new ones */

    ngx_http_fliq_db_dispatch(c->db);

    if (q->done) {
        q->done(q->data, rc, rc == NGX_ERROR ? NULL : q->result);
    }

    PQclear(q->result);
    ngx_free(q);

    ngx_http_fliq_db_conn_release(c);
}


void
ngx_http_fliq_db_query_overdue(ngx_http_fliq_db_query_t *q)
{
    ngx_http_fliq_db_done_pt  done;

    done = q->done;
    q->done = NULL;

    done(q->data, NGX_ERROR, NULL);
}


void
ngx_http_fliq_db_query_abandon(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_query_t  *q;

    while (c->inflight) {
        q = ngx_http_fliq_db_query_head(&c->flight);

        ngx_http_fliq_db_query_land(q);

        PQclear(q->result);
        q->result = NULL;

        ngx_http_fliq_db_query_end(q, NGX_ERROR);
    }
}


void
ngx_http_fliq_db_query_refuse(ngx_http_fliq_db_t *db)
{
    ngx_http_fliq_db_query_t  *q;

    while (db->nwaiting) {
        q = ngx_http_fliq_db_query_head(&db->waiting);

        ngx_http_fliq_db_query_stop_waiting(q);
        ngx_http_fliq_db_query_end(q, NGX_BUSY);
    }
}


static void
ngx_http_fliq_db_query_wait(ngx_http_fliq_db_query_t *q, ngx_queue_t *after)
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
ngx_http_fliq_db_query_stop_waiting(ngx_http_fliq_db_query_t *q)
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
ngx_http_fliq_db_query_land(ngx_http_fliq_db_query_t *q)
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
 * An error without SQLSTATE is libpq's own (no memory for the rows): the
 * server may well have done what it was asked.
 */

static ngx_int_t
ngx_http_fliq_db_query_outcome(const PGresult *result)
{
    switch (PQresultStatus(result)) {

    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        return NGX_OK;

    default:
        break;
    }

    if (PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL) {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


/* A query that did nothing for want of its statement runs again. */

static ngx_int_t
ngx_http_fliq_db_query_retry(ngx_http_fliq_db_query_t *q,
    ngx_http_fliq_db_conn_t *c)
{
    if (!ngx_http_fliq_db_query_outdated(q, c) || q->done == NULL) {
        return NGX_DECLINED;
    }

    /* each connection may have to find out */

    if (q->retries++ == q->db->conf.connections) {
        return NGX_DECLINED;
    }

    PQclear(q->result);
    q->result = NULL;

    ngx_http_fliq_db_query_wait(q, &q->db->waiting);

    return NGX_OK;
}


/*
 * Was the statement missing (a pooler has given the connection another
 * server session) or its plan no longer right (a migration has changed a
 * table)?  Then a new connection must prepare everything anew.
 */

static ngx_uint_t
ngx_http_fliq_db_query_outdated(ngx_http_fliq_db_query_t *q,
    ngx_http_fliq_db_conn_t *c)
{
    u_char       prepared;
    const char  *code, *function;

    code = PQresultErrorField(q->result, PG_DIAG_SQLSTATE);
    function = PQresultErrorField(q->result, PG_DIAG_SOURCE_FUNCTION);

    if (function == NULL) {
        return 0;
    }

    if (ngx_strcmp(code, "26000") == 0) {
        prepared = c->prepared[q->statement->index];

        /* otherwise the Prepare of the query before has just failed */

        if (prepared == NGX_HTTP_FLIQ_DB_PREPARED) {
            ngx_http_fliq_db_conn_stale(c);
        }

        return 1;
    }

    if (ngx_strcmp(code, "0A000") == 0
        && ngx_strcmp(function, "RevalidateCachedQuery") == 0)
    {
        ngx_http_fliq_db_conn_stale(c);
        return 1;
    }

    return 0;
}


/* Its done is called from the loop, not from whoever found out. */

static void
ngx_http_fliq_db_query_end(ngx_http_fliq_db_query_t *q, ngx_int_t rc)
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
ngx_http_fliq_db_query_expiry_handler(ngx_event_t *ev)
{
    ngx_msec_int_t             left;
    ngx_http_fliq_db_t        *db;
    ngx_http_fliq_db_query_t  *q;

    db = ev->data;

    while (db->nwaiting) {
        q = ngx_http_fliq_db_query_head(&db->waiting);

        left = (ngx_msec_int_t) (q->expires - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(ev, (ngx_msec_t) left);
            return;
        }

        ngx_http_fliq_db_query_stop_waiting(q);
        ngx_http_fliq_db_query_end(q, NGX_BUSY);
    }
}


static void
ngx_http_fliq_db_query_report_handler(ngx_event_t *ev)
{
    ngx_http_fliq_db_t        *db;
    ngx_http_fliq_db_query_t  *q;

    db = ev->data;

    while (!ngx_queue_empty(&db->ended)) {
        q = ngx_http_fliq_db_query_head(&db->ended);

        ngx_queue_remove(&q->queue);
        q->done(q->data, q->rc, NULL);
        ngx_free(q);
    }
}


static ngx_http_fliq_db_query_t *
ngx_http_fliq_db_query_head(ngx_queue_t *queue)
{
    ngx_queue_t  *head;

    head = ngx_queue_head(queue);

    return ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);
}
