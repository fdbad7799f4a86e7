/*
 * The table of routes, and how a request finds its own.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_ALLOW  64


static ngx_int_t ngx_http_fliq_route_options(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
static const ngx_http_fliq_route_t *ngx_http_fliq_route_select(
    ngx_http_request_t *r, const ngx_http_fliq_path_t *path,
    ngx_uint_t *methods);
static ngx_uint_t ngx_http_fliq_route_matches(
    const ngx_http_fliq_route_t *route, const ngx_http_fliq_path_t *path);
static void ngx_http_fliq_route_ids(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_path_t *path);
static ngx_int_t ngx_http_fliq_route_allow(ngx_http_request_t *r,
    ngx_uint_t methods, ngx_str_t *allow);


/* The first row that matches wins: words before ids. */
static const ngx_http_fliq_route_t  ngx_http_fliq_routes[] = {

    { NGX_HTTP_GET, "/health",
      NGX_HTTP_FLIQ_SCOPE_NONE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_health_get },

    { NGX_HTTP_GET, "/openapi.json",
      NGX_HTTP_FLIQ_SCOPE_NONE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_openapi_get },

    { NGX_HTTP_POST, "/jobs",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_jobs_create },

    { NGX_HTTP_GET, "/jobs",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_list },

    { NGX_HTTP_GET, "/jobs/{job}",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_get },

    { NGX_HTTP_DELETE, "/jobs/{job}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_cancel },

    { NGX_HTTP_GET, "/jobs/{job}/executions",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_executions },

    { NGX_HTTP_GET, "/jobs/{job}/attempts",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_attempts },

    { NGX_HTTP_POST, "/jobs/{job}/replay",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_jobs_replay },

    { NGX_HTTP_POST, "/schedules",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_schedules_create },

    { NGX_HTTP_GET, "/schedules",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_list },

    { NGX_HTTP_GET, "/schedules/preview",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_preview },

    { NGX_HTTP_GET, "/schedules/{sched}",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_get },

    { NGX_HTTP_PATCH, "/schedules/{sched}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_schedules_update },

    { NGX_HTTP_DELETE, "/schedules/{sched}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_delete },

    { NGX_HTTP_POST, "/schedules/{sched}/pause",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_pause },

    { NGX_HTTP_POST, "/schedules/{sched}/resume",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_resume },

    { NGX_HTTP_GET, "/schedules/{sched}/jobs",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_schedules_jobs },

    { NGX_HTTP_POST, "/buffers",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_buffers_create },

    { NGX_HTTP_GET, "/buffers",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_list },

    { NGX_HTTP_GET, "/buffers/{buf}",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_get },

    { NGX_HTTP_DELETE, "/buffers/{buf}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_delete },

    { NGX_HTTP_POST, "/buffers/{buf}/pause",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_pause },

    { NGX_HTTP_POST, "/buffers/{buf}/resume",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_resume },

    { NGX_HTTP_GET, "/buffers/{buf}/stats",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_buffers_stats },

    { NGX_HTTP_POST, "/buffers/{buf}/items",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_OPTIONAL,
      ngx_http_fliq_items_push },

    { NGX_HTTP_GET, "/buffers/{buf}/items",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_items_list },

    { NGX_HTTP_GET, "/buffers/{buf}/items/{item}",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_items_get },

    { NGX_HTTP_POST, "/buffers/{buf}/items/{item}/replay",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_items_replay },

    { NGX_HTTP_POST, "/alerts",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_alerts_create },

    { NGX_HTTP_GET, "/alerts",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_alerts_list },

    { NGX_HTTP_GET, "/alerts/{alt}",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_alerts_get },

    { NGX_HTTP_PATCH, "/alerts/{alt}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_alerts_update },

    { NGX_HTTP_DELETE, "/alerts/{alt}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_alerts_delete },

    { NGX_HTTP_GET, "/stats/jobs",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_stats_jobs },

    { NGX_HTTP_GET, "/stats/usage",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_stats_usage },

    { NGX_HTTP_GET, "/billing/balance",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_billing_balance },

    { NGX_HTTP_GET, "/billing/transactions",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_billing_transactions },

    { NGX_HTTP_POST, "/billing/checkout",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_billing_checkout },

    { NGX_HTTP_POST, "/tokens",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_JSON,
      ngx_http_fliq_secrets_create_token },

    { NGX_HTTP_GET, "/tokens",
      NGX_HTTP_FLIQ_SCOPE_READ, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_secrets_list_tokens },

    { NGX_HTTP_DELETE, "/tokens/{tok}",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_secrets_revoke_token },

    /* who reads it can sign in the account's name */

    { NGX_HTTP_GET, "/signing-secret",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_secrets_get },

    { NGX_HTTP_POST, "/signing-secret/rotate",
      NGX_HTTP_FLIQ_SCOPE_WRITE, NGX_HTTP_FLIQ_BODY_NONE,
      ngx_http_fliq_secrets_rotate },

    { 0, NULL, NGX_HTTP_FLIQ_SCOPE_NONE, NGX_HTTP_FLIQ_BODY_NONE, NULL }
};

/* OPTIONS of every path above */
static const ngx_http_fliq_route_t  ngx_http_fliq_route_any = {
    NGX_HTTP_OPTIONS, "*",
    NGX_HTTP_FLIQ_SCOPE_NONE, NGX_HTTP_FLIQ_BODY_NONE,
    ngx_http_fliq_route_options
};

static const struct {
    ngx_uint_t    method;
    ngx_str_t     name;
} ngx_http_fliq_route_methods[] = {
    { NGX_HTTP_GET,     ngx_string("GET, HEAD, ") },
    { NGX_HTTP_POST,    ngx_string("POST, ") },
    { NGX_HTTP_PUT,     ngx_string("PUT, ") },
    { NGX_HTTP_PATCH,   ngx_string("PATCH, ") },
    { NGX_HTTP_DELETE,  ngx_string("DELETE, ") },
    { NGX_HTTP_OPTIONS, ngx_string("OPTIONS") }
};


ngx_int_t
ngx_http_fliq_route_find(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_str_t              allow;
    ngx_uint_t             methods;
    ngx_http_fliq_path_t   path;

    rc = ngx_http_fliq_path_read(r, &path);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_UNKNOWN_ROUTE);
    }

    ctx->route = ngx_http_fliq_route_select(r, &path, &methods);

    if (ctx->route != NULL) {
        ngx_http_fliq_route_ids(ctx, &path);
        return NGX_OK;
    }

    if (methods == 0) {
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_UNKNOWN_ROUTE);
    }

    if (ngx_http_fliq_route_allow(r, methods, &allow) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        ctx->route = &ngx_http_fliq_route_any;
        return NGX_OK;
    }

    return ngx_http_fliq_fault_because(ctx,
                                       NGX_HTTP_FLIQ_E_METHOD_NOT_ALLOWED,
                                       "the method must be one of %V",
                                       &allow);
}


static const ngx_http_fliq_route_t *
ngx_http_fliq_route_select(ngx_http_request_t *r,
    const ngx_http_fliq_path_t *path, ngx_uint_t *methods)
{
    ngx_uint_t                    method;
    const ngx_http_fliq_route_t  *route;

    *methods = 0;

    method = (r->method == NGX_HTTP_HEAD) ? NGX_HTTP_GET : r->method;

    for (route = ngx_http_fliq_routes; route->pattern != NULL; route++) {

        if (!ngx_http_fliq_route_matches(route, path)) {
            continue;
        }

        if (route->method == method) {
            return route;
        }

        *methods |= route->method;
    }

    return NULL;
}


static ngx_uint_t
ngx_http_fliq_route_matches(const ngx_http_fliq_route_t *route,
    const ngx_http_fliq_path_t *path)
{
    size_t            len;
    ngx_uint_t        n;
    const char       *p;
    const ngx_str_t  *segment;

    n = 0;

    for (p = route->pattern; *p == '/'; p += len) {

        if (n == path->n) {
            return 0;
        }

        segment = &path->segments[n++];

        len = strcspn(++p, "/");

        if (*p == '{') {
            continue;
        }

        if (len != segment->len || ngx_memcmp(p, segment->data, len) != 0) {
            return 0;
        }
    }

    return n == path->n;
}


static void
ngx_http_fliq_route_ids(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_path_t *path)
{
    char        prefix[FLIQ_ID_TEXT];
    fliq_str_t  text;
    ngx_uint_t  i, n;
    const char *p;

    n = 0;
    p = ctx->route->pattern;

    for (i = 0; i < path->n; i++) {
        p = ngx_strchr(p, '/') + 1;

        if (*p != '{') {
            continue;
        }

        (void) ngx_cpystrn((u_char *) prefix, (u_char *) p + 1,
                           strcspn(p, "}"));

        text.data = path->segments[i].data;
        text.len = path->segments[i].len;

        if (fliq_id_parse(text, prefix, &ctx->ids[n]) != 0) {
            ctx->stray = 1;
            return;
        }

        if (ngx_strcmp(prefix, "job") == 0) {
            ctx->job = &ctx->ids[n];
        }

        n++;
    }
}


static ngx_int_t
ngx_http_fliq_route_options(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    return ngx_http_fliq_reply_none(ctx);
}


static ngx_int_t
ngx_http_fliq_route_allow(ngx_http_request_t *r, ngx_uint_t methods,
    ngx_str_t *allow)
{
    u_char      *p;
    ngx_uint_t   i, n;

    p = ngx_pnalloc(r->pool, NGX_HTTP_FLIQ_ALLOW);
    if (p == NULL) {
        return NGX_ERROR;
    }

    allow->data = p;
    methods |= NGX_HTTP_OPTIONS;

    n = sizeof(ngx_http_fliq_route_methods)
        / sizeof(ngx_http_fliq_route_methods[0]);

    for (i = 0; i < n; i++) {

        if (methods & ngx_http_fliq_route_methods[i].method) {
            p = ngx_cpymem(p, ngx_http_fliq_route_methods[i].name.data,
                           ngx_http_fliq_route_methods[i].name.len);
        }
    }

    allow->len = p - allow->data;

    if (ngx_http_fliq_reply_header(r, "Allow", allow) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}
