/*
 * A tree of jansson's as text.
 *
 * jansson's own writer passes each character to a callback, which was a third
 * of what a worker executes for a create.  The text is the same.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_json.h"
#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_JSON_NUMBER  64


/* Each returns the length of what it writes; nothing is written to NULL. */
static size_t ngx_http_fliq_json_write(u_char *dst, const json_t *json);
static size_t ngx_http_fliq_json_write_object(u_char *dst,
    const json_t *json);
static size_t ngx_http_fliq_json_write_array(u_char *dst,
    const json_t *json);
static size_t ngx_http_fliq_json_write_string(u_char *dst, const char *text,
    size_t len);
static size_t ngx_http_fliq_json_write_number(u_char *dst,
    const json_t *json);
static size_t ngx_http_fliq_json_write_bytes(u_char *dst, const char *bytes,
    size_t len);


#define ngx_http_fliq_json_at(dst, len)  ((dst) ? (dst) + (len) : NULL)


ngx_int_t
ngx_http_fliq_json_text(ngx_pool_t *pool, const json_t *json, size_t flags,
    ngx_str_t *text)
{
    size_t  len;

    if (json == NULL) {
        return NGX_ERROR;
    }

    /* in any order it is as long */

    text->len = ngx_http_fliq_json_write(NULL, json);

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    len = flags ? json_dumpb(json, (char *) text->data, text->len,
                             JSON_COMPACT|flags)
                : ngx_http_fliq_json_write(text->data, json);

    return len == text->len ? NGX_OK : NGX_ERROR;
}


static size_t
ngx_http_fliq_json_write(u_char *dst, const json_t *json)
{
    switch (json_typeof(json)) {

    case JSON_OBJECT:
        return ngx_http_fliq_json_write_object(dst, json);

    case JSON_ARRAY:
        return ngx_http_fliq_json_write_array(dst, json);

    case JSON_STRING:
        return ngx_http_fliq_json_write_string(dst, json_string_value(json),
                                               json_string_length(json));

    case JSON_TRUE:
        return ngx_http_fliq_json_write_bytes(dst, "true", 4);

    case JSON_FALSE:
        return ngx_http_fliq_json_write_bytes(dst, "false", 5);

    case JSON_NULL:
        return ngx_http_fliq_json_write_bytes(dst, "null", 4);

    default:
        return ngx_http_fliq_json_write_number(dst, json);
    }
}


/* A comma goes before each member; the first one becomes the brace. */

static size_t
ngx_http_fliq_json_write_object(u_char *dst, const json_t *json)
{
    void        *iter;
    json_t      *object;
    size_t       len;
    const char  *name;

    object = (json_t *) json;
    len = 0;

    for (iter = json_object_iter(object);
         iter;
         iter = json_object_iter_next(object, iter))
    {
        name = json_object_iter_key(iter);

        len += ngx_http_fliq_json_write_bytes(ngx_http_fliq_json_at(dst, len),
                                              len ? "," : "{", 1);
        len += ngx_http_fliq_json_write_string(
                   ngx_http_fliq_json_at(dst, len), name, ngx_strlen(name));
        len += ngx_http_fliq_json_write_bytes(ngx_http_fliq_json_at(dst, len),
                                              ":", 1);
        len += ngx_http_fliq_json_write(ngx_http_fliq_json_at(dst, len),
                                        json_object_iter_value(iter));
    }

    if (len == 0) {
        return ngx_http_fliq_json_write_bytes(dst, "{}", 2);
    }

    return len + ngx_http_fliq_json_write_bytes(
                     ngx_http_fliq_json_at(dst, len), "}", 1);
}


static size_t
ngx_http_fliq_json_write_array(u_char *dst, const json_t *json)
{
    size_t  i, n, len;

    n = json_array_size(json);
    len = 0;

    for (i = 0; i < n; i++) {
        len += ngx_http_fliq_json_write_bytes(ngx_http_fliq_json_at(dst, len),
                                              len ? "," : "[", 1);
        len += ngx_http_fliq_json_write(ngx_http_fliq_json_at(dst, len),
                                        json_array_get(json, i));
    }

    if (len == 0) {
        return ngx_http_fliq_json_write_bytes(dst, "[]", 2);
    }

    return len + ngx_http_fliq_json_write_bytes(
                     ngx_http_fliq_json_at(dst, len), "]", 1);
}


static size_t
ngx_http_fliq_json_write_string(u_char *dst, const char *text, size_t len)
{
    size_t      size;
    fliq_str_t  view;

    view.data = (uint8_t *) text;
    view.len = len;

    size = 1;

    if (dst) {
        dst[0] = '"';
        size += fliq_json_escape(dst + 1, view);
        dst[size] = '"';

    } else {
        size += fliq_json_escape(NULL, view);
    }

    return size + 1;
}


static size_t
ngx_http_fliq_json_write_number(u_char *dst, const json_t *json)
{
    char    text[NGX_HTTP_FLIQ_JSON_NUMBER];
    size_t  len;

    if (json_is_integer(json)) {
        len = ngx_sprintf((u_char *) text, "%L",
                          (int64_t) json_integer_value(json))
              - (u_char *) text;

    } else {
        len = json_dumpb(json, text, sizeof(text), JSON_ENCODE_ANY);
    }

    return ngx_http_fliq_json_write_bytes(dst, text, len);
}


static size_t
ngx_http_fliq_json_write_bytes(u_char *dst, const char *bytes, size_t len)
{
    if (dst) {
        ngx_memcpy(dst, bytes, len);
    }

    return len;
}
