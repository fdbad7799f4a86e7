/*
 * The front door: directives, configurations, the life of a worker.  What
 * they do is in the rooms of src/.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "fliq_addr.h"
#include "fliq_backoff.h"
#include "fliq_header.h"
#include "fliq_seal.h"
#include "fliq_sign.h"
#include "ngx_http_fliq_db.h"
#include "ngx_http_fliq_store.h"
#include "ngx_http_fliq_api.h"
#include "ngx_http_fliq_disp.h"


#define NGX_HTTP_FLIQ_MAX_CONNECTIONS  64
#define NGX_HTTP_FLIQ_MAX_QUEUE        1000000
#define NGX_HTTP_FLIQ_MAX_CALLS        100000
#define NGX_HTTP_FLIQ_MAX_BODY         (64 * 1024 * 1024)


typedef struct {
    ngx_http_fliq_db_target_t    *target;       /* NULL: no fliq_database */
    ngx_uint_t                    connections;
    ngx_uint_t                    queue;
    ngx_msec_t                    timeout;
    fliq_seal_ring_t              ring;         /* empty: no encryption */

    ngx_flag_t                    dispatcher;
    ngx_uint_t                    concurrency;
    ngx_uint_t                    per_host;
    ngx_msec_t                    poll;

    ngx_array_t                  *rules;        /* of fliq_addr_rule_t */
    fliq_addr_policy_t            policy;

    fliq_backoff_t                backoff;
    time_t                        call_timeout;
    ngx_msec_t                    webhook_timeout;
    size_t                        max_body;
    ngx_str_t                     user_agent;

    ngx_uint_t                    api;          /* some location has it */
    ngx_http_fliq_store_t        *store;        /* of the worker */
    ngx_http_fliq_api_t          *worker_api;
    ngx_http_fliq_disp_t         *disp;
} ngx_http_fliq_main_conf_t;

typedef struct {
    ngx_flag_t                    api;
    ngx_http_fliq_dialect_e       dialect;
} ngx_http_fliq_loc_conf_t;

/* One "name=value" parameter of a directive. */
typedef struct {
    ngx_str_t                     name;
    ngx_uint_t                    min;
    ngx_uint_t                    max;
    ngx_uint_t                    msec;         /* 1: a time, min and max
                                                   in milliseconds */
    size_t                        offset;       /* in the main conf */
} ngx_http_fliq_option_t;


static ngx_int_t ngx_http_fliq_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_fliq_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_fliq_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_fliq_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static ngx_int_t ngx_http_fliq_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_http_fliq_init(ngx_conf_t *cf);
static void *ngx_http_fliq_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_fliq_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_fliq_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_fliq_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_fliq_init_process(ngx_cycle_t *cycle);
static void ngx_http_fliq_exit_process(ngx_cycle_t *cycle);

