/*
 * A schedule on its way in: from a body to the record of the store.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_CRON_MAX  1024
#define NGX_HTTP_FLIQ_CRON_WHY  160


static ngx_int_t ngx_http_fliq_schedule_in_cron(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_schedule_t *schedule);
static ngx_int_t ngx_http_fliq_schedule_in_name(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_schedule_t *schedule);
static ngx_int_t ngx_http_fliq_schedule_in_state(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_schedule_t *schedule);


ngx_int_t
ngx_http_fliq_schedule_read(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_schedule_t *schedule)
{
    ngx_int_t               rc;
    ngx_http_fliq_target_t  target;

    ngx_http_fliq_target_init(ctx, &target, 0);

    if (schedule->url.data != NULL) {
        ngx_http_fliq_target_copy(&target, schedule);
    }

    rc = ngx_http_fliq_target_read(ctx, body, &target);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_fliq_target_copy(schedule, &target);

    rc = ngx_http_fliq_schedule_in_cron(ctx, body, schedule);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_schedule_in_name(ctx, body, schedule);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_schedule_in_state(ctx, body, schedule);
    }

    return rc;
}


/* A run that is due stays so when the expression is only repeated. */
static ngx_int_t
ngx_http_fliq_schedule_in_cron(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_schedule_t *schedule)
{
    ngx_int_t    rc;
    ngx_str_t    text, other;
    fliq_cron_t  cron;

    if (schedule->cron.data != NULL
        && !ngx_http_fliq_field_named(body, "cron")
        && !ngx_http_fliq_field_named(body, "cron_expr"))
    {
        return NGX_OK;
    }

    ngx_str_null(&text);
    ngx_str_null(&other);

    rc = ngx_http_fliq_field_text(ctx, body, "cron", 0, &text);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_text(ctx, body, "cron_expr", 0, &other);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (text.data == NULL) {
        text = other;
    }

    if (text.data == NULL) {
        return ngx_http_fliq_fault_field(ctx, "cron", "is required");
    }

    if (other.data != NULL && !ngx_http_fliq_same(&text, &other)) {
        return ngx_http_fliq_fault_field(ctx, "cron",
                         "must be the same as cron_expr when both are sent");
    }

    rc = ngx_http_fliq_schedule_cron(ctx, &text, &cron);

    if (rc == NGX_OK && !ngx_http_fliq_same(&text, &schedule->cron)) {
        schedule->cron = text;
        schedule->next_run_at = NGX_HTTP_FLIQ_NONE;
    }

    return rc;
}


ngx_int_t
ngx_http_fliq_schedule_cron(ngx_http_fliq_ctx_t *ctx, const ngx_str_t *text,
    fliq_cron_t *cron)
{
    char        why[NGX_HTTP_FLIQ_CRON_WHY];
    fliq_str_t  view;

    if (text->len > NGX_HTTP_FLIQ_CRON_MAX) {
        return ngx_http_fliq_fault_field(ctx, "cron",
                                         "must be at most %d bytes long",
                                         NGX_HTTP_FLIQ_CRON_MAX);
    }

    view.data = text->data;
    view.len = text->len;

    if (fliq_cron_parse(view, cron, why, sizeof(why)) != 0) {
        return ngx_http_fliq_fault_field(ctx, "cron", "is invalid: %s", why);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_schedule_in_name(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_schedule_t *schedule)
{
    if (schedule->name.data == NULL
        || ngx_http_fliq_field_named(body, "name"))
    {
        ngx_str_set(&schedule->name, "");
    }

    return ngx_http_fliq_field_label(ctx, body, "name", &schedule->name);
}


static ngx_int_t
ngx_http_fliq_schedule_in_state(ngx_http_fliq_ctx_t *ctx, const json_t *body,
    ngx_http_fliq_schedule_t *schedule)
{
    ngx_int_t  rc, flag, paused;
    ngx_str_t  status;

    flag = -1;
    paused = -1;

    ngx_str_null(&status);

    rc = ngx_http_fliq_field_flag(ctx, body, "paused", &flag);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_field_text(ctx, body, "status", 0, &status);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (status.data != NULL) {
        paused = ngx_http_fliq_is(&status, "paused");

        if (!paused && !ngx_http_fliq_is(&status, "active")) {
            return ngx_http_fliq_fault_field(ctx, "status",
                                         "must be \"active\" or \"paused\"");
        }
    }

    if (flag != -1 && paused != -1 && flag != paused) {
        return ngx_http_fliq_fault_field(ctx, "status",
                               "must agree with paused when both are sent");
    }

    if (flag != -1 || paused != -1) {
        schedule->paused = (flag == 1 || paused == 1);
    }

    return NGX_OK;
}


void
ngx_http_fliq_schedule_arm(ngx_http_fliq_schedule_t *schedule)
{
    char         why[NGX_HTTP_FLIQ_CRON_WHY];
    fliq_str_t   text;
    fliq_cron_t  cron;

    if (schedule->paused) {
        schedule->next_run_at = NGX_HTTP_FLIQ_NONE;
        return;
    }

    if (schedule->next_run_at != NGX_HTTP_FLIQ_NONE) {
        return;
    }

    text.data = schedule->cron.data;
    text.len = schedule->cron.len;

    if (fliq_cron_parse(text, &cron, why, sizeof(why)) != 0) {
        return;
    }

    schedule->next_run_at = fliq_cron_next(&cron, schedule->now);

    if (schedule->next_run_at == -1) {
        schedule->next_run_at = NGX_HTTP_FLIQ_NONE;
    }
}


ngx_int_t
ngx_http_fliq_schedule_keep(ngx_pool_t *pool,
    ngx_http_fliq_schedule_t *schedule)
{
    ngx_str_t   *strings[] = {
        &schedule->name, &schedule->cron, &schedule->backoff,
        &schedule->method, &schedule->url, &schedule->headers,
        &schedule->body, &schedule->webhook_url, &schedule->webhook_headers
    };
    ngx_uint_t   i;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {

        if (strings[i]->data == NULL) {
            continue;
        }

        strings[i]->data = ngx_pstrdup(pool, strings[i]);

        if (strings[i]->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
