/*
 * The cache of tokens.  The contracts are in ngx_http_fliq_tokens.h.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_tokens.h"
#include "ngx_http_fliq_touch.h"


#define NGX_HTTP_FLIQ_TOKENS_MAX      4096
#define NGX_HTTP_FLIQ_TOKENS_BUCKETS  1024
#define NGX_HTTP_FLIQ_TOKENS_POOL     1024

#define NGX_HTTP_FLIQ_TOKENS_FRESH    500   /* ms without another lookup */
#define NGX_HTTP_FLIQ_TOKENS_LIFE     1000  /* ms of use */


typedef struct {
    ngx_queue_t                    bucket;
    ngx_queue_t                    used;    /* the last used one first */
    ngx_queue_t                    waits;

    ngx_http_fliq_tokens_t        *tokens;
    u_char                         hash[FLIQ_SHA256_SIZE];

    ngx_http_fliq_store_call_t    *call;    /* a lookup under way */
    ngx_pool_t                    *pool;    /* of the call */
    ngx_msec_t                     asked;   /* when it began */
    ngx_uint_t                     doubted; /* the token was revoked since */

    ngx_http_fliq_token_t          token;
    ngx_msec_t                     found;   /* when the lookup that found it
                                               began */
    ngx_uint_t                     known;   /* the two are set */
} ngx_http_fliq_tokens_entry_t;

struct ngx_http_fliq_tokens_s {
    ngx_http_fliq_store_t         *store;
    ngx_http_fliq_touch_t         *touch;
    ngx_log_t                     *log;
    ngx_uint_t                     n;
    ngx_queue_t                    used;
    ngx_queue_t                    buckets[NGX_HTTP_FLIQ_TOKENS_BUCKETS];
};


static ngx_queue_t *ngx_http_fliq_tokens_bucket(
    ngx_http_fliq_tokens_t *tokens, const u_char *hash);
static ngx_http_fliq_tokens_entry_t *ngx_http_fliq_tokens_lookup(
    ngx_http_fliq_tokens_t *tokens, const u_char *hash);
static ngx_http_fliq_tokens_entry_t *ngx_http_fliq_tokens_add(
    ngx_http_fliq_tokens_t *tokens, const u_char *hash);
static void ngx_http_fliq_tokens_evict(ngx_http_fliq_tokens_t *tokens);
static void ngx_http_fliq_tokens_drop(ngx_http_fliq_tokens_entry_t *entry);
static ngx_int_t ngx_http_fliq_tokens_ask(
    ngx_http_fliq_tokens_entry_t *entry);
static void ngx_http_fliq_tokens_found(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_tokens_split(ngx_http_fliq_tokens_entry_t *entry,
    ngx_queue_t *waits, ngx_queue_t *late);
static void ngx_http_fliq_tokens_wake(ngx_queue_t *waits, ngx_int_t rc,
    const ngx_http_fliq_token_t *token);


ngx_http_fliq_tokens_t *
ngx_http_fliq_tokens_create(ngx_http_fliq_store_t *store, ngx_log_t *log)
{
    ngx_uint_t               i;
    ngx_http_fliq_tokens_t  *tokens;

    tokens = ngx_alloc(sizeof(ngx_http_fliq_tokens_t), log);
    if (tokens == NULL) {
        return NULL;
    }

    tokens->touch = ngx_http_fliq_touch_create(store, log);
    if (tokens->touch == NULL) {
        ngx_free(tokens);
        return NULL;
    }

    tokens->store = store;
    tokens->log = log;
    tokens->n = 0;

    ngx_queue_init(&tokens->used);

    for (i = 0; i < NGX_HTTP_FLIQ_TOKENS_BUCKETS; i++) {
        ngx_queue_init(&tokens->buckets[i]);
    }

    return tokens;
}


void
ngx_http_fliq_tokens_destroy(ngx_http_fliq_tokens_t *tokens)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_tokens_entry_t  *entry;

    while (!ngx_queue_empty(&tokens->used)) {
        q = ngx_queue_head(&tokens->used);
        entry = ngx_queue_data(q, ngx_http_fliq_tokens_entry_t, used);

        if (entry->call != NULL) {
            ngx_http_fliq_store_cancel(entry->call);
            ngx_destroy_pool(entry->pool);
        }

        ngx_http_fliq_tokens_drop(entry);
    }

    ngx_http_fliq_touch_destroy(tokens->touch);
    ngx_free(tokens);
}


