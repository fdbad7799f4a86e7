/*
 * When to claim what is due, and how much.
 *
 * One claim is under way at a time.  Its moment follows from what is known:
 * when the next job is due, how many slots are free, whether the last claim
 * left something behind.  ngx_http_fliq_disp_claim_when() is where it is
 * decided, and the alarm is set to that.
 */

#include "ngx_http_fliq_disp_private.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_MARGIN     200     /* after a due time */
#define NGX_HTTP_FLIQ_DISP_SPREAD     400     /* one dispatcher to the next */
#define NGX_HTTP_FLIQ_DISP_GAP        1000    /* between claims, no backlog */
#define NGX_HTTP_FLIQ_DISP_PATIENCE   2000    /* for more slots */
#define NGX_HTTP_FLIQ_DISP_PAUSE_MIN  50000   /* after a failure */
#define NGX_HTTP_FLIQ_DISP_PAUSE_MAX  1000000
#define NGX_HTTP_FLIQ_DISP_DEAR       5000    /* a claim_due that costs */
#define NGX_HTTP_FLIQ_DISP_RARELY     50      /* times that, to the next one */

#define NGX_HTTP_FLIQ_DISP_ENOUGH     32      /* free slots */
#define NGX_HTTP_FLIQ_DISP_LANES_MIN  64
#define NGX_HTTP_FLIQ_DISP_LANES_MAX  4096


static void ngx_http_fliq_disp_claim_handler(void *data);
static int64_t ngx_http_fliq_disp_claim_when(ngx_http_fliq_disp_t *disp,
    int64_t now);
