/*
 * The store room's buffers: what the API and the dispatcher do with ordered
 * streams of items (API.md "Buffers").  The conventions of
 * ngx_http_fliq_store.h hold.
 */

#ifndef NGX_HTTP_FLIQ_STORE_BUFFER_H
#define NGX_HTTP_FLIQ_STORE_BUFFER_H

#include "ngx_http_fliq_store.h"


/* ------------------------------------------------------------- the API -- */

typedef struct {
    fliq_id_t     account_id;
    fliq_id_t     id;
    ngx_str_t     name;
    ngx_uint_t    paused;
    ngx_str_t     backoff;              /* exponential, linear */
    int32_t       max_retries;
    int32_t       timeout_seconds;
    int32_t       rate_limit;           /* requests in any second */
    int32_t       lane;                 /* fliq_url_lane(); create only */
    int32_t       webhook_lane;         /* of webhook_url; create only */
    int64_t       created_at;
    int64_t       updated_at;
    ngx_str_t     method;
    ngx_str_t     url;
    ngx_str_t     headers;              /* JSON text of an object */
    ngx_str_t     webhook_url;
    ngx_str_t     webhook_headers;      /* JSON text of an object */
} ngx_http_fliq_buffer_t;

/*
 * _create:  ${buffer} is the caller's until done.  Result:
 *           ngx_http_fliq_buffer_t; NGX_DECLINED when the account uses the
 *           name already.
 * _get:     Result: ngx_http_fliq_buffer_t; NGX_DECLINED: none such.
 * _list:    as _job_list; Result: ngx_http_fliq_list_t of
 *           ngx_http_fliq_buffer_t.
 * _pause:   ${paused} 0 sets it going.  Result: NULL; NGX_DECLINED: none
 *           such.
 * _delete:  with its items, which are hidden at once and removed by and by
 *           (see _owner_reap).  Result: NULL; NGX_DECLINED: none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_buffer_t *buffer, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_pause(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_uint_t paused, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_delete(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    int64_t       pending;              /* without the one that runs */
    int64_t       running;
    int64_t       completed;
    int64_t       failed;
} ngx_http_fliq_buffer_stats_t;

/*
 * Result: ngx_http_fliq_buffer_stats_t; NGX_DECLINED: no such buffer.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_stats(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    fliq_id_t     account_id;
    fliq_id_t     id;
    fliq_id_t     buffer_id;
    ngx_str_t     status;               /* pending, running, completed,
                                           failed */
    int32_t       status_code;          /* 0: null */
    int32_t       attempts;
    int32_t       retry_count;
    int32_t       max_retries;          /* the buffer's */
    int64_t       created_at;
    int64_t       completed_at;
    ngx_uint_t    is_replay;
    fliq_id_t     replay_of;
    ngx_str_t     headers;              /* the item's own: JSON text of an
                                           object, or NULL */
    ngx_str_t     body;
    ngx_str_t     idempotency_key;
    ngx_str_t     last_error;
} ngx_http_fliq_item_t;

typedef struct {
    ngx_uint_t              found;      /* the buffer */
    ngx_uint_t              source;     /* replay: the item */
    ngx_uint_t              failed;     /* replay: it has failed */
    ngx_uint_t              made;       /* 0 with item: the first item that
                                           used the idempotency key */
    ngx_http_fliq_item_t   *item;       /* NULL: none was made or found */
} ngx_http_fliq_pushed_t;

