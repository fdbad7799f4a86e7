/*
 * Parameters and results in PostgreSQL's binary format: integers in network
 * order, a timestamptz as microseconds since 2000, an array as a header, its
 * length, and each element behind its length (src/backend/utils/adt of the
 * server: array_recv, timestamptz_recv, uuid_recv).
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_fliq_store_private.h"


#define NGX_HTTP_FLIQ_EPOCH_2000  946684800000000LL

#define NGX_HTTP_FLIQ_OID_BYTEA   17
#define NGX_HTTP_FLIQ_OID_INT8    20
#define NGX_HTTP_FLIQ_OID_INT4    23
#define NGX_HTTP_FLIQ_OID_TEXT    25
#define NGX_HTTP_FLIQ_OID_TIME    1184
#define NGX_HTTP_FLIQ_OID_UUID    2950


static u_char *ngx_http_fliq_put_int4(u_char *p, uint32_t value);
static u_char *ngx_http_fliq_put_int8(u_char *p, uint64_t value);
static u_char *ngx_http_fliq_put_element(u_char *p,
    ngx_http_fliq_bind_e type, const u_char *value);
static size_t ngx_http_fliq_element_len(ngx_http_fliq_bind_e type,
    const u_char *value);
static ngx_uint_t ngx_http_fliq_element_null(ngx_http_fliq_bind_e type,
    const u_char *value);


static const uint32_t  ngx_http_fliq_bind_oids[] = {
    NGX_HTTP_FLIQ_OID_UUID,
    NGX_HTTP_FLIQ_OID_INT4,
    NGX_HTTP_FLIQ_OID_INT4,
    NGX_HTTP_FLIQ_OID_INT8,
    NGX_HTTP_FLIQ_OID_TIME,
    NGX_HTTP_FLIQ_OID_TEXT,
    NGX_HTTP_FLIQ_OID_BYTEA
};


void
ngx_http_fliq_bind_bytes(ngx_http_fliq_store_call_t *call, const void *data,
    size_t len)
{
    ngx_http_fliq_db_param_t  *param;

    param = &call->params[call->nparams++];
    param->value = data;
    param->len = len;
}


void
ngx_http_fliq_bind_id(ngx_http_fliq_store_call_t *call, const fliq_id_t *id)
{
    ngx_http_fliq_bind_bytes(call, id->bytes, FLIQ_ID_SIZE);
}


void
ngx_http_fliq_bind_str(ngx_http_fliq_store_call_t *call,
    const ngx_str_t *value)
{
    ngx_http_fliq_bind_bytes(call, value->data, value->len);
}


void
ngx_http_fliq_bind_int4(ngx_http_fliq_store_call_t *call, int32_t value)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, 4);
    if (p == NULL) {
        call->failed = 1;
        return;
    }

    ngx_http_fliq_put_int4(p, (uint32_t) value);
    ngx_http_fliq_bind_bytes(call, p, 4);
}


void
ngx_http_fliq_bind_int8(ngx_http_fliq_store_call_t *call, int64_t value)
{
    u_char  *p;

    p = ngx_pnalloc(call->pool, 8);
    if (p == NULL) {
        call->failed = 1;
        return;
    }

    ngx_http_fliq_put_int8(p, (uint64_t) value);
    ngx_http_fliq_bind_bytes(call, p, 8);
}


void
ngx_http_fliq_bind_bool(ngx_http_fliq_store_call_t *call, ngx_uint_t value)
{
    ngx_http_fliq_bind_bytes(call, value ? "\1" : "\0", 1);
}


void
ngx_http_fliq_bind_time(ngx_http_fliq_store_call_t *call, int64_t value)
{
    if (value == NGX_HTTP_FLIQ_NONE) {
        ngx_http_fliq_bind_bytes(call, NULL, 0);
        return;
    }

    ngx_http_fliq_bind_int8(call, value - NGX_HTTP_FLIQ_EPOCH_2000);
}


void
ngx_http_fliq_bind_page(ngx_http_fliq_store_call_t *call,
    const fliq_id_t *account, const fliq_id_t *before, ngx_uint_t limit)
{
    static const fliq_id_t  last = {
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }
    };

    ngx_http_fliq_bind_id(call, account);
    ngx_http_fliq_bind_id(call, before ? before : &last);
    ngx_http_fliq_bind_int4(call, limit);
}


void
ngx_http_fliq_bind_column(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_bind_e type, const void *const *records, ngx_uint_t n,
    size_t offset)
{
    u_char        *buf, *p;
    size_t         size;
    ngx_uint_t     i, nulls;
    const u_char  *value;

    size = 20;
    nulls = 0;

    for (i = 0; i < n; i++) {
        value = (const u_char *) records[i] + offset;

        if (ngx_http_fliq_element_null(type, value)) {
            nulls = 1;
            size += 4;

        } else {
            size += 4 + ngx_http_fliq_element_len(type, value);
        }
    }

    buf = ngx_pnalloc(call->pool, size);
    if (buf == NULL) {
        call->failed = 1;
        return;
    }

    p = ngx_http_fliq_put_int4(buf, n ? 1 : 0);
    p = ngx_http_fliq_put_int4(p, nulls);
    p = ngx_http_fliq_put_int4(p, ngx_http_fliq_bind_oids[type]);

    if (n) {
        p = ngx_http_fliq_put_int4(p, n);
        p = ngx_http_fliq_put_int4(p, 1);
    }

    for (i = 0; i < n; i++) {
        p = ngx_http_fliq_put_element(p, type,
                                      (const u_char *) records[i] + offset);
    }

    ngx_http_fliq_bind_bytes(call, buf, p - buf);
}


void
ngx_http_fliq_bind_array(ngx_http_fliq_store_call_t *call,
    ngx_http_fliq_bind_e type, const void *values, ngx_uint_t n, size_t size)
{
    ngx_uint_t    i;
    const void  **records;

    records = ngx_palloc(call->pool, (n + 1) * sizeof(void *));
    if (records == NULL) {
        call->failed = 1;
        return;
    }

    for (i = 0; i < n; i++) {
        records[i] = (const u_char *) values + i * size;
    }

    ngx_http_fliq_bind_column(call, type, records, n, 0);
}


static ngx_uint_t
ngx_http_fliq_element_null(ngx_http_fliq_bind_e type, const u_char *value)
{
    switch (type) {

    case NGX_HTTP_FLIQ_BIND_INT4_NULL:
        return *(const int32_t *) value == 0;

    case NGX_HTTP_FLIQ_BIND_TIME:
        return *(const int64_t *) value == NGX_HTTP_FLIQ_NONE;

    case NGX_HTTP_FLIQ_BIND_TEXT:
    case NGX_HTTP_FLIQ_BIND_BYTEA:
        return ((const ngx_str_t *) value)->data == NULL;

    default:
        return 0;
    }
}


static size_t
ngx_http_fliq_element_len(ngx_http_fliq_bind_e type, const u_char *value)
{
    switch (type) {

    case NGX_HTTP_FLIQ_BIND_ID:
        return FLIQ_ID_SIZE;

    case NGX_HTTP_FLIQ_BIND_INT4:
    case NGX_HTTP_FLIQ_BIND_INT4_NULL:
        return 4;

    case NGX_HTTP_FLIQ_BIND_INT8:
    case NGX_HTTP_FLIQ_BIND_TIME:
        return 8;

    default: /* TEXT, BYTEA */
        return ((const ngx_str_t *) value)->len;
    }
}


