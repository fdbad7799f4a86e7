/*
 * One connection: how it is made, how it talks, how it ends.
 */

#include "ngx_http_fliq_db_private.h"
#include "fliq_backoff.h"

#include <openssl/ssl.h>


static void ngx_http_fliq_db_conn_set_state(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_state_e state);
static void ngx_http_fliq_db_conn_set_timer(ngx_http_fliq_db_conn_t *c,
    ngx_msec_t timer);
static ngx_msec_t ngx_http_fliq_db_conn_limit(ngx_http_fliq_db_conn_t *c);

static void ngx_http_fliq_db_conn_connect(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_poll(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_conn_attach(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t want);
static void ngx_http_fliq_db_conn_setup(ngx_http_fliq_db_conn_t *c,
    const PGresult *result);
static ngx_int_t ngx_http_fliq_db_conn_setup_results(
    ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_ready(ngx_http_fliq_db_conn_t *c);

static void ngx_http_fliq_db_conn_handler(void *data, ngx_uint_t ready);
static void ngx_http_fliq_db_conn_receive(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_conn_results(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_conn_result(ngx_http_fliq_db_conn_t *c,
    PGresult *result);
static void ngx_http_fliq_db_conn_sync(ngx_http_fliq_db_conn_t *c);
static ngx_uint_t ngx_http_fliq_db_conn_pending(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_flush(ngx_http_fliq_db_conn_t *c);

static void ngx_http_fliq_db_conn_timer_handler(ngx_event_t *ev);
static void ngx_http_fliq_db_conn_late(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_asked_to_close(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_broken(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_lost(ngx_http_fliq_db_conn_t *c,
    const char *reason);
static void ngx_http_fliq_db_conn_failed(ngx_http_fliq_db_conn_t *c,
    const char *reason);
static void ngx_http_fliq_db_conn_close(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t retry);
static void ngx_http_fliq_db_conn_warn(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t warned, const char *what, const char *reason);
static void ngx_http_fliq_db_conn_notice(void *data, const PGresult *result);


/* Microseconds. */
static const fliq_backoff_t  ngx_http_fliq_db_backoff = {
    50 * 1000, 1000 * 1000, 25
};

#define NGX_HTTP_FLIQ_DB_LONGEST  16    /* a retry at the backoff's maximum */


void
ngx_http_fliq_db_conn_init(ngx_http_fliq_db_conn_t *c, ngx_http_fliq_db_t *db)
{
    c->db = db;
    c->fd = (ngx_socket_t) -1;

    c->timer.handler = ngx_http_fliq_db_conn_timer_handler;
    c->timer.data = c;
    c->timer.log = db->log;

    ngx_queue_init(&c->flight);
}


void
ngx_http_fliq_db_conn_start(ngx_http_fliq_db_conn_t *c)
{
    ngx_uint_t           known;
    ngx_http_fliq_db_t  *db;

    db = c->db;
    known = db->endpoints.n;

    if (db->conf.target->nlookups == 0
        || (known && ngx_current_msec - db->resolved
                     < NGX_HTTP_FLIQ_DB_LOOKUP_FRESH))
    {
        ngx_http_fliq_db_conn_connect(c);
        return;
    }

    if (db->lookup == NULL && ngx_http_fliq_db_lookup_start(db) != NGX_OK) {
        ngx_http_fliq_db_conn_connect(c);
        return;
    }

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_RESOLVING);
    ngx_http_fliq_db_conn_set_timer(c, known
                                       ? NGX_HTTP_FLIQ_DB_LOOKUP_WAIT
                                       : ngx_http_fliq_db_conn_limit(c));
}


void
ngx_http_fliq_db_conn_resolved(ngx_http_fliq_db_conn_t *c)
{
    if (c->state == NGX_HTTP_FLIQ_DB_RESOLVING) {
        ngx_http_fliq_db_conn_connect(c);
    }
}


void
ngx_http_fliq_db_conn_send(ngx_http_fliq_db_conn_t *c,
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


void
ngx_http_fliq_db_conn_release(ngx_http_fliq_db_conn_t *c)
{
    if (!ngx_exiting || c->inflight || ngx_http_fliq_db_wanted(c->db)) {
        return;
    }

    ngx_http_fliq_db_conn_close(c, 0);
}


void
ngx_http_fliq_db_conn_mark(ngx_http_fliq_db_conn_t *c)
{
    if (c->watch) {
        ngx_http_fliq_fd_idle(c->watch, !c->db->keep && c->inflight == 0);
    }
}


void
ngx_http_fliq_db_conn_stale(ngx_http_fliq_db_conn_t *c)
{
    if (c->state == NGX_HTTP_FLIQ_DB_READY) {
        ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_DRAINING);
    }
}


void
ngx_http_fliq_db_conn_destroy(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_conn_close(c, 0);
}


/* The only place where a state changes, and nready with it. */

static void
ngx_http_fliq_db_conn_set_state(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_state_e state)
{
    if (c->state == state) {
        return;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_EVENT, c->db->log, 0,
                   "fliq db %s %ui: state %d -> %d", c->db->conf.name,
                   (ngx_uint_t) (c - c->db->conns), c->state, state);

    if (c->state == NGX_HTTP_FLIQ_DB_READY) {
        c->db->nready--;
    }

    if (state == NGX_HTTP_FLIQ_DB_READY) {
        c->db->nready++;
    }

    c->state = state;
}


static void
ngx_http_fliq_db_conn_set_timer(ngx_http_fliq_db_conn_t *c, ngx_msec_t timer)
{
    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    /* a graceful exit waits for answers, not for connections */

    c->timer.cancelable = (c->state < NGX_HTTP_FLIQ_DB_READY);

    ngx_add_timer(&c->timer, timer);
}


static ngx_msec_t
ngx_http_fliq_db_conn_limit(ngx_http_fliq_db_conn_t *c)
{
    return ngx_max(c->db->conf.timeout, NGX_HTTP_FLIQ_DB_CONNECT_MIN);
}


static void
ngx_http_fliq_db_conn_connect(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_t  *db;

    db = c->db;

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_CONNECTING);
    ngx_http_fliq_db_conn_set_timer(c, ngx_http_fliq_db_conn_limit(c));

    ngx_memzero(c->prepared, db->conf.nstatements);
    c->fatal[0] = '\0';

    if (db->endpoints.n == 0) {
        ngx_http_fliq_db_conn_failed(c, "no host name could be resolved");
        return;
    }

    c->start = db->first % db->endpoints.n;
    c->pg = ngx_http_fliq_db_target_connect(db->conf.target, &db->endpoints,
                                            c->start);

    if (c->pg == NULL) {
        ngx_http_fliq_db_conn_failed(c, "no memory");
        return;
    }

    if (PQstatus(c->pg) == CONNECTION_BAD) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    (void) PQsetNoticeReceiver(c->pg, ngx_http_fliq_db_conn_notice, c);

    /* libpq's rule: as if the first poll had asked to write */

    (void) ngx_http_fliq_db_conn_attach(c, NGX_HTTP_FLIQ_FD_WRITE);
}


static void
ngx_http_fliq_db_conn_poll(ngx_http_fliq_db_conn_t *c)
{
    PostgresPollingStatusType  status;

    /* the poll may close the socket and open another with its number */

    ngx_http_fliq_fd_detach(c->watch);
    c->watch = NULL;

    status = PQconnectPoll(c->pg);

    switch (status) {

    case PGRES_POLLING_READING:
        (void) ngx_http_fliq_db_conn_attach(c, NGX_HTTP_FLIQ_FD_READ);
        return;

    case PGRES_POLLING_WRITING:
        (void) ngx_http_fliq_db_conn_attach(c, NGX_HTTP_FLIQ_FD_WRITE);
        return;

    case PGRES_POLLING_OK:
        break;

    default:
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    if (ngx_http_fliq_db_conn_attach(c, NGX_HTTP_FLIQ_FD_READ) != NGX_OK) {
        return;
    }

    if (PQsetnonblocking(c->pg, 1) != 0) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_SETUP);

    c->step = 0;
    ngx_http_fliq_db_conn_setup(c, NULL);
}


static ngx_int_t
ngx_http_fliq_db_conn_attach(ngx_http_fliq_db_conn_t *c, ngx_uint_t want)
{
    c->fd = PQsocket(c->pg);
    c->want = want;

    c->watch = ngx_http_fliq_fd_attach(c->fd, want,
                                       ngx_http_fliq_db_conn_handler, c,
                                       c->db->log);
    if (c->watch == NULL) {
        ngx_http_fliq_db_conn_failed(c, "no free connection in the worker");
        return NGX_ERROR;
    }

    ngx_http_fliq_db_conn_mark(c);

    return NGX_OK;
}


static void
ngx_http_fliq_db_conn_setup(ngx_http_fliq_db_conn_t *c,
    const PGresult *result)
{
    ngx_int_t            rc;
    const char          *sql;
    ngx_http_fliq_db_t  *db;

    db = c->db;
    rc = NGX_OK;
    sql = NULL;

    if (db->conf.setup) {
        rc = db->conf.setup(db->conf.data, &c->step, result, &sql, db->log);
    }

    if (rc == NGX_OK) {
        ngx_http_fliq_db_conn_ready(c);
        return;
    }

    if (rc != NGX_AGAIN) {
        c->failures = NGX_HTTP_FLIQ_DB_LONGEST;
        ngx_http_fliq_db_conn_failed(c, NULL);
        return;
    }

    if (!PQsendQuery(c->pg, sql)) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    /* each step has the time of an attempt: one may be a migration */

    ngx_http_fliq_db_conn_set_timer(c, ngx_http_fliq_db_conn_limit(c));
    ngx_http_fliq_db_conn_flush(c);
}


static ngx_int_t
ngx_http_fliq_db_conn_setup_results(ngx_http_fliq_db_conn_t *c)
{
    PGresult  *result;

    while (!PQisBusy(c->pg)) {

        result = PQgetResult(c->pg);

        if (result == NULL) {
            result = c->answer;
            c->answer = NULL;

            ngx_http_fliq_db_conn_setup(c, result);
            PQclear(result);

            if (c->state != NGX_HTTP_FLIQ_DB_SETUP) {
                return NGX_DONE;
            }

            continue;
        }

        switch (PQresultStatus(result)) {

        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            PQclear(result);
            ngx_http_fliq_db_conn_failed(c, "COPY in the setup");
            return NGX_DONE;

        default:
            break;
        }

        if (PQresultStatus(c->answer) == PGRES_FATAL_ERROR && c->answer) {
            PQclear(result);
            continue;
        }

        PQclear(c->answer);
        c->answer = result;
    }

    return NGX_OK;
}


static void
ngx_http_fliq_db_conn_ready(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_t  *db;

    db = c->db;

    if (!PQenterPipelineMode(c->pg)) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    c->failures = 0;
    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_READY);

    if (db->warned) {
        db->warned = 0;
        ngx_log_error(NGX_LOG_NOTICE, db->log, 0,
                      "fliq \"%s\" is connected to the database again",
                      db->conf.name);
    }

    ngx_http_fliq_db_connected(db);
    ngx_http_fliq_db_conn_release(c);
}


static void
ngx_http_fliq_db_conn_handler(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_db_conn_t *c = data;

    if (ready & NGX_HTTP_FLIQ_FD_CLOSE) {
        ngx_http_fliq_db_conn_asked_to_close(c);
        return;
    }

    if (c->state == NGX_HTTP_FLIQ_DB_CONNECTING) {
        ngx_http_fliq_db_conn_poll(c);
        return;
    }

    if (ready & NGX_HTTP_FLIQ_FD_READ) {
        ngx_http_fliq_db_conn_receive(c);
    }

    /* libpq's rule: read before the next try to write */

    if (c->state >= NGX_HTTP_FLIQ_DB_SETUP
        && c->want & NGX_HTTP_FLIQ_FD_WRITE)
    {
        ngx_http_fliq_db_conn_flush(c);
    }
}


static void
ngx_http_fliq_db_conn_receive(ngx_http_fliq_db_conn_t *c)
{
    ngx_int_t  rc;

    do {
        if (!PQconsumeInput(c->pg)) {
            ngx_http_fliq_db_conn_broken(c);
            return;
        }

        if (c->state == NGX_HTTP_FLIQ_DB_SETUP) {
            rc = ngx_http_fliq_db_conn_setup_results(c);

        } else {
            rc = ngx_http_fliq_db_conn_results(c);
        }

        if (rc != NGX_OK) {
            return;
        }

    } while (ngx_http_fliq_db_conn_pending(c));

    if (c->state == NGX_HTTP_FLIQ_DB_DRAINING && c->inflight == 0) {
        ngx_http_fliq_db_conn_lost(c, "its prepared statements are outdated");
    }
}


/* NGX_DONE: the connection has left its state meanwhile. */

static ngx_int_t
ngx_http_fliq_db_conn_results(ngx_http_fliq_db_conn_t *c)
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

        if (ngx_http_fliq_db_conn_result(c, result) != NGX_OK) {
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
ngx_http_fliq_db_conn_result(ngx_http_fliq_db_conn_t *c, PGresult *result)
{
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    head = ngx_queue_head(&c->flight);
    q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

    switch (PQresultStatus(result)) {

    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        ngx_http_fliq_db_conn_sync(c);
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
ngx_http_fliq_db_conn_sync(ngx_http_fliq_db_conn_t *c)
{
    u_char                    *prepared;
    ngx_queue_t               *head;
    ngx_http_fliq_db_query_t  *q;

    head = ngx_queue_head(&c->flight);
    q = ngx_queue_data(head, ngx_http_fliq_db_query_t, queue);

    c->heard = ngx_current_msec;

    if (--q->syncs == 0) {
        ngx_http_fliq_db_answered(q);
        return;
    }

    prepared = &c->prepared[q->statement->index];

    *prepared = q->result ? NGX_HTTP_FLIQ_DB_UNPREPARED
                          : NGX_HTTP_FLIQ_DB_PREPARED;
}


/*
 * Bytes that OpenSSL has taken off the socket and libpq has not read yet:
 * no event will tell of them.
 */

static ngx_uint_t
ngx_http_fliq_db_conn_pending(ngx_http_fliq_db_conn_t *c)
{
    SSL  *ssl;

    ssl = PQsslStruct(c->pg, "OpenSSL");

    return ssl && SSL_pending(ssl) > 0;
}


static void
ngx_http_fliq_db_conn_flush(ngx_http_fliq_db_conn_t *c)
{
    int         rc;
    ngx_uint_t  want;

    rc = PQflush(c->pg);

    if (rc == -1) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    want = NGX_HTTP_FLIQ_FD_READ;

    if (rc == 1) {
        want |= NGX_HTTP_FLIQ_FD_WRITE;
    }

    if (want == c->want) {
        return;
    }

    c->want = want;

    if (ngx_http_fliq_fd_want(c->watch, want) != NGX_OK) {
        ngx_http_fliq_db_conn_broken(c);
    }
}


static void
ngx_http_fliq_db_conn_timer_handler(ngx_event_t *ev)
{
    ngx_http_fliq_db_conn_t  *c;

    c = ev->data;

    switch (c->state) {

    case NGX_HTTP_FLIQ_DB_CLOSED:
        break;

    case NGX_HTTP_FLIQ_DB_DOWN:
        if (ngx_http_fliq_db_wanted(c->db)) {
            ngx_http_fliq_db_conn_start(c);
            break;
        }

        ngx_http_fliq_db_conn_close(c, 0);
        break;

    case NGX_HTTP_FLIQ_DB_RESOLVING:
        ngx_http_fliq_db_conn_connect(c);
        break;

    case NGX_HTTP_FLIQ_DB_CONNECTING:
    case NGX_HTTP_FLIQ_DB_SETUP:

        /* libpq would stay with a silent host: begin behind it */

        c->db->first = c->start + 1;
        ngx_http_fliq_db_conn_failed(c, "timed out");
        break;

    default:
        ngx_http_fliq_db_conn_late(c);
    }
}


/*
 * A silent server is taken for dead.  One that is merely behind is not: a
 * query that waited long in the queue may be overdue soon after it was sent.
 */

static void
ngx_http_fliq_db_conn_late(ngx_http_fliq_db_conn_t *c)
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

        ngx_http_fliq_db_overdue(q);

        if (c->inflight == 0) {
            return;
        }
    }

    ngx_http_fliq_db_conn_set_timer(c, left);
}


/*
 * An idle connection of an exiting worker, or any at the end of the time
 * that it has to exit.  With keep the pool's owner decides.
 */

static void
ngx_http_fliq_db_conn_asked_to_close(ngx_http_fliq_db_conn_t *c)
{
    if (c->inflight && !c->db->keep) {
        ngx_http_fliq_db_conn_lost(c, "the worker is shutting down");
        return;
    }

    ngx_http_fliq_db_conn_release(c);
}


/* libpq has found out that the connection is of no more use. */

static void
ngx_http_fliq_db_conn_broken(ngx_http_fliq_db_conn_t *c)
{
    const char  *reason;

    reason = c->fatal[0] ? c->fatal : PQerrorMessage(c->pg);

    if (c->state < NGX_HTTP_FLIQ_DB_READY) {
        ngx_http_fliq_db_conn_failed(c, reason);
        return;
    }

    ngx_http_fliq_db_conn_lost(c, reason);
}


static void
ngx_http_fliq_db_conn_lost(ngx_http_fliq_db_conn_t *c, const char *reason)
{
    if (c->db->nready == (c->state == NGX_HTTP_FLIQ_DB_READY)) {

        /* the last one */

        c->db->warned = 0;
    }

    ngx_http_fliq_db_conn_warn(c, 1, "was lost", reason);
    ngx_http_fliq_db_conn_close(c, 1);
}


static void
ngx_http_fliq_db_conn_failed(ngx_http_fliq_db_conn_t *c, const char *reason)
{
    if (reason) {
        ngx_http_fliq_db_conn_warn(c, 2, "failed", reason);
    }

    c->db->warned = 2;
    c->failures++;

    ngx_http_fliq_db_conn_close(c, 1);
    ngx_http_fliq_db_attempt_failed(c->db);
}


static void
ngx_http_fliq_db_conn_close(ngx_http_fliq_db_conn_t *c, ngx_uint_t retry)
{
    int64_t  delay;

    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    ngx_http_fliq_fd_detach(c->watch);
    c->watch = NULL;
    c->want = 0;

    PQclear(c->answer);
    c->answer = NULL;

    PQfinish(c->pg);
    c->pg = NULL;
    c->fd = (ngx_socket_t) -1;

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_CLOSED);
    ngx_http_fliq_db_abandon(c);

    if (!retry || !ngx_http_fliq_db_wanted(c->db)) {
        return;
    }

    delay = fliq_backoff_delay(&ngx_http_fliq_db_backoff,
                               FLIQ_BACKOFF_EXPONENTIAL,
                               (unsigned) ngx_max(c->failures, 1),
                               (uint32_t) ngx_random() << 1);

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_DOWN);
    ngx_http_fliq_db_conn_set_timer(c, (ngx_msec_t) (delay / 1000));
}


/* Each kind of trouble once, then in the info log until it is over. */

static void
ngx_http_fliq_db_conn_warn(ngx_http_fliq_db_conn_t *c, ngx_uint_t warned,
    const char *what, const char *reason)
{
    u_char              *p, *last, line[NGX_MAX_ERROR_STR / 2];
    ngx_uint_t           level;
    ngx_http_fliq_db_t  *db;

    db = c->db;
    last = ngx_cpystrn(line, (u_char *) reason, sizeof(line));

    while (last > line && (last[-1] == '\n' || last[-1] == ' ')) {
        *--last = '\0';
    }

    for (p = line; p < last; p++) {
        if (*p < ' ') {
            *p = ' ';
        }
    }

    level = (db->warned < warned) ? NGX_LOG_WARN : NGX_LOG_INFO;

    ngx_log_error(level, db->log, 0,
                  "fliq database connection of \"%s\" %s: %s",
                  db->conf.name, what, line);

    db->warned = ngx_max(db->warned, warned);
}


/* The server's notices; a last word is kept to explain the loss after it. */

static void
ngx_http_fliq_db_conn_notice(void *data, const PGresult *result)
{
    ngx_http_fliq_db_conn_t *c = data;

    const char  *severity, *message;

    severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (severity == NULL || message == NULL) {
        return;
    }

    if (ngx_strcmp(severity, "FATAL") == 0
        || ngx_strcmp(severity, "PANIC") == 0)
    {
        (void) ngx_cpystrn((u_char *) c->fatal, (u_char *) message,
                           sizeof(c->fatal));
        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, c->db->log, 0,
                   "fliq db %s: %s: %s", c->db->conf.name, severity, message);
}
