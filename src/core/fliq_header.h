/*
 * fliq_header: headers that a user may set on an outbound request (API.md,
 * "Common": headers).
 */

#ifndef FLIQ_HEADER_H
#define FLIQ_HEADER_H

#include "fliq_str.h"


#define FLIQ_HEADER_MAX_COUNT  64
#define FLIQ_HEADER_MAX_BYTES  16384    /* names and values together */


/*
 * fliq_header_check(name, value, why):
 * Check one header: ${name} is an RFC 9110 token and none of Connection,
 * Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade,
 * HTTP2-Settings, Content-Length, Host, Expect, X-Fliq-* in any case;
 * ${value} has no control characters but HTAB (bytes from 0x80 on are taken).
 * Return 0, or -1 with ${why} a constant sentence.
 */
int fliq_header_check(fliq_str_t name, fliq_str_t value, const char **why);

/*
 * fliq_header_is(name, lower):
 * Compare ${name} with the lower-case C string ${lower}, ASCII case ignored.
 * Return 1 or 0.
 */
int fliq_header_is(fliq_str_t name, const char *lower);

/*
 * fliq_method_check(text, method):
 * Check that ${text} is GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS in any
 * case; point ${method} at the upper-case constant.  Return 0 or -1.
 */
int fliq_method_check(fliq_str_t text, const char **method);

/*
 * fliq_utf8_scrub(dst, size, src):
 * Copy as much of ${src} as fits ${size} bytes into ${dst}, invalid UTF-8 and
 * NUL replaced by U+FFFD, no character cut in two.  Return the bytes written.
 */
size_t fliq_utf8_scrub(uint8_t *dst, size_t size, fliq_str_t src);


#endif /* FLIQ_HEADER_H */
