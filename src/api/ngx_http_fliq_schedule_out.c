/*
 * Schedules on the way out.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


json_t *
ngx_http_fliq_schedule_json(ngx_http_fliq_ctx_t *ctx, const void *record)
{
    json_t                          *json, *value;
    ngx_http_fliq_target_t           target;
    const ngx_http_fliq_schedule_t  *schedule = record;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("sched", &schedule->id));
    value = ngx_http_fliq_json_id("acct", &schedule->account_id);
    ngx_http_fliq_json_set(&json, "user_id", value);

    ngx_http_fliq_json_set(&json, "name",
                           ngx_http_fliq_json_str(&schedule->name));
    ngx_http_fliq_json_set(&json, "cron",
                           ngx_http_fliq_json_str(&schedule->cron));
    ngx_http_fliq_json_set(&json, "cron_expr",
                           ngx_http_fliq_json_str(&schedule->cron));

    ngx_http_fliq_json_set(&json, "status",
                           json_string(schedule->paused ? "paused"
                                                        : "active"));
    ngx_http_fliq_json_set(&json, "paused", json_boolean(schedule->paused));

    target.stream = 0;
    ngx_http_fliq_target_copy(&target, schedule);
    ngx_http_fliq_target_json(&json, &target);

    ngx_http_fliq_json_set(&json, "next_run_at",
                           ngx_http_fliq_json_time(schedule->next_run_at));
    ngx_http_fliq_json_set(&json, "last_run_at",
                           ngx_http_fliq_json_time(schedule->last_run_at));
    ngx_http_fliq_json_set(&json, "created_at",
                           ngx_http_fliq_json_time(schedule->created_at));
    ngx_http_fliq_json_set(&json, "updated_at",
                           ngx_http_fliq_json_time(schedule->updated_at));

    return json;
}


void
ngx_http_fliq_schedule_hint(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_schedule_t *schedule)
{
    if (schedule->next_run_at != NGX_HTTP_FLIQ_NONE) {
        ngx_http_fliq_api_hint(ctx, schedule->next_run_at);
    }
}
