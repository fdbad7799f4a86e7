/*
 * The routes of /tokens and /signing-secret: what an account proves itself
 * with, to us and to those that are called for it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_sign.h"
#include "ngx_http_fliq_api_private.h"


/* What is kept of a token's text, to know it by. */
#define NGX_HTTP_FLIQ_TOKEN_SHOWN  (sizeof(FLIQ_TOKEN_PREFIX) - 1 + 4)


/* A token that is being created: what the store keeps, and what it is. */
typedef struct {
    ngx_http_fliq_token_record_t    record;
    char                            text[FLIQ_TOKEN_LEN + 1];
    u_char                          hash[FLIQ_SHA256_SIZE];
} ngx_http_fliq_new_token_t;


static ngx_int_t ngx_http_fliq_secrets_read_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_token_record_t *token);
static ngx_int_t ngx_http_fliq_secrets_read_scope(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_str_t *scope);
static ngx_int_t ngx_http_fliq_secrets_make_token(
    ngx_http_fliq_new_token_t *token);
static ngx_int_t ngx_http_fliq_secrets_created_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_secrets_listed_tokens(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_secrets_revoked_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static json_t *ngx_http_fliq_secrets_token_json(
    const ngx_http_fliq_token_record_t *token);
static ngx_int_t ngx_http_fliq_secrets_got(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);
static ngx_int_t ngx_http_fliq_secrets_reply(ngx_http_fliq_ctx_t *ctx,
    ngx_uint_t status, json_t *json);


ngx_int_t
ngx_http_fliq_secrets_create_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_new_token_t   *token;
    ngx_http_fliq_store_call_t  *call;

    token = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_new_token_t));

    if (token == NULL || ngx_http_fliq_secrets_make_token(token) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    token->record.account_id = ctx->token.account_id;

    if (ngx_http_fliq_secrets_read_token(r, ctx, &token->record) != NGX_OK) {
        return ngx_http_fliq_refuse(ctx);
    }

    ctx->data = token;

    call = ngx_http_fliq_store_token_create(ctx->api->conf.store, r->pool,
                                            &token->record,
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call,
                                  ngx_http_fliq_secrets_created_token);
}


static ngx_int_t
ngx_http_fliq_secrets_make_token(ngx_http_fliq_new_token_t *token)
{
    fliq_str_t                     text;
    ngx_http_fliq_token_record_t  *record;

    if (fliq_token_make(token->text) != 0) {
        return NGX_ERROR;
    }

    text.data = (uint8_t *) token->text;
    text.len = FLIQ_TOKEN_LEN;

    if (fliq_sha256(token->hash, text) != 0) {
        return NGX_ERROR;
    }

    record = &token->record;

    record->prefix.data = (u_char *) token->text;
    record->prefix.len = NGX_HTTP_FLIQ_TOKEN_SHOWN;
    record->hash.data = token->hash;
    record->hash.len = FLIQ_SHA256_SIZE;

    return ngx_http_fliq_api_make_id(&record->id);
}


static ngx_int_t
ngx_http_fliq_secrets_read_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_token_record_t *token)
{
    json_t     *body;
    ngx_int_t   rc;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&token->name, "");
    ngx_str_set(&token->scope, "write");

    rc = ngx_http_fliq_field_label(ctx, body, "name", &token->name);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_secrets_read_scope(ctx, body, &token->scope);
    }

    json_decref(body);

    return rc;
}


static ngx_int_t
ngx_http_fliq_secrets_read_scope(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_str_t *scope)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_text(ctx, body, "scope", 0, scope);

    if (rc != NGX_OK
        || ngx_http_fliq_is(scope, "write")
        || ngx_http_fliq_is(scope, "read"))
    {
        return rc;
    }

    return ngx_http_fliq_fault_field(ctx, "scope",
                                     "must be \"write\" or \"read\"");
}


static ngx_int_t
ngx_http_fliq_secrets_created_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    json_t                     *json;
    ngx_http_fliq_new_token_t  *token = ctx->data;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx,
                                         NGX_HTTP_FLIQ_E_TOO_MANY_TOKENS);
    }

    json = ngx_http_fliq_secrets_token_json(result);
    ngx_http_fliq_json_set(&json, "token",
                           json_stringn(token->text, FLIQ_TOKEN_LEN));

    return ngx_http_fliq_secrets_reply(ctx, NGX_HTTP_CREATED, json);
}


