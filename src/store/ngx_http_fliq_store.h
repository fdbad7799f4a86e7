/*
 * The store room: one function for each statement in sql/, which binds its
 * parameters, runs it and decodes what comes back into plain records.
 *
 * Conventions of every function that takes a "done":
 *   - It returns a call, or NULL when the database is away or its queue is
 *     full (answer 503 at once); with NULL, done is not called.
 *   - done is called exactly once, never from inside the function, with
 *     NGX_OK        and the result that the function's comment names;
 *     NGX_DECLINED  the row is not there, or the function's own reason;
 *     NGX_BUSY      the database went away or did not answer in time;
 *     NGX_ERROR     it refused the statement, or gave a value that no
 *                   encryption key opens (logged).
 *     The result is NULL unless the comment says otherwise.  The result and
 *     what it points to are valid only during the call of done.
 *   - ngx_http_fliq_store_cancel(call) guarantees that done is not called;
 *     what was sent still takes effect.  A call is not touched after done.
 *   - Parameters are copied or live in ${pool}, which must outlive the call.
 *
 * Times are microseconds since 1970; NGX_HTTP_FLIQ_NONE is an SQL NULL.  A
 * string with NULL data is an SQL NULL.
 */

#ifndef NGX_HTTP_FLIQ_STORE_H
#define NGX_HTTP_FLIQ_STORE_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "fliq_id.h"
#include "fliq_hist.h"
#include "fliq_seal.h"
#include "fliq_sign.h"
#include "fliq_backoff.h"
#include "ngx_http_fliq_db.h"


#define NGX_HTTP_FLIQ_NONE  INT64_MIN


typedef struct ngx_http_fliq_store_s       ngx_http_fliq_store_t;
typedef struct ngx_http_fliq_store_call_s  ngx_http_fliq_store_call_t;

typedef void (*ngx_http_fliq_store_done_pt)(void *data, ngx_int_t rc,
    const void *result);


/* The settings that the front door read from nginx.conf. */
typedef struct {
    const ngx_http_fliq_db_target_t    *target;
    ngx_uint_t                          connections;    /* for the API */
    ngx_uint_t                          queue;
    ngx_msec_t                          timeout;
    ngx_uint_t                          dispatcher;     /* 1: make the claim
                                                           and settle pools */
    const fliq_seal_ring_t             *ring;           /* encrypts headers,
                                                           bodies and signing
                                                           secrets; n may be
                                                           0 */
} ngx_http_fliq_store_conf_t;


/*
 * ngx_http_fliq_store_key_slot(cf, cmd, conf):
 * A setter for the directive table: adds the key in the file that is named to
 * the fliq_seal_ring_t at the command's offset in ${conf}.  Refused are a
 * file that everybody can read or others can write, and one without a key.
 */
