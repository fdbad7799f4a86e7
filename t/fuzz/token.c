/*
 * Tokens: what passes has the form, and no other character in any place
 * passes with it.
 */

#include "fuzz.h"
#include "fliq_sign.h"


static void
change_each(fliq_str_t token)
{
    size_t   i;
    uint8_t  was;

    for (i = 0; i < token.len; i++) {
        was = token.data[i];
        token.data[i] = was == 'x' ? 'y' : 'x';
        fuzz_assert(fliq_token_check(token) == 0);
        token.data[i] = was;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fliq_str_t  token;

    token = fuzz_copy(data, size);

    if (fliq_token_check(token)) {
        fuzz_assert(token.len == FLIQ_TOKEN_LEN);
        fuzz_assert(memcmp(token.data, FLIQ_TOKEN_PREFIX,
                           sizeof(FLIQ_TOKEN_PREFIX) - 1) == 0);
        change_each(token);
    }

    free(token.data);

    return 0;
}