static json_t *
ngx_http_fliq_secrets_token_json(const ngx_http_fliq_token_record_t *token)
{
    json_t  *json;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("tok", &token->id));
    ngx_http_fliq_json_set(&json, "name",
                           ngx_http_fliq_json_str(&token->name));
    ngx_http_fliq_json_set(&json, "prefix",
                           ngx_http_fliq_json_str(&token->prefix));
    ngx_http_fliq_json_set(&json, "scope",
                           ngx_http_fliq_json_str(&token->scope));
    ngx_http_fliq_json_set(&json, "last_used_at",
                           ngx_http_fliq_json_time(token->last_used_at));
    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(token->created_at));

    return json;
}


ngx_int_t
ngx_http_fliq_secrets_list_tokens(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_token_list(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call,
                                  ngx_http_fliq_secrets_listed_tokens);
}


static ngx_int_t
ngx_http_fliq_secrets_listed_tokens(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    json_t                              *json;
    ngx_uint_t                           i;
    const ngx_http_fliq_list_t          *list = result;
    const ngx_http_fliq_token_record_t  *tokens;

    tokens = list->records;
    json = json_array();

    for (i = 0; i < list->n; i++) {
        ngx_http_fliq_json_append(&json,
                               ngx_http_fliq_secrets_token_json(&tokens[i]));
    }

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_fliq_secrets_revoke_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_token_revoke(ctx->api->conf.store, r->pool,
                                            &ctx->token.account_id,
                                            &ctx->ids[0],
                                            ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call,
                                  ngx_http_fliq_secrets_revoked_token);
}


static ngx_int_t
ngx_http_fliq_secrets_revoked_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result)
{
    const ngx_str_t  *hash = result;

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
    }

    ngx_http_fliq_tokens_forget(ctx->api->tokens, hash->data);

    return ngx_http_fliq_reply_none(ctx);
}


ngx_int_t
ngx_http_fliq_secrets_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_secret_get(ctx->api->conf.store, r->pool,
                                          &ctx->token.account_id,
                                          ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_secrets_got);
}


ngx_int_t
ngx_http_fliq_secrets_rotate(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_str_t                   *secret;
    ngx_http_fliq_store_call_t  *call;

    secret = ngx_palloc(r->pool, sizeof(ngx_str_t) + FLIQ_SECRET_LEN + 1);
    if (secret == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    secret->data = (u_char *) (secret + 1);
    secret->len = FLIQ_SECRET_LEN;

    if (fliq_secret_make((char *) secret->data) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call = ngx_http_fliq_store_secret_rotate(ctx->api->conf.store, r->pool,
                                             &ctx->token.account_id, secret,
                                             ngx_http_fliq_api_done, ctx);

    return ngx_http_fliq_api_wait(ctx, call, ngx_http_fliq_secrets_got);
}


static ngx_int_t
ngx_http_fliq_secrets_got(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_int_t rc, const void *result)
{
    json_t                        *json;
    const ngx_http_fliq_secret_t  *secret = result;

    if (rc == NGX_DECLINED) {
        (void) ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND,
                       "the account must be given a signing secret first, "
                       "by POST /signing-secret/rotate");

        return ngx_http_fliq_refuse(ctx);
    }

    json = json_object();

    ngx_http_fliq_json_set(&json, "secret",
                           ngx_http_fliq_json_str(&secret->secret));
    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(secret->created_at));

    return ngx_http_fliq_secrets_reply(ctx, NGX_HTTP_OK, json);
}


/* An answer that nobody on the way may keep. */
static ngx_int_t
ngx_http_fliq_secrets_reply(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status,
    json_t *json)
{
    ngx_str_t  value;

    ngx_str_set(&value, "no-store");

    if (ngx_http_fliq_reply_header(ctx->request, "Cache-Control", &value)
        == NULL)
    {
        json_decref(json);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply(ctx, status, json);
}