static char *ngx_http_fliq_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_dispatcher(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_target(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_retry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_timeout(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_fliq_options(ngx_conf_t *cf,
    const ngx_http_fliq_option_t *options, void *conf, ngx_uint_t first);


static const ngx_http_fliq_option_t  ngx_http_fliq_database_options[] = {
    { ngx_string("connections"), 1, NGX_HTTP_FLIQ_MAX_CONNECTIONS, 0,
      offsetof(ngx_http_fliq_main_conf_t, connections) },
    { ngx_string("queue"), 1, NGX_HTTP_FLIQ_MAX_QUEUE, 0,
      offsetof(ngx_http_fliq_main_conf_t, queue) },
    { ngx_string("timeout"), 100, 600000, 1,
      offsetof(ngx_http_fliq_main_conf_t, timeout) },
    { ngx_null_string, 0, 0, 0, 0 }
};

static const ngx_http_fliq_option_t  ngx_http_fliq_dispatcher_options[] = {
    { ngx_string("concurrency"), 1, NGX_HTTP_FLIQ_MAX_CALLS, 0,
      offsetof(ngx_http_fliq_main_conf_t, concurrency) },
    { ngx_string("per_host"), 1, NGX_HTTP_FLIQ_MAX_CALLS, 0,
      offsetof(ngx_http_fliq_main_conf_t, per_host) },
    { ngx_string("poll"), 100, 60000, 1,
      offsetof(ngx_http_fliq_main_conf_t, poll) },
    { ngx_null_string, 0, 0, 0, 0 }
};


static ngx_command_t  ngx_http_fliq_commands[] = {

    { ngx_string("fliq_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_fliq_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_encryption_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_fliq_store_key_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_fliq_main_conf_t, ring),
      NULL },

    { ngx_string("fliq_dispatcher"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_fliq_dispatcher,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_fliq_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_target_allow"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_fliq_target,
      NGX_HTTP_MAIN_CONF_OFFSET,
      1,
      NULL },

    { ngx_string("fliq_target_deny"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_fliq_target,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_retry"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_fliq_retry,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_fliq_timeout,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fliq_webhook_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_fliq_main_conf_t, webhook_timeout),
      NULL },

    { ngx_string("fliq_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_fliq_main_conf_t, max_body),
      NULL },

    { ngx_string("fliq_user_agent"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_fliq_main_conf_t, user_agent),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_fliq_module_ctx = {
    ngx_http_fliq_add_variables,   /* preconfiguration */
    ngx_http_fliq_init,            /* postconfiguration */

    ngx_http_fliq_create_main_conf, /* create main configuration */
    ngx_http_fliq_init_main_conf,  /* init main configuration */

    NULL,                          /* create server configuration */
    NULL,                          /* merge server configuration */

    ngx_http_fliq_create_loc_conf, /* create location configuration */
    ngx_http_fliq_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_fliq_module = {
    NGX_MODULE_V1,
    &ngx_http_fliq_module_ctx,     /* module context */
    ngx_http_fliq_commands,        /* module directives */
    NGX_HTTP_MODULE,               /* module type */
    NULL,                          /* init master */
    NULL,                          /* init module */
    ngx_http_fliq_init_process,    /* init process */
    NULL,                          /* init thread */
    NULL,                          /* exit thread */
    ngx_http_fliq_exit_process,    /* exit process */
    NULL,                          /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_fliq_vars[] = {

    { ngx_string("fliq_account"), NULL, ngx_http_fliq_variable,
      NGX_HTTP_FLIQ_VAR_ACCOUNT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fliq_token"), NULL, ngx_http_fliq_variable,
      NGX_HTTP_FLIQ_VAR_TOKEN, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fliq_route"), NULL, ngx_http_fliq_variable,
      NGX_HTTP_FLIQ_VAR_ROUTE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fliq_job"), NULL, ngx_http_fliq_variable,
      NGX_HTTP_FLIQ_VAR_JOB, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_fliq_handler(ngx_http_request_t *r)
{
    ngx_http_fliq_loc_conf_t   *flcf;
    ngx_http_fliq_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_fliq_module);
    flcf = ngx_http_get_module_loc_conf(r, ngx_http_fliq_module);

    if (fmcf->worker_api == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    return ngx_http_fliq_api_handler(r, fmcf->worker_api, flcf->dialect);
}


static ngx_int_t
ngx_http_fliq_header_filter(ngx_http_request_t *r)
{
    ngx_http_fliq_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_fliq_module);

    if (flcf->api
        && r == r->main
        && ngx_http_fliq_api_header_filter(r, flcf->dialect) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_fliq_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_fliq_loc_conf_t  *flcf;

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_fliq_module);

    if (flcf->api && r == r->main) {
        in = ngx_http_fliq_api_body_filter(r, in);
    }

    return ngx_http_next_body_filter(r, in);
}


static ngx_int_t
ngx_http_fliq_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t                   value;
    ngx_http_fliq_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_fliq_module);

    ngx_str_null(&value);

    if (fmcf->worker_api) {
        value = ngx_http_fliq_api_variable(r, fmcf->worker_api, data);
    }

    v->not_found = value.len == 0;
    v->valid = !v->not_found;
    v->no_cacheable = 0;
    v->len = value.len;
    v->data = value.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_fliq_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_fliq_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_fliq_body_filter;

    return NGX_OK;
}


static void *
ngx_http_fliq_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_fliq_main_conf_t  *fmcf;

    fmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_fliq_main_conf_t));
    if (fmcf == NULL) {
        return NULL;
    }

    fmcf->connections = NGX_CONF_UNSET_UINT;
    fmcf->queue = NGX_CONF_UNSET_UINT;
    fmcf->timeout = NGX_CONF_UNSET_MSEC;
    fmcf->dispatcher = NGX_CONF_UNSET;
    fmcf->concurrency = NGX_CONF_UNSET_UINT;
    fmcf->per_host = NGX_CONF_UNSET_UINT;
    fmcf->poll = NGX_CONF_UNSET_MSEC;
    fmcf->call_timeout = NGX_CONF_UNSET;
    fmcf->webhook_timeout = NGX_CONF_UNSET_MSEC;
    fmcf->max_body = NGX_CONF_UNSET_SIZE;

    return fmcf;
}


static char *
ngx_http_fliq_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    fliq_str_t   text, name = fliq_str("User-Agent");
    const char  *why;

    ngx_conf_init_uint_value(fmcf->connections, 2);
    ngx_conf_init_uint_value(fmcf->queue, 1024);
    ngx_conf_init_msec_value(fmcf->timeout, 4000);

    ngx_conf_init_value(fmcf->dispatcher, fmcf->target != NULL);
    ngx_conf_init_uint_value(fmcf->concurrency, 1024);
    ngx_conf_init_uint_value(fmcf->per_host, 256);
    ngx_conf_init_msec_value(fmcf->poll, 1000);

    ngx_conf_init_value(fmcf->call_timeout, 30);
    ngx_conf_init_msec_value(fmcf->webhook_timeout, 10000);
    ngx_conf_init_size_value(fmcf->max_body, 1024 * 1024);

    if (fmcf->backoff.base == 0) {
        fmcf->backoff.base = 30 * 1000000LL;
        fmcf->backoff.max = 3600 * 1000000LL;
        fmcf->backoff.jitter = 25;
    }

    if (fmcf->user_agent.len == 0) {
        ngx_str_set(&fmcf->user_agent, "fliq-nginx/" NGX_HTTP_FLIQ_VERSION);
    }

    if (fmcf->webhook_timeout < 100 || fmcf->webhook_timeout > 300000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"fliq_webhook_timeout\" must be from 100ms to "
                           "5m");
        return NGX_CONF_ERROR;
    }

    text.len = fmcf->user_agent.len;
    text.data = fmcf->user_agent.data;

    if (fliq_header_check(name, text, &why) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"fliq_user_agent\", "
                           "it %s", &fmcf->user_agent, why);
        return NGX_CONF_ERROR;
    }

    if (fmcf->max_body > NGX_HTTP_FLIQ_MAX_BODY) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"fliq_max_body\" %uz is more than 64m",
                           fmcf->max_body);
        return NGX_CONF_ERROR;
    }

    if (fmcf->target == NULL && (fmcf->api || fmcf->dispatcher)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"fliq_database\" for \"%s\"",
                           fmcf->api ? "fliq_api" : "fliq_dispatcher");
        return NGX_CONF_ERROR;
    }

    if (fmcf->rules) {
        fmcf->policy.rules = fmcf->rules->elts;
        fmcf->policy.nrules = fmcf->rules->nelts;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_fliq_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_fliq_loc_conf_t));
}


