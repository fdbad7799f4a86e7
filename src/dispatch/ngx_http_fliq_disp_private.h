/*
 * What the files of the dispatch room share.  From the bottom up:
 *
 *   multi    one libcurl multi handle on nginx's events
 *   call     one outbound request on it, whatever it is for
 *   request  a call's headers
 *   sweep    closes connections that have been idle for too long
 *   clock    the database's clock
 *   owner    this worker's identity in the database
 *   lane     how many calls are in flight to each host
 *   claim    when to claim what is due, and how much
 *   job      an attempt: from the claim through its call to its outcome
 *   batch    outcomes on their way into the database
 *   settle   those of jobs, and the ends of claims
 *   post     a webhook or an alert: one request
 *   outbox   which of them to send, and what was sent
 *   item     an attempt of a buffer's item, as a job's
 *   buffer   when to claim the next items, and what came of them
 *   tick     schedules: spawn the jobs of the runs that have come
 *
 * All of it runs on the worker's event loop.  Times named "..._at" are the
 * database's clock, the others CLOCK_MONOTONIC; both in microseconds.
 */

#ifndef NGX_HTTP_FLIQ_DISP_PRIVATE_H
#define NGX_HTTP_FLIQ_DISP_PRIVATE_H

#include "ngx_http_fliq_disp.h"
#include "ngx_http_fliq_store_buffer.h"
#include "ngx_http_fliq_fd.h"

#include <curl/curl.h>


#define NGX_HTTP_FLIQ_DISP_NEVER      INT64_MAX

#define NGX_HTTP_FLIQ_DISP_BATCH      256     /* outcomes, and claimed rows */
#define NGX_HTTP_FLIQ_DISP_BATCHES    2       /* settled at the same time */
#define NGX_HTTP_FLIQ_DISP_CLAIMS     512     /* finished with one batch */

#define NGX_HTTP_FLIQ_DISP_DELETES    256     /* posts, at the same time */

/* Slots of items and of posts, beside those of jobs. */
#define NGX_HTTP_FLIQ_DISP_ITEMS(jobs)  ngx_max((jobs) / 2, 1)
#define NGX_HTTP_FLIQ_DISP_POSTS(jobs)  ngx_max((jobs) / 4, 1)

/* Bodies in memory: those of jobs, and as much of items. */
#define NGX_HTTP_FLIQ_DISP_BYTES      (64 * 1024 * 1024)

#define NGX_HTTP_FLIQ_DISP_EXCERPT    1024
#define NGX_HTTP_FLIQ_DISP_BODY_MAX   65536
#define NGX_HTTP_FLIQ_DISP_HEAD_MAX   131072

#define NGX_HTTP_FLIQ_DISP_HOSTS      1024    /* whose version is noted */


typedef struct ngx_http_fliq_disp_multi_s    ngx_http_fliq_disp_multi_t;
typedef struct ngx_http_fliq_disp_call_s     ngx_http_fliq_disp_call_t;
typedef struct ngx_http_fliq_disp_claimed_s  ngx_http_fliq_disp_claimed_t;
typedef struct ngx_http_fliq_disp_batches_s  ngx_http_fliq_disp_batches_t;
typedef struct ngx_http_fliq_disp_job_s      ngx_http_fliq_disp_job_t;


static ngx_inline fliq_str_t
ngx_http_fliq_disp_view(const ngx_str_t *str)
{
    fliq_str_t  view;

    view.len = str->len;
    view.data = str->data;

    return view;
}


/* ---------------------------------------------------------------- clock -- */

/*
 * The distance between the database's clock and CLOCK_MONOTONIC, from the
 * best of the clock readings that came with answers.
 */
typedef struct {
    int64_t                          offset;
    int64_t                          error;     /* of offset, at most */
    int64_t                          sampled;   /* when; 0: never */
} ngx_http_fliq_disp_clock_t;

/*
 * ngx_http_fliq_disp_clock_sample(clock, sent, now_at): a statement that was
 * sent at ${sent} and answered just now read ${now_at}.
 * ngx_http_fliq_disp_clock_now(clock): what the database's clock shows.
 * ngx_http_fliq_disp_clock_error(clock): by how much _now may be wrong.
 */
void ngx_http_fliq_disp_clock_sample(ngx_http_fliq_disp_clock_t *clock,
    int64_t sent, int64_t now_at);
int64_t ngx_http_fliq_disp_clock_now(const ngx_http_fliq_disp_clock_t *clock);
int64_t ngx_http_fliq_disp_clock_error(
    const ngx_http_fliq_disp_clock_t *clock);


/* --------------------------------------------------- multi, call, sweep -- */

/*
 * Seconds that an idle connection may be used again.  A target closes it
 * after a while (2 seconds and up are seen), and a request that crosses with
 * that is lost, for it is not sent twice.
 */
#define NGX_HTTP_FLIQ_DISP_MAXAGE  1

