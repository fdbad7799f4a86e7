/*
 * libcurl's multi handle on nginx's events.
 */

#include "ngx_http_fliq_disp_private.h"

#include <openssl/err.h>
#include <signal.h>
#include <sys/resource.h>


/* Idle connections to targets that are kept for the next call. */
#define NGX_HTTP_FLIQ_DISP_IDLE_MIN  8
#define NGX_HTTP_FLIQ_DISP_IDLE_MAX  256

/* Descriptors that are neither: logs, files, a resolver's pipes. */
#define NGX_HTTP_FLIQ_DISP_FILES     32

#define NGX_HTTP_FLIQ_DISP_SPARE     256

/* Milliseconds until calls that found no descriptor look for one again. */
#define NGX_HTTP_FLIQ_DISP_FEED      100


typedef struct {
    ngx_queue_t                  queue;
    ngx_http_fliq_disp_multi_t  *multi;
    ngx_http_fliq_fd_t          *watch;
    curl_socket_t                fd;
} ngx_http_fliq_disp_socket_t;


static void ngx_http_fliq_disp_multi_out(ngx_http_fliq_disp_call_t *call);
static void ngx_http_fliq_disp_multi_feed(ngx_event_t *ev);
static ngx_int_t ngx_http_fliq_disp_multi_open(
    ngx_http_fliq_disp_multi_t *multi);
static void ngx_http_fliq_disp_multi_close(ngx_http_fliq_disp_multi_t *multi);
static void ngx_http_fliq_disp_multi_limits(
    ngx_http_fliq_disp_multi_t *multi);
static int ngx_http_fliq_disp_multi_socket(CURL *easy, curl_socket_t fd,
    int what, void *data, void *assigned);
static ngx_http_fliq_disp_socket_t *ngx_http_fliq_disp_multi_watch(
    ngx_http_fliq_disp_multi_t *multi, curl_socket_t fd, ngx_uint_t want);
static void ngx_http_fliq_disp_multi_unwatch(
    ngx_http_fliq_disp_socket_t *sock);
static void ngx_http_fliq_disp_multi_blind(CURL *easy);
static int ngx_http_fliq_disp_multi_timer(CURLM *curl, long timeout,
    void *data);
static void ngx_http_fliq_disp_multi_ready(void *data, ngx_uint_t ready);
static void ngx_http_fliq_disp_multi_timeout(ngx_event_t *ev);
static void ngx_http_fliq_disp_multi_act(ngx_http_fliq_disp_multi_t *multi,
    curl_socket_t fd, int mask);
static void ngx_http_fliq_disp_multi_forget(void);
static void ngx_http_fliq_disp_multi_collect(
    ngx_http_fliq_disp_multi_t *multi);
static void ngx_http_fliq_disp_multi_end_blind(
    ngx_http_fliq_disp_multi_t *multi);
static void ngx_http_fliq_disp_multi_resume(
    ngx_http_fliq_disp_multi_t *multi);
static void ngx_http_fliq_disp_multi_rebuild(
    ngx_http_fliq_disp_multi_t *multi);


