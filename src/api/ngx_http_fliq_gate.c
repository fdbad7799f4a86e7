/*
 * The gate before everything that adds to an account's executions.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_gate_judge(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);


ngx_int_t
ngx_http_fliq_gate(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_handler_pt next)
{
    ngx_http_fliq_store_call_t  *call;

    if (!ctx->token.gated) {
        return next(r, ctx);
    }

    ctx->next = next;

    call = ngx_http_fliq_store_account_gate(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_gate_judge);
}


static ngx_int_t
ngx_http_fliq_gate_judge(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    const ngx_http_fliq_gate_t  *gate = result;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_UNAUTHORIZED);
    }

    if (!gate->credits) {
        return ngx_http_fliq_refuse_with(ctx,
                                       NGX_HTTP_FLIQ_E_INSUFFICIENT_CREDITS);
    }

    if (!gate->today) {
        (void) ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_DAILY_LIMIT_REACHED);
        ctx->fault.retry_after = gate->seconds;

        return ngx_http_fliq_refuse(ctx);
    }

    return ctx->next(r, ctx);
}
