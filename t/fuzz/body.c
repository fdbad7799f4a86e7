/*
 * The bodies of creates: whatever a client sends, it is either taken, and then
 * within its bounds, or refused with a fault that names what is wrong.
 */

#include "fliq_header.h"
#include "fliq_sign.h"
#include "ngx_http_fliq_api_private.h"

#include "fuzz.h"


static ngx_log_t    nowhere;
static ngx_cycle_t  cycle = { .log = &nowhere };

volatile ngx_cycle_t  *ngx_cycle = &cycle;


static json_t *
parsed(const ngx_str_t *text)
{
    json_t  *json;

    json = json_loadb((char *) text->data, text->len, 0, NULL);

    fuzz_assert(json != NULL);

    return json;
}


/* What nginx would have said in its log is of no interest. */
void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) log;
    (void) err;
    (void) fmt;
}


ngx_int_t
ngx_http_fliq_api_make_id(fliq_id_t *id)
{
    memset(id, 0, sizeof(*id));
    return NGX_OK;
}


static void
check_headers(const ngx_str_t *headers)
{
    json_t       *json, *value;
    const char   *name, *why;
    fliq_str_t    one, other;

    if (headers->data == NULL) {
        return;
    }

    json = parsed(headers);

    fuzz_assert(json_is_object(json));
    fuzz_assert(json_object_size(json) <= FLIQ_HEADER_MAX_COUNT);

    json_object_foreach(json, name, value) {
        fuzz_assert(json_is_string(value));

        one.data = (uint8_t *) name;
        one.len = strlen(name);
        other.data = (uint8_t *) json_string_value(value);
        other.len = json_string_length(value);

        fuzz_assert(fliq_header_check(one, other, &why) == 0);
    }

    json_decref(json);
}


static void
check_url(const ngx_str_t *text)
{
    fliq_str_t   view;
    fliq_url_t   url;
    const char  *why;

    view.data = text->data;
    view.len = text->len;

    fuzz_assert(fliq_url_parse(view, &url, &why) == 0);
    fuzz_assert(!url.literal || fliq_addr_allowed(NULL, &url.addr));
}


#define check_target(record)                                                  \
    do {                                                                      \
        check_url(&(record)->url);                                            \
        check_headers(&(record)->headers);                                    \
        check_headers(&(record)->webhook_headers);                            \
        if ((record)->webhook_url.data) {                                     \
            check_url(&(record)->webhook_url);                                \
        }                                                                     \
        fuzz_assert((record)->max_retries >= 0                                \
                    && (record)->max_retries <= 20);                          \
        fuzz_assert((record)->timeout_seconds >= 1                            \
                    && (record)->timeout_seconds <= 3600);                    \
    } while (0)


static ngx_int_t
read_job(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_fliq_job_t  job;

    memset(&job, 0, sizeof(job));

    rc = ngx_http_fliq_job_read(r, ctx, &job);

    if (rc == NGX_OK) {
        check_target(&job);
        fuzz_assert(job.body.len <= ctx->api->conf.max_body);
        fuzz_assert(job.idempotency_key.len <= 256);
        fuzz_assert((job.idempotency_key.data != NULL)
                    == (job.request_hash.len == FLIQ_SHA256_SIZE));
    }

    return rc;
}


static ngx_int_t
read_schedule(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    json_t                    *body;
    ngx_int_t                  rc;
    ngx_http_fliq_schedule_t   schedule;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    memset(&schedule, 0, sizeof(schedule));

    rc = ngx_http_fliq_schedule_read(ctx, body, &schedule);

    if (rc == NGX_OK) {
        check_target(&schedule);
        ngx_http_fliq_schedule_arm(&schedule);
        fuzz_assert(schedule.paused || schedule.next_run_at > 0);
        fuzz_assert(ngx_http_fliq_schedule_keep(r->pool, &schedule)
                    == NGX_OK);
    }

    json_decref(body);

    return rc;
}


