/*
 * The store room's tokens and signing secrets: what an account proves itself
 * with, to us and to those that are called for it (API.md, "Tokens and
 * signing secret").  The conventions of ngx_http_fliq_store.h hold.
 */

#ifndef NGX_HTTP_FLIQ_STORE_TOKEN_H
#define NGX_HTTP_FLIQ_STORE_TOKEN_H

#include "ngx_http_fliq_store.h"


/* Of one account, not counting those that were revoked. */
#define NGX_HTTP_FLIQ_TOKENS_LIMIT  1000


/* Who asks. */
typedef struct {
    fliq_id_t     id;
    fliq_id_t     account_id;
    unsigned      writes:1;             /* scope write */
    unsigned      suspended:1;
    unsigned      gated:1;              /* pays for its executions: ask
                                           _account_gate before a create */
    unsigned      stale:1;              /* last_used_at is more than a minute
                                           old: _token_touch would move it */
} ngx_http_fliq_token_t;

/*
 * Find a live token by its SHA-256.  Result: ngx_http_fliq_token_t;
 * NGX_DECLINED when there is none.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_token_find(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * The tokens with these ids were used just now.  Writes those whose
 * last_used_at is more than a minute old, and waits neither for a row that
 * somebody else is writing nor for the disk.  ${ids} are copied.  Result:
 * NULL.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_token_touch(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *ids,
    ngx_uint_t n, ngx_http_fliq_store_done_pt done, void *data);


/* A token as its account sees it; the token itself is stored nowhere. */
typedef struct {
    fliq_id_t     account_id;           /* create only */
    fliq_id_t     id;
    ngx_str_t     name;
    ngx_str_t     prefix;               /* its first characters, to know it
                                           by */
    ngx_str_t     scope;                /* write, read */
    ngx_str_t     hash;                 /* SHA-256; create only */
    int64_t       last_used_at;
    int64_t       created_at;
} ngx_http_fliq_token_record_t;

/*
 * _create:  ${token} is the caller's until done.  Result:
 *           ngx_http_fliq_token_record_t; NGX_DECLINED when the account has
 *           NGX_HTTP_FLIQ_TOKENS_LIMIT already (creates of one moment may
 *           pass it together).
 * _list:    newest first.  Result: ngx_http_fliq_list_t of
 *           ngx_http_fliq_token_record_t.
 * _revoke:  Result: ngx_str_t, its SHA-256; NGX_DECLINED: none such, or it
 *           was revoked before.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_token_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_token_record_t *token,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_token_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_token_revoke(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    ngx_str_t     secret;               /* whsec_... */
    int64_t       created_at;
} ngx_http_fliq_secret_t;

/*
 * _get:     Result: ngx_http_fliq_secret_t; NGX_DECLINED when the account has
 *           none.
 * _rotate:  make ${secret}, the caller's until done, the account's: what is
 *           claimed from then on is signed with it.  Result:
 *           ngx_http_fliq_secret_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_secret_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_secret_rotate(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const ngx_str_t *secret, ngx_http_fliq_store_done_pt done, void *data);


#endif /* NGX_HTTP_FLIQ_STORE_TOKEN_H */