/*
 * A JSON string may be six times as long as what it stands for.  The body of
 * a request must pass, and must stay in memory: a temporary file would block
 * the worker.
 */

static char *
ngx_http_fliq_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_fliq_loc_conf_t *conf = child;

    size_t                      size;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_fliq_main_conf_t  *fmcf;

    if (!conf->api) {
        return NGX_CONF_OK;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fliq_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    size = 6 * fmcf->max_body + 256 * 1024;

    if (clcf->client_max_body_size == 1024 * 1024) {
        clcf->client_max_body_size = size;
    }

    if (clcf->client_max_body_size == 0
        || clcf->client_max_body_size > (off_t) size)
    {
        clcf->client_max_body_size = size;
    }

    clcf->client_body_buffer_size = size;
    clcf->client_body_in_single_buffer = 1;
    clcf->client_body_in_file_only = 0;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_fliq_init_process(ngx_cycle_t *cycle)
{
    ngx_http_fliq_api_conf_t     api;
    ngx_http_fliq_disp_conf_t    disp;
    ngx_http_fliq_main_conf_t   *fmcf;
    ngx_http_fliq_store_conf_t   store;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    fmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fliq_module);

    if (fmcf == NULL || fmcf->target == NULL) {
        return NGX_OK;
    }

    store.target = fmcf->target;
    store.connections = fmcf->connections;
    store.queue = fmcf->queue;
    store.timeout = fmcf->timeout;
    store.dispatcher = fmcf->dispatcher;
    store.ring = &fmcf->ring;

    fmcf->store = ngx_http_fliq_store_create(&store, cycle->log);
    if (fmcf->store == NULL) {
        return NGX_ERROR;
    }

    if (fmcf->dispatcher) {
        disp.store = fmcf->store;
        disp.policy = &fmcf->policy;
        disp.backoff = fmcf->backoff;
        disp.concurrency = fmcf->concurrency;
        disp.per_host = fmcf->per_host;
        disp.poll = fmcf->poll;
        disp.webhook_timeout = fmcf->webhook_timeout;
        disp.user_agent = fmcf->user_agent;

        fmcf->disp = ngx_http_fliq_disp_create(&disp, cycle->log);
        if (fmcf->disp == NULL) {
            return NGX_ERROR;
        }
    }

    api.store = fmcf->store;
    api.policy = &fmcf->policy;
    api.max_body = fmcf->max_body;
    api.timeout = fmcf->call_timeout;
    api.hint = fmcf->disp ? ngx_http_fliq_disp_hint : NULL;
    api.buffer_hint = fmcf->disp ? ngx_http_fliq_disp_buffer_hint : NULL;
    api.hint_data = fmcf->disp;

    fmcf->worker_api = ngx_http_fliq_api_create(&api, cycle->log);

    return fmcf->worker_api ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_fliq_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_fliq_main_conf_t  *fmcf;

    fmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fliq_module);

    if (fmcf == NULL) {
        return;
    }

    if (fmcf->worker_api) {
        ngx_http_fliq_api_destroy(fmcf->worker_api);
    }

    if (fmcf->disp) {
        ngx_http_fliq_disp_destroy(fmcf->disp);
    }

    if (fmcf->store) {
        ngx_http_fliq_store_destroy(fmcf->store);
    }

    fliq_sign_end();
    fliq_seal_end();
}