static u_char *
ngx_http_fliq_put_element(u_char *p, ngx_http_fliq_bind_e type,
    const u_char *value)
{
    size_t  len;

    if (ngx_http_fliq_element_null(type, value)) {
        return ngx_http_fliq_put_int4(p, (uint32_t) -1);
    }

    len = ngx_http_fliq_element_len(type, value);
    p = ngx_http_fliq_put_int4(p, len);

    switch (type) {

    case NGX_HTTP_FLIQ_BIND_ID:
        return ngx_cpymem(p, value, len);

    case NGX_HTTP_FLIQ_BIND_INT4:
    case NGX_HTTP_FLIQ_BIND_INT4_NULL:
        return ngx_http_fliq_put_int4(p, *(const uint32_t *) value);

    case NGX_HTTP_FLIQ_BIND_INT8:
        return ngx_http_fliq_put_int8(p, *(const uint64_t *) value);

    case NGX_HTTP_FLIQ_BIND_TIME:
        return ngx_http_fliq_put_int8(p,
                   *(const int64_t *) value - NGX_HTTP_FLIQ_EPOCH_2000);

    default: /* TEXT, BYTEA */
        return ngx_cpymem(p, ((const ngx_str_t *) value)->data, len);
    }
}


static u_char *
ngx_http_fliq_put_int4(u_char *p, uint32_t value)
{
    value = htonl(value);

    return ngx_cpymem(p, &value, 4);
}


static u_char *
ngx_http_fliq_put_int8(u_char *p, uint64_t value)
{
    p = ngx_http_fliq_put_int4(p, (uint32_t) (value >> 32));

    return ngx_http_fliq_put_int4(p, (uint32_t) value);
}


int64_t
ngx_http_fliq_get_int(const PGresult *res, int row, int column)
{
    int            i, len;
    uint64_t       value;
    const u_char  *p;

    if (PQgetisnull(res, row, column)) {
        return 0;
    }

    p = (const u_char *) PQgetvalue(res, row, column);
    len = PQgetlength(res, row, column);

    value = (len > 1 && p[0] & 0x80) ? (uint64_t) -1 : 0;

    for (i = 0; i < len; i++) {
        value = value << 8 | p[i];
    }

    return (int64_t) value;
}


int64_t
ngx_http_fliq_get_time(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column)) {
        return NGX_HTTP_FLIQ_NONE;
    }

    return ngx_http_fliq_get_int(res, row, column) + NGX_HTTP_FLIQ_EPOCH_2000;
}


ngx_uint_t
ngx_http_fliq_get_id(const PGresult *res, int row, int column, fliq_id_t *id)
{
    if (PQgetlength(res, row, column) != FLIQ_ID_SIZE) {
        ngx_memzero(id, sizeof(fliq_id_t));
        return 0;
    }

    ngx_memcpy(id->bytes, PQgetvalue(res, row, column), FLIQ_ID_SIZE);

    return 1;
}


ngx_str_t
ngx_http_fliq_get_str(const PGresult *res, int row, int column)
{
    ngx_str_t  value;

    ngx_str_null(&value);

    if (!PQgetisnull(res, row, column)) {
        value.data = (u_char *) PQgetvalue(res, row, column);
        value.len = PQgetlength(res, row, column);
    }

    return value;
}


fliq_backoff_kind_t
ngx_http_fliq_get_backoff(const PGresult *res, int row, int column)
{
    ngx_str_t  kind;

    kind = ngx_http_fliq_get_str(res, row, column);

    return kind.len == sizeof("linear") - 1 ? FLIQ_BACKOFF_LINEAR
                                            : FLIQ_BACKOFF_EXPONENTIAL;
}
