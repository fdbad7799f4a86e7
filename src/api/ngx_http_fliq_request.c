/*
 * The path, the arguments and the headers of a request, as the client sent
 * them.
 *
 * nginx's own r->uri is decoded as a whole, so that in it an encoded slash of
 * an id cannot be told from a separator.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static ngx_int_t ngx_http_fliq_path_split(ngx_http_request_t *r,
    ngx_str_t text, ngx_uint_t decode, ngx_http_fliq_path_t *path);
static ngx_int_t ngx_http_fliq_path_add(ngx_http_fliq_path_t *path,
    ngx_str_t *segment);
static ngx_int_t ngx_http_fliq_path_strip(ngx_http_request_t *r,
    ngx_http_fliq_path_t *path);
static ngx_int_t ngx_http_fliq_unescape(ngx_http_request_t *r,
    ngx_str_t *text, ngx_uint_t plus);
static ngx_int_t ngx_http_fliq_hex(u_char ch);


ngx_int_t
ngx_http_fliq_path_read(ngx_http_request_t *r, ngx_http_fliq_path_t *path)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t   text;

    text = r->uri;

    if (r->valid_unparsed_uri) {
        text = r->unparsed_uri;
        last = text.data + text.len;

        for (p = text.data; p < last && *p != '?' && *p != '#'; p++) {
            /* void */
        }

        text.len = p - text.data;
    }

    rc = ngx_http_fliq_path_split(r, text, r->valid_unparsed_uri, path);

    return (rc == NGX_OK) ? ngx_http_fliq_path_strip(r, path) : rc;
}


static ngx_int_t
ngx_http_fliq_path_split(ngx_http_request_t *r, ngx_str_t text,
    ngx_uint_t decode, ngx_http_fliq_path_t *path)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t   segment;

    path->n = 0;

    p = text.data;
    last = text.data + text.len;

    while (p < last) {

        if (*p == '/') {
            p++;
            continue;
        }

        segment.data = p;

        while (p < last && *p != '/') {
            p++;
        }

        segment.len = p - segment.data;

        rc = decode ? ngx_http_fliq_unescape(r, &segment, 0) : NGX_OK;

        if (rc == NGX_OK) {
            rc = ngx_http_fliq_path_add(path, &segment);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_path_add(ngx_http_fliq_path_t *path, ngx_str_t *segment)
{
    if (segment->len == 1 && segment->data[0] == '.') {
        return NGX_OK;
    }

    if (segment->len == 2 && ngx_strncmp(segment->data, "..", 2) == 0) {

        if (path->n > 0) {
            path->n--;
        }

        return NGX_OK;
    }

    if (path->n == NGX_HTTP_FLIQ_PATH_SEGMENTS) {
        return NGX_DECLINED;
    }

    path->segments[path->n++] = *segment;

    return NGX_OK;
}


/* Leave out the segments of the location's own name. */
static ngx_int_t
ngx_http_fliq_path_strip(ngx_http_request_t *r, ngx_http_fliq_path_t *path)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_fliq_path_t       prefix;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    rc = ngx_http_fliq_path_split(r, clcf->name, 0, &prefix);
    if (rc != NGX_OK) {
        return rc;
    }

    if (path->n < prefix.n) {
        return NGX_DECLINED;
    }

    for (i = 0; i < prefix.n; i++) {

        if (path->segments[i].len != prefix.segments[i].len
            || ngx_memcmp(path->segments[i].data, prefix.segments[i].data,
                          prefix.segments[i].len) != 0)
        {
            return NGX_DECLINED;
        }
    }

    path->n -= prefix.n;

    ngx_memmove(path->segments, path->segments + prefix.n,
                path->n * sizeof(ngx_str_t));

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_arg(ngx_http_request_t *r, const char *name, ngx_str_t *value)
{
    ngx_int_t  rc;

    rc = ngx_http_arg(r, (u_char *) name, ngx_strlen(name), value);

    if (rc != NGX_OK || value->len == 0) {
        return NGX_DECLINED;
    }

    rc = ngx_http_fliq_unescape(r, value, 1);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_table_elt_t *
ngx_http_fliq_header_find(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == len
                && ngx_strncmp(h[i].lowcase_key, name, len) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_fliq_is(const ngx_str_t *value, const char *text)
{
    return value->len == ngx_strlen(text)
           && ngx_memcmp(value->data, text, value->len) == 0;
}


ngx_uint_t
ngx_http_fliq_same(const ngx_str_t *one, const ngx_str_t *other)
{
    return one->len == other->len
           && ngx_memcmp(one->data, other->data, one->len) == 0;
}


/*
 * Decode percent-encoding, and with ${plus} "+" for a space.  NGX_DECLINED,
 * with the text as it was, when an escape is bad.
 */
static ngx_int_t
ngx_http_fliq_unescape(ngx_http_request_t *r, ngx_str_t *text,
    ngx_uint_t plus)
{
    u_char     *p, *src, *last, *dst;
    ngx_int_t   high, low;

    src = text->data;
    last = src + text->len;

    dst = ngx_pnalloc(r->pool, text->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    for (p = dst; src < last; p++) {

        if (*src != '%') {
            *p = (plus && *src == '+') ? ' ' : *src;
            src++;
            continue;
        }

        if (last - src < 3) {
            return NGX_DECLINED;
        }

        high = ngx_http_fliq_hex(src[1]);
        low = ngx_http_fliq_hex(src[2]);

        if (high < 0 || low < 0) {
            return NGX_DECLINED;
        }

        *p = (u_char) (high * 16 + low);
        src += 3;
    }

    text->data = dst;
    text->len = p - dst;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}
