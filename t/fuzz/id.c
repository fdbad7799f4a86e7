/*
 * Ids and cursors: each text that is taken is the only one of its id.
 */

#include "fuzz.h"
#include "fliq_id.h"


static const char  *prefixes[] = {
    "job", "sched", "exec", "alt", "buf", "item", "tok", "acct", "a"
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        out[FLIQ_ID_TEXT];
    size_t      i, len;
    fliq_id_t   id;
    fliq_str_t  text;

    text = fuzz_copy(data, size);

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {

        if (fliq_id_parse(text, prefixes[i], &id) != 0) {
            continue;
        }

        len = fliq_id_format(out, prefixes[i], &id);

        fuzz_assert(len == text.len && out[len] == '\0');
        fuzz_assert(memcmp(out, text.data, len) == 0);
    }

    free(text.data);

    return 0;
}
