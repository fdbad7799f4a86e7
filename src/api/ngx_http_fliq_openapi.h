/*
 * The description of the API for machines: docs/openapi.yaml as JSON, made
 * by openapi.pl when the module is built.
 */

#ifndef NGX_HTTP_FLIQ_OPENAPI_H
#define NGX_HTTP_FLIQ_OPENAPI_H

#include <ngx_config.h>
#include <ngx_core.h>


extern const ngx_str_t  fliq_openapi_json;
extern const ngx_str_t  fliq_openapi_etag;      /* in its quotes */


#endif /* NGX_HTTP_FLIQ_OPENAPI_H */
