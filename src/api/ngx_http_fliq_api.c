/*
 * The road of a request through the room: route, authorization, body,
 * handler, store, answer.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static void ngx_http_fliq_api_cleanup(void *data);
static void ngx_http_fliq_api_start(ngx_http_fliq_ctx_t *ctx);
static void ngx_http_fliq_api_run(ngx_http_request_t *r);
static void ngx_http_fliq_api_finish(ngx_http_fliq_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_fliq_api_token(ngx_http_request_t *r,
    ngx_http_fliq_api_t *api, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_token_t *token);
static ngx_str_t ngx_http_fliq_api_id(ngx_http_request_t *r,
    const char *prefix, const fliq_id_t *id);


ngx_http_fliq_api_t *
ngx_http_fliq_api_create(const ngx_http_fliq_api_conf_t *conf,
    ngx_log_t *log)
{
    ngx_http_fliq_api_t  *api;

    api = ngx_calloc(sizeof(ngx_http_fliq_api_t), log);
    if (api == NULL) {
        return NULL;
    }

    api->conf = *conf;

    api->tokens = ngx_http_fliq_tokens_create(conf->store, log);
    if (api->tokens == NULL) {
        ngx_free(api);
        return NULL;
    }

    /* jansson would read its seed at the first object otherwise */
    json_object_seed(0);

    return api;
}


void
ngx_http_fliq_api_destroy(ngx_http_fliq_api_t *api)
{
    if (api == NULL) {
        return;
    }

    ngx_http_fliq_tokens_destroy(api->tokens);
    ngx_free(api);
}


/*
 * The room holds the request from here on and finalizes it at each end of
 * the road, at once or later; so the value is always NGX_DONE.
 */
ngx_int_t
ngx_http_fliq_api_handler(ngx_http_request_t *r, ngx_http_fliq_api_t *api,
    ngx_http_fliq_dialect_e dialect)
{
    ngx_http_cleanup_t   *cln;
    ngx_http_fliq_ctx_t  *ctx;

    ctx = ngx_http_fliq_api_ctx(r, dialect);
    cln = ngx_http_cleanup_add(r, 0);

    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->api = api;

    cln->handler = ngx_http_fliq_api_cleanup;
    cln->data = ctx;

    r->main->count++;

    ngx_http_fliq_api_start(ctx);

    return NGX_DONE;
}


ngx_http_fliq_ctx_t *
ngx_http_fliq_api_ctx(ngx_http_request_t *r, ngx_http_fliq_dialect_e dialect)
{
    ngx_http_fliq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fliq_module);
    if (ctx != NULL) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_fliq_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->dialect = dialect;

    ngx_http_set_ctx(r, ctx, ngx_http_fliq_module);

    return ctx;
}


static void
ngx_http_fliq_api_cleanup(void *data)
{
    ngx_http_fliq_ctx_t  *ctx = data;

    if (ctx->call != NULL) {
        ngx_http_fliq_store_cancel(ctx->call);
        ctx->call = NULL;
    }

    ngx_http_fliq_tokens_leave(&ctx->wait);
}


static void
ngx_http_fliq_api_start(ngx_http_fliq_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    rc = ngx_http_fliq_route_find(r, ctx);

    if (rc == NGX_OK && ctx->route->scope != NGX_HTTP_FLIQ_SCOPE_NONE) {
        rc = ngx_http_fliq_auth_check(r, ctx);
    }

    if (rc != NGX_DONE) {
        ngx_http_fliq_api_authorized(ctx, rc);
    }
}


void
ngx_http_fliq_api_authorized(ngx_http_fliq_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (rc != NGX_OK) {
        ngx_http_fliq_api_finish(ctx, ngx_http_fliq_refuse(ctx));
        return;
    }

    if (ctx->stray) {
        rc = ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_NOT_FOUND);
        ngx_http_fliq_api_finish(ctx, rc);
        return;
    }

    if (ctx->route->body == NGX_HTTP_FLIQ_BODY_NONE) {
        ngx_http_fliq_api_run(r);
        return;
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_fliq_api_run);

    /* the reading holds the request for itself */

    if (rc < NGX_HTTP_SPECIAL_RESPONSE) {
        rc = NGX_DONE;
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_http_fliq_api_run(ngx_http_request_t *r)
{
    ngx_http_fliq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fliq_module);

    ngx_http_fliq_api_finish(ctx, ctx->route->handler(r, ctx));
}


