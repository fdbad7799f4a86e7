/*
 * fliq_addr: which addresses an outbound call may dial (DESIGN.md, "Outbound
 * is safe by address, not by name").
 *
 * The base policy is a table: no block of the IANA special-purpose registries
 * may be dialled.  Of IPv6 that leaves 2000::/3 less 2001::/23,
 * 2001:db8::/32, 2002::/16, 2620:4f:8000::/48 and 3fff::/20; so the forms
 * that embed an IPv4 address (mapped ::ffff:0:0/96, compatible ::/96, NAT64
 * 64:ff9b::/96, 6to4) are refused, but that a mapped one is judged as the
 * IPv4 address it is.
 * A policy adds CIDR blocks that are allowed or denied on top; the longest
 * matching block of the policy wins over the base table, and of an allow and
 * a deny of the same length the deny.
 */

#ifndef FLIQ_ADDR_H
#define FLIQ_ADDR_H

#include <sys/socket.h>

#include "fliq_str.h"


typedef struct {
    int        family;          /* AF_INET or AF_INET6 */
    uint8_t    bytes[16];       /* network order; 4 are used for AF_INET */
} fliq_addr_t;

typedef struct {
    fliq_addr_t    addr;
    unsigned       bits;        /* 0 to 32, or 0 to 128 */
    unsigned       allow;       /* 1 allowed, 0 denied */
} fliq_addr_rule_t;

typedef struct {
    fliq_addr_rule_t    *rules;     /* caller's memory */
    size_t               nrules;
} fliq_addr_policy_t;


/*
 * fliq_addr_cidr(text, rule):
 * Read "ADDRESS/BITS" or a bare address into ${rule} (its ${allow} is left
 * as it is).  Bits set behind the prefix are an error.  Return 0 or -1.
 */
int fliq_addr_cidr(fliq_str_t text, fliq_addr_rule_t *rule);

/*
 * fliq_addr_from_sockaddr(addr, sa, len):
 * Take the address out of ${sa}; IPv4-mapped IPv6 becomes AF_INET.
 * Return 0, or -1 when it is of another family or too short.
 */
int fliq_addr_from_sockaddr(fliq_addr_t *addr, const struct sockaddr *sa,
    socklen_t len);

/*
 * fliq_addr_literal(host, addr):
 * Tell whether ${host}, the host of a URL with or without brackets, is a
 * literal address in any form that a resolver would take for one: dotted,
 * short ("127.1"), decimal, octal, hexadecimal, IPv6 with or without an
 * embedded IPv4 address or a zone.  Percent-encoding is decoded first.
 * Return 1 and the address, 0 when it is a name, -1 when it is neither
 * (an empty host, one of more than FLIQ_ADDR_HOST bytes, four numbers out of
 * range, a zone).
 */
#define FLIQ_ADDR_HOST  255     /* no host that means anything is longer */

int fliq_addr_literal(fliq_str_t host, fliq_addr_t *addr);

/*
 * fliq_addr_allowed(policy, addr):
 * Return 1 when ${addr} may be dialled under ${policy} (NULL: the base table
 * alone), else 0.
 */
int fliq_addr_allowed(const fliq_addr_policy_t *policy,
    const fliq_addr_t *addr);


#endif /* FLIQ_ADDR_H */
