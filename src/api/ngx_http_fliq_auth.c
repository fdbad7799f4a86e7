/*
 * Who asks, and whether they may.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_sign.h"
#include "ngx_http_fliq_api_private.h"


static void ngx_http_fliq_auth_done(void *data, ngx_int_t rc,
    const ngx_http_fliq_token_t *token);
static ngx_int_t ngx_http_fliq_auth_judge(ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc);


ngx_int_t
ngx_http_fliq_auth_check(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    u_char     hash[FLIQ_SHA256_SIZE];
    ngx_int_t  rc;

    rc = ngx_http_fliq_auth_hash(r, hash);
    if (rc != NGX_OK) {
        return ngx_http_fliq_auth_judge(ctx, rc);
    }

    ctx->wait.done = ngx_http_fliq_auth_done;
    ctx->wait.data = ctx;

    rc = ngx_http_fliq_tokens_find(ctx->api->tokens, hash, &ctx->token,
                                   &ctx->wait);
    if (rc == NGX_AGAIN) {
        ngx_http_fliq_api_watch(ctx);
        return NGX_DONE;
    }

    return ngx_http_fliq_auth_judge(ctx, rc);
}


ngx_int_t
ngx_http_fliq_auth_hash(ngx_http_request_t *r, u_char hash[FLIQ_SHA256_SIZE])
{
    ngx_str_t   value;
    fliq_str_t  token;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    value = r->headers_in.authorization->value;

    if (value.len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(value.data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    token.data = value.data + sizeof("Bearer ") - 1;
    token.len = value.len - (sizeof("Bearer ") - 1);

    while (token.len > 0 && token.data[0] == ' ') {
        token.data++;
        token.len--;
    }

    /* garbage costs no query */

    if (!fliq_token_check(token)) {
        return NGX_DECLINED;
    }

    return fliq_sha256(hash, token) == 0 ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_fliq_auth_done(void *data, ngx_int_t rc,
    const ngx_http_fliq_token_t *token)
{
    ngx_connection_t     *c;
    ngx_http_fliq_ctx_t  *ctx = data;

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    if (rc == NGX_OK) {
        ctx->token = *token;
    }

    rc = ngx_http_fliq_auth_judge(ctx, rc);

    ngx_http_fliq_api_authorized(ctx, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_fliq_auth_judge(ngx_http_fliq_ctx_t *ctx, ngx_int_t rc)
{
    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_UNAUTHORIZED);

    case NGX_BUSY:
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_UNAVAILABLE);

    default: /* NGX_ERROR */
        return NGX_ERROR;
    }

    ctx->known = 1;

    if (ctx->token.suspended) {
        return ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_FORBIDDEN,
                                     "the account must not be suspended");
    }

    if (ctx->route->scope == NGX_HTTP_FLIQ_SCOPE_WRITE && !ctx->token.writes) {
        return ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_FORBIDDEN,
                                     "the token must have the scope write");
    }

    return NGX_OK;
}
