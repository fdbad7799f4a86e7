/*
 * What the files of the api room share: the request's context and its steps,
 * bodies, fields, answers, pages, and the handlers.  docs/api.md tells how a
 * request travels through them.
 */

#ifndef NGX_HTTP_FLIQ_API_PRIVATE_H
#define NGX_HTTP_FLIQ_API_PRIVATE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>

#include "fliq_cron.h"
#include "fliq_id.h"
#include "fliq_url.h"
#include "ngx_http_fliq_api.h"
#include "ngx_http_fliq_error.h"
#include "ngx_http_fliq_route.h"
#include "ngx_http_fliq_store_buffer.h"
#include "ngx_http_fliq_tokens.h"


struct ngx_http_fliq_api_s {
    ngx_http_fliq_api_conf_t    conf;
    ngx_http_fliq_tokens_t     *tokens;
};

/*
 * What follows when the store has answered with NGX_OK or NGX_DECLINED (the
 * other codes are answered before).  Returns as a handler does.
 */
typedef ngx_int_t (*ngx_http_fliq_answer_pt)(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_int_t rc, const void *result);

struct ngx_http_fliq_ctx_s {
    ngx_http_request_t             *request;
    ngx_http_fliq_api_t            *api;    /* NULL: only filtered */
    ngx_http_fliq_dialect_e         dialect;

    const ngx_http_fliq_route_t    *route;
    fliq_id_t                       ids[NGX_HTTP_FLIQ_ROUTE_IDS];
    const fliq_id_t                *job;    /* for $fliq_job */

    ngx_http_fliq_token_t           token;
    ngx_http_fliq_tokens_wait_t     wait;

    ngx_http_fliq_store_call_t     *call;   /* under way */
    ngx_http_fliq_answer_pt         answer;
    ngx_http_fliq_handler_pt        next;   /* behind the gate */
    void                           *data;   /* the handler's own */

    ngx_http_fliq_fault_t           fault;
    ngx_str_t                       shape;  /* in place of nginx's own body */

    unsigned                        known:1;    /* token is set */
    unsigned                        stray:1;    /* an id in the path is none */
    unsigned                        replied:1;  /* the answer is the room's */
    unsigned                        shaped:1;   /* shape has been sent */
};


/* ------------------------------------------------------ steps (api.c) -- */

/*
 * ngx_http_fliq_api_ctx(r, dialect): the request's context, made at the first
 * call; NULL when there is no memory.
 *
 * ngx_http_fliq_api_watch(ctx): notice when the client leaves while nothing
 * else reads from it.
 *
 * ngx_http_fliq_api_authorized(ctx, rc): go on behind authorization, with
 * what ngx_http_fliq_auth_check() returned.
 */
ngx_http_fliq_ctx_t *ngx_http_fliq_api_ctx(ngx_http_request_t *r,
    ngx_http_fliq_dialect_e dialect);
void ngx_http_fliq_api_watch(ngx_http_fliq_ctx_t *ctx);
void ngx_http_fliq_api_authorized(ngx_http_fliq_ctx_t *ctx, ngx_int_t rc);

/*
 * ngx_http_fliq_api_done(ctx, rc, result): the done of every call to the
 * store that a handler makes, with the context as its data.
 *
 * ngx_http_fliq_api_wait(ctx, call, answer): go on in ${answer} when the call
 * is done; a NULL call is answered with 503.  A handler returns with it.
 */
void ngx_http_fliq_api_done(void *data, ngx_int_t rc, const void *result);
ngx_int_t ngx_http_fliq_api_wait(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_store_call_t *call, ngx_http_fliq_answer_pt answer);


/*
 * ngx_http_fliq_api_hint(ctx, due_at), ngx_http_fliq_api_buffer_hint(ctx):
 * see ngx_http_fliq_api_hint_pt and _buffer_hint_pt; lost when nobody listens.
 *
 * ngx_http_fliq_api_make_id(id): a new id; NGX_OK or NGX_ERROR.
 */
