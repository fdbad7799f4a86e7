/*
 * fliq_url: URLs of outbound calls.  The contracts are in fliq_url.h.
 *
 * The URL is dialled by libcurl, which forgives much: one slash after the
 * scheme, encoded or full-width hosts, an "@" anywhere in the authority.
 * What it could read in another way than this parser is refused here.
 */

#include <string.h>

#include "fliq_url.h"


#define FLIQ_URL_NAME   253     /* bytes of a host name, the last dot apart */
#define FLIQ_URL_LABEL  63

#define FLIQ_URL_FNV_START  14695981039346656037ULL
#define FLIQ_URL_FNV_PRIME  1099511628211ULL


static const char  fliq_url_scheme_why[] =
    "must be an absolute http:// or https:// URL";
static const char  fliq_url_host_why[] =
    "must have a host after http:// or https://";
static const char  fliq_url_long_why[] =
    "must be at most 2048 bytes long";
static const char  fliq_url_blank_why[] =
    "must not have spaces or control characters; percent-encode them";
static const char  fliq_url_user_why[] =
    "must not have a user or a password";
static const char  fliq_url_port_why[] =
    "must have a port of 1 to 65535, or none";
static const char  fliq_url_ascii_why[] =
    "must have its host in ASCII: give an international name as xn--...";
static const char  fliq_url_percent_why[] =
    "must not have a percent-encoded host";
static const char  fliq_url_bracket_why[] =
    "must have an IPv6 address without a zone between the brackets";
static const char  fliq_url_address_why[] =
    "must have a host name or a valid IP address";
static const char  fliq_url_name_why[] =
    "must have a host name of letters, digits, \"-\", \"_\" and single dots";
static const char  fliq_url_label_why[] =
    "must have a host of at most 253 bytes, 63 between two dots";


static int
fliq_url_lower(int c)
{
    return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
}


/* Match the scheme and the two slashes; return their length, 0 for none. */
static size_t
fliq_url_scheme(fliq_str_t text, unsigned *https)
{
    size_t       i, k, len;
    const char  *scheme;

    static const char *const  schemes[] = { "http://", "https://" };

    for (k = 0; k < 2; k++) {
        scheme = schemes[k];
        len = strlen(scheme);

        for (i = 0; i < len && i < text.len; i++) {
            if (fliq_url_lower(text.data[i]) != scheme[i]) {
                break;
            }
        }

        if (i == len) {
            *https = (unsigned) k;
            return len;
        }
    }

    return 0;
}


/* Check the length and the bytes that no part of a URL may have. */
static const char *
fliq_url_bytes(fliq_str_t text)
{
    size_t  i;

    if (text.len > FLIQ_URL_MAX) {
        return fliq_url_long_why;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] == 0x7f) {
            return fliq_url_blank_why;
        }
    }

    return NULL;
}


/* Check the bytes of the part between the scheme and the path. */
static const char *
fliq_url_authority(const uint8_t *p, const uint8_t *end)
{
    if (p == end) {
        return fliq_url_host_why;
    }

    for ( /* void */ ; p < end; p++) {

        if (*p == '@') {
            return fliq_url_user_why;
        }

        if (*p >= 0x80) {
            return fliq_url_ascii_why;
        }

        if (*p == '%') {
            return fliq_url_percent_why;
        }
    }

    return NULL;
}


/* Read ":PORT" or nothing. */
static const char *
fliq_url_port(const uint8_t *p, const uint8_t *end, fliq_url_t *url)
{
    unsigned  port;

    if (p == end) {
        url->port = url->https ? 443 : 80;
        return NULL;
    }

    if (*p++ != ':' || end - p < 1 || end - p > 5) {
        return fliq_url_port_why;
    }

    for (port = 0; p < end; p++) {

        if (*p < '0' || *p > '9') {
            return fliq_url_port_why;
        }

        port = port * 10 + (*p - '0');
    }

    if (port < 1 || port > 65535) {
        return fliq_url_port_why;
    }

    url->port = (uint16_t) port;

    return NULL;
}


