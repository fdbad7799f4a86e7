/*
 * What the files of the db room share.  From the top: the pool (db.c), the
 * queries (db_query.c), a connection (db_conn.c) while it is made
 * (db_connect.c) and when it is ready (db_pipe.c), where to (db_target.c,
 * db_endpoint.c) and the thread that looks names up (db_resolve.c).
 */

#ifndef NGX_HTTP_FLIQ_DB_PRIVATE_H
#define NGX_HTTP_FLIQ_DB_PRIVATE_H

#include "ngx_http_fliq_db.h"
#include "ngx_http_fliq_fd.h"

#include <netdb.h>


/* Milliseconds: libpq's own connect_timeout does not count while one polls. */
#define NGX_HTTP_FLIQ_DB_CONNECT_MIN   2000

/* How long a reconnect waits for fresh addresses when it knows older ones. */
#define NGX_HTTP_FLIQ_DB_LOOKUP_WAIT   500

/* Retries from here on wait longest: 0.6 to 1 s. */
#define NGX_HTTP_FLIQ_DB_LONGEST       5

/* Addresses younger than this are used without asking again. */
#define NGX_HTTP_FLIQ_DB_LOOKUP_FRESH  1000

/* Connection parameters: more than libpq knows. */
#define NGX_HTTP_FLIQ_DB_PARAMS        96

/* An address with its zone, as in "fe80::1%eth0". */
#define NGX_HTTP_FLIQ_DB_ADDR_LEN      (INET6_ADDRSTRLEN + 32)


typedef struct ngx_http_fliq_db_conn_s    ngx_http_fliq_db_conn_t;
typedef struct ngx_http_fliq_db_lookup_s  ngx_http_fliq_db_lookup_t;


/*
 * The life of a connection.  It changes in ngx_http_fliq_db_conn_set_state()
 * only; docs/db.md draws it.
 */
typedef enum {

    /* nothing is open and nothing is planned: an exiting worker needs none */
    NGX_HTTP_FLIQ_DB_CLOSED = 0,

    /* nothing is open; the (cancelable) timer ends the backoff */
    NGX_HTTP_FLIQ_DB_DOWN,

    /* nothing is open; waits for the pool's lookup, or for the timer */
    NGX_HTTP_FLIQ_DB_RESOLVING,

    /* pg is under PQconnectPoll; watch may be NULL; the timer bounds it */
    NGX_HTTP_FLIQ_DB_CONNECTING,

    /* pg and watch are set; simple queries of the setup; bounded as above */
    NGX_HTTP_FLIQ_DB_SETUP,

    /*
     * pg and watch are set, in pipeline mode; takes queries.  The timer runs
     * while a query is in flight, and a graceful exit waits for it.
     */
    NGX_HTTP_FLIQ_DB_READY,

    /* as READY, but takes no more: its statements are stale, it goes when
       nothing is in flight */
    NGX_HTTP_FLIQ_DB_DRAINING

} ngx_http_fliq_db_state_e;


struct ngx_http_fliq_db_query_s {
    ngx_queue_t                           queue;    /* in waiting, flight or
                                                       ended */
    ngx_http_fliq_db_t                   *db;
    ngx_http_fliq_db_conn_t              *conn;     /* NULL: not in flight */
    const ngx_http_fliq_db_statement_t   *statement;
    const ngx_http_fliq_db_param_t       *params;
    ngx_http_fliq_db_done_pt              done;     /* NULL: cancelled */
    void                                 *data;
    PGresult                             *result;   /* kept until the Sync */
    ngx_msec_t                            expires;
    ngx_int_t                             rc;       /* of one in ended */
    ngx_uint_t                            retries;

    unsigned                              syncs:2;  /* still to come: a
                                                       Prepare has its own */
    unsigned                              waiting:1;
};


#define NGX_HTTP_FLIQ_DB_UNPREPARED  0
#define NGX_HTTP_FLIQ_DB_PREPARING   1    /* sent, not answered yet */
#define NGX_HTTP_FLIQ_DB_PREPARED    2

/*
 * A connection and a pool are what their timers' data points to: nginx reads
 * the number after three pointers there when it logs an event.
 */

struct ngx_http_fliq_db_conn_s {
    ngx_http_fliq_db_t                   *db;
    PGconn                               *pg;
    ngx_http_fliq_fd_t                   *watch;
    ngx_socket_t                          fd;

    ngx_http_fliq_db_state_e              state;
    ngx_event_t                           timer;

    ngx_uint_t                            want;     /* of the watch */

    ngx_queue_t                           flight;   /* oldest first */
    ngx_uint_t                            inflight;
    ngx_msec_t                            heard;    /* its last bytes, or
                                                       when it was asked */