void ngx_http_fliq_api_hint(ngx_http_fliq_ctx_t *ctx, int64_t due_at);
void ngx_http_fliq_api_buffer_hint(ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_api_make_id(fliq_id_t *id);


/*
 * ngx_http_fliq_header_find(r, name): the first header of the request with
 * the name ${name}, which is in lower case; NULL when there is none.
 */
ngx_table_elt_t *ngx_http_fliq_header_find(ngx_http_request_t *r,
    const char *name);

/* 1 when the bytes are the same. */
ngx_uint_t ngx_http_fliq_is(const ngx_str_t *value, const char *text);
ngx_uint_t ngx_http_fliq_same(const ngx_str_t *one, const ngx_str_t *other);


/* ---------------------------------------------- authorization (auth.c) -- */

/*
 * ngx_http_fliq_auth_check(r, ctx): judge the request's token for its route.
 * NGX_OK; NGX_DECLINED with a fault recorded; NGX_DONE when
 * ngx_http_fliq_api_authorized() will be called.
 *
 * ngx_http_fliq_auth_hash(r, hash): the SHA-256 of the request's token;
 * NGX_DECLINED when it sent none or one that cannot be genuine.
 */
ngx_int_t ngx_http_fliq_auth_check(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_auth_hash(ngx_http_request_t *r,
    u_char hash[FLIQ_SHA256_SIZE]);


/* --------------------------------------------------- credits (gate.c) -- */

/*
 * ngx_http_fliq_gate(r, ctx, next): go on in ${next} if the account may have
 * more executions, else answer 402 or 429.  An account on the plan unlimited
 * goes on at once.  A handler returns with it.
 */
ngx_int_t ngx_http_fliq_gate(ngx_http_request_t *r, ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_handler_pt next);


/* ---------------------------------- bodies and fields (body.c, field.c) -- */

/*
 * ngx_http_fliq_body_json(r, ctx, body): the object that the client sent; the
 * caller drops it.  NGX_DECLINED with a fault recorded; NGX_ERROR.
 */
ngx_int_t ngx_http_fliq_body_json(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, json_t **body);

/*
 * Fields of a body.  Each returns NGX_OK; NGX_DECLINED with a fault recorded;
 * NGX_ERROR.  A member that is null is absent; what is absent and not
 * required leaves ${value} as it was.  Values are copied to the request's
 * pool.
 *
 * _text: a string without NUL; _bytes: with.
 * _label: a name for human eyes, of at most 256 bytes.
 * _body: what is to be sent, of at most fliq_max_body.
 * _key: idempotency_key, or the header of that name; 1 to 256 bytes.
 * _flag: 1 or 0.
 * _number: an integer from ${min} to ${max}.
 * _headers: the compact JSON text of an object of headers, in its order, and
 * in ${sorted} (or NULL) the same with its names sorted.
 * _url: of what may be called; ${url} is filled, too.
 */
ngx_int_t ngx_http_fliq_field_text(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_uint_t required,
    ngx_str_t *value);
ngx_int_t ngx_http_fliq_field_bytes(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_str_t *value);
ngx_int_t ngx_http_fliq_field_label(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_str_t *value);
ngx_int_t ngx_http_fliq_field_body(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_str_t *value);
ngx_int_t ngx_http_fliq_field_key(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, const json_t *body, ngx_str_t *key);
ngx_int_t ngx_http_fliq_field_flag(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_int_t *value);
ngx_int_t ngx_http_fliq_field_number(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, int32_t min, int32_t max,
    int32_t *value);
ngx_int_t ngx_http_fliq_field_time(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, int64_t *value);
ngx_int_t ngx_http_fliq_field_headers(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_str_t *value,
    ngx_str_t *sorted);
ngx_int_t ngx_http_fliq_field_url(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, const char *name, ngx_uint_t required,
    ngx_str_t *value, fliq_url_t *url);

/*
 * _sent: 1 when ${body} has the member and it is not null; _named: when it
 * has it, be it null.
 */
ngx_uint_t ngx_http_fliq_field_sent(const json_t *body, const char *name);
ngx_uint_t ngx_http_fliq_field_named(const json_t *body, const char *name);


/* ------------------------------------------------- answers (reply.c) -- */

/*
 * Each of these returns what a handler returns.
 *
 * ngx_http_fliq_reply(ctx, status, json): drops ${json}; NULL: no memory.
 * ngx_http_fliq_reply_text(ctx, status, text): JSON text.
 * ngx_http_fliq_reply_none(ctx): 204 without a body.
 */
ngx_int_t ngx_http_fliq_reply(ngx_http_fliq_ctx_t *ctx, ngx_uint_t status,
    json_t *json);
ngx_int_t ngx_http_fliq_reply_text(ngx_http_fliq_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *text);
ngx_int_t ngx_http_fliq_reply_none(ngx_http_fliq_ctx_t *ctx);

/*
 * ngx_http_fliq_reply_header(r, name, value): add a header to the answer;
 * ${name} is constant, ${value} in the request's pool.  NULL: no memory.
 */
ngx_table_elt_t *ngx_http_fliq_reply_header(ngx_http_request_t *r,
    const char *name, const ngx_str_t *value);

/*
 * ngx_http_fliq_reply_location(ctx, prefix, id): where something new is, seen
 * from where the client sent its request to.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_fliq_reply_location(ngx_http_fliq_ctx_t *ctx,
    const char *prefix, const fliq_id_t *id);

/*
 * JSON is built without a check at each step: where there is no memory a
 * value is NULL, and what should have held it becomes NULL, too.
 *
 * _set(object, name, value), _append(array, value): take ${value}.
 * _text(pool, json, flags, text): compact text in ${pool}; NGX_OK, NGX_ERROR.
 * _str: of a string, null when its data is NULL; bytes that are no UTF-8 are
 * replaced.
 * _id, _time, _status_code: null for NULL, NGX_HTTP_FLIQ_NONE and 0.
 * _ratio: of a part to its whole, 0 when that is nothing.
 * _parsed: of JSON text that was kept, null when its data is NULL.
 * _balance: what an account on ${plan} has.
 */
void ngx_http_fliq_json_set(json_t **object, const char *name, json_t *value);
void ngx_http_fliq_json_append(json_t **array, json_t *value);
ngx_int_t ngx_http_fliq_json_text(ngx_pool_t *pool, const json_t *json,
    size_t flags, ngx_str_t *text);
json_t *ngx_http_fliq_json_str(const ngx_str_t *value);
json_t *ngx_http_fliq_json_id(const char *prefix, const fliq_id_t *id);
json_t *ngx_http_fliq_json_time(int64_t value);
json_t *ngx_http_fliq_json_status_code(int32_t value);
json_t *ngx_http_fliq_json_ratio(int64_t part, int64_t whole);
json_t *ngx_http_fliq_json_parsed(const ngx_str_t *text);
json_t *ngx_http_fliq_json_balance(int64_t balance, const ngx_str_t *plan);


/* -------------------------------------------------- pages (page.c) -- */

/* How the records of a list become an answer. */
typedef struct {
    const char    *plural;              /* the name of the list */
    size_t         size;                /* of a record */
    size_t         id;                  /* offset of its fliq_id_t */
    json_t      *(*render)(ngx_http_fliq_ctx_t *ctx, const void *record);
} ngx_http_fliq_page_kind_t;

/* Which page the client asks for. */
typedef struct {
    ngx_uint_t          limit;          /* of rows to ask the store for: one
                                           more than a page holds */
    const fliq_id_t    *before;         /* NULL: the newest */
    fliq_id_t           cursor;
} ngx_http_fliq_page_t;

/*
 * ngx_http_fliq_page_read(r, ctx, page): from limit and cursor; NGX_DECLINED
 * with a fault recorded.
 * ngx_http_fliq_page_reply(ctx, page, kind, list): answer with a page.
 */
ngx_int_t ngx_http_fliq_page_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_page_t *page);
ngx_int_t ngx_http_fliq_page_reply(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_page_t *page, const ngx_http_fliq_page_kind_t *kind,
    const ngx_http_fliq_list_t *list);


/* --------------------------------------------- targets (target.c) -- */

/* What is to be called and how: the same of jobs, schedules and buffers. */
typedef struct {
    ngx_uint_t    stream;               /* a buffer's: the bodies are those of
                                           its items */
    ngx_str_t     url;
    ngx_str_t     method;
    ngx_str_t     headers;
    ngx_str_t     body;
    ngx_str_t     backoff;
    ngx_str_t     webhook_url;
    ngx_str_t     webhook_headers;
    int32_t       max_retries;
    int32_t       timeout_seconds;
    int32_t       lane;
    int32_t       webhook_lane;

    /* the headers that were sent, with their names sorted */
    ngx_str_t     sorted;
    ngx_str_t     webhook_sorted;
} ngx_http_fliq_target_t;

/* From or to a record of the store, where the members have these names. */
#define ngx_http_fliq_target_copy(dst, src)                                   \
    do {                                                                      \
        (dst)->body = (src)->body;                                            \
        ngx_http_fliq_target_copy_stream(dst, src);                           \
    } while (0)

#define ngx_http_fliq_target_copy_stream(dst, src)                            \
    do {                                                                      \
        (dst)->url = (src)->url;                                              \
        (dst)->method = (src)->method;                                        \
        (dst)->headers = (src)->headers;                                      \
        (dst)->backoff = (src)->backoff;                                      \
        (dst)->webhook_url = (src)->webhook_url;                              \
        (dst)->webhook_headers = (src)->webhook_headers;                      \
        (dst)->max_retries = (src)->max_retries;                              \
        (dst)->timeout_seconds = (src)->timeout_seconds;                      \
        (dst)->lane = (src)->lane;                                            \
        (dst)->webhook_lane = (src)->webhook_lane;                            \
    } while (0)

/*
 * ngx_http_fliq_target_init(ctx, target, stream): the defaults, and no URL.
 *
 * ngx_http_fliq_target_read(ctx, body, target): read and check its fields in
 * a body.  What ${body} does not name stays as it is in ${target}, what is
 * null there becomes the default; a URL must be there in the end.  NGX_OK;
 * NGX_DECLINED with a fault recorded; NGX_ERROR.
 *
 * ngx_http_fliq_target_json(json, target): set the members of an object.
 */
void ngx_http_fliq_target_init(ngx_http_fliq_ctx_t *ctx,
    ngx_http_fliq_target_t *target, ngx_uint_t stream);
ngx_int_t ngx_http_fliq_target_read(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_target_t *target);
void ngx_http_fliq_target_json(json_t **json,
    const ngx_http_fliq_target_t *target);


/* --------------------------------------- jobs (job_in.c, job_out.c) -- */

/*
 * ngx_http_fliq_job_read(r, ctx, job): read and check the body of a create;
 * fill what the store wants, the account and a new id included.
 */
ngx_int_t ngx_http_fliq_job_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_job_t *job);

