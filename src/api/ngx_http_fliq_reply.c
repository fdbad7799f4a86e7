/*
 * Answers, and JSON on the way out.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_header.h"
#include "fliq_time.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_JSON_GUESS  2048


typedef struct {
    ngx_pool_t  *pool;
    ngx_str_t   *text;
    size_t       size;      /* of what text has */
} ngx_http_fliq_json_out_t;


static void ngx_http_fliq_reply_begin(ngx_http_fliq_ctx_t *ctx,
    ngx_uint_t status);
static int ngx_http_fliq_json_put(const char *buffer, size_t len, void *data);


ngx_int_t
ngx_http_fliq_reply(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status, json_t *json)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    rc = ngx_http_fliq_json_text(ctx->request->pool, json, 0, &text);

    json_decref(json);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fliq_reply_text(ctx, status, &text);
}


ngx_int_t
ngx_http_fliq_reply_text(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *text)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = ctx->request;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_fliq_reply_begin(ctx, status);

    r->headers_out.content_length_n = text->len;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_fliq_reply_none(ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_fliq_reply_begin(ctx, NGX_HTTP_NO_CONTENT);

    r->header_only = 1;

    return ngx_http_send_header(r);
}


static void
ngx_http_fliq_reply_begin(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    /* a body that nobody has read would be taken for the next request */

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    ctx->replied = 1;

    r->headers_out.status = status;
}


ngx_table_elt_t *
ngx_http_fliq_reply_header(ngx_http_request_t *r, const char *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_http_fliq_reply_location(ngx_http_fliq_ctx_t *ctx, const char *prefix,
    const fliq_id_t *id)
{
    u_char              *p, *last;
    ngx_str_t            value;
    ngx_http_request_t  *r;

    r = ctx->request;

    p = r->unparsed_uri.data;
    last = p + r->unparsed_uri.len;

    while (p < last && *p != '?' && *p != '#') {
        p++;
    }

    while (p > r->unparsed_uri.data && p[-1] == '/') {
        p--;
    }

    value.len = p - r->unparsed_uri.data;
    value.data = ngx_pnalloc(r->pool, value.len + 1 + FLIQ_ID_TEXT);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(value.data, r->unparsed_uri.data, value.len);
    *p++ = '/';
    p += fliq_id_format((char *) p, prefix, id);

    value.len = p - value.data;

    if (ngx_http_fliq_reply_header(r, "Location", &value) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_json_text(ngx_pool_t *pool, const json_t *json, size_t flags,
    ngx_str_t *text)
{
    ngx_http_fliq_json_out_t  out;

    text->len = 0;
    text->data = ngx_pnalloc(pool, NGX_HTTP_FLIQ_JSON_GUESS);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    out.pool = pool;
    out.text = text;
    out.size = NGX_HTTP_FLIQ_JSON_GUESS;

    return json_dump_callback(json, ngx_http_fliq_json_put, &out,
                              JSON_COMPACT|flags) == 0 ? NGX_OK : NGX_ERROR;
}


static int
ngx_http_fliq_json_put(const char *buffer, size_t len, void *data)
{
    ngx_http_fliq_json_out_t *out = data;

    u_char     *grown;
    ngx_str_t  *text;

    text = out->text;

    if (len > out->size - text->len) {
        out->size = 2 * (out->size + len);

        grown = ngx_pnalloc(out->pool, out->size);
        if (grown == NULL) {
            return -1;
        }

        ngx_memcpy(grown, text->data, text->len);
        ngx_pfree(out->pool, text->data);
        text->data = grown;
    }

    ngx_memcpy(text->data + text->len, buffer, len);
    text->len += len;

    return 0;
}


void
ngx_http_fliq_json_set(json_t **object, const char *name, json_t *value)
{
    /* takes the value, also when it fails */

    if (json_object_set_new_nocheck(*object, name, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}


void
ngx_http_fliq_json_append(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}


json_t *
ngx_http_fliq_json_str(const ngx_str_t *value)
{
    json_t     *json;
    fliq_str_t  src, dst;

    if (value->data == NULL) {
        return json_null();
    }

    json = json_stringn((char *) value->data, value->len);
    if (json != NULL) {
        return json;
    }

    /* it is not UTF-8; each bad byte may become the three of U+FFFD */

    src.data = value->data;
    src.len = value->len;

    dst.len = 3 * src.len;
    dst.data = ngx_alloc(dst.len, ngx_cycle->log);
    if (dst.data == NULL) {
        return NULL;
    }

    dst.len = fliq_utf8_scrub(dst.data, dst.len, src);

    json = json_stringn((char *) dst.data, dst.len);

    ngx_free(dst.data);

    return json;
}


json_t *
ngx_http_fliq_json_id(const char *prefix, const fliq_id_t *id)
{
    char    text[FLIQ_ID_TEXT];
    size_t  len;

    if (id == NULL) {
        return json_null();
    }

    len = fliq_id_format(text, prefix, id);

    return json_stringn_nocheck(text, len);
}


json_t *
ngx_http_fliq_json_time(int64_t value)
{
    char    text[FLIQ_TIME_TEXT];
    size_t  len;

    if (value == NGX_HTTP_FLIQ_NONE) {
        return json_null();
    }

    len = fliq_time_format(text, value);

    return json_stringn_nocheck(text, len);
}


json_t *
ngx_http_fliq_json_status_code(int32_t value)
{
    return value ? json_integer(value) : json_null();
}


json_t *
ngx_http_fliq_json_ratio(int64_t part, int64_t whole)
{
    return json_real(whole ? (double) part / (double) whole : 0);
}


json_t *
ngx_http_fliq_json_parsed(const ngx_str_t *text)
{
    if (text->data == NULL) {
        return json_null();
    }

    return json_loadb((char *) text->data, text->len, 0, NULL);
}
