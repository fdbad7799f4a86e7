/*
 * How a connection is made: names, libpq's steps, the setup, ready.
 */

#include "ngx_http_fliq_db_private.h"

#include <openssl/err.h>


static ngx_msec_t ngx_http_fliq_db_connect_limit(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_connect_begin(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_connect_poll(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_connect_attach(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t want);
static void ngx_http_fliq_db_connect_setup(ngx_http_fliq_db_conn_t *c,
    const PGresult *result);
static void ngx_http_fliq_db_connect_receive(ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_connect_results(
    ngx_http_fliq_db_conn_t *c);
static ngx_int_t ngx_http_fliq_db_connect_result(ngx_http_fliq_db_conn_t *c,
    PGresult *result);
static void ngx_http_fliq_db_connect_ready(ngx_http_fliq_db_conn_t *c);


void
ngx_http_fliq_db_connect(ngx_http_fliq_db_conn_t *c)
{
    ngx_uint_t           known;
    ngx_http_fliq_db_t  *db;

    db = c->db;
    known = db->endpoints.n;

    if (db->conf.target->nlookups == 0
        || (known && ngx_current_msec - db->resolved
                     < NGX_HTTP_FLIQ_DB_LOOKUP_FRESH))
    {
        ngx_http_fliq_db_connect_begin(c);
        return;
    }

    if (db->lookup == NULL && ngx_http_fliq_db_lookup_start(db) != NGX_OK) {
        ngx_http_fliq_db_connect_begin(c);
        return;
    }

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_RESOLVING);
    ngx_http_fliq_db_conn_set_timer(c, known
                                       ? NGX_HTTP_FLIQ_DB_LOOKUP_WAIT
                                       : ngx_http_fliq_db_connect_limit(c));
}


void
ngx_http_fliq_db_connect_resolved(ngx_http_fliq_db_conn_t *c)
{
    if (c->state != NGX_HTTP_FLIQ_DB_RESOLVING) {
        return;
    }

    if (!ngx_http_fliq_db_wanted(c->db)) {
        ngx_http_fliq_db_conn_release(c);
        return;
    }

    ngx_http_fliq_db_connect_begin(c);
}


void
ngx_http_fliq_db_connect_event(ngx_http_fliq_db_conn_t *c, ngx_uint_t ready)
{
    if (c->state == NGX_HTTP_FLIQ_DB_CONNECTING) {
        ngx_http_fliq_db_connect_poll(c);
        return;
    }

    if (ready & NGX_HTTP_FLIQ_FD_READ) {
        ngx_http_fliq_db_connect_receive(c);
    }
}


/* libpq would stay with a silent host for ever: the next begins behind it. */

void
ngx_http_fliq_db_connect_late(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_t  *db;

    db = c->db;

    db->first = 1 + ngx_http_fliq_db_endpoint_current(db->conf.target,
                                                      &db->endpoints,
                                                      c->start, c->pg);

    ngx_http_fliq_db_conn_failed(c, "timed out");
}


static ngx_msec_t
ngx_http_fliq_db_connect_limit(ngx_http_fliq_db_conn_t *c)
{
    return ngx_max(c->db->conf.timeout, NGX_HTTP_FLIQ_DB_CONNECT_MIN);
}


static void
ngx_http_fliq_db_connect_begin(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_t  *db;

    db = c->db;

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_CONNECTING);
    ngx_http_fliq_db_conn_set_timer(c, ngx_http_fliq_db_connect_limit(c));

    ngx_memzero(c->prepared, db->conf.nstatements);
    c->fatal[0] = '\0';

    if (db->endpoints.n == 0) {
        ngx_http_fliq_db_conn_failed(c, "no host name could be resolved");
        return;
    }

    c->start = db->first % db->endpoints.n;
    c->pg = ngx_http_fliq_db_endpoint_connect(db->conf.target, &db->endpoints,
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

    (void) ngx_http_fliq_db_connect_attach(c, NGX_HTTP_FLIQ_FD_WRITE);
}


static void
ngx_http_fliq_db_connect_poll(ngx_http_fliq_db_conn_t *c)
{
    PostgresPollingStatusType  status;

    /* the poll may close the socket and open another with its number */

    ngx_http_fliq_fd_detach(c->watch);
    c->watch = NULL;

    status = PQconnectPoll(c->pg);

    ERR_clear_error();

    switch (status) {

    case PGRES_POLLING_READING:
        (void) ngx_http_fliq_db_connect_attach(c, NGX_HTTP_FLIQ_FD_READ);
        return;

    case PGRES_POLLING_WRITING:
        (void) ngx_http_fliq_db_connect_attach(c, NGX_HTTP_FLIQ_FD_WRITE);
        return;

    case PGRES_POLLING_OK:
        break;

    default:
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    if (ngx_http_fliq_db_connect_attach(c, NGX_HTTP_FLIQ_FD_READ) != NGX_OK) {
        return;
    }

    if (PQsetnonblocking(c->pg, 1) != 0) {
        ngx_http_fliq_db_conn_broken(c);
        return;
    }

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_SETUP);

    c->step = 0;
    ngx_http_fliq_db_connect_setup(c, NULL);
}


static ngx_int_t
ngx_http_fliq_db_connect_attach(ngx_http_fliq_db_conn_t *c, ngx_uint_t want)
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
ngx_http_fliq_db_connect_setup(ngx_http_fliq_db_conn_t *c,
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
        ngx_http_fliq_db_connect_ready(c);
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

    ngx_http_fliq_db_conn_set_timer(c, ngx_http_fliq_db_connect_limit(c));
    ngx_http_fliq_db_conn_flush(c);
}


static void
ngx_http_fliq_db_connect_receive(ngx_http_fliq_db_conn_t *c)
{
    do {
        if (!PQconsumeInput(c->pg)) {
            ngx_http_fliq_db_conn_broken(c);
            return;
        }

        if (ngx_http_fliq_db_connect_results(c) != NGX_OK) {
            return;
        }

    } while (ngx_http_fliq_db_conn_pending(c));
}


/* NGX_DONE: the setup is over, well or not. */

static ngx_int_t
ngx_http_fliq_db_connect_results(ngx_http_fliq_db_conn_t *c)
{
    PGresult  *result;

    while (!PQisBusy(c->pg)) {

        result = PQgetResult(c->pg);

        if (result) {
            if (ngx_http_fliq_db_connect_result(c, result) != NGX_OK) {
                return NGX_DONE;
            }

            continue;
        }

        result = c->answer;
        c->answer = NULL;

        ngx_http_fliq_db_connect_setup(c, result);
        PQclear(result);

        if (c->state != NGX_HTTP_FLIQ_DB_SETUP) {
            return NGX_DONE;
        }
    }

    return NGX_OK;
}


/* Keeps the last result of a query string, or its first error. */

static ngx_int_t
ngx_http_fliq_db_connect_result(ngx_http_fliq_db_conn_t *c, PGresult *result)
{
    switch (PQresultStatus(result)) {

    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(result);
        ngx_http_fliq_db_conn_failed(c, "COPY in the setup");
        return NGX_ERROR;

    default:
        break;
    }

    ngx_http_fliq_db_conn_notice(c, result);

    if (c->fatal[0]) {
        PQclear(result);
        ngx_http_fliq_db_conn_broken(c);
        return NGX_ERROR;
    }

    if (c->answer && PQresultStatus(c->answer) == PGRES_FATAL_ERROR) {
        PQclear(result);
        return NGX_OK;
    }

    PQclear(c->answer);
    c->answer = result;

    return NGX_OK;
}


static void
ngx_http_fliq_db_connect_ready(ngx_http_fliq_db_conn_t *c)
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
