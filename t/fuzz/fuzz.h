/*
 * What the fuzz harnesses share.  Each file is one harness: it gives libFuzzer
 * its bytes, and traps where the code breaks its contract.
 */

#ifndef FLIQ_FUZZ_H
#define FLIQ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fliq_str.h"


#define fuzz_assert(condition)                                                \
    do {                                                                      \
        if (!(condition)) {                                                   \
            (void) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,         \
                           #condition);                                       \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/*
 * A view of a copy of ${size} bytes that ends where the heap block does, so
 * that the sanitizer sees a read beyond it.  The caller frees its data.
 */
static inline fliq_str_t
fuzz_copy(const uint8_t *data, size_t size)
{
    fliq_str_t  view;

    view.len = size;
    view.data = malloc(size ? size : 1);

    fuzz_assert(view.data != NULL);

    if (size) {
        memcpy(view.data, data, size);
    }

    return view;
}


/* Take ${size} bytes off the front, zeros when there are not as many. */
static inline void
fuzz_take(const uint8_t **data, size_t *left, void *out, size_t size)
{
    size_t  n;

    n = *left < size ? *left : size;

    memset(out, 0, size);

    if (n) {
        memcpy(out, *data, n);
    }

    *data += n;
    *left -= n;
}


#endif /* FLIQ_FUZZ_H */
