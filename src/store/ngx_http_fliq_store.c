/*
 * The store's pools, and what every call has in common.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


/* Queries in flight on one connection. */
#define NGX_HTTP_FLIQ_STORE_DEPTH        32
#define NGX_HTTP_FLIQ_STORE_DISP_QUEUE   64


static ngx_http_fliq_db_t *ngx_http_fliq_store_pool(
    ngx_http_fliq_store_t *store, const ngx_http_fliq_store_conf_t *conf,
    const char *name);
static ngx_int_t ngx_http_fliq_store_settings(ngx_http_fliq_store_t *store);
static void ngx_http_fliq_store_session(void *data);
static void ngx_http_fliq_store_done(void *data, ngx_int_t rc,
    const PGresult *res);


ngx_http_fliq_store_t *
ngx_http_fliq_store_create(const ngx_http_fliq_store_conf_t *conf,
    ngx_log_t *log)
{
    ngx_pool_t             *pool;
    ngx_http_fliq_store_t  *store;

    pool = ngx_create_pool(4096, log);
    if (pool == NULL) {
        return NULL;
    }

    store = ngx_pcalloc(pool, sizeof(ngx_http_fliq_store_t));
    if (store == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    store->pool = pool;
    store->log = log;
    store->ring = conf->ring->n ? conf->ring : NULL;

    ngx_http_fliq_store_creates_init(store, conf->queue);
    ngx_http_fliq_store_reads_init(store, conf->queue);

    if (ngx_http_fliq_store_settings(store) != NGX_OK) {
        ngx_http_fliq_store_destroy(store);
        return NULL;
    }

    store->api = ngx_http_fliq_store_pool(store, conf, "api");

    if (conf->dispatcher) {
        store->claim = ngx_http_fliq_store_pool(store, conf, "claim");
        store->settle = ngx_http_fliq_store_pool(store, conf, "settle");
    }

    if (store->api == NULL
        || (conf->dispatcher
            && (store->claim == NULL || store->settle == NULL)))
    {
        ngx_http_fliq_store_destroy(store);
        return NULL;
    }

    return store;
}


static ngx_http_fliq_db_t *
ngx_http_fliq_store_pool(ngx_http_fliq_store_t *store,
    const ngx_http_fliq_store_conf_t *conf, const char *name)
{
    ngx_http_fliq_db_conf_t  db;

    ngx_memzero(&db, sizeof(ngx_http_fliq_db_conf_t));

    db.name = name;
    db.target = conf->target;
    db.statements = fliq_sql_statements;
    db.nstatements = FLIQ_SQL_STATEMENTS;
    db.connections = 1;
    db.queue = NGX_HTTP_FLIQ_STORE_DISP_QUEUE;
    db.depth = NGX_HTTP_FLIQ_STORE_DEPTH;
    db.timeout = conf->timeout;
    db.setup = ngx_http_fliq_store_setup;
    db.data = &store->plain;

    if (ngx_strcmp(name, "api") == 0) {
        db.connections = conf->connections;
        db.queue = conf->queue;

    } else if (ngx_strcmp(name, "claim") == 0) {
        db.data = &store->claiming;
        db.ready = ngx_http_fliq_store_session;
    }

    return ngx_http_fliq_db_create(&db, store->log);
}


static ngx_int_t
ngx_http_fliq_store_settings(ngx_http_fliq_store_t *store)
{
    size_t   plain, claim;
    u_char  *p;

    plain = ngx_strlen(fliq_sql_session.text);
    claim = ngx_strlen(fliq_sql_session_claim.text);

    p = ngx_pnalloc(store->pool, plain + claim + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    store->claiming.store = store;
    store->claiming.settings.data = p;
    store->claiming.settings.len = plain + claim;

    p = ngx_cpymem(p, fliq_sql_session.text, plain);
    ngx_memcpy(p, fliq_sql_session_claim.text, claim + 1);

    store->plain.store = store;
    store->plain.settings.data = (u_char *) fliq_sql_session.text;
    store->plain.settings.len = plain;

    return NGX_OK;
}


static void
ngx_http_fliq_store_session(void *data)
{
    ngx_http_fliq_store_setup_t  *setup = data;

    ngx_http_fliq_store_t  *store;

    store = setup->store;

    if (store->ready) {
        store->ready(store->ready_data);
    }
}


void
ngx_http_fliq_store_ready(ngx_http_fliq_store_t *store,
    ngx_http_fliq_db_ready_pt handler, void *data)
{
    store->ready = handler;
    store->ready_data = data;
}


void
ngx_http_fliq_store_keep(ngx_http_fliq_store_t *store, ngx_uint_t keep)
{
    ngx_http_fliq_db_keep(store->claim, keep);
    ngx_http_fliq_db_keep(store->settle, keep);
}


ngx_uint_t
ngx_http_fliq_store_up(ngx_http_fliq_store_t *store)
{
    return ngx_http_fliq_db_up(store->api);
}


void
ngx_http_fliq_store_destroy(ngx_http_fliq_store_t *store)
{
    if (store->settle) {
        ngx_http_fliq_db_destroy(store->settle);
    }

    if (store->claim) {
        ngx_http_fliq_db_destroy(store->claim);
    }

    if (store->api) {
        ngx_http_fliq_db_destroy(store->api);
    }

    ngx_http_fliq_store_creates_done(store);
    ngx_http_fliq_store_reads_done(store);
    ngx_destroy_pool(store->pool);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_call(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_palloc(pool, sizeof(ngx_http_fliq_store_call_t));
    if (call == NULL) {
        return NULL;
    }

    call->store = store;
    call->pool = pool;
    call->query = NULL;
    call->done = done;
    call->data = data;
    call->cancel = NULL;
    call->ctx = NULL;
    call->nparams = 0;
    call->failed = 0;
    call->closed = 0;

    return call;
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_run(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_db_t *db, const ngx_http_fliq_db_statement_t *statement,
    ngx_http_fliq_store_decode_pt decode)
{
    if (call->failed) {
        return NULL;
    }

    call->decode = decode;
    call->query = ngx_http_fliq_db_query(db, statement, call->params,
                                         ngx_http_fliq_store_done, call);

    return call->query ? call : NULL;
}


static void
ngx_http_fliq_store_done(void *data, ngx_int_t rc, const PGresult *res)
{
    ngx_http_fliq_store_call_t  *call = data;

    call->query = NULL;

    if (rc == NGX_OK) {
        call->decode(call, res);
        return;
    }

    call->done(call->data, ngx_http_fliq_store_outcome(call->store, rc, res),
               NULL);
}


ngx_int_t
ngx_http_fliq_store_outcome(ngx_http_fliq_store_t *store, ngx_int_t rc,
    const PGresult *res)
{
    const char  *state, *text;

    if (rc != NGX_DECLINED) {
        return NGX_BUSY;
    }

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    state = state ? state : "?????";

    ngx_log_error(NGX_LOG_ERR, store->log, 0,
                  "the database refused a statement: %s (%s)",
                  text ? text : "no reason given", state);

    /*
     * transaction rollback (a deadlock), out of resources (a full disk),
     * operator intervention (a shutdown), a server that became read-only, a
     * name that somebody took in the same moment: the same statement may pass
     * later, or be refused for a clear reason
     */

    if (ngx_strncmp(state, "40", 2) == 0 || ngx_strncmp(state, "53", 2) == 0
        || ngx_strncmp(state, "57", 2) == 0 || ngx_strcmp(state, "25006") == 0
        || ngx_strncmp(state, "58", 2) == 0
        || ngx_strcmp(state, "23505") == 0)
    {
        return NGX_BUSY;
    }

    return NGX_ERROR;
}


void
ngx_http_fliq_store_cancel(ngx_http_fliq_store_call_t *call)
{
    if (call->cancel) {
        call->cancel(call);
        return;
    }

    if (call->query) {
        ngx_http_fliq_db_cancel(call->query);
        call->query = NULL;
    }
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_by_id(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_db_statement_t *statement, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_decode_pt decode,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, id);

    return ngx_http_fliq_store_run(call, store->api, statement, decode);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_plain(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_db_t *db, const ngx_http_fliq_db_statement_t *statement,
    ngx_http_fliq_store_decode_pt decode, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    return ngx_http_fliq_store_run(call, db, statement, decode);
}


void
ngx_http_fliq_store_decode_none(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    call->done(call->data, NGX_OK, NULL);
}


void
ngx_http_fliq_store_decode_found(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    call->done(call->data, PQntuples(res) ? NGX_OK : NGX_DECLINED, NULL);
}


void
ngx_http_fliq_store_decode_number(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_uint_t  number;

    number = ngx_http_fliq_get_int(res, 0, 0);

    call->done(call->data, NGX_OK, &number);
}


void
ngx_http_fliq_store_decode_time(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int64_t  at;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    at = ngx_http_fliq_get_time(res, 0, 0);

    call->done(call->data, NGX_OK, &at);
}
