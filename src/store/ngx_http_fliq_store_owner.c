/*
 * Statements of a dispatcher's identity and of the upkeep that any dispatcher
 * does.  What needs the session of the identity runs on the claim pool, the
 * rest on the settle pool.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


static void ngx_http_fliq_store_decode_probed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_buried(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_posts_freed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_buffers_freed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_swept(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_owner_lock(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_int8(call, owner->lock_key);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_owner_lock,
                                   ngx_http_fliq_store_decode_number);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_owner_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);
    ngx_http_fliq_bind_int8(call, owner->lock_key);
    ngx_http_fliq_bind_str(call, (ngx_str_t *) &ngx_cycle->hostname);
    ngx_http_fliq_bind_int4(call, ngx_pid);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_owner_create,
                                   ngx_http_fliq_store_decode_time);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_owner_beat(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_owner_beat,
                                   ngx_http_fliq_store_decode_time);
}


/*
 * Several statements, not one: each sees what the one before committed, and
 * those behind the burial must see what the buried owners settled at the end.
 */

ngx_http_fliq_store_call_t *
ngx_http_fliq_store_owner_reap(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);

    return ngx_http_fliq_store_run(call, store->settle, &fliq_sql_owner_probe,
                                   ngx_http_fliq_store_decode_probed);
}


static void
ngx_http_fliq_store_decode_probed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    if (ngx_http_fliq_store_run(call, call->store->settle,
                                &fliq_sql_owner_bury,
                                ngx_http_fliq_store_decode_buried)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_store_decode_buried(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int        i;
    ngx_str_t  node;

    for (i = 0; i < PQntuples(res); i++) {
        node = ngx_http_fliq_get_str(res, i, 1);

        ngx_log_error(NGX_LOG_NOTICE, call->store->log, 0,
                      "dispatcher of process %L on \"%V\" is gone, "
                      "its jobs become due again",
                      ngx_http_fliq_get_int(res, i, 2), &node);
    }

    call->nparams = 0;

    if (ngx_http_fliq_store_run(call, call->store->settle,
                                &fliq_sql_outbox_release,
                                ngx_http_fliq_store_decode_posts_freed)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_store_decode_posts_freed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    if (ngx_http_fliq_store_run(call, call->store->settle,
                                &fliq_sql_buffer_release,
                                ngx_http_fliq_store_decode_buffers_freed)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_store_decode_buffers_freed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    if (ngx_http_fliq_store_run(call, call->store->settle,
                                &fliq_sql_buffer_sweep,
                                ngx_http_fliq_store_decode_swept)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_store_decode_swept(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    if (ngx_http_fliq_store_run(call, call->store->settle,
                                &fliq_sql_claim_release,
                                ngx_http_fliq_store_decode_number)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_claim_disown(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner,
    const int64_t *known, ngx_uint_t nknown, ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT8, known, nknown,
                             sizeof(int64_t));

    return ngx_http_fliq_store_run(call, store->claim,
                                   &fliq_sql_claim_disown,
                                   ngx_http_fliq_store_decode_number);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_owner_leave(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_owner_t *owner,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &owner->id);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_owner_leave,
                                   ngx_http_fliq_store_decode_none);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_partition_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_partition_create,
                                   ngx_http_fliq_store_decode_none);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_usage_close(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_usage_close,
                                   ngx_http_fliq_store_decode_number);
}
