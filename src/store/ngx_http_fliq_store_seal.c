/*
 * Encryption at rest: the only places where values are sealed, on their way
 * into a parameter, and opened, on their way out of a result.  What stands
 * above sees plain text alone.  Without keys nothing is sealed, and a sealed
 * value is still told from a plain one: it does not open.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


#define NGX_HTTP_FLIQ_KEY_FILE  1024        /* bytes of it, at most */


static ngx_int_t ngx_http_fliq_store_key_read(ngx_conf_t *cf,
    ngx_str_t *path, u_char *buf, ssize_t *n);
static ngx_int_t ngx_http_fliq_store_key_safe(ngx_conf_t *cf,
    const ngx_str_t *path, const ngx_file_info_t *fi);
static ngx_str_t ngx_http_fliq_store_sealed(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const fliq_id_t *account, const ngx_str_t *value);
static fliq_str_t ngx_http_fliq_store_view(const ngx_str_t *value);


char *
ngx_http_fliq_store_key_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char             buf[NGX_HTTP_FLIQ_KEY_FILE];
    ssize_t            n;
    ngx_int_t          rc;
    ngx_str_t         *path;
    fliq_str_t         text;
    const char        *why;
    fliq_seal_key_t    key;
    fliq_seal_ring_t  *ring;

    ring = (fliq_seal_ring_t *) ((u_char *) conf + cmd->offset);
    path = (ngx_str_t *) cf->args->elts + 1;

    if (ring->n + ring->plain == FLIQ_SEAL_KEYS) {
        return "is given more than twice";
    }

    if (ngx_strcmp(path->data, "plain") == 0) {
        ring->plain = 1;
        return ring->n ? "has \"plain\" behind a key" : NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK
        || ngx_http_fliq_store_key_read(cf, path, buf, &n) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    text.data = buf;
    text.len = n;

    rc = fliq_seal_key(&key, text, &why);
    ngx_explicit_memzero(buf, sizeof(buf));

    if (rc != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the encryption key in \"%V\" %s", path, why);
        return NGX_CONF_ERROR;
    }

    if (ring->n && ngx_memcmp(ring->keys[0].id, key.id, FLIQ_SEAL_ID) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the encryption key in \"%V\" is given twice",
                           path);
        return NGX_CONF_ERROR;
    }

    ring->keys[ring->n++] = key;
    ngx_explicit_memzero(&key, sizeof(key));

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_fliq_store_key_read(ngx_conf_t *cf, ngx_str_t *path, u_char *buf,
    ssize_t *n)
{
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    /* not to wait for whoever would write to a named pipe */

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE || ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "the encryption key \"%V\" cannot be opened",
                           path);
        rc = NGX_ERROR;

    } else {
        rc = ngx_http_fliq_store_key_safe(cf, path, &fi);
    }

    if (rc == NGX_OK) {
        *n = ngx_read_fd(fd, buf, NGX_HTTP_FLIQ_KEY_FILE);

        if (*n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "the encryption key \"%V\" cannot be read",
                               path);
            rc = NGX_ERROR;
        }
    }

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }

    return rc;
}


/* Who else can read or change it? */

static ngx_int_t
ngx_http_fliq_store_key_safe(ngx_conf_t *cf, const ngx_str_t *path,
    const ngx_file_info_t *fi)
{
    const char  *what;

    what = !ngx_is_file(fi) ? "is not a regular file"
           : fi->st_mode & S_IROTH ? "can be read by everybody"
           : fi->st_mode & (S_IWGRP|S_IWOTH) ? "can be written by others"
           : NULL;

    if (what) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the encryption key \"%V\" %s", path, what);
        return NGX_ERROR;
    }

    if (fi->st_mode & S_IRGRP) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the encryption key \"%V\" can be read by its "
                           "group", path);
    }

    return NGX_OK;
}


void
ngx_http_fliq_bind_sealed(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const fliq_id_t *account, const ngx_str_t *value)
{
    ngx_str_t  sealed;

    sealed = ngx_http_fliq_store_sealed(call, kind, account, value);

    ngx_http_fliq_bind_str(call, &sealed);
}