ngx_int_t
ngx_http_fliq_disp_multi_init(ngx_http_fliq_disp_multi_t *multi,
    ngx_pool_t *pool, ngx_uint_t calls)
{
    ngx_queue_init(&multi->calls);
    ngx_queue_init(&multi->sockets);

    multi->ident = (ngx_socket_t) -1;

    multi->timer.handler = ngx_http_fliq_disp_multi_timeout;
    multi->timer.data = multi;
    multi->timer.log = multi->log;

    multi->kick.handler = ngx_http_fliq_disp_multi_timeout;
    multi->kick.data = multi;
    multi->kick.log = multi->log;

    multi->feed.handler = ngx_http_fliq_disp_multi_feed;
    multi->feed.data = multi;
    multi->feed.log = multi->log;

    multi->max_spare = ngx_min(calls, NGX_HTTP_FLIQ_DISP_SPARE);
    multi->spare = ngx_palloc(pool, multi->max_spare * sizeof(CURL *));

    if (multi->spare == NULL
        || ngx_http_fliq_disp_sweep_init(&multi->sweep, multi) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_fliq_disp_multi_limits(multi);

    if (ngx_http_fliq_disp_multi_open(multi) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_fliq_disp_multi_try(multi, multi->sweep.easy);

    return NGX_OK;
}


void
ngx_http_fliq_disp_multi_done(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_queue_t                *q;
    ngx_http_fliq_disp_call_t  *call;

    while (!ngx_queue_empty(&multi->calls)) {
        q = ngx_queue_head(&multi->calls);
        call = ngx_queue_data(q, ngx_http_fliq_disp_call_t, queue);

        ngx_http_fliq_disp_call_cancel(call);
    }

    if (multi->feed.timer_set) {
        ngx_del_timer(&multi->feed);
    }

    while (multi->nspare) {
        curl_easy_cleanup(multi->spare[--multi->nspare]);
    }

    if (multi->curl) {
        ngx_http_fliq_disp_multi_close(multi);
    }

    ngx_http_fliq_disp_sweep_done(&multi->sweep);
}


CURL *
ngx_http_fliq_disp_multi_easy(ngx_http_fliq_disp_multi_t *multi)
{
    if (multi->nspare) {
        return multi->spare[--multi->nspare];
    }

    return curl_easy_init();
}


void
ngx_http_fliq_disp_multi_recycle(ngx_http_fliq_disp_multi_t *multi,
    CURL *easy)
{
    if (multi->nspare == multi->max_spare) {
        curl_easy_cleanup(easy);
        return;
    }

    curl_easy_reset(easy);
    multi->spare[multi->nspare++] = easy;
}


ngx_int_t
ngx_http_fliq_disp_multi_add(ngx_http_fliq_disp_call_t *call)
{
    CURLMcode                    rc;
    ngx_http_fliq_disp_multi_t  *multi;

    multi = call->multi;

    if (multi->curl == NULL) {
        return NGX_ERROR;
    }

    rc = curl_multi_add_handle(multi->curl, call->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, multi->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        return NGX_ERROR;
    }

    if (call->waiting) {
        call->waiting = 0;
        multi->nwaiting--;

    } else {
        ngx_queue_insert_tail(&multi->calls, &call->queue);
    }

    return NGX_OK;
}


void
ngx_http_fliq_disp_multi_remove(ngx_http_fliq_disp_call_t *call)
{
    ngx_http_fliq_disp_multi_out(call);

    ngx_queue_remove(&call->queue);

    if (call->waiting) {
        call->waiting = 0;
        call->multi->nwaiting--;
    }

    ngx_http_fliq_disp_sweep_idle(&call->multi->sweep);
}


void
ngx_http_fliq_disp_multi_wait(ngx_http_fliq_disp_call_t *call)
{
    ngx_http_fliq_disp_multi_t  *multi;

    multi = call->multi;

    ngx_http_fliq_disp_multi_out(call);

    call->waiting = 1;
    multi->nwaiting++;

    if (!multi->feed.timer_set) {
        ngx_add_timer(&multi->feed, NGX_HTTP_FLIQ_DISP_FEED);
    }
}


static void
ngx_http_fliq_disp_multi_out(ngx_http_fliq_disp_call_t *call)
{
    (void) curl_multi_remove_handle(call->multi->curl, call->easy);

    ngx_http_fliq_disp_multi_forget();

    if (call->blind) {
        call->blind = 0;
        call->multi->nblind--;
    }
}


static void
ngx_http_fliq_disp_multi_feed(ngx_event_t *ev)
{
    ngx_http_fliq_disp_multi_t *multi = ev->data;

    ngx_queue_t                *q, *next;
    ngx_http_fliq_disp_call_t  *call;

    for (q = ngx_queue_head(&multi->calls);
         q != ngx_queue_sentinel(&multi->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_fliq_disp_call_t, queue);

        if (call->waiting) {
            ngx_http_fliq_disp_call_again(call);
        }
    }

    if (multi->nwaiting) {
        ngx_add_timer(&multi->feed, NGX_HTTP_FLIQ_DISP_FEED);
    }
}


void
ngx_http_fliq_disp_multi_try(ngx_http_fliq_disp_multi_t *multi, CURL *easy)
{
    if (multi->curl == NULL
        || curl_multi_add_handle(multi->curl, easy) != CURLM_OK)
    {
        return;
    }

    ngx_http_fliq_disp_multi_act(multi, CURL_SOCKET_TIMEOUT, 0);

    if (multi->curl) {
        (void) curl_multi_remove_handle(multi->curl, easy);
    }
}


static ngx_int_t
ngx_http_fliq_disp_multi_open(ngx_http_fliq_disp_multi_t *multi)
{
    CURLM  *curl;

    curl = curl_multi_init();

    if (curl == NULL) {
        ngx_log_error(NGX_LOG_ALERT, multi->log, 0,
                      "curl_multi_init() failed");
        return NGX_ERROR;
    }

    curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION,
                      ngx_http_fliq_disp_multi_socket);
    curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION,
                      ngx_http_fliq_disp_multi_timer);
    curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long) multi->max_idle);

    multi->curl = curl;

    return NGX_OK;
}


static void
ngx_http_fliq_disp_multi_close(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_queue_t  *q;

    (void) curl_multi_cleanup(multi->curl);
    multi->curl = NULL;

    ngx_http_fliq_disp_multi_forget();

    while (!ngx_queue_empty(&multi->sockets)) {
        q = ngx_queue_head(&multi->sockets);

        ngx_http_fliq_disp_multi_unwatch(
            ngx_queue_data(q, ngx_http_fliq_disp_socket_t, queue));
    }

    if (multi->timer.timer_set) {
        ngx_del_timer(&multi->timer);
    }

    if (multi->kick.posted) {
        ngx_delete_posted_event(&multi->kick);
    }
}


