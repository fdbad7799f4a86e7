/*
 * Statements of alert channels, and of the outbox that webhooks and alerts
 * leave from.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


static void ngx_http_fliq_store_get_alert(const PGresult *res, int row,
    ngx_http_fliq_alert_t *alert);
static void ngx_http_fliq_store_decode_alert(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_alerts(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_posts(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_alert_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_alert_t *alert,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &alert->account_id);
    ngx_http_fliq_bind_id(call, &alert->id);
    ngx_http_fliq_bind_str(call, &alert->type);
    ngx_http_fliq_bind_str(call, &alert->name);
    ngx_http_fliq_bind_str(call, &alert->target);
    ngx_http_fliq_bind_int4(call, alert->lane);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_alert_create,
                                   ngx_http_fliq_store_decode_alert);
}


static void
ngx_http_fliq_store_get_alert(const PGresult *res, int row,
    ngx_http_fliq_alert_t *alert)
{
    ngx_memzero(alert, sizeof(ngx_http_fliq_alert_t));
    ngx_http_fliq_get_id(res, row, 0, &alert->id);

    alert->type = ngx_http_fliq_get_str(res, row, 1);
    alert->name = ngx_http_fliq_get_str(res, row, 2);
    alert->target = ngx_http_fliq_get_str(res, row, 3);
    alert->enabled = ngx_http_fliq_get_int(res, row, 4);
    alert->created_at = ngx_http_fliq_get_time(res, row, 5);
    alert->updated_at = ngx_http_fliq_get_time(res, row, 6);
}


static void
ngx_http_fliq_store_decode_alert(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_alert_t  alert;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_get_alert(res, 0, &alert);

    call->done(call->data, NGX_OK, &alert);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_alert_get(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_alert_get,
                                     account, id,
                                     ngx_http_fliq_store_decode_alert, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_alert_delete(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_alert_delete,
                                     account, id,
                                     ngx_http_fliq_store_decode_found, done,
                                     data);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_alert_list(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_alert_list,
                                   ngx_http_fliq_store_decode_alerts);
}


static void
ngx_http_fliq_store_decode_alerts(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                     i;
    ngx_http_fliq_list_t    list;
    ngx_http_fliq_alert_t  *alerts;

    list.n = PQntuples(res);

    alerts = ngx_palloc(call->pool,
                        (list.n + 1) * sizeof(ngx_http_fliq_alert_t));
    if (alerts == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_alert(res, i, &alerts[i]);
    }

    list.records = alerts;

    call->done(call->data, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_alert_update(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    const ngx_str_t *name, ngx_int_t enabled,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, id);

    if (name) {
        ngx_http_fliq_bind_str(call, name);
    } else {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
    }

    if (enabled != -1) {
        ngx_http_fliq_bind_bool(call, enabled);
    } else {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
    }

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_alert_update,
                                   ngx_http_fliq_store_decode_found);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_outbox_claim(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_take_t *take,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &take->owner->id);
    ngx_http_fliq_bind_int4(call, take->limit);
    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT4, take->blocked,
                             take->nblocked, sizeof(int32_t));
    ngx_http_fliq_bind_int8(call, take->after_lane);
    ngx_http_fliq_bind_int4(call, take->lanes);

    return ngx_http_fliq_store_run(call, store->claim, &fliq_sql_outbox_claim,
                                   ngx_http_fliq_store_decode_posts);
}


static void
ngx_http_fliq_store_decode_posts(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                    i;
    ngx_http_fliq_post_t  *posts;
    ngx_http_fliq_list_t   list;

    list.n = PQntuples(res);

    posts = ngx_palloc(call->pool,
                       (list.n + 1) * sizeof(ngx_http_fliq_post_t));
    if (posts == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        posts[i].id = ngx_http_fliq_get_int(res, i, 0);
        ngx_http_fliq_get_id(res, i, 1, &posts[i].account_id);
        posts[i].delivery_id = ngx_http_fliq_get_str(res, i, 2);
        posts[i].lane = ngx_http_fliq_get_int(res, i, 3);
        posts[i].url = ngx_http_fliq_get_str(res, i, 4);
        posts[i].headers = ngx_http_fliq_get_sealed(call, res, i, 5,
                                                   FLIQ_SEAL_WEBHOOK_HEADERS,
                                                   &posts[i].account_id);
        posts[i].body = ngx_http_fliq_get_str(res, i, 6);
        posts[i].secret = ngx_http_fliq_get_sealed(call, res, i, 7,
                                                   FLIQ_SEAL_SECRET,
                                                   &posts[i].account_id);
        ngx_str_null(&posts[i].refused);
        ngx_http_fliq_store_refuse_closed(call, &posts[i].refused);
    }

    list.records = posts;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_outbox_delete(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const int64_t *ids, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_INT8, ids, n,
                             sizeof(int64_t));

    return ngx_http_fliq_store_run(call, store->settle,
                                   &fliq_sql_outbox_delete,
                                   ngx_http_fliq_store_decode_none);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_outbox_disown(ngx_http_fliq_store_t *store,
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
                                   &fliq_sql_outbox_disown,
                                   ngx_http_fliq_store_decode_number);
}
