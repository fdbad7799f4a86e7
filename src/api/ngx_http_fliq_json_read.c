/*
 * Text as a tree of jansson's.
 *
 * jansson's lexer takes some 150 instructions a byte, which was two fifths of
 * what a worker executes for a create.  What bodies nearly always are, objects
 * of ASCII strings and short numbers, is read here; at anything else, right
 * or wrong, this gives up and jansson reads the text, so that what is taken
 * and what an error says are jansson's alone.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_fliq_api_private.h"


#define NGX_HTTP_FLIQ_JSON_DEPTH   3      /* objects within each other */
#define NGX_HTTP_FLIQ_JSON_NAME    64
#define NGX_HTTP_FLIQ_JSON_DIGITS  15     /* of a number that is exact */

/* An integer that overflows must be an error of its field, not of all. */
#define NGX_HTTP_FLIQ_JSON_FLAGS                                              \
    (JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL|JSON_DECODE_INT_AS_REAL            \
     |JSON_DECODE_ANY)


typedef struct {
    u_char      *p;
    u_char      *end;
    u_char      *unescaped;   /* room for the rest of the text, or NULL */
    ngx_pool_t  *pool;
    ngx_uint_t   depth;
} ngx_http_fliq_json_in_t;


/* Each returns NULL, or NGX_DECLINED, where jansson must look itself. */
static json_t *ngx_http_fliq_json_in_value(ngx_http_fliq_json_in_t *in);
static json_t *ngx_http_fliq_json_in_object(ngx_http_fliq_json_in_t *in);
static ngx_int_t ngx_http_fliq_json_in_members(ngx_http_fliq_json_in_t *in,
    json_t *object);
static ngx_int_t ngx_http_fliq_json_in_member(ngx_http_fliq_json_in_t *in,
    json_t *object);
static ngx_int_t ngx_http_fliq_json_in_string(ngx_http_fliq_json_in_t *in,
    ngx_str_t *value);
static ngx_int_t ngx_http_fliq_json_in_unescape(ngx_http_fliq_json_in_t *in,
    ngx_str_t *value);
static json_t *ngx_http_fliq_json_in_number(ngx_http_fliq_json_in_t *in);
static ngx_uint_t ngx_http_fliq_json_in_skip(ngx_http_fliq_json_in_t *in,
    const char *word);
static ngx_uint_t ngx_http_fliq_json_in_next(ngx_http_fliq_json_in_t *in,
    u_char c);
static void ngx_http_fliq_json_in_blank(ngx_http_fliq_json_in_t *in);


json_t *
ngx_http_fliq_json_read(ngx_pool_t *pool, const ngx_str_t *text,
    json_error_t *error)
{
    json_t                   *json;
    ngx_http_fliq_json_in_t   in;

    in.p = text->data;
    in.end = text->data + text->len;
    in.unescaped = NULL;
    in.pool = pool;
    in.depth = 0;

    json = ngx_http_fliq_json_in_value(&in);

    ngx_http_fliq_json_in_blank(&in);

    if (json != NULL && in.p == in.end) {
        return json;
    }

    json_decref(json);

    return json_loadb((char *) text->data, text->len,
                      NGX_HTTP_FLIQ_JSON_FLAGS, error);
}


static json_t *
ngx_http_fliq_json_in_value(ngx_http_fliq_json_in_t *in)
{
    ngx_str_t  value;

    ngx_http_fliq_json_in_blank(in);

    if (in->p == in->end) {
        return NULL;
    }

    switch (*in->p) {

    case '{':
        return ngx_http_fliq_json_in_object(in);

    case '"':
        return ngx_http_fliq_json_in_string(in, &value) == NGX_OK
               ? json_stringn_nocheck((char *) value.data, value.len) : NULL;

    case 't':
        return ngx_http_fliq_json_in_skip(in, "true") ? json_true() : NULL;

    case 'f':
        return ngx_http_fliq_json_in_skip(in, "false") ? json_false() : NULL;

    case 'n':
        return ngx_http_fliq_json_in_skip(in, "null") ? json_null() : NULL;

    default:
        return ngx_http_fliq_json_in_number(in);
    }
}


static json_t *
ngx_http_fliq_json_in_object(ngx_http_fliq_json_in_t *in)
{
    json_t     *object;
    ngx_int_t   rc;

    if (in->depth == NGX_HTTP_FLIQ_JSON_DEPTH) {
        return NULL;
    }

    object = json_object();
    if (object == NULL) {
        return NULL;
    }

    in->p++;
    in->depth++;

    rc = ngx_http_fliq_json_in_next(in, '}')
         ? NGX_OK : ngx_http_fliq_json_in_members(in, object);

    in->depth--;

    if (rc != NGX_OK) {
        json_decref(object);
        return NULL;
    }

    return object;
}


/* The members, at least one, and the brace behind them. */

