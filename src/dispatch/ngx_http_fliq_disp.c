/*
 * A worker's dispatcher: its start, its graceful end and its sudden one.
 */

#include "ngx_http_fliq_disp_private.h"

#include <sys/eventfd.h>


#define NGX_HTTP_FLIQ_DISP_DRAIN  20      /* milliseconds between looks */
#define NGX_HTTP_FLIQ_DISP_ASK    1024


static ngx_int_t ngx_http_fliq_disp_init(ngx_http_fliq_disp_t *disp);
static ngx_int_t ngx_http_fliq_disp_client(ngx_http_fliq_disp_t *disp);
static ngx_int_t ngx_http_fliq_disp_watch(ngx_http_fliq_disp_t *disp);
static void ngx_http_fliq_disp_exit(void *data, ngx_uint_t ready);
static void ngx_http_fliq_disp_drain(ngx_event_t *ev);
static void ngx_http_fliq_disp_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_e state);
static void ngx_http_fliq_disp_cut(ngx_http_fliq_disp_t *disp);


ngx_http_fliq_disp_t *
ngx_http_fliq_disp_create(const ngx_http_fliq_disp_conf_t *conf,
    ngx_log_t *log)
{
    ngx_pool_t            *pool;
    ngx_http_fliq_disp_t  *disp;

    pool = ngx_create_pool(4096, log);
    if (pool == NULL) {
        return NULL;
    }

    disp = ngx_pcalloc(pool, sizeof(ngx_http_fliq_disp_t));
    if (disp == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    disp->store = conf->store;
    disp->pool = pool;
    disp->log = log;
    disp->ident = (ngx_socket_t) -1;
    disp->exit_fd = (ngx_socket_t) -1;
    disp->conf = *conf;

    if (ngx_http_fliq_disp_init(disp) != NGX_OK) {
        ngx_http_fliq_disp_destroy(disp);
        return NULL;
    }

    /* what is in flight needs the session after all others are closed */

    ngx_http_fliq_store_keep(disp->store, 1);
    ngx_http_fliq_store_ready(disp->store, ngx_http_fliq_disp_owner_session,
                              disp);

    return disp;
}


void
ngx_http_fliq_disp_destroy(ngx_http_fliq_disp_t *disp)
{
    if (disp->state != NGX_HTTP_FLIQ_DISP_OVER) {
        ngx_http_fliq_disp_cut(disp);
    }

    ngx_http_fliq_fd_detach(disp->exit);

    if (disp->exit_fd != (ngx_socket_t) -1) {
        (void) close(disp->exit_fd);
    }

    ngx_destroy_pool(disp->pool);
}


void
ngx_http_fliq_disp_opened(ngx_http_fliq_disp_t *disp)
{
    ngx_http_fliq_disp_claim_now(disp);

    if (disp->outbox.what.nblocked) {
        ngx_http_fliq_disp_outbox_look(disp);
    }

    if (disp->buffer.nblocked) {
        ngx_http_fliq_disp_buffer_now(disp);
    }
}


ngx_pool_t *
ngx_http_fliq_disp_ask(ngx_http_fliq_disp_ask_t *ask, ngx_log_t *log)
{
    ngx_http_fliq_disp_ask_drop(ask);

    ask->sent = ngx_http_fliq_monotonic();

    if (ask->pool) {
        ngx_reset_pool(ask->pool);

    } else {
        ask->pool = ngx_create_pool(NGX_HTTP_FLIQ_DISP_ASK, log);
    }

    return ask->pool;
}


void
ngx_http_fliq_disp_ask_drop(ngx_http_fliq_disp_ask_t *ask)
{
    if (ask->call) {
        ngx_http_fliq_store_cancel(ask->call);
        ask->call = NULL;
    }
}


void
ngx_http_fliq_disp_ask_done(ngx_http_fliq_disp_ask_t *ask)
{
    ngx_http_fliq_disp_ask_drop(ask);

    if (ask->pool) {
        ngx_destroy_pool(ask->pool);
        ask->pool = NULL;
    }
}


static ngx_int_t
ngx_http_fliq_disp_init(ngx_http_fliq_disp_t *disp)
{
    ngx_queue_init(&disp->multi.calls);
    ngx_queue_init(&disp->multi.sockets);
    ngx_queue_init(&disp->claim.open);
    ngx_queue_init(&disp->outbox.flying);
    ngx_queue_init(&disp->outbox.tried);
    ngx_queue_init(&disp->outbox.deleting);

    disp->calls = disp->conf.concurrency
                  + NGX_HTTP_FLIQ_DISP_ITEMS(disp->conf.concurrency)
                  + NGX_HTTP_FLIQ_DISP_POSTS(disp->conf.concurrency);

    disp->drain.handler = ngx_http_fliq_disp_drain;
    disp->drain.data = disp;
    disp->drain.log = disp->log;

    ngx_http_fliq_disp_lanes_init(&disp->lanes, disp->pool,
                                  disp->conf.per_host);

    if (ngx_http_fliq_disp_settle_init(disp) != NGX_OK
        || ngx_http_fliq_disp_client(disp) != NGX_OK
        || ngx_http_fliq_disp_owner_init(disp) != NGX_OK
        || ngx_http_fliq_disp_claim_init(disp) != NGX_OK
        || ngx_http_fliq_disp_outbox_init(disp) != NGX_OK
        || ngx_http_fliq_disp_buffer_init(disp) != NGX_OK
        || ngx_http_fliq_disp_tick_init(disp) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_watch(disp);
}


/* The one outbound client of the worker. */

static ngx_int_t
ngx_http_fliq_disp_client(ngx_http_fliq_disp_t *disp)
{
    u_char                      *p;
    ngx_str_t                   *name;
    ngx_http_fliq_disp_multi_t  *multi;

    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        ngx_log_error(NGX_LOG_ALERT, disp->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    multi = &disp->multi;
    name = &disp->conf.user_agent;

    p = ngx_pnalloc(disp->pool, name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    multi->user_agent = (char *) p;

    p = ngx_cpymem(p, name->data, name->len);
    *p = '\0';

    multi->log = disp->log;
    multi->policy = disp->conf.policy;
    multi->clock = &disp->clock;

    return ngx_http_fliq_disp_multi_init(multi, disp->pool,
                                         disp->conf.concurrency);
}


/*
 * A worker tells its idle connections that it is about to exit, and nobody
 * else: this one is idle all its life and nothing ever arrives on it.
 */

static ngx_int_t
ngx_http_fliq_disp_watch(ngx_http_fliq_disp_t *disp)
{
    disp->exit_fd = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);

    if (disp->exit_fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, disp->log, ngx_errno,
                      "eventfd() failed");
        return NGX_ERROR;
    }

    disp->exit = ngx_http_fliq_fd_attach(disp->exit_fd, 0,
                                         ngx_http_fliq_disp_exit, disp,
                                         disp->log);
    if (disp->exit == NULL) {
        return NGX_ERROR;
    }

    ngx_http_fliq_fd_idle(disp->exit, 1);

    return NGX_OK;
}


static void
ngx_http_fliq_disp_exit(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_disp_t *disp = data;

    if (!(ready & NGX_HTTP_FLIQ_FD_CLOSE)) {
        return;
    }

    if (disp->state == NGX_HTTP_FLIQ_DISP_RUNNING) {
        ngx_http_fliq_disp_set_state(disp, NGX_HTTP_FLIQ_DISP_DRAINING);

    } else if (disp->state == NGX_HTTP_FLIQ_DISP_DRAINING) {

        /* the second time: worker_shutdown_timeout is over */

        ngx_http_fliq_disp_set_state(disp, NGX_HTTP_FLIQ_DISP_OVER);
    }
}


/* The timer that a graceful exit waits for, as long as there is work. */

static void
ngx_http_fliq_disp_drain(ngx_event_t *ev)
{
    ngx_http_fliq_disp_t *disp = ev->data;

    ngx_add_timer(ev, NGX_HTTP_FLIQ_DISP_DRAIN);

    switch (disp->owner.state) {

    case NGX_HTTP_FLIQ_DISP_OWNER_LEAVING:
        return;

    case NGX_HTTP_FLIQ_DISP_OWNER_GONE:
        ngx_http_fliq_disp_set_state(disp, NGX_HTTP_FLIQ_DISP_OVER);
        return;

    default:
        if (disp->njobs == 0 && disp->claim.ask.call == NULL
            && !ngx_http_fliq_disp_outbox_busy(disp)
            && !ngx_http_fliq_disp_buffer_busy(disp))
        {
            ngx_http_fliq_disp_owner_leave(disp);
        }
    }
}


static void
ngx_http_fliq_disp_set_state(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_e state)
{
    disp->state = state;

    switch (state) {

    case NGX_HTTP_FLIQ_DISP_DRAINING:
        ngx_http_fliq_disp_claim_arm(disp);
        ngx_http_fliq_disp_buffer_arm(disp);
        ngx_http_fliq_disp_drain(&disp->drain);
        break;

    case NGX_HTTP_FLIQ_DISP_OVER:
        ngx_http_fliq_disp_cut(disp);
        ngx_http_fliq_store_keep(disp->store, 0);
        break;

    default:
        break;
    }
}


static void
ngx_http_fliq_disp_cut(ngx_http_fliq_disp_t *disp)
{
    disp->state = NGX_HTTP_FLIQ_DISP_OVER;

    if (disp->drain.timer_set) {
        ngx_del_timer(&disp->drain);
    }

    ngx_http_fliq_store_ready(disp->store, NULL, NULL);

    ngx_http_fliq_disp_multi_done(&disp->multi);
    ngx_http_fliq_disp_settle_done(disp);

    ngx_http_fliq_disp_tick_done(disp);
    ngx_http_fliq_disp_outbox_done(disp);
    ngx_http_fliq_disp_buffer_done(disp);
    ngx_http_fliq_disp_claim_done(disp);
    ngx_http_fliq_disp_owner_done(disp);
}