typedef struct {
    CURL                            *easy;
    ngx_msec_t                       idle_since;    /* the youngest is */
    ngx_event_t                      timer;
} ngx_http_fliq_disp_sweep_t;

struct ngx_http_fliq_disp_multi_s {
    CURLM                           *curl;
    CURL                           **spare;     /* easy handles to use again */
    ngx_log_t                       *log;
    ngx_socket_t                     ident;     /* what nginx logs of timer */

    ngx_uint_t                       nspare;
    ngx_uint_t                       max_spare;
    ngx_int_t                        max_idle;  /* connections */
    ngx_int_t                        max_watched;   /* descriptors */

    ngx_queue_t                      calls;     /* in flight */
    ngx_uint_t                       nwaiting;  /* for a descriptor */
    ngx_uint_t                       nblind;    /* with no socket watched */
    ngx_uint_t                       stalled;   /* a call may be */
    ngx_queue_t                      sockets;   /* watched */

    ngx_event_t                      timer;     /* libcurl's timeout */
    ngx_event_t                      kick;      /* libcurl's timeout 0 */
    ngx_event_t                      feed;      /* tries nwaiting again */
    unsigned                         short_told:1;  /* no descriptor: it is
                                                       in the log */
    ngx_http_fliq_disp_sweep_t       sweep;

    const fliq_addr_policy_t        *policy;
    const ngx_http_fliq_disp_clock_t  *clock;
    char                            *user_agent;
    u_char                           http2[NGX_HTTP_FLIQ_DISP_HOSTS];
};

/*
 * A request to make.  The record and what it points to belong to the caller
 * and stay until the call's end.
 */
typedef struct {
    ngx_str_t                        method;    /* NUL-terminated */
    ngx_str_t                        url;       /* NUL-terminated */
    ngx_str_t                        headers;   /* JSON text, or NULL */
    ngx_str_t                        defaults;  /* the same: those that
                                                   headers do not name */
    ngx_str_t                        body;      /* len 0: none */
    ngx_str_t                        secret;    /* NULL: do not sign */
    ngx_str_t                        delivery_id;
    ngx_str_t                        request_id;
    int32_t                          attempt;   /* 0: none is sent */
    ngx_msec_t                       timeout;   /* of all of it */

    /* NULL, or asked with the call's data before it is sent; 0: do not */
    ngx_uint_t                     (*may)(void *data);
} ngx_http_fliq_disp_request_t;

/* What came of it. */
typedef struct {
    int64_t                          started_at;
    int64_t                          retry_after;   /* microseconds; -1:
                                                       none was given */
    int32_t                          duration_ms;
    int32_t                          status;    /* 0: none came */
    ngx_str_t                        error;     /* why there is no whole
                                                   answer; NULL: there is */
    ngx_str_t                        excerpt;   /* UTF-8; NULL: no body */
    unsigned                         unsent:1;  /* request.may said no */
} ngx_http_fliq_disp_answer_t;

/*
 * Called exactly once, never from inside _start.  The answer's strings are in
 * the call's pool.
 */
typedef void (*ngx_http_fliq_disp_answer_pt)(void *data,
    const ngx_http_fliq_disp_answer_t *answer);

struct ngx_http_fliq_disp_call_s {
    ngx_queue_t                      queue;     /* multi->calls */
    ngx_http_fliq_disp_multi_t      *multi;
    CURL                            *easy;
    ngx_pool_t                      *pool;
    struct curl_slist               *headers;
    const ngx_http_fliq_disp_request_t  *request;

    ngx_http_fliq_disp_answer_pt     done;
    void                            *data;

    int64_t                          deadline;  /* monotonic */
    int64_t                          started;   /* monotonic */
    int64_t                          started_at;

    size_t                           head;      /* header bytes so far */
    size_t                           received;  /* body bytes so far */
    ngx_str_t                        excerpt;   /* as it came */
    u_char                           retry_after[64];
    size_t                           retry_after_len;

    unsigned                         answered:1;  /* the final header came */
    unsigned                         enough:1;  /* cut off, and well so */
    unsigned                         sent:1;    /* the request went out */
    unsigned                         again:1;   /* and would a second time */
    unsigned                         unsent:1;  /* request.may said no */
    unsigned                         refused:1; /* an address, by policy */
    unsigned                         stalled:1; /* just now; to be resumed */
    unsigned                         opened:1;  /* a socket */
    unsigned                         starved:1; /* no descriptor was left */
    unsigned                         blind:1;   /* nobody watches its socket */
    unsigned                         waiting:1; /* its handle is out */
};

/*
 * ngx_http_fliq_disp_call_start(multi, pool, request, done, data):
 * Start ${request}.  The call lives in ${pool}.  NULL, without a call of
 * ${done}, when it cannot be made (logged).  One that has sent nothing when
 * the worker has no descriptor left for it waits for one, within its timeout.
 * ngx_http_fliq_disp_call_cancel(call): cut it; ${done} will not be called.
 * ngx_http_fliq_disp_call_end(call, code): the multi room's end of a call.
 * ngx_http_fliq_disp_call_again(call): the multi room's next try of one that
 * waits, or its end when its time is over.
 */
