/*
 * What a ready connection does: queries go into its pipeline, answers come
 * out of it in the same order.
 */

#include "ngx_http_fliq_db_private.h"


static ngx_int_t ngx_http_fliq_db_pipe_results(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_pipe_result(ngx_http_fliq_db_conn_t *c,
    PGresult *result);
static void ngx_http_fliq_db_pipe_sync(ngx_http_fliq_db_conn_t *c);


void
ngx_http_fliq_db_pipe_send(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_query_t *q)
{
    ngx_uint_t                           i;
    ngx_msec_int_t                       left;
    ngx_http_fliq_db_t                  *db;
    const ngx_http_fliq_db_statement_t  *st;

    db = c->db;
    st = q->statement;

    q->syncs = 1;

    if (c->prepared[st->index] == NGX_HTTP_FLIQ_DB_UNPREPARED) {

        /* a Sync of its own: what fails here fails this query only */

        if (!PQsendPrepare(c->pg, st->name, st->text, 0, NULL)
            || !PQpipelineSync(c->pg))
        {
            ngx_http_fliq_db_conn_broken(c);
            return;
        }

        c->prepared[st->index] = NGX_HTTP_FLIQ_DB_PREPARING;
        q->syncs = 2;
    }

    for (i = 0; i < st->nparams; i++) {
        db->values[i] = q->params[i].value;
        db->lengths[i] = (int) q->params[i].len;
        db->formats[i] = 1;
    }

    if (!PQsendQueryPrepared(c->pg, st->name, (int) st->nparams, db->values,
                             db->lengths, db->formats, 1)
        || !PQpipelineSync(c->pg))
    {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    if (!c->timer.timer_set) {
        left = (ngx_msec_int_t) (q->expires - ngx_current_msec);
        ngx_http_fliq_db_conn_set_timer(c, (ngx_msec_t) ngx_max(left, 0));
    }

    ngx_http_fliq_db_conn_flush(c);
}


/*
 * A silent server is taken for dead.  One that is merely behind is not: a
 * query that waited long in the queue may be overdue soon after it was sent.
 */

void
ngx_http_fliq_db_pipe_late(ngx_http_fliq_db_conn_t *c)
{
    ngx_msec_t                 left;
    ngx_queue_t               *e;
    ngx_http_fliq_db_query_t  *q;

    if (ngx_current_msec - c->heard >= c->db->conf.timeout) {
        ngx_http_fliq_db_conn_lost(c, "no answer in time");
        return;
    }

    left = c->heard + c->db->conf.timeout - ngx_current_msec;

    for (e = ngx_queue_head(&c->flight);
         e != ngx_queue_sentinel(&c->flight);
         e = ngx_queue_next(e))
    {
        q = ngx_queue_data(e, ngx_http_fliq_db_query_t, queue);

        if (q->done == NULL) {
            continue;
        }

        if ((ngx_msec_int_t) (q->expires - ngx_current_msec) > 0) {
            left = ngx_min(left, q->expires - ngx_current_msec);
            break;
        }

        ngx_http_fliq_db_query_overdue(q);

        if (c->inflight == 0) {
            return;
        }
    }

    ngx_http_fliq_db_conn_set_timer(c, left);
}


void
ngx_http_fliq_db_pipe_event(ngx_http_fliq_db_conn_t *c, ngx_uint_t ready)
{
    if (!(ready & NGX_HTTP_FLIQ_FD_READ)) {
        return;
    }

    c->heard = ngx_current_msec;

    do {
        if (!PQconsumeInput(c->pg)) {
            ngx_http_fliq_db_conn_broken(c);
            return;
        }

        if (ngx_http_fliq_db_pipe_results(c) != NGX_OK) {
            return;
        }

    } while (ngx_http_fliq_db_conn_pending(c));

    if (c->state == NGX_HTTP_FLIQ_DB_DRAINING && c->inflight == 0) {
        ngx_http_fliq_db_conn_lost(c, "its prepared statements are outdated");
    }
}


/* NGX_DONE: the connection has left its state meanwhile. */

static ngx_int_t
ngx_http_fliq_db_pipe_results(ngx_http_fliq_db_conn_t *c)
{
    ngx_uint_t  nulls;
    PGresult   *result;

    nulls = 0;

    /* with nothing in flight this parses what the server says unasked */

    while (!PQisBusy(c->pg) && c->inflight) {

        result = PQgetResult(c->pg);

        if (result == NULL) {

            /* the end of one command: not many without an answer between */

            if (nulls++ == 2) {
                ngx_http_fliq_db_conn_lost(c, "answers are out of step");
                return NGX_DONE;
            }

            continue;
        }

        nulls = 0;

        if (ngx_http_fliq_db_pipe_result(c, result) != NGX_OK) {
            ngx_http_fliq_db_conn_lost(c, "unexpected answer");
            return NGX_DONE;
        }

        if (c->state < NGX_HTTP_FLIQ_DB_READY) {
            return NGX_DONE;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_db_pipe_result(ngx_http_fliq_db_conn_t *c, PGresult *result)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    head = ngx_queue_head(&c->flight);
    q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

    switch (PQresultStatus(result)) {

    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        ngx_http_fliq_db_pipe_sync(c);
        return NGX_OK;

    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:

        /* of a Prepare: its query's answer follows */

        if (q->syncs == 2) {
            PQclear(result);
            return NGX_OK;
        }

        PQclear(q->result);
        q->result = result;
        return NGX_OK;

    case PGRES_FATAL_ERROR:
    case PGRES_EMPTY_QUERY:

        /*
         * An error after an answer is the commit's.  After an error, that
         * of the Prepare, it only says that there is no such statement.
         */

        ngx_http_fliq_db_conn_notice(c, result);

        if (q->result && PQresultStatus(q->result) == PGRES_FATAL_ERROR) {
            PQclear(result);
            return NGX_OK;
        }

        PQclear(q->result);
        q->result = result;
        return NGX_OK;

    default:
        PQclear(result);
        return NGX_ERROR;
    }
}


/* Only now is the transaction of the oldest query committed, or not. */

static void
ngx_http_fliq_db_pipe_sync(ngx_http_fliq_db_conn_t *c)
{
    u_char                    *prepared;
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    head = ngx_queue_head(&c->flight);
    q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

    if (--q->syncs == 0) {
        ngx_http_fliq_db_query_answered(q);
        return;
    }

    prepared = &c->prepared[q->statement->index];

    *prepared = q->result ? NGX_HTTP_FLIQ_DB_UNPREPARED
                          : NGX_HTTP_FLIQ_DB_PREPARED;
}