/*
 * A record as the object that clients see; NULL when there is no memory.
 */
json_t *ngx_http_fliq_job_json(ngx_http_fliq_ctx_t *ctx, const void *job);
json_t *ngx_http_fliq_execution_json(
    const ngx_http_fliq_execution_t *execution);
json_t *ngx_http_fliq_attempt_json(const fliq_id_t *job,
    const ngx_http_fliq_execution_t *execution);


/*
 * ngx_http_fliq_job_filter(r, ctx, which): what ?status= selects; NGX_OK, or
 * NGX_DECLINED with a fault recorded.
 */
ngx_int_t ngx_http_fliq_job_filter(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_jobs_e *which);

extern const ngx_http_fliq_page_kind_t  ngx_http_fliq_job_kind;


/* -------------------------- schedules (schedule_in.c, schedule_out.c) -- */

/*
 * ngx_http_fliq_schedule_read(ctx, body, schedule): read and check a body
 * over what is in ${schedule}, as _target_read() does.  next_run_at is NONE
 * afterwards when it has to be computed.
 *
 * ngx_http_fliq_schedule_arm(schedule): make next_run_at suit the rest: none
 * when it is paused, the first run after ${schedule}->now when there is none.
 *
 * ngx_http_fliq_schedule_keep(pool, schedule): copy its strings; NGX_OK or
 * NGX_ERROR.
 *
 * ngx_http_fliq_schedule_hint(ctx, schedule): pass on when it runs next.
 *
 * ngx_http_fliq_schedule_cron(ctx, text, cron): parse an expression that a
 * client sent; NGX_OK, or NGX_DECLINED with a fault recorded.
 */