ngx_http_fliq_disp_call_t *ngx_http_fliq_disp_call_start(
    ngx_http_fliq_disp_multi_t *multi, ngx_pool_t *pool,
    const ngx_http_fliq_disp_request_t *request,
    ngx_http_fliq_disp_answer_pt done, void *data);
void ngx_http_fliq_disp_call_cancel(ngx_http_fliq_disp_call_t *call);
void ngx_http_fliq_disp_call_end(ngx_http_fliq_disp_call_t *call,
    CURLcode code);
void ngx_http_fliq_disp_call_again(ngx_http_fliq_disp_call_t *call);

/*
 * ngx_http_fliq_disp_request_headers(call): make call->headers of the user's
 * and our own.  NGX_OK or NGX_ERROR (logged).
 */
ngx_int_t ngx_http_fliq_disp_request_headers(ngx_http_fliq_disp_call_t *call);

/*
 * _init, _done: ${calls} is how many may be in flight.  _done cuts them.
 * _easy, _recycle: a handle with no option set; take it back.
 * _add: set a call going.  _remove: take its handle out.
 * _wait: take its handle out, for _call_again to _add it.
 * _try: begin a request that is no call, and drop it.
 * _room: how many more calls there are descriptors for.
 */
ngx_int_t ngx_http_fliq_disp_multi_init(ngx_http_fliq_disp_multi_t *multi,
    ngx_pool_t *pool, ngx_uint_t calls);
void ngx_http_fliq_disp_multi_done(ngx_http_fliq_disp_multi_t *multi);
CURL *ngx_http_fliq_disp_multi_easy(ngx_http_fliq_disp_multi_t *multi);
void ngx_http_fliq_disp_multi_recycle(ngx_http_fliq_disp_multi_t *multi,
    CURL *easy);
ngx_int_t ngx_http_fliq_disp_multi_add(ngx_http_fliq_disp_call_t *call);
void ngx_http_fliq_disp_multi_remove(ngx_http_fliq_disp_call_t *call);
void ngx_http_fliq_disp_multi_wait(ngx_http_fliq_disp_call_t *call);
void ngx_http_fliq_disp_multi_try(ngx_http_fliq_disp_multi_t *multi,
    CURL *easy);
ngx_uint_t ngx_http_fliq_disp_multi_room(ngx_http_fliq_disp_multi_t *multi);

/*
 * Closes idle connections before a call has to.
 *
 * _init: NGX_OK or NGX_ERROR.  _done: also after an _init that failed.
 * _idle: a call has ended, and its connection may be idle now.
 */
ngx_int_t ngx_http_fliq_disp_sweep_init(ngx_http_fliq_disp_sweep_t *sweep,
    ngx_http_fliq_disp_multi_t *multi);
void ngx_http_fliq_disp_sweep_done(ngx_http_fliq_disp_sweep_t *sweep);
void ngx_http_fliq_disp_sweep_idle(ngx_http_fliq_disp_sweep_t *sweep);


/* ---------------------------------------------------------------- owner -- */

/* Changes in ngx_http_fliq_disp_owner_set_state() only. */
typedef enum {

    /* no session, or another one still holds the lock: asked for again */
    NGX_HTTP_FLIQ_DISP_OWNER_DOWN = 0,

    /* owner_lock is under way */
    NGX_HTTP_FLIQ_DISP_OWNER_LOCKING,

    /* the lock is held; owner_create or owner_beat is under way */
    NGX_HTTP_FLIQ_DISP_OWNER_ENTERING,

    /* the row is there; claim_disown, outbox_disown or buffer_disown is under
       way */
    NGX_HTTP_FLIQ_DISP_OWNER_SORTING,

    /* may claim */
    NGX_HTTP_FLIQ_DISP_OWNER_HELD,

    /* owner_leave is under way */
    NGX_HTTP_FLIQ_DISP_OWNER_LEAVING,

    /* for good */
    NGX_HTTP_FLIQ_DISP_OWNER_GONE

} ngx_http_fliq_disp_owner_e;

/* A statement that is asked one at a time; the pool is reset at the next. */
typedef struct {
    ngx_http_fliq_store_call_t      *call;      /* NULL: none under way */
    ngx_pool_t                      *pool;
    int64_t                          sent;
} ngx_http_fliq_disp_ask_t;

