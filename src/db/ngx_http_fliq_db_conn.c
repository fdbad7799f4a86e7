/*
 * One connection: its state, its clock, and how it ends.  What it does while
 * it is made is in db_connect.c, what it does then in db_pipe.c.
 */

#include "ngx_http_fliq_db_private.h"
#include "fliq_backoff.h"

#include <openssl/err.h>
#include <openssl/ssl.h>


static void ngx_http_fliq_db_conn_asked_to_close(ngx_http_fliq_db_conn_t *c);
static void ngx_http_fliq_db_conn_timer_handler(ngx_event_t *ev);
static void ngx_http_fliq_db_conn_close(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t retry);
static void ngx_http_fliq_db_conn_warn(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t warned, const char *what, const char *reason);
static u_char *ngx_http_fliq_db_conn_words(u_char *buf, size_t size,
    const char *message);


/* Microseconds.  The maximum must not cut the jitter of the longest delay. */
static const fliq_backoff_t  ngx_http_fliq_db_backoff = {
    50 * 1000, 1000 * 1000, 25
};


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


/* The only place where a state changes, and nready with it. */

void
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


void
ngx_http_fliq_db_conn_set_timer(ngx_http_fliq_db_conn_t *c, ngx_msec_t timer)
{
    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    /* a graceful exit waits for answers, not for connections */

    c->timer.cancelable = (c->state < NGX_HTTP_FLIQ_DB_READY);

    ngx_add_timer(&c->timer, timer);
}


void
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


/*
 * Bytes that OpenSSL has taken off the socket and libpq has not read yet:
 * no event will tell of them.
 */

ngx_uint_t
ngx_http_fliq_db_conn_pending(ngx_http_fliq_db_conn_t *c)
{
    SSL  *ssl;

    ssl = PQsslStruct(c->pg, "OpenSSL");

    return ssl && SSL_pending(ssl) > 0;
}


void
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


void
ngx_http_fliq_db_conn_stale(ngx_http_fliq_db_conn_t *c)
{
    if (c->state == NGX_HTTP_FLIQ_DB_READY) {
        ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_DRAINING);
    }
}


void
ngx_http_fliq_db_conn_mark(ngx_http_fliq_db_conn_t *c)
{
    if (c->watch) {
        ngx_http_fliq_fd_idle(c->watch, !c->db->keep && c->inflight == 0);
    }
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
ngx_http_fliq_db_conn_destroy(ngx_http_fliq_db_conn_t *c)
{
    ngx_http_fliq_db_conn_close(c, 0);
}


/* libpq has found out that the connection is of no more use. */

void
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


void
ngx_http_fliq_db_conn_lost(ngx_http_fliq_db_conn_t *c, const char *reason)
{
    if (c->db->nready == (c->state == NGX_HTTP_FLIQ_DB_READY)) {

        /* the last one */

        c->db->warned = 0;
    }

    ngx_http_fliq_db_conn_warn(c, 1, "was lost", reason);
    ngx_http_fliq_db_conn_close(c, 1);
}


void
ngx_http_fliq_db_conn_failed(ngx_http_fliq_db_conn_t *c, const char *reason)
{
    if (reason) {
        ngx_http_fliq_db_conn_warn(c, 2, "failed", reason);
    }

    c->db->warned = 2;
    c->failures = ngx_min(c->failures + 1, NGX_HTTP_FLIQ_DB_LONGEST);

    ngx_http_fliq_db_conn_close(c, 1);
    ngx_http_fliq_db_attempt_failed(c->db);
}


void
ngx_http_fliq_db_conn_handler(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_db_conn_t *c = data;

    if (ready & NGX_HTTP_FLIQ_FD_CLOSE) {
        ngx_http_fliq_db_conn_asked_to_close(c);
        return;
    }

    if (c->state < NGX_HTTP_FLIQ_DB_READY) {
        ngx_http_fliq_db_connect_event(c, ready);

    } else {
        ngx_http_fliq_db_pipe_event(c, ready);
    }

    /* libpq's rule: read before the next try to write */

    if (c->state >= NGX_HTTP_FLIQ_DB_SETUP
        && c->want & NGX_HTTP_FLIQ_FD_WRITE)
    {
        ngx_http_fliq_db_conn_flush(c);
    }
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
            ngx_http_fliq_db_connect(c);

        } else {
            ngx_http_fliq_db_conn_close(c, 0);
        }

        break;

    case NGX_HTTP_FLIQ_DB_RESOLVING:
        ngx_http_fliq_db_connect_resolved(c);
        break;

    case NGX_HTTP_FLIQ_DB_CONNECTING:
    case NGX_HTTP_FLIQ_DB_SETUP:
        ngx_http_fliq_db_connect_late(c);
        break;

    default:
        ngx_http_fliq_db_pipe_late(c);
    }
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

    /* what libpq leaves in OpenSSL's queue nginx would take for its own */

    ERR_clear_error();

    ngx_http_fliq_db_conn_set_state(c, NGX_HTTP_FLIQ_DB_CLOSED);
    ngx_http_fliq_db_query_abandon(c);

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
    u_char               words[NGX_MAX_ERROR_STR / 4];
    ngx_uint_t           level;
    ngx_http_fliq_db_t  *db;

    db = c->db;

    level = (db->warned < warned) ? NGX_LOG_WARN : NGX_LOG_INFO;
    db->warned = ngx_max(db->warned, warned);

    ngx_log_error(level, db->log, 0,
                  "fliq database connection of \"%s\" %s: %s",
                  db->conf.name, what,
                  ngx_http_fliq_db_conn_words(words, sizeof(words), reason));
}


/* libpq's message on one line: one part a host, without indented hints. */

static u_char *
ngx_http_fliq_db_conn_words(u_char *buf, size_t size, const char *message)
{
    u_char      *p, *end;
    ngx_uint_t   hint;

    p = buf;
    end = buf + size - 3;

    for (hint = 0; *message && p < end; message++) {

        if (*message == '\n') {
            hint = (message[1] == '\t');

            if (!hint && message[1]) {
                *p++ = ';';
                *p++ = ' ';
            }

        } else if (!hint) {
            *p++ = *message;
        }
    }

    *p = '\0';

    return buf;
}
