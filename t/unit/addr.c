/*
 * fliq_addr: the base table to its edges, CIDR rules, literal forms.
 */

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "fliq_addr.h"


static fliq_addr_t
addr(const char *text)
{
    fliq_addr_t  a;

    memset(&a, 0, sizeof(a));
    a.family = strchr(text, ':') ? AF_INET6 : AF_INET;

    if (inet_pton(a.family, text, a.bytes) != 1) {
        unit_fail("\"%s\" is no address", text);
    }

    return a;
}


static void
expect(const fliq_addr_policy_t *policy, const char *text, int allowed)
{
    fliq_addr_t  a;

    a = addr(text);

    if (fliq_addr_allowed(policy, &a) != allowed) {
        unit_fail("%s is %s", text, allowed ? "refused" : "allowed");
    }
}


/* The blocks of the IANA registry, and whether their neighbours are free. */
static void
test_base_v4(void **state)
{
    size_t  i;

    static const struct {
        const char    *before;      /* NULL: none, or another block */
        const char    *first;
        const char    *last;
        const char    *after;
    } blocks[] = {
        { NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0" },
        { "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
        { "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0" },
        { "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0" },
        { "169.253.255.255", "169.254.0.0", "169.254.255.255",
          "169.255.0.0" },
        { "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
        { "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0" },
        { "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0" },
        { "192.31.195.255", "192.31.196.0", "192.31.196.255",
          "192.31.197.0" },
        { "192.52.192.255", "192.52.193.0", "192.52.193.255",
          "192.52.194.0" },
        { "192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0" },
        { "192.167.255.255", "192.168.0.0", "192.168.255.255",
          "192.169.0.0" },
        { "192.175.47.255", "192.175.48.0", "192.175.48.255",
          "192.175.49.0" },
        { "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0" },
        { "198.51.99.255", "198.51.100.0", "198.51.100.255",
          "198.51.101.0" },
        { "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0" },
        { "223.255.255.255", "224.0.0.0", "239.255.255.255", NULL },
        { NULL, "240.0.0.0", "255.255.255.255", NULL }
    };

    (void) state;

    for (i = 0; i < unit_count(blocks); i++) {
        expect(NULL, blocks[i].first, 0);
        expect(NULL, blocks[i].last, 0);

        if (blocks[i].before != NULL) {
            expect(NULL, blocks[i].before, 1);
        }

        if (blocks[i].after != NULL) {
            expect(NULL, blocks[i].after, 1);
        }
    }

    expect(NULL, "169.254.169.254", 0);
    expect(NULL, "127.0.0.1", 0);
    expect(NULL, "8.8.8.8", 1);
    expect(NULL, "192.0.0.9", 0);
}


static void
test_base_v6(void **state)
{
    size_t  i;

    static const char *const  refused[] = {
        "::", "::1", "::2", "::7f00:1", "::8.8.8.8",
        "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
        "::ffff:169.254.169.254", "::ffff:255.255.255.255",
        "::fffe:8.8.8.8", "::ffff:0:8.8.8.8", "::1:ffff:8.8.8.8",
        "8000::ffff:8.8.8.8",
        "64:ff9b::", "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8",
        "100::", "100::1", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001::", "2001::1", "2001:2::", "2001:10::", "2001:20::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2002::", "2002:808:808::", "2002:7f00:1::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "4000::", "5f00::1", "fbff::", "fc00::", "fd00:ec2::254",
        "fdff:ffff::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1",
        "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    };

    static const char *const  allowed[] = {
        "2000::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
        "2001:4860:4860::8888", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::", "2606:4700:4700::1111",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:8.8.8.8",
        "::ffff:192.169.0.0"
    };

    (void) state;

    for (i = 0; i < unit_count(refused); i++) {
        expect(NULL, refused[i], 0);
    }

    for (i = 0; i < unit_count(allowed); i++) {
        expect(NULL, allowed[i], 1);
    }
}


/*
 * All blocks of the IANA special-purpose registries, IPv4 (with multicast)
 * and IPv6 (with unique local, link-local, site-local and multicast).
 */
static const char *const  registry[] = {
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29",
    "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32",
    "192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
    "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4", "255.255.255.255/32",

    "::1/128", "::/128", "64:ff9b::/96", "64:ff9b:1::/48",
    "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128",
    "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32",
    "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28",
    "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"
};

/* an IPv4 address in IPv6, at a byte's place: the mapped form is the first */
static const struct {
    const char    *prefix;
    unsigned       at;
} embeddings[] = {
    { "::ffff:0:0", 12 },
    { "::", 12 },
    { "::ffff:0:0:0", 12 },     /* RFC 2765 */
    { "64:ff9b::", 12 },
    { "64:ff9b:1::", 12 },
    { "2002::", 2 },
    { "2001::", 4 },            /* a Teredo server */
    { "fe80::5efe:0:0", 12 }    /* ISATAP */
};


/* Read "ADDRESS/BITS"; return the bits. */
static unsigned
block(const char *text, fliq_addr_t *first)
{
    char  buf[64];

    (void) snprintf(buf, sizeof(buf), "%s", text);
    *strchr(buf, '/') = '\0';

    *first = addr(buf);

    return (unsigned) atoi(strchr(text, '/') + 1);
}


static int
in_registry(const fliq_addr_t *a)
{
    size_t       i;
    unsigned     k, bits;
    fliq_addr_t  b;

    for (i = 0; i < unit_count(registry); i++) {
        bits = block(registry[i], &b);

        for (k = 0; k < bits; k++) {
            if ((a->bytes[k / 8] ^ b.bytes[k / 8]) & (0x80 >> k % 8)) {
                break;
            }
        }

        if (b.family == a->family && k == bits) {
            return 1;
        }
    }

    return 0;
}


/* Add ${n}, 1 or -1, to an address; it wraps around. */
static void
step(fliq_addr_t *a, int n)
{
    int  i;

    for (i = (a->family == AF_INET ? 4 : 16) - 1; i >= 0; i--) {
        a->bytes[i] = (uint8_t) (a->bytes[i] + n);

        if (a->bytes[i] != (n > 0 ? 0 : 0xff)) {
            return;
        }
    }
}


/* Judge an address in each form that it has; count those let through. */
static unsigned
judge(const fliq_addr_t *a, int allowed)
{
    char         text[INET6_ADDRSTRLEN];
    size_t       i;
    unsigned     n;
    fliq_addr_t  in6;

    (void) inet_ntop(a->family, a->bytes, text, sizeof(text));
    expect(NULL, text, allowed);
    n = (unsigned) allowed;

    for (i = 0; a->family == AF_INET && i < unit_count(embeddings); i++) {
        in6 = addr(embeddings[i].prefix);
        memcpy(in6.bytes + embeddings[i].at, a->bytes, 4);
        (void) inet_ntop(AF_INET6, in6.bytes, text, sizeof(text));

        expect(NULL, text, allowed && i == 0);
        n += (allowed && i == 0);
    }

    return n;
}


/* The first and the last of each block, and its neighbours. */
static void
test_registry(void **state)
{
    size_t       i;
    unsigned     k, bits, max, n;
    fliq_addr_t  a;

    (void) state;

    n = 0;

    for (i = 0; i < unit_count(registry); i++) {
        bits = block(registry[i], &a);
        max = (a.family == AF_INET) ? 32 : 128;

        (void) judge(&a, 0);
        step(&a, -1);
        n += judge(&a, !in_registry(&a)
                       && (max == 32 || a.bytes[0] >> 5 == 1));
        step(&a, 1);

        for (k = bits; k < max; k++) {
            a.bytes[k / 8] |= (uint8_t) (0x80 >> k % 8);
        }

        (void) judge(&a, 0);
        step(&a, 1);
        n += judge(&a, !in_registry(&a)
                       && (max == 32 || a.bytes[0] >> 5 == 1));
    }

    /* 33 neighbours of IPv4, plain and mapped, and 11 of IPv6 are public */

    assert_int_equal(n, 33 * 2 + 11);
}


static void
test_other_family(void **state)
{
    fliq_addr_t  a;

    (void) state;

    memset(&a, 0, sizeof(a));
    a.family = AF_UNIX;
    assert_int_equal(fliq_addr_allowed(NULL, &a), 0);

    a.family = 0;
    assert_int_equal(fliq_addr_allowed(NULL, &a), 0);
}


/* Make rules of "+CIDR" and "-CIDR". */
static fliq_addr_policy_t
policy(fliq_addr_rule_t *rules, const char *const *texts, size_t n)
{
    size_t              i;
    fliq_addr_policy_t  p;

    for (i = 0; i < n; i++) {
        rules[i].allow = (texts[i][0] == '+');

        if (fliq_addr_cidr(unit_str(texts[i] + 1), &rules[i]) != 0) {
            unit_fail("\"%s\" is no block", texts[i] + 1);
        }
    }

    p.rules = rules;
    p.nrules = n;

    return p;
}


static void
test_policy(void **state)
{
    fliq_addr_rule_t    rules[16];
    fliq_addr_policy_t  p;

    static const char *const  texts[] = {
        "+10.0.0.0/8", "-10.1.0.0/16", "+10.1.2.0/24", "-10.1.2.3",
        "-8.8.8.0/24", "+8.8.8.8/32",
        "+192.168.0.0/16", "-192.168.0.0/16",
        "-172.16.0.0/12", "+172.16.0.0/12",
        "+::1", "+fd00::/8", "-2606:4700::/32", "+2606:4700:4700::/48",
        "+::ffff:127.0.0.0/104"
    };

    (void) state;

    p = policy(rules, texts, unit_count(texts));

    expect(&p, "10.0.0.0", 1);
    expect(&p, "10.255.255.255", 1);
    expect(&p, "11.0.0.0", 1);
    expect(&p, "9.255.255.255", 1);
    expect(&p, "10.0.255.255", 1);
    expect(&p, "10.1.0.0", 0);
    expect(&p, "10.1.1.255", 0);
    expect(&p, "10.1.2.0", 1);
    expect(&p, "10.1.2.255", 1);
    expect(&p, "10.1.3.0", 0);
    expect(&p, "10.1.2.3", 0);
    expect(&p, "::ffff:10.1.2.3", 0);
    expect(&p, "::ffff:10.1.2.4", 1);

    expect(&p, "8.8.8.7", 0);
    expect(&p, "8.8.8.8", 1);
    expect(&p, "8.8.9.0", 1);

    /* of two of one length the one denied wins, wherever it stands */

    expect(&p, "192.168.1.1", 0);
    expect(&p, "172.16.1.1", 0);

    expect(&p, "::1", 1);
    expect(&p, "::2", 0);
    expect(&p, "fd12::1", 1);
    expect(&p, "fc12::1", 0);
    expect(&p, "2606:4700::1", 0);
    expect(&p, "2606:4700:4700::1111", 1);
    expect(&p, "2606:4701::1", 1);

    /* a mapped block is one of IPv4 */

    expect(&p, "127.1.2.3", 1);
    expect(&p, "::ffff:127.0.0.1", 1);
    expect(&p, "126.1.2.3", 1);

    /* where a policy is silent the table speaks */

    expect(&p, "169.254.169.254", 0);
    expect(&p, "64:ff9b::10.0.0.1", 0);
    expect(&p, "1.1.1.1", 1);
}


static void
test_policy_all(void **state)
{
    fliq_addr_rule_t    rules[2];
    fliq_addr_policy_t  p;

    static const char *const  open[] = { "+0.0.0.0/0", "+::/0" };
    static const char *const  shut[] = { "-0.0.0.0/0", "-::/0" };

    (void) state;

    p = policy(rules, open, 2);
    expect(&p, "127.0.0.1", 1);
    expect(&p, "0.0.0.0", 1);
    expect(&p, "255.255.255.255", 1);
    expect(&p, "::1", 1);
    expect(&p, "ff02::1", 1);

    p = policy(rules, shut, 2);
    expect(&p, "8.8.8.8", 0);
    expect(&p, "2606:4700::1", 0);

    p = policy(rules, open, 0);
    expect(&p, "127.0.0.1", 0);
    expect(&p, "8.8.8.8", 1);

    p.rules = NULL;
    expect(&p, "127.0.0.1", 0);
    expect(&p, "8.8.8.8", 1);
}


/* Each prefix length, against a comparison bit by bit. */
static void
test_policy_bits(void **state)
{
    int                 i, k, same, max;
    fliq_addr_t         a;
    fliq_addr_rule_t    rule;
    fliq_addr_policy_t  p;

    (void) state;

    p.rules = &rule;
    p.nrules = 1;

    for (i = 0; i < 100000; i++) {
        memset(&rule, 0, sizeof(rule));
        max = (i & 1) ? 32 : 128;
        rule.addr.family = (i & 1) ? AF_INET : AF_INET6;
        rule.bits = (unsigned) unit_below(max + 1);

        for (k = 0; k < max / 8; k++) {
            rule.addr.bytes[k] = (uint8_t) unit_random();
        }

        /* far from what may be dialled, so that only the rule allows */

        rule.addr.bytes[0] = 0xfd;
        rule.allow = 1;

        a = rule.addr;
        k = unit_below(max);
        a.bytes[k / 8] ^= (uint8_t) (0x80 >> k % 8);
        same = ((unsigned) k >= rule.bits);

        if ((a.bytes[0] & 0xf0) != 0xf0) {
            continue;
        }

        assert_int_equal(fliq_addr_allowed(&p, &a), same);
        assert_int_equal(fliq_addr_allowed(&p, &rule.addr), 1);
    }
}


static void
test_cidr(void **state)
{
    size_t            i;
    fliq_addr_t       a;
    fliq_addr_rule_t  rule;

    static const struct {
        const char    *text;
        const char    *addr;
        unsigned       bits;
    } good[] = {
        { "0.0.0.0/0", "0.0.0.0", 0 },
        { "10.0.0.0/8", "10.0.0.0", 8 },
        { "10.128.0.0/9", "10.128.0.0", 9 },
        { "1.2.3.4", "1.2.3.4", 32 },
        { "1.2.3.4/32", "1.2.3.4", 32 },
        { "1.2.3.4/30", "1.2.3.4", 30 },
        { "::/0", "::", 0 },
        { "::1", "::1", 128 },
        { "fd00::/8", "fd00::", 8 },
        { "2001:db8::1/128", "2001:db8::1", 128 },
        { "::ffff:1.2.3.4", "1.2.3.4", 32 },
        { "::ffff:1.2.3.0/120", "1.2.3.0", 24 },
        { "::ffff:0:0/96", "0.0.0.0", 0 }
    };

    static const char *const  bad[] = {
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8 ", " 10.0.0.0/8",
        "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0/x", "10.0.0.0/8x",
        "10.0.0.0/:", "10.0.0.0/.",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/0000",
        "10.0.0.0/4294967304", "10/8", "10.0.0/8", "010.0.0.0/8",
        "0x0a.0.0.0/8", "256.0.0.0/8", "10.0.0.1/8", "10.0.0.0/6",
        "1.2.3.4/29", "10.0.0.0/255.0.0.0", "localhost", "all", "*",
        "::/129", "fd00::1/8", "fd00::/7", "[::1]", "fe80::1%eth0",
        "::ffff:0:0/95", "::ffff:1.2.3.4/96", ":::", "::1::", "1:2:3",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/128"
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        rule.allow = 7;

        if (fliq_addr_cidr(unit_str(good[i].text), &rule) != 0) {
            unit_fail("\"%s\" is refused", good[i].text);
        }

        a = addr(good[i].addr);
        assert_int_equal(rule.addr.family, a.family);
        assert_memory_equal(rule.addr.bytes, a.bytes, 16);
        assert_int_equal(rule.bits, good[i].bits);
        assert_int_equal(rule.allow, 7);
    }

    for (i = 0; i < unit_count(bad); i++) {
        if (fliq_addr_cidr(unit_str(bad[i]), &rule) != -1) {
            unit_fail("\"%s\" is taken", bad[i]);
        }
    }

    assert_int_equal(fliq_addr_cidr(unit_bytes("10.0.0.0\0/8", 11), &rule),
                     -1);
    assert_int_equal(fliq_addr_cidr(unit_bytes("10.0.0.0/8\0", 11), &rule),
                     -1);
}


static void
test_sockaddr(void **state)
{
    fliq_addr_t           a, want;
    struct sockaddr      *sa;
    struct sockaddr_in    sin;
    struct sockaddr_un    sun;
    struct sockaddr_in6   sin6;

    (void) state;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(80);
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &sin.sin_addr), 1);
    sa = (struct sockaddr *) &sin;

    want = addr("192.0.2.7");
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin)), 0);
    assert_memory_equal(&a, &want, sizeof(a));
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin) - 1), -1);
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, 1), -1);
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, 0), -1);

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &sin6.sin6_addr), 1);
    sa = (struct sockaddr *) &sin6;

    want = addr("2001:db8::7");
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin6)), 0);
    assert_memory_equal(&a, &want, sizeof(a));
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin6) - 1), -1);
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin)), -1);

    assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1",
                               &sin6.sin6_addr), 1);
    want = addr("127.0.0.1");
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sin6)), 0);
    assert_memory_equal(&a, &want, sizeof(a));

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    sa = (struct sockaddr *) &sun;
    assert_int_equal(fliq_addr_from_sockaddr(&a, sa, sizeof(sun)), -1);
}


