/*
 * The routes of the items in a buffer.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/* A word of ?status= and what it selects. */
typedef struct {
    const char              *word;
    ngx_http_fliq_items_e    which;
} ngx_http_fliq_item_filter_t;


static ngx_int_t ngx_http_fliq_items_known(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_items_insert(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static ngx_int_t ngx_http_fliq_items_pushed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_items_repeated(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, const ngx_http_fliq_item_t *first);
static ngx_int_t ngx_http_fliq_items_reply(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_item_t *item);
static ngx_int_t ngx_http_fliq_item_filter(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_items_e *which);
static ngx_int_t ngx_http_fliq_items_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_items_none(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_items_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_items_clone(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static ngx_int_t ngx_http_fliq_items_replayed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


static const ngx_http_fliq_item_filter_t  ngx_http_fliq_item_filters[] = {
    { "pending",   NGX_HTTP_FLIQ_ITEMS_PENDING },
    { "running",   NGX_HTTP_FLIQ_ITEMS_RUNNING },
    { "completed", NGX_HTTP_FLIQ_ITEMS_COMPLETED },
    { "failed",    NGX_HTTP_FLIQ_ITEMS_FAILED },
    { NULL,        NGX_HTTP_FLIQ_ITEMS_ALL }
};

static const ngx_http_fliq_page_kind_t  ngx_http_fliq_item_kind = {
    "items",
    sizeof(ngx_http_fliq_item_t),
    offsetof(ngx_http_fliq_item_t, id),
    ngx_http_fliq_item_json
};


/* As with jobs, the key is looked up before credit is judged. */
ngx_int_t
ngx_http_fliq_items_push(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_item_t        *item;
    ngx_http_fliq_store_call_t  *call;

    item = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_item_t));
    if (item == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_item_read(r, ctx, item) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = item;

    if (!ctx->token.gated || item->idempotency_key.data == NULL) {
        return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_items_insert);
    }

    call = ngx_http_fliq_store_item_by_key(ctx->api->conf.store, r->pool,
                                           &item->account_id,
                                           &item->buffer_id,
                                           &item->idempotency_key,
                                           ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_known);
}


static ngx_int_t
ngx_http_fliq_items_known(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_OK) {
        return ngx_http_fliq_items_repeated(r, ctx, result);
    }

    return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_items_insert);
}


static ngx_int_t
ngx_http_fliq_items_insert(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_item_create(ctx->api->conf.store, r->pool,
                                           ctx->data, ngx_http_fliq_api_done,
                                           ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_pushed);
}


static ngx_int_t
ngx_http_fliq_items_pushed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_pushed_t  *pushed = result;

    if (rc == NGX_DECLINED || pushed->item == NULL) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    if (!pushed->made) {
        return ngx_http_fliq_items_repeated(r, ctx, pushed->item);
    }

    ngx_http_fliq_api_buffer_hint(ctx);

    return ngx_http_fliq_items_reply(ctx, pushed->item);
}


/*
 * The idempotency key was used before, by the item ${first}.  A client that
 * gives no key of its own sends a new one each time, so that one which comes
 * again is a repeat whatever else is sent.
 */
static ngx_int_t
ngx_http_fliq_items_repeated(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_item_t *first)
{
    ngx_str_t  replayed = ngx_string("true");

    if (ngx_http_fliq_reply_header(r, "Idempotent-Replayed", &replayed)
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_items_reply(ctx, first);
}


static ngx_int_t
ngx_http_fliq_items_reply(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_item_t *item)
{
    if (ngx_http_fliq_reply_location(ctx, "item", &item->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_item_json(ctx, item));
}


ngx_int_t
ngx_http_fliq_items_list(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_page_t        *page;
    ngx_http_fliq_items_e        which;
    ngx_http_fliq_store_call_t  *call;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_page_t));
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_page_read(r, ctx, page) != NGX_OK
        || ngx_http_fliq_item_filter(r, ctx, &which) != NGX_OK)
    {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = page;

    call = ngx_http_fliq_store_item_list(ctx->api->conf.store, r->pool,
                                         &ctx->token.account_id,
                                         &ctx->ids[0], which, page->before,
                                         page->limit, ngx_http_fliq_api_done,
                                         ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_listed);
}


static ngx_int_t
ngx_http_fliq_item_filter(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_items_e *which)
{
    ngx_str_t                           arg;
    const ngx_http_fliq_item_filter_t  *filter;

    *which = NGX_HTTP_FLIQ_ITEMS_ALL;

    if (ngx_http_fliq_arg(r, "status", &arg) != NGX_OK) {
        return NGX_OK;
    }

    for (filter = ngx_http_fliq_item_filters; filter->word; filter++) {

        if (ngx_http_fliq_is(&arg, filter->word)) {
            *which = filter->which;
            return NGX_OK;
        }
    }

    return ngx_http_fliq_fault_field(ctx, "status",
                          "must be pending, running, completed or failed");
}


/* An empty page does not say whether there is such a buffer. */
static ngx_int_t
ngx_http_fliq_items_listed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    ngx_http_fliq_store_call_t  *call;
    const ngx_http_fliq_list_t  *list = result;

    if (list->n > 0) {
        return ngx_http_fliq_page_reply(ctx, ctx->data,
                                        &ngx_http_fliq_item_kind, list);
    }

    call = ngx_http_fliq_store_buffer_get(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          &ctx->ids[0],
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_none);
}


static ngx_int_t
ngx_http_fliq_items_none(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    static const ngx_http_fliq_list_t  none;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_page_reply(ctx, ctx->data, &ngx_http_fliq_item_kind,
                                    &none);
}


ngx_int_t
ngx_http_fliq_items_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_item_get(ctx->api->conf.store, r->pool,
                                        &ctx->token.account_id,
                                        &ctx->ids[0], &ctx->ids[1],
                                        ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_got);
}


static ngx_int_t
ngx_http_fliq_items_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK,
                               ngx_http_fliq_item_json(ctx, result));
}


ngx_int_t
ngx_http_fliq_items_replay(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_gate(r, ctx, ngx_http_fliq_items_clone);
}


static ngx_int_t
ngx_http_fliq_items_clone(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_item_t        *clone;
    ngx_http_fliq_store_call_t  *call;

    clone = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_item_t));

    if (clone == NULL || ngx_http_fliq_api_make_id(&clone->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    clone->account_id = ctx->token.account_id;
    clone->buffer_id = ctx->ids[0];
    clone->is_replay = 1;
    clone->replay_of = ctx->ids[1];

    call = ngx_http_fliq_store_item_create(ctx->api->conf.store, r->pool,
                                           clone, ngx_http_fliq_api_done,
                                           ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_items_replayed);
}


static ngx_int_t
ngx_http_fliq_items_replayed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_pushed_t  *pushed = result;

    if (rc == NGX_DECLINED || !pushed->found || !pushed->source) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    if (!pushed->made) {
        return ngx_http_fliq_refuse_with(ctx,
                                         NGX_HTTP_FLIQ_E_ITEM_NOT_FAILED);
    }

    ngx_http_fliq_api_buffer_hint(ctx);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_CREATED,
                               ngx_http_fliq_item_json(ctx, pushed->item));
}
