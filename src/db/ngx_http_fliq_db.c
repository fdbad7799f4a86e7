/*
 * The pool: its connections, and which of them gets what waits.
 */

#include "ngx_http_fliq_db_private.h"


static void ngx_http_fliq_db_wake(ngx_http_fliq_db_t *db);
static ngx_int_t ngx_http_fliq_db_init(ngx_http_fliq_db_t *db);


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
        ngx_http_fliq_db_connect(&db->conns[i]);
    }

    return db;
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

    ngx_http_fliq_db_query_destroy(db);

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
    if (db->nready) {
        return;
    }

    db->away = 1;
    ngx_http_fliq_db_query_refuse(db);
}


ngx_uint_t
ngx_http_fliq_db_wanted(ngx_http_fliq_db_t *db)
{
    return !ngx_exiting || db->keep || db->nwaiting;
}


ngx_http_fliq_db_conn_t *
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


void
ngx_http_fliq_db_dispatch(ngx_http_fliq_db_t *db)
{
    ngx_http_fliq_db_conn_t  *c;

    while (db->nwaiting) {

        c = ngx_http_fliq_db_pick(db);
        if (c == NULL) {
            break;
        }

        ngx_http_fliq_db_query_launch(c);
    }

    ngx_http_fliq_db_wake(db);
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

    ngx_http_fliq_db_connect(&db->conns[0]);
}


static ngx_int_t
ngx_http_fliq_db_init(ngx_http_fliq_db_t *db)
{
    size_t                          size;
    ngx_uint_t                      i, n;
    const ngx_http_fliq_db_conf_t  *conf;

    conf = &db->conf;

    db->ident = (ngx_socket_t) -1;

    ngx_http_fliq_db_query_init(db);

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

    return ngx_http_fliq_db_endpoint_list(conf->target, NULL,
                                          &conf->target->endpoints,
                                          &db->endpoints);
}