char *ngx_http_fliq_store_key_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * ngx_http_fliq_store_create(conf, log):
 * Open the pools of this worker: "api", and with conf->dispatcher "claim" (one
 * connection, whose session is the dispatcher's identity) and "settle" (one).
 * Each connection first brings the schema up to date, one node at a time; a
 * schema newer than this module is refused.  NULL when there is no memory.
 *
 * ngx_http_fliq_store_ready(store, handler, data): call ${handler} each time
 * that the claim pool has a new session.
 * ngx_http_fliq_store_keep(store, keep): see ngx_http_fliq_db_keep(); for the
 * claim and settle pools.
 * ngx_http_fliq_store_up(store): 1 when the api pool has a connection.
 */
ngx_http_fliq_store_t *ngx_http_fliq_store_create(
    const ngx_http_fliq_store_conf_t *conf, ngx_log_t *log);
void ngx_http_fliq_store_ready(ngx_http_fliq_store_t *store,
    ngx_http_fliq_db_ready_pt handler, void *data);
void ngx_http_fliq_store_keep(ngx_http_fliq_store_t *store, ngx_uint_t keep);
ngx_uint_t ngx_http_fliq_store_up(ngx_http_fliq_store_t *store);
void ngx_http_fliq_store_destroy(ngx_http_fliq_store_t *store);

void ngx_http_fliq_store_cancel(ngx_http_fliq_store_call_t *call);


/* ------------------------------------------------------------- the API -- */

/*
 * Ask the database for a sign of life.  Result: NULL.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_ping(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    fliq_id_t     account_id;
    fliq_id_t     id;
    ngx_str_t     status;               /* scheduled, pending, running,
                                           success, failed, cancelled */
    ngx_str_t     backoff;              /* exponential, linear */
    int32_t       max_retries;
    int32_t       last_status_code;     /* 0: null */
    int32_t       timeout_seconds;
    int32_t       attempts;
    int32_t       lane;                 /* fliq_url_lane(); create only */
    int32_t       webhook_lane;         /* of webhook_url; create only */
    int64_t       scheduled_at;
    int64_t       next_attempt_at;
    int64_t       created_at;
    int64_t       updated_at;
    int64_t       started_at;
    int64_t       completed_at;
    ngx_uint_t    is_replay;
    fliq_id_t     replay_of;
    ngx_uint_t    is_scheduled;
    fliq_id_t     schedule_id;
    ngx_str_t     method;
    ngx_str_t     url;
    ngx_str_t     headers;              /* JSON text of an object */
    ngx_str_t     body;
    ngx_str_t     idempotency_key;
    ngx_str_t     request_hash;         /* 32 bytes with a key, else NULL */
    ngx_str_t     webhook_url;
    ngx_str_t     webhook_headers;      /* JSON text of an object */
    ngx_str_t     last_error;
} ngx_http_fliq_job_t;

/*
 * Create a job.  The caller fills account_id, id, backoff, max_retries,
 * timeout_seconds, lane, scheduled_at and the strings, and keeps the record
 * and its strings until done or the cancel; a job cancelled before it was
 * sent is not created.  Jobs that arrive while a commit is under way travel
 * together in the next one.
 * Result: ngx_http_fliq_job_t, with NGX_OK the new job (the caller's own
 * record, status, created_at, updated_at and next_attempt_at filled in);
 * with NGX_DECLINED and a result, the job that used the idempotency key
 * before (compare request_hash: equal is a replay of the same request);
 * with NGX_DECLINED and NULL, scheduled_at is not later than the database's
 * clock.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_create(
    ngx_http_fliq_store_t *store, ngx_http_fliq_job_t *job,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * The job that used the idempotency key of ${job} before, to be asked when
 * something else has to be judged ahead of a create.  The caller keeps
 * ${job} until done.  Result: ngx_http_fliq_job_t; NGX_DECLINED: none did.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_by_key(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_job_t *job, ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * Result: ngx_http_fliq_job_t; NGX_DECLINED when the account has none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef enum {
    NGX_HTTP_FLIQ_JOBS_ALL = 0,
    NGX_HTTP_FLIQ_JOBS_WAITING,
    NGX_HTTP_FLIQ_JOBS_RUNNING,
    NGX_HTTP_FLIQ_JOBS_SUCCESS,
    NGX_HTTP_FLIQ_JOBS_FAILED,
    NGX_HTTP_FLIQ_JOBS_CANCELLED
} ngx_http_fliq_jobs_e;

/*
 * A list of ${n} records of the type that the function names.
 */
typedef struct {
    ngx_uint_t    n;
    void         *records;
} ngx_http_fliq_list_t;

/*
 * At most ${limit} jobs with ids below ${before} (NULL: the newest), newest
 * first.  Result: ngx_http_fliq_list_t of ngx_http_fliq_job_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_jobs_e which, const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    ngx_uint_t    found;
    ngx_uint_t    cancelled;            /* 0: it runs or has ended */
} ngx_http_fliq_cancelled_t;