typedef struct {
    ngx_http_fliq_disp_owner_e       state;
    ngx_http_fliq_owner_t            id;
    ngx_uint_t                       generation;    /* of id */
    ngx_http_fliq_disp_ask_t         ask;       /* about this identity */
    ngx_event_t                      beat;
    int64_t                          known;     /* alive, when */

    ngx_http_fliq_owner_t            reaper;    /* id, as the ask has it */
    ngx_http_fliq_disp_ask_t         reaping;
    ngx_event_t                      reap;

    ngx_http_fliq_disp_ask_t         partition;
    ngx_event_t                      hourly;

    ngx_http_fliq_disp_ask_t         closing;   /* days that are over */
    ngx_event_t                      close;

    unsigned                         created:1; /* the row was made */
    unsigned                         unsure:1;  /* a claim's answer was lost */
} ngx_http_fliq_disp_owner_t;

ngx_int_t ngx_http_fliq_disp_owner_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_owner_done(ngx_http_fliq_disp_t *disp);

/* The claim pool has a new session. */
void ngx_http_fliq_disp_owner_session(void *data);

/* The database knows us no longer: go on under a new identity. */
void ngx_http_fliq_disp_owner_buried(ngx_http_fliq_disp_t *disp);

/* A claim may have taken effect without our knowing. */
void ngx_http_fliq_disp_owner_unsure(ngx_http_fliq_disp_t *disp);

/*
 * Whether what was claimed in ${generation} is certainly still ours, as far
 * as a worker can know that may have been stopped.
 */
ngx_uint_t ngx_http_fliq_disp_owner_certain(ngx_http_fliq_disp_t *disp,
    ngx_uint_t generation);

/* Everything is settled: go.  The state is GONE in the end. */
void ngx_http_fliq_disp_owner_leave(ngx_http_fliq_disp_t *disp);


/* ----------------------------------------------------------------- lane -- */

typedef struct {
    ngx_rbtree_node_t                node;      /* key: the lane's number */
    ngx_queue_t                      queue;     /* active or free */
    ngx_uint_t                       calls;     /* in flight */
    ngx_uint_t                       blocked;   /* passed over by a claim */
} ngx_http_fliq_disp_lane_t;

typedef struct {
    ngx_rbtree_t                     tree;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      active;
    ngx_queue_t                      free;
    ngx_pool_t                      *pool;
    ngx_uint_t                       cap;
} ngx_http_fliq_disp_lanes_t;

/*
 * _take: one more call in lane ${number}; NULL when there is no memory.
 * _give: one less.  Returns 1 when a claim passed the lane over and it has
 * room again.
 * _block: write the numbers of the lanes that a claim must pass over to
 * ${numbers} and how many to ${n}; return how many calls each other lane can
 * take, 1 at least.
 */
void ngx_http_fliq_disp_lanes_init(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_pool_t *pool, ngx_uint_t cap);
ngx_http_fliq_disp_lane_t *ngx_http_fliq_disp_lane_take(
    ngx_http_fliq_disp_lanes_t *lanes, int32_t number);
ngx_uint_t ngx_http_fliq_disp_lane_give(ngx_http_fliq_disp_lanes_t *lanes,
    ngx_http_fliq_disp_lane_t *lane);
ngx_uint_t ngx_http_fliq_disp_lanes_block(ngx_http_fliq_disp_lanes_t *lanes,
    int32_t *numbers, ngx_uint_t *n);


/* ---------------------------------------------------------------- claim -- */

/* A claim of which something is not settled yet. */
struct ngx_http_fliq_disp_claimed_s {
    ngx_queue_t                      queue;     /* claim.open, settle.closed
                                                   or a batch's closed */
    int64_t                          id;
    ngx_uint_t                       left;      /* jobs not settled */
    ngx_uint_t                       lost;      /* not fired, of these */
    ngx_uint_t                       here;      /* of them in one batch */
    ngx_uint_t                       closing;   /* id travels in a batch */
};

typedef struct {
    ngx_http_fliq_disp_ask_t         ask;
    ngx_http_fliq_disp_ask_t         next;      /* due_next */
    ngx_http_fliq_owner_t            owner;     /* as the ask has it */
    ngx_uint_t                       generation;
    ngx_http_fliq_claim_t            what;      /* was asked for */
    int32_t                         *blocked;

    ngx_http_fliq_alarm_t           *alarm;
    int64_t                          armed;     /* for when; NEVER */
    int64_t                          due_at;    /* next; NEVER */
    int64_t                          poll;      /* when, at the latest */
    int64_t                          not_before;
    int64_t                          pause;     /* after a failure */
    int64_t                          room;      /* since when a slot is free */
    int64_t                          dear;      /* until when a claim_due is
                                                   too much */

    ngx_uint_t                       lanes;     /* to visit in a walk */
    fliq_id_t                        account;   /* where it ended */
    int32_t                          lane;

    ngx_queue_t                      open;      /* claimed_t */

    unsigned                         own:1;     /* due_at is from a hint */
    unsigned                         hinted:1;  /* the ask follows a hint */
    unsigned                         backlog:1; /* more is due than fits */
    unsigned                         walk:1;    /* the last one went by lane */
} ngx_http_fliq_disp_claim_t;