/* fliq_database CONNINFO [connections=N] [queue=N] [timeout=TIME] */

static char *
ngx_http_fliq_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    ngx_str_t  *value;

    if (fmcf->target) {
        return "is duplicate";
    }

    value = cf->args->elts;

    fmcf->target = ngx_http_fliq_db_target(cf, &value[1]);
    if (fmcf->target == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_fliq_options(cf, ngx_http_fliq_database_options, conf, 2);
}


/* fliq_dispatcher on|off [concurrency=N] [per_host=N] [poll=TIME] */

static char *
ngx_http_fliq_dispatcher(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    ngx_str_t  *value;

    if (fmcf->dispatcher != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        fmcf->dispatcher = 1;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        fmcf->dispatcher = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"fliq_dispatcher\", "
                           "it must be \"on\" or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_fliq_options(cf, ngx_http_fliq_dispatcher_options, conf,
                                 2);
}


static char *
ngx_http_fliq_options(ngx_conf_t *cf, const ngx_http_fliq_option_t *options,
    void *conf, ngx_uint_t first)
{
    ngx_int_t                      n;
    ngx_str_t                     *value, text;
    ngx_uint_t                     i;
    const ngx_http_fliq_option_t  *o;

    value = cf->args->elts;

    for (i = first; i < cf->args->nelts; i++) {

        for (o = options; o->name.len; o++) {
            if (value[i].len > o->name.len
                && value[i].data[o->name.len] == '='
                && ngx_strncmp(value[i].data, o->name.data, o->name.len) == 0)
            {
                break;
            }
        }

        if (o->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        text.data = value[i].data + o->name.len + 1;
        text.len = value[i].len - o->name.len - 1;

        n = o->msec ? ngx_parse_time(&text, 0)
                    : ngx_atoi(text.data, text.len);

        if (n == NGX_ERROR || n < (ngx_int_t) o->min
            || n > (ngx_int_t) o->max)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\", \"%V\" must be from "
                               "%ui to %ui%s", &value[i], &o->name, o->min,
                               o->max, o->msec ? " milliseconds" : "");
            return NGX_CONF_ERROR;
        }

        *(ngx_uint_t *) ((u_char *) conf + o->offset) = n;
    }

    return NGX_CONF_OK;
}


