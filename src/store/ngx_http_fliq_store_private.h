/*
 * What the files of the store room share: calls, binding, decoding.
 */

#ifndef NGX_HTTP_FLIQ_STORE_PRIVATE_H
#define NGX_HTTP_FLIQ_STORE_PRIVATE_H

#include <ngx_event.h>

#include "ngx_http_fliq_store.h"
#include "fliq_sql.h"


#define NGX_HTTP_FLIQ_STORE_PARAMS  20


/* Which settings a pool's connections get, for the setup. */
typedef struct {
    ngx_str_t                      settings;    /* simple-protocol text */
    ngx_uint_t                     version;     /* applied, as last read */
    ngx_http_fliq_store_t         *store;
} ngx_http_fliq_store_setup_t;

struct ngx_http_fliq_store_s {
    ngx_log_t                     *log;
    ngx_pool_t                    *pool;
    const fliq_seal_ring_t        *ring;        /* NULL: no encryption */

    ngx_http_fliq_db_t            *api;
    ngx_http_fliq_db_t            *claim;       /* NULL: no dispatcher */
    ngx_http_fliq_db_t            *settle;

    ngx_uint_t                     refused;     /* the schema's version, as
                                                   it was last logged */
    ngx_http_fliq_store_setup_t    plain;
    ngx_http_fliq_store_setup_t    claiming;

    ngx_http_fliq_db_ready_pt      ready;
    void                          *ready_data;

    /* ngx_http_fliq_store_create.c */
    ngx_queue_t                    creates;     /* waiting for a batch */
    ngx_uint_t                     ncreates;
    ngx_uint_t                     max_creates;
    ngx_uint_t                     batches;     /* in flight */
    ngx_event_t                    flush;

    /* ngx_http_fliq_store_read.c */
    ngx_queue_t                    reads;       /* waiting for a batch */
    ngx_uint_t                     nreads;
    ngx_uint_t                     max_reads;
    ngx_uint_t                     read_batches;    /* in flight */
    ngx_event_t                    read_flush;
};


/*
 * A call: one statement on its way.  decode is called with the rows of a
 * statement that the server took, and calls the call's done.
 */
typedef void (*ngx_http_fliq_store_decode_pt)(
    ngx_http_fliq_store_call_t *call, const PGresult *res);

struct ngx_http_fliq_store_call_s {
    ngx_http_fliq_store_t           *store;
    ngx_pool_t                      *pool;
    ngx_http_fliq_db_query_t        *query;     /* NULL: none in flight */
    ngx_http_fliq_store_done_pt      done;
    void                            *data;
    ngx_http_fliq_store_decode_pt    decode;
    void                           (*cancel)(ngx_http_fliq_store_call_t *);
    void                            *ctx;       /* of the function */

    ngx_uint_t                       nparams;
    unsigned                         failed:1;  /* no memory to bind, seal
                                                   or open a value */
    unsigned                         closed:1;  /* no key opened a value */
    ngx_http_fliq_db_param_t         params[NGX_HTTP_FLIQ_STORE_PARAMS];
};


/*
 * ngx_http_fliq_store_call(store, pool, done, data): a new call in ${pool},
 * or NULL.
 *
 * ngx_http_fliq_store_run(call, db, statement, decode): send it with what was
 * bound; returns the call, or NULL when it cannot be sent.
 *
 * ngx_http_fliq_store_outcome(store, rc, res): the store's return code of a
 * query that did not end with rows; logs what the server refused.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_call(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_run(
    ngx_http_fliq_store_call_t *call, ngx_http_fliq_db_t *db,
    const ngx_http_fliq_db_statement_t *statement,
    ngx_http_fliq_store_decode_pt decode);
ngx_int_t ngx_http_fliq_store_outcome(ngx_http_fliq_store_t *store,
    ngx_int_t rc, const PGresult *res);

/*
 * _by_id: a call of the api pool whose parameters are an account and an id.
 * _plain: a call without parameters.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_by_id(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_decode_pt decode,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_plain(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, ngx_http_fliq_db_t *db,
    const ngx_http_fliq_db_statement_t *statement,
    ngx_http_fliq_store_decode_pt decode, ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * Decodes that several statements share.
 * _none:    done(NGX_OK, NULL), whatever came.
 * _found:   done(NGX_OK, NULL) when there is a row, else NGX_DECLINED.
 * _number:  the first column of the first row, as an ngx_uint_t.
 * _time:    the first column of the first row, as an int64_t; NGX_DECLINED
 *           when there is no row.
 * _due:     an ngx_http_fliq_due_t.
 * _settled: an ngx_http_fliq_settled_t.
 * _jobs:    a list of ngx_http_fliq_job_t.
 */
