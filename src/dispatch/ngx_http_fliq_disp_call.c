/*
 * One outbound request: a libcurl easy handle from its options to its answer.
 */

#include "ngx_http_fliq_disp_private.h"
#include "fliq_header.h"


#define NGX_HTTP_FLIQ_DISP_ERROR    128


static void ngx_http_fliq_disp_call_clock(ngx_http_fliq_disp_call_t *call);
static ngx_msec_t ngx_http_fliq_disp_call_left(
    ngx_http_fliq_disp_call_t *call);
static ngx_uint_t ngx_http_fliq_disp_call_starves(
    ngx_http_fliq_disp_call_t *call, CURLcode code);
static ngx_uint_t ngx_http_fliq_disp_call_short(
    ngx_http_fliq_disp_call_t *call);
static void ngx_http_fliq_disp_call_starve(ngx_http_fliq_disp_call_t *call);
static ngx_int_t ngx_http_fliq_disp_call_options(
    ngx_http_fliq_disp_call_t *call, ngx_msec_t left);
static CURLcode ngx_http_fliq_disp_call_method(
    ngx_http_fliq_disp_call_t *call);
static char *ngx_http_fliq_disp_call_target(ngx_http_fliq_disp_call_t *call);
static const char *ngx_http_fliq_disp_call_path(const char *url);
static curl_socket_t ngx_http_fliq_disp_call_socket(void *data,
    curlsocktype purpose, struct curl_sockaddr *address);
static int ngx_http_fliq_disp_call_sending(void *data, char *remote,
    char *local, int remote_port, int local_port);
static u_char *ngx_http_fliq_disp_call_http2(ngx_http_fliq_disp_call_t *call);
static size_t ngx_http_fliq_disp_call_header(char *line, size_t size,
    size_t n, void *data);
static void ngx_http_fliq_disp_call_retry_after(
    ngx_http_fliq_disp_call_t *call, u_char *line, size_t len);
static size_t ngx_http_fliq_disp_call_body(char *bytes, size_t size,
    size_t n, void *data);
static void ngx_http_fliq_disp_call_keep(ngx_http_fliq_disp_call_t *call,
    u_char *bytes, size_t len);
static void ngx_http_fliq_disp_call_answer(ngx_http_fliq_disp_call_t *call,
    CURLcode code, ngx_http_fliq_disp_answer_t *answer);
static void ngx_http_fliq_disp_call_excerpt(ngx_http_fliq_disp_call_t *call,
    ngx_str_t *excerpt);
static void ngx_http_fliq_disp_call_error(ngx_http_fliq_disp_call_t *call,
    CURLcode code, ngx_str_t *error);
static const char *ngx_http_fliq_disp_call_reason(
    ngx_http_fliq_disp_call_t *call, CURLcode code);


static const struct {
    CURLoption     option;
    long           value;
} ngx_http_fliq_disp_numbers[] = {
    { CURLOPT_NOSIGNAL,           1 },
    { CURLOPT_FOLLOWLOCATION,     0 },
    { CURLOPT_HTTP09_ALLOWED,     0 },
    { CURLOPT_PATH_AS_IS,         1 },
    { CURLOPT_NETRC,              CURL_NETRC_IGNORED },
    { CURLOPT_SSL_VERIFYPEER,     1 },
    { CURLOPT_SSL_VERIFYHOST,     2 },
    { CURLOPT_HTTP_VERSION,       CURL_HTTP_VERSION_2TLS },
    { CURLOPT_TCP_NODELAY,        1 },
    { CURLOPT_TCP_KEEPALIVE,      1 },
    { CURLOPT_DNS_CACHE_TIMEOUT,  60 },
    { CURLOPT_MAXAGE_CONN,        NGX_HTTP_FLIQ_DISP_MAXAGE },

    /* a call that ends must not wait for its resolver thread */
    { CURLOPT_QUICK_EXIT,         1 },

    { CURLOPT_DISALLOW_USERNAME_IN_URL,  1 }
};

