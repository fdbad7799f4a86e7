/*
 * Webhooks and alerts: rows of the outbox, each one POST and one try.
 *
 * Posts have slots of their own, a quarter of what jobs have, and no host
 * gets more than a quarter of those: neither jobs nor a host that does not
 * answer can keep them waiting.  They count among the calls to a host.
 */

#include "ngx_http_fliq_disp_private.h"


/* Milliseconds. */
#define NGX_HTTP_FLIQ_DISP_OUTBOX_FLUSH  20      /* deletes travel together */
#define NGX_HTTP_FLIQ_DISP_OUTBOX_PAUSE  250     /* after a failure */


static void ngx_http_fliq_disp_outbox_poll(ngx_event_t *ev);
static ngx_uint_t ngx_http_fliq_disp_outbox_compose(
    ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_outbox_answered(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_outbox_failed(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_outbox_pause(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_outbox_walked(
    ngx_http_fliq_disp_outbox_t *outbox, const ngx_http_fliq_list_t *list);
static void ngx_http_fliq_disp_outbox_flush(ngx_event_t *ev);
static void ngx_http_fliq_disp_outbox_deleted(void *data, ngx_int_t rc,
    const void *result);
static ngx_uint_t ngx_http_fliq_disp_posts_free(ngx_queue_t *posts);
static void ngx_http_fliq_disp_posts_ids(ngx_queue_t *posts, int64_t *ids,
    ngx_uint_t *n);


ngx_int_t
ngx_http_fliq_disp_outbox_init(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    outbox->max = NGX_HTTP_FLIQ_DISP_POSTS(disp->conf.concurrency);
    outbox->what.after_lane = NGX_HTTP_FLIQ_NONE;

    ngx_http_fliq_disp_lanes_init(&outbox->lanes, disp->pool,
                                  ngx_max(outbox->max / 4, 1));

    /* the lanes of all calls, and those of posts once more */

    outbox->blocked = ngx_palloc(disp->pool, (disp->calls + outbox->max)
                                             * sizeof(int32_t));
    if (outbox->blocked == NULL) {
        return NGX_ERROR;
    }

    outbox->poll.handler = ngx_http_fliq_disp_outbox_poll;
    outbox->poll.data = disp;
    outbox->poll.log = disp->log;
    outbox->poll.cancelable = 1;

    outbox->flush.handler = ngx_http_fliq_disp_outbox_flush;
    outbox->flush.data = disp;
    outbox->flush.log = disp->log;
    outbox->flush.cancelable = 1;

    ngx_add_timer(&outbox->poll, disp->conf.poll);

    return NGX_OK;
}


void
ngx_http_fliq_disp_outbox_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    ngx_http_fliq_disp_ask_done(&outbox->ask);
    ngx_http_fliq_disp_ask_done(&outbox->delete);

    if (outbox->poll.timer_set) {
        ngx_del_timer(&outbox->poll);
    }

    if (outbox->flush.timer_set) {
        ngx_del_timer(&outbox->flush);
    }

    (void) ngx_http_fliq_disp_posts_free(&outbox->flying);
    (void) ngx_http_fliq_disp_posts_free(&outbox->tried);
    (void) ngx_http_fliq_disp_posts_free(&outbox->deleting);

    outbox->nposts = 0;
    outbox->ntried = 0;
}


void
ngx_http_fliq_disp_outbox_look(ngx_http_fliq_disp_t *disp)
{
    disp->outbox.wanted = 1;

    ngx_http_fliq_disp_outbox_claim(disp);
}


void
ngx_http_fliq_disp_outbox_drop(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    if (outbox->ask.call) {
        ngx_http_fliq_disp_ask_drop(&outbox->ask);
        ngx_http_fliq_disp_outbox_failed(disp);
    }
}


ngx_uint_t
ngx_http_fliq_disp_outbox_busy(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    return outbox->ask.call || outbox->nposts
           || !ngx_queue_empty(&outbox->tried)
           || !ngx_queue_empty(&outbox->deleting);
}


ngx_http_fliq_store_call_t *
ngx_http_fliq_disp_outbox_disown(ngx_http_fliq_disp_t *disp,
    ngx_pool_t *pool, ngx_http_fliq_store_done_pt done)
{
    int64_t                      *known;
    ngx_uint_t                    n;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;
    n = 0;

    known = ngx_palloc(pool, (outbox->nposts + outbox->ntried + 1)
                             * sizeof(int64_t));
    if (known == NULL) {
        return NULL;
    }

    ngx_http_fliq_disp_posts_ids(&outbox->flying, known, &n);
    ngx_http_fliq_disp_posts_ids(&outbox->tried, known, &n);
    ngx_http_fliq_disp_posts_ids(&outbox->deleting, known, &n);

    return ngx_http_fliq_store_outbox_disown(disp->store, pool,
                                             &disp->owner.id, known, n, done,
                                             disp);
}


static void
ngx_http_fliq_disp_outbox_poll(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    /* spread by a fifth either way, so that dispatchers do not go in step */

    ngx_add_timer(ev, disp->conf.poll * 4 / 5
                      + (ngx_msec_t) ngx_random()
                        % (disp->conf.poll * 2 / 5));

    ngx_http_fliq_disp_outbox_look(disp);
}


void
ngx_http_fliq_disp_outbox_claim(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                   *pool;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    if (!outbox->wanted || outbox->ask.call
        || disp->state != NGX_HTTP_FLIQ_DISP_RUNNING
        || disp->owner.state != NGX_HTTP_FLIQ_DISP_OWNER_HELD
        || ngx_http_fliq_monotonic() < outbox->not_before
        || ngx_http_fliq_disp_outbox_compose(disp) == 0)
    {
        return;
    }

    outbox->wanted = 0;

    pool = ngx_http_fliq_disp_ask(&outbox->ask, disp->log);

    if (pool) {
        outbox->ask.call = ngx_http_fliq_store_outbox_claim(disp->store, pool,
                               &outbox->what,
                               ngx_http_fliq_disp_outbox_answered, disp);
    }

    if (outbox->ask.call == NULL) {
        ngx_http_fliq_disp_outbox_pause(disp);
    }
}


/*
 * All that a claim takes may be of one lane.  Returns how much it may take.
 */

static ngx_uint_t
ngx_http_fliq_disp_outbox_compose(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                    n, room, own;
    ngx_http_fliq_take_t         *what;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;
    what = &outbox->what;

    room = ngx_http_fliq_disp_lanes_block(&disp->lanes, outbox->blocked,
                                          &what->nblocked);
    own = ngx_http_fliq_disp_lanes_block(&outbox->lanes,
                                         outbox->blocked + what->nblocked,
                                         &n);
    what->nblocked += n;

    room = ngx_min(room, own);
    room = ngx_min(room, outbox->max - outbox->nposts);
    room = ngx_min(room, ngx_http_fliq_disp_multi_room(&disp->multi));

    outbox->owner = disp->owner.id;

    what->owner = &outbox->owner;
    what->blocked = outbox->blocked;
    what->limit = ngx_min(room, NGX_HTTP_FLIQ_DISP_BATCH);
    what->lanes = what->nblocked + what->limit;

    return what->limit;
}


static void
ngx_http_fliq_disp_outbox_answered(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_uint_t                    i, lost;
    const ngx_http_fliq_list_t   *list;
    const ngx_http_fliq_post_t   *rows;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;
    outbox->ask.call = NULL;
    list = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_outbox_failed(disp);
        return;
    }

    ngx_http_fliq_disp_outbox_walked(outbox, list);

    rows = list->records;
    lost = 0;

    for (i = 0; i < list->n; i++) {
        if (ngx_http_fliq_disp_post_start(disp, &rows[i]) != NGX_OK) {
            lost++;
        }
    }

    if (lost) {
        ngx_log_error(NGX_LOG_ALERT, disp->log, 0,
                      "no memory to send %ui webhooks and alerts", lost);
        ngx_http_fliq_disp_outbox_failed(disp);
        return;
    }

    ngx_http_fliq_disp_outbox_claim(disp);
}


/*
 * Rows may be ours that are not known here: nobody knows whether the claim
 * took effect, or there was no memory for a row.  What gives them back must
 * not cross with a claim of jobs.
 */

static void
ngx_http_fliq_disp_outbox_failed(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_outbox_pause(disp);
    ngx_http_fliq_disp_claim_drop(disp);
    ngx_http_fliq_disp_owner_unsure(disp);
}


static void
ngx_http_fliq_disp_outbox_pause(ngx_http_fliq_disp_t *disp)
{
    disp->outbox.wanted = 1;
    disp->outbox.not_before = ngx_http_fliq_monotonic()
                              + NGX_HTTP_FLIQ_DISP_OUTBOX_PAUSE * 1000;
}


/*
 * A full batch is followed by the next one from behind its last lane.  After
 * anything less the walk begins anew; that it came by all lanes is certain
 * only when it began with the first one.
 */

static void
ngx_http_fliq_disp_outbox_walked(ngx_http_fliq_disp_outbox_t *outbox,
    const ngx_http_fliq_list_t *list)
{
    ngx_http_fliq_take_t        *what;
    const ngx_http_fliq_post_t  *rows;

    what = &outbox->what;
    rows = list->records;

    if (list->n == what->limit) {
        what->after_lane = rows[list->n - 1].lane;
        outbox->wanted = 1;

    } else if (what->after_lane != NGX_HTTP_FLIQ_NONE) {
        what->after_lane = NGX_HTTP_FLIQ_NONE;
        outbox->wanted = 1;
    }
}


void
ngx_http_fliq_disp_outbox_tried(ngx_http_fliq_disp_post_t *post)
{
    ngx_http_fliq_disp_t         *disp;
    ngx_http_fliq_disp_outbox_t  *outbox;

    disp = post->disp;
    outbox = &disp->outbox;

    if (post->lane && ngx_http_fliq_disp_lane_give(&disp->lanes, post->lane))
    {
        ngx_http_fliq_disp_claim_now(disp);
        ngx_http_fliq_disp_buffer_now(disp);
        outbox->wanted = 1;
    }

    if (post->own && ngx_http_fliq_disp_lane_give(&outbox->lanes, post->own))
    {
        outbox->wanted = 1;
    }

    ngx_queue_remove(&post->queue);
    ngx_queue_insert_tail(&outbox->tried, &post->queue);
    outbox->ntried++;
    outbox->nposts--;

    if (!outbox->flush.timer_set && outbox->delete.call == NULL) {
        ngx_add_timer(&outbox->flush, NGX_HTTP_FLIQ_DISP_OUTBOX_FLUSH);
    }
}


static void
ngx_http_fliq_disp_outbox_flush(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    int64_t                       ids[NGX_HTTP_FLIQ_DISP_DELETES];
    ngx_uint_t                    i, n;
    ngx_pool_t                   *pool;
    ngx_queue_t                  *q;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    for (i = 0; i < NGX_HTTP_FLIQ_DISP_DELETES; i++) {

        if (ngx_queue_empty(&outbox->tried)) {
            break;
        }

        q = ngx_queue_head(&outbox->tried);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&outbox->deleting, q);
    }

    n = 0;
    ngx_http_fliq_disp_posts_ids(&outbox->deleting, ids, &n);

    pool = ngx_http_fliq_disp_ask(&outbox->delete, disp->log);

    if (pool) {
        outbox->delete.call = ngx_http_fliq_store_outbox_delete(disp->store,
                                  pool, ids, n,
                                  ngx_http_fliq_disp_outbox_deleted, disp);
    }

    if (outbox->delete.call == NULL) {
        ngx_http_fliq_disp_outbox_deleted(disp, NGX_BUSY, NULL);
    }
}


static void
ngx_http_fliq_disp_outbox_deleted(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_msec_t                    wait;
    ngx_queue_t                  *q;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;
    outbox->delete.call = NULL;
    wait = NGX_HTTP_FLIQ_DISP_OUTBOX_FLUSH;

    if (rc != NGX_OK) {
        wait = NGX_HTTP_FLIQ_DISP_OUTBOX_PAUSE;

        while (!ngx_queue_empty(&outbox->deleting)) {
            q = ngx_queue_last(&outbox->deleting);
            ngx_queue_remove(q);
            ngx_queue_insert_head(&outbox->tried, q);
        }

    } else {
        outbox->ntried -= ngx_http_fliq_disp_posts_free(&outbox->deleting);

        if (outbox->ntried >= NGX_HTTP_FLIQ_DISP_DELETES) {
            wait = 1;
        }
    }

    if (!ngx_queue_empty(&outbox->tried)) {
        ngx_add_timer(&outbox->flush, wait);
    }
}


/* Returns how many there were. */

static ngx_uint_t
ngx_http_fliq_disp_posts_free(ngx_queue_t *posts)
{
    ngx_uint_t                  n;
    ngx_queue_t                *q;
    ngx_http_fliq_disp_post_t  *post;

    for (n = 0; !ngx_queue_empty(posts); n++) {
        q = ngx_queue_head(posts);
        ngx_queue_remove(q);

        post = ngx_queue_data(q, ngx_http_fliq_disp_post_t, queue);
        ngx_destroy_pool(post->pool);
    }

    return n;
}


static void
ngx_http_fliq_disp_posts_ids(ngx_queue_t *posts, int64_t *ids, ngx_uint_t *n)
{
    ngx_queue_t                *q;
    ngx_http_fliq_disp_post_t  *post;

    for (q = ngx_queue_head(posts);
         q != ngx_queue_sentinel(posts);
         q = ngx_queue_next(q))
    {
        post = ngx_queue_data(q, ngx_http_fliq_disp_post_t, queue);
        ids[(*n)++] = post->id;
    }
}
