/*
 * JSON: the scanner takes what jansson takes.
 */

#include "fuzz.h"
#include "fliq_json.h"

#include <jansson.h>


/* jansson computes numbers and reads UTF-8, which the scanner does not */
static int
differs_by_design(fliq_str_t text, const json_error_t *error)
{
    size_t  i;

    if (strstr(error->text, "too big") || strstr(error->text, "too large")
        || strstr(error->text, "overflow"))
    {
        return 1;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80) {
            return 1;
        }
    }

    return strstr(error->text, "surrogate") != NULL
           || strstr(error->text, "invalid Unicode") != NULL
           || strstr(error->text, "depth") != NULL;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            valid;
    json_t        *value;
    fliq_str_t     text;
    json_error_t   error;

    text = fuzz_copy(data, size);

    valid = fliq_json_valid(text);

    /* jansson passes over a NUL behind a number */

    if (size && memchr(data, '\0', size) != NULL) {
        fuzz_assert(!valid);
        free(text.data);
        return 0;
    }

    value = json_loadb((char *) text.data, text.len,
                       JSON_DECODE_ANY|JSON_ALLOW_NUL, &error);

    if (value != NULL) {
        fuzz_assert(valid);

    } else if (valid) {
        fuzz_assert(differs_by_design(text, &error));
    }

    json_decref(value);
    free(text.data);

    return 0;
}
