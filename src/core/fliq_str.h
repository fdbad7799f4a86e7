/*
 * fliq_str: a view of bytes that somebody else owns.
 *
 * The layout is that of nginx's ngx_str_t, so that a room which knows nginx
 * can pass the address of one for the other.  The bytes are not terminated
 * and may hold any value, NUL included.
 */

#ifndef FLIQ_STR_H
#define FLIQ_STR_H

#include <stddef.h>
#include <stdint.h>


typedef struct {
    size_t      len;
    uint8_t    *data;
} fliq_str_t;


#define fliq_str(text)  { sizeof(text) - 1, (uint8_t *) (text) }


#endif /* FLIQ_STR_H */
