/*
 * Statements of a buffer's items, as the API asks them.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"
#include "ngx_http_fliq_store_buffer.h"


/* The columns of item_get.sql, in their order. */
enum {
    FLIQ_ITEM_ACCOUNT_ID = 0,
    FLIQ_ITEM_ID,
    FLIQ_ITEM_BUFFER_ID,
    FLIQ_ITEM_STATUS,
    FLIQ_ITEM_STATUS_CODE,
    FLIQ_ITEM_ATTEMPTS,
    FLIQ_ITEM_RETRY_COUNT,
    FLIQ_ITEM_CREATED_AT,
    FLIQ_ITEM_COMPLETED_AT,
    FLIQ_ITEM_REPLAY_OF,
    FLIQ_ITEM_HEADERS,
    FLIQ_ITEM_BODY,
    FLIQ_ITEM_IDEMPOTENCY_KEY,
    FLIQ_ITEM_LAST_ERROR,
    FLIQ_ITEM_MAX_RETRIES
};


/* A push on its way; in the call's pool. */
typedef struct {
    const ngx_http_fliq_item_t    *asked;
    ngx_http_fliq_pushed_t         pushed;
    ngx_http_fliq_item_t           item;
} ngx_http_fliq_push_t;


static void ngx_http_fliq_store_decode_pushed(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_pushed_look_up(
    ngx_http_fliq_store_call_t *call);
static void ngx_http_fliq_store_decode_pushed_item(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_get_item(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_item_t *item);
static void ngx_http_fliq_store_decode_item(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_store_decode_items(ngx_http_fliq_store_call_t *call,
    const PGresult *res);


static const ngx_http_fliq_db_statement_t  *ngx_http_fliq_item_lists[] = {
    &fliq_sql_item_list,
    &fliq_sql_item_list_pending,
    &fliq_sql_item_list_running,
    &fliq_sql_item_list_completed,
    &fliq_sql_item_list_failed
};


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_item_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_item_t *item,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_push_t        *push;
    ngx_http_fliq_store_call_t  *call;

    push = ngx_pcalloc(pool, sizeof(ngx_http_fliq_push_t));
    if (push == NULL) {
        return NULL;
    }

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    push->asked = item;
    call->ctx = push;

    ngx_http_fliq_bind_id(call, &item->account_id);
    ngx_http_fliq_bind_id(call, &item->buffer_id);
    ngx_http_fliq_bind_id(call, &item->id);

    if (item->is_replay) {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
        ngx_http_fliq_bind_bytes(call, NULL, 0);
        ngx_http_fliq_bind_bytes(call, NULL, 0);
        ngx_http_fliq_bind_id(call, &item->replay_of);

    } else {
        ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_HEADERS, &item->account_id,
                                  &item->headers);
        ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_BODY, &item->account_id,
                                  &item->body);
        ngx_http_fliq_bind_str(call, &item->idempotency_key);
        ngx_http_fliq_bind_bytes(call, NULL, 0);
    }

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_item_create,
                                   ngx_http_fliq_store_decode_pushed);
}


static void
ngx_http_fliq_store_decode_pushed(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_push_t    *push;
    ngx_http_fliq_item_t    *item;
    ngx_http_fliq_pushed_t  *pushed;

    push = call->ctx;
    pushed = &push->pushed;
    item = &push->item;

    pushed->found = ngx_http_fliq_get_int(res, 0, 0);
    pushed->source = ngx_http_fliq_get_int(res, 0, 1);
    pushed->failed = ngx_http_fliq_get_int(res, 0, 2);
    pushed->made = !PQgetisnull(res, 0, 3);

    if (!pushed->made && (!pushed->found || push->asked->is_replay)) {
        call->done(call->data, NGX_OK, pushed);
        return;
    }

    if (!pushed->made || push->asked->is_replay) {
        ngx_http_fliq_store_pushed_look_up(call);
        return;
    }

    *item = *push->asked;
    ngx_str_set(&item->status, "pending");
    item->created_at = ngx_http_fliq_get_time(res, 0, 3);
    item->completed_at = NGX_HTTP_FLIQ_NONE;
    item->max_retries = ngx_http_fliq_get_int(res, 0, 4);
    item->status_code = 0;
    item->attempts = 0;
    item->retry_count = 0;
    ngx_str_null(&item->last_error);

    pushed->item = item;

    call->done(call->data, NGX_OK, pushed);
}


/* What a replay copied, or which item used the key first. */