ngx_int_t
ngx_http_fliq_tokens_find(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_token_t *token,
    ngx_http_fliq_tokens_wait_t *wait)
{
    ngx_msec_t                     age;
    ngx_http_fliq_tokens_entry_t  *entry;

    entry = ngx_http_fliq_tokens_lookup(tokens, hash);

    if (entry == NULL) {
        entry = ngx_http_fliq_tokens_add(tokens, hash);
        if (entry == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_queue_remove(&entry->used);
    ngx_queue_insert_head(&tokens->used, &entry->used);

    age = ngx_current_msec - entry->found;

    if (entry->known && age < NGX_HTTP_FLIQ_TOKENS_LIFE) {

        if (age >= NGX_HTTP_FLIQ_TOKENS_FRESH && entry->call == NULL) {
            (void) ngx_http_fliq_tokens_ask(entry);
        }

        *token = entry->token;

        return NGX_OK;
    }

    if (entry->call == NULL && ngx_http_fliq_tokens_ask(entry) != NGX_OK) {

        if (!entry->known) {
            ngx_http_fliq_tokens_drop(entry);
        }

        return NGX_BUSY;
    }

    wait->since = ngx_current_msec;
    ngx_queue_insert_tail(&entry->waits, &wait->queue);

    return NGX_AGAIN;
}


void
ngx_http_fliq_tokens_leave(ngx_http_fliq_tokens_wait_t *wait)
{
    if (wait->queue.next != NULL) {
        ngx_queue_remove(&wait->queue);
        ngx_memzero(&wait->queue, sizeof(ngx_queue_t));
    }
}


ngx_int_t
ngx_http_fliq_tokens_peek(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE], ngx_http_fliq_token_t *token)
{
    ngx_http_fliq_tokens_entry_t  *entry;

    entry = ngx_http_fliq_tokens_lookup(tokens, hash);

    if (entry == NULL || !entry->known) {
        return NGX_DECLINED;
    }

    *token = entry->token;

    return NGX_OK;
}


void
ngx_http_fliq_tokens_forget(ngx_http_fliq_tokens_t *tokens,
    const u_char hash[FLIQ_SHA256_SIZE])
{
    ngx_http_fliq_tokens_entry_t  *entry;

    entry = ngx_http_fliq_tokens_lookup(tokens, hash);

    if (entry == NULL) {
        return;
    }

    if (entry->call == NULL) {
        ngx_http_fliq_tokens_drop(entry);
        return;
    }

    /* the lookup may have seen the token before it was revoked */

    entry->known = 0;
    entry->doubted = 1;
}


/* A SHA-256 is as even as any hash of it. */
static ngx_queue_t *
ngx_http_fliq_tokens_bucket(ngx_http_fliq_tokens_t *tokens,
    const u_char *hash)
{
    ngx_uint_t  n;

    n = hash[0] << 8 | hash[1];

    return &tokens->buckets[n % NGX_HTTP_FLIQ_TOKENS_BUCKETS];
}


static ngx_http_fliq_tokens_entry_t *
ngx_http_fliq_tokens_lookup(ngx_http_fliq_tokens_t *tokens,
    const u_char *hash)
{
    ngx_queue_t                   *q, *bucket;
    ngx_http_fliq_tokens_entry_t  *entry;

    bucket = ngx_http_fliq_tokens_bucket(tokens, hash);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        entry = ngx_queue_data(q, ngx_http_fliq_tokens_entry_t, bucket);

        if (ngx_memcmp(entry->hash, hash, FLIQ_SHA256_SIZE) == 0) {
            return entry;
        }
    }

    return NULL;
}


static ngx_http_fliq_tokens_entry_t *
ngx_http_fliq_tokens_add(ngx_http_fliq_tokens_t *tokens, const u_char *hash)
{
    ngx_http_fliq_tokens_entry_t  *entry;

    if (tokens->n >= NGX_HTTP_FLIQ_TOKENS_MAX) {
        ngx_http_fliq_tokens_evict(tokens);
    }

    entry = ngx_calloc(sizeof(ngx_http_fliq_tokens_entry_t), tokens->log);
    if (entry == NULL) {
        return NULL;
    }

    entry->tokens = tokens;
    ngx_memcpy(entry->hash, hash, FLIQ_SHA256_SIZE);

    ngx_queue_init(&entry->waits);
    ngx_queue_insert_head(ngx_http_fliq_tokens_bucket(tokens, hash),
                          &entry->bucket);
    ngx_queue_insert_head(&tokens->used, &entry->used);

    tokens->n++;

    return entry;
}


/*
 * Drop the entry that was used least recently.  One that is being looked up
 * stays; how many of those there are is bounded by the store's queue.
 */