void
ngx_http_fliq_bind_sealed_column(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const void *const *records, ngx_uint_t n,
    size_t account, size_t offset)
{
    u_char                *record;
    ngx_str_t             *values;
    ngx_uint_t             i;
    ngx_http_fliq_bind_e   type;

    type = kind == FLIQ_SEAL_BODY ? NGX_HTTP_FLIQ_BIND_BYTEA
                                  : NGX_HTTP_FLIQ_BIND_TEXT;

    if (call->store->ring == NULL || call->store->ring->plain) {
        ngx_http_fliq_bind_column(call, type, records, n, offset);
        return;
    }

    values = ngx_palloc(call->pool, (n + 1) * sizeof(ngx_str_t));
    if (values == NULL) {
        call->failed = 1;
        return;
    }

    for (i = 0; i < n; i++) {
        record = (u_char *) records[i];
        values[i] = ngx_http_fliq_store_sealed(call, kind,
                                        (fliq_id_t *) (record + account),
                                        (ngx_str_t *) (record + offset));
    }

    ngx_http_fliq_bind_array(call, type, values, n, sizeof(ngx_str_t));
}


static ngx_str_t
ngx_http_fliq_store_sealed(ngx_http_fliq_store_call_t *call,
    fliq_seal_kind_e kind, const fliq_id_t *account, const ngx_str_t *value)
{
    u_char                  *buf;
    ngx_str_t                result;
    fliq_str_t               sealed;
    const fliq_seal_ring_t  *ring;

    ring = call->store->ring;

    if (ring == NULL || ring->plain || value->data == NULL) {
        return *value;
    }

    ngx_str_null(&result);

    buf = ngx_pnalloc(call->pool, fliq_seal_size(kind, value->len));

    if (buf == NULL
        || fliq_seal(&ring->keys[0], kind, account,
                     ngx_http_fliq_store_view(value), buf, &sealed) != 0)
    {
        call->failed = 1;
        return result;
    }

    result.data = sealed.data;
    result.len = sealed.len;

    return result;
}


ngx_str_t
ngx_http_fliq_get_sealed(ngx_http_fliq_store_call_t *call,
    const PGresult *res, int row, int column, fliq_seal_kind_e kind,
    const fliq_id_t *account)
{
    u_char                         *buf;
    ngx_str_t                       value;
    fliq_str_t                      sealed, plain;
    fliq_seal_rc_e                  rc;
    char                            id[FLIQ_ID_TEXT];
    char                            key[FLIQ_SEAL_ID_TEXT];

    static const fliq_seal_ring_t   none;

    value = ngx_http_fliq_get_str(res, row, column);
    sealed = ngx_http_fliq_store_view(&value);

    if (value.data == NULL || !fliq_seal_is(kind, sealed)) {
        return value;
    }

    ngx_str_null(&value);

    buf = ngx_pnalloc(call->pool, sealed.len);
    if (buf == NULL) {
        call->failed = 1;
        return value;
    }

    rc = fliq_seal_open(call->store->ring ? call->store->ring : &none, kind,
                        account, sealed, buf, &plain);

    if (rc == FLIQ_SEAL_OPENED) {
        value.data = plain.data;
        value.len = plain.len;
        return value;
    }

    call->closed = 1;

    fliq_seal_id(kind, sealed, key);
    (void) fliq_id_format(id, "acct", account);

    ngx_log_error(NGX_LOG_ERR, call->store->log, 0,
                  "a value of %s is encrypted with the key %s, which %s", id,
                  key, rc == FLIQ_SEAL_NO_KEY
                       ? "is not given by \"fliq_encryption_key\""
                       : "does not open it: it was changed or moved");

    return value;
}


void
ngx_http_fliq_store_opened(ngx_http_fliq_store_call_t *call, ngx_int_t rc,
    const void *result)
{
    if (call->failed || call->closed) {
        rc = NGX_ERROR;
        result = NULL;
    }

    call->done(call->data, rc, result);
}


void
ngx_http_fliq_store_refuse_closed(ngx_http_fliq_store_call_t *call,
    ngx_str_t *refused)
{
    if (call->closed && refused->data == NULL) {
        ngx_str_set(refused, "what was stored of the request cannot be "
                             "decrypted");
    }

    call->closed = 0;
}


static fliq_str_t
ngx_http_fliq_store_view(const ngx_str_t *value)
{
    fliq_str_t  view;

    view.data = value->data;
    view.len = value->len;

    return view;
}