static ngx_uint_t ngx_http_fliq_disp_claim_slots(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_claim_send(ngx_http_fliq_disp_t *disp,
    int64_t now);
static void ngx_http_fliq_disp_claim_compose(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_claim_ask_next(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_claim_next(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_claim_answered(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_claim_weigh(
    ngx_http_fliq_disp_claim_t *claim);
static void ngx_http_fliq_disp_claim_failed(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_claim_judge(ngx_http_fliq_disp_t *disp,
    ngx_uint_t n);
static void ngx_http_fliq_disp_claim_walked(
    ngx_http_fliq_disp_claim_t *claim, const ngx_http_fliq_list_t *list);
static void ngx_http_fliq_disp_claim_take(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_list_t *list);


ngx_int_t
ngx_http_fliq_disp_claim_init(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    ngx_queue_init(&claim->open);

    claim->armed = NGX_HTTP_FLIQ_DISP_NEVER;
    claim->due_at = NGX_HTTP_FLIQ_DISP_NEVER;
    claim->lanes = NGX_HTTP_FLIQ_DISP_LANES_MIN;
    claim->lane = -1;

    claim->blocked = ngx_palloc(disp->pool, disp->calls * sizeof(int32_t));
    if (claim->blocked == NULL) {
        return NGX_ERROR;
    }

    claim->alarm = ngx_http_fliq_alarm_create(
                       ngx_http_fliq_disp_claim_handler, disp, disp->log);

    return claim->alarm ? NGX_OK : NGX_ERROR;
}


void
ngx_http_fliq_disp_claim_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    ngx_http_fliq_disp_ask_done(&claim->ask);
    ngx_http_fliq_disp_ask_done(&claim->next);
    ngx_http_fliq_alarm_destroy(claim->alarm);
    claim->alarm = NULL;

    ngx_http_fliq_disp_claims_free(&claim->open);
}


void
ngx_http_fliq_disp_claims_free(ngx_queue_t *claims)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(claims)) {
        q = ngx_queue_head(claims);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_fliq_disp_claimed_t, queue));
    }
}


void
ngx_http_fliq_disp_hint(void *data, int64_t due_at)
{
    if (due_at == 0) {
        ngx_http_fliq_disp_outbox_look(data);
        return;
    }

    ngx_http_fliq_disp_claim_at(data, due_at);
}


void
ngx_http_fliq_disp_claim_at(ngx_http_fliq_disp_t *disp, int64_t due_at)
{
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    if (due_at <= claim->due_at) {
        claim->due_at = due_at;
        claim->own = 1;

        ngx_http_fliq_disp_claim_arm(disp);
    }
}


void
ngx_http_fliq_disp_claim_now(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_at(disp,
                                ngx_http_fliq_disp_clock_now(&disp->clock));

    /* it may have been due before, and what kept it from that is over */

    ngx_http_fliq_disp_claim_arm(disp);
}


void
ngx_http_fliq_disp_claim_drop(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    ngx_http_fliq_disp_ask_drop(&claim->next);

    if (claim->ask.call) {
        ngx_http_fliq_disp_ask_drop(&claim->ask);
        ngx_http_fliq_disp_claim_failed(disp);
    }
}


void
ngx_http_fliq_disp_claim_arm(ngx_http_fliq_disp_t *disp)
{
    int64_t                      now, when;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    if (claim->alarm == NULL) {
        return;
    }

    now = ngx_http_fliq_monotonic();
    when = ngx_http_fliq_disp_claim_when(disp, now);

    if (when == claim->armed || (claim->armed <= now && when <= now)) {
        return;
    }

    claim->armed = when;

    if (when == NGX_HTTP_FLIQ_DISP_NEVER) {
        ngx_http_fliq_alarm_clear(claim->alarm);

    } else {
        ngx_http_fliq_alarm_set(claim->alarm, when - now);
    }
}


static void
ngx_http_fliq_disp_claim_handler(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    int64_t  now;

    disp->claim.armed = NGX_HTTP_FLIQ_DISP_NEVER;
    now = ngx_http_fliq_monotonic();

    if (ngx_http_fliq_disp_claim_when(disp, now) <= now) {
        ngx_http_fliq_disp_claim_send(disp, now);
    }

    ngx_http_fliq_disp_claim_arm(disp);
}


static int64_t
ngx_http_fliq_disp_claim_when(ngx_http_fliq_disp_t *disp, int64_t now)
{
    int64_t                      when, due;
    ngx_uint_t                   slots, enough;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;
    slots = disp->conf.concurrency - disp->njobs;

    if (disp->state != NGX_HTTP_FLIQ_DISP_RUNNING
        || disp->owner.state != NGX_HTTP_FLIQ_DISP_OWNER_HELD
        || claim->ask.call || slots == 0)
    {
        return NGX_HTTP_FLIQ_DISP_NEVER;
    }

    when = claim->poll;

    if (claim->backlog) {
        enough = ngx_min(disp->conf.concurrency / 4,
                         NGX_HTTP_FLIQ_DISP_ENOUGH);

        due = slots >= enough ? now
                              : claim->room + NGX_HTTP_FLIQ_DISP_PATIENCE;
        when = ngx_min(when, due);
    }

    if (claim->due_at != NGX_HTTP_FLIQ_DISP_NEVER) {
        due = claim->due_at - disp->clock.offset + NGX_HTTP_FLIQ_DISP_MARGIN
              + (claim->own ? 0 : ngx_http_fliq_disp_claim_spread(disp));
        when = ngx_min(when, due);
    }

    return ngx_max(when, claim->not_before);
}


/*
 * All dispatchers learn of a job that was created elsewhere.  One after the
 * other looks whether it is still there, instead of all at once.
 */

int64_t
ngx_http_fliq_disp_claim_spread(ngx_http_fliq_disp_t *disp)
{
    return (disp->owner.id.id.bytes[FLIQ_ID_SIZE - 1] % 4)
           * NGX_HTTP_FLIQ_DISP_SPREAD;
}


/* How many jobs can be taken on, not regarding their hosts. */

static ngx_uint_t
ngx_http_fliq_disp_claim_slots(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t  slots;

    if (disp->bytes > NGX_HTTP_FLIQ_DISP_BYTES) {
        return 0;
    }

    slots = disp->conf.concurrency - disp->njobs;
    slots = ngx_min(slots, ngx_http_fliq_disp_multi_room(&disp->multi));

    return ngx_min(slots, NGX_HTTP_FLIQ_DISP_BATCH);
}


/*
 * When the next job is due is asked before the claim: what becomes due
 * between the two is then either claimed or still to come.
 */

static void
ngx_http_fliq_disp_claim_send(ngx_http_fliq_disp_t *disp, int64_t now)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    ngx_http_fliq_disp_claim_compose(disp);

    if (claim->what.limit == 0) {
        claim->not_before = now + NGX_HTTP_FLIQ_DISP_PAUSE_MIN;
        return;
    }

    claim->hinted = claim->own && claim->due_at != NGX_HTTP_FLIQ_DISP_NEVER;

    if (!claim->backlog) {
        ngx_http_fliq_disp_claim_ask_next(disp);
    }

    pool = ngx_http_fliq_disp_ask(&claim->ask, disp->log);

    if (pool) {
        claim->ask.call = ngx_http_fliq_store_claim(disp->store, pool,
                              &claim->what, ngx_http_fliq_disp_claim_answered,
                              disp);
    }

    if (claim->ask.call == NULL) {
        ngx_http_fliq_disp_claim_failed(disp);
        return;
    }

    claim->poll = now + (int64_t) disp->conf.poll * 1000
                        * (80 + ngx_random() % 41) / 100;
    claim->not_before = claim->backlog ? now : now + NGX_HTTP_FLIQ_DISP_GAP;
}


