/*
 * Whether a text is JSON: one pass, and a bit for each level of nesting.  Text
 * as a string: runs of what needs no escape are copied as they are.
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


/* What stands behind the backslash of an escaped ${c}, 0 where none does. */
static int
letter(uint8_t c)
{
    static const char  controls[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

    if (c < 0x20) {
        return controls[c];
    }

    return (c == '"' || c == '\\') ? c : 0;
}


/* Whether one of eight bytes is escaped, looked at all at once. */
static int
any_letter(const uint8_t *p)
{
    uint64_t  x, quote, slash;

    static const uint64_t  ones = 0x0101010101010101;
    static const uint64_t  high = 0x8080808080808080;

    memcpy(&x, p, sizeof(x));

    quote = x ^ ones * '"';
    slash = x ^ ones * '\\';

    return (((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote)
            | ((slash - ones) & ~slash)) & high ? 1 : 0;
}


/* The end of the bytes from ${i} on that are not escaped. */
static size_t
run_end(fliq_str_t text, size_t i)
{
    while (text.len - i >= 8 && !any_letter(&text.data[i])) {
        i += 8;
    }

    while (i < text.len && letter(text.data[i]) == 0) {
        i++;
    }

    return i;
}


size_t
fliq_json_escape(uint8_t *dst, fliq_str_t text)
{
    int             c;
    size_t          i, run, len;
    const uint8_t  *p;

    static const char  hex[] = "0123456789ABCDEF";

    p = text.data;
    len = 0;

    for (i = 0; i < text.len; i++) {

        run = i;
        i = run_end(text, i);

        if (dst && i > run) {
            memcpy(&dst[len], &p[run], i - run);
        }

        len += i - run;

        if (i == text.len) {
            break;
        }

        c = letter(p[i]);

        if (dst) {
            dst[len] = '\\';
            dst[len + 1] = (uint8_t) c;

            if (c == 'u') {
                dst[len + 2] = '0';
                dst[len + 3] = '0';
                dst[len + 4] = (uint8_t) hex[p[i] >> 4];
                dst[len + 5] = (uint8_t) hex[p[i] & 15];
            }
        }

        len += (c == 'u') ? 6 : 2;
    }

    return len;
}
