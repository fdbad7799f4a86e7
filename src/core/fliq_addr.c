/*
 * fliq_addr: the address policy.  The contracts are in fliq_addr.h.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "fliq_addr.h"


#define FLIQ_ADDR_PARTS  4

#define FLIQ_ADDR_V4(a, b, c, d, bits, allow)                                 \
    { { AF_INET, { a, b, c, d } }, bits, allow }

#define FLIQ_ADDR_V6(a, b, c, d, bits, allow)                                 \
    { { AF_INET6, { a, b, c, d } }, bits, allow }


/* what holds where a policy says nothing; the longest match decides */
static const fliq_addr_rule_t  fliq_addr_base[] = {

    FLIQ_ADDR_V4(0, 0, 0, 0, 0, 1),
    FLIQ_ADDR_V4(0, 0, 0, 0, 8, 0),             /* this network */
    FLIQ_ADDR_V4(10, 0, 0, 0, 8, 0),            /* private */
    FLIQ_ADDR_V4(100, 64, 0, 0, 10, 0),         /* carrier-grade NAT */
    FLIQ_ADDR_V4(127, 0, 0, 0, 8, 0),           /* loopback */
    FLIQ_ADDR_V4(169, 254, 0, 0, 16, 0),        /* link-local, metadata */
    FLIQ_ADDR_V4(172, 16, 0, 0, 12, 0),         /* private */
    FLIQ_ADDR_V4(192, 0, 0, 0, 24, 0),          /* protocol assignments */
    FLIQ_ADDR_V4(192, 0, 2, 0, 24, 0),          /* documentation */
    FLIQ_ADDR_V4(192, 31, 196, 0, 24, 0),       /* AS112 */
    FLIQ_ADDR_V4(192, 52, 193, 0, 24, 0),       /* AMT */
    FLIQ_ADDR_V4(192, 88, 99, 0, 24, 0),        /* 6to4 relays */
    FLIQ_ADDR_V4(192, 168, 0, 0, 16, 0),        /* private */
    FLIQ_ADDR_V4(192, 175, 48, 0, 24, 0),       /* AS112 */
    FLIQ_ADDR_V4(198, 18, 0, 0, 15, 0),         /* benchmarks */
    FLIQ_ADDR_V4(198, 51, 100, 0, 24, 0),       /* documentation */
    FLIQ_ADDR_V4(203, 0, 113, 0, 24, 0),        /* documentation */
    FLIQ_ADDR_V4(224, 0, 0, 0, 4, 0),           /* multicast */
    FLIQ_ADDR_V4(240, 0, 0, 0, 4, 0),           /* reserved, broadcast */

    FLIQ_ADDR_V6(0, 0, 0, 0, 0, 0),
    FLIQ_ADDR_V6(0x20, 0, 0, 0, 3, 1),          /* global unicast */
    FLIQ_ADDR_V6(0x20, 0x01, 0, 0, 23, 0),      /* protocols, Teredo */
    FLIQ_ADDR_V6(0x20, 0x01, 0x0d, 0xb8, 32, 0),    /* documentation */
    FLIQ_ADDR_V6(0x20, 0x02, 0, 0, 16, 0),      /* 6to4 */
    { { AF_INET6, { 0x26, 0x20, 0, 0x4f, 0x80, 0 } }, 48, 0 },  /* AS112 */
    FLIQ_ADDR_V6(0x3f, 0xff, 0, 0, 20, 0)       /* documentation */
};


/* Tell whether the first ${bits} bits of two addresses are the same. */
static int
fliq_addr_same(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    uint8_t   mask;
    unsigned  whole;

    whole = bits / 8;

    if (memcmp(a, b, whole) != 0) {
        return 0;
    }

    if (bits % 8 == 0) {
        return 1;
    }

    mask = (uint8_t) (0xff00 >> bits % 8);

    return ((a[whole] ^ b[whole]) & mask) == 0;
}


