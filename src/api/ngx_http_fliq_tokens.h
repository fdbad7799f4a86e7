/*
 * The tokens that this worker has looked up lately, by their SHA-256.
 *
 * A revocation must be felt within a second on every node, so an entry is
 * used for a second from the moment that its lookup began, and looked up
 * again in the background from half of that on.  Requests that need the same
 * token at the same time share one lookup.  Only tokens that were found are
 * kept, the least recently used one giving way.
 *
 * A lookup means that the token is used: when it tells that the last use was
 * noted more than a minute ago, that is passed on (ngx_http_fliq_touch.h).
 */

#ifndef NGX_HTTP_FLIQ_TOKENS_H
#define NGX_HTTP_FLIQ_TOKENS_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_token.h"


typedef struct ngx_http_fliq_tokens_s  ngx_http_fliq_tokens_t;

/* As the store's: NGX_OK and the token, NGX_DECLINED, NGX_BUSY, NGX_ERROR. */
typedef void (*ngx_http_fliq_tokens_done_pt)(void *data, ngx_int_t rc,
    const ngx_http_fliq_token_t *token);

/* One that waits for a lookup, in memory of its own; zeroed before use. */
typedef struct {
    ngx_queue_t                     queue;
    ngx_msec_t                      since;
    ngx_http_fliq_tokens_done_pt    done;
    void                           *data;
} ngx_http_fliq_tokens_wait_t;


/*
 * ngx_http_fliq_tokens_create(store, log):
 * NULL when there is no memory.
 *
 * ngx_http_fliq_tokens_destroy(tokens):
 * Cancel the lookups and free everything; no done is called.
 */
ngx_http_fliq_tokens_t *ngx_http_fliq_tokens_create(
    ngx_http_fliq_store_t *store, ngx_log_t *log);
void ngx_http_fliq_tokens_destroy(ngx_http_fliq_tokens_t *tokens);

/*
 * ngx_http_fliq_tokens_find(tokens, hash, token, wait):
 * NGX_OK and the token at once; NGX_AGAIN when wait->done will be called with
 * wait->data, once, later; NGX_BUSY when the database is away; NGX_ERROR when
 * there is no memory.
 *
 * ngx_http_fliq_tokens_leave(wait):
 * Guarantee that wait->done is not called.
 */
ngx_int_t ngx_http_fliq_tokens_find(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_token_t *token,
    ngx_http_fliq_tokens_wait_t *wait);
void ngx_http_fliq_tokens_leave(ngx_http_fliq_tokens_wait_t *wait);

/*
 * ngx_http_fliq_tokens_peek(tokens, hash, token):
 * The token that was found last, however long ago: whose it is never changes,
 * whether it is still good may.  NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_fliq_tokens_peek(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_token_t *token);

/*
 * ngx_http_fliq_tokens_forget(tokens, hash):
 * The token was revoked just now: no request that comes from here on is told
 * that it is good.
 */
void ngx_http_fliq_tokens_forget(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE]);


#endif /* NGX_HTTP_FLIQ_TOKENS_H */
