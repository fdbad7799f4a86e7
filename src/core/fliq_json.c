/*
 * Whether a text is JSON: one pass, and a bit for each level of nesting.
 */

#include "fliq_json.h"

#include <string.h>


typedef struct {
    const uint8_t    *p;
    const uint8_t    *end;
    unsigned          depth;
    uint8_t           objects[FLIQ_JSON_DEPTH / 8];   /* a bit: not an array */
} fliq_json_t;


/* Skip white space, and return the next character or -1 at the end. */
static int
peek(fliq_json_t *json)
{
    while (json->p < json->end
           && (*json->p == ' ' || *json->p == '\n' || *json->p == '\r'
               || *json->p == '\t'))
    {
        json->p++;
    }

    return json->p < json->end ? *json->p : -1;
}


/* Skip ${c} when it comes next, and say whether it did. */
static int
skip(fliq_json_t *json, int c)
{
    if (json->p < json->end && *json->p == c) {
        json->p++;
        return 1;
    }

    return 0;
}


/* Skip digits, and return how many. */
static size_t
digits(fliq_json_t *json)
{
    const uint8_t  *start;

    start = json->p;

    while (json->p < json->end && *json->p >= '0' && *json->p <= '9') {
        json->p++;
    }

    return (size_t) (json->p - start);
}


static int
number(fliq_json_t *json)
{
    (void) skip(json, '-');

    if (!skip(json, '0') && digits(json) == 0) {
        return 0;
    }

    if (skip(json, '.') && digits(json) == 0) {
        return 0;
    }

    if (!skip(json, 'e') && !skip(json, 'E')) {
        return 1;
    }

    if (!skip(json, '-')) {
        (void) skip(json, '+');
    }

    return digits(json) > 0;
}


static int
word(fliq_json_t *json, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (json->end - json->p) < len
        || memcmp(json->p, text, len) != 0)
    {
        return 0;
    }

    json->p += len;

    return 1;
}


/* What follows a backslash. */
static int
escape(fliq_json_t *json)
{
    int      i;
    uint8_t  c;

    if (json->p == json->end) {
        return 0;
    }

    c = *json->p++;

    if (c != 'u') {
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    }

    for (i = 0; i < 4; i++, json->p++) {

        if (json->p == json->end) {
            return 0;
        }

        c = *json->p;

        if (c == '\0' || strchr("0123456789abcdefABCDEF", c) == NULL) {
            return 0;
        }
    }

    return 1;
}


static int
string(fliq_json_t *json)
{
    uint8_t  c;

    if (!skip(json, '"')) {
        return 0;
    }

    while (json->p < json->end) {
        c = *json->p++;

        if (c == '"') {
            return 1;
        }

        if (c < 0x20 || (c == '\\' && !escape(json))) {
            return 0;
        }
    }

    return 0;
}


static int
key(fliq_json_t *json)
{
    (void) peek(json);

    return string(json) && peek(json) == ':' && skip(json, ':');
}


/* Step into an array or object that is not empty, at its first value. */
static int
enter(fliq_json_t *json, int object)
{
    uint8_t  *byte, bit;

    if (json->depth == FLIQ_JSON_DEPTH) {
        return 0;
    }

    byte = &json->objects[json->depth / 8];
    bit = (uint8_t) (1 << json->depth % 8);

    *byte = (uint8_t) (object ? *byte | bit : *byte & ~bit);
    json->depth++;

    return !object || key(json);
}


/* Behind a value: 1 at the next value, 0 at the end of all, -1 if wrong. */
static int
leave(fliq_json_t *json)
{
    int       object;
    unsigned  level;

    while (json->depth) {
        level = json->depth - 1;
        object = json->objects[level / 8] >> level % 8 & 1;

        (void) peek(json);

        if (skip(json, ',')) {
            return !object || key(json) ? 1 : -1;
        }

        if (!skip(json, object ? '}' : ']')) {
            return -1;
        }

        json->depth--;
    }

    return 0;
}


/* Read a value, or up to the first one within: 1 for that, 0, -1 if wrong. */
static int
value(fliq_json_t *json)
{
    int  c, good;

    c = peek(json);

    switch (c) {

    case '{':
    case '[':
        json->p++;

        if (peek(json) == (c == '{' ? '}' : ']')) {
            json->p++;
            return 0;
        }

        return enter(json, c == '{') ? 1 : -1;

    case '"':
        good = string(json);
        break;

    case 't':
        good = word(json, "true");
        break;

    case 'f':
        good = word(json, "false");
        break;

    case 'n':
        good = word(json, "null");
        break;

    default:
        good = number(json);
    }

    return good ? 0 : -1;
}


int
fliq_json_valid(fliq_str_t text)
{
    int          more;
    fliq_json_t  json;

    if (text.len == 0) {
        return 0;
    }

    memset(&json, 0, sizeof(fliq_json_t));

    json.p = text.data;
    json.end = text.data + text.len;

    do {
        more = value(&json);

        if (more == 0) {
            more = leave(&json);
        }

    } while (more == 1);

    return more == 0 && peek(&json) == -1;
}