/*
 * Result: ngx_http_fliq_cancelled_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_cancel(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    fliq_id_t     id;
    fliq_id_t     owner_id;
    int64_t       executed_at;
    int32_t       duration_ms;
    int32_t       attempt_num;
    int32_t       status_code;          /* 0: null */
    ngx_uint_t    success;
    ngx_str_t     error;
    ngx_str_t     response_excerpt;
} ngx_http_fliq_execution_t;

/*
 * All attempts of a job in their order.  Result: ngx_http_fliq_list_t of
 * ngx_http_fliq_execution_t; NGX_DECLINED when there is no such job.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_execution_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


typedef struct {
    ngx_uint_t             found;
    ngx_uint_t             replayed;    /* 0: it has not failed */
    ngx_http_fliq_job_t    clone;       /* as it was made */
} ngx_http_fliq_replayed_t;

/*
 * Clone the failed job ${id} into ${clone}, due now.  Result:
 * ngx_http_fliq_replayed_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_job_replay(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, const fliq_id_t *clone,
    ngx_http_fliq_store_done_pt done, void *data);


/* ----------------------------------------------------------- schedules -- */

typedef struct {
    fliq_id_t     account_id;
    fliq_id_t     id;
    ngx_str_t     name;                 /* "": none */
    ngx_str_t     cron;
    ngx_uint_t    paused;               /* next_run_at must be NONE then */
    ngx_str_t     backoff;
    int32_t       max_retries;
    int32_t       timeout_seconds;
    int32_t       lane;                 /* create and update only */
    int32_t       webhook_lane;         /* create and update only */
    int64_t       next_run_at;
    int64_t       last_run_at;
    int64_t       created_at;
    int64_t       updated_at;
    ngx_str_t     method;
    ngx_str_t     url;
    ngx_str_t     headers;
    ngx_str_t     body;
    ngx_str_t     webhook_url;
    ngx_str_t     webhook_headers;
    int64_t       now;                  /* the database's clock */
} ngx_http_fliq_schedule_t;

/*
 * The database's clock.  Result: int64_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_clock(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * Create ${schedule}, which the caller keeps until done; next_run_at is the
 * caller's.  Result: ngx_http_fliq_schedule_t; NGX_DECLINED when the account
 * uses the name already.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_schedule_t *schedule,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * Write ${schedule} over the one of the same id, whose updated_at must still
 * be that of the record, and which must not have spawned the run next_run_at
 * already.  Result: ngx_http_fliq_schedule_t; NGX_DECLINED with a result when
 * the name is taken, with NULL when it was changed or deleted by somebody
 * else.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_update(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_schedule_t *schedule,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * Result: ngx_http_fliq_schedule_t; NGX_DECLINED when there is none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);

/*
 * As _job_list.  Result: ngx_http_fliq_list_t of ngx_http_fliq_schedule_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * Result: NULL; NGX_DECLINED when there is none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_delete(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);

/*
 * Pause (${next_run_at} NGX_HTTP_FLIQ_NONE, ${cron} with NULL data) or set
 * going, with the run that was computed from ${cron}.  Result: ngx_uint_t,
 * whether that changed anything; NGX_DECLINED when there is none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_pause(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, int64_t next_run_at, const ngx_str_t *cron,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * As _job_list, of the jobs that a schedule spawned.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_jobs(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_jobs_e which, const fliq_id_t *before,
    ngx_uint_t limit, ngx_http_fliq_store_done_pt done, void *data);


/* ------------------------------------------------------ alert channels -- */

typedef struct {
    fliq_id_t     account_id;           /* create only */
    fliq_id_t     id;
    ngx_str_t     type;                 /* webhook, slack */
    ngx_str_t     name;
    ngx_str_t     target;
    ngx_uint_t    enabled;
    int32_t       lane;                 /* of target; create only */
    int64_t       created_at;
    int64_t       updated_at;
} ngx_http_fliq_alert_t;

