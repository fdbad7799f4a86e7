/*
 * The headers of an outbound request: the user's, verbatim and in their
 * order, then our own.
 */

#include "ngx_http_fliq_disp_private.h"
#include "fliq_header.h"
#include "fliq_json.h"
#include "fliq_sign.h"
#include "fliq_time.h"

#include <jansson.h>


/* Where the next header is linked, and what the user has set already. */
typedef struct {
    ngx_pool_t           *pool;
    struct curl_slist   **last;
    unsigned              content_type:1;
} ngx_http_fliq_disp_headers_t;


static ngx_int_t ngx_http_fliq_disp_request_user(
    ngx_http_fliq_disp_headers_t *headers, ngx_http_fliq_disp_call_t *call);
static ngx_int_t ngx_http_fliq_disp_request_load(const ngx_str_t *text,
    json_t **object, ngx_log_t *log);
static ngx_int_t ngx_http_fliq_disp_request_members(
    ngx_http_fliq_disp_headers_t *headers, json_t *object, json_t *winners);
static ngx_uint_t ngx_http_fliq_disp_request_named(json_t *object,
    const char *name);
static ngx_int_t ngx_http_fliq_disp_request_own(
    ngx_http_fliq_disp_headers_t *headers, ngx_http_fliq_disp_call_t *call);
static ngx_int_t ngx_http_fliq_disp_request_signature(
    ngx_http_fliq_disp_headers_t *headers,
    const ngx_http_fliq_disp_request_t *request, int64_t now);
static const char *ngx_http_fliq_disp_request_type(
    ngx_http_fliq_disp_headers_t *headers, const ngx_str_t *body);
static ngx_int_t ngx_http_fliq_disp_request_add(
    ngx_http_fliq_disp_headers_t *headers, const char *name,
    const ngx_str_t *value);
static ngx_int_t ngx_http_fliq_disp_request_line(
    ngx_http_fliq_disp_headers_t *headers, char *line);
static ngx_str_t ngx_http_fliq_disp_request_trim(const ngx_str_t *value);


ngx_int_t
ngx_http_fliq_disp_request_headers(ngx_http_fliq_disp_call_t *call)
{
    ngx_http_fliq_disp_headers_t  headers;

    headers.pool = call->pool;
    headers.last = &call->headers;
    headers.content_type = 0;

    if (ngx_http_fliq_disp_request_user(&headers, call) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_request_own(&headers, call);
}


static ngx_int_t
ngx_http_fliq_disp_request_user(ngx_http_fliq_disp_headers_t *headers,
    ngx_http_fliq_disp_call_t *call)
{
    json_t     *given, *defaults;
    ngx_int_t   rc;

    given = NULL;
    defaults = NULL;

    rc = ngx_http_fliq_disp_request_load(&call->request->headers, &given,
                                         call->multi->log);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_disp_request_load(&call->request->defaults,
                                             &defaults, call->multi->log);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_disp_request_members(headers, defaults, given);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_disp_request_members(headers, given, NULL);
    }

    json_decref(given);
    json_decref(defaults);

    return rc;
}


/* A NULL text is a NULL object. */