static void
ngx_http_fliq_tokens_evict(ngx_http_fliq_tokens_t *tokens)
{
    ngx_queue_t                   *q;
    ngx_http_fliq_tokens_entry_t  *entry;

    for (q = ngx_queue_last(&tokens->used);
         q != ngx_queue_sentinel(&tokens->used);
         q = ngx_queue_prev(q))
    {
        entry = ngx_queue_data(q, ngx_http_fliq_tokens_entry_t, used);

        if (entry->call == NULL) {
            ngx_http_fliq_tokens_drop(entry);
            return;
        }
    }
}


static void
ngx_http_fliq_tokens_drop(ngx_http_fliq_tokens_entry_t *entry)
{
    ngx_queue_remove(&entry->bucket);
    ngx_queue_remove(&entry->used);

    entry->tokens->n--;

    ngx_free(entry);
}


static ngx_int_t
ngx_http_fliq_tokens_ask(ngx_http_fliq_tokens_entry_t *entry)
{
    ngx_http_fliq_tokens_t  *tokens;

    tokens = entry->tokens;

    entry->pool = ngx_create_pool(NGX_HTTP_FLIQ_TOKENS_POOL, tokens->log);
    if (entry->pool == NULL) {
        return NGX_ERROR;
    }

    entry->asked = ngx_current_msec;
    entry->call = ngx_http_fliq_store_token_find(tokens->store, entry->pool,
                                                 entry->hash,
                                                 ngx_http_fliq_tokens_found,
                                                 entry);
    if (entry->call == NULL) {
        ngx_destroy_pool(entry->pool);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_fliq_tokens_found(void *data, ngx_int_t rc, const void *result)
{
    ngx_queue_t                    waits, late;
    ngx_http_fliq_token_t          token;
    ngx_http_fliq_tokens_entry_t  *entry = data;

    entry->call = NULL;

    if (rc == NGX_OK && !entry->doubted) {
        entry->token = *(const ngx_http_fliq_token_t *) result;
        entry->found = entry->asked;
        entry->known = 1;

        if (entry->token.stale) {
            ngx_http_fliq_touch_note(entry->tokens->touch, &entry->token.id);
        }
    }

    if (rc == NGX_DECLINED) {
        entry->known = 0;
    }

    token = entry->token;
    ngx_destroy_pool(entry->pool);

    ngx_http_fliq_tokens_split(entry, &waits, &late);
    entry->doubted = 0;

    if (!ngx_queue_empty(&late)
        && ngx_http_fliq_tokens_ask(entry) == NGX_OK)
    {
        ngx_queue_add(&entry->waits, &late);
        ngx_queue_init(&late);
    }

    if (!entry->known && entry->call == NULL) {
        ngx_http_fliq_tokens_drop(entry);
    }

    /* the entry may be gone; what is woken here may leave for others */

    ngx_http_fliq_tokens_wake(&waits, rc, &token);
    ngx_http_fliq_tokens_wake(&late, NGX_BUSY, NULL);
}


/*
 * Take the waits off the entry.  Those that came long after the lookup began
 * could be told something older than an entry may be: they are late.  When
 * the lookup is doubted all are.
 */
static void
ngx_http_fliq_tokens_split(ngx_http_fliq_tokens_entry_t *entry,
    ngx_queue_t *waits, ngx_queue_t *late)
{
    ngx_queue_t                  *q;
    ngx_msec_int_t                behind;
    ngx_http_fliq_tokens_wait_t  *wait;

    ngx_queue_init(waits);
    ngx_queue_init(late);

    while (!ngx_queue_empty(&entry->waits)) {
        q = ngx_queue_head(&entry->waits);
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, ngx_http_fliq_tokens_wait_t, queue);

        /* one that was late before is ahead of this lookup */

        behind = (ngx_msec_int_t) (wait->since - entry->asked);

        if (behind < NGX_HTTP_FLIQ_TOKENS_LIFE && !entry->doubted) {
            ngx_queue_insert_tail(waits, q);

        } else {
            ngx_queue_insert_tail(late, q);
        }
    }
}


static void
ngx_http_fliq_tokens_wake(ngx_queue_t *waits, ngx_int_t rc,
    const ngx_http_fliq_token_t *token)
{
    ngx_queue_t                  *q;
    ngx_http_fliq_tokens_wait_t  *wait;

    while (!ngx_queue_empty(waits)) {
        q = ngx_queue_head(waits);
        wait = ngx_queue_data(q, ngx_http_fliq_tokens_wait_t, queue);

        ngx_http_fliq_tokens_leave(wait);

        wait->done(wait->data, rc, token);
    }
}