static const struct {
    CURLoption     option;
    const char    *value;
} ngx_http_fliq_disp_strings[] = {
    { CURLOPT_PROTOCOLS_STR,       "http,https" },
    { CURLOPT_REDIR_PROTOCOLS_STR, "http,https" },
    { CURLOPT_PROXY,               "" },
    { CURLOPT_NOPROXY,             "*" },

    /* with a folder of certificates libcurl reads them all at each call */
    { CURLOPT_CAPATH,              NULL }
};

/* What a user reads; no address and no path in it. */
static const struct {
    CURLcode       code;
    const char    *text;
} ngx_http_fliq_disp_reasons[] = {
    { CURLE_URL_MALFORMAT,            "the URL cannot be used" },
    { CURLE_UNSUPPORTED_PROTOCOL,     "the answer is not HTTP" },
    { CURLE_COULDNT_RESOLVE_HOST,     "could not resolve the host" },
    { CURLE_COULDNT_CONNECT,          "could not connect" },
    { CURLE_WEIRD_SERVER_REPLY,       "the answer is malformed" },
    { CURLE_HTTP2,                    "the answer is malformed" },
    { CURLE_HTTP2_STREAM,             "the target ended the HTTP/2 stream" },
    { CURLE_PARTIAL_FILE,             "the answer was cut short" },
    { CURLE_BAD_CONTENT_ENCODING,     "the answer is malformed" },
    { CURLE_GOT_NOTHING,
      "the target closed the connection without an answer" },
    { CURLE_SEND_ERROR,               "the connection was lost" },
    { CURLE_RECV_ERROR,               "the connection was lost" },
    { CURLE_SSL_CONNECT_ERROR,        "the TLS handshake failed" },
    { CURLE_SSL_CIPHER,               "the TLS handshake failed" },
    { CURLE_PEER_FAILED_VERIFICATION,
      "the target's certificate is not valid" },
    { CURLE_SSL_CACERT_BADFILE,
      "the worker has no certificate authorities" },
    { CURLE_OUT_OF_MEMORY,            "the worker is out of memory" }
};


ngx_http_fliq_disp_call_t *
ngx_http_fliq_disp_call_start(ngx_http_fliq_disp_multi_t *multi,
    ngx_pool_t *pool, const ngx_http_fliq_disp_request_t *request,
    ngx_http_fliq_disp_answer_pt done, void *data)
{
    ngx_http_fliq_disp_call_t  *call;

    call = ngx_pcalloc(pool, sizeof(ngx_http_fliq_disp_call_t));
    if (call == NULL) {
        return NULL;
    }

    call->multi = multi;
    call->pool = pool;
    call->request = request;
    call->done = done;
    call->data = data;

    ngx_http_fliq_disp_call_clock(call);
    call->deadline = call->started + (int64_t) request->timeout * 1000;

    if (ngx_http_fliq_disp_request_headers(call) != NGX_OK) {
        return NULL;
    }

    call->easy = ngx_http_fliq_disp_multi_easy(multi);
    if (call->easy == NULL) {
        return NULL;
    }

    if (ngx_http_fliq_disp_call_options(call, request->timeout) != NGX_OK
        || ngx_http_fliq_disp_multi_add(call) != NGX_OK)
    {
        curl_easy_cleanup(call->easy);
        return NULL;
    }

    return call;
}


static void
ngx_http_fliq_disp_call_clock(ngx_http_fliq_disp_call_t *call)
{
    call->started = ngx_http_fliq_monotonic();
    call->started_at = ngx_http_fliq_disp_clock_now(call->multi->clock);
}


void
ngx_http_fliq_disp_call_cancel(ngx_http_fliq_disp_call_t *call)
{
    ngx_http_fliq_disp_multi_remove(call);
    curl_easy_cleanup(call->easy);
}


void
ngx_http_fliq_disp_call_end(ngx_http_fliq_disp_call_t *call, CURLcode code)
{
    ngx_http_fliq_disp_answer_t  answer;

    if (ngx_http_fliq_disp_call_starves(call, code)) {
        ngx_http_fliq_disp_multi_wait(call);
        return;
    }

    ngx_http_fliq_disp_call_answer(call, code, &answer);

    ngx_http_fliq_disp_multi_remove(call);

    if (code == CURLE_FAILED_INIT) {
        curl_easy_cleanup(call->easy);

    } else {
        ngx_http_fliq_disp_multi_recycle(call->multi, call->easy);
    }

    call->done(call->data, &answer);
}