static void
test_literal(void **state)
{
    int          rc;
    char         text[INET6_ADDRSTRLEN];
    size_t       i;
    fliq_addr_t  a, want;

    static const struct {
        const char    *host;
        const char    *addr;
    } good[] = {
        { "127.0.0.1", "127.0.0.1" },
        { "127.0.0.1.", "127.0.0.1" },
        { "127.1", "127.0.0.1" },
        { "127.1.", "127.0.0.1" },
        { "127.0.1", "127.0.0.1" },
        { "127.65535", "127.0.255.255" },
        { "127.16777215", "127.255.255.255" },
        { "10.1.65535", "10.1.255.255" },
        { "2130706433", "127.0.0.1" },
        { "0", "0.0.0.0" },
        { "00", "0.0.0.0" },
        { "1", "0.0.0.1" },
        { "4294967295", "255.255.255.255" },
        { "0x7f000001", "127.0.0.1" },
        { "0X7F000001", "127.0.0.1" },
        { "0x7f.1", "127.0.0.1" },
        { "0x7f.0x0.0x0.0x1", "127.0.0.1" },
        { "0x000000000000000000007f.1", "127.0.0.1" },
        { "017700000001", "127.0.0.1" },
        { "0177.0.0.01", "127.0.0.1" },
        { "0177.0x0.1", "127.0.0.1" },
        { "000000000000000000000000000000177.1", "127.0.0.1" },
        { "010.8.8.8", "8.8.8.8" },
        { "8.8.8.8", "8.8.8.8" },
        { "0xffffffff", "255.255.255.255" },
        { "037777777777", "255.255.255.255" },
        { "%31%32%37.0.0.1", "127.0.0.1" },
        { "127%2e0%2E0.1", "127.0.0.1" },
        { "%30x7f%2e1", "127.0.0.1" },
        { "::1", "::1" },
        { "[::1]", "::1" },
        { "%5B::1%5d", "::1" },
        { "[::]", "::" },
        { "[0:0:0:0:0:0:0:1]", "::1" },
        { "[2001:DB8::A]", "2001:db8::a" },
        { "[::ffff:127.0.0.1]", "127.0.0.1" },
        { "[::ffff:7f00:1]", "127.0.0.1" },
        { "::127.0.0.1", "::127.0.0.1" },
        { "[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1" },
        { "[fe80::1]", "fe80::1" }
    };

    (void) state;

    for (i = 0; i < unit_count(good); i++) {
        rc = fliq_addr_literal(unit_str(good[i].host), &a);

        if (rc != 1) {
            unit_fail("\"%s\" gives %d", good[i].host, rc);
        }

        want = addr(good[i].addr);

        if (memcmp(&a, &want, sizeof(a)) != 0) {
            unit_fail("\"%s\" is %s", good[i].host,
                      inet_ntop(a.family, a.bytes, text, sizeof(text)));
        }
    }
}


