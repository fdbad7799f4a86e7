/*
 * What the unit tests share: cmocka, views of heap copies, random numbers.
 *
 * The headers are order-dependent: cmocka wants four of libc's before it.
 */

#ifndef FLIQ_UNIT_H
#define FLIQ_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fliq_str.h"


#define unit_count(table)  (sizeof(table) / sizeof((table)[0]))

#define unit_fail(...)                                                        \
    do {                                                                      \
        print_error(__VA_ARGS__);                                             \
        print_error("\n");                                                    \
        fail();                                                               \
    } while (0)


/*
 * A view of a heap copy of exactly ${len} bytes, so that the sanitizer sees
 * each read beyond it.  It lives until 16 more have been made.
 */
static inline fliq_str_t
unit_bytes(const void *data, size_t len)
{
    fliq_str_t  view;

    static uint8_t  *slots[16];
    static size_t    next;

    free(slots[next]);
    slots[next] = malloc(len ? len : 1);

    if (slots[next] == NULL) {
        abort();
    }

    memcpy(slots[next], data, len);

    view.data = slots[next];
    view.len = len;
    next = (next + 1) % unit_count(slots);

    return view;
}


static inline fliq_str_t
unit_str(const char *text)
{
    return unit_bytes(text, strlen(text));
}


/* The same numbers in every run (xorshift64*). */
static inline uint64_t
unit_random(void)
{
    static uint64_t  state = 0x9e3779b97f4a7c15;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return state * 2685821657736338717u;
}


/* A number of 0 to ${n} - 1. */
static inline int
unit_below(int n)
{
    return (int) (unit_random() >> 33) % n;
}


/* Up to ${max} bytes, drawn from ${alphabet} but for one in 32. */
static inline fliq_str_t
unit_noise(const char *alphabet, int max)
{
    int      i, n, len;
    uint8_t  buf[4096];

    n = unit_below(max + 1);
    len = (int) strlen(alphabet);

    for (i = 0; i < n; i++) {
        buf[i] = unit_below(32) ? (uint8_t) alphabet[unit_below(len)]
                                : (uint8_t) unit_random();
    }

    return unit_bytes(buf, (size_t) n);
}


#endif /* FLIQ_UNIT_H */