static ngx_int_t
read_buffer(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t               rc;
    ngx_http_fliq_buffer_t  buffer;

    memset(&buffer, 0, sizeof(buffer));

    rc = ngx_http_fliq_buffer_read(r, ctx, &buffer);

    if (rc == NGX_OK) {
        check_target(&buffer);
        fuzz_assert(buffer.name.len >= 1 && buffer.name.len <= 256);
        fuzz_assert(buffer.rate_limit >= 1 && buffer.rate_limit <= 1000);
    }

    return rc;
}


static ngx_int_t
read_item(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t             rc;
    ngx_http_fliq_item_t  item;

    memset(&item, 0, sizeof(item));

    rc = ngx_http_fliq_item_read(r, ctx, &item);

    if (rc == NGX_OK) {
        check_headers(&item.headers);
        fuzz_assert(item.body.len <= ctx->api->conf.max_body);
        fuzz_assert(item.idempotency_key.len <= 256);
    }

    return rc;
}


static void
check_fault(ngx_http_fliq_ctx_t *ctx)
{
    json_t     *json;
    ngx_str_t   text;

    fuzz_assert(ctx->fault.status >= 400 && ctx->fault.status < 500);
    fuzz_assert(ngx_http_fliq_fault_text(ctx, &text) == NGX_OK);

    json = parsed(&text);

    fuzz_assert(json_object_get(json, "error") != NULL);

    json_decref(json);
}


static void
read_as(ngx_uint_t which, fliq_str_t text, ngx_pool_t *pool)
{
    ngx_int_t                 rc;
    ngx_buf_t                 buf;
    ngx_chain_t               chain;
    ngx_connection_t          connection;
    ngx_http_request_t        r;
    ngx_http_fliq_ctx_t       ctx;
    ngx_http_fliq_api_t       api;
    ngx_http_fliq_route_t     route;
    ngx_http_request_body_t   body;

    static ngx_int_t  (*const readers[])(ngx_http_request_t *,
        ngx_http_fliq_ctx_t *) = {
        read_job, read_schedule, read_buffer, read_item
    };

    memset(&buf, 0, sizeof(buf));
    memset(&r, 0, sizeof(r));
    memset(&ctx, 0, sizeof(ctx));
    memset(&api, 0, sizeof(api));
    memset(&route, 0, sizeof(route));
    memset(&body, 0, sizeof(body));
    memset(&connection, 0, sizeof(connection));

    buf.pos = text.data;
    buf.last = text.data + text.len;
    chain.buf = &buf;
    chain.next = NULL;
    body.bufs = &chain;

    connection.log = &nowhere;
    connection.pool = pool;
    r.connection = &connection;
    r.pool = pool;
    r.request_body = &body;
    r.headers_in.headers.last = &r.headers_in.headers.part;

    api.conf.max_body = 1024;
    api.conf.timeout = 30;
    ctx.request = &r;
    ctx.api = &api;
    ctx.route = &route;
    route.body = readers[which & 3] == read_item ? NGX_HTTP_FLIQ_BODY_OPTIONAL
                                                 : NGX_HTTP_FLIQ_BODY_JSON;
    ctx.dialect = which & 4 ? NGX_HTTP_FLIQ_DIALECT_SDK
                            : NGX_HTTP_FLIQ_DIALECT_REFERENCE;

    rc = readers[which & 3](&r, &ctx);

    fuzz_assert(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_DECLINED) {
        check_fault(&ctx);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t      which;
    fliq_str_t   text;
    ngx_pool_t  *pool;

    fuzz_take(&data, &size, &which, 1);

    ngx_pagesize = 4096;
    ngx_cacheline_size = 64;

    text = fuzz_copy(data, size);
    pool = ngx_create_pool(1024, &nowhere);

    fuzz_assert(pool != NULL);

    read_as(which, text, pool);

    ngx_destroy_pool(pool);
    free(text.data);

    return 0;
}