/*
 * _create:  Result: ngx_http_fliq_alert_t.
 * _get:     Result: ngx_http_fliq_alert_t; NGX_DECLINED: none such.
 * _list:    Result: ngx_http_fliq_list_t of ngx_http_fliq_alert_t.
 * _update:  ${name} NULL and ${enabled} -1 keep what is there.  Result: NULL;
 *           NGX_DECLINED: none such.
 * _delete:  Result: NULL; NGX_DECLINED: none such.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_alert_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_alert_t *alert, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_alert_get(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_alert_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_alert_update(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, const ngx_str_t *name, ngx_int_t enabled,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_alert_delete(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *id, ngx_http_fliq_store_done_pt done, void *data);


/* ----------------------------------------------------------- analytics -- */

typedef struct {
    int64_t       executions;
    int64_t       succeeded;
    int64_t       failed;
    int64_t       duration_ms_sum;
} ngx_http_fliq_stats_t;

typedef struct {
    int32_t       day;                  /* counted from 1970-01-01 */
    int64_t       jobs;
    int64_t       buffers;
} ngx_http_fliq_usage_day_t;

typedef struct {
    int64_t       balance;
    ngx_str_t     plan;                 /* unlimited, free, paid */
    ngx_uint_t    n;                    /* oldest first, none left out */
    ngx_http_fliq_usage_day_t    *days;
} ngx_http_fliq_usage_t;

/*
 * The last ${days} UTC days, today included.
 * _stats_jobs:       Result: ngx_http_fliq_stats_t.
 * _stats_durations:  Result: ngx_http_fliq_list_t of fliq_hist_entry_t, by
 *                    bucket.
 * _stats_usage:      Result: ngx_http_fliq_usage_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_stats_jobs(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_uint_t days, ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_stats_durations(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_uint_t days, ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_stats_usage(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_uint_t days, ngx_http_fliq_store_done_pt done, void *data);


/* ------------------------------------------------------------- credits -- */

typedef struct {
    ngx_uint_t    credits;              /* some are left */
    ngx_uint_t    today;                /* the daily limit is not reached */
    int32_t       seconds;              /* until the next UTC day */
} ngx_http_fliq_gate_t;

typedef struct {
    int64_t       balance;
    ngx_str_t     plan;
    int32_t       daily_limit;          /* -1: none */
} ngx_http_fliq_balance_t;

typedef struct {
    fliq_id_t     id;
    ngx_str_t     type;                 /* job_execution, buffer_execution,
                                           grant */
    int64_t       amount;               /* negative: spent */
    ngx_str_t     description;
    int64_t       created_at;
} ngx_http_fliq_credit_t;

/*
 * _account_gate:     Result: ngx_http_fliq_gate_t.
 * _account_balance:  Result: ngx_http_fliq_balance_t.
 * _credit_list:      as _job_list; Result: ngx_http_fliq_list_t of
 *                    ngx_http_fliq_credit_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_account_gate(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_account_balance(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_credit_list(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const fliq_id_t *account,
    const fliq_id_t *before, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);


/* ------------------------------------------------------ the dispatcher -- */

typedef struct {
    fliq_id_t     id;
    int64_t       lock_key;
} ngx_http_fliq_owner_t;

/*
 * An identity's life (see sql/owner_*.sql).  _lock and _beat run on the claim
 * pool's session.
 *   _lock:    Result: ngx_uint_t, 1 when the session holds the lock.
 *   _create:  Result: int64_t, the database's clock.
 *   _beat:    Result: int64_t, the database's clock; NGX_DECLINED when the
 *             identity was buried.
 *   _reap:    probe the others, bury the dead and give away what was theirs:
 *             owner_probe, owner_bury, outbox_release, buffer_release,
 *             buffer_sweep (items of deleted buffers, whoever deleted them),
 *             claim_release in turn.
 *             Result: ngx_uint_t, how many jobs became due again.
 *   _leave:   Result: NULL.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_owner_lock(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_owner_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_owner_beat(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_owner_reap(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_owner_leave(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * Make the partitions that the next weeks need.  Result: NULL.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_partition_create(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * Make totals of some of the statistics of days that are over.  Result:
 * ngx_uint_t, how many rows went into them; when not 0 there may be more.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_usage_close(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);


/*
 * When the next job is due after now.  Result: ngx_http_fliq_due_t.
 */
