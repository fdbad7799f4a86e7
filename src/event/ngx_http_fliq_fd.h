/*
 * The event room: the only code that puts a foreign descriptor (libpq's,
 * libcurl's, a resolver's pipe, a timerfd) on nginx's events.
 *
 * A watch borrows the descriptor: the library that opened it closes it, and
 * the watch must be detached before that.  Events are level-triggered, so a
 * library may leave bytes unread.  All calls are made by a worker on its own
 * event loop, and no handler is called from inside one of these functions.
 */

#ifndef NGX_HTTP_FLIQ_FD_H
#define NGX_HTTP_FLIQ_FD_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_HTTP_FLIQ_FD_READ   0x01
#define NGX_HTTP_FLIQ_FD_WRITE  0x02
#define NGX_HTTP_FLIQ_FD_ERROR  0x04    /* reported, never asked for */
#define NGX_HTTP_FLIQ_FD_CLOSE  0x08    /* the worker asks an idle connection,
                                           or at the end of its shutdown any
                                           connection, to go */


typedef struct ngx_http_fliq_fd_s     ngx_http_fliq_fd_t;
typedef struct ngx_http_fliq_alarm_s  ngx_http_fliq_alarm_t;

/*
 * ready is a set of NGX_HTTP_FLIQ_FD_* bits.  The handler may detach its own
 * watch or any other, and attach new ones.
 */
typedef void (*ngx_http_fliq_fd_pt)(void *data, ngx_uint_t ready);
typedef void (*ngx_http_fliq_alarm_pt)(void *data);


/*
 * ngx_http_fliq_fd_attach(fd, want, handler, data, log):
 * Watch ${fd} for ${want} (READ and WRITE bits, or none) and call ${handler}
 * with ${data} when it is ready.  Costs one of worker_connections.
 * Returns the watch, or NULL when there is no free connection or the event
 * method refuses the descriptor (logged).
 */
ngx_http_fliq_fd_t *ngx_http_fliq_fd_attach(ngx_socket_t fd, ngx_uint_t want,
    ngx_http_fliq_fd_pt handler, void *data, ngx_log_t *log);

/*
 * ngx_http_fliq_fd_want(watch, want):
 * Change what the watch waits for.  Finds out, too, when the library has put
 * another socket under the number, which libcurl does without a word.
 * Returns NGX_OK or NGX_ERROR (logged).
 */
ngx_int_t ngx_http_fliq_fd_want(ngx_http_fliq_fd_t *watch, ngx_uint_t want);

/*
 * ngx_http_fliq_fd_idle(watch, idle):
 * Mark the watch as idle (1) or busy (0).  An idle one is called with CLOSE
 * as soon as the worker begins a graceful shutdown (not one that becomes
 * idle later: test ngx_exiting then).  CLOSE comes alone and once; a handler
 * may ignore it.
 */
void ngx_http_fliq_fd_idle(ngx_http_fliq_fd_t *watch, ngx_uint_t idle);

/*
 * ngx_http_fliq_fd_detach(watch):
 * Stop watching and give the connection back; the descriptor stays open (and
 * may already be closed).  The handler is not called again.  NULL is ignored.
 */
void ngx_http_fliq_fd_detach(ngx_http_fliq_fd_t *watch);

/*
 * ngx_http_fliq_fd_free():
 * How many more descriptors this worker can watch: the free ones of
 * worker_connections less a reserve of one in sixteen for clients.
 */
ngx_uint_t ngx_http_fliq_fd_free(void);


/*
 * An alarm is a timer with the precision of the kernel (a timerfd on
 * CLOCK_MONOTONIC); nginx's own timers go by a clock that is renewed once
 * each pass of the loop and read in whole milliseconds of a coarse source.
 * An alarm never keeps a worker from exiting.
 *
 * ngx_http_fliq_alarm_create(handler, data, log): a disarmed alarm, or NULL.
 * ngx_http_fliq_alarm_set(alarm, usec): call the handler once, ${usec}
 *     microseconds from now (0 or less: in the next pass of the loop); an
 *     earlier setting is forgotten.
 * ngx_http_fliq_alarm_clear(alarm): forget the setting.
 * ngx_http_fliq_alarm_destroy(alarm): end it; NULL is ignored.
 */
ngx_http_fliq_alarm_t *ngx_http_fliq_alarm_create(
    ngx_http_fliq_alarm_pt handler, void *data, ngx_log_t *log);
void ngx_http_fliq_alarm_set(ngx_http_fliq_alarm_t *alarm, int64_t usec);
void ngx_http_fliq_alarm_clear(ngx_http_fliq_alarm_t *alarm);
void ngx_http_fliq_alarm_destroy(ngx_http_fliq_alarm_t *alarm);

/*
 * ngx_http_fliq_monotonic():
 * Microseconds of CLOCK_MONOTONIC, now.
 */
int64_t ngx_http_fliq_monotonic(void);


#endif /* NGX_HTTP_FLIQ_FD_H */
