/*
 * Fields of a body: of the right type, in range, copied out of the JSON.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <math.h>

#include "fliq_header.h"
#include "fliq_time.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_LABEL_MAX  256
#define NGX_HTTP_FLIQ_KEY_MAX    256


static json_t *ngx_http_fliq_field_get(const json_t *body, const char *name);
static ngx_int_t ngx_http_fliq_field_string(ngx_http_fliq_ctx_t *ctx,
    const char *name, const json_t *json, ngx_str_t *value);
static ngx_uint_t ngx_http_fliq_field_is_text(const ngx_str_t *value);
static ngx_int_t ngx_http_fliq_field_header(ngx_http_fliq_ctx_t *ctx,
    const char *field, const char *name, const json_t *json, size_t *size);


/* A member that is null is taken for one that was not sent. */
static json_t *
ngx_http_fliq_field_get(const json_t *body, const char *name)
{
    json_t  *json;

    json = json_object_get(body, name);

    return json_is_null(json) ? NULL : json;
}


ngx_uint_t
ngx_http_fliq_field_sent(const json_t *body, const char *name)
{
    return ngx_http_fliq_field_get(body, name) != NULL;
}


ngx_uint_t
ngx_http_fliq_field_named(const json_t *body, const char *name)
{
    return json_object_get(body, name) != NULL;
}


ngx_int_t
ngx_http_fliq_field_text(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_uint_t required, ngx_str_t *value)
{
    json_t     *json;
    ngx_int_t   rc;

    json = ngx_http_fliq_field_get(body, name);

    if (json == NULL) {
        return required
               ? ngx_http_fliq_fault_field(ctx, name, "is required") : NGX_OK;
    }

    rc = ngx_http_fliq_field_string(ctx, name, json, value);

    if (rc == NGX_OK && ngx_strlchr(value->data, value->data + value->len, 0))
    {
        return ngx_http_fliq_fault_field(ctx, name,
                                         "must not contain \\u0000");
    }

    return rc;
}


ngx_int_t
ngx_http_fliq_field_bytes(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_str_t *value)
{
    json_t  *json;

    json = ngx_http_fliq_field_get(body, name);

    return json ? ngx_http_fliq_field_string(ctx, name, json, value) : NGX_OK;
}


static ngx_int_t
ngx_http_fliq_field_string(ngx_http_fliq_ctx_t *ctx, const char *name,
    const json_t *json, ngx_str_t *value)
{
    size_t   len;
    u_char  *p;

    if (!json_is_string(json)) {
        return ngx_http_fliq_fault_field(ctx, name, "must be a string");
    }

    len = json_string_length(json);

    /* an empty one, too, needs data: it is not an absent one */

    p = ngx_pnalloc(ctx->request->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, json_string_value(json), len);

    value->len = len;
    value->data = p;

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_label(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_str_t *value)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_text(ctx, body, name, 0, value);

    if (rc == NGX_OK && value->len > NGX_HTTP_FLIQ_LABEL_MAX) {
        return ngx_http_fliq_fault_field(ctx, name,
                                         "must be at most %d bytes long",
                                         NGX_HTTP_FLIQ_LABEL_MAX);
    }

    return rc;
}