static void
ngx_http_fliq_store_pushed_look_up(ngx_http_fliq_store_call_t *call)
{
    ngx_http_fliq_push_t        *push;
    const ngx_http_fliq_item_t  *asked;

    push = call->ctx;
    asked = push->asked;

    call->nparams = 0;
    ngx_http_fliq_bind_id(call, &asked->account_id);
    ngx_http_fliq_bind_id(call, &asked->buffer_id);

    if (push->pushed.made) {
        ngx_http_fliq_bind_id(call, &asked->id);
        ngx_http_fliq_bind_bytes(call, NULL, 0);

    } else {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
        ngx_http_fliq_bind_str(call, &asked->idempotency_key);
    }

    if (ngx_http_fliq_store_run(call, call->store->api, &fliq_sql_item_get,
                                ngx_http_fliq_store_decode_pushed_item)
        == NULL)
    {
        call->done(call->data, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_store_decode_pushed_item(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_push_t  *push;

    push = call->ctx;

    if (PQntuples(res)) {
        ngx_http_fliq_store_get_item(call, res, 0, &push->item);
        push->pushed.item = &push->item;

    } else {
        /* the buffer was deleted in between */
        push->pushed.found = 0;
        push->pushed.made = 0;
    }

    ngx_http_fliq_store_opened(call, NGX_OK, &push->pushed);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_item_get(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *buffer, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, buffer);
    ngx_http_fliq_bind_id(call, id);
    ngx_http_fliq_bind_bytes(call, NULL, 0);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_item_get,
                                   ngx_http_fliq_store_decode_item);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_item_by_key(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *buffer,
    const ngx_str_t *key, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, buffer);
    ngx_http_fliq_bind_bytes(call, NULL, 0);
    ngx_http_fliq_bind_str(call, key);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_item_get,
                                   ngx_http_fliq_store_decode_item);
}


static void
ngx_http_fliq_store_get_item(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, ngx_http_fliq_item_t *item)
{
    ngx_http_fliq_get_id(res, row, FLIQ_ITEM_ACCOUNT_ID, &item->account_id);
    ngx_http_fliq_get_id(res, row, FLIQ_ITEM_ID, &item->id);
    ngx_http_fliq_get_id(res, row, FLIQ_ITEM_BUFFER_ID, &item->buffer_id);

    item->is_replay = ngx_http_fliq_get_id(res, row, FLIQ_ITEM_REPLAY_OF,
                                           &item->replay_of);

#define fliq_int(column)   ngx_http_fliq_get_int(res, row, column)
#define fliq_time(column)  ngx_http_fliq_get_time(res, row, column)
#define fliq_text(column)  ngx_http_fliq_get_str(res, row, column)
#define fliq_sealed(column, kind)                                             \
    ngx_http_fliq_get_sealed(call, res, row, column, kind, &item->account_id)

    item->status = fliq_text(FLIQ_ITEM_STATUS);
    item->status_code = fliq_int(FLIQ_ITEM_STATUS_CODE);
    item->attempts = fliq_int(FLIQ_ITEM_ATTEMPTS);
    item->retry_count = fliq_int(FLIQ_ITEM_RETRY_COUNT);
    item->max_retries = fliq_int(FLIQ_ITEM_MAX_RETRIES);
    item->created_at = fliq_time(FLIQ_ITEM_CREATED_AT);
    item->completed_at = fliq_time(FLIQ_ITEM_COMPLETED_AT);
    item->headers = fliq_sealed(FLIQ_ITEM_HEADERS, FLIQ_SEAL_HEADERS);
    item->body = fliq_sealed(FLIQ_ITEM_BODY, FLIQ_SEAL_BODY);
    item->idempotency_key = fliq_text(FLIQ_ITEM_IDEMPOTENCY_KEY);
    item->last_error = fliq_text(FLIQ_ITEM_LAST_ERROR);

#undef fliq_int
#undef fliq_time
#undef fliq_text
#undef fliq_sealed
}


static void
ngx_http_fliq_store_decode_item(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_item_t  item;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_get_item(call, res, 0, &item);

    ngx_http_fliq_store_opened(call, NGX_OK, &item);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_item_list(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, const fliq_id_t *buffer,
    ngx_http_fliq_items_e which, const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_page(call, account, before, limit);
    ngx_http_fliq_bind_id(call, buffer);

    return ngx_http_fliq_store_run(call, store->api,
                                   ngx_http_fliq_item_lists[which],
                                   ngx_http_fliq_store_decode_items);
}


static void
ngx_http_fliq_store_decode_items(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                    i;
    ngx_http_fliq_item_t  *items;
    ngx_http_fliq_list_t   list;

    list.n = PQntuples(res);

    items = ngx_palloc(call->pool,
                       (list.n + 1) * sizeof(ngx_http_fliq_item_t));
    if (items == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_item(call, res, i, &items[i]);
    }

    list.records = items;

    ngx_http_fliq_store_opened(call, NGX_OK, &list);
}
