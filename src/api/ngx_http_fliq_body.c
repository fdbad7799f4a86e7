/*
 * The body of a request, as a JSON object.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_body_text(ngx_http_request_t *r,
    ngx_str_t *text);


ngx_int_t
ngx_http_fliq_body_json(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    json_t **body)
{
    json_t        *json;
    ngx_str_t      text;
    json_error_t   error;

    if (ngx_http_fliq_body_text(r, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0 && ctx->route->body == NGX_HTTP_FLIQ_BODY_OPTIONAL) {
        *body = json_object();
        return *body ? NGX_OK : NGX_ERROR;
    }

    if (text.len == 0) {
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_INVALID_JSON);
    }

    /* jansson passes over a NUL behind a number */

    if (ngx_strlchr(text.data, text.data + text.len, '\0') != NULL) {
        return ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_INVALID_JSON,
                       "the body must be valid JSON: it holds a NUL byte");
    }

    /* an integer that overflows must be an error of its field, not of all */

    error.text[0] = '\0';

    json = json_loadb((char *) text.data, text.len,
                      JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL
                      |JSON_DECODE_INT_AS_REAL|JSON_DECODE_ANY, &error);

    if (json == NULL) {

        /* it has nothing to say of the text when it has no memory */

        if (error.text[0] == '\0') {
            return NGX_ERROR;
        }

        return ngx_http_fliq_fault_because(ctx, NGX_HTTP_FLIQ_E_INVALID_JSON,
                       "the body must be valid JSON: line %d, column %d: %s",
                       error.line, error.column, error.text);
    }

    if (!json_is_object(json)) {
        json_decref(json);
        return ngx_http_fliq_fault(ctx, NGX_HTTP_FLIQ_E_INVALID_JSON);
    }

    *body = json;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_body_text(ngx_http_request_t *r, ngx_str_t *text)
{
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    ngx_str_null(text);

    bufs = r->request_body ? r->request_body->bufs : NULL;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (b->in_file) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "request body was written to a file, "
                          "\"client_body_buffer_size\" must hold it");
            return NGX_ERROR;
        }

        text->len += b->last - b->pos;
    }

    if (text->len == 0) {
        return NGX_OK;
    }

    if (bufs->next == NULL) {
        text->data = bufs->buf->pos;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;

        /* the one that ends a chunked body has no memory */

        if (b->last > b->pos) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
        }
    }

    return NGX_OK;
}