    ngx_uint_t                            failures; /* attempts in a row */
    ngx_uint_t                            start;    /* the attempt's first
                                                       endpoint */

    ngx_uint_t                            step;     /* of the setup */
    PGresult                             *answer;   /* of a setup query */

    u_char                               *prepared; /* by statement index:
                                                       one of those below */

    char                                  fatal[160];  /* the server's last
                                                          words */
};


/* One address of one host; no address: libpq gets the host as it is. */
typedef struct {
    ngx_uint_t                            host;
    char                                  addr[NGX_HTTP_FLIQ_DB_ADDR_LEN];
} ngx_http_fliq_db_endpoint_t;

typedef struct {
    ngx_http_fliq_db_endpoint_t          *elts;
    ngx_uint_t                            n;
} ngx_http_fliq_db_endpoints_t;

typedef struct {
    char                                 *name;     /* or a socket's path, or
                                                       "": the default */
    char                                 *addr;     /* hostaddr as given */
    char                                 *port;
    unsigned                              lookup:1; /* a name to resolve */
} ngx_http_fliq_db_host_t;

struct ngx_http_fliq_db_target_s {
    ngx_http_fliq_db_host_t              *hosts;
    ngx_uint_t                            nhosts;
    ngx_uint_t                            nlookups;

    ngx_http_fliq_db_endpoints_t          endpoints;

    /* all but host, hostaddr and port */
    const char                          **keywords;
    const char                          **values;
    ngx_uint_t                            nparams;
};


struct ngx_http_fliq_db_s {
    ngx_http_fliq_db_conn_t              *conns;
    ngx_http_fliq_db_lookup_t            *lookup;   /* running, or NULL */
    ngx_log_t                            *log;
    ngx_socket_t                          ident;

    ngx_http_fliq_db_conf_t               conf;

    ngx_uint_t                            nready;   /* conns in READY */
    ngx_uint_t                            nwaiting;
    ngx_uint_t                            ninflight;
    ngx_queue_t                           waiting;
    ngx_queue_t                           ended;

    ngx_event_t                           expiry;   /* of waiting's head */
    ngx_event_t                           report;   /* ended's done calls */

    ngx_http_fliq_db_endpoints_t          endpoints;
    ngx_msec_t                            resolved; /* when that was */
    ngx_uint_t                            first;    /* endpoint to try first */

    /* the arguments of PQsendQueryPrepared(), filled anew each time */
    const char                          **values;
    int                                  *lengths;
    int                                  *formats;

    ngx_uint_t                            warned;   /* 1: of a loss, 2: of a
                                                       failed attempt */
    unsigned                              away:1;   /* none is ready and the
                                                       last attempt failed */
    unsigned                              keep:1;
};


/* db.c */

/* A connection has become ready: the callback, and what waits. */
void ngx_http_fliq_db_connected(ngx_http_fliq_db_t *db);

/* An attempt failed: with no connection left, nobody waits any longer. */
void ngx_http_fliq_db_attempt_failed(ngx_http_fliq_db_t *db);

/* 1 when the pool has a use for another connection. */
ngx_uint_t ngx_http_fliq_db_wanted(ngx_http_fliq_db_t *db);

/* The ready connection with the least in flight and room for more, or NULL. */
ngx_http_fliq_db_conn_t *ngx_http_fliq_db_pick(ngx_http_fliq_db_t *db);

/* Send waiting queries to connections that have room. */
void ngx_http_fliq_db_dispatch(ngx_http_fliq_db_t *db);


/* db_query.c */

void ngx_http_fliq_db_query_init(ngx_http_fliq_db_t *db);
void ngx_http_fliq_db_query_destroy(ngx_http_fliq_db_t *db);

/* Put the one that waits longest in flight on c. */
void ngx_http_fliq_db_query_launch(ngx_http_fliq_db_conn_t *c);

/* The Sync of q has come; q->result holds its answer.  Frees q. */
void ngx_http_fliq_db_query_answered(ngx_http_fliq_db_query_t *q);

/* Nobody waits for q longer: done is called, its slot in flight stays. */
void ngx_http_fliq_db_query_overdue(ngx_http_fliq_db_query_t *q);

/* c is gone: all it had in flight ends with NGX_ERROR. */
void ngx_http_fliq_db_query_abandon(ngx_http_fliq_db_conn_t *c);

/* All that wait end with NGX_BUSY. */
void ngx_http_fliq_db_query_refuse(ngx_http_fliq_db_t *db);


/* db_conn.c */

void ngx_http_fliq_db_conn_init(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_t *db);

/* The only place where a state changes, and nready with it. */
void ngx_http_fliq_db_conn_set_state(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_state_e state);

/* Start the timer anew: what it means is the state's. */
void ngx_http_fliq_db_conn_set_timer(ngx_http_fliq_db_conn_t *c,
    ngx_msec_t timer);

