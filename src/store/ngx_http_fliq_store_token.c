/*
 * Statements of tokens and signing secrets.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"
#include "ngx_http_fliq_store_token.h"


static void ngx_http_fliq_store_decode_token(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_get_token(const PGresult *res, int row,
    ngx_http_fliq_token_record_t *token);
static void ngx_http_fliq_store_decode_created(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_tokens(
    ngx_http_fliq_store_call_t *call, const PGresult *res);
static void ngx_http_fliq_store_decode_hash(ngx_http_fliq_store_call_t *call,
    const PGresult *res);
static void ngx_http_fliq_store_decode_secret(
    ngx_http_fliq_store_call_t *call, const PGresult *res);


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_token_find(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_store_done_pt done,
    void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_bytes(call, hash, FLIQ_SHA256_SIZE);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_token_find,
                                   ngx_http_fliq_store_decode_token);
}


static void
ngx_http_fliq_store_decode_token(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_token_t  token;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_get_id(res, 0, 0, &token.id);
    ngx_http_fliq_get_id(res, 0, 1, &token.account_id);
    token.writes = ngx_http_fliq_get_int(res, 0, 2) != 0;
    token.suspended = ngx_http_fliq_get_int(res, 0, 3) != 0;
    token.gated = ngx_http_fliq_get_int(res, 0, 4) != 0;
    token.stale = ngx_http_fliq_get_int(res, 0, 5) != 0;

    call->done(call->data, NGX_OK, &token);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_token_touch(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *ids, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_array(call, NGX_HTTP_FLIQ_BIND_ID, ids, n,
                             sizeof(fliq_id_t));

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_token_touch,
                                   ngx_http_fliq_store_decode_none);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_token_create(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const ngx_http_fliq_token_record_t *token,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, &token->account_id);
    ngx_http_fliq_bind_id(call, &token->id);
    ngx_http_fliq_bind_str(call, &token->name);
    ngx_http_fliq_bind_str(call, &token->prefix);
    ngx_http_fliq_bind_str(call, &token->hash);
    ngx_http_fliq_bind_str(call, &token->scope);
    ngx_http_fliq_bind_int4(call, NGX_HTTP_FLIQ_TOKENS_LIMIT);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_token_create,
                                   ngx_http_fliq_store_decode_created);
}


static void
ngx_http_fliq_store_get_token(const PGresult *res, int row,
    ngx_http_fliq_token_record_t *token)
{
    ngx_memzero(token, sizeof(ngx_http_fliq_token_record_t));
    ngx_http_fliq_get_id(res, row, 0, &token->id);

    token->name = ngx_http_fliq_get_str(res, row, 1);
    token->prefix = ngx_http_fliq_get_str(res, row, 2);
    token->scope = ngx_http_fliq_get_str(res, row, 3);
    token->last_used_at = ngx_http_fliq_get_time(res, row, 4);
    token->created_at = ngx_http_fliq_get_time(res, row, 5);
}


static void
ngx_http_fliq_store_decode_created(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_token_record_t  token;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    ngx_http_fliq_store_get_token(res, 0, &token);

    call->done(call->data, NGX_OK, &token);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_token_list(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    ngx_http_fliq_bind_id(call, account);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_token_list,
                                   ngx_http_fliq_store_decode_tokens);
}


static void
ngx_http_fliq_store_decode_tokens(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    int                            i;
    ngx_http_fliq_list_t           list;
    ngx_http_fliq_token_record_t  *tokens;

    list.n = PQntuples(res);

    tokens = ngx_palloc(call->pool,
                      (list.n + 1) * sizeof(ngx_http_fliq_token_record_t));
    if (tokens == NULL) {
        call->done(call->data, NGX_ERROR, NULL);
        return;
    }

    for (i = 0; i < (int) list.n; i++) {
        ngx_http_fliq_store_get_token(res, i, &tokens[i]);
    }

    list.records = tokens;

    call->done(call->data, NGX_OK, &list);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_token_revoke(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_by_id(store, pool, &fliq_sql_token_revoke,
                                     account, id,
                                     ngx_http_fliq_store_decode_hash, done,
                                     data);
}


static void
ngx_http_fliq_store_decode_hash(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_str_t  hash;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    hash = ngx_http_fliq_get_str(res, 0, 0);

    call->done(call->data, NGX_OK, &hash);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_secret_get(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const fliq_id_t *account, ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    call->ctx = (void *) account;

    ngx_http_fliq_bind_id(call, account);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_secret_get,
                                   ngx_http_fliq_store_decode_secret);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_store_secret_rotate(ngx_http_fliq_store_t *store,
    ngx_pool_t *pool, const fliq_id_t *account, const ngx_str_t *secret,
    ngx_http_fliq_store_done_pt done, void *data)
{
    ngx_http_fliq_store_call_t  *call;

    call = ngx_http_fliq_store_call(store, pool, done, data);
    if (call == NULL) {
        return NULL;
    }

    call->ctx = (void *) account;

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_sealed(call, FLIQ_SEAL_SECRET, account, secret);

    return ngx_http_fliq_store_run(call, store->api, &fliq_sql_secret_rotate,
                                   ngx_http_fliq_store_decode_secret);
}


static void
ngx_http_fliq_store_decode_secret(ngx_http_fliq_store_call_t *call,
    const PGresult *res)
{
    ngx_http_fliq_secret_t  secret;

    if (PQntuples(res) == 0) {
        call->done(call->data, NGX_DECLINED, NULL);
        return;
    }

    secret.secret = ngx_http_fliq_get_sealed(call, res, 0, 0,
                                             FLIQ_SEAL_SECRET, call->ctx);
    secret.created_at = ngx_http_fliq_get_time(res, 0, 1);

    ngx_http_fliq_store_opened(call, NGX_OK, &secret);
}