ngx_int_t ngx_http_fliq_schedule_read(ngx_http_fliq_ctx_t *ctx,
    const json_t *body, ngx_http_fliq_schedule_t *schedule);
void ngx_http_fliq_schedule_arm(ngx_http_fliq_schedule_t *schedule);
ngx_int_t ngx_http_fliq_schedule_keep(ngx_pool_t *pool,
    ngx_http_fliq_schedule_t *schedule);
void ngx_http_fliq_schedule_hint(ngx_http_fliq_ctx_t *ctx,
    const ngx_http_fliq_schedule_t *schedule);
ngx_int_t ngx_http_fliq_schedule_cron(ngx_http_fliq_ctx_t *ctx,
    const ngx_str_t *text, fliq_cron_t *cron);
json_t *ngx_http_fliq_schedule_json(ngx_http_fliq_ctx_t *ctx,
    const void *schedule);


/* ------------------------------- buffers (buffer_in.c, buffer_out.c) -- */

/*
 * ngx_http_fliq_buffer_read(r, ctx, buffer), ngx_http_fliq_item_read(r, ctx,
 * item): read and check the body of a create or a push; fill what the store
 * wants, the account and a new id included.  NGX_OK; NGX_DECLINED with a
 * fault recorded; NGX_ERROR.
 *
 * _buffer_json, _buffer_stats_json, _item_json: a record as the object that
 * clients see; NULL when there is no memory.
 */