void
ngx_http_fliq_disp_call_again(ngx_http_fliq_disp_call_t *call)
{
    ngx_msec_t  left;

    left = ngx_http_fliq_disp_call_left(call);

    if (left == 0) {
        ngx_http_fliq_disp_call_end(call, CURLE_FAILED_INIT);
        return;
    }

    if (ngx_http_fliq_disp_call_short(call)) {
        return;
    }

    curl_easy_reset(call->easy);
    ngx_http_fliq_disp_call_clock(call);

    /* a signature tells when it was made */

    if (ngx_http_fliq_disp_request_headers(call) == NGX_OK
        && ngx_http_fliq_disp_call_options(call, left) == NGX_OK
        && ngx_http_fliq_disp_multi_add(call) == NGX_OK)
    {
        call->refused = 0;
        call->stalled = 0;
        call->opened = 0;
        call->starved = 0;
    }
}


/* The whole milliseconds of its timeout that are left to a call. */

static ngx_msec_t
ngx_http_fliq_disp_call_left(ngx_http_fliq_disp_call_t *call)
{
    int64_t  left;

    left = (call->deadline - ngx_http_fliq_monotonic()) / 1000;

    return left > 0 ? (ngx_msec_t) left : 0;
}


/*
 * Whether a call has come to nothing because the worker has no descriptor
 * left.  Of a name that was not resolved, and of certificates that were not
 * read, libcurl does not say why.
 */

static ngx_uint_t
ngx_http_fliq_disp_call_starves(ngx_http_fliq_disp_call_t *call,
    CURLcode code)
{
    if (call->sent || call->unsent || code == CURLE_OK
        || ngx_http_fliq_disp_call_left(call) == 0)
    {
        return 0;
    }

    if (code == CURLE_COULDNT_RESOLVE_HOST
        || code == CURLE_SSL_CACERT_BADFILE)
    {
        (void) ngx_http_fliq_disp_call_short(call);
    }

    return call->starved;
}


/* Whether there is no descriptor now, or no connection to watch it. */

static ngx_uint_t
ngx_http_fliq_disp_call_short(ngx_http_fliq_disp_call_t *call)
{
    int  fd;

    if (ngx_cycle->free_connection_n == 0
        && ngx_cycle->reusable_connections_n == 0)
    {
        return 1;
    }

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1) {
        ngx_http_fliq_disp_call_starve(call);
        return 1;
    }

    (void) close(fd);
    call->multi->short_told = 0;

    return 0;
}


/*
 * There was no socket.  Only a lack may pass, not that the kernel does not
 * know the family of the address; it is told of once, until it is over.
 */

static void
ngx_http_fliq_disp_call_starve(ngx_http_fliq_disp_call_t *call)
{
    ngx_err_t  err;

    err = ngx_errno;

    if (!call->multi->short_told) {
        ngx_log_error(NGX_LOG_CRIT, call->multi->log, err,
                      "socket() for an outbound call failed");
    }

    if (err == NGX_EMFILE || err == NGX_ENFILE || err == ENOBUFS
        || err == NGX_ENOMEM)
    {
        call->multi->short_told = 1;
        call->starved = 1;
    }
}


