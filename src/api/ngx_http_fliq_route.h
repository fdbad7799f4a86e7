/*
 * Routes: from the method and the path of a request to its handler.
 */

#ifndef NGX_HTTP_FLIQ_ROUTE_H
#define NGX_HTTP_FLIQ_ROUTE_H

#include "ngx_http_fliq_error.h"


#define NGX_HTTP_FLIQ_ROUTE_IDS      2      /* in one pattern */
#define NGX_HTTP_FLIQ_PATH_SEGMENTS  32


/*
 * The handler of a route.  Returns what a reply returned, or NGX_DONE when
 * the answer comes later.
 */
typedef ngx_int_t (*ngx_http_fliq_handler_pt)(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

/* What a token needs for a route. */
typedef enum {
    NGX_HTTP_FLIQ_SCOPE_NONE = 0,           /* none at all */
    NGX_HTTP_FLIQ_SCOPE_READ,
    NGX_HTTP_FLIQ_SCOPE_WRITE
} ngx_http_fliq_scope_e;

typedef enum {
    NGX_HTTP_FLIQ_BODY_NONE = 0,            /* not read */
    NGX_HTTP_FLIQ_BODY_JSON,
    NGX_HTTP_FLIQ_BODY_OPTIONAL             /* none is an empty object */
} ngx_http_fliq_body_e;

/*
 * A segment of a pattern in braces stands for an id of that prefix:
 * "/jobs/{job}" is "/jobs/job_...", and the id is in ctx->ids.
 */
typedef struct {
    ngx_uint_t                  method;     /* one NGX_HTTP_GET, ... */
    const char                 *pattern;
    ngx_http_fliq_scope_e       scope;
    ngx_http_fliq_body_e        body;
    ngx_http_fliq_handler_pt    handler;
} ngx_http_fliq_route_t;

/* The decoded segments of a request's path, those of the location left out. */
typedef struct {
    ngx_str_t     segments[NGX_HTTP_FLIQ_PATH_SEGMENTS];
    ngx_uint_t    n;
} ngx_http_fliq_path_t;


/*
 * ngx_http_fliq_route_find(r, ctx):
 * Set ctx->route and ctx->ids (ctx->stray when one of them is malformed).
 * NGX_OK; NGX_DECLINED with a fault recorded, and Allow set, when there is
 * no such route or not for this method.
 */
ngx_int_t ngx_http_fliq_route_find(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

/*
 * ngx_http_fliq_path_read(r, path):
 * Read the path as the client sent it: split first, decode afterwards, so
 * that an encoded slash stays in its segment.  Empty segments are skipped and
 * dot segments resolved.  NGX_OK; NGX_DECLINED when it cannot be one of ours;
 * NGX_ERROR.
 */
ngx_int_t ngx_http_fliq_path_read(ngx_http_request_t *r,
    ngx_http_fliq_path_t *path);

/*
 * ngx_http_fliq_arg(r, name, value):
 * The decoded value of the query argument ${name}.  NGX_DECLINED when it is
 * absent or empty; a value with a bad escape is left as it is.
 */
ngx_int_t ngx_http_fliq_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* NGX_HTTP_FLIQ_ROUTE_H */
