/*
 * Lanes: how many calls are in flight to each host.
 */

#include "ngx_http_fliq_disp_private.h"


static ngx_http_fliq_disp_lane_t *ngx_http_fliq_disp_lane_find(
    ngx_http_fliq_disp_lanes_t *lanes, ngx_rbtree_key_t key);
static ngx_http_fliq_disp_lane_t *ngx_http_fliq_disp_lane_add(
    ngx_http_fliq_disp_lanes_t *lanes, ngx_rbtree_key_t key);
static ngx_uint_t ngx_http_fliq_disp_lane_full(
    ngx_http_fliq_disp_lanes_t *lanes, ngx_http_fliq_disp_lane_t *lane);


void
ngx_http_fliq_disp_lanes_init(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_pool_t *pool, ngx_uint_t cap)
{
    ngx_rbtree_init(&lanes->tree, &lanes->sentinel, ngx_rbtree_insert_value);
    ngx_queue_init(&lanes->active);
    ngx_queue_init(&lanes->free);

    lanes->pool = pool;
    lanes->cap = cap;
}


ngx_http_fliq_disp_lane_t *
ngx_http_fliq_disp_lane_take(ngx_http_fliq_disp_lanes_t *lanes,
    int32_t number)
{
    ngx_rbtree_key_t            key;
    ngx_http_fliq_disp_lane_t  *lane;

    key = (uint32_t) number;

    lane = ngx_http_fliq_disp_lane_find(lanes, key);

    if (lane == NULL) {
        lane = ngx_http_fliq_disp_lane_add(lanes, key);
    }

    if (lane) {
        lane->calls++;
    }

    return lane;
}


ngx_uint_t
ngx_http_fliq_disp_lane_give(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_http_fliq_disp_lane_t *lane)
{
    ngx_uint_t  opens;

    lane->calls--;

    opens = lane->blocked && !ngx_http_fliq_disp_lane_full(lanes, lane);

    if (opens) {
        lane->blocked = 0;
    }

    if (lane->calls == 0) {
        ngx_rbtree_delete(&lanes->tree, &lane->node);
        ngx_queue_remove(&lane->queue);
        ngx_queue_insert_head(&lanes->free, &lane->queue);
    }

    return opens;
}


/*
 * What a claim takes may all be of one lane, and no lane gets more than its
 * cap: the fullest one that is not passed over says how much may be claimed.
 */

ngx_uint_t
ngx_http_fliq_disp_lanes_block(ngx_http_fliq_disp_lanes_t *lanes,
    int32_t *numbers, ngx_uint_t *n)
{
    ngx_uint_t                  most;
    ngx_queue_t                *q;
    ngx_http_fliq_disp_lane_t  *lane;

    most = 0;
    *n = 0;

    for (q = ngx_queue_head(&lanes->active);
         q != ngx_queue_sentinel(&lanes->active);
         q = ngx_queue_next(q))
    {
        lane = ngx_queue_data(q, ngx_http_fliq_disp_lane_t, queue);

        lane->blocked = ngx_http_fliq_disp_lane_full(lanes, lane);

        if (lane->blocked) {
            numbers[(*n)++] = (int32_t) lane->node.key;

        } else {
            most = ngx_max(most, lane->calls);
        }
    }

    return lanes->cap - most;
}


/*
 * Full means three quarters: below that there is room for a claim that is
 * worth its while.
 */

static ngx_uint_t
ngx_http_fliq_disp_lane_full(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_http_fliq_disp_lane_t *lane)
{
    return lane->calls > lanes->cap * 3 / 4;
}


static ngx_http_fliq_disp_lane_t *
ngx_http_fliq_disp_lane_find(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node;

    node = lanes->tree.root;

    while (node != &lanes->sentinel) {

        if (key == node->key) {
            return (ngx_http_fliq_disp_lane_t *) node;
        }

        node = key < node->key ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_fliq_disp_lane_t *
ngx_http_fliq_disp_lane_add(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_rbtree_key_t key)
{
    ngx_queue_t                *q;
    ngx_http_fliq_disp_lane_t  *lane;

    if (!ngx_queue_empty(&lanes->free)) {
        q = ngx_queue_head(&lanes->free);
        ngx_queue_remove(q);

        lane = ngx_queue_data(q, ngx_http_fliq_disp_lane_t, queue);

    } else {
        lane = ngx_palloc(lanes->pool, sizeof(ngx_http_fliq_disp_lane_t));
        if (lane == NULL) {
            return NULL;
        }
    }

    lane->calls = 0;
    lane->blocked = 0;
    lane->node.key = key;

    ngx_rbtree_insert(&lanes->tree, &lane->node);
    ngx_queue_insert_tail(&lanes->active, &lane->queue);

    return lane;
}
