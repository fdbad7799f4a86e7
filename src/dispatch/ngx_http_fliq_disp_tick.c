/*
 * Schedules: at a run's time, spawn its job.
 *
 * All dispatchers wake for a run.  The one that gets the lock spawns what has
 * come, batch by batch; the others look again a little later whether it did.
 * The lock saves work and nothing else: that a run is spawned once is
 * schedule_spawn's own guard, so a lock whose holder is stuck is done
 * without.
 */

#include "ngx_http_fliq_disp_private.h"
#include "fliq_cron.h"


/* Microseconds. */
#define NGX_HTTP_FLIQ_DISP_TICK_MARGIN  200     /* after a run's time */
#define NGX_HTTP_FLIQ_DISP_TICK_AGAIN   250000  /* after a lost lock */
#define NGX_HTTP_FLIQ_DISP_TICK_GAP     50000   /* between looks for hints */
#define NGX_HTTP_FLIQ_DISP_TICK_SWEEP   60000000

#define NGX_HTTP_FLIQ_DISP_TICK_LOST    8       /* locks, then without */
#define NGX_HTTP_FLIQ_DISP_TICK_BATCH   500
#define NGX_HTTP_FLIQ_DISP_TICK_WHY     160


typedef ngx_http_fliq_store_call_t *(*ngx_http_fliq_disp_tick_pt)(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);


static void ngx_http_fliq_disp_tick_handler(void *data);
static int64_t ngx_http_fliq_disp_tick_when(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_tick_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_tick_e state);
static void ngx_http_fliq_disp_tick_send(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_tick_e state, ngx_http_fliq_disp_tick_pt statement,
    ngx_http_fliq_store_done_pt done);