void ngx_http_fliq_store_decode_none(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_found(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_number(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_time(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_due(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_settled(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
void ngx_http_fliq_store_decode_jobs(ngx_http_fliq_store_call_t *call,
    const PGresult *res);

/*
 * ngx_http_fliq_store_opened(call, rc, result): what a decode ends with that
 * read sealed values for the API: its done, with NGX_ERROR when one of them
 * did not open.
 *
 * ngx_http_fliq_store_refuse_closed(call, refused): set why an attempt is not
 * to be made, if a value of its row did not open.
 */
void ngx_http_fliq_store_opened(ngx_http_fliq_store_call_t *call,
    ngx_int_t rc, const void *result);
void ngx_http_fliq_store_refuse_closed(ngx_http_fliq_store_call_t *call,
    ngx_str_t *refused);

/* The create queue: made in _store_create(), ended in _store_destroy(). */
void ngx_http_fliq_store_creates_init(ngx_http_fliq_store_t *store,
    ngx_uint_t max);
void ngx_http_fliq_store_creates_done(ngx_http_fliq_store_t *store);

/* The queue of reads, the same. */
void ngx_http_fliq_store_reads_init(ngx_http_fliq_store_t *store,
    ngx_uint_t max);
void ngx_http_fliq_store_reads_done(ngx_http_fliq_store_t *store);

/* The db room's setup: settings, then the schema. */
ngx_int_t ngx_http_fliq_store_setup(void *data, ngx_uint_t *step,
    const PGresult *res, const char **sql, ngx_log_t *log);


/*
 * Binding, in binary format: each appends the next parameter of the call.
 * What is passed by pointer must outlive the call; numbers are copied.
 * A string with NULL data, and the time NGX_HTTP_FLIQ_NONE, are SQL NULLs.
 */
void ngx_http_fliq_bind_id(ngx_http_fliq_store_call_t *call,
    const fliq_id_t *id);
void ngx_http_fliq_bind_int4(ngx_http_fliq_store_call_t *call, int32_t value);
void ngx_http_fliq_bind_int8(ngx_http_fliq_store_call_t *call, int64_t value);
void ngx_http_fliq_bind_bool(ngx_http_fliq_store_call_t *call,
    ngx_uint_t value);
void ngx_http_fliq_bind_time(ngx_http_fliq_store_call_t *call, int64_t value);
void ngx_http_fliq_bind_bytes(ngx_http_fliq_store_call_t *call,
    const void *data, size_t len);
void ngx_http_fliq_bind_str(ngx_http_fliq_store_call_t *call,
    const ngx_str_t *value);

/* An account, the id that the page lies behind (NULL: the newest), rows. */
void ngx_http_fliq_bind_page(ngx_http_fliq_store_call_t *call,
    const fliq_id_t *account, const fliq_id_t *before, ngx_uint_t limit);

typedef enum {
    NGX_HTTP_FLIQ_BIND_ID = 0,          /* fliq_id_t */
    NGX_HTTP_FLIQ_BIND_INT4,            /* int32_t */
    NGX_HTTP_FLIQ_BIND_INT4_NULL,       /* int32_t, 0 is an SQL NULL */
    NGX_HTTP_FLIQ_BIND_INT8,            /* int64_t */
    NGX_HTTP_FLIQ_BIND_TIME,            /* int64_t */
    NGX_HTTP_FLIQ_BIND_TEXT,            /* ngx_str_t */
    NGX_HTTP_FLIQ_BIND_BYTEA            /* ngx_str_t */
} ngx_http_fliq_bind_e;

/*
 * One array of the member at ${offset} of each of ${n} records, which are
 * pointed to by ${records}; the values are copied.
 */
void ngx_http_fliq_bind_column(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_bind_e type, const void *const *records, ngx_uint_t n,
    size_t offset);

/* The same of an array of plain values (${size} bytes each). */
void ngx_http_fliq_bind_array(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_bind_e type, const void *values, ngx_uint_t n, size_t size);

/*
 * Values that are encrypted at rest if there are keys: as _bind_str, and as
 * _bind_column, where the member at ${account} of each record is its
 * account's id.
 */
void ngx_http_fliq_bind_sealed(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const fliq_id_t *account, const ngx_str_t *value);
void ngx_http_fliq_bind_sealed_column(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const void *const *records, ngx_uint_t n,
    size_t account, size_t offset);


/*
 * Decoding, of binary results.  Strings point into the result.
 */
int64_t ngx_http_fliq_get_int(const PGresult *res, int row, int column);
int64_t ngx_http_fliq_get_time(const PGresult *res, int row, int column);
ngx_uint_t ngx_http_fliq_get_id(const PGresult *res, int row, int column,
    fliq_id_t *id);
ngx_str_t ngx_http_fliq_get_str(const PGresult *res, int row, int column);
fliq_backoff_kind_t ngx_http_fliq_get_backoff(const PGresult *res, int row,
    int column);

/*
 * A value that may be sealed: one that is plain points into the result, one
 * that was opened into the call's pool.  NULL when it does not open, which is
 * logged and noted in the call.
 */
ngx_str_t ngx_http_fliq_get_sealed(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, int column, fliq_seal_kind_e kind,
    const fliq_id_t *account);

/* A row of the view fliq.job_records; a statement's own columns follow. */
#define NGX_HTTP_FLIQ_JOB_COLUMNS  25

void ngx_http_fliq_get_job(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_job_t *job);


#endif /* NGX_HTTP_FLIQ_STORE_PRIVATE_H */
