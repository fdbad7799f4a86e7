/*
 * Buffers and their items on the way out.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


static void ngx_http_fliq_item_json_request(json_t **json,
    const ngx_http_fliq_item_t *item);
static void ngx_http_fliq_item_json_state(json_t **json,
    const ngx_http_fliq_item_t *item);


json_t *
ngx_http_fliq_buffer_json(ngx_http_fliq_ctx_t *ctx, const void *record)
{
    json_t                        *json, *value;
    ngx_http_fliq_target_t         target;
    const ngx_http_fliq_buffer_t  *buffer = record;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("buf", &buffer->id));
    value = ngx_http_fliq_json_id("acct", &buffer->account_id);
    ngx_http_fliq_json_set(&json, "user_id", value);

    ngx_http_fliq_json_set(&json, "name",
                           ngx_http_fliq_json_str(&buffer->name));
    ngx_http_fliq_json_set(&json, "paused", json_boolean(buffer->paused));

    target.stream = 1;
    ngx_http_fliq_target_copy_stream(&target, buffer);
    ngx_http_fliq_target_json(&json, &target);

    ngx_http_fliq_json_set(&json, "rate_limit",
                           json_integer(buffer->rate_limit));

    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(buffer->created_at));
    ngx_http_fliq_json_set(&json, "updated_at",
                           ngx_http_fliq_json_time(buffer->updated_at));

    return json;
}


/* The rate is that of the items which have ended. */
json_t *
ngx_http_fliq_buffer_stats_json(const ngx_http_fliq_buffer_stats_t *stats)
{
    json_t   *json, *rate;
    int64_t   ended;

    ended = stats->completed + stats->failed;
    rate = ngx_http_fliq_json_ratio(stats->completed, ended);

    json = json_object();

    ngx_http_fliq_json_set(&json, "pending", json_integer(stats->pending));
    ngx_http_fliq_json_set(&json, "running", json_integer(stats->running));
    ngx_http_fliq_json_set(&json, "completed",
                           json_integer(stats->completed));
    ngx_http_fliq_json_set(&json, "failed", json_integer(stats->failed));
    ngx_http_fliq_json_set(&json, "total",
                           json_integer(stats->pending + stats->running
                                        + ended));
    ngx_http_fliq_json_set(&json, "success_rate", rate);

    return json;
}


json_t *
ngx_http_fliq_item_json(ngx_http_fliq_ctx_t *ctx, const void *record)
{
    json_t                      *json, *value;
    const ngx_http_fliq_item_t  *item = record;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("item", &item->id));
    value = ngx_http_fliq_json_id("acct", &item->account_id);
    ngx_http_fliq_json_set(&json, "user_id", value);
    ngx_http_fliq_json_set(&json, "buffer_id",
                           ngx_http_fliq_json_id("buf", &item->buffer_id));
    ngx_http_fliq_json_set(&json, "status",
                           ngx_http_fliq_json_str(&item->status));

    ngx_http_fliq_item_json_request(&json, item);
    ngx_http_fliq_item_json_state(&json, item);

    return json;
}


/* What the client asked for. */
static void
ngx_http_fliq_item_json_request(json_t **json,
    const ngx_http_fliq_item_t *item)
{
    const fliq_id_t  *id;

    ngx_http_fliq_json_set(json, "headers",
                           ngx_http_fliq_json_parsed(&item->headers));
    ngx_http_fliq_json_set(json, "body", ngx_http_fliq_json_str(&item->body));
    ngx_http_fliq_json_set(json, "max_retries",
                           json_integer(item->max_retries));
    ngx_http_fliq_json_set(json, "idempotency_key",
                           ngx_http_fliq_json_str(&item->idempotency_key));

    id = item->is_replay ? &item->replay_of : NULL;
    ngx_http_fliq_json_set(json, "replay_of",
                           ngx_http_fliq_json_id("item", id));
}


/* What has come of it. */
static void
ngx_http_fliq_item_json_state(json_t **json, const ngx_http_fliq_item_t *item)
{
    json_t  *value;

    ngx_http_fliq_json_set(json, "attempts", json_integer(item->attempts));
    ngx_http_fliq_json_set(json, "retry_count",
                           json_integer(item->retry_count));

    value = ngx_http_fliq_json_status_code(item->status_code);
    ngx_http_fliq_json_set(json, "status_code", value);
    ngx_http_fliq_json_set(json, "last_error",
                           ngx_http_fliq_json_str(&item->last_error));

    ngx_http_fliq_json_set(json, "created_at",
                           ngx_http_fliq_json_time(item->created_at));
    ngx_http_fliq_json_set(json, "completed_at",
                           ngx_http_fliq_json_time(item->completed_at));
}