static ngx_int_t
ngx_http_fliq_disp_request_load(const ngx_str_t *text, json_t **object,
    ngx_log_t *log)
{
    json_error_t  error;

    if (text->len == 0) {
        return NGX_OK;
    }

    error.text[0] = '\0';

    *object = json_loadb((char *) text->data, text->len, 0, &error);

    if (!json_is_object(*object)) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "stored headers are not an object: %s", error.text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_disp_request_members(ngx_http_fliq_disp_headers_t *headers,
    json_t *object, json_t *winners)
{
    json_t      *member;
    ngx_str_t    value;
    fliq_str_t   view;
    const char  *name;

    json_object_foreach(object, name, member) {

        if (!json_is_string(member)
            || ngx_http_fliq_disp_request_named(winners, name))
        {
            continue;
        }

        view.data = (uint8_t *) name;
        view.len = ngx_strlen(name);

        if (fliq_header_is(view, "x-request-id")) {

            /* it is the execution's id */

            continue;
        }

        if (fliq_header_is(view, "content-type")) {
            headers->content_type = 1;
        }

        value.data = (u_char *) json_string_value(member);
        value.len = json_string_length(member);

        if (ngx_http_fliq_disp_request_add(headers, name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Whether ${object}, which may be NULL, has a header of that name. */

static ngx_uint_t
ngx_http_fliq_disp_request_named(json_t *object, const char *name)
{
    json_t      *member;
    const char  *other;

    json_object_foreach(object, other, member) {

        if (ngx_strcasecmp((u_char *) name, (u_char *) other) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_fliq_disp_request_own(ngx_http_fliq_disp_headers_t *headers,
    ngx_http_fliq_disp_call_t *call)
{
    int64_t                              now;
    ngx_str_t                            number;
    const char                          *type;
    u_char                               buf[NGX_INT64_LEN];
    const ngx_http_fliq_disp_request_t  *request;

    request = call->request;
    now = call->started_at / FLIQ_TIME_SECOND;
    number.data = buf;

    number.len = ngx_sprintf(buf, "%L", now) - buf;

    if (ngx_http_fliq_disp_request_add(headers, "X-Fliq-Delivery-Id",
                                       &request->delivery_id) != NGX_OK
        || ngx_http_fliq_disp_request_add(headers, "X-Fliq-Timestamp",
                                          &number) != NGX_OK
        || ngx_http_fliq_disp_request_add(headers, "X-Request-ID",
                                          &request->request_id) != NGX_OK
        || ngx_http_fliq_disp_request_signature(headers, request, now)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    number.len = ngx_sprintf(buf, "%D", request->attempt) - buf;

    if (request->attempt
        && ngx_http_fliq_disp_request_add(headers, "X-Fliq-Attempt", &number)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* "Name:" keeps libcurl from sending its own */

    if (ngx_http_fliq_disp_request_line(headers, "Expect:") != NGX_OK) {
        return NGX_ERROR;
    }

    type = ngx_http_fliq_disp_request_type(headers, &request->body);

    if (type) {
        return ngx_http_fliq_disp_request_line(headers, (char *) type);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_disp_request_signature(ngx_http_fliq_disp_headers_t *headers,
    const ngx_http_fliq_disp_request_t *request, int64_t now)
{
    char       text[FLIQ_SIGNATURE_TEXT];
    ngx_str_t  value;

    if (request->secret.data == NULL) {
        return NGX_OK;
    }

    if (fliq_sign(text, ngx_http_fliq_disp_view(&request->secret), now,
                  ngx_http_fliq_disp_view(&request->method),
                  ngx_http_fliq_disp_view(&request->url),
                  ngx_http_fliq_disp_view(&request->body))
        != 0)
    {
        return NGX_ERROR;
    }

    value.data = (u_char *) text;
    value.len = FLIQ_SIGNATURE_TEXT - 1;

    return ngx_http_fliq_disp_request_add(headers, "X-Fliq-Signature",
                                          &value);
}


/* The header line that says what the body is, where the user does not. */

static const char *
ngx_http_fliq_disp_request_type(ngx_http_fliq_disp_headers_t *headers,
    const ngx_str_t *body)
{
    if (headers->content_type) {
        return NULL;
    }

    if (body->len == 0) {
        return "Content-Type:";
    }

    if (!fliq_json_valid(ngx_http_fliq_disp_view(body))) {
        return "Content-Type: text/plain; charset=utf-8";
    }

    return "Content-Type: application/json";
}


/* libcurl takes "Name:" for "send none"; with "Name;" it sends "Name:". */

static ngx_int_t
ngx_http_fliq_disp_request_add(ngx_http_fliq_disp_headers_t *headers,
    const char *name, const ngx_str_t *value)
{
    char       *line;
    size_t      len;
    ngx_str_t   trimmed;

    trimmed = ngx_http_fliq_disp_request_trim(value);
    len = ngx_strlen(name) + sizeof(": ") + trimmed.len;

    line = ngx_pnalloc(headers->pool, len);
    if (line == NULL) {
        return NGX_ERROR;
    }

    if (trimmed.len == 0) {
        ngx_snprintf((u_char *) line, len, "%s;%Z", name);

    } else {
        ngx_snprintf((u_char *) line, len, "%s: %V%Z", name, &trimmed);
    }

    return ngx_http_fliq_disp_request_line(headers, line);
}


static ngx_int_t
ngx_http_fliq_disp_request_line(ngx_http_fliq_disp_headers_t *headers,
    char *line)
{
    struct curl_slist  *node;

    node = ngx_palloc(headers->pool, sizeof(struct curl_slist));
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->data = line;
    node->next = NULL;

    *headers->last = node;
    headers->last = &node->next;

    return NGX_OK;
}


/*
 * White space at its ends is no part of a value (RFC 9110, section 5.5), and
 * makes an HTTP/2 request malformed (RFC 9113, section 8.2.1).
 */

static ngx_str_t
ngx_http_fliq_disp_request_trim(const ngx_str_t *value)
{
    ngx_str_t  rest;

    rest = *value;

    while (rest.len && (*rest.data == ' ' || *rest.data == '\t')) {
        rest.data++;
        rest.len--;
    }

    while (rest.len && (rest.data[rest.len - 1] == ' '
                        || rest.data[rest.len - 1] == '\t'))
    {
        rest.len--;
    }

    return rest;
}