ngx_int_t ngx_http_fliq_disp_claim_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_claim_done(ngx_http_fliq_disp_t *disp);

/* What decides when to claim may have changed: set the alarm anew. */
void ngx_http_fliq_disp_claim_arm(ngx_http_fliq_disp_t *disp);

/* How long after what is due this dispatcher looks, if others may, too. */
int64_t ngx_http_fliq_disp_claim_spread(ngx_http_fliq_disp_t *disp);

/* Claim as soon as possible, and at ${due_at}. */
void ngx_http_fliq_disp_claim_at(ngx_http_fliq_disp_t *disp, int64_t due_at);
void ngx_http_fliq_disp_claim_now(ngx_http_fliq_disp_t *disp);

/* Forget the claim under way: its session or its identity is gone. */
void ngx_http_fliq_disp_claim_drop(ngx_http_fliq_disp_t *disp);

/*
 * When nothing of a claim is left but jobs for which there was no memory, it
 * is forgotten, so that what this dispatcher does not know of is given back.
 */
void ngx_http_fliq_disp_claim_lost(ngx_http_fliq_disp_t *disp,
    ngx_http_fliq_disp_claimed_t *claimed);

/* Free a queue of claimed_t. */
void ngx_http_fliq_disp_claims_free(ngx_queue_t *claims);


/* ---------------------------------------------------------------- batch -- */

typedef enum {
    NGX_HTTP_FLIQ_DISP_BATCH_EMPTY = 0,
    NGX_HTTP_FLIQ_DISP_BATCH_SENT,
    NGX_HTTP_FLIQ_DISP_BATCH_WAITING        /* to be sent again */
} ngx_http_fliq_disp_batch_e;

/* The beginning of a job and of an item: what they are in batches. */
typedef struct {
    ngx_queue_t                      queue;     /* flying, wait or a batch's
                                                   entries */
    ngx_uint_t                       generation;    /* of its owner */
    unsigned                         alone:1;   /* settle it by itself */
    unsigned                         plain:1;   /* without what was said */
} ngx_http_fliq_disp_entry_t;

typedef struct {
    ngx_http_fliq_disp_batch_e       state;
    ngx_uint_t                       number;
    ngx_http_fliq_disp_batches_t    *batches;
    ngx_http_fliq_disp_ask_t         ask;
    ngx_http_fliq_owner_t            owner;
    ngx_uint_t                       generation;
    ngx_uint_t                       sends;
    int64_t                          retry;     /* when */
    ngx_queue_t                      entries;
    ngx_uint_t                       n;
} ngx_http_fliq_disp_batch_t;

/* What sets one kind of outcomes apart from the other. */
typedef struct {
    const char                      *of;        /* whose they are, for logs */
    ngx_uint_t                       level;     /* of a log line about those
                                                   that did not count */

    /* ask for a batch to be recorded; NULL: it cannot be asked for */
    ngx_http_fliq_store_call_t    *(*send)(ngx_http_fliq_disp_batch_t *batch,
                                           ngx_pool_t *pool,
                                           ngx_http_fliq_store_done_pt done);

    /* it was: free its entries */
    void                           (*settled)(
                                    ngx_http_fliq_disp_batch_t *batch,
                                    const ngx_http_fliq_settled_t *settled);

    /* leave out what the target said */
    void                           (*strip)(ngx_http_fliq_disp_entry_t *entry);

    /* it cannot be recorded: free it, and say so */
    void                           (*lost)(ngx_http_fliq_disp_entry_t *entry);

    /* it is not ours any longer: free it */
    void                           (*forget)(
                                         ngx_http_fliq_disp_entry_t *entry);

    /* slots may have become free */
    void                           (*freed)(ngx_http_fliq_disp_t *disp);

    /* the rest may be NULL: when to send though no outcome waits */
    int64_t                        (*when)(
                                        ngx_http_fliq_disp_batches_t *batches,
                                        int64_t now);

    /* the batch has its entries; 1: send it even if there are none */
    ngx_uint_t                     (*filled)(
                                          ngx_http_fliq_disp_batch_t *batch);

    /* it has none any longer; ${again}: they will come in another one */
    void                           (*emptied)(
                                          ngx_http_fliq_disp_batch_t *batch,
                                          ngx_uint_t again);
} ngx_http_fliq_disp_kind_t;

struct ngx_http_fliq_disp_batches_s {
    ngx_http_fliq_disp_t            *disp;
    const ngx_http_fliq_disp_kind_t *kind;
    ngx_queue_t                      flying;    /* entries with a call */
    ngx_queue_t                      wait;      /* entries with an outcome */
    ngx_uint_t                       n;         /* of these */
    int64_t                          oldest;    /* since when one waits */

    ngx_http_fliq_alarm_t           *alarm;
    int64_t                          armed;

    ngx_http_fliq_disp_batch_t       batches[NGX_HTTP_FLIQ_DISP_BATCHES];
};