static ngx_int_t
ngx_http_fliq_disp_call_options(ngx_http_fliq_disp_call_t *call,
    ngx_msec_t left)
{
    int                          rc;
    long                         timeout;
    CURL                        *easy;
    ngx_uint_t                   i;
    ngx_http_fliq_disp_multi_t  *multi;

    rc = CURLE_OK;
    easy = call->easy;
    multi = call->multi;
    timeout = (long) left;

    for (i = 0; i < sizeof(ngx_http_fliq_disp_numbers)
                    / sizeof(ngx_http_fliq_disp_numbers[0]); i++)
    {
        rc |= curl_easy_setopt(easy, ngx_http_fliq_disp_numbers[i].option,
                               ngx_http_fliq_disp_numbers[i].value);
    }

    for (i = 0; i < sizeof(ngx_http_fliq_disp_strings)
                    / sizeof(ngx_http_fliq_disp_strings[0]); i++)
    {
        rc |= curl_easy_setopt(easy, ngx_http_fliq_disp_strings[i].option,
                               ngx_http_fliq_disp_strings[i].value);
    }

    rc |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    rc |= curl_easy_setopt(easy, CURLOPT_URL, call->request->url.data);
    rc |= curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET,
                           ngx_http_fliq_disp_call_target(call));
    rc |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    rc |= curl_easy_setopt(easy, CURLOPT_USERAGENT, multi->user_agent);
    rc |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
    rc |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout);

    rc |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                           ngx_http_fliq_disp_call_socket);
    rc |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    rc |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
                           ngx_http_fliq_disp_call_sending);
    rc |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    rc |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                           ngx_http_fliq_disp_call_header);
    rc |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    rc |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION,
                           ngx_http_fliq_disp_call_body);
    rc |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);

    rc |= ngx_http_fliq_disp_call_method(call);

    if (rc != CURLE_OK) {
        ngx_log_error(NGX_LOG_ERR, multi->log, 0,
                      "curl_easy_setopt() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The name of the method goes out as it is; whether there is a body decides
 * what libcurl takes the request for.
 */

static CURLcode
ngx_http_fliq_disp_call_method(ngx_http_fliq_disp_call_t *call)
{
    int               rc;
    CURL             *easy;
    const char       *method;
    const ngx_str_t  *body;

    easy = call->easy;
    body = &call->request->body;
    method = (const char *) call->request->method.data;

    rc = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);

    if (body->len || method[0] == 'P') {

        /* POST, PUT and PATCH say that they have none: Content-Length: 0 */

        rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t) body->len);
        rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               body->len ? (char *) body->data : "");

    } else if (ngx_strcmp(method, "HEAD") == 0) {
        rc |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);

    } else {
        rc |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }

    return (CURLcode) rc;
}


/*
 * Path and query, byte for byte: libcurl would drop the mark of an empty
 * query.  NULL, which leaves it to libcurl, when there is no memory.
 */

static char *
ngx_http_fliq_disp_call_target(ngx_http_fliq_disp_call_t *call)
{
    char        *target, *p;
    size_t       len;
    const char  *path;

    path = ngx_http_fliq_disp_call_path((char *) call->request->url.data);
    len = strcspn(path, "#");

    target = ngx_pnalloc(call->pool, len + 2);
    if (target == NULL) {
        return NULL;
    }

    p = target;

    if (*path != '/') {
        *p++ = '/';
    }

    p = (char *) ngx_cpymem(p, path, len);
    *p = '\0';

    return target;
}


/* The end of a URL's host and port. */

static const char *
ngx_http_fliq_disp_call_path(const char *url)
{
    const char  *host;

    host = ngx_strstr(url, "://");
    host = host ? host + 3 : url;

    return host + strcspn(host, "/?#");
}


/* Every address that libcurl is about to connect to passes here. */

static curl_socket_t
ngx_http_fliq_disp_call_socket(void *data, curlsocktype purpose,
    struct curl_sockaddr *address)
{
    ngx_http_fliq_disp_call_t *call = data;

    int          fd;
    fliq_addr_t  addr;

    if (fliq_addr_from_sockaddr(&addr, &address->addr, address->addrlen) != 0
        || !fliq_addr_allowed(call->multi->policy, &addr))
    {
        call->refused = 1;
        call->stalled = 1;
        call->multi->stalled = 1;
        return CURL_SOCKET_BAD;
    }

    fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);

    if (fd == -1) {
        ngx_http_fliq_disp_call_starve(call);
        call->stalled = 1;
        call->multi->stalled = 1;
        return CURL_SOCKET_BAD;
    }

    call->opened = 1;
    call->multi->short_told = 0;

    return fd;
}


/*
 * libcurl sends a request anew when a connection that was used before breaks
 * without an answer.  The target may have acted on the first one: an attempt
 * is one request.  With HTTP/2 a target says which requests it has not looked
 * at; those are sent again.
 */

