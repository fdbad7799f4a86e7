/*
 * The table of errors, and what is made of one.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/* nginx has no name for it */
#define NGX_HTTP_PAYMENT_REQUIRED  402

#define NGX_HTTP_FLIQ_MESSAGE      512


typedef struct {
    ngx_uint_t    status;
    ngx_str_t     code;
    ngx_str_t     message;
    time_t        retry_after;
} ngx_http_fliq_error_t;


static ngx_int_t ngx_http_fliq_fault_vmessage(ngx_http_fliq_ctx_t *ctx,
    const char *fmt, va_list args);


/*
 * In the order of ngx_http_fliq_error_e.  The first one of a status is what
 * nginx means when it answers with that status by itself.
 */
static const ngx_http_fliq_error_t  ngx_http_fliq_errors[] = {

    { NGX_HTTP_BAD_REQUEST,
      ngx_string("bad_request"),
      ngx_string("the request must be well-formed HTTP"), 0 },

    { NGX_HTTP_BAD_REQUEST,
      ngx_string("invalid_json"),
      ngx_string("the body must be a JSON object"), 0 },

    { NGX_HTTP_UNAUTHORIZED,
      ngx_string("unauthorized"),
      ngx_string("a valid API token must be sent as "
                 "\"Authorization: Bearer fliq_sk_...\""), 0 },

    { NGX_HTTP_PAYMENT_REQUIRED,
      ngx_string("insufficient_credits"),
      ngx_string("the account must have credits left"), 0 },

    { NGX_HTTP_FORBIDDEN,
      ngx_string("forbidden"),
      ngx_string("the request must come from a client that may do this"), 0 },

    { NGX_HTTP_FORBIDDEN,
      ngx_string("billing_disabled"),
      ngx_string("credits must be asked of the operator: this server sells "
                 "none"), 0 },

    { NGX_HTTP_NOT_FOUND,
      ngx_string("unknown_route"),
      ngx_string("the path must be one of the API's routes"), 0 },

    { NGX_HTTP_NOT_FOUND,
      ngx_string("not_found"),
      ngx_string("the id must be that of something this account has"), 0 },

    { NGX_HTTP_NOT_ALLOWED,
      ngx_string("method_not_allowed"),
      ngx_string("the method must be one that the route takes"), 0 },

    { NGX_HTTP_REQUEST_TIME_OUT,
      ngx_string("request_timeout"),
      ngx_string("the request must be sent without long pauses"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("conflict"),
      ngx_string("the request must suit the state of what it names"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("idempotency_conflict"),
      ngx_string("an idempotency_key must not be used again for a different "
                 "request"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("job_already_executed"),
      ngx_string("only a job that still waits can be cancelled"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("job_not_failed"),
      ngx_string("only a job that has failed can be replayed"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("item_not_failed"),
      ngx_string("only an item that has failed can be replayed"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("name_taken"),
      ngx_string("name must be one that no other of its kind has in this "
                 "account"), 0 },

    { NGX_HTTP_CONFLICT,
      ngx_string("too_many_tokens"),
      ngx_string("the account must revoke a token before it creates another "
                 "one"), 0 },

    { NGX_HTTP_LENGTH_REQUIRED,
      ngx_string("length_required"),
      ngx_string("the request must carry a Content-Length"), 0 },

    { NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
      ngx_string("body_too_large"),
      ngx_string("the request's body must be smaller"), 0 },

    { NGX_HTTP_REQUEST_URI_TOO_LARGE,
      ngx_string("uri_too_long"),
      ngx_string("the request's URI must be shorter"), 0 },

    { NGX_HTTP_TOO_MANY_REQUESTS,
      ngx_string("rate_limited"),
      ngx_string("requests must come more slowly"), 1 },

    { NGX_HTTP_TOO_MANY_REQUESTS,
      ngx_string("daily_limit_reached"),
      ngx_string("the account must wait for the next day (UTC): its daily "
                 "execution limit is reached"), 1 },

    { NGX_HTTP_INTERNAL_SERVER_ERROR,
      ngx_string("internal_error"),
      ngx_string("the server failed; the request was right as far as it was "
                 "read"), 0 },

    { NGX_HTTP_NOT_IMPLEMENTED,
      ngx_string("not_implemented"),
      ngx_string("the request must use what the server supports"), 0 },

    { NGX_HTTP_BAD_GATEWAY,
      ngx_string("bad_gateway"),
      ngx_string("the server behind this one failed"), 0 },

    { NGX_HTTP_SERVICE_UNAVAILABLE,
      ngx_string("unavailable"),
      ngx_string("the service is away for the moment; try again"), 1 },

    { NGX_HTTP_GATEWAY_TIME_OUT,
      ngx_string("gateway_timeout"),
      ngx_string("the server behind this one did not answer in time"), 0 }
};


ngx_int_t
ngx_http_fliq_fault(ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_error_e error)
{
    ngx_http_fliq_fault_t        *fault;
    const ngx_http_fliq_error_t  *row;

    row = &ngx_http_fliq_errors[error];
    fault = &ctx->fault;

    fault->status = row->status;
    fault->code = row->code;
    fault->message = row->message;
    fault->retry_after = row->retry_after;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_fliq_fault_because(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_error_e error, const char *fmt, ...)
{
    va_list    args;
    ngx_int_t  rc;

    (void) ngx_http_fliq_fault(ctx, error);

    va_start(args, fmt);
    rc = ngx_http_fliq_fault_vmessage(ctx, fmt, args);
    va_end(args);

    return rc;
}


ngx_int_t
ngx_http_fliq_fault_field(ngx_http_fliq_ctx_t *ctx, const char *field,
    const char *fmt, ...)
{
    u_char                 *p;
    va_list                 args;
    ngx_int_t               rc;
    ngx_pool_t             *pool;
    ngx_http_fliq_fault_t  *fault;

    pool = ctx->request->pool;
    fault = &ctx->fault;

    (void) ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_BAD_REQUEST);

    va_start(args, fmt);
    rc = ngx_http_fliq_fault_vmessage(ctx, fmt, args);
    va_end(args);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    fault->code.len = sizeof("invalid_") - 1 + ngx_strlen(field);
    p = ngx_pnalloc(pool, fault->code.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    fault->code.data = p;
    (void) ngx_sprintf(p, "invalid_%s%Z", field);

    p = ngx_pnalloc(pool, ngx_strlen(field) + 1 + fault->message.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    fault->message.len = ngx_sprintf(p, "%s %V", field, &fault->message) - p;
    fault->message.data = p;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_fliq_fault_vmessage(ngx_http_fliq_ctx_t *ctx, const char *fmt,
    va_list args)
{
    u_char     *p;
    ngx_str_t  *message;

    p = ngx_pnalloc(ctx->request->pool, NGX_HTTP_FLIQ_MESSAGE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    message = &ctx->fault.message;

    message->len = ngx_vslprintf(p, p + NGX_HTTP_FLIQ_MESSAGE, fmt, args) - p;
    message->data = p;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_fliq_fault_status(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status)
{
    ngx_uint_t             i, n;
    ngx_http_fliq_error_e  error;

    error = (status < NGX_HTTP_INTERNAL_SERVER_ERROR)
            ? NGX_HTTP_FLIQ_E_BAD_REQUEST : NGX_HTTP_FLIQ_E_INTERNAL_ERROR;

    n = sizeof(ngx_http_fliq_errors) / sizeof(ngx_http_fliq_error_t);

    for (i = 0; i < n; i++) {
        if (ngx_http_fliq_errors[i].status == status) {
            error = i;
            break;
        }
    }

    (void) ngx_http_fliq_fault(ctx, error);

    ctx->fault.status = status;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_fliq_fault_text(ngx_http_fliq_ctx_t *ctx, ngx_str_t *text)
{
    json_t                 *json, *error, *code, *message;
    ngx_int_t               rc;
    ngx_http_fliq_fault_t  *fault;

    fault = &ctx->fault;

    code = ngx_http_fliq_json_str(&fault->code);
    message = ngx_http_fliq_json_str(&fault->message);

    json = json_object();

    if (ctx->dialect == NGX_HTTP_FLIQ_DIALECT_SDK) {
        ngx_http_fliq_json_set(&json, "error", message);
        ngx_http_fliq_json_set(&json, "code", code);

    } else {
        error = json_object();
        ngx_http_fliq_json_set(&error, "code", code);
        ngx_http_fliq_json_set(&error, "message", message);
        ngx_http_fliq_json_set(&json, "error", error);
    }

    rc = ngx_http_fliq_json_text(ctx->request->pool, json, 0, text);

    json_decref(json);

    return rc;
}


ngx_int_t
ngx_http_fliq_fault_headers(ngx_http_fliq_ctx_t *ctx)
{
    u_char                 *p;
    ngx_str_t               value;
    ngx_http_request_t     *r;
    ngx_http_fliq_fault_t  *fault;

    r = ctx->request;
    fault = &ctx->fault;

    if (fault->status == NGX_HTTP_UNAUTHORIZED
        && r->headers_out.www_authenticate == NULL)
    {
        ngx_str_set(&value, "Bearer");

        r->headers_out.www_authenticate =
            ngx_http_fliq_reply_header(r, "WWW-Authenticate", &value);

        if (r->headers_out.www_authenticate == NULL) {
            return NGX_ERROR;
        }
    }

    if (fault->retry_after == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(p, "%T", fault->retry_after) - p;
    value.data = p;

    if (ngx_http_fliq_reply_header(r, "Retry-After", &value) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_refuse_with(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_error_e error)
{
    (void) ngx_http_fliq_fault(ctx, error);

    return ngx_http_fliq_refuse(ctx);
}


ngx_int_t
ngx_http_fliq_refuse(ngx_http_fliq_ctx_t *ctx)
{
    ngx_str_t               text;
    ngx_http_fliq_fault_t  *fault;

    fault = &ctx->fault;

    if (fault->status == 0) {
        (void) ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_INTERNAL_ERROR);
    }

    if (ngx_http_fliq_fault_text(ctx, &text) != NGX_OK
        || ngx_http_fliq_fault_headers(ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply_text(ctx, fault->status, &text);
}