static void
ngx_http_fliq_api_finish(ngx_http_fliq_ctx_t *ctx, ngx_int_t rc)
{
    if (rc != NGX_DONE) {
        ngx_http_finalize_request(ctx->request, rc);
    }
}


ngx_int_t
ngx_http_fliq_api_wait(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_store_call_t *call, ngx_http_fliq_answer_pt answer)
{
    if (call == NULL) {
        return ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_UNAVAILABLE);
    }

    ctx->call = call;
    ctx->answer = answer;

    ngx_http_fliq_api_watch(ctx);

    return NGX_DONE;
}


void
ngx_http_fliq_api_watch(ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    /* finalizes the request, and so runs the cleanup, when the client left */

    r->read_event_handler = ngx_http_test_reading;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        r->connection->error = 1;
    }
}


void
ngx_http_fliq_api_done(void *data, ngx_int_t rc, const void *result)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_fliq_ctx_t  *ctx = data;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ctx->call = NULL;

    switch (rc) {

    case NGX_OK:
    case NGX_DECLINED:
        rc = ctx->answer(r, ctx, rc, result);
        break;

    case NGX_BUSY:
        rc = ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_UNAVAILABLE);
        break;

    default: /* NGX_ERROR */
        rc = ngx_http_fliq_refuse_with(ctx, NGX_HTTP_FLIQ_E_INTERNAL_ERROR);
    }

    ngx_http_fliq_api_finish(ctx, rc);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_fliq_api_hint(ngx_http_fliq_ctx_t *ctx, int64_t due_at)
{
    ngx_http_fliq_api_conf_t  *conf;

    conf = &ctx->api->conf;

    if (conf->hint != NULL) {
        conf->hint(conf->hint_data, due_at);
    }
}


void
ngx_http_fliq_api_buffer_hint(ngx_http_fliq_ctx_t *ctx)
{
    ngx_http_fliq_api_conf_t  *conf;

    conf = &ctx->api->conf;

    if (conf->buffer_hint != NULL) {
        conf->buffer_hint(conf->hint_data);
    }
}


ngx_int_t
ngx_http_fliq_api_make_id(fliq_id_t *id)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    if (fliq_id_make(id, (int64_t) tp->sec * 1000 + tp->msec) != 0) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_str_t
ngx_http_fliq_api_variable(ngx_http_request_t *r, ngx_http_fliq_api_t *api,
    ngx_http_fliq_api_var_e which)
{
    ngx_str_t               value = ngx_null_string;
    ngx_http_fliq_ctx_t    *ctx;
    ngx_http_fliq_token_t   token;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fliq_module);

    switch (which) {

    case NGX_HTTP_FLIQ_VAR_ROUTE:
        if (ctx != NULL && ctx->route != NULL) {
            value.data = (u_char *) ctx->route->pattern;
            value.len = ngx_strlen(value.data);
        }

        return value;

    case NGX_HTTP_FLIQ_VAR_JOB:
        if (ctx != NULL && ctx->job != NULL) {
            value = ngx_http_fliq_api_id(r, "job", ctx->job);
        }

        return value;

    default: /* NGX_HTTP_FLIQ_VAR_ACCOUNT, NGX_HTTP_FLIQ_VAR_TOKEN */
        break;
    }

    if (ngx_http_fliq_api_token(r, api, ctx, &token) != NGX_OK) {
        return value;
    }

    if (which == NGX_HTTP_FLIQ_VAR_TOKEN) {
        return ngx_http_fliq_api_id(r, "tok", &token.id);
    }

    return ngx_http_fliq_api_id(r, "acct", &token.account_id);
}


static ngx_int_t
ngx_http_fliq_api_token(ngx_http_request_t *r, ngx_http_fliq_api_t *api,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_token_t *token)
{
    u_char  hash[FLIQ_SHA256_SIZE];

    if (ctx != NULL && ctx->known) {
        *token = ctx->token;
        return NGX_OK;
    }

    if (api == NULL || ngx_http_fliq_auth_hash(r, hash) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_fliq_tokens_peek(api->tokens, hash, token);
}


static ngx_str_t
ngx_http_fliq_api_id(ngx_http_request_t *r, const char *prefix,
    const fliq_id_t *id)
{
    ngx_str_t  text = ngx_null_string;

    text.data = ngx_pnalloc(r->pool, FLIQ_ID_TEXT);
    if (text.data != NULL) {
        text.len = fliq_id_format((char *) text.data, prefix, id);
    }

    return text;
}