static int
ngx_http_fliq_disp_call_sending(void *data, char *remote, char *local,
    int remote_port, int local_port)
{
    ngx_http_fliq_disp_call_t *call = data;

    if (call->request->may && !call->request->may(call->data)) {
        call->unsent = 1;
        return CURL_PREREQFUNC_ABORT;
    }

    if (call->sent && !*ngx_http_fliq_disp_call_http2(call)) {
        call->again = 1;
        return CURL_PREREQFUNC_ABORT;
    }

    call->sent = 1;

    return CURL_PREREQFUNC_OK;
}


/* Where the worker notes whether the call's host speaks HTTP/2. */

static u_char *
ngx_http_fliq_disp_call_http2(ngx_http_fliq_disp_call_t *call)
{
    size_t   len;
    u_char  *url;

    url = call->request->url.data;
    len = ngx_http_fliq_disp_call_path((char *) url) - (char *) url;

    return &call->multi->http2[ngx_crc32_short(url, len)
                               % NGX_HTTP_FLIQ_DISP_HOSTS];
}


static size_t
ngx_http_fliq_disp_call_header(char *line, size_t size, size_t n, void *data)
{
    ngx_http_fliq_disp_call_t *call = data;

    long    status, version;
    size_t  len;

    len = size * n;
    call->head += len;

    if (call->answered) {

        /* a trailer */

        return len;
    }

    if (call->head > NGX_HTTP_FLIQ_DISP_HEAD_MAX) {
        return 0;
    }

    if (line[0] != '\r' && line[0] != '\n') {
        ngx_http_fliq_disp_call_retry_after(call, (u_char *) line, len);
        return len;
    }

    status = 0;
    version = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);

    if (status < 200 && status != 101) {

        /* the final one is yet to come */

        call->retry_after_len = 0;
        return len;
    }

    call->answered = 1;
    *ngx_http_fliq_disp_call_http2(call) = version >= CURL_HTTP_VERSION_2_0;

    if (status == 101
        || (call->request->body.len
            && ngx_strcmp(call->request->method.data, "HEAD") == 0))
    {
        /* libcurl does not know that there is no body to wait for */

        call->enough = 1;
        return 0;
    }

    return len;
}


static void
ngx_http_fliq_disp_call_retry_after(ngx_http_fliq_disp_call_t *call,
    u_char *line, size_t len)
{
    static const ngx_str_t  name = ngx_string("retry-after:");

    if (len <= name.len
        || ngx_strncasecmp(line, name.data, name.len) != 0)
    {
        return;
    }

    line += name.len;
    len -= name.len;

    while (len && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }

    while (len && line[len - 1] <= ' ') {
        len--;
    }

    if (len <= sizeof(call->retry_after)) {
        ngx_memcpy(call->retry_after, line, len);
        call->retry_after_len = len;
    }
}


static size_t
ngx_http_fliq_disp_call_body(char *bytes, size_t size, size_t n, void *data)
{
    ngx_http_fliq_disp_call_t *call = data;

    size_t  len;

    len = size * n;

    ngx_http_fliq_disp_call_keep(call, (u_char *) bytes, len);

    call->received += len;

    if (call->received > NGX_HTTP_FLIQ_DISP_BODY_MAX) {
        call->enough = 1;
        return 0;
    }

    return len;
}


/*
 * The first bytes for the excerpt: a few more than it holds, so that the end
 * of a character is there.
 */

static void
ngx_http_fliq_disp_call_keep(ngx_http_fliq_disp_call_t *call, u_char *bytes,
    size_t len)
{
    size_t      room;
    ngx_str_t  *kept;

    kept = &call->excerpt;
    room = NGX_HTTP_FLIQ_DISP_EXCERPT + 3 - kept->len;
    len = ngx_min(len, room);

    if (len == 0) {
        return;
    }

    if (kept->data == NULL) {
        kept->data = ngx_pnalloc(call->pool, NGX_HTTP_FLIQ_DISP_EXCERPT + 3);
        if (kept->data == NULL) {
            return;
        }
    }

    ngx_memcpy(kept->data + kept->len, bytes, len);
    kept->len += len;
}


