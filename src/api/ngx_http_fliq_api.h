/*
 * The api room: routes, authorization, request bodies, answers (API.md).  It
 * meets the dispatcher in the database alone; the hints that leave it are a
 * time at which something will be due, and that a buffer may send.
 */

#ifndef NGX_HTTP_FLIQ_API_H
#define NGX_HTTP_FLIQ_API_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_addr.h"
#include "ngx_http_fliq_store.h"


#define NGX_HTTP_FLIQ_VERSION  "0.1.0"


/* What the API needs in a worker: made by the front door, one a worker. */
typedef struct ngx_http_fliq_api_s  ngx_http_fliq_api_t;

/*
 * The time is the database's, in microseconds since 1970; 0: a webhook waits.
 */
typedef void (*ngx_http_fliq_api_hint_pt)(void *data, int64_t due_at);

/* A buffer has got an item to send, or has been set going. */
typedef void (*ngx_http_fliq_api_buffer_hint_pt)(void *data);

typedef struct {
    ngx_http_fliq_store_t               *store;
    const fliq_addr_policy_t            *policy;
    size_t                               max_body;      /* of a job, bytes */
    ngx_uint_t                           timeout;       /* default, seconds */
    ngx_http_fliq_api_hint_pt            hint;          /* or NULL */
    ngx_http_fliq_api_buffer_hint_pt     buffer_hint;   /* or NULL */
    void                                *hint_data;     /* of both */
} ngx_http_fliq_api_conf_t;


/*
 * ngx_http_fliq_api_create(conf, log):
 * ${conf} is copied.  NULL when there is no memory.
 *
 * ngx_http_fliq_api_destroy(api): in exit_process.
 */
ngx_http_fliq_api_t *ngx_http_fliq_api_create(
    const ngx_http_fliq_api_conf_t *conf, ngx_log_t *log);
void ngx_http_fliq_api_destroy(ngx_http_fliq_api_t *api);

/*
 * The words of an answer (API.md, "Common"): those of the API's reference, or
 * those that the client library knows ("fliq_api dialect=sdk").
 */
typedef enum {
    NGX_HTTP_FLIQ_DIALECT_REFERENCE = 0,
    NGX_HTTP_FLIQ_DIALECT_SDK
} ngx_http_fliq_dialect_e;

/*
 * ngx_http_fliq_api_handler(r, api, dialect):
 * Answer a request in a location that holds fliq_api.  A content handler's
 * return codes.
 */
ngx_int_t ngx_http_fliq_api_handler(ngx_http_request_t *r,
    ngx_http_fliq_api_t *api, ngx_http_fliq_dialect_e dialect);

/*
 * ngx_http_fliq_api_header_filter(r, dialect),
 * ngx_http_fliq_api_body_filter(r, in):
 * To be called by the front door's filters for requests in such a location,
 * before the next filter: give the errors that nginx itself makes the shape
 * of the API's, and every answer its X-Request-ID.  The body filter returns
 * the chain to pass on.
 */
ngx_int_t ngx_http_fliq_api_header_filter(ngx_http_request_t *r,
    ngx_http_fliq_dialect_e dialect);
ngx_chain_t *ngx_http_fliq_api_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

/*
 * The module whose request context (ngx_http_get_module_ctx) the room uses;
 * defined by the front door.
 */
extern ngx_module_t  ngx_http_fliq_module;

/*
 * Values of the variables $fliq_account, $fliq_token, $fliq_route and
 * $fliq_job of a request; an empty string where there is none yet, so the
 * variables must not be cacheable.  Before the content phase the account and
 * the token are known when this worker has seen the token before.
 */
typedef enum {
    NGX_HTTP_FLIQ_VAR_ACCOUNT = 0,
    NGX_HTTP_FLIQ_VAR_TOKEN,
    NGX_HTTP_FLIQ_VAR_ROUTE,
    NGX_HTTP_FLIQ_VAR_JOB
} ngx_http_fliq_api_var_e;

ngx_str_t ngx_http_fliq_api_variable(ngx_http_request_t *r,
    ngx_http_fliq_api_t *api, ngx_http_fliq_api_var_e which);


#endif /* NGX_HTTP_FLIQ_API_H */