static ngx_http_fliq_store_call_t *ngx_http_fliq_disp_tick_due(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);
static void ngx_http_fliq_disp_tick_locked(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_tick_read(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_tick_spawn(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_run_t *runs, ngx_uint_t n);
static ngx_int_t ngx_http_fliq_disp_tick_plan(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_run_t *run);
static void ngx_http_fliq_disp_tick_spawned(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_tick_end(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_tick_unlocked(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_tick_asked(void *data, ngx_int_t rc,
    const void *result);
static void ngx_http_fliq_disp_tick_pause(ngx_http_fliq_disp_t *disp);


ngx_int_t
ngx_http_fliq_disp_tick_init(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;

    tick->next_at = NGX_HTTP_FLIQ_DISP_NEVER;
    tick->sweep = NGX_HTTP_FLIQ_DISP_NEVER;
    tick->poll = NGX_HTTP_FLIQ_DISP_NEVER;

    tick->alarm = ngx_http_fliq_alarm_create(ngx_http_fliq_disp_tick_handler,
                                             disp, disp->log);

    return tick->alarm ? NGX_OK : NGX_ERROR;
}


void
ngx_http_fliq_disp_tick_done(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;

    ngx_http_fliq_disp_ask_done(&tick->ask);
    ngx_http_fliq_disp_ask_done(&tick->spawn);
    ngx_http_fliq_alarm_destroy(tick->alarm);
    tick->alarm = NULL;
}


void
ngx_http_fliq_disp_tick_look(ngx_http_fliq_disp_t *disp)
{
    int64_t                     when;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;

    when = ngx_http_fliq_monotonic() + NGX_HTTP_FLIQ_DISP_TICK_GAP;

    if (tick->state == NGX_HTTP_FLIQ_DISP_TICK_IDLE && when < tick->poll) {
        tick->poll = when;
        ngx_http_fliq_disp_tick_set_state(disp, tick->state);
    }
}


void
ngx_http_fliq_disp_tick_now(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->sweep = ngx_http_fliq_monotonic();

    if (tick->state == NGX_HTTP_FLIQ_DISP_TICK_IDLE) {
        ngx_http_fliq_disp_tick_set_state(disp, tick->state);
    }
}


static void
ngx_http_fliq_disp_tick_handler(void *data)
{
    ngx_http_fliq_disp_t *disp = data;

    if (disp->state != NGX_HTTP_FLIQ_DISP_RUNNING) {
        return;
    }

    if (ngx_http_fliq_disp_tick_when(disp) <= ngx_http_fliq_monotonic()) {
        ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_LOCKING,
                                     ngx_http_fliq_store_schedule_lock,
                                     ngx_http_fliq_disp_tick_locked);
    } else {
        ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_ASKING,
                                     ngx_http_fliq_store_schedule_next,
                                     ngx_http_fliq_disp_tick_asked);
    }
}


/* When to spawn. */

static int64_t
ngx_http_fliq_disp_tick_when(ngx_http_fliq_disp_t *disp)
{
    int64_t                     when;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    when = tick->sweep;

    if (tick->next_at != NGX_HTTP_FLIQ_DISP_NEVER) {
        when = ngx_min(when, tick->next_at - disp->clock.offset
                             + NGX_HTTP_FLIQ_DISP_TICK_MARGIN);
    }

    return ngx_max(when, tick->not_before);
}


static void
ngx_http_fliq_disp_tick_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_tick_e state)
{
    int64_t                     when;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->state = state;

    if (state != NGX_HTTP_FLIQ_DISP_TICK_IDLE
        || disp->state != NGX_HTTP_FLIQ_DISP_RUNNING)
    {
        ngx_http_fliq_alarm_clear(tick->alarm);
        return;
    }

    when = ngx_min(ngx_http_fliq_disp_tick_when(disp), tick->poll);

    ngx_http_fliq_alarm_set(tick->alarm, when - ngx_http_fliq_monotonic());
}


static void
ngx_http_fliq_disp_tick_send(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_tick_e state, ngx_http_fliq_disp_tick_pt statement,
    ngx_http_fliq_store_done_pt done)
{
    ngx_pool_t                *pool;
    ngx_http_fliq_disp_ask_t  *ask;

    ask = &disp->tick.ask;

    pool = ngx_http_fliq_disp_ask(ask, disp->log);

    if (pool) {
        ask->call = statement(disp->store, pool, done, disp);
    }

    if (ask->call == NULL) {
        ngx_http_fliq_disp_tick_pause(disp);
        state = NGX_HTTP_FLIQ_DISP_TICK_IDLE;
    }

    ngx_http_fliq_disp_tick_set_state(disp, state);
}


static ngx_http_fliq_store_call_t *
ngx_http_fliq_disp_tick_due(ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data)
{
    return ngx_http_fliq_store_schedule_due(store, pool,
                                            NGX_HTTP_FLIQ_DISP_TICK_BATCH,
                                            done, data);
}


static void
ngx_http_fliq_disp_tick_locked(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_uint_t           *locked;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->ask.call = NULL;
    locked = result;

    /* without an answer it may have been got nevertheless */

    tick->locked = rc != NGX_OK || *locked;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_tick_pause(disp);
        ngx_http_fliq_disp_tick_end(disp);
        return;
    }

    if (tick->locked || ++tick->lost > NGX_HTTP_FLIQ_DISP_TICK_LOST) {
        ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_READING,
                                     ngx_http_fliq_disp_tick_due,
                                     ngx_http_fliq_disp_tick_read);
        return;
    }

    /* what the other one spawns is due; look whether it spawned all */

    ngx_http_fliq_disp_claim_now(disp);

    tick->next_at = NGX_HTTP_FLIQ_DISP_NEVER;
    ngx_http_fliq_disp_tick_pause(disp);

    ngx_http_fliq_disp_tick_set_state(disp, NGX_HTTP_FLIQ_DISP_TICK_IDLE);
}


static void
ngx_http_fliq_disp_tick_read(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_http_fliq_list_t  *list;

    disp->tick.ask.call = NULL;
    list = result;

    if (rc == NGX_OK && list->n
        && disp->state == NGX_HTTP_FLIQ_DISP_RUNNING)
    {
        ngx_http_fliq_disp_tick_spawn(disp, list->records, list->n);
        return;
    }

    if (rc == NGX_OK) {
        disp->tick.sweep = ngx_http_fliq_monotonic()
                           + NGX_HTTP_FLIQ_DISP_TICK_SWEEP;
    } else {
        ngx_http_fliq_disp_tick_pause(disp);
    }

    ngx_http_fliq_disp_tick_end(disp);
}


static void
ngx_http_fliq_disp_tick_spawn(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_run_t *runs, ngx_uint_t n)
{
    ngx_uint_t                  i;
    ngx_pool_t                 *pool;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->n = n;

    pool = ngx_http_fliq_disp_ask(&tick->spawn, disp->log);

    for (i = 0; pool && i < n; i++) {
        if (ngx_http_fliq_disp_tick_plan(disp, &runs[i]) != NGX_OK) {
            pool = NULL;
        }
    }

    if (pool) {
        tick->spawn.call = ngx_http_fliq_store_schedule_spawn(disp->store,
                               pool, runs, n, ngx_http_fliq_disp_tick_spawned,
                               disp);
    }

    if (tick->spawn.call == NULL) {
        ngx_http_fliq_disp_tick_pause(disp);
        ngx_http_fliq_disp_tick_end(disp);
        return;
    }

    ngx_http_fliq_disp_tick_set_state(disp,
                                      NGX_HTTP_FLIQ_DISP_TICK_SPAWNING);
}


