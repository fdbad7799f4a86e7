/*
 * fliq_header: headers, methods and text of outbound requests.  The contracts
 * are in fliq_header.h.
 */

#include <string.h>

#include "fliq_header.h"


static const char  fliq_header_name_why[] =
    "must have names of letters, digits and !#$%&'*+-.^_`|~ only";
static const char  fliq_header_value_why[] =
    "must have values without control characters other than tab";
static const char  fliq_header_reserved_why[] =
    "must not set Connection, Keep-Alive, Proxy-*, TE, Trailer, "
    "Transfer-Encoding, Upgrade, HTTP2-Settings, Content-Length, Host, "
    "Expect or X-Fliq-*";

/* a name that ends in "-" stands for all that begin with it */
static const char *const  fliq_header_reserved[] = {
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-fliq-"
};

static const char *const  fliq_header_methods[] = {
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"
};

static const uint8_t  fliq_header_replacement[3] = { 0xef, 0xbf, 0xbd };


static int
fliq_header_lower(int c)
{
    return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
}


/* Tell whether ${c} may be part of an RFC 9110 token. */
static int
fliq_header_tchar(int c)
{
    c = fliq_header_lower(c);

    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        return 1;
    }

    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}


/* Compare the first ${len} bytes of ${name}, ASCII case ignored. */
static int
fliq_header_begins(fliq_str_t name, const char *lower, size_t len)
{
    size_t  i;

    if (name.len < len) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (fliq_header_lower(name.data[i]) != (uint8_t) lower[i]) {
            return 0;
        }
    }

    return 1;
}


int
fliq_header_is(fliq_str_t name, const char *lower)
{
    size_t  len;

    len = strlen(lower);

    return name.len == len && fliq_header_begins(name, lower, len);
}


/* Tell whether ${name} is ours, the connection's or the framing's. */
static int
fliq_header_is_reserved(fliq_str_t name)
{
    size_t       i, len;
    const char  *lower;

    for (i = 0; i < sizeof(fliq_header_reserved) / sizeof(char *); i++) {
        lower = fliq_header_reserved[i];
        len = strlen(lower);

        if (fliq_header_begins(name, lower, len)
            && (lower[len - 1] == '-' || name.len == len))
        {
            return 1;
        }
    }

    return 0;
}


int
fliq_header_check(fliq_str_t name, fliq_str_t value, const char **why)
{
    size_t  i;

    *why = fliq_header_name_why;

    if (name.len == 0) {
        return -1;
    }

    for (i = 0; i < name.len; i++) {
        if (!fliq_header_tchar(name.data[i])) {
            return -1;
        }
    }

    *why = fliq_header_reserved_why;

    if (fliq_header_is_reserved(name)) {
        return -1;
    }

    *why = fliq_header_value_why;

    for (i = 0; i < value.len; i++) {
        if ((value.data[i] < 0x20 && value.data[i] != '\t')
            || value.data[i] == 0x7f)
        {
            return -1;
        }
    }

    *why = NULL;

    return 0;
}


int
fliq_method_check(fliq_str_t text, const char **method)
{
    size_t       i, k, len;
    const char  *name;

    for (k = 0; k < sizeof(fliq_header_methods) / sizeof(char *); k++) {
        name = fliq_header_methods[k];
        len = strlen(name);

        if (text.len != len) {
            continue;
        }

        for (i = 0; i < len; i++) {
            if (fliq_header_lower(text.data[i])
                != fliq_header_lower(name[i]))
            {
                break;
            }
        }

        if (i == len) {
            *method = name;
            return 0;
        }
    }

    return -1;
}


/*
 * Tell what follows the lead byte ${lead}: how many bytes, and the range of
 * the first of them, which rules out overlong forms, surrogates and all
 * above U+10FFFF (Unicode, table 3-7).  -1 when nothing valid does.
 */
static int
fliq_utf8_lead(int lead, int *low, int *high)
{
    *low = 0x80;
    *high = 0xbf;

    if (lead >= 0xc2 && lead <= 0xdf) {
        return 1;
    }

    if (lead >= 0xe0 && lead <= 0xef) {
        *low = (lead == 0xe0) ? 0xa0 : 0x80;
        *high = (lead == 0xed) ? 0x9f : 0xbf;
        return 2;
    }

    if (lead >= 0xf0 && lead <= 0xf4) {
        *low = (lead == 0xf0) ? 0x90 : 0x80;
        *high = (lead == 0xf4) ? 0x8f : 0xbf;
        return 3;
    }

    return (lead > 0 && lead < 0x80) ? 0 : -1;
}


/*
 * Measure the character at ${p}: return its bytes, or minus the bytes that
 * one replacement character stands for.
 */
static int
fliq_utf8_char(const uint8_t *p, size_t left)
{
    int  i, n, low, high;

    n = fliq_utf8_lead(p[0], &low, &high);

    if (n < 0) {
        return -1;
    }

    for (i = 1; i <= n; i++) {

        if ((size_t) i == left || p[i] < low || p[i] > high) {
            return -i;
        }

        low = 0x80;
        high = 0xbf;
    }

    return n + 1;
}


size_t
fliq_utf8_scrub(uint8_t *dst, size_t size, fliq_str_t src)
{
    int             n;
    size_t          i, out, len;
    const uint8_t  *from;

    for (i = 0, out = 0; i < src.len; i += (size_t) n, out += len) {

        n = fliq_utf8_char(src.data + i, src.len - i);

        if (n > 0) {
            from = src.data + i;
            len = (size_t) n;

        } else {
            from = fliq_header_replacement;
            len = sizeof(fliq_header_replacement);
            n = -n;
        }

        if (len > size - out) {
            break;
        }

        memcpy(dst + out, from, len);
    }

    return out;
}