static void
ngx_http_fliq_disp_call_answer(ngx_http_fliq_disp_call_t *call,
    CURLcode code, ngx_http_fliq_disp_answer_t *answer)
{
    long        status;
    fliq_str_t  after;

    ngx_memzero(answer, sizeof(ngx_http_fliq_disp_answer_t));

    answer->unsent = call->unsent;
    answer->retry_after = -1;
    answer->started_at = call->started_at;
    answer->duration_ms = (int32_t)
                    ((ngx_http_fliq_monotonic() - call->started + 500) / 1000);

    status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);

    if (!call->answered || status < 100 || status > 999) {
        code = code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code;
        status = 0;
    }

    if (code != CURLE_OK && !call->enough) {
        ngx_http_fliq_disp_call_error(call, code, &answer->error);
    }

    if (status == 0) {
        return;
    }

    answer->status = (int32_t) status;
    ngx_http_fliq_disp_call_excerpt(call, &answer->excerpt);

    if (status == 429 || status == 503) {
        after.data = call->retry_after;
        after.len = call->retry_after_len;

        answer->retry_after = fliq_backoff_retry_after(after,
                          ngx_http_fliq_disp_clock_now(call->multi->clock));
    }
}


static void
ngx_http_fliq_disp_call_excerpt(ngx_http_fliq_disp_call_t *call,
    ngx_str_t *excerpt)
{
    if (call->excerpt.len == 0) {
        return;
    }

    excerpt->data = ngx_pnalloc(call->pool, NGX_HTTP_FLIQ_DISP_EXCERPT);
    if (excerpt->data == NULL) {
        return;
    }

    excerpt->len = fliq_utf8_scrub(excerpt->data, NGX_HTTP_FLIQ_DISP_EXCERPT,
                                   ngx_http_fliq_disp_view(&call->excerpt));
}


static void
ngx_http_fliq_disp_call_error(ngx_http_fliq_disp_call_t *call, CURLcode code,
    ngx_str_t *error)
{
    u_char  *p;

    error->data = ngx_pnalloc(call->pool, NGX_HTTP_FLIQ_DISP_ERROR);

    if (error->data == NULL) {
        ngx_str_set(error, "the worker is out of memory");
        return;
    }

    if (code == CURLE_OPERATION_TIMEDOUT) {
        p = ngx_snprintf(error->data, NGX_HTTP_FLIQ_DISP_ERROR,
                         "timed out after %M s",
                         call->request->timeout / 1000);
    } else {
        p = ngx_snprintf(error->data, NGX_HTTP_FLIQ_DISP_ERROR, "%s",
                         ngx_http_fliq_disp_call_reason(call, code));
    }

    error->len = p - error->data;
}


static const char *
ngx_http_fliq_disp_call_reason(ngx_http_fliq_disp_call_t *call, CURLcode code)
{
    long        err;
    ngx_uint_t  i;

    if (call->refused && !call->opened) {
        return "the target's address is not allowed";
    }

    if (call->starved) {
        return "the worker has no connection left";
    }

    if (call->unsent) {
        return "the worker was held up";
    }

    if (call->again) {
        return "the target closed the connection without an answer";
    }

    if (call->head > NGX_HTTP_FLIQ_DISP_HEAD_MAX
        || (code == CURLE_OUT_OF_MEMORY && call->sent && !call->answered))
    {
        /* libcurl says so of a line that is longer than it takes */

        return "the answer's headers are too large";
    }

    err = 0;
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &err);

    if (code == CURLE_COULDNT_CONNECT && err == NGX_ECONNREFUSED) {
        return "connection refused";
    }

    if (code == CURLE_RECV_ERROR && err == 0) {
        return "the answer is malformed";
    }

    for (i = 0; i < sizeof(ngx_http_fliq_disp_reasons)
                    / sizeof(ngx_http_fliq_disp_reasons[0]); i++)
    {
        if (ngx_http_fliq_disp_reasons[i].code == code) {
            return ngx_http_fliq_disp_reasons[i].text;
        }
    }

    return "the request failed";
}
