/*
 * GET /openapi.json: from memory.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"
#include "ngx_http_fliq_openapi.h"


ngx_int_t
ngx_http_fliq_openapi_get(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_str_t         text;
    ngx_table_elt_t  *h;

    static const ngx_str_t  no_cache = ngx_string("no-cache");

    /* who has it need only ask whether it is still the same: nginx's 304 */

    h = ngx_http_fliq_reply_header(r, "ETag", &fliq_openapi_etag);

    if (h == NULL
        || ngx_http_fliq_reply_header(r, "Cache-Control", &no_cache) == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.etag = h;
    text = fliq_openapi_json;

    return ngx_http_fliq_reply_text(ctx, NGX_HTTP_OK, &text);
}
