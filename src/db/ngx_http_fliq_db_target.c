/*
 * Where to connect to: the connection string, taken apart and checked in the
 * master.
 */

#include "ngx_http_fliq_db_private.h"


/* What libpq is told unless the connection string says otherwise. */

typedef struct {
    const char  *keyword;
    const char  *value;
} ngx_http_fliq_db_default_t;

static const ngx_http_fliq_db_default_t  ngx_http_fliq_db_defaults[] = {
    { "fallback_application_name", "fliq-nginx" },

    /* a peer that vanished while nothing is in flight: noticed in 20 s */
    { "keepalives_idle", "10" },
    { "keepalives_interval", "3" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "20000" },

    /* its handshake blocks, and hides bytes that no event tells of */
    { "gssencmode", "disable" },

    { NULL, NULL }
};


static PQconninfoOption *ngx_http_fliq_db_target_parse(ngx_conf_t *cf,
    ngx_str_t *conninfo);
static void ngx_http_fliq_db_target_complain(ngx_conf_t *cf,
    ngx_str_t *conninfo, char *message);
static ngx_int_t ngx_http_fliq_db_target_check(ngx_conf_t *cf,
    const PQconninfoOption *options);
static ngx_int_t ngx_http_fliq_db_target_params(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target, const PQconninfoOption *options);
static ngx_int_t ngx_http_fliq_db_target_hosts(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target, const PQconninfoOption *options);
static ngx_int_t ngx_http_fliq_db_target_host(ngx_conf_t *cf,
    ngx_http_fliq_db_host_t *host);
static ngx_int_t ngx_http_fliq_db_target_resolve(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target);
static void ngx_http_fliq_db_target_cleanup(void *data);
static const char *ngx_http_fliq_db_target_value(
    const PQconninfoOption *options, const char *keyword);
static ngx_uint_t ngx_http_fliq_db_target_count(const char *list);
static char *ngx_http_fliq_db_target_element(ngx_pool_t *pool,
    const char *list, ngx_uint_t i);
static char *ngx_http_fliq_db_target_copy(ngx_pool_t *pool, const char *data,
    size_t len);


ngx_http_fliq_db_target_t *
ngx_http_fliq_db_target(ngx_conf_t *cf, ngx_str_t *conninfo)
{
    ngx_int_t                   rc;
    PQconninfoOption           *options;
    ngx_http_fliq_db_target_t  *target;

    target = ngx_pcalloc(cf->pool, sizeof(ngx_http_fliq_db_target_t));
    if (target == NULL) {
        return NULL;
    }

    options = ngx_http_fliq_db_target_parse(cf, conninfo);
    if (options == NULL) {
        return NULL;
    }

    rc = ngx_http_fliq_db_target_check(cf, options);

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_db_target_params(cf, target, options);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_fliq_db_target_hosts(cf, target, options);
    }

    PQconninfoFree(options);

    if (rc != NGX_OK || ngx_http_fliq_db_target_resolve(cf, target) != NGX_OK)
    {
        return NULL;
    }

    return target;
}


static PQconninfoOption *
ngx_http_fliq_db_target_parse(ngx_conf_t *cf, ngx_str_t *conninfo)
{
    char              *text, *message;
    PQconninfoOption  *options;

    text = ngx_http_fliq_db_target_copy(cf->pool, (char *) conninfo->data,
                                        conninfo->len);
    if (text == NULL) {
        return NULL;
    }

    message = NULL;
    options = PQconninfoParse(text, &message);

    if (options == NULL) {
        ngx_http_fliq_db_target_complain(cf, conninfo, message);
        PQfreemem(message);
    }

    return options;
}


/*
 * libpq quotes what it does not understand, and that may be a piece of the
 * password: then only its words are shown.
 */

static void
ngx_http_fliq_db_target_complain(ngx_conf_t *cf, ngx_str_t *conninfo,
    char *message)
{
    char        *p, *last;
    ngx_uint_t   secret, quoted;

    if (message == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no memory");
        return;
    }

    secret = (ngx_strlcasestrn(conninfo->data,
                               conninfo->data + conninfo->len,
                               (u_char *) "password", 8 - 1) != NULL)
             || ngx_strlchr(conninfo->data, conninfo->data + conninfo->len,
                            '@') != NULL;
    quoted = 0;
    last = message;

    for (p = message; *p; p++) {

        if (*p == '\n') {
            continue;
        }

        if (secret && *p == '"') {
            quoted = !quoted;

        } else if (quoted) {
            continue;
        }

        *last++ = *p;
    }

    *last = '\0';

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid database connection string: %s", message);
}


