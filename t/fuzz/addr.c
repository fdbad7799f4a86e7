/*
 * The address policy against a list of ranges that is searched from end to
 * end; literal hosts against inet_aton(3) and inet_pton(3).
 */

#include "fuzz.h"
#include "fliq_addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>


typedef struct {
    uint32_t    first;
    uint32_t    last;
} range_t;


/* IANA IPv4 Special-Purpose Address Registry, and multicast */
static const range_t  refused[] = {
    { 0x00000000, 0x00ffffff },         /* 0.0.0.0/8 */
    { 0x0a000000, 0x0affffff },         /* 10.0.0.0/8 */
    { 0x64400000, 0x647fffff },         /* 100.64.0.0/10 */
    { 0x7f000000, 0x7fffffff },         /* 127.0.0.0/8 */
    { 0xa9fe0000, 0xa9feffff },         /* 169.254.0.0/16 */
    { 0xac100000, 0xac1fffff },         /* 172.16.0.0/12 */
    { 0xc0000000, 0xc00000ff },         /* 192.0.0.0/24 */
    { 0xc0000200, 0xc00002ff },         /* 192.0.2.0/24 */
    { 0xc01fc400, 0xc01fc4ff },         /* 192.31.196.0/24 */
    { 0xc034c100, 0xc034c1ff },         /* 192.52.193.0/24 */
    { 0xc0586300, 0xc05863ff },         /* 192.88.99.0/24 */
    { 0xc0a80000, 0xc0a8ffff },         /* 192.168.0.0/16 */
    { 0xc0af3000, 0xc0af30ff },         /* 192.175.48.0/24 */
    { 0xc6120000, 0xc613ffff },         /* 198.18.0.0/15 */
    { 0xc6336400, 0xc63364ff },         /* 198.51.100.0/24 */
    { 0xcb007100, 0xcb0071ff },         /* 203.0.113.0/24 */
    { 0xe0000000, 0xffffffff }          /* multicast, reserved, broadcast */
};


static int
allowed4(uint32_t ip)
{
    size_t  i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (ip >= refused[i].first && ip <= refused[i].last) {
            return 0;
        }
    }

    return 1;
}


static int
allowed6(const uint8_t *b)
{
    uint32_t  top;

    top = (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];

    if (top < 0x20000000 || top > 0x3fffffff) {
        return 0;
    }

    if (top >= 0x20010000 && top <= 0x200101ff) {       /* 2001::/23 */
        return 0;
    }

    if (top == 0x20010db8 || top >> 16 == 0x2002) {
        return 0;
    }

    if (top == 0x2620004f && b[4] == 0x80 && b[5] == 0) {
        return 0;                                       /* AS112 */
    }

    return top < 0x3fff0000 || top > 0x3fff0fff;        /* 3fff::/20 */
}


static int
expected(const fliq_addr_t *addr)
{
    uint32_t  ip;

    static const uint8_t  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (addr->family == AF_INET) {
        memcpy(&ip, addr->bytes, 4);
        return allowed4(ntohl(ip));
    }

    if (memcmp(addr->bytes, mapped, sizeof(mapped)) == 0) {
        memcpy(&ip, addr->bytes + 12, 4);
        return allowed4(ntohl(ip));
    }

    return allowed6(addr->bytes);
}


static void
check_literal(const uint8_t *data, size_t size)
{
    int              rc;
    char            *text;
    fliq_str_t       host;
    fliq_addr_t      addr;
    struct in_addr   in;
    struct in6_addr  in6;

    host = fuzz_copy(data, size);
    rc = fliq_addr_literal(host, &addr);

    text = malloc(size + 1);
    fuzz_assert(text != NULL);

    if (size) {
        memcpy(text, data, size);
    }

    text[size] = '\0';

    /* inet_aton() stops at white space */

    if (strlen(text) == size && strpbrk(text, " \t\n\v\f\r") == NULL
        && inet_aton(text, &in))
    {
        if (size > FLIQ_ADDR_HOST) {
            fuzz_assert(rc == -1);

        } else {
            fuzz_assert(rc == 1 && addr.family == AF_INET);
            fuzz_assert(memcmp(addr.bytes, &in, 4) == 0);
        }
    }

    if (strlen(text) == size && inet_pton(AF_INET6, text, &in6) == 1) {
        fuzz_assert(rc == 1);
        fuzz_assert(addr.family == AF_INET
                    || memcmp(addr.bytes, &in6, 16) == 0);
    }

    free(text);
    free(host.data);
}


static void
check_cidr(const uint8_t *data, size_t size)
{
    fliq_str_t        text;
    fliq_addr_rule_t  rule;

    memset(&rule, 0, sizeof(rule));

    text = fuzz_copy(data, size);

    if (fliq_addr_cidr(text, &rule) == 0) {
        fuzz_assert(rule.bits <= (rule.addr.family == AF_INET ? 32U : 128U));
    }

    free(text.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fliq_addr_t  addr;

    check_literal(data, size);
    check_cidr(data, size);

    if (size < 4) {
        return 0;
    }

    memset(&addr, 0, sizeof(addr));

    addr.family = size < 16 ? AF_INET : AF_INET6;
    memcpy(addr.bytes, data, size < 16 ? 4 : 16);

    fuzz_assert(fliq_addr_allowed(NULL, &addr) == expected(&addr));

    return 0;
}
