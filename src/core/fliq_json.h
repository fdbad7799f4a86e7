/*
 * fliq_json: whether a text is JSON (RFC 8259), and text as a string of it.
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

/*
 * fliq_json_escape(dst, text):
 * Write ${text}, which is UTF-8, to ${dst} as it stands between the quotes of
 * a JSON string, and return the length of that, at most six times ${text}'s.
 * When ${dst} is NULL only return the length.
 */
size_t fliq_json_escape(uint8_t *dst, fliq_str_t text);


#endif /* FLIQ_JSON_H */