/* What would make libpq block a worker is refused here. */

static ngx_int_t
ngx_http_fliq_db_target_check(ngx_conf_t *cf, const PQconninfoOption *options)
{
    const char  *value;

    if (ngx_http_fliq_db_target_value(options, "service")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"service\" is not supported in the database "
                           "connection string");
        return NGX_ERROR;
    }

    value = ngx_http_fliq_db_target_value(options, "gssencmode");

    if (value && ngx_strcmp(value, "disable") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"gssencmode=%s\" is not supported in the "
                           "database connection string, use \"sslmode\"",
                           value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_db_target_params(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target, const PQconninfoOption *options)
{
    char                              *value;
    ngx_uint_t                         n;
    const PQconninfoOption            *option;
    const ngx_http_fliq_db_default_t  *def;

    n = 0;

    target->keywords = ngx_pcalloc(cf->pool, NGX_HTTP_FLIQ_DB_PARAMS
                                             * sizeof(char *));
    target->values = ngx_pcalloc(cf->pool, NGX_HTTP_FLIQ_DB_PARAMS
                                           * sizeof(char *));

    if (target->keywords == NULL || target->values == NULL) {
        return NGX_ERROR;
    }

    /* libpq skips what is empty and takes the last of one keyword */

    for (def = ngx_http_fliq_db_defaults; def->keyword; def++) {
        target->keywords[n] = def->keyword;
        target->values[n++] = def->value;
    }

    for (option = options; option->keyword; option++) {

        if (option->val == NULL
            || ngx_http_fliq_db_endpoint_keyword(option->keyword))
        {
            continue;
        }

        if (n == NGX_HTTP_FLIQ_DB_PARAMS - 1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "too many parameters in the database "
                               "connection string");
            return NGX_ERROR;
        }

        value = ngx_http_fliq_db_target_copy(cf->pool, option->val,
                                             ngx_strlen(option->val));
        if (value == NULL) {
            return NGX_ERROR;
        }

        /* the keywords are libpq's constants */

        target->keywords[n] = option->keyword;
        target->values[n++] = value;
    }

    target->keywords[n] = "client_encoding";
    target->values[n++] = "UTF8";

    target->nparams = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_db_target_hosts(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target, const PQconninfoOption *options)
{
    ngx_uint_t                i, n, naddrs, nports;
    const char               *hosts, *addrs, *ports;
    ngx_http_fliq_db_host_t  *host;

    hosts = ngx_http_fliq_db_target_value(options, "host");
    addrs = ngx_http_fliq_db_target_value(options, "hostaddr");
    ports = ngx_http_fliq_db_target_value(options, "port");

    naddrs = ngx_http_fliq_db_target_count(addrs);
    nports = ngx_http_fliq_db_target_count(ports);
    n = hosts ? ngx_http_fliq_db_target_count(hosts) : naddrs;

    if ((addrs && naddrs != n) || (nports > 1 && nports != n)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the database connection string has %ui hosts, "
                           "%ui addresses and %ui ports", n,
                           addrs ? naddrs : 0, ports ? nports : 0);
        return NGX_ERROR;
    }

    host = ngx_pcalloc(cf->pool, n * sizeof(ngx_http_fliq_db_host_t));
    if (host == NULL) {
        return NGX_ERROR;
    }

    target->hosts = host;
    target->nhosts = n;

    for (i = 0; i < n; i++, host++) {
        host->name = ngx_http_fliq_db_target_element(cf->pool, hosts, i);
        host->addr = ngx_http_fliq_db_target_element(cf->pool, addrs, i);
        host->port = ngx_http_fliq_db_target_element(cf->pool, ports,
                                                     nports > 1 ? i : 0);

        if (host->name == NULL || host->addr == NULL || host->port == NULL
            || ngx_http_fliq_db_target_host(cf, host) != NGX_OK)
        {
            return NGX_ERROR;
        }

        target->nlookups += host->lookup;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fliq_db_target_host(ngx_conf_t *cf, ngx_http_fliq_db_host_t *host)
{
    size_t           len;
    ngx_int_t        port;
    struct in6_addr  addr;

    len = ngx_strlen(host->port);
    port = ngx_atoi((u_char *) host->port, len);

    if (len && (port < 1 || port > 65535)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid port \"%s\" in the database connection "
                           "string", host->port);
        return NGX_ERROR;
    }

    if (host->addr[0] == '\0'
        && (inet_pton(AF_INET, host->name, &addr) == 1
            || inet_pton(AF_INET6, host->name, &addr) == 1))
    {
        host->addr = host->name;
    }

    if (ngx_strlen(host->addr) >= NGX_HTTP_FLIQ_DB_ADDR_LEN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid hostaddr \"%s\" in the database "
                           "connection string", host->addr);
        return NGX_ERROR;
    }

    if (host->name[0] && strchr(host->name + 1, '@')) {

        /* it is not shown, since it has a part of the password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid host in the database connection string: "
                           "write \"%%40\" for \"@\" in a password");
        return NGX_ERROR;
    }

    /* a path or "@name" is a Unix socket, and so is the default */

    host->lookup = host->addr[0] == '\0' && host->name[0] != '\0'
                   && host->name[0] != '/' && host->name[0] != '@';

    return NGX_OK;
}


/* In the master, which may block, as nginx does for its upstreams. */

static ngx_int_t
ngx_http_fliq_db_target_resolve(ngx_conf_t *cf,
    ngx_http_fliq_db_target_t *target)
{
    int                            err;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    struct addrinfo              **answers;
    ngx_pool_cleanup_t            *cln;
    ngx_http_fliq_db_endpoints_t   none;

    answers = ngx_pcalloc(cf->temp_pool,
                          target->nhosts * sizeof(struct addrinfo *));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (answers == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < target->nhosts; i++) {

        if (!target->hosts[i].lookup) {
            continue;
        }

        err = ngx_http_fliq_db_resolve(target->hosts[i].name, &answers[i]);

        if (err) {
            answers[i] = NULL;
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "host \"%s\" in the database connection "
                               "string could not be resolved yet: %s",
                               target->hosts[i].name, gai_strerror(err));
        }
    }

    ngx_memzero(&none, sizeof(ngx_http_fliq_db_endpoints_t));

    rc = ngx_http_fliq_db_endpoint_list(target, answers, &none,
                                           &target->endpoints);
    if (rc == NGX_OK) {
        cln->handler = ngx_http_fliq_db_target_cleanup;
        cln->data = target;
    }

    for (i = 0; i < target->nhosts; i++) {
        if (answers[i]) {
            freeaddrinfo(answers[i]);
        }
    }

    return rc;
}