/*
 * _init, _done: _done forgets all entries, those in flight, too.
 * _add: an entry in flight has its outcome.
 * _hurry: the database is back: send again at once what waits for that.
 * _arm: what ${kind}->when depends on has changed.
 */
ngx_int_t ngx_http_fliq_disp_batches_init(
    ngx_http_fliq_disp_batches_t *batches, ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_disp_kind_t *kind);
void ngx_http_fliq_disp_batches_done(ngx_http_fliq_disp_batches_t *batches);
void ngx_http_fliq_disp_batches_add(ngx_http_fliq_disp_batches_t *batches,
    ngx_http_fliq_disp_entry_t *entry);
void ngx_http_fliq_disp_batches_hurry(ngx_http_fliq_disp_batches_t *batches);
void ngx_http_fliq_disp_batches_arm(ngx_http_fliq_disp_batches_t *batches);


/* ------------------------------------------------------------------ job -- */

struct ngx_http_fliq_disp_job_s {
    ngx_http_fliq_disp_entry_t       entry;     /* first */
    ngx_http_fliq_disp_t            *disp;
    ngx_pool_t                      *pool;
    ngx_http_fliq_disp_claimed_t    *claimed;
    ngx_http_fliq_disp_lane_t       *lane;
    ngx_http_fliq_disp_call_t       *call;

    fliq_backoff_kind_t              backoff;
    int32_t                          max_retries;
    size_t                           bytes;

    ngx_http_fliq_disp_request_t     request;
    ngx_http_fliq_outcome_t          outcome;
};

/*
 * _start: make an attempt; NGX_ERROR when there is no memory to begin.
 * _free: it is settled, or given up.  Gives its slot and its memory back.
 */
ngx_int_t ngx_http_fliq_disp_job_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_attempt_t *attempt,
    ngx_http_fliq_disp_claimed_t *claimed);
void ngx_http_fliq_disp_job_free(ngx_http_fliq_disp_job_t *job);

/* Copies in ${pool}, with a NUL behind; a NULL string stays one. */
ngx_int_t ngx_http_fliq_disp_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_str_t *src);
ngx_int_t ngx_http_fliq_disp_copy_id(ngx_pool_t *pool, ngx_str_t *dst,
    const char *prefix, const fliq_id_t *id);

/* The errors of an answer that is no success, and of a call without one. */
void ngx_http_fliq_disp_unwelcome(ngx_pool_t *pool, int32_t status,
    ngx_str_t *error);
extern const ngx_str_t  ngx_http_fliq_disp_not_made;


/* --------------------------------------------------------------- settle -- */

/* What a batch ends besides its outcomes. */
typedef struct {
    ngx_queue_t                      closed;    /* claimed_t, freed after it */
    ngx_uint_t                       n;
    int64_t                          claims[NGX_HTTP_FLIQ_DISP_CLAIMS];
} ngx_http_fliq_disp_closing_t;

typedef struct {
    ngx_http_fliq_disp_batches_t     batches;
    ngx_queue_t                      closed;    /* claimed_t to tell of */
    int64_t                          closed_since;
    int64_t                          flush;     /* when, at the latest */
    ngx_uint_t                       shard;
    ngx_http_fliq_disp_closing_t     closing[NGX_HTTP_FLIQ_DISP_BATCHES];
} ngx_http_fliq_disp_settle_t;

ngx_int_t ngx_http_fliq_disp_settle_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_settle_done(ngx_http_fliq_disp_t *disp);

/* A claim was answered. */
void ngx_http_fliq_disp_settle_flush(ngx_http_fliq_disp_t *disp);


/* --------------------------------------------------------------- outbox -- */

/* A webhook or an alert. */
typedef struct {
    ngx_queue_t                      queue;     /* outbox.flying, .tried or
                                                   .deleting */
    ngx_http_fliq_disp_t            *disp;
    ngx_pool_t                      *pool;
    int64_t                          id;
    ngx_http_fliq_disp_lane_t       *lane;      /* of all calls */
    ngx_http_fliq_disp_lane_t       *own;       /* of posts */
    ngx_http_fliq_disp_call_t       *call;
    ngx_http_fliq_disp_request_t     request;
} ngx_http_fliq_disp_post_t;

typedef struct {
    ngx_http_fliq_disp_ask_t         ask;       /* outbox_claim */
    ngx_http_fliq_disp_ask_t         delete;    /* outbox_delete */
    ngx_http_fliq_owner_t            owner;     /* as the ask has it */
    ngx_http_fliq_take_t             what;      /* was asked for */
    int32_t                         *blocked;
    int64_t                          not_before;

    ngx_http_fliq_disp_lanes_t       lanes;     /* of posts alone */
    ngx_uint_t                       max;
    ngx_queue_t                      flying;
    ngx_uint_t                       nposts;    /* of these */
    ngx_queue_t                      tried;     /* to be deleted */
    ngx_queue_t                      deleting;
    ngx_uint_t                       ntried;    /* of both */

    ngx_event_t                      poll;
    ngx_event_t                      flush;     /* deletes */

    unsigned                         wanted:1;  /* something may wait */
} ngx_http_fliq_disp_outbox_t;