static ngx_int_t
ngx_http_fliq_json_in_members(ngx_http_fliq_json_in_t *in, json_t *object)
{
    do {
        if (ngx_http_fliq_json_in_member(in, object) != NGX_OK) {
            return NGX_DECLINED;
        }

    } while (ngx_http_fliq_json_in_next(in, ','));

    return ngx_http_fliq_json_in_next(in, '}') ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_fliq_json_in_member(ngx_http_fliq_json_in_t *in, json_t *object)
{
    char        name[NGX_HTTP_FLIQ_JSON_NAME];
    json_t     *value;
    ngx_str_t   text;

    ngx_http_fliq_json_in_blank(in);

    if (in->p == in->end || *in->p != '"'
        || ngx_http_fliq_json_in_string(in, &text) != NGX_OK
        || text.len >= sizeof(name))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(name, text.data, text.len);
    name[text.len] = '\0';

    if (json_object_get(object, name) != NULL
        || !ngx_http_fliq_json_in_next(in, ':'))
    {
        return NGX_DECLINED;
    }

    value = ngx_http_fliq_json_in_value(in);

    /* takes the value, and NULL for a failure */

    return json_object_set_new_nocheck(object, name, value) == 0
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_fliq_json_in_string(ngx_http_fliq_json_in_t *in, ngx_str_t *value)
{
    u_char  *p;

    in->p++;

    for (p = in->p; p < in->end; p++) {

        if (*p == '"') {
            value->data = in->p;
            value->len = p - in->p;
            in->p = p + 1;
            return NGX_OK;
        }

        if (*p == '\\') {
            return ngx_http_fliq_json_in_unescape(in, value);
        }

        if (*p < 0x20 || *p >= 0x7f) {
            break;
        }
    }

    return NGX_DECLINED;
}


/* A string with escapes, but for those of code points. */

static ngx_int_t
ngx_http_fliq_json_in_unescape(ngx_http_fliq_json_in_t *in, ngx_str_t *value)
{
    u_char      *p, *dst;
    const char  *found;

    static const char  letters[] = "\"\\/bfnrt";
    static const char  meant[] = "\"\\/\b\f\n\r\t";

    if (in->pool == NULL) {
        return NGX_DECLINED;
    }

    if (in->unescaped == NULL) {
        in->unescaped = ngx_pnalloc(in->pool, in->end - in->p);
        if (in->unescaped == NULL) {
            return NGX_DECLINED;
        }
    }

    dst = in->unescaped;

    for (p = in->p; p < in->end; p++) {

        if (*p == '"') {
            value->data = in->unescaped;
            value->len = dst - in->unescaped;
            in->p = p + 1;
            return NGX_OK;
        }

        if (*p < 0x20 || *p >= 0x7f) {
            break;
        }

        if (*p != '\\') {
            *dst++ = *p;
            continue;
        }

        p++;

        found = (p < in->end && *p) ? strchr(letters, *p) : NULL;
        if (found == NULL) {
            break;
        }

        *dst++ = meant[found - letters];
    }

    return NGX_DECLINED;
}


/* Digits that a double holds exactly, and nothing that goes on as a number. */

static json_t *
ngx_http_fliq_json_in_number(ngx_http_fliq_json_in_t *in)
{
    u_char   *start;
    int64_t   value;

    start = in->p;
    value = 0;

    while (in->p < in->end && *in->p >= '0' && *in->p <= '9'
           && in->p - start < NGX_HTTP_FLIQ_JSON_DIGITS)
    {
        value = value * 10 + (*in->p - '0');
        in->p++;
    }

    if (in->p == start || (*start == '0' && in->p - start > 1)
        || in->p == in->end || strchr(",} \t\r\n", *in->p) == NULL)
    {
        return NULL;
    }

    return json_real((double) value);
}


static ngx_uint_t
ngx_http_fliq_json_in_skip(ngx_http_fliq_json_in_t *in, const char *word)
{
    size_t  len;

    len = ngx_strlen(word);

    if ((size_t) (in->end - in->p) <= len
        || ngx_memcmp(in->p, word, len) != 0
        || strchr(",} \t\r\n", in->p[len]) == NULL)
    {
        return 0;
    }

    in->p += len;

    return 1;
}


/* Whether that comes next, blanks aside; then it is passed. */

static ngx_uint_t
ngx_http_fliq_json_in_next(ngx_http_fliq_json_in_t *in, u_char c)
{
    ngx_http_fliq_json_in_blank(in);

    if (in->p < in->end && *in->p == c) {
        in->p++;
        return 1;
    }

    return 0;
}


static void
ngx_http_fliq_json_in_blank(ngx_http_fliq_json_in_t *in)
{
    while (in->p < in->end
           && (*in->p == ' ' || *in->p == '\t' || *in->p == '\r'
               || *in->p == '\n'))
    {
        in->p++;
    }
}