/* Check a host that is no address: labels between dots, perhaps a last one. */
static const char *
fliq_url_name(fliq_str_t host)
{
    int     c;
    size_t  i, label;

    label = 0;

    for (i = 0; i < host.len; i++) {
        c = fliq_url_lower(host.data[i]);

        if (c == '.') {

            if (label == 0) {
                return fliq_url_name_why;
            }

            label = 0;
            continue;
        }

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && c != '-' && c != '_')
        {
            return fliq_url_name_why;
        }

        if (++label > FLIQ_URL_LABEL) {
            return fliq_url_label_why;
        }
    }

    return (host.len - (label == 0) > FLIQ_URL_NAME) ? fliq_url_label_why
                                                     : NULL;
}


/* Read the host, which begins at ${p}; return where it ends in ${next}. */
static const char *
fliq_url_host(uint8_t *p, uint8_t *end, fliq_url_t *url, uint8_t **next)
{
    int          bracket;
    uint8_t     *last;
    fliq_str_t   whole;

    bracket = (*p == '[');
    last = memchr(p, bracket ? ']' : ':', (size_t) (end - p));

    if (last == NULL) {
        if (bracket) {
            return fliq_url_bracket_why;
        }

        last = end;
    }

    *next = last + bracket;

    url->host.data = p + bracket;
    url->host.len = (size_t) (last - url->host.data);

    if (url->host.len == 0) {
        return fliq_url_host_why;
    }

    whole.data = p;
    whole.len = (size_t) (*next - p);

    url->literal = fliq_addr_literal(whole, &url->addr);

    if (url->literal < 0) {
        url->literal = 0;
        return bracket ? fliq_url_bracket_why : fliq_url_address_why;
    }

    return url->literal ? NULL : fliq_url_name(url->host);
}


int
fliq_url_parse(fliq_str_t text, fliq_url_t *url, const char **why)
{
    size_t    skip;
    uint8_t  *p, *end, *next;

    memset(url, 0, sizeof(fliq_url_t));

    *why = fliq_url_bytes(text);
    if (*why != NULL) {
        return -1;
    }

    skip = fliq_url_scheme(text, &url->https);
    if (skip == 0) {
        *why = fliq_url_scheme_why;
        return -1;
    }

    p = text.data + skip;
    next = p;

    for (end = p; end < text.data + text.len; end++) {
        if (*end == '/' || *end == '?' || *end == '#') {
            break;
        }
    }

    *why = fliq_url_authority(p, end);

    if (*why == NULL) {
        *why = fliq_url_host(p, end, url, &next);
    }

    if (*why == NULL) {
        *why = fliq_url_port(next, end, url);
    }

    return (*why == NULL) ? 0 : -1;
}


static uint64_t
fliq_url_hash(uint64_t hash, int c)
{
    return (hash ^ (uint8_t) c) * FLIQ_URL_FNV_PRIME;
}


int32_t
fliq_url_lane(const fliq_url_t *url)
{
    size_t    i, len;
    uint64_t  hash;

    hash = FLIQ_URL_FNV_START;
    hash = fliq_url_hash(hash, (int) url->https);
    hash = fliq_url_hash(hash, url->port >> 8);
    hash = fliq_url_hash(hash, url->port);

    if (url->literal) {
        /* one address may be written in many ways */
        len = (url->addr.family == AF_INET) ? 4 : 16;

        for (i = 0; i < len; i++) {
            hash = fliq_url_hash(hash, url->addr.bytes[i]);
        }

    } else {
        len = url->host.len;
        len -= (len > 0 && url->host.data[len - 1] == '.');

        for (i = 0; i < len; i++) {
            hash = fliq_url_hash(hash, fliq_url_lower(url->host.data[i]));
        }
    }

    return (int32_t) ((hash ^ hash >> 32) & 0x7fffffff);
}
