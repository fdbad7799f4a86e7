/*
 * Jobs and their executions on the way out.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


/* A word for a job's state: the reference's, and the client library's. */
typedef struct {
    ngx_str_t    word;
    ngx_str_t    sdk;
} ngx_http_fliq_job_status_t;


static void ngx_http_fliq_job_json_request(json_t **json,
    const ngx_http_fliq_job_t *job);
static void ngx_http_fliq_job_json_state(json_t **json,
    const ngx_http_fliq_job_t *job);
static json_t *ngx_http_fliq_job_json_status(ngx_http_fliq_ctx_t *ctx,
    const ngx_str_t *word);


static const ngx_http_fliq_job_status_t  ngx_http_fliq_job_statuses[] = {
    { ngx_string("scheduled"), ngx_string("pending") },
    { ngx_string("success"),   ngx_string("completed") },
    { ngx_null_string,         ngx_null_string }
};


json_t *
ngx_http_fliq_job_json(ngx_http_fliq_ctx_t *ctx, const void *record)
{
    json_t                     *json, *value;
    const ngx_http_fliq_job_t  *job = record;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("job", &job->id));
    ngx_http_fliq_json_set(&json, "user_id",
                           ngx_http_fliq_json_id("acct", &job->account_id));

    value = ngx_http_fliq_job_json_status(ctx, &job->status);
    ngx_http_fliq_json_set(&json, "status", value);

    ngx_http_fliq_job_json_request(&json, job);
    ngx_http_fliq_job_json_state(&json, job);

    return json;
}


/* What the client asked for. */
static void
ngx_http_fliq_job_json_request(json_t **json, const ngx_http_fliq_job_t *job)
{
    const fliq_id_t         *id;
    ngx_http_fliq_target_t   target;

    target.stream = 0;
    ngx_http_fliq_target_copy(&target, job);
    ngx_http_fliq_target_json(json, &target);

    ngx_http_fliq_json_set(json, "scheduled_at",
                           ngx_http_fliq_json_time(job->scheduled_at));
    ngx_http_fliq_json_set(json, "idempotency_key",
                           ngx_http_fliq_json_str(&job->idempotency_key));

    id = job->is_replay ? &job->replay_of : NULL;
    ngx_http_fliq_json_set(json, "replay_of",
                           ngx_http_fliq_json_id("job", id));

    id = job->is_scheduled ? &job->schedule_id : NULL;
    ngx_http_fliq_json_set(json, "schedule_id",
                           ngx_http_fliq_json_id("sched", id));
}


/* What has come of it. */
static void
ngx_http_fliq_job_json_state(json_t **json, const ngx_http_fliq_job_t *job)
{
    json_t  *value;

    ngx_http_fliq_json_set(json, "execution_count",
                           json_integer(job->attempts));
    ngx_http_fliq_json_set(json, "attempts", json_integer(job->attempts));

    value = ngx_http_fliq_json_status_code(job->last_status_code);
    ngx_http_fliq_json_set(json, "last_status_code", value);
    ngx_http_fliq_json_set(json, "last_error",
                           ngx_http_fliq_json_str(&job->last_error));

    ngx_http_fliq_json_set(json, "next_attempt_at",
                           ngx_http_fliq_json_time(job->next_attempt_at));
    ngx_http_fliq_json_set(json, "started_at",
                           ngx_http_fliq_json_time(job->started_at));
    ngx_http_fliq_json_set(json, "completed_at",
                           ngx_http_fliq_json_time(job->completed_at));
    ngx_http_fliq_json_set(json, "created_at",
                           ngx_http_fliq_json_time(job->created_at));
    ngx_http_fliq_json_set(json, "updated_at",
                           ngx_http_fliq_json_time(job->updated_at));
}


static json_t *
ngx_http_fliq_job_json_status(ngx_http_fliq_ctx_t *ctx, const ngx_str_t *word)
{
    const ngx_http_fliq_job_status_t  *status;

    if (ctx->dialect == NGX_HTTP_FLIQ_DIALECT_REFERENCE) {
        return ngx_http_fliq_json_str(word);
    }

    for (status = ngx_http_fliq_job_statuses; status->word.len; status++) {

        if (word->len == status->word.len
            && ngx_memcmp(word->data, status->word.data, word->len) == 0)
        {
            return ngx_http_fliq_json_str(&status->sdk);
        }
    }

    return ngx_http_fliq_json_str(word);
}


json_t *
ngx_http_fliq_execution_json(const ngx_http_fliq_execution_t *execution)
{
    json_t  *json, *value;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("exec", &execution->id));
    ngx_http_fliq_json_set(&json, "attempt_num",
                           json_integer(execution->attempt_num));
    ngx_http_fliq_json_set(&json, "status",
                           json_string(execution->success ? "success"
                                                          : "failed"));
    value = ngx_http_fliq_json_status_code(execution->status_code);
    ngx_http_fliq_json_set(&json, "status_code", value);
    ngx_http_fliq_json_set(&json, "duration_ms",
                           json_integer(execution->duration_ms));
    ngx_http_fliq_json_set(&json, "executed_at",
                           ngx_http_fliq_json_time(execution->executed_at));
    ngx_http_fliq_json_set(&json, "error",
                           ngx_http_fliq_json_str(&execution->error));
    value = ngx_http_fliq_json_str(&execution->response_excerpt);
    ngx_http_fliq_json_set(&json, "response_excerpt", value);

    return json;
}


json_t *
ngx_http_fliq_attempt_json(const fliq_id_t *job,
    const ngx_http_fliq_execution_t *execution)
{
    json_t   *json, *value;
    int64_t   completed_at;

    completed_at = execution->executed_at
                   + (int64_t) execution->duration_ms * 1000;

    json = json_object();

    ngx_http_fliq_json_set(&json, "id",
                           ngx_http_fliq_json_id("exec", &execution->id));
    ngx_http_fliq_json_set(&json, "job_id", ngx_http_fliq_json_id("job", job));
    ngx_http_fliq_json_set(&json, "attempt_num",
                           json_integer(execution->attempt_num));
    value = ngx_http_fliq_json_id("worker", &execution->owner_id);
    ngx_http_fliq_json_set(&json, "worker_id", value);
    ngx_http_fliq_json_set(&json, "started_at",
                           ngx_http_fliq_json_time(execution->executed_at));
    ngx_http_fliq_json_set(&json, "completed_at",
                           ngx_http_fliq_json_time(completed_at));
    value = ngx_http_fliq_json_status_code(execution->status_code);
    ngx_http_fliq_json_set(&json, "status_code", value);
    ngx_http_fliq_json_set(&json, "error",
                           ngx_http_fliq_json_str(&execution->error));
    ngx_http_fliq_json_set(&json, "duration_ms",
                           json_integer(execution->duration_ms));

    return json;
}
