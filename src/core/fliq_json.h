/*
 * fliq_json: whether a text is JSON (RFC 8259).
 */

#ifndef FLIQ_JSON_H
#define FLIQ_JSON_H

#include "fliq_str.h"


#define FLIQ_JSON_DEPTH  1024   /* arrays and objects within each other */


/*
 * fliq_json_valid(text):
 * Return 1 when ${text} is one JSON value with nothing but white space around
 * it, else 0.  Numbers of any size are taken, since nothing is computed; keys
 * may repeat; bytes from 0x80 on are taken within strings, unread.  What is
 * nested deeper than FLIQ_JSON_DEPTH is not taken.
 */
int fliq_json_valid(fliq_str_t text);


#endif /* FLIQ_JSON_H */