typedef struct {
    int64_t    due_at;                  /* NGX_HTTP_FLIQ_NONE: none waits */
    int64_t    now;                     /* the database's clock */
} ngx_http_fliq_due_t;

ngx_http_fliq_store_call_t *ngx_http_fliq_store_due_next(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);


/* One attempt to make. */
typedef struct {
    int64_t                claim_id;
    fliq_id_t              account_id;
    fliq_id_t              id;
    int32_t                attempt;     /* 1, 2, ... */
    int32_t                max_retries;
    int32_t                timeout_seconds;
    int32_t                lane;
    fliq_backoff_kind_t    backoff;
    int64_t                due_at;
    ngx_str_t              method;
    ngx_str_t              url;
    ngx_str_t              headers;     /* JSON text of an object, or NULL */
    ngx_str_t              body;        /* NULL: none */
    ngx_str_t              secret;      /* NULL: do not sign */
    ngx_str_t              refused;     /* NULL, or why the account may not
                                           have it fired or it cannot be
                                           decrypted: it fails with this as
                                           its error, without a request */
} ngx_http_fliq_attempt_t;

typedef struct {
    const ngx_http_fliq_owner_t    *owner;
    ngx_uint_t                      limit;
    const int32_t                  *blocked;    /* lanes to pass over */
    ngx_uint_t                      nblocked;
    ngx_uint_t                      by_lane;    /* 1: claim_lanes.sql */
    fliq_id_t                       after_account;  /* by_lane: begin behind */
    int32_t                         after_lane;
    ngx_uint_t                      lanes;      /* by_lane: visit at most */
    ngx_uint_t                      per_lane;   /* by_lane: rows of one */
} ngx_http_fliq_claim_t;

/*
 * Claim due jobs.  They belong to the owner from the commit of this; all of
 * them share one claim_id.  Result: ngx_http_fliq_list_t of
 * ngx_http_fliq_attempt_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_claim(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_claim_t *claim, ngx_http_fliq_store_done_pt done,
    void *data);

/*
 * After a claim that ended with NGX_BUSY or NGX_ERROR nobody knows whether it
 * took effect: make due again what ${owner} holds in claims other than the
 * ${nknown} that it knows.  Not while a claim is in flight.  Result:
 * ngx_uint_t, how many jobs became due again.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_claim_disown(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, const int64_t *known,
    ngx_uint_t nknown, ngx_http_fliq_store_done_pt done, void *data);


typedef enum {
    NGX_HTTP_FLIQ_SUCCESS = 0,
    NGX_HTTP_FLIQ_FAILED,               /* for good */
    NGX_HTTP_FLIQ_RETRY
} ngx_http_fliq_verdict_e;

/* What came of one attempt. */
typedef struct {
    fliq_id_t                  account_id;
    fliq_id_t                  id;
    int32_t                    attempt;
    fliq_id_t                  execution_id;
    int64_t                    started_at;
    int32_t                    duration_ms;
    int32_t                    status_code;     /* 0: null */
    ngx_str_t                  error;           /* NULL on success */
    ngx_str_t                  excerpt;         /* UTF-8 without NUL */
    ngx_http_fliq_verdict_e    verdict;
    int64_t                    due_at;          /* of the retry */
    int32_t                    refused;         /* 1: no request was made, the
                                                   verdict is FAILED, nothing
                                                   is counted */
} ngx_http_fliq_outcome_t;

typedef struct {
    const ngx_http_fliq_owner_t            *owner;
    ngx_uint_t                              shard;      /* 0 to 15 */
    const ngx_http_fliq_outcome_t *const   *outcomes;
    ngx_uint_t                              n;
    const int64_t                          *claims;     /* finished now */
    ngx_uint_t                              nclaims;
} ngx_http_fliq_settle_t;

