/*
 * Statements of buffers, as the API asks them.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"
#include "ngx_http_fliq_store_buffer.h"


static void ngx_http_fliq_store_get_buffer(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_buffer_t *buffer);
static void ngx_http_fliq_store_decode_buffer(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_buffers(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_buffer_stats(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_buffer_t *buffer,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &buffer->account_id);
    ngx_http_fliq_bind_id(call, &buffer->id);
    ngx_http_fliq_bind_str(call, &buffer->name);
    ngx_http_fliq_bind_str(call, &buffer->url);
    ngx_http_fliq_bind_str(call, &buffer->method);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_HEADERS, &buffer->account_id,
                              &buffer->headers);
    ngx_http_fliq_bind_int4(call, buffer->max_retries);
    ngx_http_fliq_bind_int4(call, buffer->timeout_seconds);
    ngx_http_fliq_bind_str(call, &buffer->backoff);
    ngx_http_fliq_bind_int4(call, buffer->rate_limit);
    ngx_http_fliq_bind_str(call, &buffer->webhook_url);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_WEBHOOK_HEADERS,
                              &buffer->account_id, &buffer->webhook_headers);
    ngx_http_fliq_bind_int4(call, buffer->lane);
    ngx_http_fliq_bind_int4(call, buffer->webhook_lane);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_buffer_create,
                                   ngx_http_fliq_store_decode_buffer);
}


static void
ngx_http_fliq_store_get_buffer(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_buffer_t *buffer)
{
    ngx_http_fliq_get_id(res, row, 0, &buffer->account_id);
    ngx_http_fliq_get_id(res, row, 1, &buffer->id);

    buffer->name = ngx_http_fliq_get_str(res, row, 2);
    buffer->paused = ngx_http_fliq_get_int(res, row, 3);
    buffer->backoff = ngx_http_fliq_get_str(res, row, 4);
    buffer->max_retries = ngx_http_fliq_get_int(res, row, 5);
    buffer->timeout_seconds = ngx_http_fliq_get_int(res, row, 6);
    buffer->rate_limit = ngx_http_fliq_get_int(res, row, 7);
    buffer->lane = 0;
    buffer->webhook_lane = 0;
    buffer->created_at = ngx_http_fliq_get_time(res, row, 8);
    buffer->updated_at = ngx_http_fliq_get_time(res, row, 9);
    buffer->method = ngx_http_fliq_get_str(res, row, 10);
    buffer->url = ngx_http_fliq_get_str(res, row, 11);
    buffer->headers = ngx_http_fliq_get_sealed(call, res, row, 12,
                                               FLIQ_SEAL_HEADERS,
                                               &buffer->account_id);
    buffer->webhook_url = ngx_http_fliq_get_str(res, row, 13);
    buffer->webhook_headers = ngx_http_fliq_get_sealed(call, res, row, 14,
                                                   FLIQ_SEAL_WEBHOOK_HEADERS,
                                                   &buffer->account_id);
}


static void
ngx_http_fliq_store_decode_buffer(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_buffer_t  buffer;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_get_buffer(call, res, 0, &buffer);

    ngx_http_fliq_store_opened(call, NGX_OK, &buffer);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_get(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_buffer_get,
                                     account, id,
                                     ngx_http_fliq_store_decode_buffer, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_delete(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_buffer_delete,
                                     account, id,
                                     ngx_http_fliq_store_decode_found, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_list(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *before,
    ngx_uint_t limit, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_buffer_list,
                                   ngx_http_fliq_store_decode_buffers);
}


static void
ngx_http_fliq_store_decode_buffers(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                      i;
    ngx_http_fliq_list_t     list;
    ngx_http_fliq_buffer_t  *buffers;

    list.n = PQntuples(res);

    buffers = ngx_palloc(call->pool,
                         (list.n + 1) * sizeof(ngx_http_fliq_buffer_t));
    if (buffers == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_buffer(call, res, i, &buffers[i]);
    }

    list.records = buffers;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_pause(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_uint_t paused, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, id);
    ngx_http_fliq_bind_bool(call, paused);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_buffer_pause,
                                   ngx_http_fliq_store_decode_found);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_buffer_stats(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_buffer_stats,
                                     account, id,
                                     ngx_http_fliq_store_decode_buffer_stats,
                                     done, data);
}


static void
ngx_http_fliq_store_decode_buffer_stats(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_buffer_stats_t  stats;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    stats.pending = ngx_http_fliq_get_int(res, 0, 0);
    stats.running = ngx_http_fliq_get_int(res, 0, 1);
    stats.completed = ngx_http_fliq_get_int(res, 0, 2);
    stats.failed = ngx_http_fliq_get_int(res, 0, 3);

    call->done(call->data, NGX_OK, &stats);
}