/* fliq_api [dialect=reference|sdk] */

static char *
ngx_http_fliq_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_loc_conf_t *flcf = conf;

    ngx_str_t                  *value;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_fliq_main_conf_t  *fmcf;

    if (flcf->api) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

#if (NGX_PCRE)
    if (clcf->regex) {
        return "is not allowed in a location given by a regular expression";
    }
#endif

    if (clcf->named || clcf->noname) {
        return "is not allowed in a named location or an \"if\"";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "dialect=sdk") == 0) {
            flcf->dialect = NGX_HTTP_FLIQ_DIALECT_SDK;

        } else if (ngx_strcmp(value[1].data, "dialect=reference") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", a dialect is "
                               "\"reference\" or \"sdk\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fliq_module);
    fmcf->api = 1;

    flcf->api = 1;
    clcf->handler = ngx_http_fliq_handler;

    return NGX_CONF_OK;
}


/* fliq_target_allow CIDR ..., fliq_target_deny CIDR ... */

static char *
ngx_http_fliq_target(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    ngx_str_t         *value;
    ngx_uint_t         i;
    fliq_str_t         text;
    fliq_addr_rule_t  *rule;

    if (fmcf->rules == NULL) {
        fmcf->rules = ngx_array_create(cf->pool, 4, sizeof(fliq_addr_rule_t));
        if (fmcf->rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rule = ngx_array_push(fmcf->rules);
        if (rule == NULL) {
            return NGX_CONF_ERROR;
        }

        rule->allow = cmd->offset;
        text.len = value[i].len;
        text.data = value[i].data;

        if (fliq_addr_cidr(text, rule) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid network \"%V\" in \"%V\"", &value[i],
                               &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* fliq_retry [base=TIME] [max=TIME] [jitter=N%] */

static char *
ngx_http_fliq_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    u_char      *p;
    ngx_int_t    n;
    ngx_str_t   *value, text;
    ngx_uint_t   i;

    if (fmcf->backoff.base) {
        return "is duplicate";
    }

    fmcf->backoff.base = 30 * 1000000LL;
    fmcf->backoff.max = 3600 * 1000000LL;
    fmcf->backoff.jitter = 25;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        p = (u_char *) ngx_strchr(value[i].data, '=');
        text.data = p ? p + 1 : value[i].data;
        text.len = value[i].data + value[i].len - text.data;
        n = NGX_ERROR;

        if (ngx_strncmp(value[i].data, "base=", 5) == 0) {
            n = ngx_parse_time(&text, 0);
            fmcf->backoff.base = (int64_t) n * 1000;

        } else if (ngx_strncmp(value[i].data, "max=", 4) == 0) {
            n = ngx_parse_time(&text, 0);
            fmcf->backoff.max = (int64_t) n * 1000;

        } else if (ngx_strncmp(value[i].data, "jitter=", 7) == 0
                   && text.len > 1 && text.data[text.len - 1] == '%')
        {
            n = ngx_atoi(text.data, text.len - 1) + 1;
            fmcf->backoff.jitter = n - 1;

            if (n > 101) {
                n = NGX_ERROR;
            }
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"fliq_retry\", "
                               "it takes base=TIME, max=TIME and jitter=N%%",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (fmcf->backoff.max < fmcf->backoff.base) {
        return "has a \"max\" that is shorter than its \"base\"";
    }

    return NGX_CONF_OK;
}


/* fliq_timeout TIME */

static char *
ngx_http_fliq_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fliq_main_conf_t *fmcf = conf;

    ngx_str_t  *value;

    if (fmcf->call_timeout != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    fmcf->call_timeout = ngx_parse_time(&value[1], 1);

    if (fmcf->call_timeout == NGX_ERROR
        || fmcf->call_timeout < 1 || fmcf->call_timeout > 3600)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"fliq_timeout\", "
                           "it must be from 1s to 1h", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