/*
 * With a backlog, claims by due time and by lane alternate, so that who has
 * the oldest work is served and nobody is left out.  A claim by due time
 * steps over all that is due in a blocked lane: when that is dear it gives
 * way to the walk for a while.
 */

static void
ngx_http_fliq_disp_claim_compose(ngx_http_fliq_disp_t *disp)
{
    ngx_uint_t                   room, slots;
    ngx_http_fliq_claim_t       *what;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;
    what = &claim->what;

    claim->owner = disp->owner.id;
    claim->generation = disp->owner.generation;

    room = ngx_http_fliq_disp_lanes_block(&disp->lanes, claim->blocked,
                                          &what->nblocked);
    slots = ngx_http_fliq_disp_claim_slots(disp);

    what->owner = &claim->owner;
    what->limit = ngx_min(slots, room);
    what->blocked = claim->blocked;

    what->by_lane = (claim->backlog && !claim->walk)
                    || (what->nblocked
                        && claim->dear > ngx_http_fliq_monotonic());
    claim->walk = what->by_lane;

    what->after_account = claim->account;
    what->after_lane = claim->lane;
    what->lanes = claim->lanes;
    what->per_lane = ngx_max(what->limit / 8, 1);
}


static void
ngx_http_fliq_disp_claim_ask_next(ngx_http_fliq_disp_t *disp)
{
    ngx_pool_t                  *pool;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    pool = ngx_http_fliq_disp_ask(&claim->next, disp->log);

    if (pool) {
        claim->next.call = ngx_http_fliq_store_due_next(disp->store, pool,
                               ngx_http_fliq_disp_claim_next, disp);
    }

    if (claim->next.call) {
        claim->due_at = NGX_HTTP_FLIQ_DISP_NEVER;
    }
}


static void
ngx_http_fliq_disp_claim_next(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_http_fliq_due_t   *due;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;
    claim->next.call = NULL;
    due = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_claim_now(disp);
        return;
    }

    ngx_http_fliq_disp_clock_sample(&disp->clock, claim->next.sent, due->now);

    if (due->due_at != NGX_HTTP_FLIQ_NONE && due->due_at < claim->due_at) {
        claim->due_at = due->due_at;
        claim->own = 0;
    }

    ngx_http_fliq_disp_claim_arm(disp);
}


static void
ngx_http_fliq_disp_claim_answered(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_http_fliq_list_t  *list;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;
    claim->ask.call = NULL;
    list = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_claim_failed(disp);
        return;
    }

    claim->pause = 0;

    if (claim->what.by_lane) {
        ngx_http_fliq_disp_claim_walked(claim, list);

    } else {
        ngx_http_fliq_disp_claim_weigh(claim);
    }

    if (list->n) {
        ngx_http_fliq_disp_claim_take(disp, list);
        ngx_http_fliq_disp_settle_flush(disp);

    } else if (claim->hinted) {

        /* a hint does not say whether a job or a schedule's run was meant */

        ngx_http_fliq_disp_tick_look(disp);
    }

    ngx_http_fliq_disp_claim_judge(disp, list->n);
    ngx_http_fliq_disp_claim_arm(disp);
}


/* What a claim by due time costs says when there may be another one. */

