/*
 * A webhook or an alert: one POST.
 */

#include "ngx_http_fliq_disp_private.h"


#define NGX_HTTP_FLIQ_DISP_POST_POOL  2048


static ngx_int_t ngx_http_fliq_disp_post_fill(
    ngx_http_fliq_disp_post_t *post, const ngx_http_fliq_post_t *row);
static void ngx_http_fliq_disp_post_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer);


ngx_int_t
ngx_http_fliq_disp_post_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_post_t *row)
{
    ngx_pool_t                   *pool;
    ngx_http_fliq_disp_post_t    *post;
    ngx_http_fliq_disp_outbox_t  *outbox;

    outbox = &disp->outbox;

    pool = ngx_create_pool(NGX_HTTP_FLIQ_DISP_POST_POOL, disp->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    post = ngx_pcalloc(pool, sizeof(ngx_http_fliq_disp_post_t));
    if (post == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    post->disp = disp;
    post->pool = pool;
    post->id = row->id;

    if (ngx_http_fliq_disp_post_fill(post, row) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    post->lane = ngx_http_fliq_disp_lane_take(&disp->lanes, row->lane);
    post->own = ngx_http_fliq_disp_lane_take(&outbox->lanes, row->lane);

    ngx_queue_insert_tail(&outbox->flying, &post->queue);
    outbox->nposts++;

    if (row->refused.data == NULL) {
        post->call = ngx_http_fliq_disp_call_start(&disp->multi, pool,
                         &post->request, ngx_http_fliq_disp_post_answered,
                         post);
    }

    if (post->call == NULL) {
        ngx_http_fliq_disp_outbox_tried(post);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_disp_post_fill(ngx_http_fliq_disp_post_t *post,
    const ngx_http_fliq_post_t *row)
{
    fliq_id_t                      id;
    ngx_pool_t                    *pool;
    ngx_http_fliq_disp_request_t  *request;

    pool = post->pool;
    request = &post->request;

    ngx_str_set(&request->method, "POST");
    request->attempt = 1;
    request->timeout = post->disp->conf.webhook_timeout;

    if (fliq_id_make(&id, ngx_http_fliq_disp_clock_now(&post->disp->clock)
                          / 1000)
           != 0
        || ngx_http_fliq_disp_copy(pool, &request->url, &row->url) != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->headers, &row->headers)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->body, &row->body)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->secret, &row->secret)
           != NGX_OK
        || ngx_http_fliq_disp_copy(pool, &request->delivery_id,
                                   &row->delivery_id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_fliq_disp_copy_id(pool, &request->request_id, "req", &id);
}


static void
ngx_http_fliq_disp_post_answered(void *data,
    const ngx_http_fliq_disp_answer_t *answer)
{
    ngx_http_fliq_disp_post_t *post = data;

    ngx_http_fliq_disp_t  *disp;

    disp = post->disp;
    post->call = NULL;

    if (answer->status < 200 || answer->status > 299) {
        ngx_log_error(NGX_LOG_INFO, disp->log, 0,
                      "a webhook or an alert of %V was not taken: %V (%D)",
                      &post->request.delivery_id, &answer->error,
                      answer->status);
    }

    ngx_http_fliq_disp_outbox_tried(post);
    ngx_http_fliq_disp_outbox_claim(disp);
}