/*
 * An idle connection costs a descriptor and none of worker_connections, so
 * half of the descriptors above those are free for them.
 */

static void
ngx_http_fliq_disp_multi_limits(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_int_t      files, idle;
    struct rlimit  limit;

    files = NGX_MAX_INT32_VALUE;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0
        && limit.rlim_cur < (rlim_t) files)
    {
        files = (ngx_int_t) limit.rlim_cur;
    }

    idle = (files - (ngx_int_t) ngx_cycle->connection_n) / 2;

    multi->max_idle = ngx_min(ngx_max(idle, NGX_HTTP_FLIQ_DISP_IDLE_MIN),
                              NGX_HTTP_FLIQ_DISP_IDLE_MAX);
    multi->max_watched = files - multi->max_idle - NGX_HTTP_FLIQ_DISP_FILES;
}


ngx_uint_t
ngx_http_fliq_disp_multi_room(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_int_t  room, used;

    if (multi->nwaiting) {
        return 0;
    }

    used = ngx_cycle->connection_n - ngx_cycle->free_connection_n;
    room = multi->max_watched - used;
    room = ngx_min(room, (ngx_int_t) ngx_http_fliq_fd_free());

    /* a call may need a second descriptor while it resolves or connects */

    return room > 0 ? room / 2 : 0;
}


static int
ngx_http_fliq_disp_multi_socket(CURL *easy, curl_socket_t fd, int what,
    void *data, void *assigned)
{
    ngx_http_fliq_disp_multi_t *multi = data;

    ngx_uint_t                    want;
    ngx_http_fliq_disp_socket_t  *sock;

    sock = assigned;

    if (what == CURL_POLL_REMOVE) {
        ngx_http_fliq_disp_multi_unwatch(sock);
        return 0;
    }

    want = 0;

    if (what & CURL_POLL_IN) {
        want |= NGX_HTTP_FLIQ_FD_READ;
    }

    if (what & CURL_POLL_OUT) {
        want |= NGX_HTTP_FLIQ_FD_WRITE;
    }

    if (sock) {
        if (ngx_http_fliq_fd_want(sock->watch, want) != NGX_OK) {
            ngx_http_fliq_disp_multi_blind(easy);
        }

        return 0;
    }

    sock = ngx_http_fliq_disp_multi_watch(multi, fd, want);

    if (sock == NULL) {
        ngx_http_fliq_disp_multi_blind(easy);
        return 0;
    }

    (void) curl_multi_assign(multi->curl, fd, sock);

    return 0;
}


static ngx_http_fliq_disp_socket_t *
ngx_http_fliq_disp_multi_watch(ngx_http_fliq_disp_multi_t *multi,
    curl_socket_t fd, ngx_uint_t want)
{
    ngx_http_fliq_disp_socket_t  *sock;

    sock = ngx_alloc(sizeof(ngx_http_fliq_disp_socket_t), multi->log);
    if (sock == NULL) {
        return NULL;
    }

    sock->multi = multi;
    sock->fd = fd;
    sock->watch = ngx_http_fliq_fd_attach(fd, want,
                                          ngx_http_fliq_disp_multi_ready,
                                          sock, multi->log);

    if (sock->watch == NULL) {
        ngx_free(sock);
        return NULL;
    }

    ngx_queue_insert_tail(&multi->sockets, &sock->queue);

    return sock;
}


static void
ngx_http_fliq_disp_multi_unwatch(ngx_http_fliq_disp_socket_t *sock)
{
    if (sock == NULL) {
        return;
    }

    ngx_http_fliq_fd_detach(sock->watch);
    ngx_queue_remove(&sock->queue);
    ngx_free(sock);
}


/*
 * An error returned from libcurl's callback would fail every call there is:
 * only the one whose socket cannot be watched is ended, after the action.
 */

static void
ngx_http_fliq_disp_multi_blind(CURL *easy)
{
    ngx_http_fliq_disp_call_t  *call;

    call = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) != CURLE_OK
        || call == NULL || call->blind)
    {
        return;
    }

    call->blind = 1;
    call->multi->nblind++;

    ngx_post_event(&call->multi->kick, &ngx_posted_next_events);
}


static int
ngx_http_fliq_disp_multi_timer(CURLM *curl, long timeout, void *data)
{
    ngx_http_fliq_disp_multi_t *multi = data;

    /* a timer that is set keeps its old time when it moves by little */

    if (multi->timer.timer_set) {
        ngx_del_timer(&multi->timer);
    }

    if (timeout == 0) {
        ngx_post_event(&multi->kick, &ngx_posted_next_events);

    } else if (timeout > 0) {
        ngx_add_timer(&multi->timer, (ngx_msec_t) timeout);
    }

    return 0;
}