static void
ngx_http_fliq_db_target_cleanup(void *data)
{
    ngx_http_fliq_db_target_t *target = data;

    free(target->endpoints.elts);
}


static const char *
ngx_http_fliq_db_target_value(const PQconninfoOption *options,
    const char *keyword)
{
    for ( /* void */ ; options->keyword; options++) {

        if (ngx_strcmp(options->keyword, keyword) == 0) {
            return options->val && options->val[0] ? options->val : NULL;
        }
    }

    return NULL;
}


/* How many elements a comma separated list has; an absent one has one. */

static ngx_uint_t
ngx_http_fliq_db_target_count(const char *list)
{
    ngx_uint_t  n;

    n = 1;

    for ( /* void */ ; list && *list; list++) {
        n += (*list == ',');
    }

    return n;
}


static char *
ngx_http_fliq_db_target_element(ngx_pool_t *pool, const char *list,
    ngx_uint_t i)
{
    if (list == NULL) {
        return ngx_http_fliq_db_target_copy(pool, "", 0);
    }

    while (i--) {
        list = strchr(list, ',') + 1;
    }

    return ngx_http_fliq_db_target_copy(pool, list, strcspn(list, ","));
}


static char *
ngx_http_fliq_db_target_copy(ngx_pool_t *pool, const char *data, size_t len)
{
    char  *copy;

    copy = ngx_pnalloc(pool, len + 1);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, data, len);
    copy[len] = '\0';

    return copy;
}
