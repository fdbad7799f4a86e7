/*
 * The addresses of a target's hosts, and how libpq is told of them.
 */

#include "ngx_http_fliq_db_private.h"


static ngx_http_fliq_db_endpoint_t *ngx_http_fliq_db_endpoint_answer(
    ngx_http_fliq_db_endpoint_t *e, ngx_uint_t host,
    const struct addrinfo *ai);
static char *ngx_http_fliq_db_endpoint_join(
    const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first,
    ngx_uint_t list);
static const char *ngx_http_fliq_db_endpoint_part(
    const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoint_t *endpoint, ngx_uint_t list);


/* The lists that the endpoints become. */

#define NGX_HTTP_FLIQ_DB_HOST      0
#define NGX_HTTP_FLIQ_DB_HOSTADDR  1
#define NGX_HTTP_FLIQ_DB_PORT      2
#define NGX_HTTP_FLIQ_DB_LISTS     3

static const char  *ngx_http_fliq_db_lists[] = { "host", "hostaddr", "port" };


ngx_uint_t
ngx_http_fliq_db_endpoint_keyword(const char *keyword)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLIQ_DB_LISTS; i++) {
        if (ngx_strcmp(keyword, ngx_http_fliq_db_lists[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_fliq_db_endpoint_list(const ngx_http_fliq_db_target_t *target,
    struct addrinfo **answers, const ngx_http_fliq_db_endpoints_t *old,
    ngx_http_fliq_db_endpoints_t *endpoints)
{
    ngx_uint_t                    i, j, n;
    struct addrinfo              *ai;
    ngx_http_fliq_db_endpoint_t  *e;

    n = target->nhosts + old->n;

    for (i = 0; answers && i < target->nhosts; i++) {
        for (ai = answers[i]; ai; ai = ai->ai_next) {
            n++;
        }
    }

    e = calloc(n, sizeof(ngx_http_fliq_db_endpoint_t));
    if (e == NULL) {
        return NGX_ERROR;
    }

    endpoints->elts = e;

    for (i = 0; i < target->nhosts; i++) {

        if (!target->hosts[i].lookup) {
            e->host = i;
            (void) ngx_cpystrn((u_char *) e->addr,
                               (u_char *) target->hosts[i].addr,
                               NGX_HTTP_FLIQ_DB_ADDR_LEN);
            e++;
            continue;
        }

        if (answers && answers[i]) {
            e = ngx_http_fliq_db_endpoint_answer(e, i, answers[i]);
            continue;
        }

        for (j = 0; j < old->n; j++) {
            if (old->elts[j].host == i) {
                *e++ = old->elts[j];
            }
        }
    }

    endpoints->n = e - endpoints->elts;

    return NGX_OK;
}


PGconn *
ngx_http_fliq_db_endpoint_connect(const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first)
{
    char        *lists[NGX_HTTP_FLIQ_DB_LISTS];
    PGconn      *pg;
    ngx_uint_t   i, n;
    const char  *keywords[NGX_HTTP_FLIQ_DB_PARAMS
                          + NGX_HTTP_FLIQ_DB_LISTS + 1];
    const char  *values[NGX_HTTP_FLIQ_DB_PARAMS
                        + NGX_HTTP_FLIQ_DB_LISTS + 1];

    pg = NULL;
    ngx_memzero(lists, sizeof(lists));

    n = target->nparams;

    ngx_memcpy(keywords, target->keywords, n * sizeof(char *));
    ngx_memcpy(values, target->values, n * sizeof(char *));

    for (i = 0; i < NGX_HTTP_FLIQ_DB_LISTS; i++) {
        lists[i] = ngx_http_fliq_db_endpoint_join(target, endpoints, first, i);

        if (lists[i] == NULL) {
            goto done;
        }

        keywords[n] = ngx_http_fliq_db_lists[i];
        values[n++] = lists[i];
    }

    keywords[n] = NULL;
    values[n] = NULL;

    pg = PQconnectStartParams(keywords, values, 0);

done:

    for (i = 0; i < NGX_HTTP_FLIQ_DB_LISTS; i++) {
        free(lists[i]);
    }

    return pg;
}


ngx_uint_t
ngx_http_fliq_db_endpoint_current(const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first,
    const PGconn *pg)
{
    ngx_uint_t                          i, n;
    const char                         *port;
    const ngx_http_fliq_db_endpoint_t  *e;

    for (i = 0; i < endpoints->n; i++) {
        n = (first + i) % endpoints->n;
        e = &endpoints->elts[n];
        port = target->hosts[e->host].port;

        if (port[0] && ngx_strcmp(port, PQport(pg)) != 0) {
            continue;
        }

        if (e->addr[0]
            ? ngx_strcmp(e->addr, PQhostaddr(pg)) == 0
            : ngx_strcmp(target->hosts[e->host].name, PQhost(pg)) == 0)
        {
            return n;
        }
    }

    return first;
}


static ngx_http_fliq_db_endpoint_t *
ngx_http_fliq_db_endpoint_answer(ngx_http_fliq_db_endpoint_t *e,
    ngx_uint_t host, const struct addrinfo *ai)
{
    for ( /* void */ ; ai; ai = ai->ai_next) {

        if (getnameinfo(ai->ai_addr, ai->ai_addrlen, e->addr,
                        NGX_HTTP_FLIQ_DB_ADDR_LEN, NULL, 0, NI_NUMERICHOST)
            == 0)
        {
            e->host = host;
            e++;
        }
    }

    return e;
}


/* One of the lists, in malloc'ed memory. */

static char *
ngx_http_fliq_db_endpoint_join(const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoints_t *endpoints, ngx_uint_t first,
    ngx_uint_t list)
{
    char        *text, *p;
    size_t       len;
    ngx_uint_t   i;
    const char  *part;

    len = 1;

    for (i = 0; i < endpoints->n; i++) {
        part = ngx_http_fliq_db_endpoint_part(target, &endpoints->elts[i],
                                            list);
        len += ngx_strlen(part) + 1;
    }

    text = malloc(len);
    if (text == NULL) {
        return NULL;
    }

    p = text;

    for (i = 0; i < endpoints->n; i++) {
        if (i > 0) {
            *p++ = ',';
        }

        part = ngx_http_fliq_db_endpoint_part(target,
                      &endpoints->elts[(first + i) % endpoints->n], list);
        p = (char *) ngx_cpymem(p, part, ngx_strlen(part));
    }

    *p = '\0';

    return text;
}


static const char *
ngx_http_fliq_db_endpoint_part(const ngx_http_fliq_db_target_t *target,
    const ngx_http_fliq_db_endpoint_t *endpoint, ngx_uint_t list)
{
    switch (list) {

    case NGX_HTTP_FLIQ_DB_HOST:
        return target->hosts[endpoint->host].name;

    case NGX_HTTP_FLIQ_DB_PORT:
        return target->hosts[endpoint->host].port;

    default: /* NGX_HTTP_FLIQ_DB_HOSTADDR */
        return endpoint->addr;
    }
}
