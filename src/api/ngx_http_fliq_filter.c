/*
 * What nginx's filters do for the API: every answer carries X-Request-ID, and
 * the errors that nginx makes by itself have the shape of the API's.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_REQUEST_ID  128


static ngx_int_t ngx_http_fliq_filter_request_id(ngx_http_request_t *r);
static ngx_uint_t ngx_http_fliq_filter_is_id(const ngx_str_t *id);
static ngx_int_t ngx_http_fliq_filter_shape(ngx_http_fliq_ctx_t *ctx);


ngx_int_t
ngx_http_fliq_api_header_filter(ngx_http_request_t *r,
    ngx_http_fliq_dialect_e dialect)
{
    ngx_http_fliq_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_OK;
    }

    if (ngx_http_fliq_filter_request_id(r) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx = ngx_http_fliq_api_ctx(r, dialect);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->replied || r->headers_out.status < NGX_HTTP_BAD_REQUEST) {
        return NGX_OK;
    }

    return ngx_http_fliq_filter_shape(ctx);
}


static ngx_int_t
ngx_http_fliq_filter_request_id(ngx_http_request_t *r)
{
    ngx_str_t                   id;
    ngx_uint_t                  key;
    ngx_table_elt_t            *h;
    ngx_http_variable_value_t  *vv;

    static ngx_str_t  name = ngx_string("request_id");

    h = ngx_http_fliq_header_find(r, "x-request-id");

    if (h != NULL && ngx_http_fliq_filter_is_id(&h->value)) {
        id = h->value;

    } else {
        key = ngx_hash_key(name.data, name.len);

        vv = ngx_http_get_variable(r, &name, key);
        if (vv == NULL || vv->not_found) {
            return NGX_ERROR;
        }

        id.data = vv->data;
        id.len = vv->len;
    }

    if (ngx_http_fliq_reply_header(r, "X-Request-ID", &id) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_fliq_filter_is_id(const ngx_str_t *id)
{
    u_char  ch, *p;

    if (id->len == 0 || id->len > NGX_HTTP_FLIQ_REQUEST_ID) {
        return 0;
    }

    for (p = id->data; p < id->data + id->len; p++) {
        ch = *p | 0x20;

        if ((ch >= 'a' && ch <= 'z') || (*p >= '0' && *p <= '9')
            || *p == '.' || *p == '_' || *p == '-')
        {
            continue;
        }

        return 0;
    }

    return 1;
}


static ngx_int_t
ngx_http_fliq_filter_shape(ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    (void) ngx_http_fliq_fault_status(ctx, r->headers_out.status);

    if (ngx_http_fliq_fault_text(ctx, &ctx->shape) != NGX_OK
        || ngx_http_fliq_fault_headers(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->headers_out.content_length_n = ctx->shape.len;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;

    return NGX_OK;
}


ngx_chain_t *
ngx_http_fliq_api_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t            *b;
    ngx_chain_t          *cl;
    ngx_http_fliq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fliq_module);

    if (in == NULL || ctx == NULL || ctx->shape.data == NULL) {
        return in;
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->shaped) {
        return NULL;
    }

    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_calloc_buf(r->pool);

    if (cl == NULL || b == NULL) {
        r->connection->error = 1;
        return NULL;
    }

    b->pos = ctx->shape.data;
    b->last = ctx->shape.data + ctx->shape.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    cl->buf = b;
    cl->next = NULL;

    ctx->shaped = 1;

    return cl;
}
