/*
 * fliq_id: the ids of the API: a prefix, "_", and 26 lower-case Crockford
 * base32 digits of a UUIDv7 (RFC 9562, section 5.7; the TypeID form).
 */

#ifndef FLIQ_ID_H
#define FLIQ_ID_H

#include "fliq_str.h"


#define FLIQ_ID_SIZE    16      /* bytes of an id in memory */
#define FLIQ_ID_DIGITS  26
#define FLIQ_ID_TEXT    40      /* bytes that fit any id with prefix and NUL */


typedef struct {
    uint8_t    bytes[FLIQ_ID_SIZE];
} fliq_id_t;


/*
 * fliq_id_make(id, unix_ms):
 * Make a new id for the time ${unix_ms} (milliseconds since 1970).  Ids made
 * by one process increase strictly, also when ${unix_ms} stands still or
 * steps back.  Random bits come from getrandom(2), read ahead in bulk and
 * forgotten after a fork.
 * Return 0, or -1 when the system gives no random bytes.
 */
int fliq_id_make(fliq_id_t *id, int64_t unix_ms);

/*
 * fliq_id_format(buf, prefix, id):
 * Write "${prefix}_" and the digits of ${id} with a terminating NUL into
 * ${buf} (FLIQ_ID_TEXT bytes; ${prefix} is at most 12).  Return the length
 * without the NUL.
 */
size_t fliq_id_format(char *buf, const char *prefix, const fliq_id_t *id);

/*
 * fliq_id_parse(text, prefix, id):
 * Read ${text}, which must be "${prefix}_" and 26 digits (lower case, the
 * first one at most "7").  Return 0, or -1 when it is anything else.
 */
int fliq_id_parse(fliq_str_t text, const char *prefix, fliq_id_t *id);


#endif /* FLIQ_ID_H */