/* Turn an IPv4-mapped IPv6 address into the IPv4 address; return 1 if so. */
static int
fliq_addr_unmap(fliq_addr_t *addr)
{
    static const uint8_t  prefix[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (addr->family != AF_INET6 || memcmp(addr->bytes, prefix, 12) != 0) {
        return 0;
    }

    addr->family = AF_INET;
    memmove(addr->bytes, addr->bytes + 12, 4);
    memset(addr->bytes + 4, 0, 12);

    return 1;
}


/* Read an address in its strict form, terminated by a NUL. */
static int
fliq_addr_strict(const char *text, fliq_addr_t *addr)
{
    memset(addr, 0, sizeof(fliq_addr_t));

    addr->family = (strchr(text, ':') != NULL) ? AF_INET6 : AF_INET;

    return (inet_pton(addr->family, text, addr->bytes) == 1) ? 0 : -1;
}


/* Read the digits of a prefix length of at most ${max}; -1 when it is none. */
static int
fliq_addr_bits(const char *text, int max)
{
    int  bits;

    if (*text == '\0' || (text[0] == '0' && text[1] != '\0')) {
        return -1;
    }

    for (bits = 0; *text != '\0'; text++) {

        if (*text < '0' || *text > '9') {
            return -1;
        }

        bits = bits * 10 + (*text - '0');

        if (bits > max) {
            return -1;
        }
    }

    return bits;
}


int
fliq_addr_cidr(fliq_str_t text, fliq_addr_rule_t *rule)
{
    int          bits, max;
    char         buf[64], *slash;
    unsigned     i;
    fliq_addr_t  addr;

    if (text.len == 0 || text.len >= sizeof(buf)
        || memchr(text.data, '\0', text.len) != NULL)
    {
        return -1;
    }

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    slash = strchr(buf, '/');
    if (slash != NULL) {
        *slash = '\0';
    }

    if (fliq_addr_strict(buf, &addr) != 0) {
        return -1;
    }

    max = (addr.family == AF_INET) ? 32 : 128;
    bits = (slash != NULL) ? fliq_addr_bits(slash + 1, max) : max;

    if (bits < 0) {
        return -1;
    }

    for (i = (unsigned) bits; i < (unsigned) max; i++) {
        if (addr.bytes[i / 8] & (0x80 >> i % 8)) {
            return -1;
        }
    }

    /* the prefix of mapped addresses ends in ones: 96 bits are there */

    if (fliq_addr_unmap(&addr)) {
        bits -= 96;
    }

    rule->addr = addr;
    rule->bits = (unsigned) bits;

    return 0;
}


int
fliq_addr_from_sockaddr(fliq_addr_t *addr, const struct sockaddr *sa,
    socklen_t len)
{
    sa_family_t          family;
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    if (len < offsetof(struct sockaddr, sa_family) + sizeof(family)) {
        return -1;
    }

    memcpy(&family, (const char *) sa + offsetof(struct sockaddr, sa_family),
           sizeof(family));

    memset(addr, 0, sizeof(fliq_addr_t));
    addr->family = family;

    if (family == AF_INET && len >= sizeof(sin)) {
        memcpy(&sin, sa, sizeof(sin));
        memcpy(addr->bytes, &sin.sin_addr, 4);
        return 0;
    }

    if (family == AF_INET6 && len >= sizeof(sin6)) {
        memcpy(&sin6, sa, sizeof(sin6));
        memcpy(addr->bytes, &sin6.sin6_addr, 16);
        (void) fliq_addr_unmap(addr);
        return 0;
    }

    return -1;
}


static int
fliq_addr_hex(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/*
 * Copy ${host} with its percent-encoding undone and a NUL; return the
 * length, 0 when it is empty, too long or holds what is not printable ASCII.
 */
static size_t
fliq_addr_decode(char *dst, fliq_str_t host)
{
    int     c;
    size_t  i, n;

    for (i = 0, n = 0; i < host.len; i++) {
        c = host.data[i];

        if (c == '%' && host.len - i > 2
            && fliq_addr_hex(host.data[i + 1]) >= 0
            && fliq_addr_hex(host.data[i + 2]) >= 0)
        {
            c = fliq_addr_hex(host.data[i + 1]) * 16
                + fliq_addr_hex(host.data[i + 2]);
            i += 2;
        }

        if (c <= 0x20 || c >= 0x7f || n == FLIQ_ADDR_HOST) {
            return 0;
        }

        dst[n++] = (char) c;
    }

    dst[n] = '\0';

    return n;
}


/*
 * Read the number that ${p} to ${end} is to inet_aton(3): 1 when it is one,
 * 0 when it is a word, -1 when it is a number that none would take.
 */
static int
fliq_addr_number(const char *p, const char *end, uint64_t *value)
{
    int   digit, base, good;

    base = 10;
    good = (p < end);

    if (end - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        base = 16;
        p += 2;
        good = (p < end);

    } else if (end - p >= 2 && p[0] == '0') {
        base = 8;
    }

    for (*value = 0; p < end; p++) {
        digit = fliq_addr_hex((unsigned char) *p);

        if (digit < 0 || (base != 16 && digit > 9)) {
            return 0;
        }

        if (digit >= base) {
            good = 0;
        }

        *value = *value * (unsigned) base + (unsigned) digit;

        if (*value > UINT32_MAX) {
            *value = UINT32_MAX;
            good = 0;
        }
    }

    return good ? 1 : -1;
}


/* Split ${text} at its dots into numbers; the results of fliq_addr_literal. */
static int
fliq_addr_numbers(const char *text, size_t len, uint64_t *parts, size_t *n)
{
    int          rc, good;
    const char  *p, *dot, *end;

    end = text + len - (text[len - 1] == '.');
    good = 1;
    *n = 0;

    for (p = text; p <= end; p = dot + 1) {
        dot = memchr(p, '.', (size_t) (end - p));

        if (dot == NULL) {
            dot = end;
        }

        rc = fliq_addr_number(p, dot, &parts[*n % FLIQ_ADDR_PARTS]);

        if (rc == 0) {
            return 0;
        }

        (*n)++;
        good &= (rc == 1);
    }

    return (good && *n <= FLIQ_ADDR_PARTS) ? 1 : -1;
}


/* Read one to four numbers, the last of which fills the bytes left over. */
static int
fliq_addr_loose(const char *text, size_t len, fliq_addr_t *addr)
{
    int       rc;
    size_t    i, n;
    uint64_t  last, parts[FLIQ_ADDR_PARTS];

    rc = fliq_addr_numbers(text, len, parts, &n);
    if (rc != 1) {
        return rc;
    }

    memset(addr, 0, sizeof(fliq_addr_t));
    addr->family = AF_INET;

    for (i = 0; i < n - 1; i++) {

        if (parts[i] > 255) {
            return -1;
        }

        addr->bytes[i] = (uint8_t) parts[i];
    }

    last = parts[n - 1];

    for (i = FLIQ_ADDR_PARTS; i >= n; i--) {
        addr->bytes[i - 1] = (uint8_t) last;
        last >>= 8;
    }

    return (last == 0) ? 1 : -1;
}


int
fliq_addr_literal(fliq_str_t host, fliq_addr_t *addr)
{
    char    text[FLIQ_ADDR_HOST + 1], *v6;
    size_t  len;

    len = fliq_addr_decode(text, host);
    if (len == 0) {
        return -1;
    }

    v6 = text;

    if (text[0] == '[') {
        if (text[len - 1] != ']') {
            return -1;
        }

        text[len - 1] = '\0';
        v6++;

        if (strchr(v6, ':') == NULL) {
            return -1;
        }
    }

    if (strchr(v6, ':') == NULL) {
        return fliq_addr_loose(text, len, addr);
    }

    if (fliq_addr_strict(v6, addr) != 0) {
        return -1;
    }

    (void) fliq_addr_unmap(addr);

    return 1;
}


/* Find the longest rule that holds ${addr}; of two equals the one denied. */
static const fliq_addr_rule_t *
fliq_addr_longest(const fliq_addr_rule_t *rules, size_t n,
    const fliq_addr_t *addr)
{
    size_t                   i;
    const fliq_addr_rule_t  *rule, *best;

    best = NULL;

    for (i = 0; i < n; i++) {
        rule = &rules[i];

        if (rule->addr.family != addr->family
            || !fliq_addr_same(rule->addr.bytes, addr->bytes, rule->bits))
        {
            continue;
        }

        if (best == NULL || rule->bits > best->bits
            || (rule->bits == best->bits && !rule->allow))
        {
            best = rule;
        }
    }

    return best;
}


int
fliq_addr_allowed(const fliq_addr_policy_t *policy, const fliq_addr_t *addr)
{
    fliq_addr_t              plain;
    const fliq_addr_rule_t  *rule;

    plain = *addr;
    (void) fliq_addr_unmap(&plain);

    rule = NULL;

    if (policy != NULL) {
        rule = fliq_addr_longest(policy->rules, policy->nrules, &plain);
    }

    if (rule == NULL) {
        rule = fliq_addr_longest(fliq_addr_base, sizeof(fliq_addr_base)
                                 / sizeof(fliq_addr_base[0]), &plain);
    }

    return rule != NULL && rule->allow != 0;
}