static void
test_literal_not(void **state)
{
    int          rc;
    char         longest[300];
    size_t       i;
    fliq_addr_t  a;

    static const char *const  names[] = {
        "localhost", "example.com", "example.com.", "a", "a1", "1a", "0xg",
        "0x7g.1", "1.2.3.4.example", "1.2.3.x", "x.1.2.3", "foo.1", "1e3",
        "127.0.0.1a", "256.256.256.256x", "xn--nxasmq6b", "dead.beef",
        "0a.1", "-1", "1.-1", "+1", "web_1", "a..b", "%61.example", "%zz",
        "%", "a%", "a%2", "1.2.3.4%5f", "]", "1.2.3.4]",
        "%z1", "a!", "~", "0x`"
    };

    static const char *const  neither[] = {
        "", ".", "..", "1..2", ".1", "1.2.3.4..", "256.1.1.1", "1.256.1.1",
        "1.1.256.1", "1.1.1.256", "999.999.999.999", "1.2.3.4.5",
        "1.2.3.4.5.", "1.2.3.4.5.6.7.8.9", "4294967296", "0x100000000",
        "040000000000", "127.16777216", "127.0.65536", "08", "09.1.1.1",
        "0x", "0x.1", "1.0x", "99999999999999999999999999",
        "18446744073709551617", "0x1000000000000000001", "[]", "[", "[::1",
        "::1]", "[127.0.0.1]", "[localhost]", "[v1.x:y]", ":", ":::", "1:2",
        "::1%lo", "[fe80::1%eth0]", "[fe80::1%25eth0]", "::1.2.3",
        "::ffff:1.2.3.256", "::ffff:01.2.3.4", "1:2:3:4:5:6:7:8:9",
        "::12345", "127.0.0.1:80", "[::1]:80", "[::1].", "127.0.0.1%00",
        "127.0.0.1%20", "127.0.0.1 ", " 127.0.0.1", "127.0.0.1\t",
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "%EF%BC%91.1",
        "127\343\200\2020.0.1", "\xff", "%7f", "%ff"
    };

    (void) state;

    for (i = 0; i < unit_count(names); i++) {
        rc = fliq_addr_literal(unit_str(names[i]), &a);

        if (rc != 0) {
            unit_fail("\"%s\" gives %d", names[i], rc);
        }
    }

    for (i = 0; i < unit_count(neither); i++) {
        rc = fliq_addr_literal(unit_str(neither[i]), &a);

        if (rc != -1) {
            unit_fail("\"%s\" gives %d", neither[i], rc);
        }
    }

    memset(longest, '0', sizeof(longest));
    assert_int_equal(fliq_addr_literal(unit_bytes(longest, 255), &a), 1);
    assert_int_equal(fliq_addr_literal(unit_bytes(longest, 256), &a), -1);
    assert_int_equal(fliq_addr_literal(unit_bytes("1.2.3.4\0", 8), &a), -1);
}


