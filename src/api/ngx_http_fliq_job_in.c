/*
 * A job on its way in: from the body of a create to the record of the store.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_sign.h"
#include "ngx_http_fliq_api_private.h"


/* A create under way. */
typedef struct {
    ngx_http_request_t     *request;
    ngx_http_fliq_ctx_t    *ctx;
    const json_t           *body;
    ngx_http_fliq_job_t    *job;
    ngx_http_fliq_target_t  target;
} ngx_http_fliq_job_in_t;

typedef ngx_int_t (*ngx_http_fliq_job_in_pt)(ngx_http_fliq_job_in_t *in);


static ngx_int_t ngx_http_fliq_job_in_target(ngx_http_fliq_job_in_t *in);
static ngx_int_t ngx_http_fliq_job_in_time(ngx_http_fliq_job_in_t *in);
static ngx_int_t ngx_http_fliq_job_in_key(ngx_http_fliq_job_in_t *in);
static ngx_int_t ngx_http_fliq_job_in_hash(ngx_http_fliq_job_in_t *in);


/* In the order in which a client hears of its mistakes. */
static const ngx_http_fliq_job_in_pt  ngx_http_fliq_job_in_steps[] = {
    ngx_http_fliq_job_in_target,
    ngx_http_fliq_job_in_time,
    ngx_http_fliq_job_in_key,
    NULL
};


ngx_int_t
ngx_http_fliq_job_read(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_job_t *job)
{
    json_t                   *body;
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_http_fliq_job_in_t    in;

    rc = ngx_http_fliq_body_json(r, ctx, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&in, sizeof(ngx_http_fliq_job_in_t));

    in.request = r;
    in.ctx = ctx;
    in.body = body;
    in.job = job;

    for (i = 0; rc == NGX_OK && ngx_http_fliq_job_in_steps[i]; i++) {
        rc = ngx_http_fliq_job_in_steps[i](&in);
    }

    json_decref(body);

    if (rc != NGX_OK) {
        return rc;
    }

    job->account_id = ctx->token.account_id;

    job->started_at = NGX_HTTP_FLIQ_NONE;
    job->completed_at = NGX_HTTP_FLIQ_NONE;

    return ngx_http_fliq_api_make_id(&job->id);
}


static ngx_int_t
ngx_http_fliq_job_in_target(ngx_http_fliq_job_in_t *in)
{
    ngx_int_t  rc;

    ngx_http_fliq_target_init(in->ctx, &in->target, 0);

    rc = ngx_http_fliq_target_read(in->ctx, in->body, &in->target);
    if (rc == NGX_OK) {
        ngx_http_fliq_target_copy(in->job, &in->target);
    }

    return rc;
}


static ngx_int_t
ngx_http_fliq_job_in_time(ngx_http_fliq_job_in_t *in)
{
    /* whether it lies ahead is the database's clock to say */

    if (!ngx_http_fliq_field_sent(in->body, "scheduled_at")
        && ngx_http_fliq_field_sent(in->body, "cron"))
    {
        return ngx_http_fliq_fault_field(in->ctx, "scheduled_at",
            "is required; to run by a cron expression, POST to /schedules");
    }

    return ngx_http_fliq_field_time(in->ctx, in->body, "scheduled_at",
                                    &in->job->scheduled_at);
}


static ngx_int_t
ngx_http_fliq_job_in_key(ngx_http_fliq_job_in_t *in)
{
    ngx_int_t  rc;

    rc = ngx_http_fliq_field_key(in->request, in->ctx, in->body,
                                 &in->job->idempotency_key);

    if (rc != NGX_OK || in->job->idempotency_key.data == NULL) {
        return rc;
    }

    return ngx_http_fliq_job_in_hash(in);
}


/*
 * What tells one request from another: each value behind its length, so that
 * no two requests have the same bytes.
 */
static ngx_int_t
ngx_http_fliq_job_in_hash(ngx_http_fliq_job_in_t *in)
{
    u_char               *p;
    u_char                numbers[3 * (NGX_INT64_LEN + 1)];
    uint64_t              len;
    ngx_str_t             part[8];
    ngx_uint_t            i;
    fliq_str_t            text;
    ngx_http_fliq_job_t  *job;

    job = in->job;

    part[0] = job->url;
    part[1] = job->method;
    part[2] = in->target.sorted;
    part[3] = job->body;
    part[4] = job->backoff;
    part[5] = job->webhook_url;
    part[6] = in->target.webhook_sorted;

    part[7].data = numbers;
    part[7].len = ngx_sprintf(numbers, "%L %D %D", job->scheduled_at,
                              job->max_retries, job->timeout_seconds)
                  - numbers;

    text.len = 0;

    for (i = 0; i < 8; i++) {
        text.len += sizeof(uint64_t) + part[i].len;
    }

    text.data = ngx_pnalloc(in->request->pool, text.len);
    p = ngx_pnalloc(in->request->pool, FLIQ_SHA256_SIZE);

    if (text.data == NULL || p == NULL) {
        return NGX_ERROR;
    }

    job->request_hash.len = FLIQ_SHA256_SIZE;
    job->request_hash.data = p;

    p = text.data;

    for (i = 0; i < 8; i++) {
        len = part[i].data ? part[i].len : UINT64_MAX;

        p = ngx_cpymem(p, &len, sizeof(uint64_t));

        if (part[i].data != NULL) {
            p = ngx_cpymem(p, part[i].data, part[i].len);
        }
    }

    return fliq_sha256(job->request_hash.data, text) == 0 ? NGX_OK
                                                          : NGX_ERROR;
}