ngx_int_t ngx_http_fliq_buffer_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_buffer_t *buffer);
ngx_int_t ngx_http_fliq_item_read(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx, ngx_http_fliq_item_t *item);
json_t *ngx_http_fliq_buffer_json(ngx_http_fliq_ctx_t *ctx,
    const void *buffer);
json_t *ngx_http_fliq_buffer_stats_json(
    const ngx_http_fliq_buffer_stats_t *stats);
json_t *ngx_http_fliq_item_json(ngx_http_fliq_ctx_t *ctx, const void *item);


/* ---------------------------------------------------------- handlers -- */

ngx_int_t ngx_http_fliq_health_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_openapi_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_jobs_create(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_list(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_cancel(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_executions(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_attempts(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_jobs_replay(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_schedules_create(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_list(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_update(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_delete(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_pause(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_resume(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_jobs(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_schedules_preview(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_buffers_create(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_list(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_delete(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_pause(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_resume(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_buffers_stats(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_items_push(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_items_list(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_items_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_items_replay(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_alerts_create(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_alerts_list(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_alerts_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_alerts_update(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_alerts_delete(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_stats_jobs(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_stats_usage(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_billing_balance(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_billing_transactions(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_billing_checkout(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);

ngx_int_t ngx_http_fliq_secrets_create_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_secrets_list_tokens(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_secrets_revoke_token(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_secrets_get(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);
ngx_int_t ngx_http_fliq_secrets_rotate(ngx_http_request_t *r,
    ngx_http_fliq_ctx_t *ctx);


#endif /* NGX_HTTP_FLIQ_API_PRIVATE_H */