typedef struct {
    ngx_uint_t    owner;                /* 0: the identity was buried */
    ngx_uint_t    settled;
    ngx_uint_t    posted;               /* webhooks and alerts that now wait
                                           in the outbox */
    int64_t       next_at;              /* of items: when the first of their
                                           buffers may send; NONE: none
                                           waits */
} ngx_http_fliq_settled_t;

/*
 * Record a batch of outcomes in one commit.  Running it again after NGX_BUSY
 * is safe: what took effect before is passed over.  NGX_ERROR: the server
 * refused the batch and nothing of it took effect.  Result:
 * ngx_http_fliq_settled_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_settle(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_settle_t *settle, ngx_http_fliq_store_done_pt done,
    void *data);


/* --------------------------------------------- the dispatcher's ticks -- */

/*
 * The right to spawn, of the settle pool's session (see schedule_lock.sql).
 * _lock:    Result: ngx_uint_t, 1 when it was got.
 * _unlock:  Result: NULL.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_lock(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_unlock(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);

/*
 * When the next schedule runs, or ran: runs that came more than a minute ago
 * are not looked at.  Result: ngx_http_fliq_due_t.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_next(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done, void *data);

/* A run that has come: cron and run_at are read, the rest is filled in. */
typedef struct {
    fliq_id_t     account_id;
    fliq_id_t     id;
    ngx_str_t     cron;
    int64_t       run_at;
    int64_t       now;
    int64_t       next_run_at;          /* to be filled in */
    fliq_id_t     job_id;               /* to be filled in */
} ngx_http_fliq_run_t;

/*
 * _due:    at most ${limit} runs that have come.  Result:
 *          ngx_http_fliq_list_t of ngx_http_fliq_run_t.
 * _spawn:  spawn their jobs.  Result: ngx_uint_t, how many were spawned (the
 *          others had been spawned or changed by somebody else).
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_due(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, ngx_uint_t limit,
    ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_schedule_spawn(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_run_t *runs, ngx_uint_t n,
    ngx_http_fliq_store_done_pt done, void *data);


/* A webhook or an alert to send: one POST of JSON, one try. */
typedef struct {
    int64_t       id;
    fliq_id_t     account_id;
    ngx_str_t     delivery_id;
    int32_t       lane;
    ngx_str_t     url;
    ngx_str_t     headers;              /* JSON text of an object, or NULL */
    ngx_str_t     body;
    ngx_str_t     secret;
    ngx_str_t     refused;              /* NULL, or why it is not sent */
} ngx_http_fliq_post_t;

typedef struct {
    const ngx_http_fliq_owner_t    *owner;
    ngx_uint_t                      limit;
    const int32_t                  *blocked;    /* lanes to pass over */
    ngx_uint_t                      nblocked;
    int64_t                         after_lane; /* begin behind; NONE is
                                                   behind none */
    ngx_uint_t                      lanes;      /* visit at most */
} ngx_http_fliq_take_t;

/*
 * _claim:   Result: ngx_http_fliq_list_t of ngx_http_fliq_post_t, by lane.
 * _delete:  the ones that were tried.  Result: NULL.
 * _disown:  as _claim_disown, with the ids of the posts that are known.
 *           Result: ngx_uint_t, how many wait again.
 */
ngx_http_fliq_store_call_t *ngx_http_fliq_store_outbox_claim(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_take_t *take, ngx_http_fliq_store_done_pt done,
    void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_outbox_delete(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool, const int64_t *ids,
    ngx_uint_t n, ngx_http_fliq_store_done_pt done, void *data);
ngx_http_fliq_store_call_t *ngx_http_fliq_store_outbox_disown(
    ngx_http_fliq_store_t *store, ngx_pool_t *pool,
    const ngx_http_fliq_owner_t *owner, const int64_t *known,
    ngx_uint_t nknown, ngx_http_fliq_store_done_pt done, void *data);


#endif /* NGX_HTTP_FLIQ_STORE_H */