ngx_int_t ngx_http_fliq_disp_outbox_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_outbox_done(ngx_http_fliq_disp_t *disp);

/*
 * _look: something may wait in the outbox.
 * _claim: claim it, when there may be something and there is room.
 * _tried: a post has ended; frees it in the end.
 */
void ngx_http_fliq_disp_outbox_look(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_outbox_claim(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_outbox_tried(ngx_http_fliq_disp_post_t *post);

/* Forget the claim under way: its session or its identity is gone. */
void ngx_http_fliq_disp_outbox_drop(ngx_http_fliq_disp_t *disp);

/* 1 as long as something is under way that was claimed. */
ngx_uint_t ngx_http_fliq_disp_outbox_busy(ngx_http_fliq_disp_t *disp);

/* Give back what was claimed without our knowing. */
ngx_http_fliq_store_call_t *ngx_http_fliq_disp_outbox_disown(
    ngx_http_fliq_disp_t *disp, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done);

/* Make one POST of a row that was claimed; NGX_ERROR: it was not begun. */
ngx_int_t ngx_http_fliq_disp_post_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_post_t *row);


/* --------------------------------------------------------- buffer, item -- */

/* One attempt of a buffer's first item. */
typedef struct {
    ngx_http_fliq_disp_entry_t       entry;     /* first */
    ngx_http_fliq_disp_t            *disp;
    ngx_pool_t                      *pool;
    ngx_http_fliq_disp_lane_t       *lane;      /* of all calls */
    ngx_http_fliq_disp_lane_t       *own;       /* of items */
    ngx_http_fliq_disp_call_t       *call;

    fliq_backoff_kind_t              backoff;
    int32_t                          max_retries;
    int32_t                          rate_limit;
    int64_t                          throttled_at;  /* before this one */
    size_t                           bytes;

    ngx_http_fliq_disp_request_t     request;
    ngx_http_fliq_item_outcome_t     outcome;
} ngx_http_fliq_disp_item_t;

typedef struct {
    ngx_http_fliq_disp_ask_t         ask;       /* buffer_claim */
    ngx_http_fliq_disp_ask_t         next;      /* buffer_next */
    ngx_http_fliq_owner_t            owner;     /* as the ask has it */
    ngx_uint_t                       generation;
    ngx_uint_t                       limit;     /* was asked for */
    int32_t                         *blocked;
    ngx_uint_t                       nblocked;

    ngx_http_fliq_alarm_t           *alarm;
    int64_t                          armed;     /* for when; NEVER */
    int64_t                          due_at;    /* next; NEVER */
    int64_t                          poll;      /* when, at the latest */
    int64_t                          not_before;
    int64_t                          pause;     /* after a failure */
    int64_t                          room;      /* since when a slot is free */

    ngx_http_fliq_disp_lanes_t       lanes;     /* of items alone */
    ngx_uint_t                       max;
    ngx_uint_t                       nitems;    /* claimed and not settled */
    size_t                           bytes;     /* of their bodies */

    ngx_http_fliq_disp_batches_t     batches;

    unsigned                         own:1;     /* due_at is from a hint */
    unsigned                         backlog:1; /* more is due than fits */
} ngx_http_fliq_disp_buffer_t;

ngx_int_t ngx_http_fliq_disp_buffer_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_buffer_done(ngx_http_fliq_disp_t *disp);

/* What decides when to claim may have changed: set the alarm anew. */
void ngx_http_fliq_disp_buffer_arm(ngx_http_fliq_disp_t *disp);

/* Claim at ${due_at}, and as soon as possible. */
void ngx_http_fliq_disp_buffer_at(ngx_http_fliq_disp_t *disp,
    int64_t due_at);
void ngx_http_fliq_disp_buffer_now(ngx_http_fliq_disp_t *disp);

/* Forget the claim under way: its session or its identity is gone. */
void ngx_http_fliq_disp_buffer_drop(ngx_http_fliq_disp_t *disp);

/* Give back what was claimed without our knowing. */
ngx_http_fliq_store_call_t *ngx_http_fliq_disp_buffer_disown(
    ngx_http_fliq_disp_t *disp, ngx_pool_t *pool,
    ngx_http_fliq_store_done_pt done);

/* 1 as long as something is under way that was claimed. */
ngx_uint_t ngx_http_fliq_disp_buffer_busy(ngx_http_fliq_disp_t *disp);

/*
 * _start: make an attempt; NGX_ERROR when there is no memory to begin.
 * _free: it is settled, or given up.  Gives its slot and its memory back.
 */
ngx_int_t ngx_http_fliq_disp_item_start(ngx_http_fliq_disp_t *disp,
    const ngx_http_fliq_item_attempt_t *attempt);
void ngx_http_fliq_disp_item_free(ngx_http_fliq_disp_item_t *item);


/* ----------------------------------------------------------------- tick -- */

/* Changes in ngx_http_fliq_disp_tick_set_state() only. */
typedef enum {

    /* the alarm is set to the next run or to the slow poll */
    NGX_HTTP_FLIQ_DISP_TICK_IDLE = 0,

    /* schedule_lock is under way */
    NGX_HTTP_FLIQ_DISP_TICK_LOCKING,

    /* schedule_due is under way; the lock is held, or was given up on */
    NGX_HTTP_FLIQ_DISP_TICK_READING,

    /* schedule_spawn is under way */
    NGX_HTTP_FLIQ_DISP_TICK_SPAWNING,

    /* schedule_unlock is under way */
    NGX_HTTP_FLIQ_DISP_TICK_UNLOCKING,

    /* schedule_next is under way */
    NGX_HTTP_FLIQ_DISP_TICK_ASKING

} ngx_http_fliq_disp_tick_e;

typedef struct {
    ngx_http_fliq_disp_tick_e        state;
    ngx_http_fliq_disp_ask_t         ask;
    ngx_http_fliq_disp_ask_t         spawn;     /* reads what ask got */

    ngx_http_fliq_alarm_t           *alarm;
    int64_t                          next_at;   /* run; NEVER */
    int64_t                          sweep;     /* look for runs of any age */
    int64_t                          poll;      /* ask for next_at */
    int64_t                          not_before;
    ngx_uint_t                       lost;      /* the lock, in a row */
    ngx_uint_t                       n;         /* runs in the batch */

    unsigned                         locked:1;
} ngx_http_fliq_disp_tick_t;

ngx_int_t ngx_http_fliq_disp_tick_init(ngx_http_fliq_disp_t *disp);
void ngx_http_fliq_disp_tick_done(ngx_http_fliq_disp_t *disp);

/* A schedule may run earlier than was known. */
void ngx_http_fliq_disp_tick_look(ngx_http_fliq_disp_t *disp);

/* Look for runs of any age: nobody may have looked for a while. */
void ngx_http_fliq_disp_tick_now(ngx_http_fliq_disp_t *disp);


/* ----------------------------------------------------------------- disp -- */

typedef enum {
    NGX_HTTP_FLIQ_DISP_RUNNING = 0,

    /* the worker exits: nothing is claimed, what is in flight is finished */
    NGX_HTTP_FLIQ_DISP_DRAINING,

    /* nothing is under way and nothing will be */
    NGX_HTTP_FLIQ_DISP_OVER
} ngx_http_fliq_disp_e;

struct ngx_http_fliq_disp_s {
    ngx_http_fliq_store_t           *store;
    ngx_pool_t                      *pool;
    ngx_log_t                       *log;
    ngx_socket_t                     ident;     /* what nginx logs of timers */

    ngx_http_fliq_disp_e             state;
    ngx_http_fliq_disp_conf_t        conf;

    ngx_uint_t                       calls;     /* slots of all kinds */
    ngx_uint_t                       njobs;     /* claimed and not settled */
    size_t                           bytes;     /* of their bodies */

    ngx_http_fliq_disp_clock_t       clock;
    ngx_http_fliq_disp_owner_t       owner;
    ngx_http_fliq_disp_lanes_t       lanes;
    ngx_http_fliq_disp_claim_t       claim;
    ngx_http_fliq_disp_multi_t       multi;
    ngx_http_fliq_disp_settle_t      settle;
    ngx_http_fliq_disp_outbox_t      outbox;
    ngx_http_fliq_disp_buffer_t      buffer;
    ngx_http_fliq_disp_tick_t        tick;

    ngx_socket_t                     exit_fd;   /* watched to be told of the */
    ngx_http_fliq_fd_t              *exit;      /* worker's exit */
    ngx_event_t                      drain;
};

/* A lane that a claim passed over has room again. */
void ngx_http_fliq_disp_opened(ngx_http_fliq_disp_t *disp);

/*
 * ngx_http_fliq_disp_ask(ask, log): the pool to ask with, or NULL.
 * ngx_http_fliq_disp_ask_drop(ask): cancel what is under way.
 * ngx_http_fliq_disp_ask_done(ask): the same, and free the pool.
 */
ngx_pool_t *ngx_http_fliq_disp_ask(ngx_http_fliq_disp_ask_t *ask,
    ngx_log_t *log);
void ngx_http_fliq_disp_ask_drop(ngx_http_fliq_disp_ask_t *ask);
void ngx_http_fliq_disp_ask_done(ngx_http_fliq_disp_ask_t *ask);


#endif /* NGX_HTTP_FLIQ_DISP_PRIVATE_H */
