/*
 * The errors of the API: one table from a cause to a status, a code and a
 * message that says what would be right.
 *
 * What finds a fault records it in the request's context and returns
 * NGX_DECLINED; the handler then answers with ngx_http_fliq_refuse().  A
 * failure of our own (no memory) is NGX_ERROR with no fault recorded, and
 * is answered as internal_error.
 */

#ifndef NGX_HTTP_FLIQ_ERROR_H
#define NGX_HTTP_FLIQ_ERROR_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_FLIQ_E_BAD_REQUEST = 0,
    NGX_HTTP_FLIQ_E_INVALID_JSON,
    NGX_HTTP_FLIQ_E_UNAUTHORIZED,
    NGX_HTTP_FLIQ_E_INSUFFICIENT_CREDITS,
    NGX_HTTP_FLIQ_E_FORBIDDEN,
    NGX_HTTP_FLIQ_E_BILLING_DISABLED,
    NGX_HTTP_FLIQ_E_UNKNOWN_ROUTE,
    NGX_HTTP_FLIQ_E_NOT_FOUND,
    NGX_HTTP_FLIQ_E_METHOD_NOT_ALLOWED,
    NGX_HTTP_FLIQ_E_REQUEST_TIMEOUT,
    NGX_HTTP_FLIQ_E_CONFLICT,
    NGX_HTTP_FLIQ_E_IDEMPOTENCY_CONFLICT,
    NGX_HTTP_FLIQ_E_JOB_ALREADY_EXECUTED,
    NGX_HTTP_FLIQ_E_JOB_NOT_FAILED,
    NGX_HTTP_FLIQ_E_ITEM_NOT_FAILED,
    NGX_HTTP_FLIQ_E_NAME_TAKEN,
    NGX_HTTP_FLIQ_E_TOO_MANY_TOKENS,
    NGX_HTTP_FLIQ_E_LENGTH_REQUIRED,
    NGX_HTTP_FLIQ_E_BODY_TOO_LARGE,
    NGX_HTTP_FLIQ_E_URI_TOO_LONG,
    NGX_HTTP_FLIQ_E_RATE_LIMITED,
    NGX_HTTP_FLIQ_E_DAILY_LIMIT_REACHED,
    NGX_HTTP_FLIQ_E_INTERNAL_ERROR,
    NGX_HTTP_FLIQ_E_NOT_IMPLEMENTED,
    NGX_HTTP_FLIQ_E_BAD_GATEWAY,
    NGX_HTTP_FLIQ_E_UNAVAILABLE,
    NGX_HTTP_FLIQ_E_GATEWAY_TIMEOUT
} ngx_http_fliq_error_e;

/* What went wrong with a request; a status of 0: nothing did. */
typedef struct {
    ngx_uint_t    status;
    ngx_str_t     code;
    ngx_str_t     message;
    time_t        retry_after;          /* seconds; 0: no such header */
} ngx_http_fliq_fault_t;

typedef struct ngx_http_fliq_ctx_s  ngx_http_fliq_ctx_t;


/*
 * Each of these records a fault and returns NGX_DECLINED, or NGX_ERROR when
 * there is no memory.
 *
 * ngx_http_fliq_fault(ctx, error): with the table's message.
 * ngx_http_fliq_fault_because(ctx, error, fmt, ...): with another message, in
 * the format of ngx_sprintf().
 * ngx_http_fliq_fault_field(ctx, field, fmt, ...): status 400, the code
 * "invalid_${field}" and the message "${field} " and what follows.
 * ngx_http_fliq_fault_status(ctx, status): what nginx itself answers with
 * ${status}, which is kept.
 */
ngx_int_t ngx_http_fliq_fault(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_error_e error);
ngx_int_t ngx_http_fliq_fault_because(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_error_e error, const char *fmt, ...);
ngx_int_t ngx_http_fliq_fault_field(ngx_http_fliq_ctx_t *ctx,
    const char *field, const char *fmt, ...);
ngx_int_t ngx_http_fliq_fault_status(ngx_http_fliq_ctx_t *ctx,
    ngx_uint_t status);

/*
 * ngx_http_fliq_fault_text(ctx, text): the body of the answer to the recorded
 * fault, in the context's dialect.
 * ngx_http_fliq_fault_headers(ctx): set the headers that belong to it.
 * Both return NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_fliq_fault_text(ngx_http_fliq_ctx_t *ctx,
    ngx_str_t *text);
ngx_int_t ngx_http_fliq_fault_headers(ngx_http_fliq_ctx_t *ctx);

/*
 * ngx_http_fliq_refuse(ctx): answer the recorded fault, or internal_error
 * when there is none.
 * ngx_http_fliq_refuse_with(ctx, error): record and answer.
 * Both return what a handler returns.
 */
ngx_int_t ngx_http_fliq_refuse(ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_refuse_with(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_error_e error);


#endif /* NGX_HTTP_FLIQ_ERROR_H */