ngx_int_t
ngx_http_fliq_field_body(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_str_t *value)
{
    size_t     max;
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_bytes(ctx, body, "body", value);
    if (rc != NGX_OK) {
        return rc;
    }

    max = ctx->api->conf.max_body;

    if (value->len > max) {
        return ngx_http_fliq_fault_because(ctx,
                                       NGX_HTTP_FLIQ_E_BODY_TOO_LARGE,
                                       "body must be at most %uz bytes long",
                                       max);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_key(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_str_t *key)
{
    ngx_int_t         rc;
    ngx_table_elt_t  *h;

    rc = ngx_http_fliq_field_text(ctx, body, "idempotency_key", 0, key);
    if (rc != NGX_OK) {
        return rc;
    }

    h = ngx_http_fliq_header_find(r, "idempotency-key");

    if (key->data == NULL && h != NULL) {
        *key = h->value;
    }

    if (key->data == NULL) {
        return NGX_OK;
    }

    if (h != NULL && !ngx_http_fliq_same(&h->value, key)) {
        return ngx_http_fliq_fault_field(ctx, "idempotency_key",
            "must be the same as the Idempotency-Key header when both are "
            "sent");
    }

    if (key->len < 1 || key->len > NGX_HTTP_FLIQ_KEY_MAX
        || !ngx_http_fliq_field_is_text(key))
    {
        return ngx_http_fliq_fault_field(ctx, "idempotency_key",
                                         "must be 1 to %d bytes of UTF-8",
                                         NGX_HTTP_FLIQ_KEY_MAX);
    }

    return NGX_OK;
}


/* A header may hold bytes that the database would refuse as text. */
static ngx_uint_t
ngx_http_fliq_field_is_text(const ngx_str_t *value)
{
    u_char      text[NGX_HTTP_FLIQ_KEY_MAX];
    size_t      len;
    fliq_str_t  view;

    view.data = value->data;
    view.len = value->len;

    len = fliq_utf8_scrub(text, sizeof(text), view);

    return len == value->len && ngx_memcmp(text, value->data, len) == 0;
}


ngx_int_t
ngx_http_fliq_field_flag(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_int_t *value)
{
    json_t  *json;

    json = ngx_http_fliq_field_get(body, name);
    if (json == NULL) {
        return NGX_OK;
    }

    if (!json_is_boolean(json)) {
        return ngx_http_fliq_fault_field(ctx, name, "must be true or false");
    }

    *value = json_is_true(json);

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_number(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, int32_t min, int32_t max, int32_t *value)
{
    double   number;
    json_t  *json;

    json = ngx_http_fliq_field_get(body, name);
    if (json == NULL) {
        return NGX_OK;
    }

    number = json_number_value(json);

    if (!json_is_number(json)
        || number < min || number > max || number != floor(number))
    {
        return ngx_http_fliq_fault_field(ctx, name,
                                 "must be an integer from %D to %D", min, max);
    }

    *value = (int32_t) number;

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_time(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, int64_t *value)
{
    ngx_int_t    rc;
    ngx_str_t    text;
    fliq_str_t   view;
    const char  *why;

    ngx_str_null(&text);

    rc = ngx_http_fliq_field_text(ctx, body, name, 1, &text);
    if (rc != NGX_OK) {
        return rc;
    }

    view.data = text.data;
    view.len = text.len;

    if (fliq_time_parse(view, value, &why) != 0) {
        return ngx_http_fliq_fault_field(ctx, name, "%s", why);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_url(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_uint_t required, ngx_str_t *value, fliq_url_t *url)
{
    ngx_int_t    rc;
    fliq_str_t   view;
    const char  *why;

    rc = ngx_http_fliq_field_text(ctx, body, name, required, value);
    if (rc != NGX_OK || value->data == NULL) {
        return rc;
    }

    view.data = value->data;
    view.len = value->len;

    if (fliq_url_parse(view, url, &why) != 0) {
        return ngx_http_fliq_fault_field(ctx, name, "%s", why);
    }

    /* a name is judged when it is connected to */

    if (url->literal
        && !fliq_addr_allowed(ctx->api->conf.policy, &url->addr))
    {
        return ngx_http_fliq_fault_field(ctx, name,
                                      "must have an address that is public");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_field_headers(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    const char *name, ngx_str_t *value, ngx_str_t *sorted)
{
    size_t       size;
    json_t      *json, *header;
    ngx_int_t    rc;
    ngx_pool_t  *pool;
    const char  *key;

    json = ngx_http_fliq_field_get(body, name);
    if (json == NULL) {
        return NGX_OK;
    }

    if (!json_is_object(json)) {
        return ngx_http_fliq_fault_field(ctx, name,
                             "must be an object of header names and strings");
    }

    if (json_object_size(json) > FLIQ_HEADER_MAX_COUNT) {
        return ngx_http_fliq_fault_field(ctx, name,
                                         "must have at most %d members",
                                         FLIQ_HEADER_MAX_COUNT);
    }

    size = 0;

    json_object_foreach(json, key, header) {
        rc = ngx_http_fliq_field_header(ctx, name, key, header, &size);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    pool = ctx->request->pool;

    rc = ngx_http_fliq_json_text(pool, json, 0, value);

    if (rc == NGX_OK && sorted != NULL) {
        rc = ngx_http_fliq_json_text(pool, json, JSON_SORT_KEYS, sorted);
    }

    return rc;
}


static ngx_int_t
ngx_http_fliq_field_header(ngx_http_fliq_ctx_t *ctx, const char *field,
    const char *name, const json_t *json, size_t *size)
{
    fliq_str_t   key, value;
    const char  *why;

    if (!json_is_string(json)) {
        return ngx_http_fliq_fault_field(ctx, field,
                                         "must have strings as values");
    }

    key.data = (uint8_t *) name;
    key.len = ngx_strlen(name);

    value.data = (uint8_t *) json_string_value(json);
    value.len = json_string_length(json);

    if (fliq_header_check(key, value, &why) != 0) {
        return ngx_http_fliq_fault_field(ctx, field, "%s", why);
    }

    *size += key.len + value.len;

    if (*size > FLIQ_HEADER_MAX_BYTES) {
        return ngx_http_fliq_fault_field(ctx, field,
                            "must be at most %d bytes long in all",
                            FLIQ_HEADER_MAX_BYTES);
    }

    return NGX_OK;
}
