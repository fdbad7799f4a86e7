/*
 * What a fresh connection goes through before it takes statements: its
 * settings, then the schema, which the first node to come brings up to date
 * while the others wait for its lock.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


/* The step is what the result that comes next belongs to. */
typedef enum {
    NGX_HTTP_FLIQ_SETUP_START = 0,
    NGX_HTTP_FLIQ_SETUP_SETTINGS,
    NGX_HTTP_FLIQ_SETUP_EXISTS,     /* is there a schema? */
    NGX_HTTP_FLIQ_SETUP_APPLIED,    /* its version, read without the lock */
    NGX_HTTP_FLIQ_SETUP_LOCK,       /* in a transaction from here on */
    NGX_HTTP_FLIQ_SETUP_CREATE,
    NGX_HTTP_FLIQ_SETUP_LOCKED,     /* its version, read under the lock */
    NGX_HTTP_FLIQ_SETUP_MIGRATE,
    NGX_HTTP_FLIQ_SETUP_COMMIT
} ngx_http_fliq_setup_e;


static ngx_int_t ngx_http_fliq_store_ask(ngx_uint_t *step, ngx_uint_t next,
    const char **sql, const char *text);
static ngx_int_t ngx_http_fliq_store_setup_version(
    ngx_http_fliq_store_setup_t *setup, ngx_uint_t *step,
    const PGresult *res, const char **sql, ngx_log_t *log);
static const fliq_sql_migration_t *ngx_http_fliq_store_migration(
    ngx_uint_t version);


ngx_int_t
ngx_http_fliq_store_setup(void *data, ngx_uint_t *step, const PGresult *res,
    const char **sql, ngx_log_t *log)
{
    ngx_http_fliq_store_setup_t *setup = data;

    if (res && PQresultStatus(res) == PGRES_FATAL_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "the database cannot be set up: %s",
                      PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
        return NGX_ERROR;
    }

    switch (*step) {

    case NGX_HTTP_FLIQ_SETUP_START:
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_SETTINGS,
                                       sql, (char *) setup->settings.data);

    case NGX_HTTP_FLIQ_SETUP_SETTINGS:
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_EXISTS,
                                       sql, fliq_sql_schema_version.text);

    case NGX_HTTP_FLIQ_SETUP_EXISTS:
        if (PQgetvalue(res, 0, 0)[0] == 't') {
            return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_APPLIED,
                                           sql, fliq_sql_schema_applied.text);
        }

        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_LOCK, sql,
                                       fliq_sql_schema_lock.text);

    case NGX_HTTP_FLIQ_SETUP_LOCK:
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_CREATE, sql,
                                       fliq_sql_schema_create.text);

    case NGX_HTTP_FLIQ_SETUP_CREATE:
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_LOCKED, sql,
                                       fliq_sql_schema_applied.text);

    case NGX_HTTP_FLIQ_SETUP_APPLIED:
    case NGX_HTTP_FLIQ_SETUP_LOCKED:
        setup->version = ngx_atoi((u_char *) PQgetvalue(res, 0, 0),
                                  ngx_strlen(PQgetvalue(res, 0, 0)));

        return ngx_http_fliq_store_setup_version(setup, step, res, sql, log);

    case NGX_HTTP_FLIQ_SETUP_MIGRATE:
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_LOCKED, sql,
                                       fliq_sql_schema_applied.text);

    default: /* NGX_HTTP_FLIQ_SETUP_COMMIT */
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_fliq_store_setup_version(ngx_http_fliq_store_setup_t *setup,
    ngx_uint_t *step, const PGresult *res, const char **sql, ngx_log_t *log)
{
    ngx_uint_t                   locked;
    const fliq_sql_migration_t  *next;

    locked = (*step == NGX_HTTP_FLIQ_SETUP_LOCKED);
    next = ngx_http_fliq_store_migration(setup->version + 1);

    if (next == NULL
        && setup->version > 0
        && ngx_http_fliq_store_migration(setup->version) == NULL)
    {
        /* each connection comes here, again and again: one line is enough */

        if (setup->store->refused != setup->version) {
            setup->store->refused = setup->version;

            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "the database's schema has version %ui, which is "
                          "newer than this module knows: upgrade the module",
                          setup->version);
        }

        return NGX_ERROR;
    }

    setup->store->refused = 0;

    if (next == NULL) {
        return locked ? ngx_http_fliq_store_ask(step,
                                                NGX_HTTP_FLIQ_SETUP_COMMIT,
                                                sql, "COMMIT")
                      : NGX_OK;
    }

    if (!locked) {
        return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_LOCK, sql,
                                       fliq_sql_schema_lock.text);
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0, "applying migration %s",
                  next->name);

    return ngx_http_fliq_store_ask(step, NGX_HTTP_FLIQ_SETUP_MIGRATE, sql,
                                   next->text);
}


static ngx_int_t
ngx_http_fliq_store_ask(ngx_uint_t *step, ngx_uint_t next, const char **sql,
    const char *text)
{
    *step = next;
    *sql = text;

    return NGX_AGAIN;
}


static const fliq_sql_migration_t *
ngx_http_fliq_store_migration(ngx_uint_t version)
{
    const fliq_sql_migration_t  *m;

    for (m = fliq_sql_migrations; m->version; m++) {
        if ((ngx_uint_t) m->version == version) {
            return m;
        }
    }

    return NULL;
}
