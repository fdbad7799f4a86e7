/*
 * fliq_url: the URLs of targets, webhooks and alert channels (API.md,
 * "Common": url).
 */

#ifndef FLIQ_URL_H
#define FLIQ_URL_H

#include "fliq_str.h"
#include "fliq_addr.h"


#define FLIQ_URL_MAX  2048      /* bytes */


typedef struct {
    unsigned       https;       /* 1 for https, 0 for http */
    fliq_str_t     host;        /* as written, brackets of IPv6 left out */
    uint16_t       port;        /* with the scheme's default filled in */
    int            literal;     /* 1 when the host is a literal address */
    fliq_addr_t    addr;        /* that address */
} fliq_url_t;


/*
 * fliq_url_parse(text, url, why):
 * Check that ${text} is an absolute http or https URL of at most FLIQ_URL_MAX
 * bytes with a host, without user or password, control characters or spaces,
 * without backslashes, percent signs or bytes above 0x7f in the host (a name
 * in another script must be given in its xn-- form), a port of 1 to 65535,
 * and "//" after the scheme.  Fill ${url}; its views point into ${text}.
 * Return 0; or -1 with ${why} a constant sentence that says what would be
 * right.
 */
int fliq_url_parse(fliq_str_t text, fliq_url_t *url, const char **why);

/*
 * fliq_url_lane(url):
 * A 31-bit number of the target host: scheme, host in lower case and port.
 * Two URLs of one host always have the same; used to cap the calls in flight
 * to a host (never to decide whether a call is allowed).
 */
int32_t fliq_url_lane(const fliq_url_t *url);


#endif /* FLIQ_URL_H */