static void
ngx_http_fliq_disp_multi_ready(void *data, ngx_uint_t ready)
{
    ngx_http_fliq_disp_socket_t *sock = data;

    int  mask;

    mask = 0;

    if (ready & NGX_HTTP_FLIQ_FD_READ) {
        mask |= CURL_CSELECT_IN;
    }

    if (ready & NGX_HTTP_FLIQ_FD_WRITE) {
        mask |= CURL_CSELECT_OUT;
    }

    if (ready & NGX_HTTP_FLIQ_FD_ERROR) {
        mask |= CURL_CSELECT_ERR;
    }

    if (mask) {
        ngx_http_fliq_disp_multi_act(sock->multi, sock->fd, mask);
    }
}


static void
ngx_http_fliq_disp_multi_timeout(ngx_event_t *ev)
{
    ngx_http_fliq_disp_multi_act(ev->data, CURL_SOCKET_TIMEOUT, 0);
}


/*
 * The only place that lets libcurl work.  Its resolver threads inherit the
 * signals that are blocked here: nginx's must go to its own thread.
 */

static void
ngx_http_fliq_disp_multi_act(ngx_http_fliq_disp_multi_t *multi,
    curl_socket_t fd, int mask)
{
    int        running;
    sigset_t   all, old;
    CURLMcode  rc;

    if (multi->curl == NULL) {
        return;
    }

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = curl_multi_socket_action(multi->curl, fd, mask, &running);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    ngx_http_fliq_disp_multi_forget();

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, multi->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(rc));

        ngx_http_fliq_disp_multi_rebuild(multi);
        return;
    }

    ngx_http_fliq_disp_multi_collect(multi);

    if (multi->nblind) {
        ngx_http_fliq_disp_multi_end_blind(multi);
    }

    if (multi->stalled) {
        ngx_http_fliq_disp_multi_resume(multi);
    }
}


/*
 * What libcurl leaves in OpenSSL's queue of errors nginx would take for its
 * own, at the next TLS connection of a client.
 */

static void
ngx_http_fliq_disp_multi_forget(void)
{
    ERR_clear_error();
}


static void
ngx_http_fliq_disp_multi_collect(ngx_http_fliq_disp_multi_t *multi)
{
    int                         left;
    CURLMsg                    *msg;
    CURLcode                    code;
    ngx_http_fliq_disp_call_t  *call;

    for ( ;; ) {
        msg = curl_multi_info_read(multi->curl, &left);

        if (msg == NULL) {
            return;
        }

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* the message goes with the handle */

        code = msg->data.result;
        call = NULL;

        (void) curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);

        if (call) {
            ngx_http_fliq_disp_call_end(call, code);
        }
    }
}


static void
ngx_http_fliq_disp_multi_end_blind(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_queue_t                *q, *next;
    ngx_http_fliq_disp_call_t  *call;

    for (q = ngx_queue_head(&multi->calls);
         q != ngx_queue_sentinel(&multi->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_fliq_disp_call_t, queue);

        if (call->blind) {
            call->starved = 1;
            ngx_http_fliq_disp_call_end(call, CURLE_FAILED_INIT);
        }
    }
}


/*
 * After an address that it gets no socket for, libcurl takes the next one
 * when half of the timeout has passed.  The end of a pause, if only one that
 * is over at once, makes it look again now.
 */

static void
ngx_http_fliq_disp_multi_resume(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_queue_t                *q;
    ngx_http_fliq_disp_call_t  *call;

    multi->stalled = 0;

    for (q = ngx_queue_head(&multi->calls);
         q != ngx_queue_sentinel(&multi->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_fliq_disp_call_t, queue);

        if (call->stalled) {
            call->stalled = 0;

            (void) curl_easy_pause(call->easy, CURLPAUSE_SEND);
            (void) curl_easy_pause(call->easy, CURLPAUSE_CONT);
        }
    }
}


/* After an error the state of the multi handle and of its calls is unknown. */

static void
ngx_http_fliq_disp_multi_rebuild(ngx_http_fliq_disp_multi_t *multi)
{
    ngx_queue_t                *q, *next;
    ngx_http_fliq_disp_call_t  *call;

    for (q = ngx_queue_head(&multi->calls);
         q != ngx_queue_sentinel(&multi->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_fliq_disp_call_t, queue);

        if (!call->waiting) {
            ngx_http_fliq_disp_call_end(call, CURLE_FAILED_INIT);
        }
    }

    ngx_http_fliq_disp_multi_close(multi);
    (void) ngx_http_fliq_disp_multi_open(multi);
}
