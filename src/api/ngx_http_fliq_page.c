/*
 * Lists, a page at a time: by the last id of the page before, so that rows
 * which come or go between two pages shift nothing.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_PAGE_DEFAULT  20
#define NGX_HTTP_FLIQ_PAGE_MAX      100

/* what a cursor is made of: when that changes, so does the letter */
#define NGX_HTTP_FLIQ_PAGE_CURSOR   "a"


ngx_int_t
ngx_http_fliq_page_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_page_t *page)
{
    ngx_int_t   limit;
    ngx_str_t   arg;
    fliq_str_t  text;

    limit = NGX_HTTP_FLIQ_PAGE_DEFAULT;

    if (ngx_http_fliq_arg(r, "limit", &arg) == NGX_OK) {
        limit = ngx_atoi(arg.data, arg.len);
    }

    if (limit < 1 || limit > NGX_HTTP_FLIQ_PAGE_MAX) {
        return ngx_http_fliq_fault_field(ctx, "limit",
                                         "must be an integer from 1 to %d",
                                         NGX_HTTP_FLIQ_PAGE_MAX);
    }

    page->limit = limit + 1;
    page->before = NULL;

    if (ngx_http_fliq_arg(r, "cursor", &arg) != NGX_OK) {
        return NGX_OK;
    }

    text.data = arg.data;
    text.len = arg.len;

    if (fliq_id_parse(text, NGX_HTTP_FLIQ_PAGE_CURSOR, &page->cursor) != 0) {
        return ngx_http_fliq_fault_field(ctx, "cursor",
                               "must be the next_cursor of the page before");
    }

    page->before = &page->cursor;

    return NGX_OK;
}


ngx_int_t
ngx_http_fliq_page_reply(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_page_t *page, const ngx_http_fliq_page_kind_t *kind,
    const ngx_http_fliq_list_t *list)
{
    json_t           *json, *items, *cursor;
    ngx_uint_t        i, n;
    const u_char     *record;
    const fliq_id_t  *last;

    n = ngx_min(list->n, page->limit - 1);

    items = json_array();
    last = NULL;

    for (i = 0; i < n; i++) {
        record = (const u_char *) list->records + i * kind->size;
        last = (const fliq_id_t *) (record + kind->id);

        ngx_http_fliq_json_append(&items, kind->render(ctx, record));
    }

    if (list->n <= n) {
        last = NULL;
    }

    cursor = ngx_http_fliq_json_id(NGX_HTTP_FLIQ_PAGE_CURSOR, last);

    json = json_object();

    ngx_http_fliq_json_set(&json, kind->plural, items);
    ngx_http_fliq_json_set(&json, "next_cursor", cursor);

    return ngx_http_fliq_reply(ctx, NGX_HTTP_OK, json);
}
