/*
 * This worker's identity in the database, and its watch over the others'.
 *
 * The session of the claim pool holds the identity's lock.  Others bury an
 * identity whose lock is free for a while or whose beat has stopped; what it
 * had claimed is theirs then.  A session that was lost is followed by a new
 * one that takes the lock again and goes on under the same identity.
 */

#include "ngx_http_fliq_disp_private.h"


/* Milliseconds. */
#define NGX_HTTP_FLIQ_DISP_BEAT       1000
#define NGX_HTTP_FLIQ_DISP_BEAT_DOWN  100     /* while nothing is held */
#define NGX_HTTP_FLIQ_DISP_REAP       500
#define NGX_HTTP_FLIQ_DISP_HOUR       3600000
#define NGX_HTTP_FLIQ_DISP_MINUTE     60000
#define NGX_HTTP_FLIQ_DISP_CLOSE      100     /* while there are old days */

/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_CERTAIN       4000000
#define NGX_HTTP_FLIQ_DISP_CERTAIN_DOWN  1500000


typedef ngx_http_fliq_store_call_t *(*ngx_http_fliq_disp_disown_pt)(
    ngx_http_fliq_disp_t *disp, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done);


static ngx_int_t ngx_http_fliq_disp_owner_renew(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_owner_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_owner_e state);
static void ngx_http_fliq_disp_owner_lock(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_owner_locked(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_enter(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_owner_entered(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_sort(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_owner_sort_posts(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_sort_buffers(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_sort_on(ngx_http_fliq_disp_t *disp,
    ngx_int_t rc, const ngx_uint_t *released, const char *kind,
    ngx_http_fliq_disp_disown_pt disown, ngx_http_fliq_store_done_pt done);
static void ngx_http_fliq_disp_owner_sorted(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_released(ngx_http_fliq_disp_t *disp,
    ngx_uint_t released, const char *kind);
static void ngx_http_fliq_disp_owner_beat_handler(ngx_event_t *ev);
static void ngx_http_fliq_disp_owner_beaten(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_left(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_reap_handler(ngx_event_t *ev);
static void ngx_http_fliq_disp_owner_reaped(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_hourly_handler(ngx_event_t *ev);
static void ngx_http_fliq_disp_owner_partitioned(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_owner_close_handler(ngx_event_t *ev);
static void ngx_http_fliq_disp_owner_closed(void *data, ngx_int_t rc,
    const void *result);
static ngx_msec_t ngx_http_fliq_disp_owner_spread(ngx_msec_t wait);
static void ngx_http_fliq_disp_owner_timer(ngx_http_fliq_disp_t *disp,
    ngx_event_t *ev, ngx_event_handler_pt handler);


ngx_int_t
ngx_http_fliq_disp_owner_init(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    if (ngx_http_fliq_disp_owner_renew(disp) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_fliq_disp_owner_timer(disp, &owner->beat,
                                   ngx_http_fliq_disp_owner_beat_handler);
    ngx_http_fliq_disp_owner_timer(disp, &owner->reap,
                                   ngx_http_fliq_disp_owner_reap_handler);
    ngx_http_fliq_disp_owner_timer(disp, &owner->hourly,
                                   ngx_http_fliq_disp_owner_hourly_handler);
    ngx_http_fliq_disp_owner_timer(disp, &owner->close,
                                   ngx_http_fliq_disp_owner_close_handler);

    return NGX_OK;
}


void
ngx_http_fliq_disp_owner_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    ngx_http_fliq_disp_ask_done(&owner->ask);
    ngx_http_fliq_disp_ask_done(&owner->reaping);
    ngx_http_fliq_disp_ask_done(&owner->partition);
    ngx_http_fliq_disp_ask_done(&owner->closing);

    if (owner->beat.timer_set) {
        ngx_del_timer(&owner->beat);
    }

    if (owner->reap.timer_set) {
        ngx_del_timer(&owner->reap);
    }

    if (owner->hourly.timer_set) {
        ngx_del_timer(&owner->hourly);
    }

    if (owner->close.timer_set) {
        ngx_del_timer(&owner->close);
    }
}


void
ngx_http_fliq_disp_owner_session(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_http_fliq_disp_claim_drop(disp);
    ngx_http_fliq_disp_outbox_drop(disp);
    ngx_http_fliq_disp_buffer_drop(disp);
    ngx_http_fliq_disp_batches_hurry(&disp->settle.batches);
    ngx_http_fliq_disp_batches_hurry(&disp->buffer.batches);

    if (disp->owner.state == NGX_HTTP_FLIQ_DISP_OWNER_LEAVING
        || disp->owner.state == NGX_HTTP_FLIQ_DISP_OWNER_GONE)
    {
        return;
    }

    ngx_http_fliq_disp_owner_lock(disp);
}


void
ngx_http_fliq_disp_owner_buried(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    ngx_log_error(NGX_LOG_WARN, disp->log, 0,
                  "this dispatcher was taken for dead, what it had in flight "
                  "(%ui jobs, %ui items) is fired by others", disp->njobs,
                  disp->buffer.nitems);

    ngx_http_fliq_disp_claim_drop(disp);
    ngx_http_fliq_disp_outbox_drop(disp);
    ngx_http_fliq_disp_buffer_drop(disp);
    ngx_http_fliq_disp_ask_drop(&owner->ask);

    if (owner->state == NGX_HTTP_FLIQ_DISP_OWNER_LEAVING
        || owner->state == NGX_HTTP_FLIQ_DISP_OWNER_GONE
        || ngx_http_fliq_disp_owner_renew(disp) != NGX_OK)
    {
        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_GONE);
        return;
    }

    ngx_http_fliq_disp_owner_lock(disp);
}


void
ngx_http_fliq_disp_owner_unsure(ngx_http_fliq_disp_t *disp)
{
    disp->owner.unsure = 1;

    if (disp->owner.state == NGX_HTTP_FLIQ_DISP_OWNER_HELD) {
        ngx_http_fliq_disp_owner_sort(disp);
    }
}


/*
 * Others take what we have 8 s after a beat; without the lock that is 0.7 s
 * after it was lost, and buffers a second later than all else.
 */

ngx_uint_t
ngx_http_fliq_disp_owner_certain(ngx_http_fliq_disp_t *disp,
    ngx_uint_t generation)
{
    int64_t                      limit;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    limit = owner->state == NGX_HTTP_FLIQ_DISP_OWNER_HELD
            || owner->state == NGX_HTTP_FLIQ_DISP_OWNER_SORTING
            ? NGX_HTTP_FLIQ_DISP_CERTAIN : NGX_HTTP_FLIQ_DISP_CERTAIN_DOWN;

    return owner->generation == generation
           && ngx_http_fliq_monotonic() - owner->known < limit;
}


void
ngx_http_fliq_disp_owner_leave(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    if (!owner->created) {
        ngx_http_fliq_disp_ask_drop(&owner->ask);
        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_GONE);
        return;
    }

    ngx_http_fliq_disp_owner_set_state(disp,
                                       NGX_HTTP_FLIQ_DISP_OWNER_LEAVING);

    pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

    if (pool) {
        owner->ask.call = ngx_http_fliq_store_owner_leave(disp->store, pool,
                              &owner->id, ngx_http_fliq_disp_owner_left,
                              disp);
    }

    if (owner->ask.call == NULL) {
        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_GONE);
    }
}


/* A new identity.  Calls that were claimed under an older one know it. */

static ngx_int_t
ngx_http_fliq_disp_owner_renew(ngx_http_fliq_disp_t *disp)
{
    fliq_id_t                    key;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    if (fliq_id_make(&owner->id.id, ngx_time() * 1000) != 0
        || fliq_id_make(&key, 0) != 0)
    {
        ngx_log_error(NGX_LOG_ALERT, disp->log, ngx_errno,
                      "no random bytes for a dispatcher's identity");
        return NGX_ERROR;
    }

    ngx_memcpy(&owner->id.lock_key,
               key.bytes + FLIQ_ID_SIZE - sizeof(int64_t), sizeof(int64_t));

    owner->generation++;
    owner->created = 0;
    owner->unsure = 0;

    return NGX_OK;
}


static void
ngx_http_fliq_disp_owner_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_owner_e state)
{
    ngx_msec_t                   wait;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;
    owner->state = state;

    if (owner->beat.timer_set) {
        ngx_del_timer(&owner->beat);
    }

    if (state == NGX_HTTP_FLIQ_DISP_OWNER_GONE) {
        return;
    }

    wait = state == NGX_HTTP_FLIQ_DISP_OWNER_DOWN
           ? NGX_HTTP_FLIQ_DISP_BEAT_DOWN : NGX_HTTP_FLIQ_DISP_BEAT;

    ngx_add_timer(&owner->beat, wait);

    if (state != NGX_HTTP_FLIQ_DISP_OWNER_HELD) {
        return;
    }

    if (!owner->reap.timer_set) {
        ngx_add_timer(&owner->reap, NGX_HTTP_FLIQ_DISP_REAP);
    }

    if (!owner->hourly.timer_set) {
        ngx_add_timer(&owner->hourly, 1);
    }

    if (!owner->close.timer_set) {
        ngx_add_timer(&owner->close,
                      ngx_http_fliq_disp_owner_spread(
                          NGX_HTTP_FLIQ_DISP_CLOSE));
    }

    ngx_http_fliq_disp_claim_now(disp);
    ngx_http_fliq_disp_outbox_look(disp);
    ngx_http_fliq_disp_buffer_now(disp);
    ngx_http_fliq_disp_tick_now(disp);
}


static void
ngx_http_fliq_disp_owner_lock(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

    if (pool) {
        owner->ask.call = ngx_http_fliq_store_owner_lock(disp->store, pool,
                              &owner->id, ngx_http_fliq_disp_owner_locked,
                              disp);
    }

    ngx_http_fliq_disp_owner_set_state(disp,
                            owner->ask.call
                            ? NGX_HTTP_FLIQ_DISP_OWNER_LOCKING
                            : NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
}


static void
ngx_http_fliq_disp_owner_locked(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_uint_t  *locked;

    disp->owner.ask.call = NULL;
    locked = result;

    if (rc != NGX_OK || !*locked) {
        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
        return;
    }

    ngx_http_fliq_disp_owner_enter(disp);
}


static void
ngx_http_fliq_disp_owner_enter(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

    if (pool && owner->created) {
        owner->ask.call = ngx_http_fliq_store_owner_beat(disp->store, pool,
                              &owner->id, ngx_http_fliq_disp_owner_entered,
                              disp);
    } else if (pool) {
        owner->ask.call = ngx_http_fliq_store_owner_create(disp->store, pool,
                              &owner->id, ngx_http_fliq_disp_owner_entered,
                              disp);
    }

    ngx_http_fliq_disp_owner_set_state(disp,
                            owner->ask.call
                            ? NGX_HTTP_FLIQ_DISP_OWNER_ENTERING
                            : NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
}


static void
ngx_http_fliq_disp_owner_entered(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const int64_t               *now_at;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;
    owner->ask.call = NULL;
    now_at = result;

    if (rc == NGX_OK) {
        owner->created = 1;
        owner->known = owner->ask.sent;
        ngx_http_fliq_disp_clock_sample(&disp->clock, owner->ask.sent,
                                        *now_at);

        if (owner->unsure) {
            ngx_http_fliq_disp_owner_sort(disp);
            return;
        }

        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_HELD);
        return;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_fliq_disp_owner_buried(disp);
        return;
    }

    /* a row that was made and not answered stays behind, and is buried */

    if (!owner->created) {
        (void) ngx_http_fliq_disp_owner_renew(disp);
    }

    ngx_http_fliq_disp_owner_set_state(disp, NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
}


/* Give back what was claimed without our knowing. */

static void
ngx_http_fliq_disp_owner_sort(ngx_http_fliq_disp_t *disp)
{
    int64_t                       *known;
    ngx_uint_t                     n;
    ngx_pool_t                    *pool;
    ngx_queue_t                   *q;
    ngx_http_fliq_disp_owner_t    *owner;
    ngx_http_fliq_disp_claimed_t  *claimed;

    owner = &disp->owner;
    n = 0;

    pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

    /* an open claim has at least one job */

    known = pool ? ngx_palloc(pool, (disp->njobs + 1) * sizeof(int64_t))
                 : NULL;

    if (known) {
        for (q = ngx_queue_head(&disp->claim.open);
             q != ngx_queue_sentinel(&disp->claim.open);
             q = ngx_queue_next(q))
        {
            claimed = ngx_queue_data(q, ngx_http_fliq_disp_claimed_t, queue);
            known[n++] = claimed->id;
        }

        owner->ask.call = ngx_http_fliq_store_claim_disown(disp->store, pool,
                              &owner->id, known, n,
                              ngx_http_fliq_disp_owner_sort_posts, disp);
    }

    ngx_http_fliq_disp_owner_set_state(disp,
                            owner->ask.call
                            ? NGX_HTTP_FLIQ_DISP_OWNER_SORTING
                            : NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
}


static void
ngx_http_fliq_disp_owner_sort_posts(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_owner_sort_on(data, rc, result, "jobs",
                                     ngx_http_fliq_disp_outbox_disown,
                                     ngx_http_fliq_disp_owner_sort_buffers);
}


static void
ngx_http_fliq_disp_owner_sort_buffers(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_owner_sort_on(data, rc, result, "posts",
                                     ngx_http_fliq_disp_buffer_disown,
                                     ngx_http_fliq_disp_owner_sorted);
}


/* The answer to one kind; ask for the next one. */

static void
ngx_http_fliq_disp_owner_sort_on(ngx_http_fliq_disp_t *disp, ngx_int_t rc,
    const ngx_uint_t *released, const char *kind,
    ngx_http_fliq_disp_disown_pt disown, ngx_http_fliq_store_done_pt done)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;
    owner->ask.call = NULL;

    if (rc == NGX_OK) {
        ngx_http_fliq_disp_owner_released(disp, *released, kind);

        pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

        if (pool) {
            owner->ask.call = disown(disp, pool, done);
        }
    }

    ngx_http_fliq_disp_owner_set_state(disp,
                            owner->ask.call
                            ? NGX_HTTP_FLIQ_DISP_OWNER_SORTING
                            : NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
}


static void
ngx_http_fliq_disp_owner_released(ngx_http_fliq_disp_t *disp,
    ngx_uint_t released, const char *kind)
{
    if (released) {
        ngx_log_error(NGX_LOG_NOTICE, disp->log, 0,
                      "%ui %s of a claim whose answer was lost are due again",
                      released, kind);
    }
}


static void
ngx_http_fliq_disp_owner_sorted(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_uint_t            *released;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;
    owner->ask.call = NULL;
    released = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_owner_set_state(disp,
                                           NGX_HTTP_FLIQ_DISP_OWNER_DOWN);
        return;
    }

    ngx_http_fliq_disp_owner_released(disp, *released, "buffers");

    owner->unsure = 0;

    ngx_http_fliq_disp_owner_set_state(disp, NGX_HTTP_FLIQ_DISP_OWNER_HELD);
}


static void
ngx_http_fliq_disp_owner_beat_handler(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    if (owner->state == NGX_HTTP_FLIQ_DISP_OWNER_DOWN) {
        ngx_http_fliq_disp_owner_lock(disp);
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_FLIQ_DISP_BEAT);

    if (owner->state != NGX_HTTP_FLIQ_DISP_OWNER_HELD || owner->ask.call) {
        return;
    }

    pool = ngx_http_fliq_disp_ask(&owner->ask, disp->log);

    if (pool) {
        owner->ask.call = ngx_http_fliq_store_owner_beat(disp->store, pool,
                              &owner->id, ngx_http_fliq_disp_owner_beaten,
                              disp);
    }
}


static void
ngx_http_fliq_disp_owner_beaten(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const int64_t               *now_at;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;
    owner->ask.call = NULL;
    now_at = result;

    if (rc == NGX_OK) {
        owner->known = owner->ask.sent;
        ngx_http_fliq_disp_clock_sample(&disp->clock, owner->ask.sent,
                                        *now_at);

    } else if (rc == NGX_DECLINED) {
        ngx_http_fliq_disp_owner_buried(disp);
    }
}


static void
ngx_http_fliq_disp_owner_left(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    disp->owner.ask.call = NULL;

    ngx_http_fliq_disp_owner_set_state(disp, NGX_HTTP_FLIQ_DISP_OWNER_GONE);
}


static void
ngx_http_fliq_disp_owner_reap_handler(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_owner_t  *owner;

    owner = &disp->owner;

    ngx_add_timer(ev,
                  ngx_http_fliq_disp_owner_spread(NGX_HTTP_FLIQ_DISP_REAP));

    if (owner->state != NGX_HTTP_FLIQ_DISP_OWNER_HELD || owner->reaping.call)
    {
        return;
    }

    pool = ngx_http_fliq_disp_ask(&owner->reaping, disp->log);

    if (pool) {
        owner->reaper = owner->id;
        owner->reaping.call = ngx_http_fliq_store_owner_reap(disp->store,
                                  pool, &owner->reaper,
                                  ngx_http_fliq_disp_owner_reaped, disp);
    }
}


static void
ngx_http_fliq_disp_owner_reaped(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_uint_t  *released;

    disp->owner.reaping.call = NULL;
    released = result;

    if (rc == NGX_OK && *released) {
        ngx_http_fliq_disp_claim_now(disp);
        ngx_http_fliq_disp_buffer_now(disp);
    }
}


static void
ngx_http_fliq_disp_owner_hourly_handler(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    ngx_pool_t                *pool;
    ngx_http_fliq_disp_ask_t  *ask;

    ngx_add_timer(ev, NGX_HTTP_FLIQ_DISP_MINUTE);

    ask = &disp->owner.partition;

    if (ask->call || ngx_exiting) {
        return;
    }

    pool = ngx_http_fliq_disp_ask(ask, disp->log);

    if (pool) {
        ask->call = ngx_http_fliq_store_partition_create(disp->store, pool,
                        ngx_http_fliq_disp_owner_partitioned, disp);
    }
}


static void
ngx_http_fliq_disp_owner_partitioned(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_event_t  *ev;

    disp->owner.partition.call = NULL;

    if (rc != NGX_OK) {
        return;
    }

    ev = &disp->owner.hourly;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, NGX_HTTP_FLIQ_DISP_HOUR);
}


static void
ngx_http_fliq_disp_owner_close_handler(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    ngx_pool_t                *pool;
    ngx_http_fliq_disp_ask_t  *ask;

    ngx_add_timer(ev,
                  ngx_http_fliq_disp_owner_spread(NGX_HTTP_FLIQ_DISP_MINUTE));

    ask = &disp->owner.closing;

    if (ask->call || ngx_exiting) {
        return;
    }

    pool = ngx_http_fliq_disp_ask(ask, disp->log);

    if (pool) {
        ask->call = ngx_http_fliq_store_usage_close(disp->store, pool,
                        ngx_http_fliq_disp_owner_closed, disp);
    }
}


static void
ngx_http_fliq_disp_owner_closed(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    ngx_event_t       *ev;
    const ngx_uint_t  *moved;

    disp->owner.closing.call = NULL;
    moved = result;

    if (rc != NGX_OK || *moved == 0) {
        return;
    }

    ev = &disp->owner.close;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, NGX_HTTP_FLIQ_DISP_CLOSE);
}


/* By a fifth either way, so that dispatchers do not go in step. */

static ngx_msec_t
ngx_http_fliq_disp_owner_spread(ngx_msec_t wait)
{
    return wait * 4 / 5 + (ngx_msec_t) ngx_random() % (wait * 2 / 5);
}


/* Upkeep: a worker may exit while it waits. */

static void
ngx_http_fliq_disp_owner_timer(ngx_http_fliq_disp_t *disp, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = disp;
    ev->log = disp->log;
    ev->cancelable = 1;
}