/* The job of a run, and the run that follows: of those missed there is one. */

static ngx_int_t
ngx_http_fliq_disp_tick_plan(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_run_t *run)
{
    char         why[NGX_HTTP_FLIQ_DISP_TICK_WHY], id[FLIQ_ID_TEXT];
    fliq_cron_t  cron;

    run->next_run_at = NGX_HTTP_FLIQ_NONE;

    if (fliq_cron_parse(ngx_http_fliq_disp_view(&run->cron), &cron, why,
                        sizeof(why))
        != 0)
    {
        (void) fliq_id_format(id, "sched", &run->id);

        ngx_log_error(NGX_LOG_ERR, disp->log, 0,
                      "%s has the cron expression \"%V\" and runs no more: "
                      "%s", id, &run->cron, why);

    } else {
        run->next_run_at = fliq_cron_next(&cron,
                                          ngx_max(run->now, run->run_at));

        if (run->next_run_at < 0) {
            run->next_run_at = NGX_HTTP_FLIQ_NONE;
        }
    }

    return fliq_id_make(&run->job_id, run->now / 1000) == 0 ? NGX_OK
                                                            : NGX_ERROR;
}


static void
ngx_http_fliq_disp_tick_spawned(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_uint_t           *spawned;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->spawn.call = NULL;
    spawned = result;

    if (rc != NGX_OK) {
        ngx_http_fliq_disp_tick_pause(disp);
        ngx_http_fliq_disp_tick_end(disp);
        return;
    }

    if (*spawned) {
        ngx_http_fliq_disp_claim_now(disp);
    }

    if (tick->n == NGX_HTTP_FLIQ_DISP_TICK_BATCH
        && disp->state == NGX_HTTP_FLIQ_DISP_RUNNING)
    {
        ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_READING,
                                     ngx_http_fliq_disp_tick_due,
                                     ngx_http_fliq_disp_tick_read);
        return;
    }

    tick->sweep = ngx_http_fliq_monotonic() + NGX_HTTP_FLIQ_DISP_TICK_SWEEP;

    ngx_http_fliq_disp_tick_end(disp);
}


static void
ngx_http_fliq_disp_tick_end(ngx_http_fliq_disp_t *disp)
{
    if (!disp->tick.locked) {
        ngx_http_fliq_disp_tick_unlocked(disp, NGX_OK, NULL);
        return;
    }

    ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_UNLOCKING,
                                 ngx_http_fliq_store_schedule_unlock,
                                 ngx_http_fliq_disp_tick_unlocked);
}


/* A lock that could not be given back went with its session. */

static void
ngx_http_fliq_disp_tick_unlocked(void *data, ngx_int_t rc,
    const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    disp->tick.ask.call = NULL;

    ngx_http_fliq_disp_tick_send(disp, NGX_HTTP_FLIQ_DISP_TICK_ASKING,
                                 ngx_http_fliq_store_schedule_next,
                                 ngx_http_fliq_disp_tick_asked);
}


static void
ngx_http_fliq_disp_tick_asked(void *data, ngx_int_t rc, const void *result)
{
    ngx_http_fliq_disp_t *disp = data;

    const ngx_http_fliq_due_t  *due;
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;
    tick->ask.call = NULL;
    due = result;

    if (rc == NGX_OK) {
        ngx_http_fliq_disp_clock_sample(&disp->clock, tick->ask.sent,
                                        due->now);

        tick->next_at = due->due_at == NGX_HTTP_FLIQ_NONE
                        ? NGX_HTTP_FLIQ_DISP_NEVER : due->due_at;

        if (tick->next_at > due->now) {
            tick->lost = 0;
        }
    }

    tick->poll = ngx_http_fliq_monotonic()
                 + (int64_t) disp->conf.poll * 1000
                   * (80 + ngx_random() % 41) / 100;

    ngx_http_fliq_disp_tick_set_state(disp, NGX_HTTP_FLIQ_DISP_TICK_IDLE);
}


static void
ngx_http_fliq_disp_tick_pause(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_tick_t  *tick;

    tick = &disp->tick;

    tick->not_before = ngx_http_fliq_monotonic()
                       + NGX_HTTP_FLIQ_DISP_TICK_AGAIN;
    tick->poll = tick->not_before;
}
