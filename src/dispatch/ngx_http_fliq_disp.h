/*
 * The dispatch room: what is due, what is in flight (libcurl), what came of
 * it, what follows.  It meets the API in the database alone.
 *
 * A worker's dispatcher is one owner in the database.  It claims due jobs at
 * their time, fires each with libcurl's multi-socket interface on nginx's
 * events, and settles the outcomes in batches.
 */

#ifndef NGX_HTTP_FLIQ_DISP_H
#define NGX_HTTP_FLIQ_DISP_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "fliq_addr.h"
#include "fliq_backoff.h"
#include "ngx_http_fliq_store.h"


typedef struct ngx_http_fliq_disp_s  ngx_http_fliq_disp_t;

typedef struct {
    ngx_http_fliq_store_t        *store;
    const fliq_addr_policy_t     *policy;
    fliq_backoff_t                backoff;
    ngx_uint_t                    concurrency;  /* calls in flight */
    ngx_uint_t                    per_host;     /* of them to one host */
    ngx_msec_t                    poll;         /* the slow poll */
    ngx_msec_t                    webhook_timeout;
    ngx_str_t                     user_agent;   /* "fliq-nginx/<version>" */
} ngx_http_fliq_disp_conf_t;


/*
 * ngx_http_fliq_disp_create(conf, log):
 * Start this worker's dispatcher.  ${conf} is copied, what it points to must
 * outlive the worker.  NULL when libcurl or memory is not to be had (logged).
 */
ngx_http_fliq_disp_t *ngx_http_fliq_disp_create(
    const ngx_http_fliq_disp_conf_t *conf, ngx_log_t *log);

/*
 * ngx_http_fliq_disp_hint(disp, due_at):
 * A job or a schedule's run will be due at ${due_at} (the database's clock,
 * microseconds since 1970); 0: a webhook waits in the outbox.  A hint that is
 * lost costs at most the slow poll.
 */
void ngx_http_fliq_disp_hint(void *disp, int64_t due_at);

/*
 * ngx_http_fliq_disp_buffer_hint(disp):
 * A buffer may have got an item to send, or have been set going.  A hint that
 * is lost costs at most the slow poll.
 */
void ngx_http_fliq_disp_buffer_hint(void *disp);

/*
 * ngx_http_fliq_disp_destroy(disp):
 * In exit_process, before the store is destroyed: cut what is in flight.
 * Other dispatchers fire it again.
 */
void ngx_http_fliq_disp_destroy(ngx_http_fliq_disp_t *disp);


#endif /* NGX_HTTP_FLIQ_DISP_H */
