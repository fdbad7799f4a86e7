/*
 * The routes of /billing.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/*
 * Clients need numbers where there is no limit: the largest that a JSON
 * reader holds exactly.  They also divide by a price that does not exist here.
 */
#define NGX_HTTP_FLIQ_BOUNDLESS            9007199254740991LL
#define NGX_HTTP_FLIQ_CREDITS_PER_DOLLAR   10000


static ngx_int_t ngx_http_fliq_billing_weighed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_billing_listed(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static json_t *ngx_http_fliq_billing_json(ngx_http_fliq_ctx_t *ctx,
    const void *record);


static const ngx_http_fliq_page_kind_t  ngx_http_fliq_billing_kind = {
    "transactions",
    sizeof(ngx_http_fliq_credit_t),
    offsetof(ngx_http_fliq_credit_t, id),
    ngx_http_fliq_billing_json
};


ngx_int_t
ngx_http_fliq_billing_balance(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_account_balance(ctx->api->conf.store, r->pool,
                                               &ctx->token.account_id,
                                               ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_billing_weighed);
}


static ngx_int_t
ngx_http_fliq_billing_weighed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                         *json;
    int64_t                         limit;
    const ngx_http_fliq_balance_t  *balance = result;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_UNAUTHORIZED);
    }

    limit = NGX_HTTP_FLIQ_BOUNDLESS;

    if (ngx_http_fliq_is(&balance->plan, "free")
        && balance->daily_limit != -1)
    {
        limit = balance->daily_limit;
    }

    json = json_object();

    ngx_http_fliq_json_set(&json, "balance",
                           ngx_http_fliq_json_balance(balance->balance,
                                                      &balance->plan));
    ngx_http_fliq_json_set(&json, "plan",
                           ngx_http_fliq_json_str(&balance->plan));
    ngx_http_fliq_json_set(&json, "daily_limit", json_integer(limit));
    ngx_http_fliq_json_set(&json, "credits_per_dollar",
                           json_integer(NGX_HTTP_FLIQ_CREDITS_PER_DOLLAR));

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


json_t *
ngx_http_fliq_json_balance(int64_t balance, const ngx_str_t *plan)
{
    return json_integer(ngx_http_fliq_is(plan, "unlimited")
                        ? NGX_HTTP_FLIQ_BOUNDLESS : balance);
}


ngx_int_t
ngx_http_fliq_billing_transactions(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_page_t        *page;
    ngx_http_fliq_store_call_t  *call;

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_page_t));
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fliq_page_read(r, ctx, page) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = page;

    call = ngx_http_fliq_store_credit_list(ctx->api->conf.store, r->pool,
                                           &ctx->token.account_id,
                                           page->before, page->limit,
                                           ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_billing_listed);
}


static ngx_int_t
ngx_http_fliq_billing_listed(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    return ngx_http_fliq_page_reply(ctx, ctx->data,
                                    &ngx_http_fliq_billing_kind, result);
}


static json_t *
ngx_http_fliq_billing_json(ngx_http_fliq_ctx_t *ctx, const void *record)
{
    json_t                        *json;
    const ngx_http_fliq_credit_t  *credit = record;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("txn", &credit->id));
    ngx_http_fliq_json_set(&json, "amount", json_integer(credit->amount));
    ngx_http_fliq_json_set(&json, "type",
                           ngx_http_fliq_json_str(&credit->type));
    ngx_http_fliq_json_set(&json, "job_id", json_null());
    ngx_http_fliq_json_set(&json, "stripe_payment_intent_id", json_null());
    ngx_http_fliq_json_set(&json, "description",
                           ngx_http_fliq_json_str(&credit->description));
    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(credit->created_at));

    return json;
}


ngx_int_t
ngx_http_fliq_billing_checkout(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_BILLING_DISABLED);
}