/*
 * Append ${item} to its buffer.  The caller fills account_id, id, buffer_id,
 * headers, body and idempotency_key, or with is_replay account_id, id,
 * buffer_id and replay_of, a failed item of the same buffer whose headers and
 * body are taken; and keeps it until done.  Result: ngx_http_fliq_pushed_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_item_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_item_t *item, ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * _get:     Result: ngx_http_fliq_item_t; NGX_DECLINED: none such.
 * _by_key:  the item that used ${key}; Result: as _get.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_item_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *buffer, const fliq_id_t *id,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_item_by_key(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *buffer, const ngx_str_t *key,
    ngx_http_fliq_store_done_pt done, void *data);


typedef enum {
    NGX_HTTP_FLIQ_ITEMS_ALL = 0,
    NGX_HTTP_FLIQ_ITEMS_PENDING,
    NGX_HTTP_FLIQ_ITEMS_RUNNING,
    NGX_HTTP_FLIQ_ITEMS_COMPLETED,
    NGX_HTTP_FLIQ_ITEMS_FAILED
} ngx_http_fliq_items_e;

/*
 * As _job_list.  Result: ngx_http_fliq_list_t of ngx_http_fliq_item_t, which
 * is empty when the account has no such buffer, too.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_item_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *buffer, ngx_http_fliq_items_e which,
    const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);


/* ------------------------------------------------------ the dispatcher -- */

/*
 * When the next buffer may send.  Result: ngx_http_fliq_due_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_next(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);


/* One attempt of a buffer's first item. */
typedef struct {
    fliq_id_t              account_id;
    fliq_id_t              buffer_id;
    fliq_id_t              id;
    int32_t                attempt;     /* 1, 2, ...: each request */
    int32_t                retry_count; /* those that cost one, so far */
    int32_t                max_retries;
    int32_t                timeout_seconds;
    int32_t                lane;
    int32_t                rate_limit;
    fliq_backoff_kind_t    backoff;
    int64_t                throttled_at;    /* the first 429 in a row of them,
                                               or NONE */
    ngx_str_t              method;
    ngx_str_t              url;
    ngx_str_t              buffer_headers;  /* JSON text of an object, or
                                               NULL */
    ngx_str_t              headers;     /* the item's, which win */
    ngx_str_t              body;
    ngx_str_t              pace;        /* of fliq_pace.h, or NULL */
    ngx_str_t              secret;      /* NULL: do not sign */
    ngx_str_t              refused;     /* as in ngx_http_fliq_attempt_t */
} ngx_http_fliq_item_attempt_t;

/*
 * Take at most ${limit} buffers that may send, each with its first item.
 * Nobody else sends for them until the outcome is settled, the identity is
 * buried, or they are disowned.  Runs on the claim pool, so that a claim
 * whose answer was lost has ended when the identity has its next session, but
 * commits to the disk: a crash of the server must not forget that a request
 * may have been sent.
 * Result: ngx_http_fliq_list_t of ngx_http_fliq_item_attempt_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_claim(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_uint_t limit,
    const int32_t *blocked, ngx_uint_t nblocked,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * As _claim_disown, with the buffers that are known.  Result: ngx_uint_t, how
 * many are free again.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_disown(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, const fliq_id_t *known,
    ngx_uint_t nknown, ngx_http_fliq_store_done_pt done, void *data);


/* What came of one attempt of an item. */
typedef struct {
    fliq_id_t                  account_id;
    fliq_id_t                  buffer_id;
    fliq_id_t                  id;
    int32_t                    attempt;
    int32_t                    retry_count; /* with this one */
    int64_t                    throttled_at;
    int64_t                    started_at;
    int32_t                    duration_ms;
    int32_t                    status_code; /* 0: null */
    ngx_str_t                  error;       /* NULL on success */
    ngx_http_fliq_verdict_e    verdict;
    int64_t                    due_at;      /* the buffer's next request,
                                               whichever item's: not before */
    ngx_str_t                  pace;        /* of fliq_pace.h */
    int32_t                    refused;     /* 1: no request was made */
} ngx_http_fliq_item_outcome_t;

/*
 * As _settle, for items.  Result: ngx_http_fliq_settled_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_buffer_settle(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_uint_t shard,
    const ngx_http_fliq_item_outcome_t *const *outcomes, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data);


#endif /* NGX_HTTP_FLIQ_STORE_BUFFER_H */
