/*
 * Headers and methods: what is taken cannot end a line or change how a
 * request is framed; what is scrubbed is UTF-8 without NUL.
 */

#include "fuzz.h"
#include "fliq_header.h"

#include <ctype.h>
#include <jansson.h>
#include <strings.h>


static const char  *framing[] = {
    "connection", "keep-alive", "te", "trailer", "transfer-encoding",
    "upgrade", "http2-settings", "content-length", "host", "expect"
};


static int
is_token(uint8_t c)
{
    return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


static void
check_taken(fliq_str_t name, fliq_str_t value)
{
    size_t  i;

    fuzz_assert(name.len > 0);

    for (i = 0; i < name.len; i++) {
        fuzz_assert(name.data[i] < 0x80 && is_token(name.data[i]));
    }

    for (i = 0; i < value.len; i++) {
        fuzz_assert(value.data[i] == '\t'
                    || (value.data[i] >= ' ' && value.data[i] != 0x7f));
    }

    for (i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
        fuzz_assert(name.len != strlen(framing[i])
                    || strncasecmp((char *) name.data, framing[i], name.len)
                       != 0);
    }

    fuzz_assert(name.len < 6
                || (strncasecmp((char *) name.data, "proxy-", 6) != 0));
    fuzz_assert(name.len < 7
                || (strncasecmp((char *) name.data, "x-fliq-", 7) != 0));
}


static void
scrub(fliq_str_t text)
{
    size_t    len, size;
    json_t   *string;
    uint8_t  *out;

    size = text.len / 2 + 1;
    out = malloc(size);

    fuzz_assert(out != NULL);

    len = fliq_utf8_scrub(out, size, text);

    fuzz_assert(len <= size);
    fuzz_assert(memchr(out, '\0', len) == NULL);

    /* jansson takes valid UTF-8 alone */

    string = json_stringn((char *) out, len);

    fuzz_assert(string != NULL);

    json_decref(string);
    free(out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       split;
    uint8_t      first;
    fliq_str_t   name, value;
    const char  *why, *method;

    fuzz_take(&data, &size, &first, 1);

    split = size ? first % (size + 1) : 0;

    name = fuzz_copy(data, split);
    value = fuzz_copy(data + split, size - split);
    why = NULL;

    if (fliq_header_check(name, value, &why) == 0) {
        check_taken(name, value);

    } else {
        fuzz_assert(why != NULL);
    }

    if (fliq_method_check(name, &method) == 0) {
        fuzz_assert(strlen(method) == name.len);
        fuzz_assert(strncasecmp(method, (char *) name.data, name.len) == 0);
    }

    scrub(value);

    free(name.data);
    free(value.data);

    return 0;
}