/* What libc's resolver takes for a dotted address, the policy sees too. */
static void
test_literal_as_libc(void **state)
{
    int             i, rc;
    char            text[64];
    fliq_str_t      host;
    fliq_addr_t     a;
    struct in_addr  in;

    (void) state;

    for (i = 0; i < 500000; i++) {
        host = unit_noise("00112725.....xXafF", 14);

        memcpy(text, host.data, host.len);
        text[host.len] = '\0';

        if (strlen(text) != host.len || strpbrk(text, " \t\r\n\v\f") != NULL
            || inet_aton(text, &in) == 0)
        {
            (void) fliq_addr_literal(host, &a);
            continue;
        }

        rc = fliq_addr_literal(host, &a);

        if (rc != 1 || a.family != AF_INET || memcmp(a.bytes, &in, 4) != 0) {
            unit_fail("\"%s\" gives %d", text, rc);
        }
    }
}


static void
test_noise(void **state)
{
    int               i;
    fliq_str_t        text;
    fliq_addr_t       a;
    fliq_addr_rule_t  rule;

    (void) state;

    for (i = 0; i < 300000; i++) {
        text = unit_noise("0123456789abcdef::::....[]%%//x", 48);
        (void) fliq_addr_literal(text, &a);
        (void) fliq_addr_cidr(text, &rule);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_base_v4),
        cmocka_unit_test(test_base_v6),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_other_family),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_all),
        cmocka_unit_test(test_policy_bits),
        cmocka_unit_test(test_cidr),
        cmocka_unit_test(test_sockaddr),
        cmocka_unit_test(test_literal),
        cmocka_unit_test(test_literal_not),
        cmocka_unit_test(test_literal_as_libc),
        cmocka_unit_test(test_noise)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