/* The watch's handler in every state. */
void ngx_http_fliq_db_conn_handler(void *data, ngx_uint_t ready);

/* Write what libpq holds, and wait for room when the socket is full. */
void ngx_http_fliq_db_conn_flush(ngx_http_fliq_db_conn_t *c);

/* 1: OpenSSL holds bytes that no event will tell of. */
ngx_uint_t ngx_http_fliq_db_conn_pending(ngx_http_fliq_db_conn_t *c);

/* What the server says: its last words are kept to explain the loss. */
void ngx_http_fliq_db_conn_notice(void *data, const PGresult *result);

/* libpq says that the connection is of no more use: lost, or failed. */
void ngx_http_fliq_db_conn_broken(ngx_http_fliq_db_conn_t *c);

/* A connection that was ready is given up: close it, connect again. */
void ngx_http_fliq_db_conn_lost(ngx_http_fliq_db_conn_t *c,
    const char *reason);

/* An attempt is given up; a NULL reason: it was logged already. */
void ngx_http_fliq_db_conn_failed(ngx_http_fliq_db_conn_t *c,
    const char *reason);

/* Take no more queries: the server has forgotten or outdated a statement. */
void ngx_http_fliq_db_conn_stale(ngx_http_fliq_db_conn_t *c);

/* Tell nginx whether c may be closed at a graceful exit. */
void ngx_http_fliq_db_conn_mark(ngx_http_fliq_db_conn_t *c);

/* Close c if it is idle, the worker is exiting and nobody wants it. */
void ngx_http_fliq_db_conn_release(ngx_http_fliq_db_conn_t *c);

/* Close c for good. */
void ngx_http_fliq_db_conn_destroy(ngx_http_fliq_db_conn_t *c);


/* db_connect.c: the states before READY. */

/* Begin an attempt, with the names looked up first if that is due. */
void ngx_http_fliq_db_connect(ngx_http_fliq_db_conn_t *c);

/* The lookup that c may wait for has ended, or took too long. */
void ngx_http_fliq_db_connect_resolved(ngx_http_fliq_db_conn_t *c);

void ngx_http_fliq_db_connect_event(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t ready);

/* The timer: an attempt took too long. */
void ngx_http_fliq_db_connect_late(ngx_http_fliq_db_conn_t *c);


/* db_pipe.c: the states from READY on. */

/* Send q, which is in flight on c.  A failure shows as a loss of c. */
void ngx_http_fliq_db_pipe_send(ngx_http_fliq_db_conn_t *c,
    ngx_http_fliq_db_query_t *q);

void ngx_http_fliq_db_pipe_event(ngx_http_fliq_db_conn_t *c,
    ngx_uint_t ready);

/* The timer: is the server silent, or is a query only late? */
void ngx_http_fliq_db_pipe_late(ngx_http_fliq_db_conn_t *c);


/* db_endpoint.c */

/* 1 for the keywords that the endpoints stand for. */
ngx_uint_t ngx_http_fliq_db_endpoint_keyword(const char *keyword);

/*
 * Make a list of endpoints in malloc'ed memory: answers[i] are the addresses
 * of host i when it is one to look up; where there are none, those of ${old}
 * stay.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_fliq_db_endpoint_list(
    const ngx_http_fliq_db_target_t *target, struct addrinfo **answers,
    const ngx_http_fliq_db_endpoints_t *old,
    ngx_http_fliq_db_endpoints_t *endpoints);

/*
 * PQconnectStartParams() over the endpoints from number ${first} on, round
 * to the one before it.  NULL when there is no memory.
 */
PGconn *ngx_http_fliq_db_endpoint_connect(
    const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first);

/*
 * Which endpoint libpq is busy with, in an attempt that began with ${first};
 * ${first} when the endpoints have changed meanwhile.
 */
ngx_uint_t ngx_http_fliq_db_endpoint_current(
    const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first,
    const PGconn *pg);


/* db_resolve.c */

/* getaddrinfo() with what a host of a target means: blocks. */
int ngx_http_fliq_db_resolve(const char *name, struct addrinfo **answer);

/*
 * Look up all names of db's target on a thread; when that is done,
 * db->endpoints is renewed, db->lookup is NULL and every connection in
 * RESOLVING goes on.  NGX_OK or NGX_ERROR (logged).
 */
ngx_int_t ngx_http_fliq_db_lookup_start(ngx_http_fliq_db_t *db);

/* Forget the running lookup; its thread ends by itself.  NULL is ignored. */
void ngx_http_fliq_db_lookup_drop(ngx_http_fliq_db_lookup_t *lookup);


#endif /* NGX_HTTP_FLIQ_DB_PRIVATE_H */