static void
ngx_http_fliq_disp_claim_weigh(ngx_http_fliq_disp_claim_t *claim)
{
    int64_t  now, cost;

    now = ngx_http_fliq_monotonic();
    cost = now - claim->ask.sent;

    claim->dear = cost > NGX_HTTP_FLIQ_DISP_DEAR
                  ? now + cost * NGX_HTTP_FLIQ_DISP_RARELY : 0;
}


/* Nobody knows whether it took effect. */

static void
ngx_http_fliq_disp_claim_failed(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    claim->pause = ngx_min(ngx_max(claim->pause * 2,
                                   NGX_HTTP_FLIQ_DISP_PAUSE_MIN),
                           NGX_HTTP_FLIQ_DISP_PAUSE_MAX);
    claim->not_before = ngx_http_fliq_monotonic() + claim->pause;

    ngx_http_fliq_disp_claim_now(disp);
    ngx_http_fliq_disp_owner_unsure(disp);
}


/* Tell from a claim's answer whether more is due than it brought. */

static void
ngx_http_fliq_disp_claim_judge(ngx_http_fliq_disp_t *disp, ngx_uint_t n)
{
    ngx_uint_t                   all;
    ngx_http_fliq_disp_claim_t  *claim;

    claim = &disp->claim;

    claim->room = disp->njobs < disp->conf.concurrency
                  ? ngx_http_fliq_monotonic() : NGX_HTTP_FLIQ_DISP_NEVER / 2;

    /* a walk tells only of the lanes that it came by */

    all = claim->what.by_lane
          ? n == 0 && claim->what.lanes == NGX_HTTP_FLIQ_DISP_LANES_MAX
          : n < claim->what.limit;

    if (all && claim->backlog) {

        /* it did not ask when the next one is due */

        ngx_http_fliq_disp_claim_now(disp);
    }

    claim->backlog = !all;
}


/*
 * The walk goes on behind the last lane that gave something.  When nothing
 * came it starts over, and looks further: lanes where nothing is due yet
 * count too.
 */

static void
ngx_http_fliq_disp_claim_walked(ngx_http_fliq_disp_claim_t *claim,
    const ngx_http_fliq_list_t *list)
{
    const ngx_http_fliq_attempt_t  *last;

    if (list->n == 0) {
        ngx_memzero(&claim->account, sizeof(fliq_id_t));
        claim->lane = -1;
        claim->lanes = ngx_min(claim->lanes * 2,
                               NGX_HTTP_FLIQ_DISP_LANES_MAX);
        return;
    }

    last = (const ngx_http_fliq_attempt_t *) list->records + list->n - 1;

    claim->account = last->account_id;
    claim->lane = last->lane;
    claim->lanes = NGX_HTTP_FLIQ_DISP_LANES_MIN;
}


static void
ngx_http_fliq_disp_claim_take(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_list_t *list)
{
    ngx_uint_t                      i;
    ngx_http_fliq_disp_claimed_t   *claimed;
    const ngx_http_fliq_attempt_t  *attempts;

    attempts = list->records;

    claimed = ngx_alloc(sizeof(ngx_http_fliq_disp_claimed_t), disp->log);
    if (claimed == NULL) {
        ngx_http_fliq_disp_owner_unsure(disp);
        return;
    }

    claimed->id = attempts[0].claim_id;
    claimed->left = list->n;
    claimed->lost = 0;
    claimed->here = 0;
    claimed->closing = 0;

    ngx_queue_insert_tail(&disp->claim.open, &claimed->queue);

    for (i = 0; i < list->n; i++) {

        if (ngx_http_fliq_disp_job_start(disp, &attempts[i], claimed)
            != NGX_OK)
        {
            claimed->lost++;
        }
    }

    if (claimed->lost) {
        ngx_log_error(NGX_LOG_ALERT, disp->log, 0,
                      "no memory to fire %ui claimed jobs", claimed->lost);

        ngx_http_fliq_disp_claim_lost(disp, claimed);
    }
}


void
ngx_http_fliq_disp_claim_lost(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_claimed_t *claimed)
{
    if (claimed->lost == 0 || claimed->left > claimed->lost) {
        return;
    }

    ngx_queue_remove(&claimed->queue);
    ngx_free(claimed);

    /* what follows must not cross with another claim */

    ngx_http_fliq_disp_claim_drop(disp);
    ngx_http_fliq_disp_owner_unsure(disp);
}
