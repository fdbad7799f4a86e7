/*
 * The db room: connections to PostgreSQL on nginx's event loop.  It knows
 * libpq and knows no table.
 *
 * A pool holds up to ${connections} connections of one worker, each in
 * pipeline mode.  A query is one prepared statement in a transaction of its
 * own (a Sync follows each one), so a failed query never fails its
 * neighbours in the pipeline.  Statements are prepared once a connection, at
 * their first use.  Parameters and results are in binary format.
 *
 * Connections are made at once, again with exponential backoff (50 ms to
 * 0.8 s, each up to a quarter more or less, so that many workers do not come
 * in step) when they are lost, for ever; nothing needs a restart.  Host names
 * are resolved in the master at start-up and on a thread of their own at
 * reconnects, never on the loop.
 *
 * Callbacks: each started query ends in exactly one call of ${done}, never
 * from inside ngx_http_fliq_db_query(), unless it is cancelled; then there is
 * none.  What ${done} receives is valid only during the call.
 */

#ifndef NGX_HTTP_FLIQ_DB_H
#define NGX_HTTP_FLIQ_DB_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <libpq-fe.h>


typedef struct ngx_http_fliq_db_s        ngx_http_fliq_db_t;
typedef struct ngx_http_fliq_db_query_s  ngx_http_fliq_db_query_t;


/* A statement: constant, one static object for each .sql file. */
typedef struct {
    ngx_uint_t      index;      /* 0 .. number of statements - 1 */
    const char     *name;       /* the file's name without .sql */
    const char     *text;
    ngx_uint_t      nparams;    /* the highest $n in it */
} ngx_http_fliq_db_statement_t;

/* A parameter in binary format; a NULL value is an SQL NULL. */
typedef struct {
    const void     *value;
    size_t          len;
} ngx_http_fliq_db_param_t;

/* Server addresses that the master resolved: opaque, in the cycle's pool. */
typedef struct ngx_http_fliq_db_target_s  ngx_http_fliq_db_target_t;

/*
 * What to run on a fresh connection before it takes queries, in simple query
 * protocol: called first with *step 0 and a NULL result, then with the
 * result of what it asked for (the last one of several, or the first error).
 * Returns NGX_AGAIN with *sql set to the text to run (which must stay valid
 * until the next call); NGX_OK when the connection is ready; NGX_ERROR to
 * refuse it, having logged why: it is closed and tried again after the
 * longest backoff.  Making the connection, and then each text, may take as
 * long as ${timeout}, but not less than 2 s.
 */
typedef ngx_int_t (*ngx_http_fliq_db_setup_pt)(void *data, ngx_uint_t *step,
    const PGresult *result, const char **sql, ngx_log_t *log);

/* Called each time that a connection of the pool has become ready. */
typedef void (*ngx_http_fliq_db_ready_pt)(void *data);

typedef struct {
    const char                           *name;    /* for the log: "api" */
    const ngx_http_fliq_db_target_t      *target;
    const ngx_http_fliq_db_statement_t  **statements;
    ngx_uint_t                            nstatements;
    ngx_uint_t                            connections;
    ngx_uint_t                            queue;   /* queries that may wait
                                                      for a connection */
    ngx_uint_t                            depth;   /* queries in flight on
                                                      one connection */
    ngx_msec_t                            timeout; /* from the call of
                                                      _query to its answer;
                                                      a connection silent
                                                      for as long is
                                                      dropped */
    ngx_http_fliq_db_setup_pt             setup;   /* or NULL */
    ngx_http_fliq_db_ready_pt             ready;   /* or NULL */
    void                                 *data;    /* for setup and ready */
} ngx_http_fliq_db_conf_t;

/*
 * How a query ended:
 * NGX_OK        result holds its rows (PGRES_TUPLES_OK or COMMAND_OK);
 * NGX_DECLINED  the server refused it: result holds the error and its
 *               SQLSTATE, nothing was changed;
 * NGX_ERROR     the connection was lost after the query had been sent, or
 *               the answer did not come in time: whether it took effect is
 *               not known; result is NULL;
 * NGX_BUSY      it was never sent: the time ran out in the queue or the
 *               database is away; nothing was changed; result is NULL.
 */
typedef void (*ngx_http_fliq_db_done_pt)(void *data, ngx_int_t rc,
    const PGresult *result);


/*
 * ngx_http_fliq_db_target(cf, conninfo):
 * Check the connection string (a libpq key=value string or URI, with one
 * host or several) and resolve its host names, blocking, as nginx does for
 * upstreams.  A name that does not resolve now is tried again at each
 * connect.  Returns the target in cf's pool, or NULL having logged what is
 * wrong with the value.
 */
ngx_http_fliq_db_target_t *ngx_http_fliq_db_target(ngx_conf_t *cf,
    ngx_str_t *conninfo);

/*
 * ngx_http_fliq_db_create(conf, log):
 * Make a pool in this worker and begin to connect.  ${conf} is copied; what
 * it points to must outlive the pool.  NULL when there is no memory.
 */
ngx_http_fliq_db_t *ngx_http_fliq_db_create(
    const ngx_http_fliq_db_conf_t *conf, ngx_log_t *log);

/*
 * ngx_http_fliq_db_query(db, statement, params, done, data):
 * Start a query.  ${params} (statement->nparams of them; NULL when 0) and
 * what they point to must stay valid until ${done} or the cancel.
 * Returns a handle; NULL, without a call of ${done}, when the queue is full
 * or no connection is there and the last attempt to make one failed.
 */
ngx_http_fliq_db_query_t *ngx_http_fliq_db_query(ngx_http_fliq_db_t *db,
    const ngx_http_fliq_db_statement_t *statement,
    const ngx_http_fliq_db_param_t *params, ngx_http_fliq_db_done_pt done,
    void *data);

/*
 * ngx_http_fliq_db_cancel(query):
 * Forget the query: ${done} will not be called.  What was sent still takes
 * effect.
 */
void ngx_http_fliq_db_cancel(ngx_http_fliq_db_query_t *query);

/*
 * ngx_http_fliq_db_up(db):
 * 1 when a connection of the pool is ready.
 */
ngx_uint_t ngx_http_fliq_db_up(ngx_http_fliq_db_t *db);

/*
 * ngx_http_fliq_db_load(db):
 * How many queries are waiting or in flight.
 */
ngx_uint_t ngx_http_fliq_db_load(ngx_http_fliq_db_t *db);

/*
 * ngx_http_fliq_db_keep(db, keep):
 * While ${keep} is 1 the connections of an exiting worker stay open when
 * they are idle (a dispatcher that still drains needs its session); with 0,
 * the default, each closes as soon as it has nothing in flight.
 */
void ngx_http_fliq_db_keep(ngx_http_fliq_db_t *db, ngx_uint_t keep);

/*
 * ngx_http_fliq_db_destroy(db):
 * Close every connection, in exit_process; no done is called.
 */
void ngx_http_fliq_db_destroy(ngx_http_fliq_db_t *db);


#endif /* NGX_HTTP_FLIQ_DB_H */
